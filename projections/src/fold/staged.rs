//! The store, with the rows of a batch over it that are not written yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::ViewEvent;
use crate::key::{self, Key};
use crate::store::{Row, Rows, Store, StoreError};
use crate::subject::Unit;
use gt_schemas::Event;

/// The store under what is to be written.
pub(crate) struct Staged<'s> {
    store: &'s Store,
    writes: BTreeMap<Key, Vec<u8>>,
    /// Rows of the list of standing alerts that no longer belong there. They go once the position stands.
    gone: BTreeSet<Key>,
}

impl<'s> Staged<'s> {
    pub(super) const fn new(store: &'s Store) -> Self {
        Self { store, writes: BTreeMap::new(), gone: BTreeSet::new() }
    }

    pub(super) fn put(&mut self, key: Key, value: Vec<u8>) {
        self.gone.remove(&key);
        self.writes.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.writes.remove(&key);
        self.gone.insert(key);
    }

    /// What to write, each key once, and what to remove after the position.
    pub(super) fn finish(self) -> (Vec<Row>, Vec<Key>) {
        (self.writes.into_iter().collect(), self.gone.into_iter().collect())
    }

    /// The rows by which an event is found again.
    pub(super) fn stage_event(&mut self, event: &ViewEvent, units: &[Unit], row: &[u8]) {
        let (time, index) = (event.listed_at(), event.index);
        self.put(key::event(index), units[0].to_bytes());
        self.put(key::statement(event.statement), index.to_be_bytes().to_vec());
        if let Some(statement) = event.replaces() {
            self.put(key::indexed(&key::superseded(statement), index), Vec::new());
        }
        match event.event {
            Event::DecisionRecorded(_) => {
                self.put(key::at(&key::decisions(), time, index), Vec::new());
                for agency in [Some(&event.agency), event.on_behalf_of.as_ref()].into_iter().flatten() {
                    self.put(key::at(&key::decisions_of(agency), time, index), Vec::new());
                }
            }
            Event::MissingStarted(_) => self.put(key::at(&key::absences(), time, index), Vec::new()),
            _ => {}
        }
        for unit in units {
            self.put(key::indexed(&key::history(unit), index), row.to_vec());
        }
    }

    /// Writes an event's rows again, after it was marked as replaced.
    pub(super) fn stage_again(&mut self, event: &ViewEvent) {
        for unit in Unit::all_of(event) {
            self.put(key::indexed(&key::history(&unit), event.index), event.to_row());
        }
    }

    /// The first key from this one on, with the prefix.
    pub(super) fn first_from(&self, from: &[u8], prefix: &[u8]) -> Result<Option<Key>, StoreError> {
        let written = self.store.first_from(from)?.filter(|key| key.starts_with(prefix));
        let staged = self.writes.range(from.to_vec()..).next().map(|(key, _)| key.clone());
        let staged = staged.filter(|key| key.starts_with(prefix));
        Ok(match (written, staged) {
            (Some(written), Some(staged)) => Some(written.min(staged)),
            (written, staged) => written.or(staged),
        })
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
        let mut staged =
            self.writes.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let written = self.store.starting_with(prefix)?;
        if staged.peek().is_none() {
            return Ok(written);
        }
        let mut rows: BTreeMap<Key, Vec<u8>> = written.into_iter().collect();
        rows.extend(staged.map(|(key, value)| (key.clone(), value.clone())));
        Ok(rows.into_iter().collect())
    }
}
