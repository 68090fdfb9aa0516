use std::path::{Path, PathBuf};

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::fork::{Beginning, ForkEvidence};
use gt_core::prove::{self, ProveError};
use gt_core::{Hash, TreeSize};

use crate::disk::Disk;
use crate::layout;
use crate::log::{LogReader, ReadError};

/// How the sentences about a contradiction go on: what somebody should do who reads them.
const CONTRADICTION_REASONS: &str = "Nothing is sealed on top of it. The evidence is in state/evidence; find out what happened to this folder before anything else";

/// What a witness has seen contradicts this folder: a checkpoint under this ledger's own key, or, of a witness that shows none, its word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessContradiction {
    /// The folder is behind what was sealed.
    #[error(
        "this folder is an older copy: witness {witness} has seen {seen} entries, this folder has {own}. {CONTRADICTION_REASONS}"
    )]
    OlderCopy {
        /// The witness.
        witness: String,
        /// How many entries it has seen.
        seen: TreeSize,
        /// How many this folder has.
        own: TreeSize,
        /// What it has seen.
        checkpoint: Box<SignedCheckpoint>,
    },
    /// The folder is behind what a witness says that it has signed, without showing it.
    #[error(
        "this folder may be an older copy: witness {witness} says that it has signed {seen} entries, and shows no checkpoint of them; this folder has {own}. {CONTRADICTION_REASONS}. If it is the witness that errs, leave it out of the policy"
    )]
    Unshown {
        /// The witness.
        witness: String,
        /// How many entries it says that it has signed.
        seen: TreeSize,
        /// How many this folder has.
        own: TreeSize,
    },
    /// The folder has another history.
    #[error(
        "the log was rewritten: witness {witness} has seen another root for its first {seen} entries than this folder's. {CONTRADICTION_REASONS}"
    )]
    Rewritten {
        /// The witness.
        witness: String,
        /// How many entries it has seen.
        seen: TreeSize,
        /// The root that this folder has for them.
        own: Hash,
        /// What it has seen.
        checkpoint: Box<SignedCheckpoint>,
    },
}

impl WitnessContradiction {
    /// The checkpoint under this ledger's key that shows it, if it was shown.
    pub fn checkpoint(&self) -> Option<&SignedCheckpoint> {
        match self {
            Self::OlderCopy { checkpoint, .. } | Self::Rewritten { checkpoint, .. } => Some(checkpoint),
            Self::Unshown { .. } => None,
        }
    }

    /// Whether the folder lacks entries, and what it has is not contradicted.
    pub(super) const fn is_behind(&self) -> bool {
        matches!(self, Self::OlderCopy { .. } | Self::Unshown { .. })
    }

    /// The same, of a log that has so many entries.
    pub(super) fn with_own(mut self, size: TreeSize) -> Self {
        if let Self::OlderCopy { own, .. } | Self::Unshown { own, .. } = &mut self {
            *own = size;
        }
        self
    }

    /// Keeps the evidence in the data folder, and returns where.
    pub(super) fn keep(&self, root: &Path, log: &LogReader) -> std::io::Result<PathBuf> {
        let mut disk = Disk::new(root, None);
        let folder = (0..1000).map(layout::evidence).find(|folder| !root.join(folder).exists());
        let folder = folder.unwrap_or_else(|| PathBuf::from("state/evidence/last"));
        let own = log.published().checkpoint.clone();
        disk.replace(&folder.join("own-checkpoint-now"), own.to_string().as_bytes())?;
        match self {
            Self::OlderCopy { checkpoint, .. } | Self::Rewritten { checkpoint, .. } => {
                let file = folder.join("0000-witnessed-checkpoint");
                disk.replace(&file, checkpoint.to_string().as_bytes())?;
            }
            Self::Unshown { witness, seen, .. } => {
                let said = format!("{witness}\n{seen}\n");
                disk.replace(&folder.join("0000-witness-said"), said.as_bytes())?;
            }
        }
        if let Some(fork) = self.proof(log, &own) {
            disk.replace(&folder.join("fork.json"), fork.as_bytes())?;
        }
        Ok(folder)
    }

    /// What proves the two histories (FORMATS section 13), as far as this folder alone can prove them.
    fn proof(&self, log: &LogReader, own: &SignedCheckpoint) -> Option<String> {
        let Self::Rewritten { checkpoint, own: other_root, .. } = self else { return None };
        let (from, to) = (checkpoint.checkpoint().size(), own.checkpoint().size());
        let beginning = if from == to {
            None
        } else {
            Some(Beginning { root: *other_root, proof: prove::consistency(log, from, to).ok()? })
        };
        let (first, second) = ((**checkpoint).clone(), own.clone());
        Some(ForkEvidence { first, second, beginning }.to_json())
    }
}

/// Compares this log with what a witness has seen, which is signed by this ledger's key.
pub(super) fn compare(
    log: &LogReader,
    witness: &str,
    checkpoint: &SignedCheckpoint,
) -> Result<Option<WitnessContradiction>, ProveError<ReadError>> {
    let (seen, own) = (checkpoint.checkpoint().size(), log.size());
    let (witness, checkpoint) = (witness.to_owned(), Box::new(checkpoint.clone()));
    if seen > own {
        return Ok(Some(WitnessContradiction::OlderCopy { witness, seen, own, checkpoint }));
    }
    let own = prove::root(log, seen)?;
    let differs = own != checkpoint.checkpoint().root();
    Ok(differs.then_some(WitnessContradiction::Rewritten { witness, seen, own, checkpoint }))
}
