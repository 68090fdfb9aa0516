//! Folding a batch of records in memory, over the rows that are already stored.
//!
//! The batch is folded entry by entry, so that it does not matter how the log is cut into batches. Rows of entries at
//! or above the one that is being folded are not looked at: a batch that a crash has torn may have left some.
//!
//! An entry's way: its event is read (`event/`) and put into the histories of those whom it is about; what it replaces is
//! marked; what it says of identities joins or parts histories (`identity.rs`); from the histories come shares, findings of
//! practice and requests (`derive.rs`), and what the patterns find (`assess.rs`), which is compared with the alerts that
//! stand (`alerting.rs`).

mod alerting;
mod assess;
mod cache;
mod derive;
mod edges;
mod rules;
mod staged;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use gt_core::position::LeafIndex;
use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::{Configuration, Event};

pub(crate) use cache::Cache;
pub(crate) use derive::{RequestState, findings_at, read_findings, read_request, request_at, request_due};
use staged::Staged;

use crate::alerts::{AlertChange, AlertId, Handled, HandledRow};
use crate::event::{ReadRecord, Reading, StatementRef, ViewEvent};
use crate::head::Unread;
use crate::history::{EventRows, History, Horizon, Mark, index_of, load_event, replaced_already};
use crate::identity;
use crate::key::{self, Key};
use crate::patterns::{Parts, Pattern};
use crate::share::Share;
use crate::store::{Row, Store, StoreError};
use crate::subject::Unit;

/// A batch that is being folded.
pub(crate) struct Fold<'s> {
    rows: Staged<'s>,
    rules: Arc<Configuration>,
    /// The entry that sealed the rules, if one did.
    rules_from: Option<u64>,
    /// The thresholds that each pattern uses, as alerts show them.
    thresholds: BTreeMap<Pattern, String>,
    cache: Cache,
    unread: Unread,
    changes: Vec<AlertChange>,
}

/// A folded batch.
pub(crate) struct Folded {
    /// The rows to write, each key once.
    pub(crate) rows: Vec<Row>,
    /// The rows to remove after the position is written.
    pub(crate) gone: Vec<Key>,
    pub(crate) unread: Unread,
    /// The alerts that changed.
    pub(crate) changes: Vec<AlertChange>,
    /// For the next batch, if this one can be written.
    pub(crate) cache: Cache,
    pub(crate) rules: Arc<Configuration>,
    pub(crate) rules_from: Option<u64>,
}

/// What an entry makes worth looking at again.
#[derive(Debug, Default)]
struct Affected {
    /// The statement that is folded.
    new: Option<StatementRef>,
    /// Units in whose events patterns look; of a child, which parts of the record have changed.
    units: BTreeMap<Unit, Parts>,
    /// Children whose decisions are all to be derived again, by any of their identifiers.
    decisions: BTreeSet<OwnerId>,
    /// Children about whom agencies may newly have met: this one with others, or any of them.
    meetings: BTreeMap<OwnerId, Option<Said>>,
    /// Agreements on which a share newly relies, or no longer does.
    reliances: Vec<Reliance>,
    /// Whether persons were joined or parted, or the rules have changed: then what was derived before is in the rows alone.
    is_upheaval: bool,
}

/// That an agency said something, and the time of which, where it says one.
#[derive(Debug)]
struct Said {
    agency: String,
    of: Option<i64>,
}

/// A share, by its decision, and the agreement that it names or named.
#[derive(Debug)]
struct Reliance {
    agreement: ContextId,
    decision: StatementRef,
    share: Option<Share>,
}

impl Affected {
    /// Has everything in a unit looked at.
    fn look_at(&mut self, unit: Unit) {
        self.units.insert(unit, Parts::ALL);
    }

    /// Has what these parts of a unit may change looked at.
    fn look_at_parts(&mut self, unit: Unit, changed: Parts) {
        let parts = self.units.entry(unit).or_default();
        *parts = parts.and(changed);
    }
}

impl<'s> Fold<'s> {
    pub(crate) fn new(
        store: &'s Store,
        (rules, rules_from): (Arc<Configuration>, Option<u64>),
        unread: Unread,
        cache: Cache,
    ) -> Self {
        let (rows, thresholds) = (Staged::new(store), thresholds_of(&rules));
        Self { rows, rules, rules_from, thresholds, cache, unread, changes: Vec::new() }
    }

