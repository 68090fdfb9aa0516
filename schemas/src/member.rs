//! What a member of `data` is: where it stands, whose it is, and when it is required.

use std::fmt;

/// One member directly of an event's `data`. The signing side reads from it which draft members become disclosures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name, in drafts and signed data alike.
    pub name: &'static str,
    /// In the clear, or disclosable.
    pub place: Place,
    /// When it is required.
    pub requirement: Requirement,
    /// What it says, in plain words.
    pub description: &'static str,
}

/// Where a member stands in signed data (FORMATS section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As it is, readable by whoever holds the bare statement: closed codes, booleans, agencies, and lists and objects
    /// of those.
    Clear,
    /// As digests; the values travel as disclosures.
    Disclosed {
        /// Whose keys encrypt its disclosures.
        owner: Owner,
        /// Whether it has one disclosure per element of the draft's list. Otherwise it has exactly one disclosure, even
        /// where that one's value is a list.
        many: bool,
        /// Whether a publisher may keep it at home by naming it in `kept`.
        keepable: bool,
    },
}

/// To whom a disclosure belongs (DESIGN section 2, "Ownership").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The statement's child.
    Child,
    /// The person whose `pseudonym` the element carries; without one, the child.
    Named,
}

impl Owner {
    /// The code that the JSON Schemas carry as `x-gt-owner`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Named => "named",
        }
    }
}

/// When a member is required. `Display` completes the sentence "it is required …".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// In every event of its type.
    Always,
    /// Under a condition, in words that begin with "when" or "where".
    When(&'static str),
    /// Never.
    Optional,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::When(condition) => condition,
            Self::Optional => "never",
        })
    }
}
