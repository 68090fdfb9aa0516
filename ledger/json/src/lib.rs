//! Strict JSON: the one reading that every verifier shares (DESIGN section 2, `docs/FORMATS.md` section 1).
//!
//! General parsers disagree about repeated members, large numbers and lone surrogates. A signed statement must mean the same to
//! all of them, so whatever they could read differently is refused here.

mod document;
mod parser;

pub use document::{Document, Elements, Lent, Members, ValueRef};

use core::fmt::Write as _;

use zeroize::{Zeroize, Zeroizing};

/// The deepest nesting accepted; the outermost value is at depth 1.
pub const MAX_DEPTH: usize = 16;

/// The largest magnitude of a number: 2^53 − 1, the last one that every JSON reader holds exactly.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// A JSON value. Objects keep the order of their text and never repeat a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number within ±(2^53−1).
    Integer(i64),
    /// A string without U+0000.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object, in the order of its text.
    Object(Object),
}

/// An object's members in the order of their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object(Vec<(String, Value)>);

/// Why a text is not strict JSON. `at` is the byte offset where it was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at byte {at}")]
pub struct JsonError {
    /// What is wrong.
    pub fault: JsonFault,
    /// The byte offset at which it was noticed.
    pub at: usize,
}

/// The ways in which a text is not strict JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// The bytes are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The text begins with a byte-order mark.
    #[error("a byte-order mark")]
    ByteOrderMark,
    /// The grammar of RFC 8259 is broken.
    #[error("not JSON")]
    Syntax,
    /// More than [`MAX_DEPTH`] levels.
    #[error("nested deeper than 16")]
    TooDeep,
    /// A fraction, an exponent, `-0`, or a magnitude over [`MAX_INTEGER`].
    #[error("a number that is not a plain integer within ±(2^53−1)")]
    Number,
    /// A member name stands twice in one object.
    #[error("a repeated member")]
    DuplicateMember,
    /// Half of a surrogate pair.
    #[error("a lone surrogate")]
    LoneSurrogate,
    /// The character U+0000.
    #[error("the character U+0000")]
    Nul,
    /// A member named `__proto__`, which poisons objects in JavaScript.
    #[error("a member named __proto__")]
    Proto,
}

impl JsonFault {
    /// The stable code of this fault, as problems and test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotUtf8 => "json_not_utf8",
            Self::ByteOrderMark => "json_byte_order_mark",
            Self::Syntax => "json_syntax",
            Self::TooDeep => "json_too_deep",
            Self::Number => "json_number",
            Self::DuplicateMember => "json_duplicate_member",
            Self::LoneSurrogate => "json_lone_surrogate",
            Self::Nul => "json_nul",
            Self::Proto => "json_proto",
        }
    }
}

impl Object {
    /// The member's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a member. Names must be new; a repeated one is replaced, so that the value stays strict JSON.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        if let Some(slot) = self.0.iter_mut().find(|(n, _)| *n == name) {
            slot.1 = value;
        } else {
            self.0.push((name, value));
        }
    }

    /// Takes a member out. The last one takes its place, so the order of the others changes.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let position = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.swap_remove(position).1)
    }
}

/// Wipes the texts in it, for a value that held a private key. Names of members stay.
impl Zeroize for Value {
    fn zeroize(&mut self) {
        match self {
            Self::Null | Self::Bool(_) | Self::Integer(_) => {}
            Self::String(text) => text.zeroize(),
            Self::Array(elements) => elements.iter_mut().for_each(Self::zeroize),
            Self::Object(Object(members)) => members.iter_mut().for_each(|(_, value)| value.zeroize()),
        }
    }
}

impl FromIterator<(String, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        let mut object = Self::default();
        for (name, value) in members {
            object.insert(name, value);
        }
        object
    }
}

impl Value {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The number of an integer value.
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The boolean of a boolean value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// Parses one strict JSON value. The caller bounds the length of the text beforehand.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let text =
            core::str::from_utf8(bytes).map_err(|error| parser::not_utf8(bytes, error.valid_up_to()))?;
        let mut nodes = Vec::with_capacity(document::nodes_of(text.len()));
        let unescaped = parser::parse(text, 0, &mut nodes)?;
        if unescaped.is_empty() {
            return Ok(ValueRef::new(text, &nodes).to_value());
        }
        // It may have held a private key.
        let mut whole = Zeroizing::new(String::new());
        whole.reserve_exact(text.len() + unescaped.len());
        whole.push_str(text);
        whole.push_str(&unescaped);
        Ok(ValueRef::new(&whole, &nodes).to_value())
    }

    /// Writes the value without white space, members in their order, escaping only what RFC 8259 demands.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Integer(number) => write!(out, "{number}").expect("writing to a String cannot fail"),
            Self::String(text) => write_string(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (position, (name, value)) in members.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                write!(out, "\\u{:04x}", u32::from(character)).expect("writing to a String cannot fail");
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
