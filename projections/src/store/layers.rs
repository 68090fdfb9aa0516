//! A set of rows, in layers: those of late, in memory, over runs of older ones.
//!
//! sled takes some eight microseconds for a row, whatever its size, for it copies the leaf that holds it. So it holds only what changes
//! often and is small: the journal and the layout. All other rows are in runs ([`super::run`]).
//!
//! - **What is written together is there together.** A small batch goes to the journal first, in blocks of which the last that is
//!   written has number 0: a batch without it is not there. A large one, as there are while the views catch up, is only kept in memory,
//!   and is written with the next run: what a crash loses is folded again.
//! - **Runs** are written when there is enough in memory, and merged when there are four of about one size ([`merging`]). The layout names
//!   those that count, and from where on the journal does. A run is durable before the layout names it; its file is removed when the
//!   layout that no longer names it is durable, or else when the rows are opened.
//! - **Listed rows** ([`key::is_listed`]) come and go, and of those that are gone there are soon more than of those that are there. So they
//!   are all held in memory, in no run but one of their own, which each spill writes anew.
//! - **Readers** see a batch whole or not at all. They and the writer wait for each other only while something is looked up in memory or put there.

mod layout;

mod merging;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound::Included;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sled::Tree;

use super::filter::print_of;
use super::run::{self, Buffer, Change, Run, RunReader, Span};
use super::{Row, StoreError, damaged};
use crate::key::{self, Key};
use layout::{JOURNAL, journal, name, read_layout, remove, remove_leftovers, replay, write_layout};
use merging::{Merging, merge, to_merge};

/// A set of rows.
pub(super) struct Layers {
    tree: Tree,
    /// Where its runs are.
    folder: PathBuf,
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
    runs: Arc<[Arc<Run>]>,
}

struct Writing {
    next_run: u64,
    /// Where the journal begins that counts, and where it goes on.
    journal: Range<u64>,
    /// Whether all that is recent stands in the journal.
    is_journalled: bool,
    recent_bytes: usize,
    /// The listed rows, as of the last spill.
    listed: Option<Arc<Run>>,
    /// Runs that are merged meanwhile.
    merging: Option<Merging>,
    /// Runs that the layout no longer names.
    gone: Vec<Arc<Run>>,
    limits: Limits,
}

/// When something is written how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// What is held in memory at most, in bytes of keys and values.
    recent: usize,
    /// A batch of more rows is not journalled.
    journalled: usize,
    /// Runs of more blocks together are merged beside the writer, who goes on.
    merged_at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { recent: 8 << 20, journalled: 3000, merged_at_once: 1 << 14 }
    }
}

