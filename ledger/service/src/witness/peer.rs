use std::sync::Arc;

use gt_core::TreeSize;
use gt_core::checkpoint::{SignedCheckpoint, SignedCheckpointError, VerifyCheckpointError};
use gt_core::note::{NoteSignature, VerifierKey};
use gt_core::policy::Policy;
use gt_core::prove::{self, ProveError};
use gt_core::witness::{
    AddCheckpoint, CosignaturesError, MAX_ANSWER_LEN, origin_hash, read_cosignatures, read_size,
};

use super::transport::{Reply, Transport, TransportError};
use crate::log::{LogReader, ReadError};

/// A witness as a ledger reaches it: one address, and the keys that the policy gives to it.
#[derive(Clone)]
pub(super) struct Peer {
    /// The names under which it signs, as its keys have them.
    pub(super) name: String,
    /// C2SP's submission prefix, which is the monitoring prefix too.
    pub(super) url: String,
    pub(super) keys: Vec<VerifierKey>,
    pub(super) transport: Arc<dyn Transport>,
}

/// Why a witness did not sign.
#[derive(Debug, thiserror::Error)]
pub enum PeerFault {
    /// It cannot be reached.
    #[error("it cannot be reached: {0}")]
    Unreachable(#[source] TransportError),
    /// It does not know this ledger.
    #[error(
        "it does not know this ledger or trusts another key of it (status {status}); its operator adds the ledger by `goldenthread witness add`"
    )]
    Unknown {
        /// The HTTP status, 403 or 404.
        status: u16,
    },
    /// It has signed a larger checkpoint than the one it was asked about.
    #[error("it says that it has signed a checkpoint over {size} entries, more than it was asked about")]
    Ahead {
        /// The size of that.
        size: TreeSize,
    },
    /// It does not take the checkpoint for an extension of the one that it signed before.
    #[error("it refuses the checkpoint as inconsistent with what it has seen")]
    Inconsistent,
    /// It answers otherwise than a witness does.
    #[error("it answers with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// Its signatures do not hold.
    #[error("its answer does not hold: {0}")]
    Cosignatures(#[from] CosignaturesError),
    /// The checkpoint that it shows does not read.
    #[error("the checkpoint that it shows does not read: {0}")]
    Checkpoint(#[from] SignedCheckpointError),
    /// The checkpoint that it shows is not this ledger's.
    #[error("the checkpoint that it shows is not signed by this ledger's keys: {0}")]
    NotOurs(#[from] VerifyCheckpointError),
    /// This ledger cannot prove what it is asked for.
    #[error("the log cannot be read for a proof: {0}")]
    Prove(#[from] ProveError<ReadError>),
}

impl Peer {
    /// The witnesses of a policy that have an address, each once.
    pub(super) fn of_policy(policy: &Policy, transport: &Arc<dyn Transport>) -> Vec<Self> {
        let mut peers: Vec<Self> = Vec::new();
        for witness in policy.witnesses() {
            let Some(url) = witness.url.as_deref().map(|url| url.trim_end_matches('/')) else { continue };
            let key = witness.key.clone();
            if let Some(peer) = peers.iter_mut().find(|peer| peer.url == url) {
                peer.keys.push(key);
            } else {
                let transport = Arc::clone(transport);
                peers.push(Self { name: String::new(), url: url.to_owned(), keys: vec![key], transport });
            }
        }
        for peer in &mut peers {
            let mut names: Vec<&str> = peer.keys.iter().map(VerifierKey::name).collect();
            names.dedup();
            peer.name = names.join(", ");
        }
        peers
    }

    /// Has the witness sign a checkpoint of this log. `last` is the size that it signed before, as far as is known, and is kept so. Where
    /// nothing is known of it, 0 has the witness say it (C2SP tlog-witness).
    pub(super) fn cosign(
        &self,
        log: &LogReader,
        checkpoint: &SignedCheckpoint,
        last: &mut TreeSize,
    ) -> Result<Vec<NoteSignature>, PeerFault> {
        let size = checkpoint.checkpoint().size();
        let mut corrected = false;
        loop {
            if *last > size {
                return Err(PeerFault::Ahead { size: *last });
            }
            let proof = prove::consistency(log, *last, size)?;
            let request = AddCheckpoint { old: *last, proof: proof.path, checkpoint: checkpoint.clone() };
            let reply = self.send("add-checkpoint", Some(request.to_string().as_bytes()))?;
            match reply.status {
                200 => {
                    let signatures = read_cosignatures(&reply.body, checkpoint, &self.keys)?;
                    *last = size;
                    return Ok(signatures);
                }
                409 => {
                    let said = read_size(&reply.body).ok_or(PeerFault::Status { status: 409 })?;
                    // The size is the one that it has, so it has another root for it (C2SP tlog-witness).
                    if said == *last {
                        return Err(PeerFault::Inconsistent);
                    }
                    *last = said;
                    if corrected && said <= size {
                        return Err(PeerFault::Status { status: 409 });
                    }
                    corrected = true;
                }
                422 => return Err(PeerFault::Inconsistent),
                status @ (403 | 404) => return Err(PeerFault::Unknown { status }),
                status => return Err(PeerFault::Status { status }),
            }
        }
    }

    /// The checkpoint that the witness signed last of this ledger, which the ledger's own keys signed; `None` if it shows none: it has
    /// signed none, or it shows its checkpoints to nobody or elsewhere.
    pub(super) fn latest(
        &self,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Option<SignedCheckpoint>, PeerFault> {
        let reply = self.send(&format!("{}/checkpoint", origin_hash(origin)), None)?;
        match reply.status {
            200 => {
                let checkpoint = SignedCheckpoint::parse(&reply.body)?;
                // Only what this ledger's keys have signed says anything about it: a witness may err, or lie.
                checkpoint.verify(origin, keys)?;
                Ok(Some(checkpoint))
            }
            404 | 405 => Ok(None),
            status => Err(PeerFault::Status { status }),
        }
    }

    fn send(&self, path: &str, body: Option<&[u8]>) -> Result<Reply, PeerFault> {
        let url = format!("{}/{path}", self.url);
        self.transport.send(&url, body, MAX_ANSWER_LEN).map_err(PeerFault::Unreachable)
    }
}
