//! Opening a data folder, and opening what is encrypted in it.

mod folder;
mod texts;

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gt_core::checkpoint::{SignedCheckpoint, SignedCheckpointError, VerifyCheckpointError};
use gt_core::statement::StatementError;

use crate::disk::{Disk, private, private_folder, read_if_there};
use crate::erasure::{Custody, Journal};
use crate::index::IndexError;
use crate::jetstream::{JoinError, StreamError};
use crate::keyring::rekey::journal_file;
use crate::keyring::switch::{self, Switch};
use crate::keyring::{KeyEncryptionKey, Keyring, KeyringError};
use crate::layout;
use crate::log::{LogReader, LogWriter, Published, ReadError, RecoverError, newest, recover};
use crate::sealer::Unfinished;
use crate::secrets::{Secrets, SecretsError};
use crate::snapshot::{self, Begun, Unchecked};
use crate::state::StateError;
use crate::vault::VaultError;

pub use folder::need_ledger;
pub(crate) use texts::{Texts, decrypt, decrypt_statement, record, texts};

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenLedgerError {
    /// Its witnesses are not to be had, or have seen what contradicts the folder.
    #[error(transparent)]
    Witnesses(#[from] crate::witness::WitnessingError),
    /// There is nothing in this folder, or no folder.
    #[error("{folder} holds no ledger; `goldenthread init --data {folder} --origin NAME` makes one")]
    NoLedger {
        /// The folder.
        folder: String,
    },
    /// There is no ledger in this folder, and something else is.
    #[error("{folder} holds no ledger, and other files: is it the right folder?")]
    OtherFolder {
        /// The folder.
        folder: String,
    },
    /// There is a ledger in this folder, or was to be one, and what it begins with is missing.
    #[error(
        "{folder} holds parts of a ledger, and no checkpoint: put the whole folder back from a backup. If it was `goldenthread init` that was interrupted here, remove the folder and the one of its secrets, and run it again"
    )]
    NoCheckpoint {
        /// The folder.
        folder: String,
    },
    /// The folder cannot be looked at.
    #[error("{folder} cannot be read: {source}{}", folder::remedy(source))]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error("another process has {folder} open; stop it first, or use --url to speak to it")]
    Locked {
        /// The folder.
        folder: String,
    },
    /// The folder follows a stream, and would no longer if it were written to alone.
    #[error(
        "{folder} follows a NATS stream: serve it with --nats, or use --url to speak to the node that does"
    )]
    FollowsStream {
        /// The folder.
        folder: String,
    },
    /// The servers of the stream cannot be asked.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A new folder cannot be made from the stream.
    #[error(transparent)]
    Join(#[from] Box<JoinError>),
    /// The shared keyring is not the folder's.
    #[error(
        "the shared keyring on the servers is not the one of this folder: another ledger's, or one that `goldenthread nats init` has not filled"
    )]
    OtherKeyring,
    /// The stream contradicts the folder.
    #[error(
        "the node has stopped before it had caught up with the stream; its log and the integrity alerts say why"
    )]
    NotCaughtUp,
    /// A file cannot be read or written.
    #[error("{file}: {source}")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The checkpoint does not read.
    #[error("checkpoint: {0}")]
    Checkpoint(#[source] SignedCheckpointError),
    /// The checkpoint is not this ledger's.
    #[error("the checkpoint is not signed by this ledger's key: {0}")]
    Signature(#[source] VerifyCheckpointError),
    /// The keyring does not open.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The log cannot be recovered.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The state cannot be rebuilt.
    #[error(transparent)]
    State(#[from] StateError),
    /// The secrets are not in order.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The log has no entries.
    #[error("the log has no entries")]
    Empty,
    /// The key-encryption key is not the one that wrapped this keyring.
    #[error(
        "the key-encryption key in {place} (fingerprint {fingerprint}) does not open this ledger's keyring: it is another ledger's, or an old one. Give the right one with --kek FILE (GT_KEK_FILE) or --kek-command, or put it back from escrow (goldenthread kek restore)"
    )]
    WrongKek {
        /// The key's fingerprint.
        fingerprint: String,
        /// Where the key is.
        place: String,
    },
    /// What an earlier process had begun cannot be completed.
    #[error(
        "an erasure or a renewal of the key-encryption key was interrupted, and cannot be completed: {0}"
    )]
    Unfinished(String),
    /// The sealer's threads cannot be started.
    #[error("the sealer's threads cannot be started: {0}")]
    Threads(#[source] io::Error),
    /// Something of the log does not read.
    #[error(transparent)]
    Read(ReadError),
    /// What is kept of the log's links cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A vault record does not read.
    #[error("the vault record of entry {index} does not read: {source}")]
    Vault {
        /// Which one.
        index: gt_core::LeafIndex,
        /// Why.
        source: VaultError,
    },
    /// A sealed statement does not read, or is not the one that was sealed.
    #[error("the statement of entry {index} is not the one that was sealed{}", .source.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    Statement {
        /// Which one.
        index: gt_core::LeafIndex,
        /// Why.
        source: Option<StatementError>,
    },
}

