//! What a reader gets of the log: entries with what can still be read of their statements.

use std::collections::BTreeMap;
use std::fmt;

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::entry::Entry;
use gt_core::statement::{Data, Disclosure, EventType, PublisherId};
use serde_json::{Map, Value};

use crate::values::{Clear as _, to_serde};

/// An owner's opaque id: l(0), the name of its first link. It is in the log already, means nothing without the owner's link key, and
/// comes out the same at every rebuild.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId([u8; 16]);

/// A place's or other context's opaque id: an HMAC under the keyring's index key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId([u8; 16]);

/// One entry with what can be read of it.
///
/// `C` is what holds the members in the clear, and `V` what holds what a disclosure says: values of `serde_json`'s own, or what a
/// [`SignedRecord`] has.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<C = Map<String, Value>, V = Value> {
    /// The entry.
    pub entry: Entry,
    /// Who published the statement.
    pub publisher: PublisherId,
    /// The statement's number in its publisher's chain.
    pub seq: u64,
    /// The statement's event type.
    pub event_type: EventType,
    /// The statement, unless its record key is gone.
    pub statement: Option<OpenStatement<C, V>>,
}

/// A record that holds what was said as it was signed: parsed, and not taken apart. Of a disclosure that was not wanted there is nothing.
pub type SignedRecord = Record<Data, Option<Disclosure>>;

/// A statement with the disclosures that can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenStatement<C = Map<String, Value>, V = Value> {
    /// The agency that speaks.
    pub iss: AgencyCode,
    /// The agency in whose name it speaks, if not its own.
    pub on_behalf_of: Option<AgencyCode>,
    /// When it was signed, in seconds since the Unix epoch.
    pub iat: i64,
    /// The version of the event type's schema.
    pub version: u16,
    /// The members in the clear.
    pub clear: C,
    /// The disclosed members that can be read. A member may be absent: kept at home, or its owner's keys are gone.
    pub disclosed: BTreeMap<String, Vec<OpenElement<V>>>,
    /// The members that the publisher keeps at home.
    pub kept: Vec<String>,
    /// The primary owner (the child, else the person named, else the agency), while its keys live.
    pub primary: Option<OwnerId>,
}

impl<C, V> OpenStatement<C, V> {
    /// The agency whose words they are: the one in whose name it is spoken, if that is another one.
    pub fn speaker(&self) -> &AgencyCode {
        self.on_behalf_of.as_ref().unwrap_or(&self.iss)
    }
}

/// One disclosed element.
#[derive(Clone, PartialEq)]
pub struct OpenElement<V = Value> {
    /// To whom it belongs.
    pub owner: OwnerId,
    /// Its position in its member's list.
    pub element: usize,
    /// What it says; where its value was not wanted `null`, or nothing in a [`SignedRecord`].
    pub value: V,
}

impl SignedRecord {
    /// The same in values of `serde_json`'s own.
    pub fn into_values(self) -> Record {
        let Self { entry, publisher, seq, event_type, statement } = self;
        let statement = statement.map(OpenStatement::into_values);
        Record { entry, publisher, seq, event_type, statement }
    }
}

impl OpenStatement<Data, Option<Disclosure>> {
    fn into_values(self) -> OpenStatement {
        let Self { iss, on_behalf_of, iat, version, clear, disclosed, kept, primary } = self;
        let disclosed = disclosed
            .into_iter()
            .map(|(name, elements)| (name, elements.into_iter().map(OpenElement::into_value).collect()));
        let (clear, disclosed) = (clear.to_map(), disclosed.collect());
        OpenStatement { iss, on_behalf_of, iat, version, clear, disclosed, kept, primary }
    }
}

impl OpenElement<Option<Disclosure>> {
    fn into_value(self) -> OpenElement {
        let Self { owner, element, value } = self;
        let value = value.map_or(Value::Null, |disclosure| to_serde(disclosure.value()));
        OpenElement { owner, element, value }
    }
}

/// What both kinds of opaque id have: 16 bytes, shown as 22 characters of base64url.
macro_rules! opaque_id {
    ($name:ident) => {
        impl $name {
            /// Takes the 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Parses 22 characters of base64url.
            pub fn parse(text: &str) -> Option<Self> {
                base64url::decode_array(text).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base64url::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

opaque_id!(OwnerId);
opaque_id!(ContextId);

/// Says that there is a value and not what it is.
impl<V> fmt::Debug for OpenElement<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenElement").field("owner", &self.owner).finish_non_exhaustive()
    }
}
