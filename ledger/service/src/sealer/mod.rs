//! The sealer: the single writer. One thread checks signatures of whatever waits, in parallel; one decides, chains and encrypts; and
//! where batches are committed to the data folder alone, one writes what is chained, and one answers for what is durable. So several
//! batches are on their way at a time, one in each hand, and they go from hand to hand in their order.

pub(crate) mod admit;
mod answer;
mod batch;
mod begin;
mod chaining;
mod checking;
mod commit;
mod custody;
mod encipher;
mod follow;
mod intake;
mod service;
mod switch;
mod times;
mod turns;
mod waiting;
mod writing;

pub(crate) use batch::{Home, Sealer};
pub(crate) use custody::{Unfinished, removals};
pub(crate) use follow::Node;
pub(crate) use intake::{Answering, Intake};

pub use commit::{CommitError, CommitPort, Embedded, SealedBatch};
pub use encipher::{Enciphered, OwnerPlace, encipher};
pub use times::SealerTimes;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use gt_core::Hash;
use gt_core::LeafIndex;
use gt_core::key::Thumbprint;
use gt_core::receipt::Receipt;

use crate::erasure::CustodyWork;
use crate::jetstream::News;
use crate::open_ledger::Shared;
use crate::refusal::Refusal;
use checking::check_signatures;
use intake::{MAX_WAITING, Ticket};
use waiting::CheckedQueue;
use writing::Writing;

/// The most statements in one batch (DESIGN section 3).
pub const MAX_BATCH: usize = 1000;

/// A batch takes no more statements from this many bytes on: its vault records are all in memory at once.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// How much that the stream has brought may wait while a batch is committed.
const WAITING_NEWS: usize = 2;

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

/// A ticket with the key that its signature verified with, or why it did not.
pub(crate) struct Checked {
    pub(crate) ticket: Ticket,
    pub(crate) signer: Result<Thumbprint, Refusal>,
}

/// What the writing thread is given to do.
pub(crate) enum Work {
    /// Statements wait to be sealed. If there are none, it is asked for what settling has left to do.
    Seal,
    /// What the stream of sealed entries has brought.
    Stream(News),
    /// Keys are to be destroyed or renewed.
    Custody(CustodyWork),
}

/// The sealer's threads, to be waited for.
pub(crate) struct Threads(Vec<JoinHandle<()>>);

/// Starts the sealer's threads. They end when every [`Intake`] and every other sender of [`Work`] is dropped, having sealed what
/// waited.
pub(crate) fn start(
    sealer: Sealer,
    shared: Arc<Shared>,
) -> std::io::Result<(Intake, SyncSender<Work>, Threads)> {
    let (queue, waiting) = sync_channel(MAX_WAITING);
    let (to_sealer, waiting_work) = sync_channel(WAITING_NEWS);
    let (works, checked) = (to_sealer.clone(), CheckedQueue::default());
    let to_seal = checked.clone();
    let check = std::thread::Builder::new()
        .name("gt-check".into())
        .spawn(move || check_signatures(&waiting, &shared, &checked, &to_sealer))?;
    let mut threads = vec![check];
    let writer = match sealer.home {
        Home::Embedded(_) => Some(Writing::start(&sealer.shared, &mut threads)?),
        // What other sealers commit comes in between, and a batch of one's own may come to nothing: the next one must not rest on it.
        _ => None,
    };
    let seal = std::thread::Builder::new()
        .name("gt-seal".into())
        .spawn(move || sealer.run(&waiting_work, to_seal, writer))?;
    threads.push(seal);
    Ok((Intake::new(queue), works, Threads(threads)))
}

impl Threads {
    /// One more to be waited for.
    pub(crate) fn add(&mut self, thread: JoinHandle<()>) {
        self.0.push(thread);
    }

    /// Waits until everything that was accepted is sealed.
    pub(crate) fn join(self) {
        for thread in self.0 {
            // A panic of a sealer thread has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

/// Says that the sealer has stopped, should its thread panic: then nothing is sealed any more, and readiness must say so.
pub(super) struct StoppedByPanic<'a>(pub(super) &'a Shared);

impl Drop for StoppedByPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set_stopped();
        }
    }
}
