//! Requests that are not answered yet: what a standby keeps, should it have to step in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gt_core::Hash;

use super::question::Sender;

/// The most bytes that are held. A standby lets go of the oldest first: who sent it sends it again.
const MAX_BYTES: usize = 64 << 20;
/// What a request takes in memory besides its texts: a request without any counts, too.
const OVERHEAD: usize = 512;
/// The longest that a request is held: by then whoever sent it has given up, and sends it again.
const MAX_AGE: Duration = Duration::from_mins(1);
/// In the place of a tree's size: what was answered without being sealed waits for no checkpoint.
const ANSWERED: u64 = 0;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) sender: Option<Sender>,
    pub(super) reply: String,
    pub(super) payload: Bytes,
}

impl Request {
    fn cost(&self) -> usize {
        self.payload.len() + self.reply.len() + OVERHEAD
    }

    /// What every node calls it: a statement by its hash, a question, which has no text, by where its answer goes.
    pub(super) fn name(&self) -> Hash {
        if self.payload.is_empty() { Hash::of(self.reply.as_bytes()) } else { statement_hash(&self.payload) }
    }
}

#[derive(Debug)]
struct Held {
    request: Request,
    since: Instant,
    name: Hash,
    /// The size of the tree once its statement was sealed, or [`ANSWERED`].
    sealed: Option<u64>,
}

/// The requests that are held, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct HeldRequests {
    by_number: BTreeMap<u64, Held>,
    by_name: BTreeSet<(Hash, u64)>,
    /// Those that are not with this node's sealer.
    waiting: BTreeSet<u64>,
    next: u64,
    /// What `next` was when another sealer's batch was last seen.
    before: u64,
    bytes: usize,
}

impl HeldRequests {
    /// Holds a request. Requests come in the order of their times. What is not handed to the sealer next is to be [bounded](Self::bound).
    pub(super) fn add(&mut self, request: Request, now: Instant) {
        let number = self.next;
        self.next += 1;
        self.bytes += request.cost();
        let name = request.name();
        self.by_name.insert((name, number));
        self.by_number.insert(number, Held { request, since: now, name, sealed: None });
        self.waiting.insert(number);
    }

    /// Lets go of the oldest that are not with the sealer, as far as there are too many.
    pub(super) fn bound(&mut self) {
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.waiting.first().copied()
        {
            self.remove(oldest);
        }
    }

    /// Lets go of a request that is answered, and returns its name.
    pub(super) fn remove(&mut self, number: u64) -> Option<Hash> {
        let held = self.by_number.remove(&number)?;
        self.bytes -= held.request.cost();
        self.waiting.remove(&number);
        self.by_name.remove(&(held.name, number));
        Some(held.name)
    }

    /// A request that was with the sealer comes back unanswered.
    pub(super) fn give_back(&mut self, number: u64) {
        if self.by_number.contains_key(&number) {
            self.waiting.insert(number);
        }
    }

    /// Notes that a statement is sealed in a tree of this size.
    pub(super) fn sealed(&mut self, statement: &Hash, size: u64) {
        for (_, number) in self.by_name.range((*statement, 0)..=(*statement, u64::MAX)) {
            if let Some(held) = self.by_number.get_mut(number) {
                held.sealed = Some(size);
            }
        }
    }

    /// Notes that another sealer has answered the requests of this name without sealing them. Whether this node lets go of them the next
    /// [`Self::announced`] says: whatever is with its own sealer by then is answered here.
    pub(super) fn answered(&mut self, name: &Hash) {
        self.sealed(name, ANSWERED);
    }

    /// Whether it is known that the request's statement is sealed.
    pub(super) fn is_sealed(&self, number: u64) -> bool {
        self.by_number.get(&number).is_some_and(|held| held.sealed.is_some_and(|size| size != ANSWERED))
    }

    /// Notes that another sealer has sealed a batch: it has heard what this node has heard by now, and answers it.
    pub(super) const fn another_has_sealed(&mut self) {
        self.before = self.next;
    }

    /// Whether another sealer has sealed a batch since the request came.
    pub(super) const fn came_before_anothers(&self, number: u64) -> bool {
        number < self.before
    }

    /// Lets go of what another sealer has answered: it announces a checkpoint after the receipts that it covers.
    pub(super) fn announced(&mut self, size: u64) {
        let answered = self.by_number.iter().filter(|(_, held)| held.sealed.is_some_and(|at| at <= size));
        let answered = answered.map(|(number, _)| *number).filter(|number| self.waiting.contains(number));
        for number in answered.collect::<Vec<_>>() {
            self.remove(number);
        }
    }

    /// Lets go of what is too old.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((number, since)) = self.first_waiting()
            && now.duration_since(since) > MAX_AGE
        {
            self.remove(number);
        }
    }

    /// Since when the oldest request waits that is not with the sealer.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.first_waiting().map(|(_, since)| since)
    }

    /// Takes everything for the sealer that is not with it.
    pub(super) fn take(&mut self) -> Vec<(u64, Request)> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        waiting.filter_map(|number| Some((number, self.by_number.get(&number)?.request.clone()))).collect()
    }

    fn first_waiting(&self) -> Option<(u64, Instant)> {
        let number = self.waiting.first()?;
        self.by_number.get(number).map(|held| (*number, held.since))
    }
}

