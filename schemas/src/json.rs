//! JSON as events are read from it. Whoever has parsed it lends it, so that no text is copied on the way.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A JSON value whose texts are lent.
#[derive(Clone, PartialEq)]
pub enum Json<'v> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number. No event has one.
    OtherNumber,
    /// A string.
    Text(&'v str),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(JsonObject<'v>),
}

/// The members of a lent object, in the order in which they were given.
#[derive(Clone, Default, PartialEq)]
pub struct JsonObject<'v>(Vec<(&'v str, Json<'v>)>);

/// The values of the disclosures that came, by the names of their members; of a list's in the order of its elements.
pub type Disclosed<'v> = BTreeMap<&'v str, Vec<Json<'v>>>;

/// Lends the values of disclosures.
pub fn lend(disclosed: &BTreeMap<String, Vec<Value>>) -> Disclosed<'_> {
    disclosed.iter().map(|(name, values)| (name.as_str(), values.iter().map(Json::from).collect())).collect()
}

impl<'v> Json<'v> {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&'v str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    pub(crate) fn as_u64(&self) -> Option<u64> {
        if let Self::Integer(number) = self { u64::try_from(*number).ok() } else { None }
    }

    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        if let Self::List(elements) = self { Some(elements) } else { None }
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    pub(crate) fn as_object(&self) -> Option<&JsonObject<'v>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }
}

impl<'v> JsonObject<'v> {
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'v>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'v str> {
        self.0.iter().map(|(name, _)| *name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'v str, &Json<'v>)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

/// An object with a name twice is refused by whatever reads it.
impl<'v> FromIterator<(&'v str, Json<'v>)> for JsonObject<'v> {
    fn from_iter<I: IntoIterator<Item = (&'v str, Json<'v>)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<'v> From<&'v Map<String, Value>> for JsonObject<'v> {
    fn from(members: &'v Map<String, Value>) -> Self {
        members.iter().map(|(name, value)| (name.as_str(), Json::from(value))).collect()
    }
}

impl<'v> From<&'v Value> for Json<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => number.as_i64().map_or(Self::OtherNumber, Self::Integer),
            Value::String(text) => Self::Text(text),
            Value::Array(elements) => Self::List(elements.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(members.into()),
        }
    }
}
