//! Who looked at a child's record; and what decides on who may: restrictions, approvals, and which agencies an entry concerns.

use std::collections::{BTreeMap, BTreeSet};

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::{AccessPurpose, AccessRole, AccessedKind, Event, RestrictionGround};
use serde::Serialize;

use super::{Answer, DecisionFilter, Page, Queries, QueryError, Snapshot};
use crate::event::ViewEvent;
use crate::history::{History, load_event};
use crate::key;
use crate::notation::{self, moment};
use crate::store::Rows as _;
use crate::subject::Unit;

/// Somebody looked at a child's record, or was allowed to. Who it was is text, which views do not hold: the entry has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessRow {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The child, by the opaque id under which it was recorded.
    #[serde(serialize_with = "notation::text_or_null")]
    pub child: Option<OwnerId>,
    /// `record.accessed`, or `access.approved`.
    #[serde(rename = "type")]
    pub event_type: &'static str,
    /// As what.
    pub role: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// What kind of thing.
    pub what: &'static str,
    /// Whether it went beyond the usual rights.
    pub break_glass: bool,
    /// How many records were read; none where that is not said.
    pub records: Option<u64>,
    /// Until when an approval holds.
    #[serde(serialize_with = "notation::text_or_null")]
    pub expires_at: Option<Timestamp>,
    /// When it happened, if that can be read.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// The agency that signed it: the ledger itself, or an agency whose own system keeps count.
    pub agency: String,
}

/// Somebody was allowed to read a child's record beyond the usual rights. Who it was, the entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// The entry.
    pub index: LeafIndex,
    /// As what.
    pub role: AccessRole,
    /// What for.
    pub purpose: AccessPurpose,
    /// What kind of thing.
    pub what: AccessedKind,
    /// Until when it holds; none that says no end is in force.
    pub expires_at: Timestamp,
    /// Whether the ledger itself sealed it.
    pub by_the_ledger: bool,
}

/// Whom an entry concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntrySubject {
    /// The child that it is about.
    pub child: Option<OwnerId>,
    /// The people whose identifiers it joins or parts: it is about no other child.
    pub identified: Vec<OwnerId>,
    /// The agencies whose statement it is: who signed, and in whose name.
    pub agencies: BTreeSet<String>,
    /// The agencies with which a decision to share, as corrected, shares.
    pub shared_with: BTreeSet<String>,
}