/// The hash of a statement that may not be sound: of what stands before the first disclosure.
fn statement_hash(payload: &[u8]) -> Hash {
    let end = payload.iter().position(|byte| *byte == b'~').unwrap_or(payload.len());
    Hash::of(&payload[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than the bound has room for, without a text.
    const MANY: usize = 2 * MAX_BYTES / OVERHEAD;

    fn request(text: &'static str) -> Request {
        Request { sender: None, reply: "_INBOX.x".into(), payload: Bytes::from_static(text.as_bytes()) }
    }

    fn numbers(taken: &[(u64, Request)]) -> Vec<u64> {
        taken.iter().map(|(number, _)| *number).collect()
    }

    fn assert_nothing_is_left(held: &HeldRequests) {
        assert!(held.by_number.is_empty() && held.by_name.is_empty() && held.waiting.is_empty());
        assert_eq!(held.bytes, 0);
    }

    #[test]
    fn what_is_sealed_is_held_until_its_checkpoint_is_announced() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        held.add(request("a.b.c~d~"), now);
        held.add(request("a.b.d~d~"), now);
        held.sealed(&Hash::of(b"a.b.c"), 7);
        held.announced(6);
        let taken = numbers(&held.take());
        assert_eq!(taken.len(), 2);
        assert_eq!(held.take().len(), 0, "what is with the sealer is not taken twice");
        held.announced(7);
        for number in &taken {
            held.give_back(*number);
        }
        held.announced(7);
        assert_eq!(numbers(&held.take()), taken[1..]);
        assert!(held.oldest().is_none());
        held.remove(taken[1]);
        assert_nothing_is_left(&held);
    }

    /// A refused statement would else be submitted a second later, and might be sealed, or pass for a fork of what took its place.
    #[test]
    fn what_another_sealer_has_answered_is_let_go_of() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        let other = Request { reply: "_INBOX.y".into(), ..request("") };
        for one in [request("a.b.c~d~"), request("a.b.d~d~"), request(""), other] {
            held.add(one, now);
        }
        held.answered(&request("a.b.c~e~").name());
        held.announced(0);
        assert_eq!(numbers(&held.take()), [1, 2, 3]);
        held.answered(&request("").name());
        held.announced(0);
        held.give_back(2);
        held.give_back(3);
        held.announced(0);
        assert_eq!(numbers(&held.take()), [3], "what comes back is let go of as well");
        held.remove(1);
        held.remove(3);
        assert_nothing_is_left(&held);
    }

    #[test]
    fn only_what_came_before_anothers_batch_can_have_been_overtaken_by_it() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        held.add(request("a.b.c~d~"), now);
        assert!(!held.came_before_anothers(0));
        held.another_has_sealed();
        held.add(request("a.b.d~d~"), now);
        assert_eq!([0, 1].map(|number| held.came_before_anothers(number)), [true, false]);
        held.answered(&Hash::of(b"a.b.c"));
        held.sealed(&Hash::of(b"a.b.d"), 7);
        assert_eq!([0, 1].map(|number| held.is_sealed(number)), [false, true]);
    }

    #[test]
    fn a_standby_lets_go_of_the_oldest_and_the_old() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        let big = Bytes::from(vec![b'x'; MAX_BYTES / 2 - OVERHEAD]);
        for _ in 0..3 {
            held.add(Request { sender: None, reply: String::new(), payload: big.clone() }, now);
        }
        held.bound();
        assert_eq!(held.by_number.keys().copied().collect::<Vec<_>>(), [1, 2]);
        held.add(request(""), now + MAX_AGE);
        held.expire(now + MAX_AGE + Duration::from_secs(1));
        assert_eq!(held.by_number.keys().copied().collect::<Vec<_>>(), [3]);
        held.expire(now + MAX_AGE * 2 + Duration::from_secs(1));
        assert_nothing_is_left(&held);
    }

    #[test]
    fn questions_without_end_are_bounded_too() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        for _ in 0..MANY {
            held.add(request(""), now);
        }
        held.bound();
        assert_eq!(held.by_number.len(), MAX_BYTES / request("").cost());
        assert!(held.bytes <= MAX_BYTES && held.by_name.len() == held.by_number.len());
        held.expire(now + MAX_AGE + Duration::from_secs(1));
        assert_nothing_is_left(&held);
    }

    /// If to let go of one looked at all the others of its statement, this would take minutes.
    #[test]
    fn one_statement_without_end_is_let_go_of_one_by_one() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        for _ in 0..MANY {
            held.add(request("a.b.c~d~"), now);
        }
        held.bound();
        held.sealed(&Hash::of(b"a.b.c"), 7);
        held.sealed(&Hash::of(b"a.b.d"), 6);
        held.announced(6);
        assert_eq!(held.by_number.len(), MAX_BYTES / request("a.b.c~d~").cost());
        held.announced(7);
        assert_nothing_is_left(&held);
    }
}
