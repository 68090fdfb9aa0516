//! Strict JSON: the one reading that every verifier shares (DESIGN section 2, `docs/FORMATS.md` section 1).
//!
//! General parsers disagree about repeated members, large numbers and lone surrogates. A signed statement must mean the same to
//! all of them, so whatever they could read differently is refused here.

mod parser;

use core::fmt::Write as _;
use std::borrow::Cow;

use zeroize::Zeroize;

/// The deepest nesting accepted; the outermost value is at depth 1.
pub const MAX_DEPTH: usize = 16;

/// The largest magnitude of a number: 2^53 − 1, the last one that every JSON reader holds exactly.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// A JSON value. Objects keep the order of their text and never repeat a member.
///
/// `S` is what holds texts: a `String`, or `Cow<str>` for what is read once and borrows from the text that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<S = String> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number within ±(2^53−1).
    Integer(i64),
    /// A string without U+0000.
    String(S),
    /// An array.
    Array(Vec<Value<S>>),
    /// An object, in the order of its text.
    Object(Object<S>),
}

/// An object's members in the order of their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<S = String>(Vec<(S, Value<S>)>);

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

impl<S> Default for Object<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: AsRef<str>> Object<S> {
    /// The member's value.
    pub fn get(&self, name: &str) -> Option<&Value<S>> {
        self.0.iter().find(|(n, _)| n.as_ref() == name).map(|(_, v)| v)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<S>)> {
        self.0.iter().map(|(n, v)| (n.as_ref(), v))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Object {
    /// Adds a member. Names must be new; a repeated one is replaced, so that the value stays strict JSON.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        if let Some(slot) = self.0.iter_mut().find(|(n, _)| *n == name) {
            slot.1 = value;
        } else {
            self.0.push((name, value));
        }
    }
}

impl<S: AsRef<str>> Object<S> {
    /// Takes a member out.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Value<S>> {
        let position = self.0.iter().position(|(n, _)| n.as_ref() == name)?;
        Some(self.0.swap_remove(position).1)
    }

    /// The object without some of its members: `keep` takes those for itself that are to go, or gives the value back.
    pub(crate) fn try_retain<E>(
        self,
        mut keep: impl FnMut(&str, Value<S>) -> Result<Option<Value<S>>, E>,
    ) -> Result<Self, E> {
        let mut kept = Vec::new();
        for (name, value) in self.0 {
            if let Some(value) = keep(name.as_ref(), value)? {
                kept.push((name, value));
            }
        }
        Ok(Self(kept))
    }
}

impl<S: Into<String>> Object<S> {
    /// The same members, borrowing from nothing.
    pub(crate) fn into_owned(self) -> Object {
        Object(self.0.into_iter().map(|(name, value)| (name.into(), value.into_owned())).collect())
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

impl<S: Into<String>> Value<S> {
    /// The same value, borrowing from nothing.
    pub(crate) fn into_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Integer(number) => Value::Integer(number),
            Self::String(text) => Value::String(text.into()),
            Self::Array(elements) => Value::Array(elements.into_iter().map(Self::into_owned).collect()),
            Self::Object(members) => Value::Object(members.into_owned()),
        }
    }
}

impl<'t> Value<Cow<'t, str>> {
    /// Parses one strict JSON value as [`Value::parse`] does, and copies only what is escaped in it.
    pub(crate) fn borrow(bytes: &'t [u8]) -> Result<Self, JsonError> {
        parser::parse(bytes)
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

impl<S: AsRef<str>> Value<S> {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text.as_ref()) } else { None }
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
    pub fn as_object(&self) -> Option<&Object<S>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }
}

impl Value {
    /// Parses one strict JSON value. The caller bounds the length of the text beforehand.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        parser::parse(bytes)
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
