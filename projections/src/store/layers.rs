//! A set of rows, in layers: those of late, in memory, over runs of older ones.
//!
//! sled takes some eight microseconds for a row, whatever its size, for it copies the leaf that holds it. So rows reach sled in blocks
//! ([`super::block`]), and a row costs a tenth of that.
//!
//! - **What is written together is there together.** A small batch goes to the journal first, in blocks of which the last that is
//!   written has number 0: a batch without it is not there. A large one, as there are while the views catch up, is only kept in memory,
//!   and reaches sled with the next run: what a crash loses is folded again.
//! - **Runs** are written when there is enough in memory, and merged when there are four of about one size. The layout names those that count, and from where
//!   on the journal does; it is written last, and what it does not name is removed when the rows are opened.
//! - **Listed rows** ([`key::is_listed`]) come and go, and of those that are gone there are soon more than of those that are there. So they
//!   are all held in memory, in no run but one of their own, which each spill writes anew.
//! - **Readers** see a batch whole or not at all. They wait for a writer only while it puts a batch into memory.

mod layout;

use std::collections::BTreeMap;
use std::ops::Bound::Included;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sled::Tree;

use super::block::Packed;
use super::run::{Change, PARTS, Run, RunReader, RunWriter, Span, name};
use super::{Row, StoreError};
use crate::key::{self, Key};
use layout::{JOURNAL, journal, read_layout, remove, remove_leftovers, replay, write_layout};

/// A set of rows.
pub(super) struct Layers {
    tree: Tree,
    state: RwLock<State>,
    /// Of the one who writes.
    writing: Mutex<Writing>,
}

struct State {
    /// What was written of late.
    recent: BTreeMap<Key, Option<Vec<u8>>>,
    /// All listed rows that there are.
    listed: BTreeMap<Key, Option<Vec<u8>>>,
    /// From the latest on.
    runs: Vec<Arc<Run>>,
}

struct Writing {
    next_run: u64,
    /// Where the journal begins that counts, and where it goes on.
    journal: std::ops::Range<u64>,
    /// Whether all that is recent stands in the journal.
    is_journalled: bool,
    recent_bytes: usize,
    /// The listed rows, as of the last spill.
    listed: Option<Arc<Run>>,
    limits: Limits,
}

/// When something is written how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// What is held in memory at most, in bytes of keys and values.
    recent: usize,
    /// A batch of more rows is not journalled.
    journalled: usize,
    /// A run of more blocks is not merged any more.
    merged: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { recent: 8 << 20, journalled: 3000, merged: 1 << 14 }
    }
}

/// So many runs of about one size become one.
const MERGED: usize = 4;

impl Layers {
    /// The rows that are there; none in an empty tree.
    pub(super) fn open(tree: Tree, limits: Limits) -> Result<Self, StoreError> {
        let (runs, mut writing) = read_layout(&tree, limits)?;
        let mut state = State { recent: BTreeMap::new(), listed: BTreeMap::new(), runs };
        if let Some(run) = &writing.listed {
            let mut rows = RunReader::new(&tree, Arc::clone(run))?;
            while let Some((key, value)) = rows.row() {
                state.listed.insert(key.to_vec(), value.map(<[u8]>::to_vec));
                rows.step()?;
            }
        }
        writing.recent_bytes = replay(&tree, &mut writing.journal, &mut state)?;
        let named: Vec<u64> = state.runs.iter().chain(&writing.listed).map(|run| run.id).collect();
        remove_leftovers(&tree, &named)?;
        let state = RwLock::new(state);
        Ok(Self { tree, state, writing: Mutex::new(writing) })
    }

