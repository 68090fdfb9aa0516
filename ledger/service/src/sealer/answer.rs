use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::key::Thumbprint;
use gt_core::proof::InclusionProof;
use gt_core::prove::Prover;
use gt_core::receipt::Receipt;
use gt_core::statement::Statement;
use gt_core::{LeafIndex, TreeSize, tree};
use rayon::prelude::*;

use super::Sealed;
use super::commit::CommitError;
use super::intake::{Reply, Ticket};
use crate::integrity::IntegrityAlert;
use crate::log::{LogReader, Published};
use crate::open_ledger::Shared;
use crate::prepare::Prepared;
use crate::refusal::{ChainHead, Refusal};

/// How many receipts one core makes before another one is asked for the next.
const TOGETHER: usize = 32;

/// A ticket that is answered when the batch is durable.
pub(super) struct Due {
    pub(super) ticket: Ticket,
    pub(super) index: LeafIndex,
    pub(super) what: DueWith,
}

pub(super) enum DueWith {
    /// It is being sealed.
    Admitted,
    /// It was sealed just now.
    Entry(Vec<u8>),
    /// Its `seq` had been taken; what checking its signature gave.
    Taken(Result<Thumbprint, Refusal>),
}

/// Why a statement gets no receipt.
enum NoReceipt {
    Refused(Refusal),
    /// It is refused once the alert is kept.
    Fork(Box<IntegrityAlert>, ChainHead),
}

impl From<Refusal> for NoReceipt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Everybody who waits for a batch.
pub(super) struct Answers {
    pub(super) refused: Vec<(Ticket, Refusal)>,
    pub(super) due: Vec<Due>,
}

impl Answers {
    /// What was admitted is durable; these are its entries, in their order.
    pub(super) fn are_sealed(&mut self, entries: Vec<Vec<u8>>) {
        let admitted = self.due.iter_mut().filter(|due| matches!(due.what, DueWith::Admitted));
        for (due, entry) in admitted.zip(entries) {
            due.what = DueWith::Entry(entry);
        }
    }

    /// Answers everybody, duplicates and forks included.
    pub(super) fn give(self, shared: &Shared) {
        for (ticket, refusal) in self.refused {
            ticket.reply.give(Err(refusal));
        }
        give_due(shared, self.due);
    }

    /// Nothing of the batch is committed: only what was sealed before can be answered for.
    pub(super) fn are_unsealed(self, shared: &Shared, before: TreeSize, error: &CommitError) {
        // Said before the answers, so that whoever hears `Superseded` does not find this sealer active and ask it again.
        shared.set_active(false);
        let (known, unsealed): (Vec<Due>, Vec<Due>) =
            self.due.into_iter().partition(|due| before.contains(due.index));
        give_due(shared, known);
        let refused = self.refused.into_iter().map(|(ticket, _)| ticket);
        for ticket in unsealed.into_iter().map(|due| due.ticket).chain(refused) {
            ticket.reply.give(Err(match error {
                CommitError::Superseded => Refusal::Superseded,
                _ => Refusal::Unavailable,
            }));
        }
    }
}

/// Answers go out in the order in which statements came, but for forks: their alerts are kept first, by one wait for the disk however many
/// they are, and nobody else waits for that. A crash before it leaves a fork unanswered: whoever signed it sends it again, or gives it up.
fn give_due(shared: &Shared, due: Vec<Due>) {
    // Later ones may be there by the time of the last answer: all rest on this one.
    let published = shared.log.published();
    let proofs = || Proofs::of(shared, &published);
    let answered: Vec<_> = if due.len() > TOGETHER {
        let receipts = due.into_par_iter().with_min_len(TOGETHER);
        receipts.map_init(proofs, |proofs, one| receipt(proofs, one)).collect()
    } else {
        let mut proofs = proofs();
        due.into_iter().map(|one| receipt(&mut proofs, one)).collect()
    };
    let (mut alerts, mut forks) = (Vec::new(), Vec::new());
    for (reply, answer) in answered {
        match answer {
            Ok(sealed) => reply.give(Ok(sealed)),
            Err(NoReceipt::Refused(refusal)) => reply.give(Err(refusal)),
            Err(NoReceipt::Fork(alert, head)) => {
                alerts.push(*alert);
                forks.push((reply, head));
            }
        }
    }
    shared.integrity.raise_all(&alerts);
    for (reply, head) in forks {
        reply.give(Err(Refusal::ChainFork(head)));
    }
}

