//! Requests that are not answered yet: what a standby keeps, should it have to step in.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gt_core::Hash;

use super::question::Sender;

/// The most bytes that are held. A standby lets go of the oldest first: who sent it sends it again.
const MAX_BYTES: usize = 64 << 20;
/// The longest that a request is held: by then whoever sent it has given up, and sends it again.
const MAX_AGE: Duration = Duration::from_mins(1);

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) sender: Option<Sender>,
    pub(super) reply: String,
    pub(super) payload: Bytes,
}

#[derive(Debug)]
struct Held {
    request: Request,
    since: Instant,
    statement: Hash,
    /// The size of the tree once its statement was sealed.
    sealed: Option<u64>,
    /// It is with this node's sealer.
    submitted: bool,
}

/// The requests that are held, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct HeldRequests {
    by_number: BTreeMap<u64, Held>,
    by_statement: HashMap<Hash, Vec<u64>>,
    next: u64,
    bytes: usize,
}

impl HeldRequests {
    /// Holds a request, and gives it a number.
    pub(super) fn add(&mut self, request: Request, now: Instant) -> u64 {
        let number = self.next;
        self.next += 1;
        self.bytes += request.payload.len();
        let statement = statement_hash(&request.payload);
        self.by_statement.entry(statement).or_default().push(number);
        self.by_number
            .insert(number, Held { request, since: now, statement, sealed: None, submitted: false });
        while self.bytes > MAX_BYTES {
            let oldest = self.by_number.iter().find(|(_, held)| !held.submitted).map(|(number, _)| *number);
            let Some(oldest) = oldest else { break };
            self.remove(oldest);
        }
        number
    }

    /// Lets go of a request that is answered.
    pub(super) fn remove(&mut self, number: u64) {
        let Some(held) = self.by_number.remove(&number) else { return };
        self.bytes -= held.request.payload.len();
        if let Some(numbers) = self.by_statement.get_mut(&held.statement) {
            numbers.retain(|one| *one != number);
            if numbers.is_empty() {
                self.by_statement.remove(&held.statement);
            }
        }
    }

    /// A request that was with the sealer comes back unanswered.
    pub(super) fn give_back(&mut self, number: u64) {
        if let Some(held) = self.by_number.get_mut(&number) {
            held.submitted = false;
        }
    }

    /// Notes that a statement is sealed in a tree of this size.
    pub(super) fn sealed(&mut self, statement: &Hash, size: u64) {
        for number in self.by_statement.get(statement).into_iter().flatten() {
            if let Some(held) = self.by_number.get_mut(number) {
                held.sealed = Some(size);
            }
        }
    }

    /// Lets go of what another sealer has answered: it announces a checkpoint after the receipts that it covers.
    pub(super) fn announced(&mut self, size: u64) {
        let answered = |held: &Held| !held.submitted && held.sealed.is_some_and(|at| at <= size);
        self.remove_where(answered);
    }

    /// Lets go of what is too old.
    pub(super) fn expire(&mut self, now: Instant) {
        self.remove_where(|held| !held.submitted && now.duration_since(held.since) > MAX_AGE);
    }

    /// Since when the oldest request waits that is not with the sealer.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.by_number.values().find(|held| !held.submitted).map(|held| held.since)
    }

    /// Takes these requests for the sealer, or everything that is not with it.
    pub(super) fn take(&mut self, only: Option<&[u64]>) -> Vec<(u64, Request)> {
        let taken = self
            .by_number
            .iter_mut()
            .filter(|(number, held)| !held.submitted && only.is_none_or(|only| only.contains(number)));
        taken
            .map(|(number, held)| {
                held.submitted = true;
                (*number, held.request.clone())
            })
            .collect()
    }

    fn remove_where(&mut self, what: impl Fn(&Held) -> bool) {
        let numbers: Vec<u64> =
            self.by_number.iter().filter(|(_, held)| what(held)).map(|(number, _)| *number).collect();
        for number in numbers {
            self.remove(number);
        }
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

    fn request(text: &'static str) -> Request {
        Request { sender: None, reply: "_INBOX.x".into(), payload: Bytes::from_static(text.as_bytes()) }
    }

    #[test]
    fn what_is_sealed_is_held_until_its_checkpoint_is_announced() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        let one = held.add(request("a.b.c~d~"), now);
        let two = held.add(request("a.b.d~d~"), now);
        held.sealed(&Hash::of(b"a.b.c"), 7);
        held.announced(6);
        assert_eq!(held.take(None).len(), 2);
        held.announced(7);
        held.give_back(one);
        held.give_back(two);
        held.announced(7);
        assert_eq!(held.take(None).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [two]);
        assert!(held.oldest().is_none());
        held.remove(two);
        assert!(held.by_number.is_empty() && held.by_statement.is_empty() && held.bytes == 0);
    }

    #[test]
    fn a_standby_lets_go_of_the_oldest_and_the_old() {
        let (now, mut held) = (Instant::now(), HeldRequests::default());
        let big = Bytes::from(vec![b'x'; MAX_BYTES / 2]);
        for _ in 0..3 {
            held.add(Request { sender: None, reply: String::new(), payload: big.clone() }, now);
        }
        assert_eq!(held.by_number.keys().copied().collect::<Vec<_>>(), [1, 2]);
        held.expire(now + MAX_AGE + Duration::from_secs(1));
        assert!(held.by_number.is_empty());
    }
}
