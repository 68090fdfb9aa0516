//! The outbox: everything that a publisher has written or will write to its ledger, durable before it is sent.
//!
//! One folder, one key, one process. A draft is *accepted* (durable, under the caller's id), then *signed* at its place in
//! the chain (durable, with all disclosures), then sent, and sent again as the same bytes until there is a definite answer:
//! *sealed*, with a receipt that has been verified, or *refused*. Statements are signed a window at a time, so that a
//! refusal voids few: what followed a refused statement is signed anew, at new places, before anything else is sent.
//!
//! **What was perhaps sealed is never signed anew**: [`Outbox::refuse`] asks for the head of the chain as the ledger has
//! it after the refusal, and takes the refusal for definite only if that head lies before the refused statement. A crash
//! between any two steps leaves a journal from which the same steps go on; the ledger answers duplicates with their
//! receipts.

mod courier;
mod error;
mod establish;
mod establish_error;
mod journal;
mod memory;
mod outcome;
mod pin;
mod problem;
mod record;
#[cfg(test)]
pub(crate) mod tests;
mod unclaimed;
mod verdict;

use std::sync::Arc;

pub(crate) use courier::AFTER_REVOCATION;
pub use courier::{Courier, Halt, Setback, Step};
pub use error::{Divergence, OutboxError};
pub use establish::{Connection, default_folder};
pub use establish_error::EstablishError;
use gt_core::agency::AgencyCode;
use gt_core::hash::Hash;
use gt_core::statement::PublisherId;
use journal::Journal;
pub use journal::JournalError;
use memory::{Memory, State};
pub use outcome::{Outcome, StoredStatement};
pub use pin::{MAX_PIN_BYTES, Pin, PinError, ReceiptFault};
pub use problem::Problem;
use record::Record;
pub use unclaimed::UnclaimedOutbox;
pub use verdict::{Recorded, Verdict};

use crate::client::{Answer, Head};
use crate::draft::{ChainPosition, CheckedDraft, Signatory};

/// The most statements that are sent at once.
pub const MAX_BATCH_STATEMENTS: usize = 64;
/// The most bytes of statements that are sent at once, unless one alone is longer.
pub const MAX_BATCH_BYTES: usize = 1 << 20;
/// The most drafts that may wait to be sealed.
pub const MAX_QUEUED: usize = 100_000;

/// Whose outbox it is, and which ledger it writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The publisher.
    pub publisher: PublisherId,
    /// The agency in whose name it signs.
    pub agency: AgencyCode,
    /// The ledger.
    pub pin: Pin,
}

/// A publisher's outbox.
pub struct Outbox {
    journal: Journal,
    memory: Memory,
    identity: Identity,
    signatory: Arc<Signatory>,
}

/// What became of a draft that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is durable now.
    New,
    /// The same draft was accepted before, under the same id.
    Known,
    /// Another draft was accepted before under this id.
    IdReused,
    /// Too many wait already.
    Full,
    /// Delivery has halted, so nothing new is taken.
    Halted,
}

impl Acceptance {
    /// What a draft with this content is whose id is known, with that content.
    fn of_known(known: Hash, content: Hash) -> Self {
        if known == content { Self::Known } else { Self::IdReused }
    }
}

impl Outbox {
    /// Whose outbox it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Who checks and signs drafts. It needs no lock on the outbox.
    pub fn signatory(&self) -> Arc<Signatory> {
        Arc::clone(&self.signatory)
    }

    /// How many drafts wait to be sealed.
    pub fn queued(&self) -> usize {
        self.memory.queued()
    }

    /// Whether it ever signed anything.
    pub fn has_signed(&self) -> bool {
        self.memory.has_signed
    }

    /// Takes nothing new: tells the drafts that are known, and [`Acceptance::Halted`] of the others.
    pub fn recognise(&self, drafts: &[CheckedDraft]) -> Vec<Acceptance> {
        let recognise = |draft: &CheckedDraft| {
            let known = self.memory.find(draft.id()).map(|order| self.memory.entries[order].content);
            known.map_or(Acceptance::Halted, |known| Acceptance::of_known(known, draft.content()))
        };
        drafts.iter().map(recognise).collect()
    }

    /// Makes drafts durable, in order. They have been checked by [`Self::signatory`].
    pub fn accept(&mut self, drafts: &[CheckedDraft]) -> Result<Vec<Acceptance>, OutboxError> {
        let mut acceptances = Vec::with_capacity(drafts.len());
        // One line of the journal is read as a whole, so it holds no more than a batch.
        for some in drafts.chunks(MAX_BATCH_STATEMENTS) {
            self.accept_line(some, &mut acceptances)?;
        }
        Ok(acceptances)
    }

    fn accept_line(
        &mut self,
        drafts: &[CheckedDraft],
        acceptances: &mut Vec<Acceptance>,
    ) -> Result<(), OutboxError> {
        let mut records: Vec<Record> = Vec::new();
        let mut new: Vec<(&str, Hash)> = Vec::new();
        for draft in drafts {
            let content = draft.content();
            let beside = new.iter().find(|(id, _)| *id == draft.id()).map(|(_, content)| *content);
            let before = self.memory.find(draft.id()).map(|order| self.memory.entries[order].content);
            acceptances.push(match before.or(beside) {
                Some(known) => Acceptance::of_known(known, content),
                None if self.queued() + new.len() >= MAX_QUEUED => Acceptance::Full,
                None => {
                    let (id, draft_text) = (draft.id().to_owned(), draft.to_text());
                    records.push(Record::Accepted { id, content: content.to_string(), draft: draft_text });
                    new.push((draft.id(), content));
                    Acceptance::New
                }
            });
        }
        self.commit(records)
    }

