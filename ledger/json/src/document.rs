//! Strict JSON that is read, and not taken apart: its text, and where in it each value stands. Two pieces of memory, whatever it says,
//! where a [`Value`] has one for each text, array and object; a sealer holds thousands of statements at a time.
//!
//! What looks at a value is inlined, for it is called from other crates for each member of each statement.

use core::fmt;

use super::{JsonError, Object, Value, parser};

/// A JSON document: a value with all that is in it, or several that share its memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
    nodes: Vec<Node>,
}

/// A value, as one node; what is in it follows, each value with all that is in it before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    /// Where the text stands, in bytes.
    Text {
        start: usize,
        len: usize,
    },
    /// How many elements there are, and how many nodes they come to.
    Array {
        elements: usize,
        nodes: usize,
    },
    /// How many members there are, and how many nodes they come to. A member is its name and its value.
    Object {
        members: usize,
        nodes: usize,
    },
}

/// A value in a [`Document`].
#[derive(Clone, Copy)]
pub struct ValueRef<'d> {
    text: &'d str,
    /// From this value's own node on.
    nodes: &'d [Node],
}

/// What a [`ValueRef`] is: the same as [`Value`], lent.
#[derive(Clone)]
pub enum Lent<'d> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number within ±(2^53−1).
    Integer(i64),
    /// A string without U+0000.
    String(&'d str),
    /// An array.
    Array(Elements<'d>),
    /// An object.
    Object(Members<'d>),
}

/// The elements of an array, one after the other.
#[derive(Clone)]
pub struct Elements<'d> {
    left: usize,
    next: ValueRef<'d>,
}

/// The members of an object, in the order of its text.
#[derive(Clone, Copy)]
pub struct Members<'d> {
    members: usize,
    /// The first one's name.
    first: ValueRef<'d>,
}

impl Document {
    /// Parses one strict JSON value as [`Value::parse`] does. The caller bounds the length of the text beforehand.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, JsonError> {
        let mut text = String::from_utf8(bytes)
            .map_err(|error| parser::not_utf8(error.as_bytes(), error.utf8_error().valid_up_to()))?;
        let mut nodes = Vec::with_capacity(nodes_of(text.len()));
        let unescaped = parser::parse(&text, 0, &mut nodes)?;
        text.push_str(&unescaped);
        Ok(Self { text, nodes })
    }

    /// Nothing yet, with memory for so many bytes of JSON.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), nodes: Vec::with_capacity(nodes_of(bytes)) }
    }

    /// Parses another value into the same memory, and says at which node it begins ([`Self::at`]). After an error the document is of no
    /// more use.
    pub fn add(&mut self, bytes: &[u8]) -> Result<usize, JsonError> {
        let (from, node) = (self.text.len(), self.nodes.len());
        let value =
            core::str::from_utf8(bytes).map_err(|error| parser::not_utf8(bytes, error.valid_up_to()))?;
        self.text.push_str(value);
        let unescaped = parser::parse(&self.text, from, &mut self.nodes)?;
        self.text.push_str(&unescaped);
        Ok(node)
    }

    /// An object of these members, with memory for no more than them. It is the caller's to give distinct names, and values no deeper than
    /// a document may be below an object: those of one object's members are, which were read strictly.
    pub fn of_members<'d>(members: impl Iterator<Item = (&'d str, ValueRef<'d>)> + Clone) -> Self {
        let (mut count, mut nodes, mut bytes) = (0, 0, 0);
        for (name, value) in members.clone() {
            count += 1;
            nodes += 1 + value.own_nodes().len();
            bytes += name.len() + value.own_nodes().iter().map(|node| node.text_len()).sum::<usize>();
        }
        let mut document = Self { text: String::with_capacity(bytes), nodes: Vec::with_capacity(1 + nodes) };
        document.nodes.push(Node::Object { members: count, nodes });
        for (name, value) in members {
            document.push_text(name);
            value.own_nodes().iter().for_each(|node| match *node {
                Node::Text { start, len } => document.push_text(&value.text[start..start + len]),
                node => document.nodes.push(node),
            });
        }
        document
    }

    fn push_text(&mut self, text: &str) {
        self.nodes.push(Node::Text { start: self.text.len(), len: text.len() });
        self.text.push_str(text);
    }

    /// The value that the document is; the first one of several.
    #[inline]
    pub fn root(&self) -> ValueRef<'_> {
        self.at(0)
    }

    /// The value that begins at this node. The node must be one of the document's.
    #[inline]
    pub fn at(&self, node: usize) -> ValueRef<'_> {
        ValueRef::new(&self.text, &self.nodes[node..])
    }
}

