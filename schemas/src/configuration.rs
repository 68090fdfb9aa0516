//! The configuration of a partnership: the law that it goes by, its thresholds and its calendar. Data, not code, and sealed in the log as
//! `ledger.configured`, so that anybody can show which rules were in force when an alert was raised.

mod calendar;
mod notation;
mod retention;
mod thresholds;

use schemars::generate::SchemaSettings;
use schemars::json_schema;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

pub use calendar::*;
pub use retention::*;
pub use thresholds::*;

use crate::catalogue::{Catalogue, CatalogueError, CatalogueFault};
use crate::error::{Fault, SchemaError};
use crate::reading::{Members, Read};

/// What a partnership has agreed on: the whole `data` of a `ledger.configured` of version [`Configuration::VERSION`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// The legal bases, when each was in force, and who may rely on them.
    pub legal: Catalogue,
    /// From when on a pattern asks a person to look.
    pub thresholds: Thresholds,
    /// The days on which nobody is expected to work.
    pub calendar: Calendar,
    /// How long records are kept; for ever, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// Why a configuration is refused: one fault at one place. It repeats no values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {fault}", if path.is_empty() { "the configuration" } else { path })]
pub struct ConfigurationError {
    /// Where, as a JSON pointer (RFC 6901): `/thresholds/repeat_missing/days`. Empty for the configuration as a whole.
    pub path: String,
    /// What is wrong there, and what was expected.
    pub fault: ConfigurationFault,
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigurationFault {
    /// A value or a member that has not the form of a configuration.
    #[error(transparent)]
    Form(Fault),
    /// Legal bases that do not agree with each other.
    #[error(transparent)]
    Legal(CatalogueFault),
}

/// The thresholds and the calendar that hold until a partnership seals its own; the legal bases have a file of theirs.
const STANDARD: &str = include_str!("../data/configuration.json");

impl Configuration {
    /// The type of the statement that seals a configuration.
    pub const TYPE: &str = "ledger.configured";

    /// The version of that type.
    pub const VERSION: u16 = 1;

    /// The members that it must have.
    pub const MEMBERS: &[&str] = &["legal", "thresholds", "calendar"];

    /// All members that it may have.
    const KNOWN: &[&str] = &["legal", "thresholds", "calendar", "retention"];

    /// Reads a configuration. All members but `retention` are required; nothing is filled in.
    pub fn read(value: &Value) -> Result<Self, ConfigurationError> {
        let mut members = Members::of(value.into(), Self::KNOWN)?;
        let legal = members.take_value("legal").ok_or_else(|| members.missing("legal"))?;
        let legal = Catalogue::of(legal)?;
        let (thresholds, calendar) = (members.take("thresholds")?, members.take("calendar")?);
        let retention = members.take("retention")?;
        members.finish()?;
        Ok(Self { legal, thresholds, calendar, retention })
    }

    /// The configuration that holds until a partnership seals its own: the standard catalogue, the thresholds of DOMAIN
    /// section 5 and England's bank holidays.
    pub fn standard() -> Self {
        let mut value: Value =
            serde_json::from_str(STANDARD).expect("the data file is JSON: a test reads it");
        value["legal"] = serde_json::to_value(Catalogue::standard()).expect("a catalogue's keys are strings");
        Self::read(&value).expect("the data files are a configuration: a test reads them")
    }

    /// The configuration as [`Configuration::read`] reads it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("a configuration has no maps with keys other than strings")
    }

    /// The JSON Schema (2020-12) of a configuration. It says what [`Configuration::read`] says, save that a month has
    /// its days, that a number is written without a fraction even where that is zero (FORMATS section 1), and what the
    /// catalogue's members say of each other.
    pub fn json_schema() -> Value {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let properties = serde_json::json!({
            "legal": generator.subschema_for::<Catalogue>(),
            "thresholds": Thresholds::schema(&mut generator),
            "calendar": Calendar::schema(&mut generator),
            "retention": Retention::schema(&mut generator),
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

impl ConfigurationFault {
    /// The fault's stable name, for problem types.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form(fault) => fault.code(),
            Self::Legal(fault) => fault.code(),
        }
    }
}

impl ConfigurationError {
    /// The fault's stable name: [`ConfigurationFault::code`].
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }
}

impl From<SchemaError> for ConfigurationError {
    fn from(error: SchemaError) -> Self {
        Self { path: error.path, fault: ConfigurationFault::Form(error.fault) }
    }
}

impl From<CatalogueError> for ConfigurationError {
    fn from(error: CatalogueError) -> Self {
        let fault = match error.fault {
            CatalogueFault::Form(fault) => ConfigurationFault::Form(fault),
            fault => ConfigurationFault::Legal(fault),
        };
        Self { path: format!("/legal{}", error.path), fault }
    }
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
