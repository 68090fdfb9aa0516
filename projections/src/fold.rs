//! Folding a batch of records in memory, over the rows that are already stored.
//!
//! The batch is folded entry by entry, so that it does not matter how the log is cut into batches. Rows of entries at
//! or above the one that is being folded are not looked at: a batch that a crash has torn may have left some.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gt_core::position::LeafIndex;
use gt_ledger::record::Record;

use crate::alerts::{
    Alert, AlertChange, AlertId, ChangeKind, RAISED, StatusChange, StatusChanges, WITHDRAWN,
};
use crate::alerts::{load_changes, standing};
use crate::event::{self, ContextNaming, Facts, Reading, StatementRef, ViewEvent};
use crate::head::Unread;
use crate::history::{History, Horizon, Mark, Seen, Subject, load_event, superseded_by};
use crate::key::{self, Key};
use crate::notation::moment;
use crate::patterns::{self, Finding, Thresholds};
use crate::store::{Row, Rows, Store, StoreError};

/// A batch that is being folded.
pub(crate) struct Fold<'s> {
    rows: Staged<'s>,
    thresholds: Thresholds,
    subjects: Subjects,
    unread: Unread,
    changes: Vec<AlertChange>,
}

/// The subjects of recent batches, so that those of whom much is reported need not be loaded for each. They stand as
/// at the end of the last batch that was written.
#[derive(Default)]
pub(crate) struct Subjects {
    tracked: HashMap<Subject, Tracked>,
    /// How many events the histories hold, about.
    events: usize,
}

/// What is known of a subject.
struct Tracked {
    history: History,
    findings: Vec<Finding>,
    statuses: StatusChanges,
}

/// The store, with rows over it that are not written yet.
struct Staged<'s> {
    store: &'s Store,
    writes: BTreeMap<Key, Vec<u8>>,
}

/// A folded batch.
pub(crate) struct Folded {
    /// The rows to write, each key once.
    pub(crate) rows: Vec<Row>,
    pub(crate) unread: Unread,
    /// The alerts that changed.
    pub(crate) changes: Vec<AlertChange>,
    /// For the next batch, if this one can be written.
    pub(crate) subjects: Subjects,
}

/// Some 400 bytes each.
const MOST_EVENTS_KEPT: usize = 100_000;

impl<'s> Fold<'s> {
    pub(crate) fn new(store: &'s Store, thresholds: Thresholds, unread: Unread, subjects: Subjects) -> Self {
        let rows = Staged { store, writes: BTreeMap::new() };
        Self { rows, thresholds, subjects, unread, changes: Vec::new() }
    }

    /// Folds the next record.
    pub(crate) fn record(&mut self, record: &Record, naming: &dyn ContextNaming) -> Result<(), StoreError> {
        match event::read(record, naming) {
            Reading::NotInterpreted => self.unread.count_type(record.event_type.as_str()),
            Reading::StatementUnreadable => self.unread.statements += 1,
            Reading::ChildUnreadable => self.unread.count_member("child"),
            Reading::Event { event, absent } => {
                for member in absent {
                    self.unread.count_member(member);
                }
                return self.event(&event);
            }
        }
        Ok(())
    }

    /// What the batch comes to.
    pub(crate) fn finish(mut self) -> Folded {
        if self.subjects.events > MOST_EVENTS_KEPT {
            self.subjects = Subjects::default();
        }
        let rows = self.rows.writes.into_iter().collect();
        Folded { rows, unread: self.unread, changes: self.changes, subjects: self.subjects }
    }

    fn event(&mut self, event: &ViewEvent) -> Result<(), StoreError> {
        let by = Mark { index: event.index, received_at: event.received_at };
        let mut affected = BTreeSet::new();
        // What the subjects were before this entry must be known before its rows are staged.
        if let Some(replaced) = self.replaced_by(event)?
            && let Some(subject) = Subject::of(&replaced)
        {
            self.tracked(subject, by.index)?.history.supersede(replaced.index, by);
            affected.insert(subject);
        }
        if let Some(subject) = Subject::of(event) {
            let superseded = superseded_by(&self.rows, event, by.index)?;
            self.tracked(subject, by.index)?.history.push(Seen { event: event.clone(), superseded });
            affected.insert(subject);
        }
        self.rows.stage_event(event);
        for subject in affected {
            self.reassess(subject, by)?;
        }
        Ok(())
    }

    /// The earlier event that this one replaces, if it is already there and of the same agency.
    fn replaced_by(&self, event: &ViewEvent) -> Result<Option<ViewEvent>, StoreError> {
        let Some(statement) = event.supersedes else { return Ok(None) };
        let Some(index) = self.rows.index_of(statement)? else { return Ok(None) };
        if index >= event.index {
            return Ok(None);
        }
        let replaced = load_event(&self.rows, index)?;
        Ok((replaced.speaker() == event.speaker()).then_some(replaced))
    }