impl OpenLedgerError {
    /// Whether something in the folder does not read, or contradicts the rest of it.
    pub const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Checkpoint(_)
                | Self::Keyring(_)
                | Self::Recover(_)
                | Self::State(_)
                | Self::Empty
                | Self::Read(_)
                | Self::Index(_)
                | Self::Vault { .. }
                | Self::Statement { .. }
        )
    }
}

/// From how many bytes of new keys on a start folds them into the shards, which rewrites all of these. As many owners are opened
/// in a tenth of a second.
const FOLD_AT_START: usize = 16 << 20;

pub(crate) struct Opened {
    pub(crate) lock: File,
    pub(crate) writer: LogWriter,
    pub(crate) log: Arc<LogReader>,
    pub(crate) keyring: Keyring,
    pub(crate) begun: Begun,
    pub(crate) removed_entries: u64,
    pub(crate) custody: Option<Custody>,
    pub(crate) unfinished: Unfinished,
}

/// How long a lock that is held is asked for again. A process that is being started holds what the one that starts it held, until its own
/// program runs: so a folder that was just closed here may seem open.
const INHERITED_FOR: Duration = Duration::from_millis(200);

/// Takes the folder's lock, which the operating system gives back when the process ends, however it ends.
pub(crate) fn lock(root: &Path) -> Result<File, OpenLedgerError> {
    let file = root.join(layout::lock());
    let io = |source| OpenLedgerError::Io { file: layout::lock().display().to_string(), source };
    if let Some(folder) = file.parent()
        && !folder.exists()
    {
        private_folder(folder).map_err(io)?;
    }
    let lock = private().write(true).create(true).truncate(false).open(&file).map_err(io)?;
    let asked = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if asked.elapsed() < INHERITED_FOR => {
                std::thread::sleep(INHERITED_FOR / 20);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(OpenLedgerError::Locked { folder: root.display().to_string() });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
    }
}

/// Whether a process has the folder open. Nothing is written to it.
pub(crate) fn is_open(root: &Path) -> Result<bool, OpenLedgerError> {
    let file = layout::lock();
    let lock = match File::open(root.join(&file)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(io_of(&file))?,
    };
    match lock.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(io_of(&file)(source)),
    }
}

pub(crate) fn open(root: &Path, secrets: &Secrets, mut disk: Disk) -> Result<Opened, OpenLedgerError> {
    need_ledger(root)?;
    let lock = lock(root)?;
    let checkpoints = Checkpoints::read(root, secrets)?;
    // Either takes as long as the other, and neither needs it.
    let (keyring, snapshot) =
        rayon::join(|| open_keyring(root, secrets), || Unchecked::read(root, secrets.kek()));
    let (keyring, kek) = keyring?;
    // The other one only after a renewal of it was interrupted.
    let snapshot = if snapshot.is_under(kek) { snapshot } else { Unchecked::read(root, kek) };
    let mut unfinished = unfinished(root, secrets, &kek.epoch())?;
    let signed = checkpoints.put_newest_in_force(&mut disk)?;
    // After recovery, which may refuse the folder, and then nothing that is sealed in it has been changed.
    let mut recovered = recover(disk, Some(signed.checkpoint()))?;
    Keyring::remove_leftovers(recovered.writer.disk(), unfinished.keeps_next_shards())?;
    unfinished.forget_switch(recovered.writer.disk()).map_err(io_of(&switch::file()))?;
    if unfinished.has_next_shards() {
        // A process that was killed before `keyring/shards` bore its name for good left one that a power cut can still take back, and the
        // shards that go with the one before are about to be replaced.
        let (disk, folder) = (recovered.writer.disk(), Path::new("keyring"));
        disk.sync_folder(folder).map_err(io_of(folder))?;
        Keyring::finish_destroying(disk)?;
    }
    keyring.fold_journal_from(FOLD_AT_START, recovered.writer.disk())?;
    let published = Published { checkpoint: signed, open_tiles: recovered.writer.open_tiles() };
    let log = Arc::new(LogReader::new(root, published));
    let begun = snapshot::open(snapshot, &log, &keyring, recovered.writer.disk().another())?;
    Ok(Opened {
        lock,
        writer: recovered.writer,
        log,
        keyring,
        begun,
        removed_entries: recovered.removed_entries,
        custody: Custody::of(secrets, kek.epoch()),
        unfinished,
    })
}

