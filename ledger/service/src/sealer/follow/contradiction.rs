//! Holding the stream against what this node knows to be sealed, and keeping what shows that it differs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::{Hash, LeafIndex, TreeSize, prove, tree};

use super::MAX_CHECKPOINTS;
use super::place::{BatchFault, chains, fits};
use crate::integrity::IntegrityAlert;
use crate::jetstream::Port;
use crate::jetstream::assemble::{StreamBatch, Void};
use crate::jetstream::message::MessageFault;
use crate::layout;
use crate::log::SealedEntry;
use crate::sealer::batch::{SealError, Sealer};
use crate::sealer::commit::CommitError;

/// How often in a row the stream's leader must say what cannot be before it is believed.
const MAX_DOUBTS: u32 = 15;

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
        let mut tree = self.tree(TreeSize(before))?;
        if let Err(fault) = fits(batch, &self.state.registry.ledger_keys().origin, &mut tree) {
            self.is_void_batch(batch, &fault);
            return Ok(false);
        }
        let differs = |reason: String, own: Vec<u8>| {
            let mut evidence = vec![("own-entry".to_owned(), own)];
            evidence.extend(of_batch(batch));
            Contradiction { reason, evidence }
        };
        // With the one before, by which the batch hangs on the log.
        let mut own = self.own_entries(before.saturating_sub(1), size.min(tree.size().0))?.into_iter();
        let prev = if before > 0 { tree::leaf_hash(&own.next().unwrap_or_default()) } else { Hash::ZERO };
        let mut pairs = batch.entries.iter().zip(own).zip(before..);
        if let Some(((_, own), index)) = pairs.find(|((sealed, own), _)| sealed.bytes != *own) {
            if !chains(batch, before, prev) {
                self.is_void_batch(batch, &BatchFault::Head);
                return Ok(false);
            }
            let reason = format!("its entry {index} is another than the one that is sealed here");
            return Err(differs(reason, own).into());
        }
        if tree.size().0 > size {
            let reason = format!("a batch crosses the end of this folder at {size}");
            return Err(differs(reason, Vec::new()).into());
        }
        Ok(true)
    }

    fn own_entries(&mut self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, SealError> {
        let log = self.node()?.port.log();
        let mut entries = Vec::new();
        let mut at = from;
        while at < to {
            let read = log.entries_bytes(LeafIndex(at), to - at).map_err(|error| {
                CommitError::Contradiction(format!("entry {at} cannot be read to be compared: {error}"))
            })?;
            if read.is_empty() {
                break;
            }
            at += read.len() as u64;
            entries.extend(read);
        }
        Ok(entries)
    }

    /// A checkpoint that is known for this head must have its root, before anything rests on the head.
    pub(super) fn check_known(
        &mut self,
        head: &Checkpoint,
        entries: &[SealedEntry],
    ) -> Result<(), SealError> {
        let ahead = self.node()?.port.ahead();
        match ahead.get(&head.size().0) {
            Some(known) if known.checkpoint().root() != head.root() => {
                Err(Self::other_root(known, head.root(), Some(entries)).into())
            }
            _ => Ok(()),
        }
    }

    /// What the stream's leader says while nothing comes. One that was frozen says for a moment what is not so any more; so only what is
    /// said again and again counts.
    pub(super) fn take_answer(&mut self, last: u64, created: &str, accounted: u64) -> Result<(), SealError> {
        let node = self.node()?;
        if !node.port.follows(created) {
            let reason = format!("it was made anew, at {created}");
            return Err(Contradiction { reason, evidence: Vec::new() }.into());
        }
        let (sequence, _) = node.port.cursor();
        let reads_all = last == sequence && node.waiting.is_empty();
        let (reason, evidence) = match node.port.ahead().values().next() {
            _ if last < accounted => {
                (format!("it ends at {last}, and this node has followed it to {accounted}"), Vec::new())
            }
            Some(signed) if reads_all => {
                let size = signed.checkpoint().size();
                let evidence = vec![("signed-checkpoint".to_owned(), signed.to_string().into_bytes())];
                (
                    format!(
                        "it ends before a checkpoint over {size} entries that this ledger's key has signed"
                    ),
                    evidence,
                )
            }
            _ => {
                node.doubts = 0;
                return Ok(());
            }
        };
        node.doubts += 1;
        if node.doubts < MAX_DOUBTS { Ok(()) } else { Err(Contradiction { reason, evidence }.into()) }
    }

    /// The stream has been read to where it ended when this node started. It must hold everything that this folder holds.
    pub(super) fn caught_up(&mut self) -> Result<(), SealError> {
        let own = self.state.size();
        let (_, there) = self.node()?.port.cursor();
        let waits = !self.node()?.waiting.is_empty();
        if TreeSize(there) < own && !waits {
            let reason = format!(
                "it holds {there} entries, and this folder {own}: it was restored from an older copy, or is another ledger's"
            );
            let own = self.node()?.port.log().published().checkpoint.to_string().into_bytes();
            return Err(Contradiction { reason, evidence: vec![("own-checkpoint".into(), own)] }.into());
        }
        self.node()?.port.tidy()?;
        self.shared.set_caught_up();
        Ok(())
    }

    pub(super) fn take_checkpoint(
        &mut self,
        checkpoint: SignedCheckpoint,
        stored: bool,
    ) -> Result<(), SealError> {
        let size = checkpoint.checkpoint().size().0;
        if self.check_checkpoint(checkpoint)? {
            self.node()?.port.saw_checkpoint(size, stored);
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
            remember(self.node()?.port.ahead(), size.0, checkpoint);
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

    pub(super) fn is_void_batch(&self, batch: &StreamBatch, fault: &BatchFault) {
        let (first, last) = (batch.first, batch.last);
        self.is_void(Void { first, last, fault: MessageFault::NoBatch }, &fault.to_string());
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

/// Remembers one more by its size, but no more than [`MAX_CHECKPOINTS`]. The smallest stay: they are what a follower goes on with. Larger
/// ones come again, each with the batch behind its own, and the newest whenever the broker is asked.
fn remember<T>(ahead: &mut BTreeMap<u64, T>, size: u64, checkpoint: T) {
    ahead.insert(size, checkpoint);
    while ahead.len() > MAX_CHECKPOINTS {
        ahead.pop_last();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_follower_goes_on_with_is_remembered() {
        let most = MAX_CHECKPOINTS as u64;
        let sizes = || 10..10 + 2 * most;
        let (mut ahead, mut backwards) = (BTreeMap::new(), BTreeMap::new());
        sizes().for_each(|size| remember(&mut ahead, size, size));
        sizes().rev().for_each(|size| remember(&mut backwards, size, size));
        assert!(ahead.keys().copied().eq(10..10 + most));
        assert_eq!(ahead, backwards);
    }
}
