//! Days from which and until which a provision is in force.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::error::{Fault, SchemaError};
use crate::json::Json;
use crate::reading::Read;
use crate::time::Time;

/// A day in UTC, `2026-02-05`. In summer it begins an hour after the same day in London.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Time);

/// When a provision came into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Commencement {
    /// On this day.
    On(Day),
    /// It is not known to be in force: the Act may be passed and this provision of it not commenced.
    NotKnown,
}

const MILLISECONDS_A_DAY: i64 = 86_400_000;
const FORM: &str = "a day, YYYY-MM-DD";
const FORM_OR_NOT_KNOWN: &str = "a day, YYYY-MM-DD, or NotKnown";
const NOT_KNOWN: &str = "NotKnown";
const PATTERN: &str = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";

impl Day {
    /// The day that this text is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 10 { format!("{text}T00:00:00Z").parse().ok().map(Self) } else { None }
    }

    /// Its first moment.
    pub const fn begins(self) -> Time {
        self.0
    }

    /// Whether it has passed at this moment.
    pub const fn is_over(self, at: Time) -> bool {
        at.as_millis() >= self.0.as_millis() + MILLISECONDS_A_DAY
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().split('T').next().unwrap_or_default())
    }
}

impl fmt::Display for Commencement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(day) => day.fmt(f),
            Self::NotKnown => f.write_str(NOT_KNOWN),
        }
    }
}

impl Read for Day {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        value.as_str().and_then(Self::parse).ok_or_else(|| Fault::expected(FORM).here())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl Read for Commencement {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        if value.as_str() == Some(NOT_KNOWN) {
            return Ok(Self::NotKnown);
        }
        let day = value.as_str().and_then(Day::parse);
        day.map(Self::On).ok_or_else(|| Fault::expected(FORM_OR_NOT_KNOWN).here())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Commencement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A day in UTC.",
            "type": "string", "format": "date", "pattern": format!("^{PATTERN}$"),
        })
    }
}

impl JsonSchema for Commencement {
    fn schema_name() -> Cow<'static, str> {
        "Commencement".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A day in UTC, or NotKnown for a provision that is not known to be in force.",
            "type": "string", "pattern": format!("^({PATTERN}|{NOT_KNOWN})$"),
        })
    }
}
