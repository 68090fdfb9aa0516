//! Reading JSON of a known form: each step knows where it stands, so that what is wrong has a place.

use core::fmt::Write as _;

use super::BundleError;
use crate::json::{Object, Value};

type Read<T> = Result<T, BundleError>;

/// A place in the bundle. Its text is made only when something is wrong there.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    /// The whole bundle.
    pub(super) const ROOT: Self = Self { above: None, step: Step::Root };

    fn member(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), step: Step::Member(name) }
    }

    fn item(&'a self, position: usize) -> Self {
        Self { above: Some(self), step: Step::Item(position) }
    }

    /// The fault that something else belongs here.
    pub(super) fn expected(&self, expected: &'static str) -> BundleError {
        let mut place = String::new();
        self.write(&mut place);
        BundleError::Member { place, expected }
    }

    /// A JSON pointer (RFC 6901). The names of a bundle's members need no escapes.
    fn write(&self, out: &mut String) {
        if let Some(above) = self.above {
            above.write(out);
        }
        match self.step {
            Step::Root => {}
            Step::Member(name) => {
                out.push('/');
                out.push_str(name);
            }
            Step::Item(position) => {
                write!(out, "/{position}").expect("writing to a String cannot fail");
            }
        }
    }
}

/// An object whose members are taken out in the order in which the format names them.
pub(super) struct Members<'a> {
    at: &'a At<'a>,
    members: Object,
}

impl<'a> Members<'a> {
    pub(super) fn of(value: Value, at: &'a At<'a>) -> Read<Self> {
        match value {
            Value::Object(members) => Ok(Self { at, members }),
            _ => Err(at.expected("an object belongs here")),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some()
    }

    /// Takes a member, which must be there.
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Value, &At<'_>) -> Read<T>,
    ) -> Read<T> {
        let at = self.at.member(name);
        let value = self.members.remove(name).ok_or_else(|| at.expected("this member is missing"))?;
        read(value, &at)
    }

    /// Says that all members have been taken.
    pub(super) fn finish(self) -> Read<()> {
        if self.members.is_empty() {
            Ok(())
        } else {
            Err(self.at.expected("a member stands here that this format does not have"))
        }
    }
}

pub(super) fn text(value: Value, at: &At<'_>) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(at.expected("a text belongs here")),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "all readers of a form take their value")]
pub(super) fn number(value: Value, at: &At<'_>) -> Read<u64> {
    value
        .as_integer()
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| at.expected("a number, 0 or more, belongs here"))
}

pub(super) fn list<T>(
    value: Value,
    at: &At<'_>,
    mut read: impl FnMut(Value, &At<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let Value::Array(elements) = value else {
        return Err(at.expected("a list belongs here"));
    };
    elements.into_iter().enumerate().map(|(position, element)| read(element, &at.item(position))).collect()
}

/// A text that `read` makes something of.
#[allow(clippy::needless_pass_by_value, reason = "all readers of a form take their value")]
pub(super) fn parsed<T>(
    value: Value,
    at: &At<'_>,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Read<T> {
    value.as_str().and_then(read).ok_or_else(|| at.expected(expected))
}
