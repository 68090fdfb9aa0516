//! Information sharing agreements, their reviews, and how much relies on them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use gt_core::agency::AgencyCode;
use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::ContextId;
use gt_schemas::{AgreementRegistered, Configuration, Event, Time};
use serde::Serialize;

use super::units::Units;
use super::{Answer, Page, Queries, QueryError, Snapshot};
use crate::event::ViewEvent;
use crate::history::History;
use crate::key;
use crate::notation::{self, moment};
use crate::share;
use crate::subject::Unit;

/// Which agreements. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgreementFilter {
    /// This one, by its opaque id.
    pub agreement: Option<ContextId>,
    /// To which this agency is a party.
    pub agency: Option<AgencyCode>,
    /// Due for review then or earlier.
    pub review_before: Option<Timestamp>,
    /// Whether the review is overdue.
    pub overdue: Option<bool>,
}

/// The order of agreements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AgreementSort {
    /// The one whose review is due first; those that have ended come last.
    #[default]
    Review,
    /// The one on which the most shares rely first.
    Shares,
    /// The one that was registered first.
    Registered,
}

/// An information sharing agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgreementRow {
    /// The agreement, by the opaque id of its reference, or else of its registration.
    #[serde(serialize_with = "notation::text")]
    pub agreement: ContextId,
    /// What kind of agreement it is.
    pub kind: &'static str,
    /// The agencies that concluded it.
    pub parties: Vec<String>,
    /// When it was concluded.
    #[serde(serialize_with = "notation::text")]
    pub registered_at: Timestamp,
    /// When it was last reviewed.
    #[serde(serialize_with = "notation::text_or_null")]
    pub reviewed_at: Option<Timestamp>,
    /// When its next review is due, as was said last.
    #[serde(serialize_with = "notation::text_or_null")]
    pub next_review_at: Option<Timestamp>,
    /// By when it is to be reviewed: as was said, but no later than the months of pattern `basis-missing` after the last word. None
    /// once it has ended.
    #[serde(serialize_with = "notation::text_or_null")]
    pub review_due_at: Option<Timestamp>,
    /// Whether that time is over.
    pub review_overdue: bool,
    /// When it ended.
    #[serde(serialize_with = "notation::text_or_null")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub end: Option<&'static str>,
    /// How many shares rely on it.
    pub shares: usize,
    /// The entries behind it, sorted; those that were replaced too.
    #[serde(serialize_with = "notation::indexes")]
    pub entries: Vec<LeafIndex>,
}

/// One agreement's events, under every name by which it goes.
struct Agreement {
    /// Its reference comes before the hash of its registration.
    names: Vec<ContextId>,
    events: BTreeMap<u64, ViewEvent>,
}

impl Queries {
    /// Agreements that were registered. All of them, and the shares that rely on them, are read for a page.
    pub fn agreements(
        &self,
        filter: &AgreementFilter,
        sort: AgreementSort,
        page: &Page,
    ) -> Result<Answer<AgreementRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let rules = self.rules_of(page, &snapshot)?;
        let mut rows = Vec::new();
        for agreement in snapshot.registered()? {
            let named = filter.agreement.is_none_or(|wanted| agreement.names.contains(&wanted));
            if named && let Some(row) = snapshot.agreement(&agreement, &rules)? {
                rows.extend(Some(row).filter(|row| filter.takes(row)));
            }
        }
        let ended = |row: &AgreementRow| (row.review_due_at.is_none(), row.review_due_at);
        match sort {
            AgreementSort::Review => rows.sort_by_key(|row| (ended(row), row.registered_at)),
            AgreementSort::Shares => rows.sort_by_key(|row| (Reverse(row.shares), row.registered_at)),
            AgreementSort::Registered => rows.sort_by_key(|row| row.registered_at),
        }
        snapshot.page_of(rows, page)
    }
}

impl Snapshot {
    /// All agreements of which something is in sight. One that goes by its reference and by its registration's hash is one.
    fn registered(&self) -> Result<Vec<Agreement>, QueryError> {
        let histories = self.all_units(&Units::agreements(), |unit, _| {
            let Unit::Agreement(id) = unit else { return Ok((None, 0)) };
            Ok((Some((*id, History::load(&self.store, unit, self.horizon.size)?)), 0))
        })?;
        let mut agreements: Vec<Agreement> = Vec::new();
        for (id, history) in histories {
            let in_sight = history.events().iter().filter(|event| self.horizon.covers(event.mark()));
            let mut found = Agreement {
                names: vec![id],
                events: in_sight.map(|event| (event.index, event.clone())).collect(),
            };
            let same = |other: &Agreement| other.events.keys().any(|index| found.events.contains_key(index));
            let (joined, apart): (Vec<_>, Vec<_>) = agreements.into_iter().partition(same);
            for other in joined {
                found.names.extend(other.names);
                found.events.extend(other.events);
            }
            agreements = apart;
            agreements.push(found);
        }
        for agreement in &mut agreements {
            let by_reference: BTreeSet<ContextId> =
                agreement.events.values().filter_map(|event| event.refs.agreement).collect();
            agreement.names.sort_by_key(|name| (!by_reference.contains(name), *name));
        }
        Ok(agreements)
    }