    /// The statements to send next, in order: those that were signed and perhaps sent before, and as many more as fit,
    /// signed now and made durable. `now` is in seconds since the Unix epoch. Empty if nothing waits.
    pub fn next_batch(&mut self, now: i64) -> Result<Vec<Arc<str>>, OutboxError> {
        let records = self.sign_more(now)?;
        self.commit(records)?;
        Ok(self.memory.window.iter().map(|signed| Arc::clone(&signed.text)).collect())
    }

    fn sign_more(&mut self, now: i64) -> Result<Vec<Record>, OutboxError> {
        let window = &self.memory.window;
        let mut bytes: usize = window.iter().map(|signed| signed.text.len()).sum();
        let mut prev = window.back().map_or_else(|| self.head(), |signed| signed.hash);
        let first = self.memory.settled + window.len();
        let room = self.memory.entries.len().min(self.memory.settled + MAX_BATCH_STATEMENTS);
        let mut line = None;
        let mut records = Vec::new();
        for order in first..room {
            let seq = self.memory.seq_of(order);
            let draft = self.read_draft(order, &mut line)?;
            let signed = self
                .signatory
                .sign(&draft, ChainPosition { seq, prev, iat: now })
                .map_err(|source| OutboxError::Unsignable { order: order as u64, source })?;
            let statement = signed.statement.to_compact();
            bytes += statement.len();
            if bytes > MAX_BATCH_BYTES && order > self.memory.settled {
                break;
            }
            prev = signed.statement.hash();
            records.push(Record::Signed { order: order as u64, seq, statement, kept: signed.kept });
        }
        Ok(records)
    }

    /// Takes the ledger's answers to the batch that was sent, in order, as far as they are definite. Receipts are verified
    /// before anything is recorded as sealed.
    pub fn record(&mut self, answers: &[Answer]) -> Result<Recorded, OutboxError> {
        let mut records = Vec::new();
        let mut fault = None;
        let mut rest = None;
        for (answer, signed) in answers.iter().zip(&self.memory.window) {
            match verdict::of(answer) {
                Ok(receipt) => match self.identity.pin.check_receipt(receipt, &signed.hash) {
                    Ok(index) => {
                        let order = (self.memory.settled + records.len()) as u64;
                        records.push(Record::Sealed { order, index: index.0, receipt: receipt.to_owned() });
                    }
                    Err(source) => fault = Some(OutboxError::Receipt { seq: signed.seq, source }),
                },
                Err(verdict) => rest = Some(verdict),
            }
            if fault.is_some() || rest.is_some() {
                break;
            }
        }
        let sealed = records.len();
        self.commit(records)?;
        fault.map_or(Ok(Recorded { sealed, rest }), Err)
    }

    /// Records the refusal of the first statement that is not settled, and voids what was signed after it. `head` is the
    /// ledger's, asked for after the refusal. Returns `false`, and records nothing, if that head shows that the ledger
    /// sealed the statement after all: an earlier copy of it came through. Then the same bytes bring the receipt.
    pub fn refuse(&mut self, problem: &Problem, head: &Head) -> Result<bool, OutboxError> {
        self.compare(head)?;
        let refused = head.next_seq == self.memory.next_seq && !self.memory.window.is_empty();
        if refused {
            let order = self.memory.settled as u64;
            self.commit(vec![Record::Refused { order, problem: problem.to_json().to_string() }])?;
        }
        Ok(refused)
    }

    /// Compares the ledger's head of this publisher's chain with the outbox. To be done before the first batch is sent.
    pub fn compare(&self, head: &Head) -> Result<(), Divergence> {
        let (ledger, sealed) = (head.next_seq, self.memory.next_seq);
        let signed = sealed + self.memory.window.len() as u64;
        if ledger > signed {
            return Err(Divergence::LedgerAhead { ledger, outbox: signed });
        }
        let Some(beyond) = ledger.checked_sub(sealed) else {
            return Err(Divergence::LedgerBehind { ledger, outbox: sealed });
        };
        let last_sealed = usize::try_from(beyond).ok().and_then(|beyond| beyond.checked_sub(1));
        let expected =
            last_sealed.and_then(|at| self.memory.window.get(at)).map_or_else(|| self.head(), |s| s.hash);
        if head.head == expected {
            Ok(())
        } else {
            Err(Divergence::OtherStatement { seq: ledger.saturating_sub(1) })
        }
    }

    /// The hash of the last statement that is known to be sealed; the genesis hash if there is none.
    fn head(&self) -> Hash {
        self.memory.head.unwrap_or(self.identity.pin.genesis)
    }

    fn commit(&mut self, records: Vec<Record>) -> Result<(), OutboxError> {
        if records.is_empty() {
            return Ok(());
        }
        let span = self.journal.append(&records)?;
        for record in records {
            self.memory.apply(span, record);
        }
        match self.memory.contradiction() {
            Some(order) => Err(OutboxError::Contradiction { order }),
            None => Ok(()),
        }
    }
}
