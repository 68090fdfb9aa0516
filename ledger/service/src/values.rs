//! What statements say, handed on: lent as the schemas read it, or as values of `serde_json`'s own.

use gt_core::json::{FlatNode, Lent, ValueRef};
use gt_core::statement::{Data, Disclosure};
use gt_schemas::{Node, SignedData};
use serde_json::{Map, Value};

/// The members in the clear of a statement that was read.
pub trait Clear {
    /// The members as the schemas read them, with nothing disclosed yet, and with memory for so many disclosures.
    fn lend(&self, disclosures: usize) -> SignedData<'_>;

    /// The members with memory of their own.
    fn to_map(&self) -> Map<String, Value>;
}

/// What a disclosure says, where it was read.
pub trait Said {
    /// Adds the value to what a member's disclosures say; `null` where it was not wanted.
    fn disclose<'v>(&'v self, name: &'v str, data: &mut SignedData<'v>);

    /// The text of a member of the value, if the value is an object that has it.
    fn text_of(&self, member: &str) -> Option<&str>;
}

impl Clear for Map<String, Value> {
    fn lend(&self, _: usize) -> SignedData<'_> {
        SignedData::of_members(self)
    }

    fn to_map(&self) -> Map<String, Value> {
        self.clone()
    }
}

impl Clear for Data {
    fn lend(&self, disclosures: usize) -> SignedData<'_> {
        let clear = self.clear_value().flat();
        // A disclosure is an object of two or three members as a rule, or a text.
        let nodes = clear.len() + 6 * disclosures;
        SignedData::new(clear.map(node), nodes, disclosures)
    }

    fn to_map(&self) -> Map<String, Value> {
        self.clear().iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect()
    }
}

impl Said for Value {
    fn disclose<'v>(&'v self, name: &'v str, data: &mut SignedData<'v>) {
        data.disclose_value(name, self);
    }

    fn text_of(&self, member: &str) -> Option<&str> {
        self.get(member)?.as_str()
    }
}

impl Said for Disclosure {
    fn disclose<'v>(&'v self, name: &'v str, data: &mut SignedData<'v>) {
        data.disclose(name, self.value().flat().map(node));
    }

    fn text_of(&self, member: &str) -> Option<&str> {
        self.value().as_object()?.get(member)?.as_str()
    }
}

impl Said for Option<Disclosure> {
    fn disclose<'v>(&'v self, name: &'v str, data: &mut SignedData<'v>) {
        match self {
            Some(disclosure) => disclosure.disclose(name, data),
            None => data.disclose(name, [Node::Null]),
        }
    }

    fn text_of(&self, member: &str) -> Option<&str> {
        self.as_ref()?.text_of(member)
    }
}

/// A node as the schemas have it.
const fn node(node: FlatNode<'_>) -> Node<'_> {
    match node {
        FlatNode::Null => Node::Null,
        FlatNode::Bool(flag) => Node::Bool(flag),
        FlatNode::Integer(number) => Node::Integer(number),
        FlatNode::String(text) => Node::Text(text),
        FlatNode::Array { elements, nodes } => Node::List { elements, nodes },
        FlatNode::Object { members, nodes } => Node::Object { members, nodes },
    }
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