    fn agreement(
        &self,
        agreement: &Agreement,
        rules: &Configuration,
    ) -> Result<Option<AgreementRow>, QueryError> {
        let mut told = Told::default();
        let mut events: Vec<&ViewEvent> = agreement.events.values().collect();
        events.sort_unstable_by_key(|event| (event.listed_at(), event.statement));
        for event in &events {
            told.tell(event, event.stands(self.horizon));
        }
        let Some((kind, parties, registered_at)) = told.registered() else { return Ok(None) };
        let mut relying = BTreeSet::new();
        for name in &agreement.names {
            let prefix = key::shares(&Unit::Agreement(*name));
            relying.extend(share::load(&self.store, &prefix, self.horizon)?.into_keys());
        }
        let due = told.review_due(rules).filter(|_| told.end.is_none());
        Ok(Some(AgreementRow {
            agreement: agreement.names[0],
            kind,
            parties,
            registered_at: moment(registered_at),
            reviewed_at: told.reviewed_at.map(moment),
            next_review_at: told.next_review_at.map(moment),
            review_due_at: due.map(moment),
            review_overdue: due.is_some_and(|due| due < self.horizon.until),
            ended_at: told.end.map(|(time, _)| moment(time)),
            end: told.end.map(|(_, kind)| kind),
            shares: relying.len(),
            entries: agreement.events.keys().copied().map(LeafIndex).collect(),
        }))
    }
}

/// What the events of an agreement say, told by time.
#[derive(Default)]
struct Told<'e> {
    /// When it was first registered.
    first: Option<i64>,
    /// The last registration that stands, or else the last that was replaced: a review may replace it.
    standing: Option<&'e AgreementRegistered>,
    replaced: Option<&'e AgreementRegistered>,
    reviewed_at: Option<i64>,
    next_review_at: Option<i64>,
    /// The last word.
    last: Option<i64>,
    end: Option<(i64, &'static str)>,
}

impl<'e> Told<'e> {
    fn tell(&mut self, event: &'e ViewEvent, stands: bool) {
        let time = event.listed_at();
        if let Event::AgreementRegistered(registered) = &event.event {
            self.first.get_or_insert(time);
            if stands {
                self.standing = Some(registered);
            } else {
                self.replaced = Some(registered);
            }
        }
        if !stands {
            return;
        }
        let next = |times: Option<&gt_schemas::AgreementTimes>| {
            times.and_then(|times| times.next_review_at).map(Time::as_millis)
        };
        match &event.event {
            Event::AgreementRegistered(registered) => {
                self.next_review_at = next(registered.times.as_ref());
                self.end = None;
            }
            Event::AgreementReviewed(review) => {
                self.reviewed_at = Some(time);
                self.next_review_at = next(review.times.as_ref());
                self.end = None;
            }
            Event::AgreementEnded(end) => self.end = Some((time, end.kind.as_str())),
            _ => return,
        }
        self.last = Some(time);
    }

    fn registered(&self) -> Option<(&'static str, Vec<String>, i64)> {
        let registered = self.standing.or(self.replaced)?;
        let parties = registered.parties.iter().map(|party| party.as_str().to_owned()).collect();
        Some((registered.kind.as_str(), parties, self.first?))
    }

    /// By when it is to be reviewed.
    fn review_due(&self, rules: &Configuration) -> Option<i64> {
        let months = rules.thresholds.basis_missing.review_months;
        let last = self.last.and_then(Time::from_millis);
        let at_latest = last.map(|last| rules.calendar.add_months(last, months).as_millis());
        self.next_review_at.into_iter().chain(at_latest).min()
    }
}

impl AgreementFilter {
    fn takes(&self, row: &AgreementRow) -> bool {
        self.agency.as_ref().is_none_or(|agency| row.parties.iter().any(|party| party == agency.as_str()))
            && self.review_before.is_none_or(|time| row.review_due_at.is_some_and(|due| due <= time))
            && self.overdue.is_none_or(|overdue| row.review_overdue == overdue)
    }
}
