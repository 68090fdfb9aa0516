//! JSON as events are read from it: the values of one event in one piece of memory, with texts that whoever has parsed them lends.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A value, as one node; what is in it follows, each value with all that is in it before the next one.
#[derive(Clone, Copy)]
pub enum Node<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number. No event has one.
    OtherNumber,
    /// A string; also the name of a member, which its value follows.
    Text(&'t str),
    /// An array.
    List {
        /// How many elements it has.
        elements: usize,
        /// How many nodes they come to.
        nodes: usize,
    },
    /// An object. One with a name twice is refused by whatever reads it.
    Object {
        /// How many members it has.
        members: usize,
        /// How many nodes they come to, with their names.
        nodes: usize,
    },
}

/// The `data` of a signed statement, as far as it can be read: members in the clear, and values of disclosures.
pub struct SignedData<'t> {
    /// The object of the members in the clear, then the values of disclosures.
    nodes: Vec<Node<'t>>,
    /// The disclosed members' names, in the order in which they came, and where each one's values end.
    members: Vec<(&'t str, usize)>,
    /// The node of each value, one member's after the other's.
    values: Vec<usize>,
}

/// A value of `serde_json`'s, lent.
pub(crate) struct Lent<'t>(Vec<Node<'t>>);

/// A JSON value: its own node first, and those of all that is in it.
#[derive(Clone, Copy)]
pub(crate) struct Json<'v>(&'v [Node<'v>]);

/// The elements of an array, one after the other.
#[derive(Clone)]
pub(crate) struct Elements<'v> {
    left: usize,
    next: Json<'v>,
}

/// The members of an object, in the order in which they were given.
#[derive(Clone, Copy)]
pub(crate) struct JsonObject<'v> {
    members: usize,
    /// The first one's name.
    first: Json<'v>,
}

/// The values of one member's disclosures, in the order of its elements.
#[derive(Clone)]
pub(crate) struct Disclosed<'v> {
    nodes: &'v [Node<'v>],
    values: &'v [usize],
}

impl<'t> SignedData<'t> {
    /// Nothing is disclosed yet. `clear` must be the nodes of exactly one value, an object, each with its right counts: what is not reads as
    /// if there were no members. There is memory for so many nodes and disclosures in all.
    pub fn new(clear: impl IntoIterator<Item = Node<'t>>, nodes: usize, disclosures: usize) -> Self {
        let mut data = Self {
            nodes: Vec::with_capacity(nodes),
            members: Vec::with_capacity(disclosures),
            values: Vec::with_capacity(disclosures),
        };
        data.nodes.extend(clear);
        data
    }

    /// Adds a member without values, unless it has some.
    pub fn add_member(&mut self, name: &'t str) {
        self.place_of(name);
    }

    /// Adds a value of a disclosed member, given by its nodes, after those that the member has. They must be the nodes of exactly one value,
    /// each with its right counts.
    pub fn disclose(&mut self, name: &'t str, value: impl IntoIterator<Item = Node<'t>>) {
        self.add_value(name);
        self.nodes.extend(value);
    }

    /// The same of a value of `serde_json`'s own.
    pub fn disclose_value(&mut self, name: &'t str, value: &'t Value) {
        self.add_value(name);
        push(value, &mut self.nodes);
    }

    /// Which of the members it is; a new one, if there is none of this name.
    fn place_of(&mut self, name: &'t str) -> usize {
        self.members.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.members.push((name, self.values.len()));
            self.members.len() - 1
        })
    }

    /// The member has another value, whose nodes come next.
    fn add_value(&mut self, name: &'t str) {
        let place = self.place_of(name);
        let of_member = &mut self.members[place..];
        self.values.insert(of_member[0].1, self.nodes.len());
        for (_, end) in of_member {
            *end += 1;
        }
    }

    /// Nothing is disclosed yet, and the members in the clear are of `serde_json`'s own.
    pub fn of_members(clear: &'t Map<String, Value>) -> Self {
        Self { nodes: Lent::of_members(clear).0, members: Vec::new(), values: Vec::new() }
    }

    /// All of values of `serde_json`'s own.
    pub fn of_values(clear: &'t Map<String, Value>, disclosed: &'t BTreeMap<String, Vec<Value>>) -> Self {
        let mut data = Self::of_members(clear);
        for (name, values) in disclosed {
            data.add_member(name);
            for value in values {
                data.disclose_value(name, value);
            }
        }
        data
    }

    pub(crate) fn clear(&self) -> JsonObject<'_> {
        Json(&self.nodes).members()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Disclosed<'_>)> {
        let mut start = 0;
        self.members.iter().map(move |(name, end)| {
            let values = &self.values[start..*end];
            start = *end;
            (*name, Disclosed { nodes: &self.nodes, values })
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Disclosed<'_>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, values)| values)
    }
}

impl Disclosed<'_> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<'v> Iterator for Disclosed<'v> {
    type Item = Json<'v>;

    fn next(&mut self) -> Option<Json<'v>> {
        let (node, left) = self.values.split_first()?;
        self.values = left;
        Some(Json(&self.nodes[*node..]))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.values.len(), Some(self.values.len()))
    }
}

impl<'t> Lent<'t> {
    pub(crate) fn of(value: &'t Value) -> Self {
        let mut nodes = Vec::new();
        push(value, &mut nodes);
        Self(nodes)
    }

    pub(crate) fn of_members(members: &'t Map<String, Value>) -> Self {
        let mut nodes = Vec::new();
        push_members(members, &mut nodes);
        Self(nodes)
    }