/// What proves entries under the checkpoint that all answers of a batch rest on.
struct Proofs<'s> {
    shared: &'s Shared,
    published: &'s Published,
    prover: Prover<'s, LogReader>,
}

impl<'s> Proofs<'s> {
    fn of(shared: &'s Shared, published: &'s Published) -> Self {
        let size = published.checkpoint.checkpoint().size();
        Self { shared, published, prover: Prover::new(&*shared.log, size) }
    }
}

fn receipt(proofs: &mut Proofs<'_>, due: Due) -> (Reply, Result<Sealed, NoReceipt>) {
    let Due { ticket: Ticket { prepared, reply }, index, what } = due;
    let answer = match what {
        DueWith::Entry(entry) => prove(proofs, index)
            .map(|proof| sealed(proofs, &prepared, proof, entry, false))
            .map_err(NoReceipt::from),
        DueWith::Taken(signer) => duplicate(proofs, &prepared, index, signer),
        DueWith::Admitted => Err(Refusal::Stopped.into()),
    };
    (reply, answer)
}

/// A statement whose `seq` is taken: the same one gets a receipt, another one with a valid signature is a fork.
fn duplicate(
    proofs: &mut Proofs<'_>,
    prepared: &Prepared,
    index: LeafIndex,
    signer: Result<Thumbprint, Refusal>,
) -> Result<Sealed, NoReceipt> {
    let shared = proofs.shared;
    let (proof, entry, bytes) = sealed_before(proofs, index)?;
    let statement = &prepared.statement;
    if entry.statement == statement.hash() {
        return Ok(sealed(proofs, prepared, proof, bytes, true));
    }
    if let Err(refusal) = signer
        && !signed_by_an_earlier_key(shared, statement)
    {
        return Err(refusal.into());
    }
    let payload = statement.payload();
    let head = shared.head(&payload.publisher);
    if payload.iss == AgencyCode::service() {
        // All nodes of a ledger sign with its service key, each on its own: two at once is no sign of a copy, and the loser signs anew.
        return Err(Refusal::ChainFork(head).into());
    }
    let alert = IntegrityAlert::ChainFork {
        publisher: payload.publisher,
        seq: payload.seq,
        sealed: index,
        refused: statement.hash(),
    };
    Err(NoReceipt::Fork(Box::new(alert), head))
}

/// Whether this publisher once held the key that signed: a system restored from a backup signs with the key that it had then, and a
/// stolen key forks a chain after its rotation too.
fn signed_by_an_earlier_key(shared: &Shared, statement: &Statement<()>) -> bool {
    let payload = statement.payload();
    shared.registry().publisher(&payload.publisher).is_some_and(|publisher| {
        publisher.agency == payload.iss
            && publisher
                .keys
                .iter()
                .any(|(_, key)| key.thumbprint() == statement.kid() && statement.verify(key).is_ok())
    })
}

/// An entry that the folder has, held against the checkpoint: one that rotted on the disk must not pass for a fork of its publisher's
/// chain, nor go into a receipt.
fn sealed_before(
    proofs: &mut Proofs<'_>,
    index: LeafIndex,
) -> Result<(InclusionProof, Entry, Vec<u8>), Refusal> {
    let proof = prove(proofs, index)?;
    let root = proofs.published.checkpoint.checkpoint().root();
    let read = proofs.shared.log.entry_bytes(index).map_err(|error| error.to_string());
    let whole = read.and_then(|bytes| {
        let entry = Entry::parse(&bytes).map_err(|error| error.to_string())?;
        proof.verify(&tree::leaf_hash(&bytes), &root).map_err(|error| error.to_string())?;
        Ok((entry, bytes))
    });
    let (entry, bytes) = whole.map_err(|error| {
        tracing::error!(%error, %index, "an entry cannot be read, or is not what was sealed");
        Refusal::Unreadable
    })?;
    Ok((proof, entry, bytes))
}

fn prove(proofs: &mut Proofs<'_>, index: LeafIndex) -> Result<InclusionProof, Refusal> {
    proofs.prover.inclusion(index).map_err(|error| {
        tracing::error!(%error, %index, "an entry cannot be proven");
        Refusal::Unreadable
    })
}

fn sealed(
    proofs: &Proofs<'_>,
    prepared: &Prepared,
    proof: InclusionProof,
    entry: Vec<u8>,
    duplicate: bool,
) -> Sealed {
    let (index, checkpoint) = (proof.index, proofs.published.checkpoint.clone());
    let receipt = Receipt { extra: Some(entry), index, path: proof.path, checkpoint };
    Sealed { index, statement: prepared.statement.hash(), receipt, duplicate }
}