impl Queries {
    /// Who looked at a child's record, under all its identifiers, in the order of the log.
    pub fn accesses(&self, child: &OwnerId, page: &Page) -> Result<Answer<AccessRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let histories = snapshot.histories(*child, Unit::Accesses)?;
        let mut events: Vec<&ViewEvent> = histories
            .iter()
            .flat_map(History::events)
            .filter(|event| snapshot.horizon.covers(event.mark()))
            .collect();
        events.sort_unstable_by_key(|event| event.index);
        let chosen = snapshot.page_of(events, page)?;
        let items = chosen.items.into_iter().filter_map(row).collect();
        Ok(snapshot.answer(page, items, chosen.next))
    }

    /// What allows somebody to read this child's record beyond the usual rights, whoever it is, unless it ended before `now`.
    pub fn approvals(&self, child: &OwnerId, now: Timestamp) -> Result<Vec<Approval>, QueryError> {
        let snapshot = self.snapshot(&Page::default())?;
        let histories = snapshot.histories(*child, Unit::Accesses)?;
        let events = histories.iter().flat_map(History::events);
        Ok(events.filter_map(approval).filter(|approval| approval.expires_at > now).collect())
    }

    /// The children whose records are restricted, under all their identifiers: of what an agency said of a child on one ground, the latest by
    /// event time holds. So no agency releases what another one has restricted, nor on one ground what is restricted on another. A release
    /// that is dated later than `now`, or was replaced, releases nothing, and whatever it names as replaced goes on; a restriction holds from
    /// when it is known. In doubt the record stays closed, as for erasure.
    pub fn restricted_children(&self, now: Timestamp) -> Result<BTreeSet<OwnerId>, QueryError> {
        let snapshot = self.snapshot(&Page::default())?;
        let history = History::load(&snapshot.store, &Unit::Restrictions, snapshot.horizon.size)?;
        let mut latest: BTreeMap<(OwnerId, &str, RestrictionGround), (i64, u64, bool)> = BTreeMap::new();
        for event in history.events() {
            let Some(child) = event.child else { continue };
            let (ground, restricts) = match &event.event {
                Event::RecordRestricted(restricted) => (restricted.ground, true),
                Event::RecordReleased(released) => (released.ground, false),
                _ => continue,
            };
            if !restricts && (event.superseded.is_some() || event.listed_at() > now.as_millis()) {
                continue;
            }
            let said = (event.listed_at(), event.index, restricts);
            let known = latest.entry((snapshot.least(child)?, event.speaker(), ground)).or_insert(said);
            *known = said.max(*known);
        }
        let mut children = BTreeSet::new();
        for ((child, ..), (_, _, restricted)) in latest {
            if restricted {
                children.extend(snapshot.group(child)?);
            }
        }
        Ok(children)
    }

    /// Everybody who is the same person as one of these; or, where the page is of an earlier state of the ledger, was so then.
    pub fn same_persons(
        &self,
        persons: impl IntoIterator<Item = OwnerId>,
        page: &Page,
    ) -> Result<BTreeSet<OwnerId>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let mut all = BTreeSet::new();
        for person in persons {
            all.extend(snapshot.group(person)?);
        }
        Ok(all)
    }

    /// Whether this agency has said something about the child, or was among those with whom something was shared.
    pub fn agency_knows(&self, agency: &str, child: &OwnerId) -> Result<bool, QueryError> {
        let snapshot = self.snapshot(&Page::default())?;
        for history in snapshot.histories(*child, Unit::Child)? {
            for event in history.events().iter().filter(|event| snapshot.horizon.covers(event.mark())) {
                if snapshot.subject(event)?.concerns(agency) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whom the entry concerns; none if the views have no event of it.
    pub fn entry_subject(&self, index: LeafIndex) -> Result<Option<EntrySubject>, QueryError> {
        let snapshot = self.snapshot(&Page::default())?;
        if index.0 >= snapshot.horizon.size || snapshot.store.get(&key::event(index.0))?.is_none() {
            return Ok(None);
        }
        snapshot.subject(&load_event(&snapshot.store, index.0)?).map(Some)
    }
}

impl Snapshot {
    fn subject(&self, event: &ViewEvent) -> Result<EntrySubject, QueryError> {
        let mut shared_with = BTreeSet::new();
        if matches!(event.event, Event::DecisionRecorded(_))
            && let Some(row) = self.decision(event, &DecisionFilter::default())?
            && row.is_share()
        {
            shared_with.extend(row.recipients);
        }
        let agencies = [Some(event.agency.clone()), event.on_behalf_of.clone()];
        Ok(EntrySubject {
            child: event.child,
            identified: event.identified.clone(),
            agencies: agencies.into_iter().flatten().collect(),
            shared_with,
        })
    }
}

impl EntrySubject {
    /// Everybody whose record it is part of.
    pub fn of(&self) -> impl Iterator<Item = &OwnerId> {
        self.child.iter().chain(&self.identified)
    }

    /// Whether it is this agency's own, or was shared with it.
    pub fn concerns(&self, agency: &str) -> bool {
        self.agencies.contains(agency) || self.shared_with.contains(agency)
    }
}

fn row(event: &ViewEvent) -> Option<AccessRow> {
    let (role, purpose, what, break_glass, records, expires_at) = match &event.event {
        Event::RecordAccessed(read) => {
            let records = read.extent.as_ref().map(|extent| u64::from(extent.records.get()));
            (read.role, read.purpose, read.what, read.break_glass.unwrap_or(false), records, None)
        }
        Event::AccessApproved(allowed) => {
            let expires_at = allowed.times.as_ref().and_then(|times| times.expires_at);
            (allowed.role, allowed.purpose, allowed.what, true, None, expires_at)
        }
        _ => return None,
    };
    Some(AccessRow {
        index: LeafIndex(event.index),
        child: event.child,
        event_type: event.event.event_type().as_str(),
        role: role.as_str(),
        purpose: purpose.as_str(),
        what: what.as_str(),
        break_glass,
        records,
        expires_at: expires_at.map(|time| moment(time.as_millis())),
        occurred_at: event.occurred_at().map(moment),
        received_at: moment(event.received_at),
        agency: event.speaker().to_owned(),
    })
}

fn approval(event: &ViewEvent) -> Option<Approval> {
    let Event::AccessApproved(allowed) = &event.event else { return None };
    let expires_at = allowed.times.as_ref()?.expires_at?;
    Some(Approval {
        index: LeafIndex(event.index),
        role: allowed.role,
        purpose: allowed.purpose,
        what: allowed.what,
        expires_at: moment(expires_at.as_millis()),
        by_the_ledger: event.agency == gt_core::agency::SERVICE,
    })
}
