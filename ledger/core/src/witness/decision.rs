use super::AddCheckpoint;
use crate::checkpoint::{Checkpoint, VerifyCheckpointError};
use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::position::TreeSize;
use crate::proof::{ConsistencyError, ConsistencyProof};
use crate::tree::EMPTY_ROOT;

/// Why a witness does not sign. Each has C2SP's status code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The witness knows no key of this log.
    #[error("this witness does not know the log")]
    UnknownOrigin,
    /// No key that the witness trusts for this log has signed, or a signature in the name of one does not verify.
    #[error("the checkpoint is not signed as the log's checkpoints are: {0}")]
    NotSigned(#[source] VerifyCheckpointError),
    /// The old size is larger than the checkpoint.
    #[error("the old size, {old}, is larger than the checkpoint's, {size}")]
    OldAboveSize {
        /// The old size.
        old: TreeSize,
        /// The checkpoint's.
        size: TreeSize,
    },
    /// The old size is not that of the checkpoint that the witness signed last.
    #[error("the latest checkpoint that this witness has signed has the size {size}")]
    Conflict {
        /// That size; 0 if there is none.
        size: TreeSize,
    },
    /// From the empty tree there is nothing to prove.
    #[error("a proof from size 0 is empty")]
    ProofFromNothing,
    /// Another root than that of the checkpoint with this size that the witness signed.
    #[error("this witness has signed another root for {size} entries")]
    OtherRoot {
        /// The size of both.
        size: TreeSize,
    },
    /// The proof does not lead from what the witness signed to the checkpoint.
    #[error("the checkpoint is not shown to extend the one that this witness has signed: {0}")]
    Inconsistent(#[source] ConsistencyError),
}

impl Refusal {
    /// The HTTP status that C2SP gives this refusal.
    pub const fn status(&self) -> u16 {
        match self {
            Self::UnknownOrigin => 404,
            Self::NotSigned(_) => 403,
            Self::OldAboveSize { .. } => 400,
            Self::Conflict { .. } => 409,
            Self::ProofFromNothing | Self::OtherRoot { .. } | Self::Inconsistent(_) => 422,
        }
    }

    /// The stable code of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownOrigin => "unknown_origin",
            Self::NotSigned(_) => "not_signed",
            Self::OldAboveSize { .. } => "old_above_size",
            Self::Conflict { .. } => "conflict",
            Self::ProofFromNothing => "proof_from_nothing",
            Self::OtherRoot { .. } => "other_root",
            Self::Inconsistent(_) => "inconsistent",
        }
    }
}

/// Whether a witness signs. `seen` is what it signed last of this origin, `log_keys` the keys that it trusts for the origin; none
/// if it does not know the log.
///
/// Where it signs, what it signs MUST become what it has seen before any other request about this origin is decided.
pub fn decide(
    seen: Option<&Checkpoint>,
    request: &AddCheckpoint,
    log_keys: &[VerifierKey],
) -> Result<(), Refusal> {
    let (checkpoint, old) = (request.checkpoint.checkpoint(), request.old);
    if log_keys.is_empty() {
        return Err(Refusal::UnknownOrigin);
    }
    request.checkpoint.verify(checkpoint.origin(), log_keys).map_err(Refusal::NotSigned)?;
    let size = checkpoint.size();
    if old > size {
        return Err(Refusal::OldAboveSize { old, size });
    }
    let latest = seen.map_or(TreeSize(0), Checkpoint::size);
    if old != latest {
        return Err(Refusal::Conflict { size: latest });
    }
    if old.0 == 0 && !request.proof.is_empty() {
        return Err(Refusal::ProofFromNothing);
    }
    let root = seen.map_or(EMPTY_ROOT, Checkpoint::root);
    if old == size && checkpoint.root() != root {
        return Err(Refusal::OtherRoot { size });
    }
    proof(request).verify(&root, &checkpoint.root()).map_err(Refusal::Inconsistent)
}

fn proof(request: &AddCheckpoint) -> ConsistencyProof {
    ConsistencyProof {
        from: request.old,
        to: request.checkpoint.checkpoint().size(),
        path: request.proof.clone(),
    }
}

/// That a log has signed two histories, as evidence shows it (FORMATS section 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownFork {
    /// Both checkpoints have one size, and different roots.
    SameSize,
    /// The request's own proof shows that what it asks to sign grew from another tree than the one that was seen.
    OtherHistory {
        /// The root that the other tree had at the size of the one that was seen.
        other_root: Hash,
    },
}

/// What a request proves of its log, beside what was seen of it. Both checkpoints' signatures have been verified.
///
/// A proof that simply does not hold proves nothing: anybody can send a wrong one with a checkpoint that anybody can get. Nor does
/// a proof from a size that is a power of two, which does not hold the old root.
pub fn shown_fork(seen: &Checkpoint, request: &AddCheckpoint) -> Option<ShownFork> {
    let checkpoint = request.checkpoint.checkpoint();
    if seen.size() == checkpoint.size() {
        return (seen.root() != checkpoint.root()).then_some(ShownFork::SameSize);
    }
    if request.old != seen.size() {
        return None;
    }
    let proof = proof(request);
    let Err(ConsistencyError::OldRootMismatch { computed }) = proof.verify(&seen.root(), &checkpoint.root())
    else {
        return None;
    };
    let grew = proof.verify(&computed, &checkpoint.root()).is_ok();
    grew.then_some(ShownFork::OtherHistory { other_root: computed })
}

#[cfg(test)]
mod tests;
