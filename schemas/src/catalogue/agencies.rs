//! Which agencies are public authorities, competent authorities, or within the duty to share.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::error::{Expected, Fault, SchemaError};
use crate::json::Json;
use crate::reading::{Members, Read};
use crate::words::AgencyCode;

/// Who is who among agencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CatalogueAgencies {
    /// Public authorities in the sense of DPA 2018 section 7: their own tasks cannot rest on Article 6(1)(ea) or (f).
    pub public_authorities: AgencyGroup,
    /// Competent authorities in the sense of DPA 2018 section 30: they may process under Part 3.
    pub competent_authorities: AgencyGroup,
    /// Those whom Children Act 2004 section 16LA lists.
    pub duty_to_share: AgencyGroup,
}

/// Agencies, by scheme, and single ones that differ from their scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = super::reading::without_null)]
pub struct AgencyGroup {
    /// The schemes all of whose agencies belong to it.
    pub schemes: Vec<AgencyScheme>,
    /// Further agencies that belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<Vec<AgencyCode>>,
    /// Agencies of its schemes that do not belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub except: Option<Vec<AgencyCode>>,
}

/// A scheme of agency codes, such as `gss`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct AgencyScheme(&'static str);

impl AgencyScheme {
    /// Its name, the part of an agency code before the colon.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl AgencyGroup {
    /// Whether this agency belongs to the group. None if the text is no agency code: then nobody knows.
    pub fn has(&self, agency: &str) -> Option<bool> {
        if !AgencyCode::is_one(agency) {
            return None;
        }
        let named = |list: &Option<Vec<AgencyCode>>| {
            list.as_ref().is_some_and(|list| list.iter().any(|code| code.as_str() == agency))
        };
        let scheme = agency.split(':').next().unwrap_or_default();
        let by_scheme = self.schemes.iter().any(|known| known.0 == scheme);
        Some(named(&self.also) || by_scheme && !named(&self.except))
    }

    /// An agency cannot be added and taken out: nobody could say which holds.
    pub(super) fn agree(&self) -> Result<(), SchemaError> {
        let (also, except) = (self.also.as_deref().unwrap_or(&[]), self.except.as_deref().unwrap_or(&[]));
        match except.iter().position(|code| also.contains(code)) {
            Some(index) => {
                let expected = "an agency in also or in except, not in both";
                Err(Fault::Contradiction { expected }.at(format!("/except/{index}")))
            }
            None => Ok(()),
        }
    }
}

impl CatalogueAgencies {
    pub(super) fn agree(&self) -> Result<(), SchemaError> {
        let Self { public_authorities, competent_authorities, duty_to_share } = self;
        public_authorities.agree().map_err(|error| error.within("public_authorities"))?;
        competent_authorities.agree().map_err(|error| error.within("competent_authorities"))?;
        duty_to_share.agree().map_err(|error| error.within("duty_to_share"))
    }
}

impl Read for CatalogueAgencies {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let mut members =
            Members::of(value, &["public_authorities", "competent_authorities", "duty_to_share"])?;
        let agencies = Self {
            public_authorities: members.take("public_authorities")?,
            competent_authorities: members.take("competent_authorities")?,
            duty_to_share: members.take("duty_to_share")?,
        };
        members.finish()?;
        Ok(agencies)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl Read for AgencyGroup {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let mut members = Members::of(value, &["schemes", "also", "except"])?;
        let group = Self {
            schemes: members.take("schemes")?,
            also: members.take("also")?,
            except: members.take("except")?,
        };
        members.finish()?;
        Ok(group)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl Read for AgencyScheme {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let known = AgencyCode::SCHEMES.iter().copied().find(|known| value.as_str() == Some(known));
        let expected = Expected::OneOf(AgencyCode::SCHEMES);
        known.map(Self).ok_or_else(|| Fault::BadValue { expected }.here())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl JsonSchema for AgencyScheme {
    fn schema_name() -> Cow<'static, str> {
        "AgencyScheme".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A scheme of agency codes.", "enum": AgencyCode::SCHEMES })
    }
}
