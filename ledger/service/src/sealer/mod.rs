//! The sealer: the single writer. Two threads: one checks signatures of whatever waits, in parallel; the other chains, encrypts and
//! commits, so that one batch's signatures are checked while the batch before it goes to disk.

mod admit;
mod answer;
mod batch;
mod commit;

pub(crate) use batch::Sealer;
pub use commit::{CommitError, CommitPort, Embedded, SealedBatch};

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use gt_core::Hash;
use gt_core::LeafIndex;
use gt_core::receipt::Receipt;
use gt_core::key::Thumbprint;
use rayon::prelude::*;
use tokio::sync::oneshot;

use crate::ledger::Shared;
use crate::prepare::Prepared;
use crate::refusal::Refusal;

/// The most statements in one batch (DESIGN section 3).
pub const MAX_BATCH: usize = 1000;
const MAX_WAITING: usize = 4000;
const MAX_WAITING_BYTES: usize = 64 << 20;

/// A sealed statement: what its publisher gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Where it stands.
    pub index: LeafIndex,
    /// The statement's hash.
    pub statement: Hash,
    /// The proof that it stands there.
    pub receipt: Receipt,
    /// It had been sealed before, and nothing has changed.
    pub duplicate: bool,
}

pub(crate) struct Ticket {
    pub(crate) prepared: Prepared,
    pub(crate) reply: oneshot::Sender<Result<Sealed, Refusal>>,
}

/// A ticket with the key that its signature verified with, or why it did not.
pub(crate) struct Checked {
    pub(crate) ticket: Ticket,
    pub(crate) signer: Result<Thumbprint, Refusal>,
}

/// The sealer's front door.
pub(crate) struct Intake {
    queue: SyncSender<Ticket>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The sealer's threads, to be waited for.
pub(crate) struct Threads(Vec<JoinHandle<()>>);

/// Starts the sealer's threads. They end when every [`Intake`] is dropped, having sealed what waited.
pub(crate) fn start(sealer: Sealer, shared: Arc<Shared>) -> std::io::Result<(Intake, Threads)> {
    let (queue, waiting) = sync_channel(MAX_WAITING);
    let (to_sealer, checked) = sync_channel(1);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let bytes = Arc::clone(&waiting_bytes);
    let check = std::thread::Builder::new()
        .name("gt-check".into())
        .spawn(move || check_signatures(&waiting, &bytes, &shared, &to_sealer))?;
    let seal = std::thread::Builder::new().name("gt-seal".into()).spawn(move || sealer.run(&checked))?;
    Ok((Intake { queue, waiting_bytes }, Threads(vec![check, seal])))
}

impl Intake {
    /// Hands a statement to the sealer. The answer comes once the seal is durable.
    pub(crate) fn submit(&self, prepared: Prepared) -> oneshot::Receiver<Result<Sealed, Refusal>> {
        let (reply, answer) = oneshot::channel();
        let bytes = prepared.bytes;
        if self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel) + bytes > MAX_WAITING_BYTES {
            self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
            refuse(reply, Refusal::Busy);
            return answer;
        }
        if let Err(error) = self.queue.try_send(Ticket { prepared, reply }) {
            self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
            match error {
                TrySendError::Full(ticket) => refuse(ticket.reply, Refusal::Busy),
                TrySendError::Disconnected(ticket) => refuse(ticket.reply, Refusal::Stopped),
            }
        }
        answer
    }
}

impl Threads {
    /// Waits until everything that was accepted is sealed.
    pub(crate) fn join(self) {
        for thread in self.0 {
            // A panic of a sealer thread has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

/// Answers with a refusal; nobody may be listening any more.
pub(crate) fn refuse(reply: oneshot::Sender<Result<Sealed, Refusal>>, refusal: Refusal) {
    let _ = reply.send(Err(refusal));
}

fn check_signatures(
    waiting: &Receiver<Ticket>,
    waiting_bytes: &AtomicUsize,
    shared: &Shared,
    sealer: &SyncSender<Vec<Checked>>,
) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Ticket> = std::iter::once(first).chain(waiting.try_iter().take(MAX_BATCH - 1)).collect();
        waiting_bytes.fetch_sub(batch.iter().map(|ticket| ticket.prepared.bytes).sum(), Ordering::AcqRel);
        let registry = shared.registry();
        let check = |ticket: Ticket| {
            let signer = admit::check_signer(&registry, &ticket.prepared.statement);
            Checked { ticket, signer }
        };
        let checked: Vec<Checked> = if batch.len() > 1 {
            batch.into_par_iter().map(check).collect()
        } else {
            batch.into_iter().map(check).collect()
        };
        if sealer.send(checked).is_err() {
            return;
        }
    }
}