    /// Folds the next record.
    pub(crate) fn record(&mut self, record: ReadRecord) -> Result<(), StoreError> {
        let by = Mark { index: record.index.0, received_at: record.received_at };
        self.raise_due(by, by.received_at.saturating_sub(1), by.index)?;
        match record.reading {
            Reading::NotInterpreted(name) => self.unread.count_type(&name),
            Reading::StatementUnreadable => self.unread.statements += 1,
            Reading::ChildUnreadable => self.unread.count_member("child"),
            Reading::Configuration(members) => self.configured(*members, by)?,
            Reading::Event { event, absent } => {
                for member in absent {
                    self.unread.count_member(member);
                }
                self.event(*event)?;
            }
        }
        self.raise_due(by, by.received_at, by.index + 1)?;
        self.cache.last_received = Some(by.received_at);
        Ok(())
    }

    /// What the batch comes to.
    pub(crate) fn finish(mut self) -> Folded {
        self.cache.turn();
        let (rows, gone) = self.rows.finish();
        Folded {
            rows,
            gone,
            unread: self.unread,
            changes: self.changes,
            cache: self.cache,
            rules: self.rules,
            rules_from: self.rules_from,
        }
    }

    fn event(&mut self, mut event: ViewEvent) -> Result<(), StoreError> {
        self.cache.replaced.extend(event.replaces());
        if event.is_access() {
            // Looked up by child and otherwise of no consequence; what is about no one child stands in the log alone.
            if event.child.is_some() {
                self.rows.stage_event(&event, &Unit::all_of(&event), &event.to_row());
            }
            return Ok(());
        }
        let by = event.mark();
        let mut affected = Affected { new: Some(event.statement), ..Affected::default() };
        self.replace(&event, &mut affected)?;
        if self.cache.replaced.contains(&event.statement) {
            event.superseded = replaced_already(&self.rows, &event, by.index)?;
        }
        let parted = self.identities(&event, by, &mut affected)?;
        let (units, row) = (Unit::all_of(&event), event.to_row());
        for unit in &units {
            self.load(unit, by.index)?;
            self.cache.push(unit, event.clone(), &row);
        }
        self.rows.stage_event(&event, &units, &row);
        for unit in units {
            affected.look_at_parts(unit, Parts::of(&event.event));
        }
        self.list_context(&event);
        self.cache.linked.extend(&event.identified);
        for owner in event.identified.iter().copied().chain(parted) {
            self.whole_story(owner, by, &mut affected)?;
        }
        if let Some(child) = event.child {
            let said = || Some(Said { agency: event.speaker().to_owned(), of: event.occurred_at() });
            affected.meetings.entry(child).or_insert_with(said);
        }
        if is_looked_back_on(&event.event) {
            affected.decisions.extend(event.child);
        }
        self.handle(&event)?;
        self.derive(&event, &mut affected, by)?;
        self.meet(&mut affected, by)?;
        self.assess(&affected, by)
    }

    /// Lists the context of a link that was put into its history: what it comes to at any time and under any filter is no more than its
    /// first row in the list says.
    fn list_context(&mut self, event: &ViewEvent) {
        let Some(context) = event.context.filter(|_| matches!(event.event, Event::ContextLinked(_))) else {
            return;
        };
        let links = self.cache.history(&Unit::Context(context)).events().iter();
        let links = links.filter(|event| matches!(event.event, Event::ContextLinked(_)));
        let children: HashSet<OwnerId> = links.clone().filter_map(|link| link.child).collect();
        let last = links.map(ViewEvent::listed_at).max().unwrap_or_else(|| event.listed_at());
        self.rows.put(key::context_by_children(children.len() as u64, last, context), Vec::new());
    }

    /// Marks the earlier event that this one replaces, if it is already there and of the same agency.
    fn replace(&mut self, event: &ViewEvent, affected: &mut Affected) -> Result<(), StoreError> {
        let by = event.mark();
        let Some(statement) = event.replaces() else { return Ok(()) };
        let Some(index) = index_of(&self.rows, statement, by.index)? else { return Ok(()) };
        let mut replaced = load_event(&self.rows, index)?;
        replaced.superseded = replaced.superseded.filter(|mark| mark.index < by.index);
        let is_others = replaced.speaker() != event.speaker();
        if is_others || replaced.superseded.is_some() || event.goes_on_from(&replaced) {
            return Ok(());
        }
        // Joined or parted by what is taken back: looked at as before and as after.
        for owner in replaced.identified.clone() {
            self.whole_story(owner, by, affected)?;
        }
        for unit in Unit::all_of(&replaced) {
            self.load(&unit, by.index)?;
            self.cache.supersede(&unit, index, by);
            affected.look_at_parts(unit, Parts::without(&replaced.event));
        }
        replaced.superseded = Some(by);
        self.rows.stage_again(&replaced);
        self.take_back_handling(&replaced, by)?;
        for owner in replaced.identified.clone() {
            self.whole_story(owner, by, affected)?;
        }
        affected.decisions.extend(replaced.child);
        affected.meetings.extend(replaced.child.map(|child| (child, None)));
        Ok(())
    }

