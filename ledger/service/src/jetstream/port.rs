//! The commit port on the stream: one atomic publish, then the data folder through the same function as the embedded commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::{Hash, TreeSize};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use super::keys::SharedKeyring;
use super::message::{Closing, KeyEpoch};
use super::names::CHECKPOINT_SUBJECT;
use super::node::Outgoing;
use super::position::Position;
use super::publish::{Settled, messages, new_name, publish_settled};
use super::read::{Stream, StreamError};
use super::register::Saying;
use crate::disk::Disk;
use crate::keyring::KeyRecord;
use crate::log::{LogReader, SealedEntry};
use crate::sealer::{CommitError, CommitPort, Embedded, SealedBatch};

/// Commits to the stream, and to the data folder after it.
pub struct Port {
    pub(super) local: Embedded,
    pub(super) stream: Stream,
    pub(super) keyring: SharedKeyring,
    pub(super) runtime: Handle,
    pub(super) position: Position,
    /// Where reading starts again after a restart, and the size of the tree there: no further than where something is pending.
    pub(super) resume: (u64, u64),
    /// The first sequence of which it is not known yet what it belongs to.
    pub(super) pending: Option<u64>,
    pub(super) origin: String,
    /// The number of the epoch whose keyring the folder has, and the fingerprint of its key-encryption key.
    pub(super) epoch: u64,
    pub(super) kek: String,
    /// What other nodes are told of this one.
    pub(super) saying: Option<Arc<Saying>>,
    /// The key-encryption key of the next epoch is not there yet.
    pub(super) waits: bool,
    /// From where the stream is to be read again; 0 for nowhere.
    pub(super) again: Arc<AtomicU64>,
    /// Keys that the keyring in memory has taken and the folder has not.
    pub(super) unwritten: Vec<KeyRecord>,
    /// The stream's sequence up to which this node needs to read nothing.
    pub(super) accounted: Arc<AtomicU64>,
    /// The newest signed checkpoint of this folder, which the next batch carries along.
    pub(super) newest: Option<SignedCheckpoint>,
    /// Verified checkpoints beyond the log, by size. Nothing is committed before their entries have come in: it might not extend them.
    pub(super) ahead: BTreeMap<u64, SignedCheckpoint>,
    /// The size of the newest checkpoint that was seen on the broker, and of the one that the stream of checkpoints had last when it was
    /// read.
    pub(super) announced: u64,
    pub(super) stored: u64,
    pub(super) outgoing: UnboundedSender<Outgoing>,
    pub(super) closing: Arc<AtomicBool>,
}

impl Port {
    fn has_its_key(&self) -> Result<(), CommitError> {
        let waits = "this node waits for the key-encryption key of the next epoch";
        if self.waits { Err(CommitError::Refused(waits.into())) } else { Ok(()) }
    }

    /// Whether this is the folder's own newest checkpoint.
    pub(crate) fn is_newest(&self, checkpoint: &SignedCheckpoint) -> bool {
        self.newest.as_ref() == Some(checkpoint)
    }

    /// Access to the data folder for what lies beside the log.
    pub(crate) fn local_disk(&mut self) -> &mut Disk {
        self.local.disk()
    }

    /// How far the stream is accounted for: its sequence, and the size of the tree there.
    pub(crate) fn cursor(&self) -> (u64, u64) {
        (self.position.sequence, self.position.size)
    }

    /// The head of the tree that these entries would make.
    pub(crate) fn head_after(&self, entries: &[SealedEntry]) -> (TreeSize, Hash) {
        self.local.head_after(entries)
    }

    /// The log of the data folder.
    pub(crate) fn log(&self) -> &LogReader {
        self.local.reader()
    }

