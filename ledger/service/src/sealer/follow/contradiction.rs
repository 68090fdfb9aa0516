//! Holding the stream against what this node knows to be sealed, and keeping what shows that it differs.

use std::path::PathBuf;

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::entry::Entry;
use gt_core::{Hash, LeafIndex, prove};

use super::MAX_CHECKPOINTS;
use crate::integrity::IntegrityAlert;
use crate::jetstream::Port;
use crate::jetstream::assemble::{StreamBatch, Void};
use crate::layout;
use crate::log::SealedEntry;
use crate::sealer::batch::{SealError, Sealer};
use crate::sealer::commit::CommitError;

/// The stream contradicts what this node has sealed or verified. Nothing is believed any more until a person has looked.
#[derive(Debug, thiserror::Error)]
#[error("the stream contradicts this folder: {reason}")]
pub(crate) struct Contradiction {
    pub(super) reason: String,
    pub(super) evidence: Vec<(String, Vec<u8>)>,
}

impl Sealer {
    /// A batch for entries that this folder has already: they must be the same. False if it was no part of the log then either.
    pub(super) fn compare(&mut self, batch: &StreamBatch) -> Result<bool, SealError> {
        let (before, size) = (self.node()?.port.cursor().1, self.state.size().0);
        let first = batch.entries.first().and_then(|sealed| Entry::parse(&sealed.bytes).ok());
        if first.is_none_or(|entry| entry.index.0 != before) {
            return Ok(false);
        }
        let differs = |reason: String, own: Vec<u8>| {
            let mut evidence = vec![("own-entry".to_owned(), own)];
            evidence.extend(of_batch(batch));
            Contradiction { reason, evidence }
        };
        if before + batch.entries.len() as u64 > size {
            return Err(
                differs(format!("a batch crosses the end of this folder at {size}"), Vec::new()).into()
            );
        }
        let log = self.node()?.port.log();
        let mut own = Vec::new().into_iter();
        for (sealed, index) in batch.entries.iter().zip(before..) {
            if own.len() == 0 {
                let read = log.entries_bytes(LeafIndex(index), size - index).map_err(|error| {
                    CommitError::Contradiction(format!(
                        "entry {index} cannot be read to be compared: {error}"
                    ))
                })?;
                own = read.into_iter();
            }
            let own = own.next().unwrap_or_default();
            if own != sealed.bytes {
                let reason = format!("its entry {index} is another than the one that is sealed here");
                return Err(differs(reason, own).into());
            }
        }
        Ok(true)
    }

    pub(super) fn take_checkpoint(&mut self, checkpoint: SignedCheckpoint) -> Result<(), SealError> {
        let size = checkpoint.checkpoint().size().0;
        if self.check_checkpoint(checkpoint)? {
            self.node()?.port.saw_checkpoint(size);
            self.shared.saw_checkpoint(size);
        }
        if self.node()?.waiting.is_empty() { Ok(()) } else { self.apply_waiting() }
    }

    /// A checkpoint that the ledger's key has signed must be one of this log; false if another key has. One beyond the log is compared
    /// when the log is there.
    pub(super) fn check_checkpoint(&mut self, checkpoint: SignedCheckpoint) -> Result<bool, SealError> {
        if self.node()?.port.is_newest(&checkpoint) {
            return Ok(true);
        }
        let keys = self.state.registry.ledger_keys();
        if let Err(error) = checkpoint.verify(&keys.origin, &keys.verifier_keys) {
            tracing::error!(%error, "a checkpoint on the broker is not signed by this ledger's key");
            return Ok(false);
        }
        let (size, own) = (checkpoint.checkpoint().size(), self.state.size());
        if size > own {
            let node = self.node()?;
            node.ahead.insert(size.0, checkpoint);
            while node.ahead.len() > MAX_CHECKPOINTS {
                node.ahead.pop_first();
            }
            return Ok(true);
        }
        let root = prove::root(self.node()?.port.log(), size).map_err(|error| {
            CommitError::Contradiction(format!("the root at {size} cannot be worked out: {error}"))
        })?;
        if root == checkpoint.checkpoint().root() {
            Ok(true)
        } else {
            Err(Self::other_root(&checkpoint, root, None).into())
        }
    }

    pub(super) fn other_root(
        signed: &SignedCheckpoint,
        own: Hash,
        entries: Option<&[SealedEntry]>,
    ) -> Contradiction {
        let size = signed.checkpoint().size();
        let reason = format!(
            "a checkpoint over {size} entries is signed by this ledger's key with another root than {own}"
        );
        let mut evidence = vec![("signed-checkpoint".to_owned(), signed.to_string().into_bytes())];
        evidence.extend(entries.into_iter().flatten().map(|entry| ("entry".to_owned(), entry.bytes.clone())));
        Contradiction { reason, evidence }
    }

    pub(super) fn is_void(&self, void: Void, fault: &str) {
        let Void { first, last, .. } = void;
        self.shared.integrity.raise(&IntegrityAlert::StreamVoid { first, last, fault: fault.to_owned() });
    }

    pub(super) fn keep_evidence(&mut self, contradiction: &Contradiction) {
        self.shared
            .integrity
            .raise(&IntegrityAlert::StreamContradiction { reason: contradiction.reason.clone() });
        let Ok(node) = self.node() else { return };
        let own = node.port.log().published().checkpoint.to_string().into_bytes();
        if let Err(error) = node.port.keep_evidence(&own, &contradiction.evidence) {
            tracing::error!(%error, "the evidence could not be kept");
        }
    }
}

fn of_batch(batch: &StreamBatch) -> Vec<(String, Vec<u8>)> {
    let entries = batch.entries.iter().map(|entry| ("stream-entry".to_owned(), entry.bytes.clone()));
    let head = ("stream-head".to_owned(), batch.closing.head.to_string().into_bytes());
    entries.chain([head]).collect()
}

impl Port {
    fn keep_evidence(&mut self, own: &[u8], evidence: &[(String, Vec<u8>)]) -> std::io::Result<()> {
        let disk = self.local_disk();
        let folder = (0..1000).map(layout::evidence).find(|folder| !disk.root().join(folder).exists());
        let folder = folder.unwrap_or_else(|| PathBuf::from("state/evidence/last"));
        disk.replace(&folder.join("own-checkpoint-now"), own)?;
        for (at, (name, bytes)) in evidence.iter().enumerate() {
            disk.replace(&folder.join(format!("{at:04}-{name}")), bytes)?;
        }
        Ok(())
    }
}
