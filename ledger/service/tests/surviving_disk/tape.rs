//! What changes in several folders, in one order.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gt_ledger::disk::{Change, Recorder};

use super::{Chance, Survival, SurvivingDisk};

/// Both folders' changes in one order, by their paths below the folder that has both.
#[derive(Default)]
pub(crate) struct Tape(Mutex<Vec<Change>>);

/// One folder's recorder.
struct Below(PathBuf, Arc<Tape>);

impl Recorder for Below {
    fn record(&self, change: Change) {
        let at = |path: PathBuf| self.0.join(path);
        let change = match change {
            Change::MakeFolder(path) => Change::MakeFolder(at(path)),
            Change::Append(path, bytes) => Change::Append(at(path), bytes),
            Change::Replace(path, bytes) => Change::Replace(at(path), bytes),
            Change::Cut(path, len) => Change::Cut(at(path), len),
            Change::Rename(from, to) => Change::Rename(at(from), at(to)),
            Change::Exchange(one, other) => Change::Exchange(at(one), at(other)),
            Change::RemoveFolder(path) => Change::RemoveFolder(at(path)),
            Change::Remove(path) => Change::Remove(at(path)),
            Change::SyncFile(path) => Change::SyncFile(at(path)),
            Change::SyncFolder(path) if path.as_os_str().is_empty() => Change::SyncFolder(self.0.clone()),
            Change::SyncFolder(path) => Change::SyncFolder(at(path)),
        };
        self.1.0.lock().expect("not poisoned").push(change);
    }
}

impl Tape {
    pub(crate) fn of(self: &Arc<Self>, folder: &str) -> Arc<dyn Recorder> {
        Arc::new(Below(PathBuf::from(folder), Arc::clone(self)))
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        self.0.lock().expect("not poisoned").clone()
    }
}

/// Cuts after every change from `from` on, with each way of surviving, and has each survivor examined: in its folder, after so many
/// changes, in which of the ways.
pub(crate) fn cut_everywhere(
    before: &SurvivingDisk,
    (changes, from): (&[Change], usize),
    ways: &[Survival],
    seed: u64,
    mut examine: impl FnMut(&Path, usize, usize),
) {
    let mut disk = before.clone();
    for after in 0..=changes.len() {
        if after > 0 {
            disk.apply(&changes[after - 1]);
        }
        if after < from {
            continue;
        }
        for (way, survival) in ways.iter().enumerate() {
            let folder = scratch();
            disk.survivor(folder.path(), *survival, &mut Chance(seed ^ (after as u64 * 7 + way as u64)));
            let examined = AssertUnwindSafe(|| examine(folder.path(), after, way));
            if let Err(panic) = catch_unwind(examined) {
                let last = changes[..after].iter().rev().take(3).rev().map(name);
                eprintln!(
                    "cut after {after} of {} changes ({survival:?}): {:?}",
                    changes.len(),
                    last.collect::<Vec<_>>()
                );
                resume_unwind(panic);
            }
        }
    }
}

fn name(change: &Change) -> String {
    match change {
        Change::Append(path, _) | Change::Replace(path, _) => format!("write {}", path.display()),
        other => format!("{other:?}"),
    }
}

/// A folder for survivors, in memory where there is one.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}
