//! What the views keep of an event.

mod reading;

use std::collections::BTreeMap;

use gt_core::Hash;
use gt_ledger::record::{ContextId, OwnerId};
use serde::{Deserialize, Serialize};

pub(crate) use reading::{Reading, read};

use crate::notation::{self, Opaque};

/// Gives places and other contexts their opaque ids.
///
/// The ids are HMACs under the ledger's index key, which this crate must not know. The same reference MUST always get
/// the same id, or a rebuild would come out differently.
pub trait ContextNaming {
    /// The opaque id of the context with this pseudonym.
    fn context_id(&self, reference: &str) -> ContextId;
}

/// The first 16 bytes of a statement's hash: enough to find it again, and public, for it stands in the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StatementRef(pub(crate) [u8; 16]);

/// An event as the views keep it. The members' stored names are short because there is a row for each event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewEvent {
    #[serde(rename = "i")]
    pub(crate) index: u64,
    #[serde(rename = "r")]
    pub(crate) received_at: i64,
    #[serde(rename = "a")]
    pub(crate) agency: String,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_behalf_of: Option<String>,
    #[serde(rename = "s", with = "notation::opaque")]
    pub(crate) statement: StatementRef,
    /// The statement that this one replaces (`refs.supersedes`), if it is named by its hash.
    #[serde(
        rename = "x",
        default,
        skip_serializing_if = "Option::is_none",
        with = "notation::opaque_or_null"
    )]
    pub(crate) supersedes: Option<StatementRef>,
    #[serde(rename = "c", with = "notation::opaque")]
    pub(crate) child: OwnerId,
    /// `times.occurred_at` in milliseconds; none where the times are kept at home or can no longer be read.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) occurred_at: Option<i64>,
    #[serde(rename = "f")]
    pub(crate) facts: Facts,
}

/// What an event says, by type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Facts {
    #[serde(rename = "d")]
    Decision(DecisionFacts),
    #[serde(rename = "m")]
    MissingStarted(StartFacts),
    #[serde(rename = "e")]
    MissingEnded(EndFacts),
    #[serde(rename = "c")]
    ContextLinked(LinkFacts),
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DecisionFacts {
    /// The clear codes that the views keep, by name.
    pub(crate) codes: BTreeMap<String, String>,
    pub(crate) emergency: bool,
    pub(crate) recipients: Vec<String>,
    /// The times that the views keep besides `occurred_at`, by name, in milliseconds.
    pub(crate) times: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartFacts {
    pub(crate) kind: MissingKind,
    pub(crate) from: Option<String>,
    pub(crate) risk: Option<String>,
}

/// Missing is the graver: where two agencies call the same absence by both names, it is `Missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum MissingKind {
    AwayWithoutAuthorisation,
    Missing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndFacts {
    pub(crate) harm_suspected: bool,
    /// The `missing.started` statement that it ends, if the reference is a statement's hash.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "notation::opaque_or_null")]
    pub(crate) of: Option<StatementRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkFacts {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "notation::opaque_or_null")]
    pub(crate) context: Option<ContextId>,
    pub(crate) kind: Option<String>,
    pub(crate) risk: Option<String>,
}

impl ViewEvent {
    /// Where it stands in lists by time: when it happened, or when it was received if nobody can say.
    pub(crate) fn listed_at(&self) -> i64 {
        self.occurred_at.unwrap_or(self.received_at)
    }

    /// The agency whose statement it is: a publisher may speak for another.
    pub(crate) fn speaker(&self) -> &str {
        self.on_behalf_of.as_deref().unwrap_or(&self.agency)
    }
}

impl Facts {
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Decision(_) => "decision.recorded",
            Self::MissingStarted(_) => "missing.started",
            Self::MissingEnded(_) => "missing.ended",
            Self::ContextLinked(_) => "context.linked",
        }
    }

    /// The few codes that a timeline shows.
    pub(crate) fn codes(&self) -> BTreeMap<String, String> {
        let listed: Vec<(&str, Option<&str>)> = match self {
            Self::Decision(facts) => {
                ["decision", "trigger", "harm_level"].map(|name| (name, facts.code(name))).into()
            }
            Self::MissingStarted(start) => vec![
                ("kind", Some(start.kind.as_str())),
                ("from", start.from.as_deref()),
                ("risk", start.risk.as_deref()),
            ],
            Self::MissingEnded(end) => vec![("harm_suspected", end.harm_suspected.then_some("Yes"))],
            Self::ContextLinked(link) => vec![("kind", link.kind.as_deref()), ("risk", link.risk.as_deref())],
        };
        listed.into_iter().filter_map(|(name, code)| Some((name.to_owned(), code?.to_owned()))).collect()
    }
}

impl DecisionFacts {
    pub(crate) fn code(&self, name: &str) -> Option<&str> {
        self.codes.get(name).map(String::as_str)
    }
}

impl MissingKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AwayWithoutAuthorisation => "AwayWithoutAuthorisation",
            Self::Missing => "Missing",
        }
    }
}

impl StatementRef {
    pub(crate) fn of(hash: &Hash) -> Self {
        let (start, _) = hash.as_bytes().split_first_chunk().expect("a hash has more than 16 bytes");
        Self(*start)
    }

    /// An agency's own reference is no statement's hash, and the views do not keep it.
    fn parse(text: &str) -> Option<Self> {
        Hash::parse(text).ok().map(|hash| Self::of(&hash))
    }
}

impl Opaque for StatementRef {
    fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Opaque for OwnerId {
    fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from_bytes(bytes)
    }

    fn bytes(&self) -> &[u8; 16] {
        self.as_bytes()
    }
}

impl Opaque for ContextId {
    fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from_bytes(bytes)
    }

    fn bytes(&self) -> &[u8; 16] {
        self.as_bytes()
    }
}
