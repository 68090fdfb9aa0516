//! How ids, times and indexes are written: in answers as everywhere in the formats, in stored rows as short as may
//! be.

use std::fmt::Display;

use gt_core::position::{LeafIndex, TreeSize};
use gt_core::time::Timestamp;
use serde::Serializer;
use serde::ser::SerializeSeq as _;

/// Writes a value as its text.
pub(crate) fn text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes values as a list of their texts.
pub(crate) fn texts<'v, T: Display + 'v, S: Serializer>(
    values: impl IntoIterator<Item = &'v T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.into_iter().map(ToString::to_string))
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

/// A time in milliseconds as a [`Timestamp`]. A deadline may lie beyond the last one there is, and is shown as that.
pub(crate) fn moment(millis: i64) -> Timestamp {
    let (first, last) = (gt_schemas::Time::MIN.as_millis(), gt_schemas::Time::MAX.as_millis());
    Timestamp::from_millis(millis.clamp(first, last)).expect("it was brought into the years that there are")
}
