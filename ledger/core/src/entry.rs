//! Entries: statements as the ledger sealed them (DESIGN section 3). An entry holds hashes only, so anybody may read it.

use core::fmt::Write as _;

use crate::base64url;
use crate::hash::Hash;
use crate::json::{JsonError, MAX_INTEGER, Value};
use crate::link::Link;
use crate::position::LeafIndex;
use crate::time::Timestamp;
use crate::tree;

/// The longest entry, in bytes: 64 links of 46 bytes and the fixed members. A C2SP bundle would allow 65,535.
pub const MAX_ENTRY_BYTES: usize = 4096;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub index: LeafIndex,
    /// The leaf hash of the entry before, which makes the log a plain hash chain too.
    pub prev: Hash,
    /// When the ledger sealed it, by the sealer's clock.
    pub received_at: Timestamp,
    /// How many statements of the registrar stand at lower indexes.
    pub registry: u64,
    /// A link for each owner, sorted as text.
    pub links: Vec<Link>,
    /// The statement's hash.
    pub statement: Hash,
}

/// Why bytes are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Longer than [`MAX_ENTRY_BYTES`].
    #[error("the entry has {bytes} bytes, and at most 4096 are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not strict JSON.
    #[error("the entry is not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// A member is missing or has a value that it cannot have.
    #[error("the entry's member {member:?} is missing or bad")]
    Member {
        /// The member.
        member: &'static str,
    },
    /// The entry does not serialise to the bytes that it was read from.
    #[error("the entry does not serialise to its own bytes")]
    NotCanonical,
}

impl EntryError {
    /// The stable code of this error, as problems and test vectors name it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "entry_too_long",
            Self::Json(source) => source.fault.code(),
            Self::Member { .. } => "entry_member",
            Self::NotCanonical => "entry_not_canonical",
        }
    }
}

impl Entry {
    /// The entry's bytes, which are the leaf's data. Links are written in sorted order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut links: Vec<[u8; 43]> =
            self.links.iter().map(|link| base64url::text_of_32(&link.to_bytes())).collect();
        links.sort_unstable();
        let mut text = String::with_capacity(288 + links.len() * 46);
        let never = "writing to a String cannot fail";
        write!(text, r#"{{"index":{},"prev":""#, self.index).expect(never);
        base64url::push_text(&base64url::text_of_32(self.prev.as_bytes()), &mut text);
        write!(text, r#"","received_at":"{}","registry":{},"links":["#, self.received_at, self.registry)
            .expect(never);
        for (position, link) in links.iter().enumerate() {
            text.push_str(if position > 0 { ",\"" } else { "\"" });
            base64url::push_text(link, &mut text);
            text.push('"');
        }
        text.push_str(r#"],"statement":""#);
        base64url::push_text(&base64url::text_of_32(self.statement.as_bytes()), &mut text);
        text.push_str(r#""}"#);
        text.into_bytes()
    }

    /// Reads an entry, which must serialise to the very same bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong { bytes: bytes.len() });
        }
        // What is as it must be needs no JSON reader; what is not gets one, to say what is wrong.
        Spelling { rest: bytes }.entry().map_or_else(|| Self::parse_json(bytes), Ok)
    }

    fn parse_json(bytes: &[u8]) -> Result<Self, EntryError> {
        let json = Value::parse(bytes)?;
        let member = |member: &'static str| {
            json.as_object().and_then(|members| members.get(member)).ok_or(EntryError::Member { member })
        };
        let bad = |member: &'static str| move || EntryError::Member { member };
        let number = |name: &'static str| {
            member(name)?.as_integer().and_then(|n| u64::try_from(n).ok()).ok_or_else(bad(name))
        };
        let text = |name: &'static str| member(name)?.as_str().ok_or_else(bad(name));
        let hash =
            |name: &'static str| Hash::parse(text(name)?).map_err(|_| EntryError::Member { member: name });
        let links = member("links")?.as_array().ok_or_else(bad("links"))?;
        let entry = Self {
            index: LeafIndex(number("index")?),
            prev: hash("prev")?,
            received_at: Timestamp::parse(text("received_at")?)
                .map_err(|_| EntryError::Member { member: "received_at" })?,
            registry: number("registry")?,
            links: links
                .iter()
                .map(|link| link.as_str().and_then(Link::parse).ok_or_else(bad("links")))
                .collect::<Result<_, _>>()?,
            statement: hash("statement")?,
        };
        if entry.links.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(EntryError::Member { member: "links" });
        }
        if entry.to_bytes() == bytes { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }

    /// The RFC 6962 leaf hash of the entry's bytes.
    pub fn leaf_hash(&self) -> Hash {
        tree::leaf_hash(&self.to_bytes())
    }
}

