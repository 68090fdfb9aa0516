//! Checking signatures, on a thread of its own: whatever waits, while the batch before it is sealed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};

use gt_core::key::{BadSignature, PreparedKeys, SignatureBatch, Signed, Thumbprint};
use gt_core::registry::Registry;
use gt_core::statement::StatementError;
use rayon::prelude::*;

use super::intake::{MAX_WAITING, Ticket};
use super::times::{Laps, Stage};
use super::waiting::CheckedQueue;
use super::{Checked, MAX_BATCH_BYTES, StoppedByPanic, Work};
use crate::open_ledger::Shared;
use crate::random;
use crate::refusal::Refusal;

/// Of how many publishers multiples are kept: 75 KiB each.
const PREPARED_KEYS: usize = 256;
/// How many signatures are checked together, by one core. Fewer are not worth waking another one.
const TOGETHER: usize = 32;
/// From how many signatures on one equation for all of them is faster than multiples of their keys: much of its cost is the same for
/// few as for many.
const ONE_EQUATION: usize = 600;
/// How many signatures are worth an equation, and a core, of their own.
const SHARE: usize = 2000;
/// After a false signature so many rounds are checked one by one: who sends one now and then must not make all the others cost twice.
const SUSPICION: u32 = 64;

/// What checks signatures, and what it keeps from batch to batch.
struct Signatures {
    /// Publishers come back: what is worked out for a key once serves for all that it signs.
    keys: PreparedKeys,
    /// One for each core.
    batches: Vec<SignatureBatch>,
    /// How many rounds are still to be checked one by one.
    suspicion: u32,
}

/// Whether a signature holds.
type Verdict = Result<(), BadSignature>;

