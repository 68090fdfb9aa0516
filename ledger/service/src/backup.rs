//! A copy of a data folder that a ledger can be started from, made while the ledger runs.
//!
//! The order makes it one: each thing is copied before what it may rest on grows further. The checkpoint first, so that everything it covers is
//! there by then; new owners' keys before the shards that they are folded into; growing files before the folder that full ones are moved to.
//! What is newer than the checkpoint lies beyond it then, as after a crash, and is removed from the copy as a start would. Of a busy ledger that
//! is more than a crash can leave, so files that hold nothing else go first.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use gt_core::TreeSize;
use gt_core::checkpoint::SignedCheckpoint;

use crate::disk::{Disk, private, private_folder, read_if_there, sync_name};
use crate::jetstream::Position;
use crate::keyring::{journal, rekey, retired, shards_file, switch};
use crate::layout::{self, BUNDLE};
use crate::log::{RecoverError, listed, recover};
use crate::open::{OpenLedgerError, is_open, need_ledger, read_checkpoint};

/// What is copied, in this order; what can be made again from it is left out, and so is what tells one node of several from another.
fn in_order() -> [PathBuf; 9] {
    let folder = PathBuf::from;
    [
        layout::cosigned(),
        folder("state/evidence"),
        layout::integrity(),
        layout::checkpoint(),
        journal::file(),
        folder("keyring"),
        folder("open"),
        folder("tile"),
        folder("vault"),
    ]
}

/// Levels of tiles: eight of them hold any log.
const LEVELS: u8 = 8;
/// The ends of names of files that are being made.
const UNFINISHED: [&str; 2] = ["new", "next"];

/// A copy that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// Up to which size of the log it holds everything.
    pub size: TreeSize,
    /// How many files it has.
    pub files: u64,
    /// How many bytes these have.
    pub bytes: u64,
}

/// Why no copy was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is no ledger to be copied.
    #[error(transparent)]
    Ledger(#[from] OpenLedgerError),
    /// The folder is a node's of several.
    #[error(
        "{} follows a NATS stream, which the servers and the other nodes hold copies of; copy this folder while its node is stopped",
        .0.display()
    )]
    FollowsStream(PathBuf),
    /// Nobody runs the ledger, and it was not stopped in order.
    #[error(
        "beside the checkpoint of {} a newer one lies ready, on which receipts may rest, and the ledger does not run: start it once, which tells whether that one holds, and run this again",
        .0.display()
    )]
    Unsettled(PathBuf),
    /// Something is in the place of the copy.
    #[error("{} is there already; each copy takes a new folder", .0.display())]
    InTheWay(PathBuf),
    /// The copy would be copied.
    #[error("{} lies within the folder that is to be copied", .0.display())]
    Within(PathBuf),
    /// What was copied is no whole log.
    #[error("the copy does not hold what its checkpoint covers: {0}")]
    Recover(#[from] RecoverError),
    /// Keys were being destroyed or replaced.
    #[error(
        "an erasure, or a renewal of the key-encryption key, went on meanwhile, and no copy was kept; wait for its end, and run this again"
    )]
    Erasing,
    /// A file cannot be read or written.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Copies what a ledger is made of into a new folder, durably. The ledger may run, and seal, meanwhile. What was copied when something
/// failed is removed.
///
/// # Errors
///
/// Every [`BackupError`]; nothing is left of the copy then.
pub fn backup(data: &Path, copy: &Path) -> Result<Backup, BackupError> {
    need_ledger(data)?;
    if Position::is_there(data) {
        return Err(BackupError::FollowsStream(data.to_owned()));
    }
    if copy.symlink_metadata().is_ok() {
        return Err(BackupError::InTheWay(copy.to_owned()));
    }
    need_settled(data)?;
    private_folder(copy).map_err(io_of(copy))?;
    let made = within(data, copy)
        .and_then(|()| Copying { data, disk: Disk::new(copy, None), files: 0, bytes: 0 }.run());
    if made.is_err() {
        // What failed first is what is said.
        let _ = fs::remove_dir_all(copy);
    }
    made
}

/// A checkpoint that lies ready is not copied. While the ledger runs it is of a batch on its way; but after a power cut it may be the one of the
/// last receipts, and only a start can tell.
fn need_settled(data: &Path) -> Result<(), BackupError> {
    if is_open(data)? {
        return Ok(());
    }
    let file = layout::new_checkpoint();
    let Some(ready) = read_if_there(&data.join(&file)).map_err(io_of(&file))? else { return Ok(()) };
    // What was torn, receipts do not rest on.
    let Ok(ready) = SignedCheckpoint::parse(&ready) else { return Ok(()) };
    let in_force = read_checkpoint(data)?;
    let (in_force, ready) = (in_force.checkpoint(), ready.checkpoint());
    let is_newer = ready.origin() == in_force.origin() && ready.size() > in_force.size();
    if is_newer { Err(BackupError::Unsettled(data.to_owned())) } else { Ok(()) }
}

fn within(data: &Path, copy: &Path) -> Result<(), BackupError> {
    let place = |folder: &Path| folder.canonicalize().map_err(io_of(folder));
    if place(copy)?.starts_with(place(data)?) { Err(BackupError::Within(copy.to_owned())) } else { Ok(()) }
}

struct Copying<'a> {
    data: &'a Path,
    /// The copy.
    disk: Disk,
    files: u64,
    bytes: u64,
}

