use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

use super::Sealed;
use crate::prepare::Prepared;
use crate::refusal::Refusal;

/// How many statements may wait to be checked.
pub(super) const MAX_WAITING: usize = 8000;

/// How many bytes of statements may be unanswered.
const MAX_UNANSWERED_BYTES: usize = 64 << 20;

/// A statement and whoever waits for its answer.
pub(crate) struct Ticket {
    /// Boxed, since it goes from hand to hand: a thousand of them by value are moved as a megabyte each time.
    pub(crate) prepared: Box<Prepared>,
    pub(crate) reply: Reply,
}

/// What is done with the answer, on the sealer's own thread: it must not wait.
pub(crate) type Answering = Box<dyn FnOnce(Result<Sealed, Refusal>) + Send>;

/// Where the answer goes. One that is dropped says that the sealer has stopped, so nobody waits in vain, whatever became of the sealer.
pub(crate) struct Reply {
    answering: Option<Answering>,
    bytes: usize,
    unanswered: Arc<AtomicUsize>,
}

/// The sealer's front door.
pub(crate) struct Intake {
    queue: SyncSender<Ticket>,
    unanswered: Arc<AtomicUsize>,
}

impl Intake {
    pub(super) fn new(queue: SyncSender<Ticket>) -> Self {
        Self { queue, unanswered: Arc::default() }
    }

    /// Hands a statement to the sealer. The answer comes once the seal is durable; answers come in the order of the statements that
    /// they are about.
    pub(crate) fn submit(&self, prepared: Prepared, answering: Answering) {
        let (bytes, prepared) = (prepared.bytes, Box::new(prepared));
        let before = self.unanswered.fetch_add(bytes, Ordering::AcqRel);
        let reply = Reply { answering: Some(answering), bytes, unanswered: Arc::clone(&self.unanswered) };
        if before + bytes > MAX_UNANSWERED_BYTES {
            reply.give(Err(Refusal::Busy));
        } else if let Err(TrySendError::Full(ticket)) = self.queue.try_send(Ticket { prepared, reply }) {
            ticket.reply.give(Err(Refusal::Busy));
        }
    }
}

impl Reply {
    /// For a statement of the sealer's own, which waits in no queue.
    pub(super) fn of_sealer(answering: Answering) -> Self {
        Self { answering: Some(answering), bytes: 0, unanswered: Arc::default() }
    }

    /// Answers. The submitter may have gone; what was sealed is sealed all the same, and sending it again gives the receipt.
    pub(crate) fn give(mut self, answer: Result<Sealed, Refusal>) {
        if let Some(answering) = self.answering.take() {
            answering(answer);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.unanswered.fetch_sub(self.bytes, Ordering::AcqRel);
        if let Some(answering) = self.answering.take() {
            answering(Err(Refusal::Stopped));
        }
    }
}