pub(super) fn check_signatures(
    waiting: &Receiver<Ticket>,
    shared: &Shared,
    to_seal: &CheckedQueue,
    sealer: &SyncSender<Work>,
) {
    let _guard = StoppedByPanic(shared);
    let mut laps = Laps::start();
    let mut signatures = Signatures::new();
    while let Ok(first) = waiting.recv() {
        laps.end(Stage::AwaitStatements);
        // While the sealer has enough to do, more comes, and of many each signature costs less.
        if !to_seal.await_room() {
            return;
        }
        laps.end(Stage::HandOver);
        let batch = batch_of(first, waiting);
        let statements = batch.len() as u64;
        let checked = signatures.check(batch, &shared.registry());
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

/// Whatever waits: more than one batch of the log, if there is that much.
fn batch_of(first: Ticket, waiting: &Receiver<Ticket>) -> Vec<Ticket> {
    let mut bytes = first.prepared.bytes;
    let mut batch = vec![first];
    while batch.len() < MAX_WAITING && bytes < MAX_BATCH_BYTES {
        let Ok(ticket) = waiting.try_recv() else { break };
        bytes += ticket.prepared.bytes;
        batch.push(ticket);
    }
    batch
}

impl Signatures {
    fn new() -> Self {
        let batches = (0..rayon::current_num_threads()).map(|_| SignatureBatch::new()).collect();
        Self { keys: PreparedKeys::new(PREPARED_KEYS), batches, suspicion: 0 }
    }

    /// Checks each signature under the key that the registry gives to the statement's publisher.
    fn check(&mut self, tickets: Vec<Ticket>, registry: &Registry) -> Vec<Checked> {
        let statements = tickets.iter().map(|ticket| &ticket.prepared.statement);
        let signed = statements.map(|statement| Ok(statement.signed_by(registry.signer(statement)?)?));
        let signed: Vec<Result<Signed<'_>, Refusal>> = signed.collect();
        let to_check: Vec<Signed<'_>> = signed.iter().filter_map(|one| one.as_ref().ok().copied()).collect();
        let mut verdicts = self.verify(&to_check).into_iter();
        let key_of = |one: Result<Signed<'_>, Refusal>| {
            let key = one?.key;
            let checked = verdicts.next().unwrap_or(Err(BadSignature));
            checked.map_err(|BadSignature| StatementError::BadSignature)?;
            Ok(key.thumbprint())
        };
        let signers: Vec<Result<Thumbprint, Refusal>> = signed.into_iter().map(key_of).collect();
        tickets.into_iter().zip(signers).map(|(ticket, signer)| Checked { ticket, signer }).collect()
    }

    /// Whether each signature holds: each on its own, or, where there are many, all by one equation.
    fn verify(&mut self, signed: &[Signed<'_>]) -> Vec<Verdict> {
        let multiples = self.keys.expect(signed.iter().map(|one| one.key));
        let shares = match self.suspicion.checked_sub(1) {
            None if signed.len() < ONE_EQUATION => 0,
            None => (signed.len() / SHARE).clamp(1, self.batches.len()),
            Some(left) => {
                self.suspicion = left;
                0
            }
        };
        if shares == 0 && signed.len() <= TOGETHER {
            return multiples.verify(signed);
        }
        if shares == 0 {
            return signed.par_chunks(TOGETHER).flat_map_iter(|some| multiples.verify(some)).collect();
        }
        let some_is_false = AtomicBool::new(false);
        let together = signed.par_chunks(signed.len().div_ceil(shares)).zip(self.batches.par_iter_mut());
        let verdicts = together.flat_map_iter(|(share, batch)| {
            verify_together(batch, share).unwrap_or_else(|| {
                some_is_false.store(true, Ordering::Relaxed);
                share.par_chunks(TOGETHER).flat_map_iter(|some| multiples.verify(some)).collect()
            })
        });
        let verdicts = verdicts.collect();
        if some_is_false.into_inner() {
            self.suspicion = SUSPICION;
        }
        verdicts
    }
}

/// What each signature comes to, if all that can only be told together hold. `None` if some do not, or there are too few: then each is to
/// be checked on its own.
fn verify_together(batch: &mut SignatureBatch, signed: &[Signed<'_>]) -> Option<Vec<Verdict>> {
    let told: Vec<Option<Verdict>> = signed.iter().map(|one| batch.add(one)).collect();
    batch
        .close(&mut random::fill)
        .then(|| told.into_iter().map(|verdict| verdict.unwrap_or(Ok(()))).collect())
}

#[cfg(test)]
mod tests {
    use gt_core::key::{PrivateKey, PublicKey};

    use super::*;

    /// One false signature after another, at either end of a share and within, among so many that they are checked together.
    #[test]
    fn what_is_false_among_many_is_found_and_nothing_else() {
        let keys: Vec<PrivateKey> = (1..=3).map(|seed| PrivateKey::from_seed(&[seed; 32])).collect();
        let public: Vec<PublicKey> = keys.iter().map(PrivateKey::public).collect();
        let messages: Vec<[u8; 8]> = (0..2 * SHARE as u64 + 7).map(u64::to_be_bytes).collect();
        let mut signatures: Vec<[u8; 64]> =
            messages.iter().zip(keys.iter().cycle()).map(|(message, key)| key.sign(message)).collect();
        let mut checking = Signatures::new();
        for falsified in [None, Some(0), Some(SHARE), Some(messages.len() - 1)] {
            if let Some(place) = falsified {
                signatures[place][40] ^= 1;
            }
            let named = messages.iter().zip(&signatures).zip(public.iter().cycle());
            let signed: Vec<Signed<'_>> =
                named.map(|((message, signature), key)| Signed { key, message, signature }).collect();
            let expected: Vec<Verdict> =
                signed.iter().map(|one| one.key.verify(one.message, one.signature)).collect();
            assert_eq!(
                expected.iter().filter(|verdict| verdict.is_err()).count(),
                usize::from(falsified.is_some())
            );
            checking.suspicion = 0;
            assert_eq!(checking.verify(&signed), expected, "together, false: {falsified:?}");
            assert_eq!(checking.suspicion, if falsified.is_some() { SUSPICION } else { 0 });
            assert_eq!(checking.verify(&signed), expected, "one by one or together, false: {falsified:?}");
            if let Some(place) = falsified {
                signatures[place][40] ^= 1;
            }
        }
        assert_eq!(checking.suspicion, SUSPICION - 1);
    }
}