    pub(super) const fn tree(&self) -> &Tree {
        &self.tree
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A row.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.state();
        if key::is_listed(key) {
            return Ok(state.listed.get(key).cloned().flatten());
        }
        if let Some(found) = state.recent.get(key) {
            return Ok(found.clone());
        }
        for run in &state.runs {
            if let Some(found) = run.get(&self.tree, key)? {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Some of the rows of a span, and where it goes on, if there may be more.
    pub(super) fn span(&self, span: Span<'_>) -> Result<(Vec<Row>, Option<Key>), StoreError> {
        let state = self.state();
        let mut found = vec![within(&state.listed, span)];
        // If both ends are listed rows, so is all between them.
        if !key::is_listed(span.from) || !key::is_listed(span.to) {
            found.push(within(&state.recent, span));
            for run in &state.runs {
                found.push(run.span(&self.tree, span)?);
            }
        }
        drop(state);
        Ok(merged(found, span))
    }

    /// Writes and removes rows, all of them or none.
    pub(super) fn apply(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut writing = self.writing();
        if changes.len() > writing.limits.journalled {
            writing.is_journalled = false;
        } else {
            if !writing.is_journalled {
                self.spill(&mut writing)?;
            }
            journal(&self.tree, writing.journal.end, &changes)?;
            writing.journal.end += 1;
        }
        writing.recent_bytes += changes.iter().map(size).sum::<usize>();
        self.state_mut().take(changes);
        if writing.recent_bytes > writing.limits.recent {
            self.spill(&mut writing)?;
        }
        Ok(())
    }

    /// Has sled hold everything.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let mut writing = self.writing();
        if writing.is_journalled { Ok(()) } else { self.spill(&mut writing) }
    }

    /// Makes a run of what is recent.
    fn spill(&self, writing: &mut Writing) -> Result<(), StoreError> {
        let before;
        let mut runs = {
            let state = self.state();
            let mut run = RunWriter::new(&self.tree, writing.next_run);
            for (key, value) in &state.recent {
                run.add(key, value.as_deref())?;
            }
            let mut listed = RunWriter::new(&self.tree, writing.next_run + 1);
            for (key, value) in &state.listed {
                listed.add(key, value.as_deref())?;
            }
            before = writing.listed.replace(Arc::new(listed.finish()?));
            [vec![Arc::new(run.finish()?)], state.runs.clone()].concat()
        };
        writing.next_run += 2;
        writing.journal.start = writing.journal.end;
        write_layout(&self.tree, &runs, writing)?;
        let spilt = {
            let mut state = self.state_mut();
            state.runs.clone_from(&runs);
            std::mem::take(&mut state.recent)
        };
        drop(spilt);
        (writing.recent_bytes, writing.is_journalled) = (0, true);
        remove(&self.tree, &[JOURNAL], &name(JOURNAL, writing.journal.start, 0))?;
        self.remove_runs(before)?;
        while self.merge(&mut runs, writing)? {}
        Ok(())
    }

    /// Merges the latest runs, if there are enough of about one size.
    fn merge(&self, runs: &mut Vec<Arc<Run>>, writing: &mut Writing) -> Result<bool, StoreError> {
        let Some(count) = to_merge(runs, writing.limits.merged) else { return Ok(false) };
        // A row that is removed hides nothing where nothing is older.
        let is_oldest = count == runs.len();
        let mut merged = RunWriter::new(&self.tree, writing.next_run);
        let readers = runs[..count].iter().map(|run| RunReader::new(&self.tree, Arc::clone(run)));
        let mut readers = readers.collect::<Result<Vec<_>, _>>()?;
        while let Some((at, (key, value))) = first_of(&readers) {
            if value.is_some() || !is_oldest {
                merged.add(key, value)?;
            }
            step_over(&mut readers, at)?;
        }
        let merged = Arc::new(merged.finish()?);
        writing.next_run += 1;
        let gone: Vec<Arc<Run>> = runs.splice(..count, [merged]).collect();
        write_layout(&self.tree, runs, writing)?;
        self.state_mut().runs.clone_from(runs);
        self.remove_runs(gone)?;
        Ok(true)
    }

    /// Removes runs that the layout no longer names.
    fn remove_runs(&self, runs: impl IntoIterator<Item = Arc<Run>>) -> Result<(), StoreError> {
        for run in runs {
            for tag in PARTS {
                remove(&self.tree, &name(tag, run.id, 0), &name(tag, run.id, u64::MAX))?;
            }
        }
        Ok(())
    }
}

impl State {
    /// Takes in what was written.
    fn take(&mut self, changes: impl IntoIterator<Item = Change>) {
        for (key, value) in changes {
            if !key::is_listed(&key) {
                self.recent.insert(key, value);
            } else if value.is_some() {
                self.listed.insert(key, value);
            } else {
                self.listed.remove(&key);
            }
        }
    }
}

/// The rows of a layer in memory within the span, or as many of them as there may be.
fn within(layer: &BTreeMap<Key, Option<Vec<u8>>>, span: Span<'_>) -> Vec<Change> {
    let rows = layer.range::<[u8], _>((Included(span.from), Included(span.to)));
    let copied = |(key, value): (&Key, &Option<Vec<u8>>)| (key.clone(), value.clone());
    if span.backwards {
        rows.rev().take(span.most).map(copied).collect()
    } else {
        rows.take(span.most).map(copied).collect()
    }
}

/// How many of the latest runs are to be merged: of at least four, none is larger than so many blocks, or four times as many, and so
/// on. So there are never more than three of about one size.
fn to_merge(runs: &[Arc<Run>], most: usize) -> Option<usize> {
    let sizes =
        std::iter::successors(Some(most.min(256)), |size| (*size < most).then(|| most.min(size * MERGED)));
    let within = |size: usize| runs.iter().take_while(|run| run.blocks() <= size).count();
    sizes.map(within).find(|count| *count >= MERGED)
}

/// What a row takes of the memory.
fn size((key, value): &Change) -> usize {
    key.len() + value.as_ref().map_or(0, Vec::len)
}

/// The first row of some runs, from the latest on, and in which of them it is: of those with the same key the first counts.
fn first_of<'r>(readers: &'r [RunReader<'_>]) -> Option<(usize, Packed<'r, 'r>)> {
    let rows = readers.iter().enumerate().filter_map(|(at, reader)| Some((at, reader.row()?)));
    rows.min_by(|(_, (one, _)), (_, (other, _))| one.cmp(other))
}

/// Goes on behind the row of this reader, in all that have one with the same key: none before it has.
fn step_over(readers: &mut [RunReader<'_>], at: usize) -> Result<(), StoreError> {
    for other in at + 1..readers.len() {
        let is_same = readers[at].row().map(|(key, _)| key) == readers[other].row().map(|(key, _)| key);
        if is_same {
            readers[other].step()?;
        }
    }
    readers[at].step()
}

/// Of several layers' rows, from the latest layer on, those that count, up to where all layers are known.
fn merged(found: Vec<Vec<Change>>, span: Span<'_>) -> (Vec<Row>, Option<Key>) {
    let row = |(key, value): Change| value.map(|value| (key, value));
    let cut = found.iter().filter(|rows| rows.len() >= span.most).filter_map(|rows| rows.last());
    let cut = cut.map(|(key, _)| key);
    let end = if span.backwards { cut.max() } else { cut.min() }.cloned();
    let mut found: Vec<Vec<Change>> = found.into_iter().filter(|rows| !rows.is_empty()).collect();
    if found.len() < 2 {
        return (found.pop().unwrap_or_default().into_iter().filter_map(row).collect(), end);
    }
    let all: BTreeMap<Key, Option<Vec<u8>>> = found.into_iter().rev().flatten().collect();
    let known =
        |key: &Key| end.as_ref().is_none_or(|end| if span.backwards { key >= end } else { key <= end });
    let rows = all.into_iter().filter(|(key, _)| known(key)).filter_map(row);
    let rows = if span.backwards { rows.rev().collect() } else { rows.collect() };
    (rows, end)
}

#[cfg(test)]
mod tests;
