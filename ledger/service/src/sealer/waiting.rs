use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Checked, MAX_BATCH, MAX_BATCH_BYTES, Work};
use crate::erasure::CustodyWork;

/// Statements that are checked and wait to be sealed. While one batch is committed, the next one grows here: a commit costs about the
/// same for few as for many. How many there can be is bounded where they come in.
#[derive(Clone, Default)]
pub(super) struct CheckedQueue(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    queue: Mutex<Queue>,
    /// Told of each batch that is taken, and when nobody seals any more.
    taken: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Checked>,
    /// How many bytes of statements they are.
    bytes: usize,
    /// The writing thread has been told, and has not looked yet.
    told: bool,
    /// Nobody seals any more.
    closed: bool,
}

impl CheckedQueue {
    /// Adds statements, and tells the writing thread unless it has been told. False if nobody seals any more.
    pub(super) fn add(&self, checked: Vec<Checked>, works: &SyncSender<Work>) -> bool {
        let mut queue = self.lock();
        if queue.closed {
            return false;
        }
        queue.bytes += checked.iter().map(|one| one.ticket.prepared.bytes).sum::<usize>();
        queue.waiting.extend(checked);
        let told = std::mem::replace(&mut queue.told, true);
        drop(queue);
        told || works.send(Work::Seal).is_ok()
    }

    /// Waits while the next batch is full without anything more. False if nobody seals any more.
    pub(super) fn await_room(&self) -> bool {
        let is_full = |queue: &mut Queue| {
            !queue.closed && (queue.waiting.len() >= MAX_BATCH || queue.bytes >= MAX_BATCH_BYTES)
        };
        let queue = self.0.taken.wait_while(self.lock(), is_full);
        !queue.unwrap_or_else(PoisonError::into_inner).closed
    }

    /// Takes a batch, and says whether more is left. Whoever adds something from here on tells of it again.
    fn batch(&self) -> (Vec<Checked>, bool) {
        let mut queue = self.lock();
        queue.told = false;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < MAX_BATCH
            && bytes < MAX_BATCH_BYTES
            && let Some(checked) = queue.waiting.pop_front()
        {
            bytes += checked.ticket.prepared.bytes;
            batch.push(checked);
        }
        queue.bytes -= bytes;
        self.0.taken.notify_all();
        (batch, !queue.waiting.is_empty())
    }

    fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Lets go of everything, now and from now on: a ticket that is dropped says that the sealer has stopped.
    fn close(&self) {
        let mut queue = self.lock();
        (queue.closed, queue.bytes) = (true, 0);
        self.0.taken.notify_all();
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the writing thread has to do. When it is dropped, however the thread ends, nothing waits any more.
pub(super) struct Waiting<'w> {
    works: &'w Receiver<Work>,
    checked: CheckedQueue,
    more: bool,
}

/// One piece of work.
pub(super) enum Next {
    /// Seal what waits.
    Seal,
    /// Take what the stream has brought.
    Stream(crate::jetstream::News),
    /// Destroy or renew keys.
    Custody(CustodyWork),
}

impl<'w> Waiting<'w> {
    pub(super) const fn new(works: &'w Receiver<Work>, checked: CheckedQueue) -> Self {
        Self { works, checked, more: false }
    }

    /// The next piece of work; waits for one. `None` once everything is done and nobody sends any more.
    pub(super) fn next(&mut self) -> Option<Next> {
        // What the stream has brought comes before statements that a full batch has left over.
        let work =
            if self.more { self.works.try_recv().unwrap_or(Work::Seal) } else { self.works.recv().ok()? };
        match work {
            Work::Stream(news) => Some(Next::Stream(news)),
            Work::Custody(work) => Some(Next::Custody(work)),
            Work::Seal => Some(Next::Seal),
        }
    }

    /// How many statements wait to be sealed.
    pub(super) fn checked(&self) -> usize {
        self.checked.len()
    }

    /// Takes a batch of them.
    pub(super) fn batch(&mut self) -> Vec<Checked> {
        let (batch, more) = self.checked.batch();
        self.more = more;
        batch
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.checked.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use gt_core::Hash;
    use gt_core::agency::AgencyCode;
    use gt_core::key::PrivateKey;
    use gt_core::statement::{Draft, EventType, Statement, sign};

    use super::super::intake::{Reply, Ticket};
    use super::*;
    use crate::prepare::Prepared;
    use crate::refusal::Refusal;

    fn statement() -> Statement {
        let key = PrivateKey::from_seed(&[1; 32]);
        let draft = Draft {
            iss: AgencyCode::service(),
            aud: "ledger.example/one".to_owned(),
            iat: 0,
            publisher: key.public().thumbprint(),
            on_behalf_of: None,
            seq: 0,
            prev: Hash::ZERO,
            event_type: EventType::parse("subject.erased").expect("a type"),
            version: 1,
            members: Vec::new(),
            kept: Vec::new(),
        };
        sign(&draft, &key, || [0; 16]).expect("signed").statement
    }

    fn checked(count: usize) -> Vec<Checked> {
        let statement = statement();
        let one = |_| {
            let prepared = Box::new(Prepared::of_erasure(statement.clone()));
            let ticket = Ticket { prepared, reply: Reply::of_sealer(Box::new(|_| ())) };
            Checked { ticket, signer: Err(Refusal::Unavailable) }
        };
        (0..count).map(one).collect()
    }

    /// Waits in another thread. How much waited to be sealed when it had room, or `None` if nobody seals any more.
    fn await_room_elsewhere(queue: &CheckedQueue, meanwhile: impl FnOnce()) -> Option<usize> {
        let (waits, is_waiting) = sync_channel(0);
        let elsewhere = queue.clone();
        let waiting = std::thread::spawn(move || {
            waits.send(()).expect("the test waits for it");
            elsewhere.await_room().then(|| elsewhere.len())
        });
        is_waiting.recv().expect("it begins to wait");
        (0..1000).for_each(|_| std::thread::yield_now());
        meanwhile();
        waiting.join().expect("it comes back")
    }

    #[test]
    fn a_full_batch_is_waited_for_until_it_is_taken() {
        let (works, _sealer) = sync_channel(8);
        let queue = CheckedQueue::default();
        assert!(queue.add(checked(MAX_BATCH - 1), &works));
        assert_eq!(await_room_elsewhere(&queue, || ()), Some(MAX_BATCH - 1));
        assert!(queue.add(checked(2), &works));
        assert_eq!(await_room_elsewhere(&queue, || assert_eq!(queue.batch().0.len(), MAX_BATCH)), Some(1));
    }

    #[test]
    fn a_batch_may_be_full_by_its_bytes() {
        let (works, _sealer) = sync_channel(8);
        let (queue, mut large) = (CheckedQueue::default(), checked(3));
        for one in &mut large {
            one.ticket.prepared.bytes = MAX_BATCH_BYTES;
        }
        assert!(queue.add(large, &works));
        assert_eq!(await_room_elsewhere(&queue, || (0..3).for_each(|_| drop(queue.batch()))), Some(0));
    }

    #[test]
    fn whoever_waits_hears_that_nobody_seals_any_more() {
        let (works, _sealer) = sync_channel(8);
        let queue = CheckedQueue::default();
        assert!(queue.add(checked(MAX_BATCH), &works));
        assert_eq!(await_room_elsewhere(&queue, || queue.close()), None);
        assert!(!queue.await_room());
        assert!(!queue.add(checked(1), &works), "and nothing is taken");
    }
}
