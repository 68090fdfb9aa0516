//! What statements say, handed on: lent as the schemas read it, or as values of `serde_json`'s own.

use gt_core::json::{Lent, ValueRef};
use gt_core::statement::{Data, Disclosure};
use gt_schemas::{Json, JsonObject};
use serde_json::{Map, Value};

/// The members in the clear of a statement that was read.
pub trait Clear {
    /// The members as the schemas read them.
    fn lend(&self) -> JsonObject<'_>;

    /// The members with memory of their own.
    fn to_map(&self) -> Map<String, Value>;
}

/// What a disclosure says, where it was read.
pub trait Said {
    /// The value as the schemas read it; `null` where it was not wanted.
    fn lend(&self) -> Json<'_>;
}

impl Clear for Map<String, Value> {
    fn lend(&self) -> JsonObject<'_> {
        self.into()
    }

    fn to_map(&self) -> Map<String, Value> {
        self.clone()
    }
}

impl Clear for Data {
    fn lend(&self) -> JsonObject<'_> {
        lend_members(self.clear().iter())
    }

    fn to_map(&self) -> Map<String, Value> {
        self.clear().iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect()
    }
}

impl Said for Value {
    fn lend(&self) -> Json<'_> {
        self.into()
    }
}

impl Said for Option<Disclosure> {
    fn lend(&self) -> Json<'_> {
        self.as_ref().map_or(Json::Null, |disclosure| lend(disclosure.value()))
    }
}

/// A value as the schemas read it.
pub(crate) fn lend(value: ValueRef<'_>) -> Json<'_> {
    match value.lent() {
        Lent::Null => Json::Null,
        Lent::Bool(flag) => Json::Bool(flag),
        Lent::Integer(number) => Json::Integer(number),
        Lent::String(text) => Json::Text(text),
        Lent::Array(elements) => Json::List(elements.map(lend).collect()),
        Lent::Object(members) => Json::Object(lend_members(members.iter())),
    }
}

fn lend_members<'v>(members: impl Iterator<Item = (&'v str, ValueRef<'v>)>) -> JsonObject<'v> {
    members.map(|(name, value)| (name, lend(value))).collect()
}

/// The value as `serde_json` has it.
pub fn to_serde(value: ValueRef<'_>) -> Value {
    match value.lent() {
        Lent::Null => Value::Null,
        Lent::Bool(flag) => Value::Bool(flag),
        Lent::Integer(number) => Value::from(number),
        Lent::String(text) => Value::String(text.to_owned()),
        Lent::Array(elements) => Value::Array(elements.map(to_serde).collect()),
        Lent::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect())
        }
    }
}