    /// The records of the shared keyring up to this sequence that are not held yet. They are to be accepted, and go into the folder
    /// with the next commit or [`Self::append`].
    ///
    /// Waits for them as long as it takes: they were there before the batch that rests on them, and a replica that was cut off does not
    /// know of them for a while.
    pub(crate) fn keys_through(&mut self, sequence: u64) -> Result<Vec<KeyRecord>, CommitError> {
        const SAY_EVERY: u32 = 100;
        let mut waits = 0_u32;
        while self.keyring.sequence < sequence {
            let (before, keyring) = (self.keyring.sequence, &mut self.keyring);
            let read = self.runtime.block_on(async {
                let read = keyring.read_on().await;
                if keyring.sequence == before {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                read
            });
            waits += 1;
            if waits.is_multiple_of(SAY_EVERY) {
                let there = self.keyring.sequence;
                tracing::warn!(
                    sequence,
                    there,
                    "a batch waits for keys that the shared keyring does not show"
                );
            }
            if let Err(error) = read {
                tracing::warn!(%error, "the shared keyring cannot be read");
            }
            if self.closing.load(Ordering::Acquire) {
                return Err(CommitError::Closed);
            }
        }
        let records = self.keyring.claim();
        self.unwritten.extend(records.iter().cloned());
        Ok(records)
    }

    /// Writes entries that the stream holds to the data folder, where they become durable with the next checkpoint.
    fn write(&mut self, entries: &[SealedEntry]) -> Result<(TreeSize, Hash), CommitError> {
        let keys = std::mem::take(&mut self.unwritten);
        self.local.write(&keys, entries)
    }

    /// Writes them with the checkpoint of their head beside the one in force, and waits until all of it is durable.
    pub(crate) fn append_with(
        &mut self,
        entries: &[SealedEntry],
        checkpoint: &SignedCheckpoint,
    ) -> Result<(), CommitError> {
        let keys = std::mem::take(&mut self.unwritten);
        self.local.commit_with(&keys, entries, |_, _| Ok::<_, CommitError>(checkpoint.clone())).map(drop)
    }

    /// Puts the checkpoint of [`Self::append_with`] in force.
    pub(crate) fn announce_ready(&mut self, checkpoint: SignedCheckpoint) -> Result<(), CommitError> {
        self.newest = Some(checkpoint.clone());
        self.local.announce_ready(checkpoint)
    }

    /// Says that the stream is accounted for up to this sequence, where the tree has this size.
    pub(crate) fn account(&mut self, sequence: u64, size: u64) {
        self.position.sequence = sequence;
        self.position.size = size;
        if self.pending.is_none_or(|first| sequence < first) {
            self.resume = (sequence, size);
        }
        self.accounted.fetch_max(sequence, Ordering::AcqRel);
    }

    /// Says from where on it is not known yet what messages belong to.
    pub(crate) fn set_pending(&mut self, first: Option<u64>) {
        self.pending = first;
    }

    /// The first sequence of which it is not known yet what it belongs to.
    pub(crate) const fn pending(&self) -> Option<u64> {
        self.pending
    }

    /// Whether the stream that was made then is the one that this folder follows.
    pub(crate) fn follows(&self, created: &str) -> bool {
        self.position.created == created
    }

    /// Verified checkpoints beyond the log, by size.
    pub(crate) fn ahead(&mut self) -> &mut BTreeMap<u64, SignedCheckpoint> {
        &mut self.ahead
    }

    /// Says that a checkpoint of this size is on the broker, and whether the stream of checkpoints has it.
    pub(crate) fn saw_checkpoint(&mut self, size: u64, stored: bool) {
        self.announced = self.announced.max(size);
        if stored {
            // Not the largest ever: a stream that was made anew, or put back, is told again.
            self.stored = size;
        }
    }

    /// Sends the newest checkpoint again unless the stream of checkpoints is seen to have it. What is published while that stream has no
    /// leader is lost, and whoever follows would wait for it until the next batch.
    pub(crate) fn announce_again(&self) {
        self.announce_beyond(self.stored);
    }

    /// Sends the newest checkpoint if it is of more than this size: after the receipts, on the same connection, so that who sees it knows
    /// that they have gone out.
    fn announce_beyond(&self, size: u64) {
        let Some(newest) = &self.newest else { return };
        if newest.checkpoint().size().0 > size {
            let payload = Bytes::from(newest.to_string());
            // Nobody takes it once the node is closing; the next one to seal announces a newer one.
            let _ = self.outgoing.send(Outgoing::new(CHECKPOINT_SUBJECT, payload));
        }
    }

    /// Tidies up the folder, and writes down how far it is.
    pub(crate) fn tidy(&mut self) -> Result<(), CommitError> {
        self.local.settle()?;
        if self.unwritten.is_empty() && self.keyring.is_claimed() {
            self.position.keys = self.keyring.sequence;
        }
        let (sequence, size) = self.resume;
        let position = Position { sequence, size, ..self.position.clone() };
        Ok(position.move_on(self.local.disk())?)
    }

    /// The sequence of the stream's last message and when it was made, as its leader says.
    pub(crate) fn stream_end(&self) -> Result<(u64, String), StreamError> {
        self.runtime.block_on(stream_end(&self.stream))
    }
}

/// A batch that is in the stream.
pub(super) struct Published {
    /// The sequence of its last message.
    pub(super) last: u64,
    pub(super) name: String,
    pub(super) closing: Closing,
}

impl Port {
    /// Publishes a batch behind everything that this folder has, resting on the keyring's sequence `keys`. It is not in the folder then.
    pub(super) fn publish(
        &self,
        entries: &[SealedEntry],
        keys: u64,
        epoch: Option<KeyEpoch>,
    ) -> Result<Published, CommitError> {
        let (size, root) = self.local.head_after(entries);
        let head = Checkpoint::new(&self.origin, size, root)
            .map_err(|error| CommitError::Refused(error.to_string()))?;
        let closing = Closing { head, keys, epoch, checkpoint: self.newest.clone() };
        let (messages, name) = (messages(entries, &closing), new_name());
        let fence = self.position.sequence;
        let settled =
            self.runtime.block_on(publish_settled(&self.stream, &name, &messages, fence, &self.closing));
        match settled {
            Settled::Committed(last) if last == fence + messages.len() as u64 => {
                Ok(Published { last, name, closing })
            }
            Settled::Committed(last) => Err(CommitError::Contradiction(format!(
                "a batch of {} after {fence} was acknowledged at {last}",
                messages.len()
            ))),
            Settled::Superseded => Err(CommitError::Superseded),
            Settled::Refused(reason) => Err(CommitError::Refused(reason)),
            Settled::Closed => Err(CommitError::Closed),
        }
    }
}

impl CommitPort for Port {
    fn share_keys(&mut self, proposed: Vec<KeyRecord>) -> Result<Vec<KeyRecord>, CommitError> {
        self.has_its_key()?;
        let keys = self.runtime.block_on(self.keyring.create(proposed))?;
        self.unwritten.extend(keys.iter().cloned());
        Ok(keys)
    }

