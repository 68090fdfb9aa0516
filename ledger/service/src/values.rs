//! What statements say, handed on: lent to the schemas, or as values of `serde_json`'s own.

use gt_core::json::{Lent, Members, ValueRef};
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

    /// The text of a member of the value, if the value is an object that has it.
    fn text_of(&self, member: &str) -> Option<&str> {
        self.lend().as_object()?.get(member)?.as_str()
    }
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
        self.clear().into()
    }

    fn to_map(&self) -> Map<String, Value> {
        to_map(self.clear())
    }
}

impl Said for Value {
    fn lend(&self) -> Json<'_> {
        self.into()
    }
}

impl Said for Disclosure {
    fn lend(&self) -> Json<'_> {
        self.value().into()
    }
}

impl Said for Option<Disclosure> {
    fn lend(&self) -> Json<'_> {
        self.as_ref().map_or(Json::NULL, Said::lend)
    }
}

/// The value as `serde_json` has it.
pub fn to_serde(value: ValueRef<'_>) -> Value {
    match value.lent() {
        Lent::Null => Value::Null,
        Lent::Bool(flag) => Value::Bool(flag),
        Lent::Integer(number) => Value::from(number),
        Lent::String(text) => Value::String(text.to_owned()),
        Lent::Array(elements) => elements.map(to_serde).collect(),
        Lent::Object(members) => Value::Object(to_map(members)),
    }
}

fn to_map(members: Members<'_>) -> Map<String, Value> {
    members.iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect()
}
