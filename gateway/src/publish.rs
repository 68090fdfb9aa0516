//! Publishing drafts from a file or a pipe: NDJSON drafts in, NDJSON outcomes out, in the same order.
//!
//! Drafts go through the publisher's outbox, so running the same input again after a crash seals nothing twice and prints
//! the same receipts.

mod lines;

use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Problem;
use crate::delivery::{back_off, random};
use crate::draft::{CheckedDraft, DraftError, Signatory};
use crate::outbox::{
    AFTER_REVOCATION, Acceptance, Courier, Halt, MAX_BATCH_STATEMENTS, Outbox, OutboxError, Outcome, Setback,
    Step,
};
use lines::{Lines, OverSeveral};

/// How long `publish` keeps trying without any progress, unless told otherwise.
pub const DEFAULT_PATIENCE: Duration = Duration::from_mins(1);

/// What became of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Drafts that are sealed.
    pub sealed: u64,
    /// Lines that are no acceptable drafts, and drafts that the ledger refused.
    pub refused: u64,
}

/// Why publishing ended before the input did. What was accepted is in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The input cannot be read.
    #[error("the drafts cannot be read")]
    Input(#[source] io::Error),
    /// The input is JSON, but a draft goes on over several lines of it.
    #[error(
        "a draft is one line of JSON, and here one goes over several: put each on a line of its own with `jq -c {filter} FILE`"
    )]
    OverSeveralLines {
        /// What makes one draft a line of it, in the language of jq.
        filter: &'static str,
    },
    /// The output cannot be written.
    #[error("the receipts cannot be written")]
    Output(#[source] io::Error),
    /// The outbox cannot go on.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Nothing more may be sent until a person has looked.
    #[error(transparent)]
    Halted(#[from] Halt),
    /// The publisher's key is elsewhere, and did not sign.
    #[error(transparent)]
    Key(#[from] gt_core::key::SignerError),
    /// The ledger did not take the statements in time.
    #[error("{}", waiting(*.queued, .last))]
    OutOfPatience {
        /// How many wait.
        queued: usize,
        /// What the last setback was.
        #[source]
        last: Setback,
    },
}

/// How many drafts wait, and what helps.
fn waiting(queued: usize, last: &Setback) -> String {
    let wait = if queued == 1 { "1 draft waits".to_owned() } else { format!("{queued} drafts wait") };
    match last {
        last if last.is_final() => {
            format!("{wait} in the outbox and will never be taken, as {AFTER_REVOCATION}")
        }
        Setback::Behind(_) => {
            format!(
                "{wait} in the outbox; running this again helps only once the ledger has everything again that it sealed"
            )
        }
        _ => format!("{wait} in the outbox; run this again to go on"),
    }
}

/// One line of the input.
enum Line {
    /// Its draft is in the outbox under this id.
    Draft { id: String },
    /// It is refused here, for a reason that names no values.
    Refused { line: u64, id: Option<String>, problem: Problem },
}

/// Publishes every draft of the input, and writes a line for each: `{"id","status":"sealed","seq","index","statement",
/// "receipt"}`, or `{"line","id","status":"refused","problem"}` for a line that is refused here, or the same without
/// `line` where the ledger refused. Gives up once there was no progress for `patience`; what waits stays in the outbox,
/// and its lines say `queued`.
///
/// # Errors
/// [`PublishError`], which says what waits. With [`PublishError::OverSeveralLines`] nothing of the input was accepted.
pub fn publish(
    courier: &mut Courier,
    input: impl Read,
    output: &mut impl Write,
    patience: Duration,
) -> Result<Summary, PublishError> {
    let outbox = courier.outbox();
    let signatory = lock(&outbox).signatory();
    let mut drafts = Lines::new(input);
    match drafts.begins_over_several().map_err(PublishError::Input)? {
        Some(OverSeveral::Values) => return Err(PublishError::OverSeveralLines { filter: "." }),
        Some(OverSeveral::List) => return Err(PublishError::OverSeveralLines { filter: "'.[]'" }),
        None => {}
    }
    let mut summary = Summary::default();
    loop {
        let lines = read_some(&mut drafts, &outbox, &signatory)?;
        let delivered = deliver(courier, &outbox, patience);
        print(&lines, &outbox, output, &mut summary)?;
        delivered?;
        if lines.is_empty() {
            return Ok(summary);
        }
    }
}

/// Reads as many drafts as there are to be had without waiting, up to a batch, and accepts them. Empty at the end.
fn read_some(
    drafts: &mut Lines<impl Read>,
    outbox: &Mutex<Outbox>,
    signatory: &Signatory,
) -> Result<Vec<Line>, PublishError> {
    let mut lines = Vec::new();
    let mut checked: Vec<(usize, CheckedDraft)> = Vec::new();
    while lines.len() < MAX_BATCH_STATEMENTS && (lines.is_empty() || drafts.has_more_at_hand()) {
        let Some((line, text)) = drafts.next_line().map_err(PublishError::Input)? else { break };
        lines.push(match text.map_or(Err(DraftError::TooLong), |text| signatory.check(&text)) {
            Ok(draft) => {
                let id = draft.id().to_owned();
                checked.push((lines.len(), draft));
                Line::Draft { id }
            }
            // The drafts are not at fault, and the same input can be given again.
            Err(DraftError::Key(error)) => return Err(error.into()),
            Err(error) => Line::Refused { line, id: None, problem: error.problem() },
        });
    }
    let (positions, checked): (Vec<usize>, Vec<CheckedDraft>) = checked.into_iter().unzip();
    let acceptances = lock(outbox).accept(&checked)?;
    for ((position, draft), acceptance) in positions.into_iter().zip(checked).zip(acceptances) {
        if let Some(problem) = acceptance_problem(acceptance) {
            let line = drafts.line - (lines.len() - 1 - position) as u64;
            lines[position] = Line::Refused { line, id: Some(draft.id().to_owned()), problem };
        }
    }
    Ok(lines)
}

/// The problem of a draft that the outbox does not take; `None` if it took it.
pub(crate) fn acceptance_problem(acceptance: Acceptance) -> Option<Problem> {
    match acceptance {
        Acceptance::New | Acceptance::Known => None,
        Acceptance::IdReused => Some(Problem::new(
            409,
            "draft_id_reused",
            "The draft's id is taken",
            "another draft was accepted under this id; a draft that says something else needs an id of its own",
        )),
        Acceptance::Full => Some(Problem::new(
            503,
            "outbox_full",
            "The outbox is full",
            "100000 drafts wait already; send this one again when the ledger has taken some",
        )),
        Acceptance::Halted => Some(Problem::new(
            503,
            "delivery_halted",
            "Delivery has halted",
            "nothing is sent until a person has looked, so no new draft is taken; drafts that were accepted before stay in the outbox",
        )),
    }
}

fn deliver(courier: &mut Courier, outbox: &Mutex<Outbox>, patience: Duration) -> Result<(), PublishError> {
    let (mut setbacks, mut since) = (0, Instant::now());
    while lock(outbox).queued() > 0 {
        match courier.step()? {
            Step::Idle => return Ok(()),
            Step::Progress => (setbacks, since) = (0, Instant::now()),
            Step::Retry(last) => {
                let wait = back_off(setbacks, random()).max(last.retry_after().unwrap_or_default());
                if last.is_final() || since.elapsed() + wait > patience {
                    return Err(PublishError::OutOfPatience { queued: lock(outbox).queued(), last });
                }
                setbacks += 1;
                std::thread::sleep(wait);
            }
        }
    }
    Ok(())
}

fn print(
    lines: &[Line],
    outbox: &Mutex<Outbox>,
    output: &mut impl Write,
    summary: &mut Summary,
) -> Result<(), PublishError> {
    for line in lines {
        let value = match line {
            Line::Draft { id } => match lock(outbox).outcome(id)? {
                Some(outcome) => {
                    match outcome {
                        Outcome::Sealed { .. } => summary.sealed += 1,
                        Outcome::Refused { .. } => summary.refused += 1,
                        Outcome::Queued { .. } => {}
                    }
                    outcome.to_json(id)
                }
                None => continue,
            },
            Line::Refused { line, id, problem } => {
                summary.refused += 1;
                refused_line(*line, id.as_deref(), problem)
            }
        };
        serde_json::to_writer(&mut *output, &value).map_err(|error| PublishError::Output(error.into()))?;
        output.write_all(b"\n").map_err(PublishError::Output)?;
    }
    output.flush().map_err(PublishError::Output)
}

/// What is said of a line of NDJSON that is not accepted.
pub(crate) fn refused_line(line: u64, id: Option<&str>, problem: &Problem) -> Value {
    let mut value = json!({"line": line, "status": "refused", "problem": problem.to_json()});
    if let Some(id) = id {
        value["id"] = id.into();
    }
    value
}

fn lock(outbox: &Mutex<Outbox>) -> MutexGuard<'_, Outbox> {
    outbox.lock().expect("nothing panics while it holds the outbox")
}

#[cfg(test)]
mod tests;
