//! Merging runs: which, and how.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::store::block::Packed;
use crate::store::run::{Run, RunReader, RunWriter};
use crate::store::{StoreError, damaged};

/// So many runs of about one size become one.
pub(super) const MERGED: usize = 4;
/// The runs of so few blocks are of about one size.
const FEW: usize = 256;
/// After so many rows it is looked whether to go on.
const ROWS: usize = 1 << 12;

/// Runs that are merged by a thread of its own. Dropped, it comes to its end without having merged them, and nothing is left of it.
pub(super) struct Merging {
    /// The latest of the runs.
    pub(super) first: u64,
    /// How many there are.
    pub(super) count: usize,
    /// None once its outcome was taken.
    thread: Option<JoinHandle<Result<Run, StoreError>>>,
    is_given_up: Arc<AtomicBool>,
}

impl Merging {
    /// Begins to merge these runs, of which there is at least one. `merge` is told when it is given up.
    pub(super) fn start(
        runs: &[Arc<Run>],
        merge: impl FnOnce(&AtomicBool) -> Result<Run, StoreError> + Send + 'static,
    ) -> io::Result<Self> {
        let (first, count, is_given_up) = (runs[0].id, runs.len(), Arc::<AtomicBool>::default());
        let is_told = Arc::clone(&is_given_up);
        let thread = thread::Builder::new().name("gt-merge".into()).spawn(move || merge(&is_told))?;
        Ok(Self { first, count, thread: Some(thread), is_given_up })
    }

    /// Whether it needs no waiting for.
    pub(super) fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The merged run.
    pub(super) fn outcome(mut self) -> Result<Run, StoreError> {
        let thread = self.thread.take().expect("it is taken once");
        thread.join().unwrap_or_else(|_| Err(damaged()))
    }
}

impl Drop for Merging {
    /// Waits, so that nothing is written in the folder any more.
    fn drop(&mut self) {
        self.is_given_up.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A run that it had made already is a leftover: nothing names it.
            let _ = thread.join();
        }
    }
}

/// One run of several, from the latest on. `is_oldest`: none is older, so rows that are removed need not be kept.
pub(super) fn merge(
    folder: &Path,
    id: u64,
    runs: &[Arc<Run>],
    is_oldest: bool,
    is_given_up: &AtomicBool,
) -> Result<Run, StoreError> {
    let mut merged = RunWriter::new(folder, id, runs.iter().map(|run| run.id_count()).sum())?;
    let mut readers = runs.iter().cloned().map(RunReader::new).collect::<Result<Vec<_>, _>>()?;
    for rows in 0_usize.. {
        if rows % ROWS == 0 && is_given_up.load(Ordering::Relaxed) {
            return Err(StoreError::Run(io::ErrorKind::Interrupted.into()));
        }
        let Some((at, (key, value))) = first_of(&readers) else { break };
        if value.is_some() || !is_oldest {
            merged.add(key, value)?;
        }
        step_over(&mut readers, at)?;
    }
    merged.finish()
}

/// Which runs are to be merged, of these with so many blocks, from the latest on: four or more of about one size, the smallest first. So of
/// each size there are never more than three, but for those that come while others are merged, and a row is written once for each size.
pub(super) fn to_merge(blocks: &[usize]) -> Option<Range<usize>> {
    // One that is behind a larger one counts as being as large, so that those of one size stand side by side.
    let sizes = blocks.iter().scan(0, |largest, blocks| {
        *largest = size_of(*blocks).max(*largest);
        Some(*largest)
    });
    let sizes: Vec<u32> = sizes.collect();
    let mut first = 0;
    for alike in sizes.chunk_by(|one, other| one == other) {
        if alike.len() >= MERGED {
            return Some(first..first + alike.len());
        }
        first += alike.len();
    }
    None
}

/// How often a few blocks become four times as many until they are these.
fn size_of(blocks: usize) -> u32 {
    let sizes = std::iter::successors(Some(FEW), |size| size.checked_mul(MERGED));
    sizes.take_while(|size| *size < blocks).map(|_| 1).sum()
}

/// The first row of some runs, from the latest on, and in which of them it is: of those with the same key the first counts.
fn first_of(readers: &[RunReader]) -> Option<(usize, Packed<'_, '_>)> {
    let rows = readers.iter().enumerate().filter_map(|(at, reader)| Some((at, reader.row()?)));
    rows.min_by(|(_, (one, _)), (_, (other, _))| one.cmp(other))
}

/// Goes on behind the row of this reader, in all that have one with the same key: none before it has.
fn step_over(readers: &mut [RunReader], at: usize) -> Result<(), StoreError> {
    for other in at + 1..readers.len() {
        let is_same = readers[at].row().map(|(key, _)| key) == readers[other].row().map(|(key, _)| key);
        if is_same {
            readers[other].step()?;
        }
    }
    readers[at].step()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large runs are not written again with each few small ones, and there are never many.
    #[test]
    fn a_row_is_written_about_once_for_each_size() {
        let (mut runs, mut spilt, mut written) = (Vec::<usize>::new(), 0, 0);
        for spill in 0..20_000 {
            let blocks = 1500 + spill % 700;
            runs.insert(0, blocks);
            spilt += blocks;
            while let Some(places) = to_merge(&runs) {
                let merged = runs[places.clone()].iter().sum();
                runs.splice(places, [merged]);
                written += merged;
            }
            let sizes = size_of(spilt) - size_of(1500) + 1;
            assert!(runs.len() <= 3 * sizes as usize, "{runs:?}");
            assert!(written <= spilt * sizes as usize, "{written} of {spilt} in {sizes} sizes");
        }
        assert_eq!(runs.iter().sum::<usize>(), spilt);
    }

    #[test]
    fn what_is_behind_a_larger_run_waits_for_others_as_large() {
        assert_eq!(to_merge(&[1, 1, 1]), None);
        assert_eq!(to_merge(&[1, 1, 1, 1]), Some(0..4));
        assert_eq!(to_merge(&[1, 1, 1, 5000]), None);
        assert_eq!(to_merge(&[9, 5000, 1, 5000, 2, 90_000]), Some(1..5));
        assert_eq!(to_merge(&[]), None);
    }
}
