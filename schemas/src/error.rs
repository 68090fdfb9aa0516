//! Why an event is refused: a stable code, where, and what was expected. Never the value itself.

use std::fmt;

use thiserror::Error;

use crate::member::Requirement;

/// A refusal: one fault at one place.
///
/// `Display` joins both in a sentence for people; programs use [`SchemaError::code`] and the fields. Neither holds
/// anything of the values that were read, so an error may be logged and sent back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {fault}", if path.is_empty() { "the event" } else { path })]
pub struct SchemaError {
    /// Where, as a JSON pointer (RFC 6901) into the draft's `data`: `/times/occurred_at`, `/others/1/role`. Empty for
    /// the event as a whole. A member name that is not `[a-z][a-z0-9_]{0,63}` stands as `*`.
    pub path: String,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with an event or a member of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// No event type has this name.
    #[error("is of an unknown type")]
    UnknownType,
    /// The type is known, this version of it is not.
    #[error("is of an unknown version; expected {}", Numbers(known))]
    UnknownVersion {
        /// The versions that are read, the current one first.
        known: &'static [u16],
    },
    /// A required member is not there.
    #[error("is missing; it is required {rule}")]
    MissingMember {
        /// When it is required, in words.
        rule: Requirement,
    },
    /// A member that the schema does not have.
    #[error("is no member here; expected {}", Codes(expected))]
    UnknownMember {
        /// The members there are; empty where the object's members depend on its kind.
        expected: &'static [&'static str],
    },
    /// The value has the wrong JSON type, or is none of the closed codes.
    #[error("has a wrong value; expected {expected}")]
    BadValue {
        /// What it may be.
        expected: Expected,
    },
    /// Not a time of FORMATS section 2.
    #[error("is no time; expected {}", crate::Time::FORM)]
    BadTime,
    /// A text of nothing but white space.
    #[error("is blank; expected a text")]
    BlankText,
    /// A text that is too long.
    #[error("is too long; expected at most {max} characters")]
    TextTooLong {
        /// The most Unicode scalar values that it may have.
        max: usize,
    },
    /// Two members contradict each other.
    #[error("contradicts another member; expected {expected}")]
    Contradiction {
        /// What would agree.
        expected: &'static str,
    },
    /// A member that stands in the clear came as a disclosure.
    #[error("stands in the clear and cannot be disclosed")]
    NotDisclosable,
    /// A disclosable member came in the clear.
    #[error("is disclosable and must not stand in the clear")]
    NotClear,
    /// A name in `kept` that no publisher may keep at home.
    #[error("cannot be kept; expected names of keepable members")]
    NotKeepable,
    /// A member that `kept` names was disclosed to the sealer all the same.
    #[error("is kept and must not be disclosed")]
    KeptDisclosed,
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// One of these codes.
    OneOf(&'static [&'static str]),
    /// A form, in words.
    Form(&'static str),
    /// A whole number within these bounds.
    Whole {
        /// The least that it may be.
        least: u32,
        /// The most that it may be.
        most: u32,
    },
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(codes) => write!(f, "one of {}", Codes(codes)),
            Self::Form(form) => f.write_str(form),
            Self::Whole { least, most } => write!(f, "a whole number from {least} to {most}"),
        }
    }
}

impl Fault {
    /// The fault's stable name, for problem types and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownType => "unknown_type",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::MissingMember { .. } => "missing_member",
            Self::UnknownMember { .. } => "unknown_member",
            Self::BadValue { .. } => "bad_value",
            Self::BadTime => "bad_time",
            Self::BlankText => "blank_text",
            Self::TextTooLong { .. } => "text_too_long",
            Self::Contradiction { .. } => "contradiction",
            Self::NotDisclosable => "not_disclosable",
            Self::NotClear => "not_clear",
            Self::NotKeepable => "not_keepable",
            Self::KeptDisclosed => "kept_disclosed",
        }
    }

    /// This fault at the event as a whole; [`SchemaError::within`] moves it inwards.
    pub(crate) fn here(self) -> SchemaError {
        SchemaError { path: String::new(), fault: self }
    }

    /// This fault at a path.
    pub(crate) fn at(self, path: impl Into<String>) -> SchemaError {
        SchemaError { path: path.into(), fault: self }
    }

    pub(crate) fn expected(form: &'static str) -> Self {
        Self::BadValue { expected: Expected::Form(form) }
    }
}

impl SchemaError {
    /// The fault's stable name: [`Fault::code`].
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// The same fault, seen from the object that has it in this member.
    pub(crate) fn within(mut self, member: &str) -> Self {
        let name = if is_member_name(member) { member } else { "*" };
        self.path = format!("/{name}{}", self.path);
        self
    }

    /// The same fault, seen from the list that has it at this index.
    pub(crate) fn within_index(mut self, index: usize) -> Self {
        self.path = format!("/{index}{}", self.path);
        self
    }
}

/// Whether this is a member's name (FORMATS section 3). Anything else might be a person's name written as a member, so
/// errors leave it out.
pub fn is_member_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

struct Codes<'a>(&'a [&'static str]);

impl fmt::Display for Codes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the members of its kind");
        }
        for (n, code) in self.0.iter().enumerate() {
            write!(f, "{}{code}", if n == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

struct Numbers<'a>(&'a [u16]);

impl fmt::Display for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, number) in self.0.iter().enumerate() {
            write!(f, "{}{number}", if n == 0 { "" } else { " or " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_a_sentence() {
        let error = Fault::BadValue { expected: Expected::OneOf(&["Fact", "Opinion"]) }
            .here()
            .within("nature")
            .within_index(2)
            .within("items");
        assert_eq!(error.to_string(), "/items/2/nature: has a wrong value; expected one of Fact, Opinion");
        assert_eq!(error.code(), "bad_value");
    }

    #[test]
    fn a_member_that_is_no_name_is_not_repeated() {
        let error = Fault::UnknownMember { expected: &["role"] }.here().within("Jo Bloggs").within("child");
        assert_eq!(error.path, "/child/*");
    }
}
