//! The configuration of a partnership: its thresholds and its calendar. Data, not code, and sealed in the log as
//! `ledger.configured`, so that anybody can show which rules were in force when an alert was raised.

mod calendar;
mod notation;
mod thresholds;

use schemars::generate::SchemaSettings;
use schemars::json_schema;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

pub use calendar::*;
pub use thresholds::*;

use crate::error::{Fault, SchemaError};
use crate::reading::{Members, Read};

/// What a partnership has agreed on: the whole `data` of a `ledger.configured` of version [`Configuration::VERSION`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// From when on a pattern asks a person to look.
    pub thresholds: Thresholds,
    /// The days on which nobody is expected to work.
    pub calendar: Calendar,
}

/// Why a configuration is refused: one fault at one place. It repeats no values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {fault}", if path.is_empty() { "the configuration" } else { path })]
pub struct ConfigurationError {
    /// Where, as a JSON pointer (RFC 6901): `/thresholds/repeat_missing/days`. Empty for the configuration as a whole.
    pub path: String,
    /// What is wrong there, and what was expected.
    pub fault: Fault,
}

/// The configuration that holds until a partnership seals its own.
const STANDARD: &str = include_str!("../data/configuration.json");

impl Configuration {
    /// The type of the statement that seals a configuration.
    pub const TYPE: &str = "ledger.configured";

    /// The version of that type.
    pub const VERSION: u16 = 1;

    /// Its members.
    pub const MEMBERS: &[&str] = &["thresholds", "calendar"];

    /// Reads a configuration. All members are required, at every level; nothing is filled in.
    pub fn read(value: &Value) -> Result<Self, ConfigurationError> {
        Ok(read(value)?)
    }

    /// The configuration that holds until a partnership seals its own: DOMAIN section 5 and England's bank holidays.
    pub fn standard() -> Self {
        let value: Value = serde_json::from_str(STANDARD).expect("the data file is JSON: a test reads it");
        Self::read(&value).expect("the data file is a configuration: a test reads it")
    }

    /// The configuration as [`Configuration::read`] reads it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("a configuration has no maps with keys other than strings")
    }

    /// The JSON Schema (2020-12) of a configuration. It says what [`Configuration::read`] says, save that a month has
    /// its days, and that a number is written without a fraction even where that is zero (FORMATS section 1).
    pub fn json_schema() -> Value {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let properties = serde_json::json!({
            "thresholds": Thresholds::schema(&mut generator),
            "calendar": Calendar::schema(&mut generator),
        });
        let (name, version) = (Self::TYPE, Self::VERSION);
        json_schema!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": format!("urn:goldenthread:schema:{name}:v{version}"),
            "title": format!("{name} v{version}"),
            "description": "The configuration of a partnership, as its registrar seals it.",
            "type": "object",
            "properties": properties,
            "required": Self::MEMBERS,
            "additionalProperties": false,
            "$defs": generator.take_definitions(true),
        })
        .to_value()
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self::standard()
    }
}

impl ConfigurationError {
    /// The fault's stable name: [`Fault::code`].
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }
}

impl From<SchemaError> for ConfigurationError {
    fn from(error: SchemaError) -> Self {
        Self { path: error.path, fault: error.fault }
    }
}

fn read(value: &Value) -> Result<Configuration, SchemaError> {
    let mut members = Members::of(value)?;
    let configuration =
        Configuration { thresholds: members.take("thresholds")?, calendar: members.take("calendar")? };
    members.finish(Configuration::MEMBERS)?;
    Ok(configuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_has_the_domains_thresholds_and_survives_its_text() {
        let standard = Configuration::standard();
        assert_eq!(standard.thresholds, Thresholds::default());
        assert_eq!(Configuration::read(&standard.to_json()), Ok(standard));
    }
}
