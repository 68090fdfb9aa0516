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
//! - **Readers** see a batch whole or not at all. They wait for a writer only while it puts a batch into memory.

use std::collections::BTreeMap;
use std::ops::Bound::Included;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gt_core::Hash;
use sled::Tree;

use super::block::{Packing, Unpacking};
use super::run::{Change, PARTS, Run, RunReader, RunWriter, Span, name};
use super::{Row, StoreError, damaged};
use crate::bytes::{Reader, Writer};
use crate::key::Key;

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

const LAYOUT: &[u8] = b"L";
const JOURNAL: u8 = b'J';
/// So many runs of about one size become one.
const MERGED: usize = 4;

impl Layers {
    /// The rows that are there; none in an empty tree.
    pub(super) fn open(tree: Tree, limits: Limits) -> Result<Self, StoreError> {
        let (runs, mut writing) = read_layout(&tree, limits)?;
        let mut recent = BTreeMap::new();
        writing.recent_bytes = replay(&tree, &mut writing.journal, &mut recent)?;
        remove_leftovers(&tree, &runs)?;
        let state = RwLock::new(State { recent, runs });
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
        let recent = state.recent.range::<[u8], _>((Included(span.from), Included(span.to)));
        let copied = |(key, value): (&Key, &Option<Vec<u8>>)| (key.clone(), value.clone());
        let mut found: Vec<Vec<Change>> = vec![if span.backwards {
            recent.rev().take(span.most).map(copied).collect()
        } else {
            recent.take(span.most).map(copied).collect()
        }];
        for run in &state.runs {
            found.push(run.span(&self.tree, span)?);
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
        self.state_mut().recent.extend(changes);
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
        let mut runs = {
            let state = self.state();
            let mut run = RunWriter::new(&self.tree, writing.next_run);
            for (key, value) in &state.recent {
                run.add(key, value.as_deref())?;
            }
            [vec![Arc::new(run.finish()?)], state.runs.clone()].concat()
        };
        writing.next_run += 1;
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
        while let Some((key, value)) = next_of(&mut readers)? {
            if value.is_some() || !is_oldest {
                merged.add(&key, value.as_deref())?;
            }
        }
        let merged = Arc::new(merged.finish()?);
        writing.next_run += 1;
        let gone: Vec<Arc<Run>> = runs.splice(..count, [merged]).collect();
        write_layout(&self.tree, runs, writing)?;
        self.state_mut().runs.clone_from(runs);
        for run in gone {
            for tag in PARTS {
                remove(&self.tree, &name(tag, run.id, 0), &name(tag, run.id, u64::MAX))?;
            }
        }
        Ok(true)
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

/// The next row of some runs, from the latest on: of those with the same key the first counts.
fn next_of(readers: &mut [RunReader<'_>]) -> Result<Option<Change>, StoreError> {
    let keys = readers.iter().filter_map(|reader| reader.next.as_ref());
    let Some(least) = keys.map(|(key, _)| key).min().cloned() else { return Ok(None) };
    let mut found = None;
    for reader in readers {
        if reader.next.as_ref().is_some_and(|(key, _)| *key == least) {
            let next = reader.next.take();
            found = found.or(next);
            reader.step()?;
        }
    }
    Ok(found)
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

/// Writes a batch to the journal.
fn journal(tree: &Tree, number: u64, changes: &[Change]) -> Result<(), StoreError> {
    let (mut blocks, mut packing) = (Vec::new(), Packing::default());
    for (key, value) in changes {
        if !packing.add(key, value.as_deref()) {
            blocks.push(packing.take());
            packing.add(key, value.as_deref());
        }
    }
    blocks.push(packing.take());
    for (part, block) in blocks.into_iter().enumerate().rev() {
        tree.insert(name(JOURNAL, number, part as u64), block)?;
    }
    Ok(())
}

/// Reads what the journal has, removes what it has of a batch that did not come to its end, and returns the size of what was read.
fn replay(
    tree: &Tree,
    journal: &mut std::ops::Range<u64>,
    recent: &mut BTreeMap<Key, Option<Vec<u8>>>,
) -> Result<usize, StoreError> {
    while tree.contains_key(name(JOURNAL, journal.end, 0))? {
        for row in tree.scan_prefix(&name(JOURNAL, journal.end, 0)[..9]) {
            let (_, block) = row?;
            let mut rows = Unpacking::new(&block);
            while let Some((key, value)) = rows.next()? {
                recent.insert(key.to_vec(), value.map(<[u8]>::to_vec));
            }
        }
        journal.end += 1;
    }
    remove(tree, &[JOURNAL], &name(JOURNAL, journal.start, 0))?;
    remove(tree, &name(JOURNAL, journal.end, 0), &[JOURNAL + 1])?;
    Ok(recent.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum())
}

/// Removes the rows of sled's from one name to below another.
fn remove(tree: &Tree, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
    for name in tree.range(from..to).keys() {
        tree.remove(name?)?;
    }
    Ok(())
}

/// Removes runs that were being written or removed when the process ended.
fn remove_leftovers(tree: &Tree, runs: &[Arc<Run>]) -> Result<(), StoreError> {
    for tag in PARTS {
        let mut from = name(tag, 0, 0);
        while let Some((found, _)) = tree.range(&from[..]..).next().transpose()? {
            let id = found.get(1..9).and_then(|id| id.try_into().ok()).map(u64::from_be_bytes);
            let Some(id) = id.filter(|_| found[0] == tag) else { break };
            let end = name(tag, id.checked_add(1).ok_or_else(damaged)?, 0);
            if !runs.iter().any(|run| run.id == id) {
                remove(tree, &name(tag, id, 0), &end)?;
            }
            from = end;
        }
    }
    Ok(())
}

/// The layout's hash stands before it, so that damage shows.
fn write_layout(tree: &Tree, runs: &[Arc<Run>], writing: &Writing) -> Result<(), StoreError> {
    let layout = Writer::default()
        .number(writing.next_run)
        .number(writing.journal.start)
        .list(runs.iter(), |writer, run| Run::write(writer, run))
        .finish();
    tree.insert(LAYOUT, [Hash::of(&layout).as_bytes().as_slice(), &layout].concat())?;
    Ok(())
}

fn read_layout(tree: &Tree, limits: Limits) -> Result<(Vec<Arc<Run>>, Writing), StoreError> {
    let mut writing = Writing { next_run: 0, journal: 0..0, is_journalled: true, recent_bytes: 0, limits };
    let Some(bytes) = tree.get(LAYOUT)? else { return Ok((Vec::new(), writing)) };
    let (hash, layout) = bytes.split_first_chunk::<32>().ok_or_else(damaged)?;
    if Hash::of(layout).as_bytes() != hash {
        return Err(damaged());
    }
    let mut reader = Reader::new(layout);
    let mut number = || reader.number().ok_or_else(damaged);
    let (next_run, start, count) = (number()?, number()?, number()?);
    (writing.next_run, writing.journal) = (next_run, start..start);
    let runs = (0..count).map(|_| Run::read(tree, &mut reader).map(Arc::new)).collect::<Result<_, _>>()?;
    reader.finish(()).ok_or_else(damaged)?;
    Ok((runs, writing))
}

#[cfg(test)]
mod tests;
