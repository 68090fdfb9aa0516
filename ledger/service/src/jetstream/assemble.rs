//! Which messages of the stream make batches (DESIGN section 5). Pure: every node that reads the same stream comes to the same.

use super::message::{Closing, KEYS_SUBJECT, MessageFault, decode, header};
use crate::log::SealedEntry;

/// The most entries in one batch: what the server takes (ADR-50).
pub const MAX_BATCH_MESSAGES: u64 = 1000;

/// A batch holds no more bytes than this, vault records included. A sealer stays far below.
pub const MAX_BATCH_PAYLOAD: usize = 64 << 20;

/// A message as the stream has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredMessage {
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// Its subject.
    pub subject: String,
    /// The headers of [`header`] that it has, by name.
    pub headers: Vec<(&'static str, String)>,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// A whole batch. Whether it extends the log is still to be seen.
#[derive(Debug, Clone)]
pub struct StreamBatch {
    /// The stream's sequence of its first message.
    pub first: u64,
    /// The stream's sequence of its last message.
    pub last: u64,
    /// Its own name.
    pub name: String,
    /// Its entries; none where an epoch of the key-encryption key begins without one.
    pub entries: Vec<SealedEntry>,
    /// What its last message says.
    pub closing: Closing,
}

/// Messages that are no part of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Void {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// Why.
    pub fault: MessageFault,
}

/// What reading on has brought.
#[derive(Debug, Clone)]
pub enum Assembled {
    /// A whole batch.
    Batch(Box<StreamBatch>),
    /// Messages that are no part of the ledger, and never will be.
    Void(Void),
    /// Messages are missing: the stream has lost what it must keep for ever.
    Missing {
        /// The sequence that should have come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
}

/// Puts batches together, message by message.
#[derive(Default)]
pub struct Assembler {
    /// The sequence that comes next; 0 if any may.
    next: u64,
    run: Option<Run>,
    /// Broken runs, void as soon as another batch commits.
    broken: Vec<Void>,
}

/// The beginning of an atomic batch.
struct Run {
    id: String,
    name: String,
    first: u64,
    bytes: usize,
    entries: Vec<SealedEntry>,
}

impl Assembler {
    /// Starts to read at this sequence.
    pub fn starting_at(next: u64) -> Self {
        Self { next, run: None, broken: Vec::new() }
    }

    /// The sequence of the first message of which it is not known yet what it belongs to. Who starts to read again starts there at the
    /// latest.
    pub fn pending(&self) -> Option<u64> {
        let broken = self.broken.first().map(|void| void.first);
        broken.or_else(|| self.run.as_ref().map(|run| run.first))
    }

    /// Takes the next message.
    pub fn take(&mut self, message: &StoredMessage) -> Vec<Assembled> {
        let expected = std::mem::replace(&mut self.next, message.sequence + 1);
        if expected != 0 && message.sequence != expected {
            self.run = None;
            return vec![Assembled::Missing { expected, found: message.sequence }];
        }
        let batch = match message.header(header::BATCH_ID) {
            None => {
                self.break_run();
                single(message).map(Some)
            }
            Some(id) => self.in_run(id, message),
        };
        match batch {
            Ok(None) => Vec::new(),
            Ok(Some(batch)) => {
                let mut all: Vec<Assembled> = self.broken.drain(..).map(Assembled::Void).collect();
                all.push(Assembled::Batch(Box::new(batch)));
                all
            }
            Err(fault) => {
                self.break_run();
                vec![Assembled::Void(Void { first: message.sequence, last: message.sequence, fault })]
            }
        }
    }

    /// What came of the run so far is no part of the ledger, unless nothing commits after it: then it may still be going on.
    fn break_run(&mut self) {
        if let Some(run) = self.run.take() {
            let last = run.first + run.entries.len() as u64 - 1;
            self.broken.push(Void { first: run.first, last, fault: MessageFault::Torn });
        }
    }

    fn in_run(&mut self, id: &str, message: &StoredMessage) -> Result<Option<StreamBatch>, MessageFault> {
        let number: u64 = message
            .header(header::BATCH_SEQUENCE)
            .and_then(|number| number.parse().ok())
            .ok_or(MessageFault::Header(header::BATCH_SEQUENCE))?;
        let entry = decode(&message.subject, &message.payload)?;
        if number == 1 {
            self.break_run();
            let name = message.header(header::BATCH).ok_or(MessageFault::Header(header::BATCH))?.to_owned();
            self.run =
                Some(Run { id: id.to_owned(), name, first: message.sequence, bytes: 0, entries: vec![] });
        }
        let run = self.run.as_mut().filter(|run| run.id == id && run.entries.len() as u64 + 1 == number);
        let run = run.ok_or(MessageFault::NoBatch)?;
        let bytes = run.bytes + message.payload.len();
        if number > MAX_BATCH_MESSAGES || bytes > MAX_BATCH_PAYLOAD {
            return Err(MessageFault::Unbounded);
        }
        let closing = message.header(header::BATCH_COMMIT).map(|_| message.closing()).transpose()?;
        // Nothing can go wrong with the message from here on: one that is void is in no run.
        run.bytes = bytes;
        run.entries.push(entry);
        let Some(closing) = closing else { return Ok(None) };
        let run = self.run.take().ok_or(MessageFault::NoBatch)?;
        let Run { name, first, entries, .. } = run;
        Ok(Some(StreamBatch { first, last: message.sequence, name, entries, closing }))
    }
}

/// A batch of one is a plain message.
fn single(message: &StoredMessage) -> Result<StreamBatch, MessageFault> {
    let name = message.header(header::BATCH).ok_or(MessageFault::NoBatch)?.to_owned();
    let (closing, sequence) = (message.closing()?, message.sequence);
    let begins = closing.epoch.as_ref().is_some_and(|epoch| epoch.begins.is_some());
    let entries = if message.subject == KEYS_SUBJECT && message.payload.is_empty() && begins {
        Vec::new()
    } else {
        vec![decode(&message.subject, &message.payload)?]
    };
    Ok(StreamBatch { first: sequence, last: sequence, name, entries, closing })
}

impl StoredMessage {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_str())
    }

    fn closing(&self) -> Result<Closing, MessageFault> {
        Closing::parse(|name| self.header(name))
    }
}

#[cfg(test)]
mod tests;
