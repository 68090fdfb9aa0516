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

impl Payload {
    /// Reads the payload's members; exactly the design's.
    pub(super) fn read(document: &Document) -> Result<Self, StatementError> {
        let members = Named::of(document.root().as_object().ok_or_else(|| bad("payload", "an object"))?)?;
        let event_type = EventType::parse(members.text(Name::Type)?)
            .ok_or_else(|| bad("type", "two words of a–z and _ joined by a full stop"))?;
        let data = members.need(Name::Data)?.as_object().ok_or_else(|| bad("data", "an object"))?;
        let data = Data::read(data, event_type.is_ledgers_own())?;
        if members.text(Name::SdAlg)? != "sha-256" {
            return Err(bad("_sd_alg", "sha-256"));
        }
        Ok(Self {
            iss: members.agency(Name::Iss)?,
            aud: members.text(Name::Aud)?.to_owned(),
            iat: members.integer(Name::Iat)?,
            publisher: members.hash(Name::Publisher)?,
            on_behalf_of: members
                .get(Name::OnBehalfOf)
                .map(|_| members.agency(Name::OnBehalfOf))
                .transpose()?,
            seq: u64::try_from(members.integer(Name::Seq)?).map_err(|_| bad("seq", "0, 1, 2 …"))?,
            prev: members.hash(Name::Prev)?,
            version: u16::try_from(members.integer(Name::Version)?)
                .ok()
                .filter(|version| *version > 0)
                .ok_or_else(|| bad("version", "1 to 65535"))?,
            event_type,
            data,
        })
    }
}

/// The members that a payload may have.
#[derive(Clone, Copy)]
enum Name {
    Iss,
    Aud,
    Iat,
    Publisher,
    OnBehalfOf,
    Seq,
    Prev,
    Type,
    Version,
    Data,
    SdAlg,
}

impl Name {
    const TEXTS: [&'static str; 11] = [
        "iss",
        "aud",
        "iat",
        "publisher",
        "on_behalf_of",
        "seq",
        "prev",
        "type",
        "version",
        "data",
        "_sd_alg",
    ];

    const fn text(self) -> &'static str {
        Self::TEXTS[self as usize]
    }
}

/// A payload's members, each in the place of its name.
struct Named<'d>([Option<ValueRef<'d>>; Name::TEXTS.len()]);

impl<'d> Named<'d> {
    fn of(members: Members<'d>) -> Result<Self, StatementError> {
        let mut named = [None; Name::TEXTS.len()];
        for (name, value) in members.iter() {
            let place = Name::TEXTS.iter().position(|known| *known == name);
            named[place.ok_or(StatementError::PayloadMemberUnknown)?] = Some(value);
        }
        Ok(Self(named))
    }

    const fn get(&self, name: Name) -> Option<ValueRef<'d>> {
        self.0[name as usize]
    }

    fn need(&self, name: Name) -> Result<ValueRef<'d>, StatementError> {
        self.get(name).ok_or(StatementError::PayloadMemberMissing { member: name.text() })
    }

    fn text(&self, name: Name) -> Result<&'d str, StatementError> {
        self.need(name)?.as_str().ok_or_else(|| bad(name.text(), "a string"))
    }

    fn integer(&self, name: Name) -> Result<i64, StatementError> {
        let number = self.need(name)?.as_integer().ok_or_else(|| bad(name.text(), "an integer"))?;
        if number < 0 { Err(bad(name.text(), "no negative number")) } else { Ok(number) }
    }

    fn hash(&self, name: Name) -> Result<Hash, StatementError> {
        Hash::parse(self.text(name)?).map_err(|_| bad(name.text(), "base64url of 32 bytes"))
    }

    fn agency(&self, name: Name) -> Result<AgencyCode, StatementError> {
        AgencyCode::parse(self.text(name)?).map_err(|_| bad(name.text(), "an agency code, scheme:code"))
    }
}

fn bad(member: &'static str, expected: &'static str) -> StatementError {
    StatementError::PayloadMemberBad { member, expected }
}