    /// Before an event about identifiers is put in: everybody who was one with those whom it names.
    fn identities(
        &mut self,
        event: &ViewEvent,
        by: Mark,
        affected: &mut Affected,
    ) -> Result<BTreeSet<OwnerId>, StoreError> {
        let mut all = BTreeSet::new();
        for owner in event.identified.clone() {
            all.extend(self.group(owner, by)?);
            self.whole_story(owner, by, affected)?;
        }
        Ok(all)
    }

    /// Adds all that hangs on who somebody is: the person's units, and the contexts and persons in them, and the ways
    /// between agencies who have met on this person, and will not have if the identifiers are parted.
    fn whole_story(&mut self, owner: OwnerId, by: Mark, affected: &mut Affected) -> Result<(), StoreError> {
        affected.is_upheaval = true;
        let group = self.group(owner, by)?;
        self.silent_ways(&group, affected, by)?;
        for member in group {
            affected.look_at(Unit::Child(member));
            affected.look_at(Unit::Person(member));
            affected.decisions.insert(member);
            affected.meetings.insert(member, None);
            let child = Unit::Child(member);
            self.load(&child, by.index + 1)?;
            for event in self.cache.history(&child).events() {
                event.context.into_iter().for_each(|context| affected.look_at(Unit::Context(context)));
                event.persons.iter().for_each(|person| affected.look_at(Unit::Person(*person)));
            }
        }
        Ok(())
    }

    /// Everybody who is the same person, below and including the entry that is folded.
    fn group(&mut self, owner: OwnerId, by: Mark) -> Result<BTreeSet<OwnerId>, StoreError> {
        if !self.cache.linked.contains(&owner) {
            return Ok(BTreeSet::from([owner]));
        }
        identity::group_by(owner, |owner| {
            let unit = Unit::Identity(owner);
            self.load(&unit, by.index)?;
            Ok(identity::partners(self.cache.history(&unit), owner, Horizon::below(by.index + 1)))
        })
    }

    /// Has the unit's history in memory, as it stood below `size`.
    fn load(&mut self, unit: &Unit, size: u64) -> Result<(), StoreError> {
        if !self.cache.holds(unit, size) {
            let rows = EventRows::load(&self.rows, unit, size)?;
            let history = History::of(&rows, size).ok_or(StoreError::Damaged { table: "events" })?;
            self.cache.insert(unit.clone(), history, rows);
        }
        Ok(())
    }

    /// What people do about alerts. What was replaced before it came does nothing.
    fn handle(&mut self, event: &ViewEvent) -> Result<(), StoreError> {
        if event.superseded.is_some() {
            return Ok(());
        }
        let what = match &event.event {
            Event::AlertAssigned(assigned) => {
                Handled::Assigned(assigned.to.as_ref().map(|agency| agency.as_str().to_owned()))
            }
            Event::AlertReviewed(reviewed) => Handled::Reviewed(reviewed.outcome),
            _ => return Ok(()),
        };
        let Some(id) = event.refs.alert.map(AlertId::from_bytes) else { return Ok(()) };
        let agency = event.speaker().to_owned();
        let row = HandledRow { mark: event.mark(), agency, what, taken_back: None };
        self.handled(id, row)
    }
}

/// The thresholds that each pattern uses, as JSON.
fn thresholds_of(rules: &Configuration) -> BTreeMap<Pattern, String> {
    let text = |pattern: Pattern| (pattern, pattern.thresholds(&rules.thresholds).to_string());
    Pattern::ALL.into_iter().map(text).collect()
}

/// Whether what is derived from a child's decisions may change with this event, beyond the decision that it is.
const fn is_looked_back_on(event: &Event) -> bool {
    matches!(
        event,
        Event::DecisionCorrected(_)
            | Event::DecisionReviewed(_)
            | Event::ConsentGiven(_)
            | Event::ConsentRefused(_)
            | Event::ConsentWithdrawn(_)
    )
}

/// The entry, for those who are told.
const fn leaf(by: Mark) -> LeafIndex {
    LeafIndex(by.index)
}
