//! What the journal adds up to. Drafts, statements and receipts stay on disk; memory holds where they are, and the
//! statements of the window.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use gt_core::agency::AgencyCode;
use gt_core::hash::Hash;

use super::journal::Span;
use super::record::Record;
use super::{Identity, Pin};

/// A fold of the journal's records. The same fold serves reopening and running.
#[derive(Default)]
pub(super) struct Memory {
    identity: Option<Identity>,
    /// All drafts in the order in which they were accepted.
    pub(super) entries: Vec<Entry>,
    orders: HashMap<Arc<str>, usize>,
    /// How many of `entries`, from the first, are sealed or refused.
    pub(super) settled: usize,
    /// How many are sealed, and so the next `seq`.
    pub(super) next_seq: u64,
    /// The hash of the last sealed statement.
    pub(super) head: Option<Hash>,
    /// The statements that are signed and not settled: `window[i]` is of `entries[settled + i]`, with `seq` `next_seq + i`.
    pub(super) window: VecDeque<SignedStatement>,
    /// Whether anything was ever signed, whatever became of it.
    pub(super) has_signed: bool,
    contradiction: Option<u64>,
}

/// A draft.
pub(super) struct Entry {
    pub(super) accepted: Span,
    pub(super) content: Hash,
    pub(super) state: State,
}

/// What became of a draft.
pub(super) enum State {
    Queued,
    Sealed { seq: u64, index: u64, statement: Hash, signed_at: Span, sealed_at: Span },
    Refused { at: Span },
}

/// A statement that is on its way.
pub(super) struct SignedStatement {
    pub(super) seq: u64,
    pub(super) hash: Hash,
    pub(super) text: Arc<str>,
    at: Span,
}

impl Memory {
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// How many drafts wait to be sealed.
    pub(super) fn queued(&self) -> usize {
        self.entries.len() - self.settled
    }

    /// The order of the draft with this id.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.orders.get(id).copied()
    }

    /// The `seq` that a queued draft has, or will have if none before it is refused.
    pub(super) fn seq_of(&self, order: usize) -> u64 {
        self.next_seq + (order - self.settled) as u64
    }

    /// The first draft at which records contradicted each other.
    pub(super) fn contradiction(&self) -> Option<u64> {
        self.contradiction
    }

    /// Takes one record that is durable.
    pub(super) fn apply(&mut self, at: Span, record: Record) {
        let order = match &record {
            Record::Identity { .. } | Record::Accepted { .. } => self.entries.len() as u64,
            Record::Signed { order, .. } | Record::Sealed { order, .. } | Record::Refused { order, .. } => {
                *order
            }
        };
        if self.contradiction.is_none() && self.try_apply(at, record).is_none() {
            self.contradiction = Some(order);
        }
    }

    /// `None` if the record contradicts those before it.
    fn try_apply(&mut self, at: Span, record: Record) -> Option<()> {
        match record {
            Record::Identity { publisher, agency, pin } => {
                self.identity = Some(Identity {
                    publisher: Hash::parse(&publisher).ok()?,
                    agency: AgencyCode::parse(&agency).ok()?,
                    pin: Pin::parse(pin.as_bytes()).ok()?,
                });
            }
            Record::Accepted { id, content, .. } => {
                let entry =
                    Entry { accepted: at, content: Hash::parse(&content).ok()?, state: State::Queued };
                if self.orders.insert(id.into(), self.entries.len()).is_some() {
                    return None;
                }
                self.entries.push(entry);
            }
            Record::Signed { order, seq, statement, .. } => {
                let next = self.settled + self.window.len();
                if order != next as u64 || next >= self.entries.len() || seq != self.seq_of(next) {
                    return None;
                }
                let (jws, _) = statement.split_once('~')?;
                let hash = Hash::of(jws.as_bytes());
                self.has_signed = true;
                self.window.push_back(SignedStatement { seq, hash, text: statement.into(), at });
            }
            Record::Sealed { order, index, .. } => {
                let signed = self.window.pop_front().filter(|_| order == self.settled as u64)?;
                let (seq, statement) = (signed.seq, signed.hash);
                self.settle(State::Sealed { seq, index, statement, signed_at: signed.at, sealed_at: at });
                self.next_seq += 1;
                self.head = Some(statement);
            }
            Record::Refused { order, .. } => {
                if order != self.settled as u64 || self.window.is_empty() {
                    return None;
                }
                // What was signed after it chains to it, so it can never be sealed.
                self.window.clear();
                self.settle(State::Refused { at });
            }
        }
        Some(())
    }

    fn settle(&mut self, state: State) {
        self.entries[self.settled].state = state;
        self.settled += 1;
    }
}
