use core::fmt;
use std::sync::Arc;

use super::data::Data;
use super::error::StatementError;
use crate::agency::AgencyCode;
use crate::hash::Hash;
use crate::json::{Document, Members, ValueRef};

/// A publisher's id: the thumbprint of its first key, for ever.
pub type PublisherId = Hash;

/// An event type, `family.event`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Arc<str>);

/// The signed payload of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The agency that speaks.
    pub iss: AgencyCode,
    /// The origin of the ledger that it speaks to.
    pub aud: String,
    /// When it was signed, in seconds since the Unix epoch, by the publisher's clock.
    pub iat: i64,
    /// The publisher that signed.
    pub publisher: PublisherId,
    /// The agency in whose name `iss` speaks, if not its own.
    pub on_behalf_of: Option<AgencyCode>,
    /// The statement's number in its publisher's chain, from 0.
    pub seq: u64,
    /// The hash of the publisher's statement `seq - 1`; for `seq` 0 the genesis leaf hash.
    pub prev: Hash,
    /// What kind of event it records.
    pub event_type: EventType,
    /// The version of the event type's schema.
    pub version: u16,
    /// The event.
    pub data: Data,
}

impl EventType {
    /// Parses `family.event`, each 1–32 characters of `a–z` and `_`.
    pub fn parse(text: &str) -> Option<Self> {
        let (family, event) = text.split_once('.')?;
        let word =
            |w: &str| (1..=32).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        (word(family) && word(event)).then(|| Self(text.into()))
    }

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the ledger itself defines this type (`ledger.*`, `publisher.*`, `subject.*`): no disclosures, no owners.
    pub fn is_ledgers_own(&self) -> bool {
        ["ledger.", "publisher.", "subject."].iter().any(|family| self.0.starts_with(family))
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const MEMBERS: [&str; 11] =
    ["iss", "aud", "iat", "publisher", "on_behalf_of", "seq", "prev", "type", "version", "data", "_sd_alg"];

impl Payload {
    /// Reads the payload's members; exactly the design's.
    pub(super) fn read(document: &Document) -> Result<Self, StatementError> {
        let members = document.root().as_object().ok_or_else(|| bad("payload", "an object"))?;
        if members.iter().any(|(name, _)| !MEMBERS.contains(&name)) {
            return Err(StatementError::PayloadMemberUnknown);
        }
        let event_type = EventType::parse(text(members, "type")?)
            .ok_or_else(|| bad("type", "two words of a–z and _ joined by a full stop"))?;
        let data = need(members, "data")?.as_object().ok_or_else(|| bad("data", "an object"))?;
        let data = Data::read(data, event_type.is_ledgers_own())?;
        if text(members, "_sd_alg")? != "sha-256" {
            return Err(bad("_sd_alg", "sha-256"));
        }
        Ok(Self {
            iss: agency(members, "iss")?,
            aud: text(members, "aud")?.to_owned(),
            iat: integer(members, "iat")?,
            publisher: hash(members, "publisher")?,
            on_behalf_of: members.get("on_behalf_of").map(|_| agency(members, "on_behalf_of")).transpose()?,
            seq: u64::try_from(integer(members, "seq")?).map_err(|_| bad("seq", "0, 1, 2 …"))?,
            prev: hash(members, "prev")?,
            version: u16::try_from(integer(members, "version")?)
                .ok()
                .filter(|version| *version > 0)
                .ok_or_else(|| bad("version", "1 to 65535"))?,
            event_type,
            data,
        })
    }
}

fn bad(member: &'static str, expected: &'static str) -> StatementError {
    StatementError::PayloadMemberBad { member, expected }
}

fn need<'d>(members: Members<'d>, member: &'static str) -> Result<ValueRef<'d>, StatementError> {
    members.get(member).ok_or(StatementError::PayloadMemberMissing { member })
}

fn text<'d>(members: Members<'d>, member: &'static str) -> Result<&'d str, StatementError> {
    need(members, member)?.as_str().ok_or_else(|| bad(member, "a string"))
}

fn integer(members: Members<'_>, member: &'static str) -> Result<i64, StatementError> {
    let number = need(members, member)?.as_integer().ok_or_else(|| bad(member, "an integer"))?;
    if number < 0 { Err(bad(member, "no negative number")) } else { Ok(number) }
}

fn hash(members: Members<'_>, member: &'static str) -> Result<Hash, StatementError> {
    Hash::parse(text(members, member)?).map_err(|_| bad(member, "base64url of 32 bytes"))
}

fn agency(members: Members<'_>, member: &'static str) -> Result<AgencyCode, StatementError> {
    AgencyCode::parse(text(members, member)?).map_err(|_| bad(member, "an agency code, scheme:code"))
}
