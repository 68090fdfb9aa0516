//! What is on record about one child, and which of it each pattern looks at.
//!
//! Most entries leave most patterns as they were: where a child was moved, no absence has become longer. So a pattern is looked at
//! when a part of the record has changed that it reads, and of the patterns that judge decisions one by one only the
//! decision that is new.

use std::cell::OnceCell;

use gt_ledger::record::OwnerId;
use gt_schemas::{Configuration, Event};

use super::{
    Finding, Pattern, basis_missing, long_missing, many_authorities, moved_unshared, repeat_missing,
    request_unanswered, rhi_overdue, slow_share, withheld_then_harm,
};
use crate::decision::{self, ChildRecord, Decided};
use crate::event::ViewEvent;
use crate::missing::{self, Episode};
use crate::subject::Subject;

/// Parts of what is on record about a child.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parts(u8);

impl Parts {
    /// What no pattern reads.
    pub(crate) const NONE: Self = Self(0);
    const ABSENCES: Self = Self(1);
    const INTERVIEWS: Self = Self(1 << 1);
    const MOVES: Self = Self(1 << 2);
    const REQUESTS: Self = Self(1 << 3);
    const HARM: Self = Self(1 << 4);
    /// What bears on the findings of decisions.
    const CONSENTS: Self = Self(1 << 5);
    const DECISIONS: Self = Self(1 << 6);
    /// Of the decisions the one that is new: all others are as they were.
    const NEW_DECISION: Self = Self(1 << 7);
    /// All of it.
    pub(crate) const ALL: Self = Self(0x7f);

    /// What changes with an event that is new.
    pub(crate) const fn of(event: &Event) -> Self {
        match event {
            Event::MissingStarted(_) | Event::MissingEnded(_) => Self::ABSENCES,
            Event::RhiHeld(_) | Event::RhiDeclined(_) => Self::INTERVIEWS,
            Event::ChildMoved(_) | Event::PlacementStarted(_) => Self::MOVES,
            Event::RequestReceived(_) | Event::RequestAnswered(_) | Event::RequestRefused(_) => {
                Self::REQUESTS
            }
            Event::HarmRecorded(_) => Self::HARM,
            Event::ConsentGiven(_)
            | Event::ConsentRefused(_)
            | Event::ConsentWithdrawn(_)
            | Event::DecisionReviewed(_) => Self::CONSENTS,
            Event::DecisionCorrected(_) => Self::DECISIONS,
            Event::DecisionRecorded(_) => Self::NEW_DECISION,
            _ => Self::NONE,
        }
    }

    /// What changes with an event that no longer counts.
    pub(crate) const fn without(event: &Event) -> Self {
        match Self::of(event) {
            Self::NEW_DECISION => Self::DECISIONS,
            parts => parts,
        }
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Some of the patterns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Patterns(u16);

impl Patterns {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u16::MAX);

    pub(crate) const fn contains(self, pattern: Pattern) -> bool {
        self.0 & 1 << pattern as u16 != 0
    }

    const fn add(&mut self, pattern: Pattern) {
        self.0 |= 1 << pattern as u16;
    }
}

/// What stands about one child, whatever its identifiers. What is worked out of it is worked out when it is first asked for.
pub(crate) struct ChildScene<'e> {
    /// The least of the child's opaque ids.
    child: OwnerId,
    /// Sorted by time, and by statement within one.
    pub(super) events: Vec<(i64, &'e ViewEvent)>,
    /// Requests that were replaced. They count no longer, but what names one of them means the request that replaced it.
    pub(super) replaced_requests: Vec<&'e ViewEvent>,
    decisions: OnceCell<Vec<Decided<'e>>>,
    record: OnceCell<ChildRecord>,
    episodes: OnceCell<Vec<Episode>>,
}

impl<'e> ChildScene<'e> {
    /// Of events that stand and are sorted by time, and by statement within one, and the requests among those that were replaced.
    pub(crate) fn new(
        child: OwnerId,
        events: Vec<(i64, &'e ViewEvent)>,
        replaced_requests: Vec<&'e ViewEvent>,
    ) -> Self {
        let (decisions, record, episodes) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { child, events, replaced_requests, decisions, record, episodes }
    }

    pub(super) const fn about(&self) -> Subject {
        Subject::Child(self.child)
    }

    /// The decisions, each as corrected.
    pub(crate) fn decisions(&self) -> &[Decided<'e>] {
        self.decisions.get_or_init(|| decision::decisions(&self.events))
    }

    /// What bears on the findings of decisions.
    pub(crate) fn record(&self) -> &ChildRecord {
        self.record.get_or_init(|| ChildRecord::of(&self.events))
    }

    pub(super) fn episodes(&self) -> &[Episode] {
        self.episodes.get_or_init(|| missing::episodes(self.events.iter().copied()))
    }
}

type ByRecord = fn(&ChildScene<'_>, &Configuration) -> Vec<Finding>;
type ByDecision = fn(&ChildScene<'_>, &[Decided<'_>], &Configuration) -> Vec<Finding>;

/// The patterns that look at the record as a whole, each with that of which its findings begin (where there is none of it, there are no
/// findings), and what else it reads.
const BY_RECORD: [(Pattern, Parts, Parts, ByRecord); 6] = [
    (Pattern::RepeatMissing, Parts::ABSENCES, Parts::NONE, repeat_missing::find),
    (Pattern::LongMissing, Parts::ABSENCES, Parts::NONE, long_missing::find),
    (Pattern::RhiOverdue, Parts::ABSENCES, Parts::INTERVIEWS, rhi_overdue::find),
    (Pattern::ManyAuthorities, Parts::MOVES, Parts::NONE, many_authorities::find),
    (Pattern::MovedUnshared, Parts::MOVES, Parts::DECISIONS, moved_unshared::find),
    (Pattern::RequestUnanswered, Parts::REQUESTS, Parts::DECISIONS, request_unanswered::find),
];

/// The patterns that judge each decision by itself, each with what it reads besides.
const BY_DECISION: [(Pattern, Parts, ByDecision); 3] = [
    (Pattern::WithheldThenHarm, Parts::HARM, withheld_then_harm::find),
    (Pattern::BasisMissing, Parts::CONSENTS, basis_missing::find),
    (Pattern::SlowShare, Parts::NONE, slow_share::find),
];

/// What the patterns find that may find something else now that these parts have changed, and which of them have found all that
/// there is; the others have found what there is about the decision that is new, whose entry is `new`.
pub(crate) fn of_child(
    scene: &ChildScene<'_>,
    changed: Parts,
    new: u64,
    rules: &Configuration,
) -> (Patterns, Vec<Finding>) {
    let (mut whole, mut found) = (Patterns::NONE, Vec::new());
    let has_new = changed.meets(Parts::NEW_DECISION);
    let there = scene.events.iter().fold(Parts::NONE, |all, (_, event)| all.and(Parts::of(&event.event)));
    for (pattern, begins, reads, find) in &BY_RECORD {
        let by_new = has_new && reads.meets(Parts::DECISIONS) && there.meets(*begins);
        if by_new || changed.meets(begins.and(*reads)) {
            whole.add(*pattern);
            found.extend(find(scene, rules));
        }
    }
    for (pattern, reads, find) in &BY_DECISION {
        if changed.meets(reads.and(Parts::DECISIONS)) {
            whole.add(*pattern);
            found.extend(find(scene, scene.decisions(), rules));
        } else if has_new {
            let new = scene.decisions().iter().filter(|one| one.event.index == new);
            found.extend(find(scene, &new.cloned().collect::<Vec<_>>(), rules));
        }
    }
    (whole, found)
}
