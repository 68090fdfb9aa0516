//! The notation of thresholds: from one definition come the Rust type, its strict reading with bounds and its JSON
//! Schema.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::error::{Expected, Fault, SchemaError};
use crate::json::Json;
use crate::reading::Read;

/// A whole number within bounds, both inclusive.
pub(crate) struct Whole<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> From<Whole<LEAST, MOST>> for u32 {
    fn from(whole: Whole<LEAST, MOST>) -> Self {
        whole.0
    }
}

impl<const LEAST: u32, const MOST: u32> Read for Whole<LEAST, MOST> {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let within = number.filter(|number| (LEAST..=MOST).contains(number));
        let expected = Expected::Whole { least: LEAST, most: MOST };
        within.map(Self).ok_or_else(|| Fault::BadValue { expected }.here())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
    }
}

/// An object with exactly these members, each read as the type after `as`.
macro_rules! bounded {
    ($(#[doc = $doc:literal])+ pub struct $Record:ident {
        $($(#[doc = $meaning:literal])+ pub $member:ident: $Type:ty as $Reading:ty,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $Record {
            $($(#[doc = $meaning])+ pub $member: $Type,)+
        }

        impl crate::reading::Read for $Record {
            fn read(value: crate::json::Json<'_>) -> Result<Self, crate::SchemaError> {
                let mut members = crate::reading::Members::of(value, &[$(stringify!($member)),+])?;
                let record = Self {
                    $($member: members.take::<$Reading>(stringify!($member))?.into(),)+
                };
                members.finish()?;
                Ok(record)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $Record {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Record).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let properties = [$(crate::notation::Property::of::<$Reading>(
                    stringify!($member), concat!($($meaning),+), generator,
                )),+];
                crate::notation::object_schema(concat!($($doc),+), properties)
            }
        }
    };
}

pub(crate) use bounded;
