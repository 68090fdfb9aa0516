//! What changes in several folders, in one order.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gt_ledger::disk::{Change, Recorder};

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

/// A folder for survivors, in memory where there is one.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}
