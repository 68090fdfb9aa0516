//! Patterns: rules across records that ask a person to look (DOMAIN section 5). Nothing is decided by them.
//!
//! A pattern is one file: its rule, what it says, and its tests. It is a pure function of the events that stand; it has
//! no clock, and the order in which events came means nothing to it. What depends on time passing (nobody held an
//! interview within 72 hours) is found as soon as the clock has started, with the moment at which it becomes true.
//! Whoever asks compares that with the time at which he asks, so a rebuild finds what was found then.
//!
//! Each pattern says in its file what its alerts' ids are anchored to. Most are anchored to a statement, so an alert
//! keeps its id when the child turns out to have another identifier too.

mod basis_missing;
mod child;
mod consent_reliance;
mod long_missing;
mod many_authorities;
mod moved_unshared;
mod repeat_missing;
mod request_unanswered;
mod rhi_overdue;
mod run;
mod sentence;
mod shared_context;
mod shared_person;
mod silent_edge;
mod slow_share;
mod withheld_then_harm;

use gt_schemas::Thresholds;
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use basis_missing::{alert_of_agreement, of_agreement};
pub(crate) use child::{ChildScene, Parts, Patterns, of_child};
pub(crate) use consent_reliance::{find as consent_reliance, is_reached as is_reached_by_consent};
pub(crate) use request_unanswered::requests;
pub(crate) use shared_context::find as shared_context;
pub(crate) use shared_person::find as shared_person;
pub(crate) use silent_edge::{Meeting, find as silent_edge};

use crate::event::StatementRef;
use crate::subject::Subject;

/// A pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// One child goes missing again and again.
    RepeatMissing,
    /// One absence goes on and on.
    LongMissing,
    /// Nobody held a return home interview in time.
    RhiOverdue,
    /// Several children are linked to one place or other context.
    SharedLocation,
    /// Several children are linked to one person of concern.
    SharedPerson,
    /// Many authorities hold a part of one child's story.
    ManyAuthorities,
    /// A child moved, and nobody told the new authority.
    MovedUnshared,
    /// A request was not answered in time.
    RequestUnanswered,
    /// Information was withheld, and harm followed.
    WithheldThenHarm,
    /// A decision lacks its legal basis, or rests on one that nobody has reviewed.
    BasisMissing,
    /// An agency relies on consent for much of what it shares.
    ConsentReliance,
    /// It took long from knowing to sharing.
    SlowShare,
    /// Two agencies know the same children, and one has never shared with the other.
    SilentEdge,
}

impl Pattern {
    /// Every pattern, in the order of DOMAIN section 5.
    pub const ALL: [Self; 13] = [
        Self::RepeatMissing,
        Self::LongMissing,
        Self::RhiOverdue,
        Self::SharedLocation,
        Self::SharedPerson,
        Self::ManyAuthorities,
        Self::MovedUnshared,
        Self::RequestUnanswered,
        Self::WithheldThenHarm,
        Self::BasisMissing,
        Self::ConsentReliance,
        Self::SlowShare,
        Self::SilentEdge,
    ];

    /// The name, as in alerts and subjects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RepeatMissing => "repeat-missing",
            Self::LongMissing => "long-missing",
            Self::RhiOverdue => "rhi-overdue",
            Self::SharedLocation => "shared-location",
            Self::SharedPerson => "shared-person",
            Self::ManyAuthorities => "many-authorities",
            Self::MovedUnshared => "moved-unshared",
            Self::RequestUnanswered => "request-unanswered",
            Self::WithheldThenHarm => "withheld-then-harm",
            Self::BasisMissing => "basis-missing",
            Self::ConsentReliance => "consent-reliance",
            Self::SlowShare => "slow-share",
            Self::SilentEdge => "silent-edge",
        }
    }

    /// The pattern of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pattern| pattern.as_str() == name)
    }

    /// The version of the rule. Another version gives other ids.
    pub const fn version(self) -> u16 {
        1
    }

    /// The thresholds that the pattern uses, by name, as the configuration has them.
    pub fn thresholds(self, thresholds: &Thresholds) -> Value {
        let all = json!(thresholds);
        let name = match self {
            Self::SharedLocation => "shared_location".to_owned(),
            other => other.as_str().replace('-', "_"),
        };
        all[name].clone()
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that a pattern finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) pattern: Pattern,
    /// What the alert's id is made of, besides the pattern and its version.
    pub(crate) anchor: Vec<u8>,
    pub(crate) about: Subject,
    /// When it becomes true, if that takes time to pass.
    pub(crate) due: Option<i64>,
    /// The event times of the first and the last event.
    pub(crate) window: (i64, i64),
    /// The entries behind it, sorted.
    pub(crate) entries: Vec<u64>,
    pub(crate) sentence: String,
}

/// An anchor at a statement.
fn at_statement(statement: StatementRef) -> Vec<u8> {
    statement.0.to_vec()
}

/// Sorted, each once.
fn sorted(entries: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut entries: Vec<u64> = entries.into_iter().collect();
    entries.sort_unstable();
    entries.dedup();
    entries
}

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A number of hours or days from the configuration, in milliseconds.
fn span(number: u32, unit: i64) -> i64 {
    i64::from(number) * unit
}
