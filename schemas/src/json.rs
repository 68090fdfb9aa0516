//! JSON as events are read from it: lent, by the strict documents of signed statements or by values of `serde_json`'s own.

use std::collections::BTreeMap;
use std::slice::Iter;

use gt_json::ValueRef;
use serde_json::{Map, Value};

/// A JSON value, lent.
#[derive(Clone, Copy)]
pub enum Json<'v> {
    /// In a document that was read strictly.
    Strict(ValueRef<'v>),
    /// Of `serde_json`'s. A number with a fraction, which no strict document has, reads as nothing that an event may say.
    Value(&'v Value),
}

/// A JSON object's members, lent. Their names are distinct.
#[derive(Clone, Copy)]
pub enum JsonObject<'v> {
    /// In a document that was read strictly.
    Strict(gt_json::Members<'v>),
    /// Of `serde_json`'s.
    Map(&'v Map<String, Value>),
}

/// The elements of an array, one after the other.
#[derive(Clone)]
pub(crate) enum Elements<'v> {
    Strict(gt_json::Elements<'v>),
    Values(Iter<'v, Value>),
}

/// The `data` of a signed statement, as far as it can be read: members in the clear, and values of disclosures.
pub struct SignedData<'t> {
    clear: JsonObject<'t>,
    /// The disclosed members' names, in the order in which they came, and where each one's values end.
    members: Vec<(&'t str, usize)>,
    /// One member's after the other's.
    values: Vec<Json<'t>>,
}

/// The values of one member's disclosures, in the order of its elements.
pub(crate) type Disclosed<'v> = std::iter::Copied<Iter<'v, Json<'v>>>;

impl<'t> SignedData<'t> {
    /// Nothing is disclosed yet. There is memory for so many disclosures.
    pub fn new(clear: impl Into<JsonObject<'t>>, disclosures: usize) -> Self {
        let (members, values) = (Vec::with_capacity(disclosures), Vec::with_capacity(disclosures));
        Self { clear: clear.into(), members, values }
    }

    /// Adds a member without values, unless it has some.
    pub fn add_member(&mut self, name: &'t str) {
        self.place_of(name);
    }

    /// Adds a value of a disclosed member, after those that the member has.
    pub fn disclose(&mut self, name: &'t str, value: impl Into<Json<'t>>) {
        let place = self.place_of(name);
        let of_member = &mut self.members[place..];
        self.values.insert(of_member[0].1, value.into());
        for (_, end) in of_member {
            *end += 1;
        }
    }

    /// Which of the members it is; a new one, if there is none of this name.
    fn place_of(&mut self, name: &'t str) -> usize {
        self.members.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.members.push((name, self.values.len()));
            self.members.len() - 1
        })
    }

    /// All of values of `serde_json`'s own.
    pub fn of_values(clear: &'t Map<String, Value>, disclosed: &'t BTreeMap<String, Vec<Value>>) -> Self {
        let mut data = Self::new(clear, disclosed.len());
        for (name, values) in disclosed {
            data.add_member(name);
            for value in values {
                data.disclose(name, value);
            }
        }
        data
    }

    pub(crate) const fn clear(&self) -> JsonObject<'_> {
        self.clear
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Disclosed<'_>)> {
        let mut start = 0;
        self.members.iter().map(move |(name, end)| {
            let values = &self.values[start..*end];
            start = *end;
            (*name, values.iter().copied())
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Disclosed<'_>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, values)| values)
    }
}

impl<'v> From<ValueRef<'v>> for Json<'v> {
    fn from(value: ValueRef<'v>) -> Self {
        Self::Strict(value)
    }
}

impl<'v> From<&'v Value> for Json<'v> {
    fn from(value: &'v Value) -> Self {
        Self::Value(value)
    }
}

impl<'v> From<gt_json::Members<'v>> for JsonObject<'v> {
    fn from(members: gt_json::Members<'v>) -> Self {
        Self::Strict(members)
    }
}

impl<'v> From<&'v Map<String, Value>> for JsonObject<'v> {
    fn from(members: &'v Map<String, Value>) -> Self {
        Self::Map(members)
    }
}

impl<'v> Json<'v> {
    /// `null`
    pub const NULL: Json<'static> = Json::Value(&Value::Null);

    /// The text of a string.
    pub fn as_str(self) -> Option<&'v str> {
        match self {
            Self::Strict(value) => value.as_str(),
            Self::Value(value) => value.as_str(),
        }
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self {
            Self::Strict(value) => value.as_bool(),
            Self::Value(value) => value.as_bool(),
        }
    }

    pub(crate) fn as_u64(self) -> Option<u64> {
        match self {
            Self::Strict(value) => value.as_integer().and_then(|number| number.try_into().ok()),
            Self::Value(value) => value.as_u64(),
        }
    }

    pub(crate) fn as_array(self) -> Option<Elements<'v>> {
        match self {
            Self::Strict(value) => value.as_array().map(Elements::Strict),
            Self::Value(value) => value.as_array().map(|elements| Elements::Values(elements.iter())),
        }
    }

    /// The members of an object.
    pub fn as_object(self) -> Option<JsonObject<'v>> {
        match self {
            Self::Strict(value) => value.as_object().map(JsonObject::Strict),
            Self::Value(value) => value.as_object().map(JsonObject::Map),
        }
    }
}

