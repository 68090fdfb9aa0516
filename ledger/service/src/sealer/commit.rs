use std::io;
use std::sync::Arc;

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::tile::HashTile;
use gt_core::{Hash, TreeSize};

use crate::disk::{Disk, Syncing};
use crate::keyring::{KeyRecord, Keyring, KeyringError};
use crate::log::{LogReader, LogWriter, Published, SealedEntry};

/// A batch that is ready to be committed.
pub struct SealedBatch {
    /// New owners' keys, wrapped, for the folder's keyring; may be empty.
    pub keys: Vec<KeyRecord>,
    /// The entries, in order, each with its vault record.
    pub entries: Vec<SealedEntry>,
}

/// Why a batch was not committed, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The log cannot be written. What was written of the batch lies beyond the checkpoint, and start-up removes it, or keeps it if it is whole and
    /// its checkpoint lies ready.
    #[error("the log cannot be written: {0}")]
    Log(#[from] io::Error),
    /// The keyring cannot be written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Another sealer committed first: nothing of this batch is committed, or ever will be. What it rested on is out of date.
    #[error("another sealer committed first")]
    Superseded,
    /// Nothing of this batch is committed, or ever will be; the next one may be tried.
    #[error("the store refuses: {0}")]
    Refused(String),
    /// It is not known whether the batch is committed, and the port was closed before it could be settled.
    #[error("closed before it was known what is committed")]
    Closed,
    /// The stream contradicts what this folder knows to be sealed.
    #[error("{0}")]
    Contradiction(String),
}

impl CommitError {
    /// Whether the caller may go on as if it had never committed this batch.
    pub const fn is_nothing_committed(&self) -> bool {
        matches!(self, Self::Superseded | Self::Refused(_))
    }
}

/// Where sealed batches are committed.
///
/// - **Durability**: when [`commit`](Self::commit) returns the new head, the batch MUST survive the loss of power, its owners' keys
///   included. Only then may [`announce`](Self::announce) be called with the checkpoint of that head.
/// - **Order**: a batch follows the one before it; batches MUST NOT be reordered, split or partly committed.
/// - **Keys**: what [`share_keys`](Self::share_keys) returned is what every sealer of this ledger has for these owners.
/// - **Retry**: after [`CommitError::Superseded`] or [`CommitError::Refused`] nothing of the batch is committed, or ever will be. After
///   any other error the caller MUST NOT commit again through the same port. It stops, and a new start settles from what is durable
///   what was committed: nothing is guessed.
/// - **Concurrency**: one caller at a time; other ports of the same ledger may commit at the same time, and one of them wins.
pub trait CommitPort: Send {
    /// Agrees with other sealers on new owners' keys, and returns those that hold: the proposed ones, or another sealer's.
    fn share_keys(&mut self, proposed: Vec<KeyRecord>) -> Result<Vec<KeyRecord>, CommitError>;

    /// Commits a batch and returns the head of the tree that it makes.
    fn commit(&mut self, batch: &SealedBatch) -> Result<(TreeSize, Hash), CommitError>;

    /// Makes the signed checkpoint of the committed head durable and visible to readers. Receipts may go out after it.
    fn announce(&mut self, checkpoint: SignedCheckpoint) -> Result<(), CommitError>;

    /// Tidies up after the receipts have gone out.
    fn settle(&mut self) -> Result<(), CommitError>;

    /// Whether what is committed is all that there is: a refusal may rest on it.
    fn is_current(&mut self) -> Result<bool, CommitError>;
}

/// The embedded commit: append to the data folder.
pub struct Embedded {
    writer: LogWriter,
    reader: Arc<LogReader>,
    completed: Vec<(u8, u64, Arc<HashTile>)>,
    /// New owners' keys, which become durable while the checkpoint that rests on them is being signed.
    keys: Option<Syncing>,
}

impl Embedded {
    /// Commits through this writer, and shows what is committed to this reader.
    pub fn new(writer: LogWriter, reader: Arc<LogReader>) -> Self {
        Self { writer, reader, completed: Vec::new(), keys: None }
    }

