//! How ids, times and indexes are written: in answers as everywhere in the formats, in stored rows as short as may
//! be.

use std::fmt::Display;

use gt_core::position::{LeafIndex, TreeSize};
use gt_core::time::Timestamp;
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a value as its text.
pub(crate) fn text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes an optional value as its text, or null.
#[allow(clippy::ref_option)] // serde hands over the field by reference
pub(crate) fn text_or_null<T: Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// Writes an index as a number.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over the field by reference
pub(crate) fn index<S: Serializer>(value: &LeafIndex, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(value.0)
}

/// Writes an optional index as a number, or null.
#[allow(clippy::ref_option)] // serde hands over the field by reference
pub(crate) fn index_or_null<S: Serializer>(
    value: &Option<LeafIndex>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_u64(value.0),
        None => serializer.serialize_none(),
    }
}

/// Writes indexes as a list of numbers.
pub(crate) fn indexes<S: Serializer>(values: &[LeafIndex], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(values.len()))?;
    for value in values {
        list.serialize_element(&value.0)?;
    }
    list.end()
}

/// Writes a tree size as a number.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over the field by reference
pub(crate) fn size<S: Serializer>(value: &TreeSize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(value.0)
}

/// A time that came out of a [`Timestamp`], as one again.
pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("the views hold only times that were parsed as timestamps")
}

/// Sixteen-byte ids in stored rows: 22 characters of base64url.
pub(crate) trait Opaque: Sized {
    fn from_bytes(bytes: [u8; 16]) -> Self;
    fn bytes(&self) -> &[u8; 16];
}

/// For `#[serde(with = "notation::opaque")]`.
pub(crate) mod opaque {
    use super::{Deserialize, Deserializer, Opaque, Serializer};
    use gt_core::base64url;
    use serde::de::Error as _;

    pub(crate) fn serialize<T: Opaque, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(value.bytes()))
    }

    pub(crate) fn deserialize<'de, T: Opaque, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        base64url::decode_array(&text).map(T::from_bytes).map_err(D::Error::custom)
    }
}

/// For `#[serde(with = "notation::opaque_or_null")]`.
pub(crate) mod opaque_or_null {
    use super::{Deserialize, Deserializer, Opaque, Serializer};
    use gt_core::base64url;
    use serde::de::Error as _;

    #[allow(clippy::ref_option)] // serde hands over the field by reference
    pub(crate) fn serialize<T: Opaque, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::opaque::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: Opaque, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| base64url::decode_array(&text).map(T::from_bytes).map_err(D::Error::custom))
            .transpose()
    }
}

/// An RFC 3339 time of a disclosed member, in milliseconds.
pub(crate) fn parse_moment(text: &str) -> Option<i64> {
    Timestamp::parse(text).ok().map(Timestamp::as_millis)
}