impl<'v> Iterator for Elements<'v> {
    type Item = Json<'v>;

    fn next(&mut self) -> Option<Json<'v>> {
        match self {
            Self::Strict(elements) => elements.next().map(Json::Strict),
            Self::Values(elements) => elements.next().map(Json::Value),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Strict(elements) => elements.size_hint(),
            Self::Values(elements) => elements.size_hint(),
        }
    }
}

impl<'v> JsonObject<'v> {
    /// The member's value.
    pub fn get(self, name: &str) -> Option<Json<'v>> {
        match self {
            Self::Strict(members) => members.get(name).map(Json::Strict),
            Self::Map(members) => members.get(name).map(Json::Value),
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Self::Strict(members) => members.len(),
            Self::Map(members) => members.len(),
        }
    }

    pub(crate) fn names(self) -> impl Iterator<Item = &'v str> {
        self.iter().map(|(name, _)| name)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (&'v str, Json<'v>)> {
        let (strict, map) = match self {
            Self::Strict(members) => (Some(members.iter()), None),
            Self::Map(members) => (None, Some(members.iter())),
        };
        let strict = strict.into_iter().flatten().map(|(name, value)| (name, Json::Strict(value)));
        let map = map.into_iter().flatten().map(|(name, value)| (name.as_str(), Json::Value(value)));
        strict.chain(map)
    }
}

#[cfg(test)]
mod tests {
    use gt_json::Document;
    use serde_json::json;

    use super::*;

    /// What is added and asked for in any order is what a map of lists would hold.
    #[test]
    fn values_are_found_by_their_members() {
        let (clear, numbers) = (Map::new(), [1, 2, 3, 4, 5, 6].map(Value::from));
        let mut data = SignedData::new(&clear, 2);
        for (name, from, to) in [("a", 0, 1), ("b", 1, 3), ("none", 0, 0), ("a", 3, 5), ("b", 5, 6)] {
            data.add_member(name);
            for number in &numbers[from..to] {
                data.disclose(name, number);
            }
        }
        let numbers = |values: Disclosed<'_>| values.filter_map(Json::as_u64).collect::<Vec<_>>();
        let all: Vec<_> = data.iter().map(|(name, values)| (name, numbers(values))).collect();
        assert_eq!(all, [("a", vec![1, 4, 5]), ("b", vec![2, 3, 6]), ("none", vec![])]);
        for (name, values) in all {
            assert_eq!(data.get(name).map(numbers), Some(values));
        }
        assert!(data.get("c").is_none());
        assert_eq!(data.clear().len(), 0);
    }

    /// Whoever lends it.
    #[test]
    fn what_is_within_what_is_found_at_any_depth() {
        let value = json!({"a": [[], {}, [1, [true, null]], -2], "b": {"c": {"d": "e"}, "f": 7}, "g": false});
        let document = Document::parse(value.to_string().into_bytes()).expect("strict JSON");
        for json in [Json::from(&value), Json::from(document.root())] {
            let members = json.as_object().expect("an object");
            assert_eq!(members.names().collect::<Vec<_>>(), ["a", "b", "g"]);
            assert_eq!(members.get("g").and_then(Json::as_bool), Some(false));
            assert!(members.get("h").is_none());
            let b = members.get("b").and_then(Json::as_object).expect("an object");
            let c = b.get("c").and_then(Json::as_object).expect("an object");
            assert_eq!((c.get("d").and_then(Json::as_str), c.len(), b.len()), (Some("e"), 1, 2));
            assert_eq!(b.get("f").and_then(Json::as_u64), Some(7));
            let lists: Vec<_> = members.get("a").and_then(Json::as_array).expect("a list").collect();
            let sizes = lists.iter().map(|one| one.as_array().map(|elements| elements.size_hint().0));
            assert_eq!(sizes.collect::<Vec<_>>(), [Some(0), None, Some(2), None]);
            assert_eq!((lists[3].as_u64(), lists[1].as_object().map(JsonObject::len)), (None, Some(0)));
            let inner = lists[2].as_array().and_then(|mut elements| elements.nth(1)).expect("a list");
            assert_eq!(inner.as_array().and_then(|mut elements| elements.next()?.as_bool()), Some(true));
        }
    }

    #[test]
    fn null_and_numbers_with_a_fraction_read_as_nothing() {
        for value in [json!(1.5), json!(-1.0), Value::Null] {
            let json = Json::from(&value);
            assert!(
                json.as_u64().is_none() && json.as_bool().is_none() && json.as_str().is_none(),
                "{value}"
            );
            assert!(json.as_array().is_none() && json.as_object().is_none(), "{value}");
        }
    }
}
