//! The notation in which codes, records and events are written down once: from each definition come the Rust type, its
//! strict reading and its JSON Schema, with the same names and the same words.

mod event;
mod parts;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::reading::Read;

/// A closed list of codes. A variant's code is its own name unless `= "…"` says otherwise.
macro_rules! codes {
    ($(#[doc = $doc:literal])+ pub enum $Codes:ident {
        $($(#[doc = $meaning:literal])+ $Code:ident $(= $text:literal)?,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Codes {
            $($(#[doc = $meaning])+ $Code,)+
        }

        impl $Codes {
            /// Every code, in the order of the schema.
            pub const ALL: &[Self] = &[$(Self::$Code),+];

            /// Every code as text, in the same order.
            pub const CODES: &[&str] = &[$(crate::notation::code_text!($Code $(= $text)?)),+];

            /// The code as text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Code => crate::notation::code_text!($Code $(= $text)?),)+
                }
            }

            /// The code that this text is, exactly.
            pub fn parse(text: &str) -> Option<Self> {
                $(
                    if text == crate::notation::code_text!($Code $(= $text)?) {
                        return Some(Self::$Code);
                    }
                )+
                None
            }
        }

        impl serde::Serialize for $Codes {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl crate::reading::Read for $Codes {
            fn read(value: crate::json::Json<'_>) -> Result<Self, crate::SchemaError> {
                let expected = crate::Expected::OneOf(Self::CODES);
                value.as_str().and_then(Self::parse).ok_or_else(|| crate::Fault::BadValue { expected }.here())
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl crate::packed::Packed for $Codes {
            fn pack(&self, into: &mut Vec<u8>) {
                crate::packed::pack_number(*self as u64, into);
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                let position = usize::try_from(crate::packed::unpack_number(from)?).ok()?;
                Self::ALL.get(position).copied()
            }
        }

        impl schemars::JsonSchema for $Codes {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Codes).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let meanings = [$(concat!($($meaning),+)),+];
                crate::notation::code_schema(concat!($($doc),+), Self::CODES, &meanings)
            }
        }
    };
}

macro_rules! code_text {
    ($Code:ident) => {
        stringify!($Code)
    };
    ($Code:ident = $text:literal) => {
        $text
    };
}

/// An object with exactly these members; those of type `Option` may be absent.
macro_rules! record {
    ($(#[doc = $doc:literal])+ pub struct $Record:ident {
        $($(#[doc = $meaning:literal])+ pub $member:ident: $Type:ty,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        pub struct $Record {
            $(
                $(#[doc = $meaning])+
                #[serde(skip_serializing_if = "crate::reading::Read::is_absent")]
                pub $member: $Type,
            )+
        }

        impl crate::reading::Read for $Record {
            fn read(value: crate::json::Json<'_>) -> Result<Self, crate::SchemaError> {
                const NAMES: &[&str] = &[$(crate::notation::member_name(stringify!($member))),+];
                let mut members = crate::reading::Members::of(value, NAMES)?;
                let record = Self {
                    $($member: members.take(crate::notation::member_name(stringify!($member)))?,)+
                };
                members.finish()?;
                Ok(record)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl crate::packed::Packed for $Record {
            fn pack(&self, into: &mut Vec<u8>) {
                $(crate::packed::Packed::pack(&self.$member, into);)+
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $($member: crate::packed::Packed::unpack(from)?,)+ })
            }
        }

        impl schemars::JsonSchema for $Record {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Record).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let properties = [$(crate::notation::Property::of::<$Type>(
                    stringify!($member), concat!($($meaning),+), generator,
                )),+];
                crate::notation::object_schema(concat!($($doc),+), properties)
            }
        }
    };
}

/// An object whose member `kind` says which members it has besides. `agreement_schemas`, written by hand, says which of
/// them need or exclude each other.
macro_rules! tagged {
    ($(#[doc = $doc:literal])+ pub enum $Tagged:ident, kind $Tag:ident {
        $($(#[doc = $meaning:literal])+ $Kind:ident {
            $($(#[doc = $sense:literal])+ $member:ident: $Type:ty,)+
        },)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
        #[serde(tag = "kind")]
        pub enum $Tagged {
            $($(#[doc = $meaning])+ $Kind {
                $(
                    $(#[doc = $sense])+
                    #[serde(skip_serializing_if = "crate::reading::Read::is_absent")]
                    $member: $Type,
                )+
            },)+
        }

        crate::notation::codes! {
            $(#[doc = $doc])+
            pub enum $Tag { $($(#[doc = $meaning])+ $Kind,)+ }
        }

        impl $Tagged {
            /// Its kind.
            pub const fn kind(self) -> $Tag {
                match self { $(Self::$Kind { .. } => $Tag::$Kind,)+ }
            }

            fn read_members(value: crate::json::Json<'_>) -> Result<Self, crate::SchemaError> {
                let mut members = crate::reading::Members::of(value, &[])?;
                match members.take("kind")? {
                    $($Tag::$Kind => {
                        let mut members = members.of_kind(&["kind", $(stringify!($member)),+]);
                        let read = Self::$Kind { $($member: members.take(stringify!($member))?,)+ };
                        members.finish()?;
                        Ok(read)
                    })+
                }
            }
        }

        impl crate::packed::Packed for $Tagged {
            fn pack(&self, into: &mut Vec<u8>) {
                crate::packed::Packed::pack(&self.kind(), into);
                match self {
                    $(Self::$Kind { $($member,)+ } => {
                        $(crate::packed::Packed::pack($member, into);)+
                    })+
                }
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                Some(match <$Tag as crate::packed::Packed>::unpack(from)? {
                    $($Tag::$Kind => Self::$Kind { $($member: crate::packed::Packed::unpack(from)?,)+ },)+
                })
            }
        }

        impl schemars::JsonSchema for $Tagged {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Tagged).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let kinds = [$({
                    let properties = [
                        crate::notation::Property::kind(stringify!($Kind)),
                        $(crate::notation::Property::of::<$Type>(
                            stringify!($member), concat!($($sense),+), generator,
                        )),+
                    ];
                    crate::notation::object_schema(concat!($($meaning),+), properties)
                }),+];
                schemars::json_schema!({
                    "description": concat!($($doc),+).trim(),
                    "oneOf": kinds,
                    "allOf": Self::agreement_schemas(),
                })
            }
        }
    };
}

pub(crate) use event::{child_of, event, events};
pub(crate) use parts::{refs, times};
pub(crate) use {code_text, codes, record, tagged};

/// A member's name in JSON: Rust's keywords are written `r#ref`.
pub(crate) const fn member_name(written: &'static str) -> &'static str {
    match written.as_bytes() {
        [b'r', b'#', ..] => written.split_at(2).1,
        _ => written,
    }
}

/// A member of an object, as its schema says it.
pub(crate) struct Property {
    name: &'static str,
    schema: Schema,
    required: bool,
}

impl Property {
    pub(crate) fn of<T: Read>(
        written: &'static str,
        description: &str,
        generator: &mut SchemaGenerator,
    ) -> Self {
        let mut schema = T::schema(generator);
        schema.insert("description".to_owned(), description.trim().into());
        Self { name: member_name(written), schema, required: !T::OPTIONAL }
    }

    pub(crate) fn kind(kind: &'static str) -> Self {
        Self { name: "kind", schema: json_schema!({ "const": kind }), required: true }
    }
}

pub(crate) fn object_schema(description: &str, properties: impl IntoIterator<Item = Property>) -> Schema {
    let mut members = Map::new();
    let mut required = Vec::new();
    for property in properties {
        members.insert(property.name.to_owned(), property.schema.to_value());
        required.extend(property.required.then_some(property.name));
    }
    let mut schema = json_schema!({
        "description": description.trim(),
        "type": "object",
        "properties": members,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

pub(crate) fn code_schema(description: &str, codes: &[&str], meanings: &[&str]) -> Schema {
    let meanings: Map<String, Value> = codes
        .iter()
        .zip(meanings)
        .map(|(code, meaning)| ((*code).to_owned(), meaning.trim().into()))
        .collect();
    json_schema!({
        "description": description.trim(),
        "type": "string",
        "enum": codes,
        "x-gt-meanings": meanings,
    })
}