    /// The head of the tree that a batch would make.
    pub(crate) fn head_after(&self, batch: &[SealedEntry]) -> (TreeSize, Hash) {
        self.writer.head_after(batch)
    }

    /// Writes entries and their owners' new keys, which become durable with the next checkpoint, the keys before it.
    pub(crate) fn write(
        &mut self,
        keys: &[KeyRecord],
        entries: &[SealedEntry],
    ) -> Result<(TreeSize, Hash), CommitError> {
        self.await_keys()?;
        // A crash after this leaves keys that nothing uses yet.
        self.keys = Keyring::begin_to_persist(self.writer.disk(), keys)?;
        // A crash from here on leaves entries beyond the checkpoint, which start-up removes.
        self.completed.extend(self.writer.append(entries)?);
        Ok((self.writer.size(), self.writer.root()))
    }

    /// No checkpoint is written, not even beside the one in force, before the keys that its entries rest on are durable.
    fn await_keys(&mut self) -> Result<(), CommitError> {
        let Some(keys) = self.keys.take() else { return Ok(()) };
        Ok(Keyring::finish_persisting(self.writer.disk(), keys)?)
    }

    /// Commits entries and their owners' new keys, with their checkpoint beside the one in force: all are durable together, and receipts may
    /// rest on them. Nobody sees it before [`Self::announce_ready`].
    pub(crate) fn commit_with<E: From<CommitError>>(
        &mut self,
        keys: &[KeyRecord],
        entries: &[SealedEntry],
        sign: impl FnOnce(TreeSize, Hash) -> Result<SignedCheckpoint, E>,
    ) -> Result<SignedCheckpoint, E> {
        let (size, root) = self.write(keys, entries)?;
        let checkpoint = sign(size, root)?;
        self.await_keys()?;
        self.writer.make_durable_with(&checkpoint).map_err(CommitError::from)?;
        Ok(checkpoint)
    }

    /// Puts the checkpoint of [`Self::commit_with`] in force and shows it to readers.
    pub(crate) fn announce_ready(&mut self, checkpoint: SignedCheckpoint) -> Result<(), CommitError> {
        self.writer.publish_ready(checkpoint.clone())?;
        self.show(checkpoint);
        Ok(())
    }

    /// Takes the checkpoint of [`Self::commit_with`] back, which nobody has seen.
    pub(super) fn withdraw(&mut self) -> Result<(), CommitError> {
        Ok(self.writer.withdraw_ready()?)
    }

    fn show(&mut self, checkpoint: SignedCheckpoint) {
        let published = Published { checkpoint, open_tiles: self.writer.open_tiles() };
        self.reader.publish(published, std::mem::take(&mut self.completed));
    }

    /// Access to the folder for what lies beside the log.
    pub(crate) fn disk(&mut self) -> &mut Disk {
        self.writer.disk()
    }

    /// What this commits to, for reading.
    pub(crate) fn reader(&self) -> &LogReader {
        &self.reader
    }
}

impl CommitPort for Embedded {
    fn share_keys(&mut self, proposed: Vec<KeyRecord>) -> Result<Vec<KeyRecord>, CommitError> {
        Ok(proposed)
    }

    fn commit(&mut self, batch: &SealedBatch) -> Result<(TreeSize, Hash), CommitError> {
        let head = self.write(&batch.keys, &batch.entries)?;
        self.await_keys()?;
        self.writer.make_durable()?;
        Ok(head)
    }

    fn announce(&mut self, checkpoint: SignedCheckpoint) -> Result<(), CommitError> {
        self.await_keys()?;
        self.writer.make_durable_with(&checkpoint)?;
        self.announce_ready(checkpoint)
    }

    fn settle(&mut self) -> Result<(), CommitError> {
        // A crash in between leaves the checkpoint beside the one before, and full files in open/; start-up puts them in their places.
        Ok(self.writer.promote()?)
    }

    fn is_current(&mut self) -> Result<bool, CommitError> {
        Ok(true)
    }
}
