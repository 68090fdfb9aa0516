//! Checking signatures, on a thread of its own: whatever waits, while the batch before it is sealed.

use std::sync::mpsc::{Receiver, SyncSender};

use gt_core::key::{BadSignature, KeyMultiples, PreparedKeys, PublicKey, Signed, Thumbprint};
use gt_core::registry::{Registry, SignerError};
use gt_core::statement::{Statement, StatementError};
use rayon::prelude::*;

use super::intake::Ticket;
use super::times::{Laps, Stage};
use super::waiting::CheckedQueue;
use super::{Checked, MAX_BATCH, MAX_BATCH_BYTES, StoppedByPanic, Work};
use crate::open_ledger::Shared;
use crate::refusal::Refusal;

/// Of how many publishers multiples are kept: 75 KiB each.
const PREPARED_KEYS: usize = 256;
/// How many signatures are checked together, by one core. Fewer are not worth waking another one.
const TOGETHER: usize = 32;

pub(super) fn check_signatures(
    waiting: &Receiver<Ticket>,
    shared: &Shared,
    to_seal: &CheckedQueue,
    sealer: &SyncSender<Work>,
) {
    let _guard = StoppedByPanic(shared);
    let mut laps = Laps::start();
    // Publishers come back: what is worked out for a key once serves for all that it signs.
    let mut keys = PreparedKeys::new(PREPARED_KEYS);
    while let Ok(first) = waiting.recv() {
        laps.end(Stage::AwaitStatements);
        let batch = batch_of(first, waiting);
        let statements = batch.len() as u64;
        let checked = check(batch, &shared.registry(), &mut keys);
        laps.end(Stage::Check);
        if !to_seal.add(checked, sealer) {
            return;
        }
        laps.end(Stage::HandOver);
        shared.times_mut(|times| {
            times.statements += statements;
            times.add(&laps.take());
        });
    }
}

/// Whatever waits, up to a batch.
fn batch_of(first: Ticket, waiting: &Receiver<Ticket>) -> Vec<Ticket> {
    let mut bytes = first.prepared.bytes;
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES {
        let Ok(ticket) = waiting.try_recv() else { break };
        bytes += ticket.prepared.bytes;
        batch.push(ticket);
    }
    batch
}

/// Checks each signature on its own, under the key that the registry gives to the statement's publisher.
fn check(batch: Vec<Ticket>, registry: &Registry, keys: &mut PreparedKeys) -> Vec<Checked> {
    let statements: Vec<&Statement> = batch.iter().map(|ticket| &ticket.prepared.statement).collect();
    let found: Vec<Found<'_>> = statements.iter().map(|statement| registry.signer(statement)).collect();
    let multiples = keys.expect(found.iter().filter_map(|key| key.ok()));
    let signers: Vec<_> = if batch.len() > TOGETHER {
        let portions = statements.par_chunks(TOGETHER).zip(found.par_chunks(TOGETHER));
        portions.flat_map_iter(|(statements, found)| signers(statements, found, &multiples)).collect()
    } else {
        signers(&statements, &found, &multiples)
    };
    batch.into_iter().zip(signers).map(|(ticket, signer)| Checked { ticket, signer }).collect()
}

/// The key with which a statement must verify, if its signer may speak as it does.
type Found<'r> = Result<&'r PublicKey, SignerError>;

fn signers(
    statements: &[&Statement],
    found: &[Found<'_>],
    multiples: &KeyMultiples,
) -> Vec<Result<Thumbprint, Refusal>> {
    let signed = statements.iter().zip(found).map(|(statement, key)| Ok(statement.signed_by((*key)?)?));
    let signed: Vec<Result<Signed<'_>, Refusal>> = signed.collect();
    let to_check: Vec<Signed<'_>> = signed.iter().filter_map(|one| one.as_ref().ok().copied()).collect();
    let mut verdicts = multiples.verify(&to_check).into_iter();
    let verdict = |signed: Result<Signed<'_>, Refusal>| {
        let key = signed?.key;
        let checked = verdicts.next().unwrap_or(Err(BadSignature));
        checked.map_err(|BadSignature| StatementError::BadSignature)?;
        Ok(key.thumbprint())
    };
    signed.into_iter().map(verdict).collect()
}