    pub(crate) fn root(&self) -> Json<'_> {
        Json(&self.0)
    }

    /// The members, if it is an object; else none.
    pub(crate) fn members(&self) -> JsonObject<'_> {
        self.root().members()
    }
}

fn push<'t>(value: &'t Value, nodes: &mut Vec<Node<'t>>) {
    let node = match value {
        Value::Null => Node::Null,
        Value::Bool(flag) => Node::Bool(*flag),
        Value::Number(number) => number.as_i64().map_or(Node::OtherNumber, Node::Integer),
        Value::String(text) => Node::Text(text),
        Value::Array(elements) => {
            let at = nodes.len();
            nodes.push(Node::Null);
            for element in elements {
                push(element, nodes);
            }
            nodes[at] = Node::List { elements: elements.len(), nodes: nodes.len() - at - 1 };
            return;
        }
        Value::Object(members) => return push_members(members, nodes),
    };
    nodes.push(node);
}

fn push_members<'t>(members: &'t Map<String, Value>, nodes: &mut Vec<Node<'t>>) {
    let at = nodes.len();
    nodes.push(Node::Null);
    for (name, value) in members {
        nodes.push(Node::Text(name));
        push(value, nodes);
    }
    nodes[at] = Node::Object { members: members.len(), nodes: nodes.len() - at - 1 };
}

impl<'v> Json<'v> {
    fn node(self) -> Node<'v> {
        self.0.first().copied().unwrap_or(Node::Null)
    }

    /// What follows the value.
    fn after(self) -> Self {
        let nodes = match self.node() {
            Node::List { nodes, .. } | Node::Object { nodes, .. } => 1 + nodes,
            _ => 1,
        };
        Self(self.0.get(nodes..).unwrap_or_default())
    }

    fn first_within(self) -> Self {
        Self(self.0.get(1..).unwrap_or_default())
    }

    /// The text of a string.
    pub(crate) fn as_str(self) -> Option<&'v str> {
        if let Node::Text(text) = self.node() { Some(text) } else { None }
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        if let Node::Bool(flag) = self.node() { Some(flag) } else { None }
    }

    pub(crate) fn as_u64(self) -> Option<u64> {
        if let Node::Integer(number) = self.node() { u64::try_from(number).ok() } else { None }
    }

    pub(crate) fn as_array(self) -> Option<Elements<'v>> {
        let Node::List { elements, .. } = self.node() else { return None };
        Some(Elements { left: elements, next: self.first_within() })
    }

    pub(crate) fn as_object(self) -> Option<JsonObject<'v>> {
        let Node::Object { members, .. } = self.node() else { return None };
        Some(JsonObject { members, first: self.first_within() })
    }

    fn members(self) -> JsonObject<'v> {
        self.as_object().unwrap_or(JsonObject { members: 0, first: Self(&[]) })
    }
}

impl<'v> Iterator for Elements<'v> {
    type Item = Json<'v>;

    fn next(&mut self) -> Option<Json<'v>> {
        self.left = self.left.checked_sub(1)?;
        let element = self.next;
        self.next = element.after();
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'v> JsonObject<'v> {
    pub(crate) fn get(self, name: &str) -> Option<Json<'v>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) const fn len(self) -> usize {
        self.members
    }

    pub(crate) fn names(self) -> impl Iterator<Item = &'v str> {
        self.iter().map(|(name, _)| name)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (&'v str, Json<'v>)> {
        let mut name = self.first;
        (0..self.members).map(move |_| {
            let value = name.after();
            let member = (name.as_str().unwrap_or_default(), value);
            name = value.after();
            member
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is added and asked for in any order is what a map of lists would hold.
    #[test]
    fn values_are_found_by_their_members() {
        let mut data = SignedData::new([Node::Object { members: 0, nodes: 0 }], 0, 2);
        for (name, numbers) in [("a", &[1][..]), ("b", &[2, 3]), ("none", &[]), ("a", &[4, 5]), ("b", &[6])] {
            data.add_member(name);
            for number in numbers {
                data.disclose(name, [Node::Integer(*number)]);
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

    #[test]
    fn what_is_within_what_is_found_at_any_depth() {
        let value =
            json!({"a": [[], {}, [1, [true, null]], -2], "b": {"c": {"d": "e"}, "f": 1.5}, "g": false});
        let lent = Lent::of(&value);
        let members = lent.root().as_object().expect("an object");
        assert_eq!(members.names().collect::<Vec<_>>(), ["a", "b", "g"]);
        assert_eq!(members.get("g").and_then(Json::as_bool), Some(false));
        let b = members.get("b").and_then(Json::as_object).expect("an object");
        let c = b.get("c").and_then(Json::as_object).expect("an object");
        assert_eq!((c.get("d").and_then(Json::as_str), c.len(), b.len()), (Some("e"), 1, 2));
        assert!(b.get("f").is_some_and(|number| number.as_u64().is_none() && number.as_str().is_none()));
        let lists: Vec<_> = members.get("a").and_then(Json::as_array).expect("a list").collect();
        let sizes = lists.iter().map(|one| one.as_array().map(Iterator::count));
        assert_eq!(sizes.collect::<Vec<_>>(), [Some(0), None, Some(2), None]);
        assert_eq!((lists[3].as_u64(), lists[1].as_object().map(JsonObject::len)), (None, Some(0)));
        let inner = lists[2].as_array().and_then(|mut elements| elements.nth(1)).expect("a list");
        assert_eq!(inner.as_array().and_then(|mut elements| elements.next()?.as_bool()), Some(true));
    }
}
