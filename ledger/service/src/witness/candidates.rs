use std::collections::BTreeMap;

use gt_core::TreeSize;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::note::NoteSignature;
use gt_core::policy::Policy;
use gt_core::witness::with_only;

/// How many checkpoints are remembered that have not met the quorum. A witness that answers later than this has asked for nothing.
const MAX_WAITING: usize = 64;

/// Checkpoints that witnesses are asked about, with the cosignatures that have come so far. Witnesses answer at different speeds, so
/// the quorum may be met for a checkpoint when the next ones have been asked about already.
#[derive(Default)]
pub(super) struct Candidates {
    waiting: BTreeMap<TreeSize, SignedCheckpoint>,
}

impl Candidates {
    /// Takes cosignatures, which have been verified. Returns the checkpoint with them if it meets the quorum now, and forgets the
    /// smaller ones then.
    pub(super) fn add(
        &mut self,
        checkpoint: &SignedCheckpoint,
        cosignatures: &[NoteSignature],
        policy: &Policy,
    ) -> Option<SignedCheckpoint> {
        let size = checkpoint.checkpoint().size();
        let candidate = self.waiting.remove(&size).unwrap_or_else(|| checkpoint.clone());
        let candidate = merged(candidate, cosignatures);
        let met = policy.check(&candidate).is_ok();
        self.waiting.insert(size, candidate.clone());
        if met {
            self.waiting = self.waiting.split_off(&size);
            return Some(candidate);
        }
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_first();
        }
        None
    }
}

/// The checkpoint with these cosignatures; a newer one of a key takes the place of an older one.
fn merged(checkpoint: SignedCheckpoint, cosignatures: &[NoteSignature]) -> SignedCheckpoint {
    let newer = |old: &NoteSignature| {
        cosignatures.iter().any(|new| new.key_id() == old.key_id() && new.name() == old.name())
    };
    let kept = checkpoint.note().signatures().iter().filter(|old| !newer(old));
    let signatures: Vec<NoteSignature> = kept.chain(cosignatures).cloned().collect();
    match with_only(&checkpoint, &signatures) {
        Ok(merged) => merged,
        Err(error) => {
            // A note has at most 64 signatures.
            tracing::warn!(%error, "cosignatures were left out of a checkpoint");
            checkpoint
        }
    }
}