/// Reads an entry in its one spelling, byte by byte. `None` if it is spelt otherwise.
struct Spelling<'a> {
    rest: &'a [u8],
}

impl<'a> Spelling<'a> {
    fn entry(mut self) -> Option<Entry> {
        let index = LeafIndex(self.after(br#"{"index":"#)?.number()?);
        let prev = self.after(br#","prev":""#)?.hash()?;
        let received_at = Timestamp::parse(self.after(br#"","received_at":""#)?.text(24)?).ok()?;
        let registry = self.after(br#"","registry":"#)?.number()?;
        let links = self.after(br#","links":["#)?.links()?;
        let statement = self.after(br#"],"statement":""#)?.hash()?;
        self.after(br#""}"#)?;
        self.rest.is_empty().then_some(Entry { index, prev, received_at, registry, links, statement })
    }

    fn after(&mut self, literal: &[u8]) -> Option<&mut Self> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(self)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        core::str::from_utf8(text).ok()
    }

    fn number(&mut self) -> Option<u64> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = self.text(digits)?;
        let number = text.parse().ok().filter(|number| *number <= MAX_INDEX)?;
        (digits == 1 || !text.starts_with('0')).then_some(number)
    }

    fn hash(&mut self) -> Option<Hash> {
        Hash::parse(self.text(43)?).ok()
    }

    fn links(&mut self) -> Option<Vec<Link>> {
        let (mut links, mut before) = (Vec::new(), "");
        while self.rest.first() != Some(&b']') {
            if !links.is_empty() {
                self.after(b",")?;
            }
            let text = self.after(b"\"")?.text(43)?;
            self.after(b"\"")?;
            links.push(Link::parse(text).filter(|_| before < text)?);
            before = text;
        }
        Some(links)
    }
}

/// The largest index that the entry's JSON can hold exactly.
pub const MAX_INDEX: u64 = MAX_INTEGER.unsigned_abs();

/// A slice of the log does not chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuccessionError {
    /// The index is not one more.
    #[error("entry {found} stands where entry {expected} belongs")]
    Index {
        /// The index that belongs here.
        expected: LeafIndex,
        /// The index found.
        found: LeafIndex,
    },
    /// `prev` is not the leaf hash of the entry before.
    #[error("entry {index} does not name the leaf hash of the entry before it")]
    Prev {
        /// The entry.
        index: LeafIndex,
    },
    /// `received_at` decreases.
    #[error("entry {index} was received before the entry before it")]
    Time {
        /// The entry.
        index: LeafIndex,
    },
    /// `registry` is not the number of registrar statements at lower indexes.
    #[error("entry {index} counts {found} registrar statements before it, and there are {expected}")]
    Registry {
        /// The entry.
        index: LeafIndex,
        /// How many there are.
        expected: u64,
        /// How many it says.
        found: u64,
    },
}

impl SuccessionError {
    /// The stable code of this error, as verdicts and test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Index { .. } => "entry_index",
            Self::Prev { .. } => "entry_prev",
            Self::Time { .. } => "entry_time",
            Self::Registry { .. } => "entry_registry",
        }
    }
}

/// What the next entry must follow. The whole state of the ledger's own chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predecessor {
    /// The index that the next entry has.
    pub next_index: LeafIndex,
    /// The leaf hash of the last entry; zeros before the first.
    pub leaf_hash: Hash,
    /// The last `received_at`.
    pub received_at: Option<Timestamp>,
    /// How many statements of the registrar stand in the log.
    pub registry: u64,
}

impl Predecessor {
    /// Before entry 0.
    pub const GENESIS: Self =
        Self { next_index: LeafIndex(0), leaf_hash: Hash::ZERO, received_at: None, registry: 0 };

    /// Checks that the entry follows, and steps past it. `of_registrar` says whose statement it seals.
    pub fn follow(
        &mut self,
        entry: &Entry,
        leaf_hash: Hash,
        of_registrar: bool,
    ) -> Result<(), SuccessionError> {
        let index = entry.index;
        if index != self.next_index {
            return Err(SuccessionError::Index { expected: self.next_index, found: index });
        }
        if entry.prev != self.leaf_hash {
            return Err(SuccessionError::Prev { index });
        }
        if self.received_at.is_some_and(|earlier| entry.received_at < earlier) {
            return Err(SuccessionError::Time { index });
        }
        if entry.registry != self.registry {
            return Err(SuccessionError::Registry { index, expected: self.registry, found: entry.registry });
        }
        *self = Self {
            next_index: LeafIndex(index.0 + 1),
            leaf_hash,
            received_at: Some(entry.received_at),
            registry: self.registry + u64::from(of_registrar),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
