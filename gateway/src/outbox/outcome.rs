use gt_core::hash::Hash;
use serde_json::{Value, json};

use super::journal::Span;
use super::{Outbox, OutboxError, Problem, Record, State};
use crate::draft::CheckedDraft;

/// What became of a draft so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is durable here, and not sealed yet.
    Queued {
        /// Its number in the chain, if no draft before it is refused.
        seq: u64,
    },
    /// The ledger sealed it; the receipt has been verified.
    Sealed {
        /// Its number in the publisher's chain.
        seq: u64,
        /// The index of its entry.
        index: u64,
        /// The statement hash.
        statement: Hash,
        /// The receipt, to keep: a C2SP tlog-proof.
        receipt: String,
    },
    /// The ledger refused it.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// A sealed statement as its publisher holds it. It has no `Debug`, for it is personal data.
pub struct StoredStatement {
    /// The compact SD-JWT with the disclosures that were sent.
    pub statement: String,
    /// The disclosures that were kept at home, with their members' names.
    pub kept: Vec<(String, String)>,
}

impl Outcome {
    /// Whether nothing will change any more.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Queued { .. })
    }

    /// The outcome as JSON, under the caller's id.
    pub fn to_json(&self, id: &str) -> Value {
        match self {
            Self::Queued { seq } => json!({"id": id, "status": "queued", "seq": seq}),
            Self::Sealed { seq, index, statement, receipt } => json!({
                "id": id, "status": "sealed", "seq": seq, "index": index,
                "statement": statement.to_string(), "receipt": receipt,
            }),
            Self::Refused { problem } => json!({"id": id, "status": "refused", "problem": problem.to_json()}),
        }
    }
}

impl Outbox {
    /// What became of the draft with this id; `None` if none was accepted under it.
    pub fn outcome(&mut self, id: &str) -> Result<Option<Outcome>, OutboxError> {
        let Some(order) = self.memory.find(id) else { return Ok(None) };
        let found = match self.memory.entries[order].state {
            State::Queued => Some(Outcome::Queued { seq: self.memory.seq_of(order) }),
            State::Sealed { seq, index, statement, sealed_at, .. } => {
                self.find_record(sealed_at, |record| match record {
                    Record::Sealed { order: of, receipt, .. } if of == order as u64 => {
                        Some(Outcome::Sealed { seq, index, statement, receipt })
                    }
                    _ => None,
                })?
            }
            State::Refused { at } => self.find_record(at, |record| match record {
                Record::Refused { order: of, problem } if of == order as u64 => {
                    let problem = serde_json::from_str(&problem).ok().and_then(Problem::from_json);
                    problem.map(|problem| Outcome::Refused { problem })
                }
                _ => None,
            })?,
        };
        found.map(Some).ok_or(OutboxError::Contradiction { order: order as u64 })
    }

    /// The sealed statement of the draft with this id and its kept disclosures, to present to a panel; `None` if there is
    /// none.
    pub fn statement(&mut self, id: &str) -> Result<Option<StoredStatement>, OutboxError> {
        let Some(order) = self.memory.find(id) else { return Ok(None) };
        let State::Sealed { signed_at, .. } = self.memory.entries[order].state else { return Ok(None) };
        self.find_record(signed_at, |record| match record {
            Record::Signed { order: of, statement, kept, .. } if of == order as u64 => {
                Some(StoredStatement { statement, kept })
            }
            _ => None,
        })
    }

    /// The accepted draft. `line` keeps the last line that was read, for the next draft is most often in the same.
    pub(super) fn read_draft(
        &mut self,
        order: usize,
        line: &mut Option<(Span, Vec<Record>)>,
    ) -> Result<CheckedDraft, OutboxError> {
        let span = self.memory.entries[order].accepted;
        if line.as_ref().is_none_or(|(read, _)| *read != span) {
            *line = Some((span, self.journal.read(span)?));
        }
        // Drafts of one line have consecutive orders, in the line's order.
        let earlier =
            self.memory.entries[..order].iter().rev().take_while(|entry| entry.accepted == span).count();
        let records = line.as_ref().map(|(_, records)| records.as_slice()).unwrap_or_default();
        match records.get(earlier) {
            Some(Record::Accepted { draft, .. }) => CheckedDraft::parse_form(draft.as_bytes())
                .map_err(|source| OutboxError::Unsignable { order: order as u64, source }),
            _ => Err(OutboxError::Contradiction { order: order as u64 }),
        }
    }

    fn find_record<T>(
        &mut self,
        span: Span,
        pick: impl Fn(Record) -> Option<T>,
    ) -> Result<Option<T>, OutboxError> {
        Ok(self.journal.read(span)?.into_iter().find_map(pick))
    }
}
