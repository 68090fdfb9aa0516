use std::io;
use std::sync::Arc;

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::tile::HashTile;
use gt_core::{Hash, TreeSize};

use crate::keyring::{Keyring, KeyringError};
use crate::log::{LogReader, LogWriter, Published, SealedEntry};

/// A batch that is ready to be committed.
pub struct SealedBatch {
    /// New owners' keys, wrapped and framed for the keyring; may be empty.
    pub keys: Vec<u8>,
    /// The entries, in order, each with its vault record.
    pub entries: Vec<SealedEntry>,
}

/// Why a batch was not committed, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The log cannot be written. What was written of the batch lies beyond the checkpoint, and start-up removes it.
    #[error("the log cannot be written: {0}")]
    Log(#[from] io::Error),
    /// The keyring cannot be written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

/// Where sealed batches are committed.
///
/// - **Durability**: when [`commit`](Self::commit) returns the new head, the batch MUST survive the loss of power, its owners' keys
///   included. Only then may [`announce`](Self::announce) be called with the checkpoint of that head.
/// - **Order**: a batch follows the one before it; batches MUST NOT be reordered, split or partly committed.
/// - **Retry**: after an error the caller MUST NOT commit again through the same port. It stops, and a new start settles from what is
///   durable what was committed: nothing is guessed.
/// - **Concurrency**: one caller at a time.
pub trait CommitPort: Send {
    /// Commits a batch and returns the head of the tree that it makes.
    fn commit(&mut self, batch: &SealedBatch) -> Result<(TreeSize, Hash), CommitError>;

    /// Makes the signed checkpoint of the committed head durable and visible to readers. Receipts may go out after it.
    fn announce(&mut self, checkpoint: SignedCheckpoint) -> Result<(), CommitError>;

    /// Tidies up after the receipts have gone out.
    fn settle(&mut self) -> Result<(), CommitError>;
}

/// The embedded commit: append to the data folder.
pub struct Embedded {
    writer: LogWriter,
    reader: Arc<LogReader>,
    completed: Vec<(u8, u64, Arc<HashTile>)>,
}

impl Embedded {
    /// Commits through this writer, and shows what is committed to this reader.
    pub fn new(writer: LogWriter, reader: Arc<LogReader>) -> Self {
        Self { writer, reader, completed: Vec::new() }
    }
}

impl CommitPort for Embedded {
    fn commit(&mut self, batch: &SealedBatch) -> Result<(TreeSize, Hash), CommitError> {
        // A crash after this leaves keys that nothing uses yet.
        Keyring::persist(self.writer.disk(), &batch.keys)?;
        // A crash from here on leaves entries beyond the checkpoint, which start-up removes.
        self.completed.extend(self.writer.append(&batch.entries)?);
        self.writer.make_durable()?;
        Ok((self.writer.size(), self.writer.root()))
    }

    fn announce(&mut self, checkpoint: SignedCheckpoint) -> Result<(), CommitError> {
        self.writer.publish(&checkpoint)?;
        let published = Published { checkpoint, open_tiles: self.writer.open_tiles() };
        self.reader.publish(published, std::mem::take(&mut self.completed));
        Ok(())
    }

    fn settle(&mut self) -> Result<(), CommitError> {
        // A crash in between leaves full files in open/, from where start-up moves them.
        Ok(self.writer.promote()?)
    }
}