    fn tracked(&mut self, subject: Subject, size: u64) -> Result<&mut Tracked, StoreError> {
        self.subjects.events += 1;
        if !self.subjects.tracked.contains_key(&subject) {
            let history = History::load(&self.rows, &subject, size)?;
            let findings = patterns::evaluate(&subject, &history, Horizon::below(size), &self.thresholds);
            let statuses = load_changes(&self.rows, &subject, size)?;
            self.subjects.events += history.len();
            self.subjects.tracked.insert(subject, Tracked { history, findings, statuses });
        }
        Ok(self.subjects.tracked.get_mut(&subject).expect("it is there or was put there"))
    }

    /// Compares what the patterns find after an entry with what they found before it.
    fn reassess(&mut self, subject: Subject, by: Mark) -> Result<(), StoreError> {
        let thresholds = self.thresholds;
        let tracked = self.tracked(subject, by.index)?;
        let now = patterns::evaluate(&subject, &tracked.history, Horizon::below(by.index + 1), &thresholds);
        let before = std::mem::replace(&mut tracked.findings, now.clone());
        let mut changes = Vec::new();
        for finding in &before {
            let id = AlertId::of(finding);
            if now.iter().all(|other| AlertId::of(other) != id)
                && let Some((raised, None)) = standing(statuses_of(tracked, id), Horizon::below(by.index))
            {
                let alert = Alert::new(subject, finding, raised, &thresholds).retracted(by, &now);
                changes.push((ChangeKind::Retracted, alert));
            }
        }
        for finding in &now {
            let id = AlertId::of(finding);
            let change = match standing(statuses_of(tracked, id), Horizon::below(by.index)) {
                Some((raised, None)) if !before.contains(finding) => (ChangeKind::Changed, raised),
                Some((_, None)) => continue,
                _ => (ChangeKind::Raised, by),
            };
            changes.push((change.0, Alert::new(subject, finding, change.1, &thresholds)));
        }
        for (change, alert) in changes {
            self.note(change, alert, by)?;
        }
        Ok(())
    }

    fn note(&mut self, change: ChangeKind, alert: Alert, by: Mark) -> Result<(), StoreError> {
        let tracked = self.tracked(alert.subject, by.index)?;
        if change != ChangeKind::Changed {
            let raised = change == ChangeKind::Raised;
            let statuses = tracked.statuses.entry(alert.id).or_default();
            let first = statuses.is_empty();
            statuses.push(StatusChange { mark: by, raised });
            let value = if raised { RAISED } else { WITHDRAWN };
            self.rows.put(key::alert_change(&alert.subject, &alert.id, by.index), value.to_vec());
            if first {
                let subject = alert.subject.to_bytes();
                let value = [&subject[..], alert.pattern.as_str().as_bytes()].concat();
                self.rows.put(key::alert(by.index, &alert.id), value);
                self.rows.put(key::alert_by_id(&alert.id), by.index.to_be_bytes().to_vec());
            }
        }
        let received_at = moment(by.received_at);
        self.changes.push(AlertChange { index: LeafIndex(by.index), received_at, change, alert });
        Ok(())
    }
}

fn statuses_of(tracked: &Tracked, id: AlertId) -> &[StatusChange] {
    tracked.statuses.get(&id).map_or(&[], Vec::as_slice)
}

impl Staged<'_> {
    fn put(&mut self, key: Key, value: Vec<u8>) {
        self.writes.insert(key, value);
    }

    fn index_of(&self, statement: StatementRef) -> Result<Option<u64>, StoreError> {
        let damaged = StoreError::Damaged { table: "statements" };
        let value = self.get(&key::statement(statement))?;
        value.map(|value| key::number(&value).ok_or(damaged)).transpose()
    }

    fn stage_event(&mut self, event: &ViewEvent) {
        let (time, index) = (event.listed_at(), event.index);
        let json = serde_json::to_vec(event).expect("texts and numbers serialise");
        self.put(key::event(index), json);
        self.put(key::statement(event.statement), index.to_be_bytes().to_vec());
        let timeline = key::at(&key::timeline(event.child.as_bytes()), time, index);
        self.put(timeline, event.facts.type_name().into());
        if let Some(subject) = Subject::of(event) {
            self.put(key::at(&key::history(&subject), time, index), Vec::new());
        }
        if let Some(statement) = event.supersedes {
            self.put(key::indexed(&key::superseded(statement), index), Vec::new());
        }
        if let Facts::Decision(_) = event.facts {
            self.put(key::at(&key::decisions(), time, index), Vec::new());
            for agency in [Some(&event.agency), event.on_behalf_of.as_ref()].into_iter().flatten() {
                self.put(key::at(&key::decisions_of(agency), time, index), Vec::new());
            }
        }
    }
}

impl Rows for Staged<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => self.store.get(key),
        }
    }

    fn starting_with(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreError> {
        let mut rows: BTreeMap<Key, Vec<u8>> = self.store.starting_with(prefix)?.into_iter().collect();
        let staged = self.writes.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        rows.extend(staged.map(|(key, value)| (key.clone(), value.clone())));
        Ok(rows.into_iter().collect())
    }
}