    fn commit(&mut self, batch: &SealedBatch) -> Result<(TreeSize, Hash), CommitError> {
        self.has_its_key()?;
        if let Some(size) = self.ahead.keys().next() {
            tracing::warn!(
                size,
                "a checkpoint beyond this log is signed, and its entries have not come in yet"
            );
            return Err(CommitError::Superseded);
        }
        let epoch = KeyEpoch { ordinal: self.epoch, kek: self.kek.clone(), begins: None };
        let epoch = Some(epoch).filter(|epoch| epoch.ordinal > 0);
        let published = self.publish(&batch.entries, self.keyring.sequence, epoch)?;
        let committed = self.write(&batch.entries)?;
        self.account(published.last, committed.0.0);
        Ok(committed)
    }

    fn announce(&mut self, checkpoint: SignedCheckpoint) -> Result<(), CommitError> {
        self.newest = Some(checkpoint.clone());
        self.local.announce(checkpoint)
    }

    fn settle(&mut self) -> Result<(), CommitError> {
        // Counted as announced once it comes back from there: what is sent as a connection breaks is lost.
        self.announce_beyond(self.announced);
        self.tidy()
    }

    fn is_current(&mut self) -> Result<bool, CommitError> {
        let (last, _) = self.stream_end().map_err(|error| CommitError::Refused(error.to_string()))?;
        Ok(last == self.position.sequence)
    }
}

/// The sequence of a stream's last message, and when the stream was made.
pub(super) async fn stream_end(stream: &Stream) -> Result<(u64, String), StreamError> {
    let info = stream.info().await?;
    let malformed = || StreamError::Malformed { stream: stream.name.clone(), operation: "STREAM.INFO" };
    let last = info["state"]["last_seq"].as_u64().ok_or_else(malformed)?;
    let created = info["created"].as_str().ok_or_else(malformed)?;
    Ok((last, created.to_owned()))
}
