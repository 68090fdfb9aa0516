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
#[derive(Clone, Default, PartialEq)]
pub struct Disclosed<'v> {
    /// The members' names, in the order in which they came, and where each one's values end.
    members: Vec<(&'v str, usize)>,
    /// The values of all, one member's after the other's.
    values: Vec<Json<'v>>,
}

/// Lends the values of disclosures.
pub fn lend(disclosed: &BTreeMap<String, Vec<Value>>) -> Disclosed<'_> {
    let mut lent = Disclosed::default();
    for (name, values) in disclosed {
        lent.add(name, values.iter().map(Json::from));
    }
    lent
}

impl<'v> Disclosed<'v> {
    /// Nothing yet, with memory for so many values.
    pub fn with_capacity(values: usize) -> Self {
        Self { members: Vec::with_capacity(values), values: Vec::with_capacity(values) }
    }

    /// Adds values of a member, after those that it has.
    pub fn add(&mut self, name: &'v str, values: impl IntoIterator<Item = Json<'v>>) {
        let before = self.values.len();
        let Some(place) = self.members.iter().position(|(known, _)| *known == name) else {
            self.values.extend(values);
            return self.members.push((name, self.values.len()));
        };
        let end = self.members[place].1;
        self.values.splice(end..end, values);
        let more = self.values.len() - before;
        self.members[place..].iter_mut().for_each(|(_, end)| *end += more);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'v str, &[Json<'v>])> {
        let mut start = 0;
        self.members.iter().map(move |(name, end)| {
            let values = &self.values[start..*end];
            start = *end;
            (*name, values)
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[Json<'v>]> {
        self.iter().find(|(known, _)| *known == name).map(|(_, values)| values)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is added and asked for in any order is what a map of lists would hold.
    #[test]
    fn values_are_found_by_their_members() {
        let mut disclosed = Disclosed::with_capacity(2);
        for (name, numbers) in [("a", &[1][..]), ("b", &[2, 3]), ("none", &[]), ("a", &[4, 5]), ("b", &[6])] {
            disclosed.add(name, numbers.iter().copied().map(Json::Integer));
        }
        let numbers = |values: &[Json<'_>]| values.iter().filter_map(Json::as_u64).collect::<Vec<_>>();
        let all: Vec<_> = disclosed.iter().map(|(name, values)| (name, numbers(values))).collect();
        assert_eq!(all, [("a", vec![1, 4, 5]), ("b", vec![2, 3, 6]), ("none", vec![])]);
        for (name, values) in all {
            assert_eq!(disclosed.get(name).map(numbers), Some(values));
        }
        assert!(disclosed.get("c").is_none());
    }
}