impl Copying<'_> {
    fn run(mut self) -> Result<Backup, BackupError> {
        let before = self.keys()?;
        for part in in_order() {
            self.all_of(&part)?;
            // Of a file that is a part, nobody else makes the name durable.
            let above = part.parent().unwrap_or(Path::new(""));
            if self.disk.root().join(above).is_dir() {
                self.disk.sync_folder(above).map_err(io_of(above))?;
            }
        }
        if self.keys()? != before {
            return Err(BackupError::Erasing);
        }
        let checkpoint = read_checkpoint(self.disk.root())?;
        let size = checkpoint.checkpoint().size();
        self.reopen(size.0)?;
        self.remove_beyond(size.0)?;
        sync_name(self.disk.root()).map_err(io_of(self.disk.root()))?;
        recover(self.disk, Some(checkpoint.checkpoint()))?;
        Ok(Backup { size, files: self.files, bytes: self.bytes })
    }

    /// Puts what became full only after the checkpoint where it was while it grew, so that it can be cut to what the checkpoint covers.
    fn reopen(&mut self, size: u64) -> Result<(), BackupError> {
        let covered = |level: u32| BUNDLE.checked_pow(level + 1).map_or(0, |width| size / width);
        let entries = Path::new("tile/entries");
        self.reopen_from(entries, covered(0), layout::full_entries, layout::open_entries)?;
        (0..LEVELS).try_for_each(|level| {
            let [full, open] = [layout::full_tile, layout::open_tile].map(|path| move |n| path(level, n));
            let hashes = PathBuf::from(format!("tile/{level}"));
            self.reopen_from(&hashes, covered(u32::from(level)), full, open)
        })
    }

    /// The same of one kind: `growing` is the first one that the checkpoint does not cover whole. Of those after it some may be missing: they
    /// became full when their part of the folder was copied already.
    fn reopen_from(
        &mut self,
        folder: &Path,
        growing: u64,
        full: impl Fn(u64) -> PathBuf,
        open: impl Fn(u64) -> PathBuf,
    ) -> Result<(), BackupError> {
        for n in listed(self.disk.root(), folder)?.into_iter().filter(|n| *n >= growing) {
            let (full, open) = (full(n), open(n));
            let is_there = self.disk.root().join(&open).exists();
            let moved = if n == growing && !is_there {
                self.disk.rename(&full, &open)
            } else {
                self.disk.remove(&full)
            };
            moved.map_err(io_of(&full))?;
            for changed in [full, open] {
                let above = changed.parent().unwrap_or(Path::new(""));
                if self.disk.root().join(above).exists() {
                    self.disk.sync_folder(above).map_err(io_of(above))?;
                }
            }
        }
        Ok(())
    }

    /// Removes growing bundles that lie wholly beyond the checkpoint. A ledger goes on while its keys are copied, so there may be more of them
    /// than one batch leaves, which a start takes for an older checkpoint that was put back.
    fn remove_beyond(&mut self, size: u64) -> Result<(), BackupError> {
        let beyond = |bundle: &u64| *bundle >= size.div_ceil(BUNDLE);
        for bundle in listed(self.disk.root(), Path::new("open/entries"))?.into_iter().filter(beyond) {
            let file = layout::open_entries(bundle);
            self.disk.remove_durably(&file).map_err(io_of(&file))?;
        }
        Ok(())
    }

    /// Under which keys the keyring lies, and what has become of those before. Changes only where keys are destroyed or replaced.
    fn keys(&self) -> Result<[Option<Vec<u8>>; 2], BackupError> {
        for begun in [rekey::journal_file(), switch::file()] {
            if self.data.join(&begun).try_exists().map_err(io_of(&begun))? {
                return Err(BackupError::Erasing);
            }
        }
        let read = |file: PathBuf| read_if_there(&self.data.join(&file)).map_err(io_of(&file));
        Ok([read(shards_file())?, read(retired::file())?])
    }

    /// Copies a file, or a folder with what is in it. What is gone by its turn was moved on, to where it is copied later.
    fn all_of(&mut self, path: &Path) -> Result<(), BackupError> {
        let from = self.data.join(path);
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let metadata = match fs::metadata(&from) {
            Err(error) if gone(&error) => return Ok(()),
            read => read.map_err(io_of(&from))?,
        };
        if !metadata.is_dir() {
            return self.file(path);
        }
        let entries = fs::read_dir(&from).map_err(io_of(&from))?;
        let names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
        for name in names.map_err(io_of(&from))? {
            let path = path.join(name);
            let unfinished = path.extension().is_some_and(|end| UNFINISHED.iter().any(|one| end == *one));
            if !unfinished && !self.disk.root().join(&path).is_file() {
                self.all_of(&path)?;
            }
        }
        if self.disk.root().join(path).is_dir() {
            self.disk.sync_folder(path).map_err(io_of(path))?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), BackupError> {
        let (from, to) = (self.data.join(path), self.disk.root().join(path));
        let mut source = match File::open(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(io_of(&from))?,
        };
        let copied = self.disk.make_folders(path).and_then(|()| {
            let mut copy = private().write(true).create_new(true).open(&to)?;
            let bytes = io::copy(&mut source, &mut copy)?;
            copy.sync_all().map(|()| bytes)
        });
        self.bytes += copied.map_err(io_of(&to))?;
        self.files += 1;
        Ok(())
    }
}

fn io_of(file: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let file = file.to_owned();
    move |source| BackupError::Io { file, source }
}
