//! Reading a catalogue from JSON, and its JSON Schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use thiserror::Error;

use super::{Catalogue, CatalogueAgencies, CatalogueItem, Commencement, ProfessionalSource};
use crate::error::{Fault, SchemaError};
use crate::json::{Json, JsonObject};
use crate::reading::{Members, Read};

/// Why a catalogue is refused: one fault at one place. It repeats no values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {fault}", if path.is_empty() { "the catalogue" } else { path })]
pub struct CatalogueError {
    /// Where, as a JSON pointer: `/bases/Article6.ea/in_force_from`. A key that is no name of this format stands as `*`.
    pub path: String,
    /// What is wrong there.
    pub fault: CatalogueFault,
}

/// What is wrong with a catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CatalogueFault {
    /// A value or a member that has not the form of a catalogue.
    #[error(transparent)]
    Form(Fault),
    /// No legal basis has this key.
    #[error("is no legal basis; expected the keys that decisions can name, such as Article6.e")]
    UnknownBasis,
    /// A basis that decisions can name is not there.
    #[error("is missing; expected every legal basis that decisions can name")]
    MissingBasis,
    /// It ends before it begins.
    #[error("ends before it begins; expected in_force_from on or before in_force_to")]
    EndsBeforeItBegins,
    /// It ends and is not known to have begun.
    #[error("ends and is not known to be in force; expected no in_force_to beside in_force_from NotKnown")]
    EndsWithoutBeginning,
    /// No professional source has this name.
    #[error("is no professional source; expected a name in sources")]
    UnknownSource,
}

impl CatalogueFault {
    /// The fault's stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form(fault) => fault.code(),
            Self::UnknownBasis => "unknown_basis",
            Self::MissingBasis => "missing_basis",
            Self::EndsBeforeItBegins => "ends_before_it_begins",
            Self::EndsWithoutBeginning => "ends_without_beginning",
            Self::UnknownSource => "unknown_source",
        }
    }

    fn at(self, path: impl Into<String>) -> CatalogueError {
        CatalogueError { path: path.into(), fault: self }
    }
}

impl From<SchemaError> for CatalogueError {
    fn from(error: SchemaError) -> Self {
        CatalogueFault::Form(error.fault).at(error.path)
    }
}

const NAMES: &[&str] = &["sources", "agencies", "bases"];

impl Catalogue {
    /// Reads a catalogue: `sources` and `bases` as objects by name and by key, and `agencies`.
    ///
    /// Refused are unknown members and keys, values of the wrong form, bases that are missing, bases that end before
    /// they begin, and names of sources that are not there.
    pub fn read(value: &Value) -> Result<Self, CatalogueError> {
        Self::of(value.into())
    }

    pub(crate) fn of(value: Json<'_>) -> Result<Self, CatalogueError> {
        let mut members = Members::of(value, NAMES)?;
        let sources = members.take_object("sources")?;
        let agencies: CatalogueAgencies = members.take("agencies")?;
        let bases = members.take_object("bases")?;
        members.finish()?;
        agencies.agree().map_err(|error| error.within("agencies"))?;
        let catalogue = Self { sources: each(sources, "sources")?, agencies, bases: each(bases, "bases")? };
        catalogue.complete()?;
        for (key, item) in &catalogue.bases {
            catalogue.agree(key, item)?;
        }
        Ok(catalogue)
    }

    fn complete(&self) -> Result<(), CatalogueError> {
        let keys: Vec<String> = Self::keys().collect();
        if let Some(key) = self.bases.keys().find(|key| !keys.contains(key)) {
            return Err(CatalogueFault::UnknownBasis.at(format!("/bases/{}", printable(key))));
        }
        match keys.iter().find(|key| !self.bases.contains_key(*key)) {
            Some(key) => Err(CatalogueFault::MissingBasis.at(format!("/bases/{key}"))),
            None => Ok(()),
        }
    }

    fn agree(&self, key: &str, item: &CatalogueItem) -> Result<(), CatalogueError> {
        let ends = |fault: CatalogueFault| Err(fault.at(format!("/bases/{key}/in_force_to")));
        match (item.in_force_from, item.in_force_to) {
            (Some(Commencement::On(from)), Some(to)) if to < from => {
                return ends(CatalogueFault::EndsBeforeItBegins);
            }
            (Some(Commencement::NotKnown), Some(_)) => return ends(CatalogueFault::EndsWithoutBeginning),
            _ => {}
        }
        let see = item.see.as_deref().unwrap_or(&[]);
        match see.iter().position(|name| !self.sources.contains_key(name.as_str())) {
            Some(index) => Err(CatalogueFault::UnknownSource.at(format!("/bases/{key}/see/{index}"))),
            None => Ok(()),
        }
    }
}

impl Read for CatalogueItem {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let mut members =
            Members::of(value, &["title", "source", "in_force_from", "in_force_to", "notes", "see"])?;
        let item = Self {
            title: members.take("title")?,
            source: members.take("source")?,
            in_force_from: members.take("in_force_from")?,
            in_force_to: members.take("in_force_to")?,
            notes: members.take("notes")?,
            see: members.take("see")?,
        };
        members.finish()?;
        Ok(item)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl Read for ProfessionalSource {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let mut members = Members::of(value, &["title", "publisher", "schemes"])?;
        let source = Self {
            title: members.take("title")?,
            publisher: members.take("publisher")?,
            schemes: members.take("schemes")?,
        };
        members.finish()?;
        Ok(source)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

/// An object whose members' names are data.
fn each<T: Read>(object: JsonObject<'_>, name: &str) -> Result<BTreeMap<String, T>, CatalogueError> {
    let read = |(key, value): (&str, Json<'_>)| match T::read(value) {
        Ok(read) => Ok((key.to_owned(), read)),
        Err(error) => {
            Err(CatalogueFault::Form(error.fault).at(format!("/{name}/{}{}", printable(key), error.path)))
        }
    };
    object.iter().map(read).collect()
}

/// A key of this format, as it is. Anything else might be what a key must not hold, so errors leave it out.
fn printable(key: &str) -> &str {
    let sound = (1..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    if sound { key } else { "*" }
}

/// A member that may be left out is not therefore null: `read` refuses that, so the schema does.
pub(super) fn without_null(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        if let Some(types) = property.get_mut("type").and_then(Value::as_array_mut) {
            types.retain(|name| name != "null");
        }
        if let Some(forms) = property.get_mut("anyOf").and_then(Value::as_array_mut) {
            forms.retain(|form| form["type"] != "null");
        }
    }
}

impl JsonSchema for Catalogue {
    fn schema_name() -> Cow<'static, str> {
        "Catalogue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<CatalogueItem>();
        let bases: Map<String, Value> = Self::keys().map(|key| (key, item.clone().to_value())).collect();
        let required: Vec<String> = Self::keys().collect();
        json_schema!({
            "description": "The legal bases, when they were in force, and who may rely on them.",
            "type": "object",
            "properties": {
                "sources": {
                    "description": "Professional sources, by the name that bases use for them.",
                    "type": "object",
                    "additionalProperties": generator.subschema_for::<ProfessionalSource>(),
                },
                "agencies": generator.subschema_for::<CatalogueAgencies>(),
                "bases": {
                    "description": "Every legal basis that a decision can name, by its key.",
                    "type": "object",
                    "properties": bases,
                    "required": required,
                    "additionalProperties": false,
                },
            },
            "required": NAMES,
            "additionalProperties": false,
        })
    }
}