/// Opens the keyring under the key-encryption key in force, or under the next one if a renewal was interrupted; and the one that it was.
pub(crate) fn open_keyring<'s>(
    root: &Path,
    secrets: &'s Secrets,
) -> Result<(Keyring, &'s KeyEncryptionKey), OpenLedgerError> {
    for kek in secrets.keks().all() {
        match Keyring::open(root, kek) {
            Ok(keyring) => return Ok((keyring, kek)),
            Err(KeyringError::WrongKey) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(OpenLedgerError::WrongKek {
        fingerprint: secrets.kek().epoch(),
        place: secrets.kek_source().map_or_else(|| "memory".to_owned(), ToString::to_string),
    })
}

/// What an earlier process has left in the middle, of an erasure or a renewal of the key-encryption key.
fn unfinished(root: &Path, secrets: &Secrets, kek: &str) -> Result<Unfinished, OpenLedgerError> {
    let file = journal_file();
    let journal = Journal::load(root)
        .map_err(|source| OpenLedgerError::Io { file: file.display().to_string(), source })?;
    let in_force = secrets.keks().current().map(KeyEncryptionKey::epoch);
    let under_next = match &journal {
        Some(journal) => journal.next_kek == kek,
        None => in_force.as_deref() != Some(kek),
    };
    let switch = Switch::load(root).map_err(io_of(&switch::file()))?;
    Ok(Unfinished { journal, old_kek: in_force, under_next, kek: kek.to_owned(), switch })
}

fn io_of(file: &Path) -> impl FnOnce(io::Error) -> OpenLedgerError {
    let file = file.display().to_string();
    move |source| OpenLedgerError::Io { file, source }
}

/// The folder's checkpoint, signed by this ledger, and what lies beside it.
pub(crate) struct Checkpoints {
    in_force: SignedCheckpoint,
    /// A checkpoint of this ledger, too: a crash may have torn what lies there, and then there is none.
    beside: Option<SignedCheckpoint>,
}

impl Checkpoints {
    pub(crate) fn read(root: &Path, secrets: &Secrets) -> Result<Self, OpenLedgerError> {
        let (origin, keys) = secrets.pin();
        let in_force = read_checkpoint(root)?;
        in_force.verify(origin, keys).map_err(OpenLedgerError::Signature)?;
        let file = layout::new_checkpoint();
        let beside = read_if_there(&root.join(&file)).map_err(io_of(&file))?;
        let beside = beside.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
        Ok(Self { in_force, beside: beside.filter(|beside| beside.verify(origin, keys).is_ok()) })
    }

    /// The newer one, in force durably, as [`newest`] tells.
    pub(crate) fn put_newest_in_force(self, disk: &mut Disk) -> Result<SignedCheckpoint, RecoverError> {
        newest(disk, self.in_force, self.beside)
    }
}

/// The folder's checkpoint, unverified.
pub(crate) fn read_checkpoint(root: &Path) -> Result<SignedCheckpoint, OpenLedgerError> {
    let file = layout::checkpoint();
    let bytes = read_if_there(&root.join(&file)).map_err(io_of(&file))?;
    let Some(bytes) = bytes else {
        need_ledger(root)?;
        return Err(OpenLedgerError::NoCheckpoint { folder: root.display().to_string() });
    };
    SignedCheckpoint::parse(&bytes).map_err(OpenLedgerError::Checkpoint)
}
