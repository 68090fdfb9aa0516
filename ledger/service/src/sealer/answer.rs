use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::key::Thumbprint;
use gt_core::prove;
use gt_core::receipt::Receipt;
use gt_core::statement::Statement;
use gt_core::{LeafIndex, TreeSize};
use rayon::prelude::*;

use super::intake::Reply;
use super::{Sealed, Ticket};
use crate::integrity::IntegrityAlert;
use crate::open_ledger::Shared;
use crate::prepare::Prepared;
use crate::refusal::Refusal;

/// A ticket that is answered when the batch is durable.
pub(super) struct Due {
    pub(super) ticket: Ticket,
    pub(super) index: LeafIndex,
    pub(super) what: DueWith,
}

pub(super) enum DueWith {
    /// It was sealed just now.
    Entry(Vec<u8>),
    /// Its `seq` had been taken; what checking its signature gave.
    Taken(Result<Thumbprint, Refusal>),
}

/// Answers everybody, duplicates and forks included. Answers go out in the order in which statements came.
pub(super) fn answer(shared: &Shared, due: Vec<Due>) {
    let size = shared.log.size();
    let answered: Vec<_> = if due.len() > 8 {
        due.into_par_iter().map(|one| receipt(shared, one, size)).collect()
    } else {
        due.into_iter().map(|one| receipt(shared, one, size)).collect()
    };
    for (reply, answer) in answered {
        reply.give(answer);
    }
}

fn receipt(shared: &Shared, due: Due, size: TreeSize) -> (Reply, Result<Sealed, Refusal>) {
    let Due { ticket: Ticket { prepared, reply }, index, what } = due;
    let answer = match what {
        DueWith::Entry(bytes) => prove_sealed(shared, &prepared, index, bytes, size, false),
        DueWith::Taken(signer) => duplicate(shared, &prepared, index, size, signer),
    };
    (reply, answer)
}

/// A statement whose `seq` is taken: the same one gets a receipt, another one with a valid signature is a fork.
fn duplicate(
    shared: &Shared,
    prepared: &Prepared,
    index: LeafIndex,
    size: TreeSize,
    signer: Result<Thumbprint, Refusal>,
) -> Result<Sealed, Refusal> {
    let read = shared.log.entry_bytes(index).map_err(|error| error.to_string());
    let parsed = read.and_then(|bytes| {
        let entry = Entry::parse(&bytes).map_err(|error| error.to_string())?;
        Ok((entry, bytes))
    });
    let (entry, bytes) = parsed.map_err(|error| {
        tracing::error!(%error, %index, "an entry cannot be read");
        Refusal::Stopped
    })?;
    let statement = &prepared.statement;
    if entry.statement == statement.hash() {
        return prove_sealed(shared, prepared, index, bytes, size, true);
    }
    if let Err(refusal) = signer
        && !signed_by_an_earlier_key(shared, statement)
    {
        return Err(refusal);
    }
    let payload = statement.payload();
    if payload.iss == AgencyCode::service() {
        // All nodes of a ledger sign with its service key, each on its own: two at once is no sign of a copy, and the loser signs anew.
        return Err(Refusal::ChainFork(shared.head(&payload.publisher)));
    }
    shared.integrity.raise(&IntegrityAlert::ChainFork {
        publisher: payload.publisher,
        seq: payload.seq,
        sealed: index,
        refused: statement.hash(),
    });
    Err(Refusal::ChainFork(shared.head(&payload.publisher)))
}

/// Whether this publisher once held the key that signed: a system restored from a backup signs with the key that it had then, and a
/// stolen key forks a chain after its rotation too.
fn signed_by_an_earlier_key(shared: &Shared, statement: &Statement) -> bool {
    let payload = statement.payload();
    shared.registry().publisher(&payload.publisher).is_some_and(|publisher| {
        publisher.agency == payload.iss
            && publisher
                .keys
                .iter()
                .any(|(_, key)| key.thumbprint() == statement.kid() && statement.verify(key).is_ok())
    })
}

fn prove_sealed(
    shared: &Shared,
    prepared: &Prepared,
    index: LeafIndex,
    entry: Vec<u8>,
    size: TreeSize,
    duplicate: bool,
) -> Result<Sealed, Refusal> {
    let proof = prove::inclusion(&*shared.log, index, size).map_err(|error| {
        tracing::error!(%error, %index, "an entry cannot be proven");
        Refusal::Stopped
    })?;
    let checkpoint = shared.log.published().checkpoint.clone();
    let receipt = Receipt { extra: Some(entry), index, path: proof.path, checkpoint };
    Ok(Sealed { index, statement: prepared.statement.hash(), receipt, duplicate })
}