/// As many nodes as a statement's payload has, for its length.
pub(super) const fn nodes_of(bytes: usize) -> usize {
    bytes / 10 + 4
}

/// Says nothing of what is in it, which may be personal data.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

impl Node {
    /// How many nodes the value comes to.
    #[inline]
    pub(super) const fn nodes(self) -> usize {
        match self {
            Self::Array { nodes, .. } | Self::Object { nodes, .. } => 1 + nodes,
            _ => 1,
        }
    }

    /// How long the text is, if it is one.
    const fn text_len(self) -> usize {
        if let Self::Text { len, .. } = self { len } else { 0 }
    }
}

impl<'d> ValueRef<'d> {
    #[inline]
    pub(super) const fn new(text: &'d str, nodes: &'d [Node]) -> Self {
        Self { text, nodes }
    }

    /// What it is.
    #[inline]
    pub fn lent(self) -> Lent<'d> {
        let Some((node, within)) = self.nodes.split_first() else { return Lent::Null };
        let next = Self::new(self.text, within);
        match *node {
            Node::Null => Lent::Null,
            Node::Bool(flag) => Lent::Bool(flag),
            Node::Integer(number) => Lent::Integer(number),
            Node::Text { start, len } => Lent::String(&self.text[start..start + len]),
            Node::Array { elements, .. } => Lent::Array(Elements { left: elements, next }),
            Node::Object { members, .. } => Lent::Object(Members { members, first: next }),
        }
    }

    /// The text of a string value.
    #[inline]
    pub fn as_str(self) -> Option<&'d str> {
        if let Lent::String(text) = self.lent() { Some(text) } else { None }
    }

    /// The number of an integer value.
    #[inline]
    pub fn as_integer(self) -> Option<i64> {
        if let Lent::Integer(number) = self.lent() { Some(number) } else { None }
    }

    /// The boolean of a boolean value.
    #[inline]
    pub fn as_bool(self) -> Option<bool> {
        if let Lent::Bool(flag) = self.lent() { Some(flag) } else { None }
    }

    /// The elements of an array.
    #[inline]
    pub fn as_array(self) -> Option<Elements<'d>> {
        if let Lent::Array(elements) = self.lent() { Some(elements) } else { None }
    }

    /// The members of an object.
    #[inline]
    pub fn as_object(self) -> Option<Members<'d>> {
        if let Lent::Object(members) = self.lent() { Some(members) } else { None }
    }

    /// The same value, borrowing from nothing.
    pub fn to_value(self) -> Value {
        match self.lent() {
            Lent::Null => Value::Null,
            Lent::Bool(flag) => Value::Bool(flag),
            Lent::Integer(number) => Value::Integer(number),
            Lent::String(text) => Value::String(text.to_owned()),
            Lent::Array(elements) => Value::Array(elements.map(Self::to_value).collect()),
            Lent::Object(members) => Value::Object(members.to_object()),
        }
    }

    /// The nodes of this value.
    #[inline]
    fn own_nodes(self) -> &'d [Node] {
        let nodes = self.nodes.first().map_or(0, |node| node.nodes());
        &self.nodes[..nodes]
    }

    /// Whether it is this text: most are not, and of another length.
    #[inline]
    fn is_text(self, text: &str) -> bool {
        match self.nodes.first() {
            Some(Node::Text { start, len }) if *len == text.len() => {
                self.text.as_bytes()[*start..start + len] == *text.as_bytes()
            }
            _ => false,
        }
    }

    /// What follows the value.
    #[inline]
    fn after(self) -> Self {
        Self::new(self.text, &self.nodes[self.own_nodes().len()..])
    }
}

impl<'d> Iterator for Elements<'d> {
    type Item = ValueRef<'d>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'d>> {
        self.left = self.left.checked_sub(1)?;
        let element = self.next;
        self.next = element.after();
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Elements<'_> {}

impl<'d> Members<'d> {
    /// The member's value.
    #[inline]
    pub fn get(self, name: &str) -> Option<ValueRef<'d>> {
        let mut at = self.first;
        for _ in 0..self.members {
            let value = at.after();
            if at.is_text(name) {
                return Some(value);
            }
            at = value.after();
        }
        None
    }

    /// The members in order.
    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'d str, ValueRef<'d>)> + Clone {
        let mut name = self.first;
        (0..self.members).map(move |_| {
            let value = name.after();
            let member = (name.as_str().unwrap_or_default(), value);
            name = value.after();
            member
        })
    }

    /// The same members, borrowing from nothing.
    pub fn to_object(self) -> Object {
        Object(self.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect())
    }

    /// How many members there are.
    #[inline]
    pub const fn len(self) -> usize {
        self.members
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.members == 0
    }
}