impl Layers {
    /// The rows that are there; none in an empty tree. Their runs are in this folder, which is made if need be.
    pub(super) fn open(tree: Tree, folder: PathBuf, limits: Limits) -> Result<Self, StoreError> {
        fs::create_dir_all(&folder).map_err(StoreError::Folder)?;
        let (runs, mut writing) = read_layout(&tree, &folder, limits)?;
        let mut state = State { recent: BTreeMap::new(), listed: BTreeMap::new(), runs: runs.into() };
        if let Some(run) = &writing.listed {
            let mut rows = RunReader::new(Arc::clone(run))?;
            while let Some((key, value)) = rows.row() {
                state.listed.insert(key.to_vec(), value.map(<[u8]>::to_vec));
                rows.step()?;
            }
        }
        writing.recent_bytes = replay(&tree, &mut writing.journal, &mut state)?;
        remove_leftovers(&tree, &folder, &state.runs, &writing)?;
        let state = RwLock::new(state);
        Ok(Self { tree, folder, state, writing: Mutex::new(writing) })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
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
        let runs = Arc::clone(&state.runs);
        drop(state);
        let (print, mut buffer) = (print_of(key, key), Buffer::default());
        for run in runs.iter().filter(|run| run.may_have(print)) {
            if let Some(found) = run.get(key, &mut buffer)? {
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
        if key::is_listed(span.from) && key::is_listed(span.to) {
            return Ok(merged(found, span));
        }
        found.push(within(&state.recent, span));
        let runs = Arc::clone(&state.runs);
        drop(state);
        let (print, mut buffer) = (print_of(span.from, span.to), Buffer::default());
        for run in runs.iter().filter(|run| run.may_have(print)) {
            found.push(run.span(span, &mut buffer)?);
        }
        Ok(merged(found, span))
    }

    /// Writes and removes rows, all of them or none.
    pub(super) fn apply(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut writing = self.writing();
        // What may fail comes first, so that the batch is not there if anything has.
        let is_small = changes.len() <= writing.limits.journalled;
        if writing.recent_bytes > writing.limits.recent || (is_small && !writing.is_journalled) {
            self.spill(&mut writing)?;
        } else {
            self.take_merged(&mut writing)?;
        }
        if is_small {
            journal(&self.tree, writing.journal.end, &changes)?;
            writing.journal.end += 1;
        } else {
            writing.is_journalled = false;
        }
        writing.recent_bytes += changes.iter().map(size).sum::<usize>();
        self.state_mut().take(changes);
        Ok(())
    }

    /// Has sled and the runs hold everything.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let mut writing = self.writing();
        if writing.is_journalled { self.take_merged(&mut writing) } else { self.spill(&mut writing) }
    }

    /// Has nothing written in the folder any more by a merge that is under way.
    pub(super) fn stop_merging(&self) {
        self.writing().merging = None;
    }

    /// Makes a run of what is recent.
    fn spill(&self, writing: &mut Writing) -> Result<(), StoreError> {
        let (runs, listed) = {
            let state = self.state();
            let run = run::write(&self.folder, writing.next_run, state.recent.iter())?;
            let listed = run::write(&self.folder, writing.next_run + 1, state.listed.iter())?;
            ([&[Arc::new(run)], &*state.runs].concat(), Arc::new(listed))
        };
        writing.next_run += 2;
        let before = writing.listed.replace(listed);
        writing.journal.start = writing.journal.end;
        write_layout(&self.tree, &runs, writing)?;
        writing.gone.extend(before);
        let spilt = {
            let mut state = self.state_mut();
            state.runs = runs.into();
            std::mem::take(&mut state.recent)
        };
        drop(spilt);
        (writing.recent_bytes, writing.is_journalled) = (0, true);
        remove(&self.tree, &[JOURNAL], &name(JOURNAL, writing.journal.start, 0))?;
        self.take_merged(writing)?;
        while self.merge_some(writing)? {}
        self.remove_gone(writing)
    }

    /// Takes what was merged beside the writer, if it is done.
    fn take_merged(&self, writing: &mut Writing) -> Result<(), StoreError> {
        let Some(merging) = writing.merging.take_if(|merging| merging.is_done()) else { return Ok(()) };
        let (first, count) = (merging.first, merging.count);
        let Some(merged) = unless_it_failed(merging.outcome())? else { return Ok(()) };
        let at = self.state().runs.iter().position(|run| run.id == first).ok_or_else(damaged)?;
        self.replace(at..at + count, merged, writing)?;
        self.remove_gone(writing)
    }

    /// Merges runs, if there are enough of about one size. Many rows are merged beside the writer.
    fn merge_some(&self, writing: &mut Writing) -> Result<bool, StoreError> {
        let runs = Arc::clone(&self.state().runs);
        let is_merged =
            |run: &Arc<Run>| writing.merging.as_ref().is_some_and(|merging| merging.first == run.id);
        let free = runs.iter().take_while(|run| !is_merged(run)).count();
        let blocks: Vec<usize> = runs[..free].iter().map(|run| run.blocks()).collect();
        let Some(places) = to_merge(&blocks) else { return Ok(false) };
        let is_large = blocks[places.clone()].iter().sum::<usize>() > writing.limits.merged_at_once;
        if is_large && writing.merging.is_some() {
            return Ok(false);
        }
        // A row that is removed hides nothing where nothing is older.
        let is_oldest = places.end == runs.len();
        let id = writing.next_run;
        writing.next_run += 1;
        if is_large {
            let (folder, merged) = (self.folder.clone(), runs[places.clone()].to_vec());
            let merging = Merging::start(&runs[places], move |is_given_up| {
                merge(&folder, id, &merged, is_oldest, is_given_up)
            });
            writing.merging = unless_it_failed(merging.map_err(StoreError::Run))?;
            return Ok(writing.merging.is_some());
        }
        let merged = merge(&self.folder, id, &runs[places.clone()], is_oldest, &AtomicBool::new(false));
        let Some(merged) = unless_it_failed(merged)? else { return Ok(false) };
        self.replace(places, merged, writing)?;
        Ok(true)
    }

    /// Puts a run in the place of those of which it was made.
    fn replace(&self, places: Range<usize>, merged: Run, writing: &mut Writing) -> Result<(), StoreError> {
        let mut runs = self.state().runs.to_vec();
        let before: Vec<Arc<Run>> = runs.splice(places, [Arc::new(merged)]).collect();
        write_layout(&self.tree, &runs, writing)?;
        writing.gone.extend(before);
        self.state_mut().runs = runs.into();
        Ok(())
    }

    /// Removes the files of runs that the layout no longer names.
    fn remove_gone(&self, writing: &mut Writing) -> Result<(), StoreError> {
        if !writing.gone.is_empty() {
            // An older layout names them, and is what a crash would leave.
            self.tree.flush()?;
        }
        while let Some(run) = writing.gone.last() {
            run::remove(&self.folder, run.id)?;
            writing.gone.pop();
        }
        Ok(())
    }
}

/// A merge's outcome. Where a file could not be written, as on a full disk, all is there as it was, and it is tried again with the next run.
fn unless_it_failed<T>(outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Err(StoreError::Run(error)) => {
            tracing::warn!(%error, "files of the views could not be merged; they stay as they are");
            Ok(None)
        }
        outcome => outcome.map(Some),
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

/// What a row takes of the memory.
fn size((key, value): &Change) -> usize {
    key.len() + value.as_ref().map_or(0, Vec::len)
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
    // Of rows with the same key that of the latest layer comes first, and stays.
    let mut all: Vec<Change> = found.into_iter().flatten().collect();
    all.sort_by(|(one, _), (other, _)| if span.backwards { other.cmp(one) } else { one.cmp(other) });
    all.dedup_by(|(later, _), (earlier, _)| later == earlier);
    let known =
        |key: &Key| end.as_ref().is_none_or(|end| if span.backwards { key >= end } else { key <= end });
    (all.into_iter().filter(|(key, _)| known(key)).filter_map(row).collect(), end)
}

#[cfg(test)]
mod tests;
