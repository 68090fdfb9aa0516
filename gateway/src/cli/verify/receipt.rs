use std::path::Path;

use gt_core::bundle::Verdict;
use gt_core::policy::Policy;
use gt_core::receipt::{MAX_RECEIPT_LEN, Receipt};
use gt_core::statement::{MAX_PRESENTATION_BYTES, Statement};
use gt_core::verify::{Pin, ReceiptVerdict, check_unpinned_receipt, verify_receipt};
use serde_json::{Value, json};

use super::super::output::Output;
use super::super::{Failure, Outcome};
use super::{OTHER_ORIGIN, read, status};

/// Checks a receipt.
pub(super) fn check(
    bytes: &[u8],
    statement: Option<&Path>,
    pin: Option<&Pin>,
    policy: Option<&Policy>,
    output: &Output,
) -> Outcome {
    let statement = statement.map(read_statement).transpose()?;
    let judge = |receipt: &Receipt| judge(receipt, statement.as_ref(), pin, policy);
    let error = match Receipt::parse(bytes) {
        Ok(receipt) => return Ok(status(judge(&receipt).say(output))),
        Err(error) => error,
    };
    let judged = match put_right(bytes).map(|(receipt, why)| (judge(&receipt), why)) {
        None => Judged::NotSound { code: error.code(), why: error.to_string() },
        // Whoever altered it could have changed its line ends too.
        Some((Judged::NotSound { why, .. }, _)) => Judged::NotSound {
            code: error.code(),
            why: format!("{error}; and with its line ends put right, {why}"),
        },
        Some((_, why)) => Judged::CouldNotTell { code: "line_ends_changed", why },
    };
    Ok(status(judged.say(output)))
}

/// What a receipt comes to.
enum Judged {
    Sound { verdict: Box<ReceiptVerdict>, witnesses: Vec<String> },
    NotSound { code: &'static str, why: String },
    CouldNotTell { code: &'static str, why: &'static str },
}

fn judge(
    receipt: &Receipt,
    statement: Option<&Statement>,
    pin: Option<&Pin>,
    policy: Option<&Policy>,
) -> Judged {
    let witnesses = match policy.map(|policy| policy.check(&receipt.checkpoint)) {
        None => Vec::new(),
        Some(Ok(witnesses)) => witnesses.into_iter().map(|witness| witness.name.clone()).collect(),
        Some(Err(fault)) => return Judged::NotSound { code: fault.code(), why: fault.to_string() },
    };
    let statement = statement.map(Statement::hash);
    let Some(pin) = pin else {
        // What is wrong in itself is wrong under any pin.
        if let Err(fault) = check_unpinned_receipt(receipt, statement) {
            return Judged::NotSound { code: fault.code(), why: fault.to_string() };
        }
        let why = "nothing is pinned, so whoever made this receipt may have made its ledger too. Give the ledger's pin: --pin ledger.json";
        return Judged::CouldNotTell { code: "nothing_pinned", why };
    };
    match verify_receipt(receipt, statement, pin) {
        Ok(verdict) => Judged::Sound { verdict: Box::new(verdict), witnesses },
        Err(fault) if fault.code() == OTHER_ORIGIN => {
            let why = format!("{fault}: the pin that was given is of {}", pin.origin);
            Judged::NotSound { code: fault.code(), why }
        }
        Err(fault) => Judged::NotSound { code: fault.code(), why: fault.to_string() },
    }
}

impl Judged {
    fn say(&self, output: &Output) -> Verdict {
        match self {
            Self::Sound { verdict, witnesses } => sound(output, verdict, witnesses),
            Self::NotSound { code, why } => {
                let fault = json!({"code": code, "place": "", "says": why});
                let value = json!({"verdict": "not_sound", "faults": [fault], "unknowns": []});
                output.say(&value, || format!("Not sound: {why}."));
                Verdict::NotSound
            }
            Self::CouldNotTell { code, why } => {
                let unknown = json!({"code": code, "place": "", "says": why});
                let value =
                    json!({"verdict": "could_not_tell", "why": why, "faults": [], "unknowns": [unknown]});
                output.say(&value, || format!("Could not tell: {why}"));
                Verdict::CouldNotTell
            }
        }
    }
}

/// The receipt that this was before something on the way changed its line ends, and what to do about it. It is not taken for what was
/// given: a receipt has one spelling, and whoever keeps it keeps that.
fn put_right(bytes: &[u8]) -> Option<(Receipt, &'static str)> {
    if bytes.len() > MAX_RECEIPT_LEN {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = text.replace("\r\n", "\n");
    let kept = lines.strip_suffix('\n')?.trim_end_matches('\n');
    let receipt = Receipt::parse(format!("{kept}\n").as_bytes()).ok()?;
    let why = if lines == text {
        "a line end was added to this receipt on the way, as jq -r adds one, so nothing in it was accepted. Write it anew, without one: jq -j .receipt ANSWER > receipt.tlog-proof"
    } else {
        "the line ends of this receipt were changed on the way, from LF to CR LF, so nothing in it was accepted. Change them back, and verify that: tr -d '\\r' < RECEIPT > receipt.tlog-proof"
    };
    Some((receipt, why))
}

fn sound(output: &Output, verdict: &ReceiptVerdict, witnesses: &[String]) -> Verdict {
    let (entry, checkpoint) = (&verdict.entry, &verdict.checkpoint);
    let signed_by: Vec<Value> =
        verdict.signed_by.iter().map(|key| json!(key.signature_type().to_string())).collect();
    let value = json!({
        "verdict": "sound",
        "faults": [],
        "unknowns": [],
        "origin": checkpoint.origin(),
        "index": entry.index.0,
        "received_at": entry.received_at.to_string(),
        "statement": entry.statement.to_string(),
        "statement_compared": verdict.statement_compared,
        "checkpoint_size": checkpoint.size().0,
        "signed_by": signed_by,
        "witnesses": witnesses,
    });
    output.say(&value, || {
        let compared = if verdict.statement_compared {
            "It is for the statement that you gave."
        } else {
            "It was not compared with a statement; give --statement FILE to see which one it is for."
        };
        let seen = if witnesses.is_empty() {
            String::new()
        } else {
            format!("\nThe log's head was cosigned by {}.", witnesses.join(", "))
        };
        format!(
            "Sound. {} sealed statement {} as entry {} at {},\nand a log of {} entries signed by its key includes it. {compared}{seen}",
            checkpoint.origin(), entry.statement, entry.index, entry.received_at, checkpoint.size(),
        )
    });
    Verdict::Sound
}

fn read_statement(file: &Path) -> Result<Statement, Failure> {
    let bytes = read(file, MAX_PRESENTATION_BYTES)?;
    Statement::parse(bytes.trim_ascii_end())
        .map_err(|error| Failure::could_not_tell(format!("{} is no statement: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use gt_core::LeafIndex;

    use super::*;

    #[test]
    fn what_is_wrong_in_a_receipt_needs_no_pin_to_be_told() {
        let vectors: Value = serde_json::from_str(include_str!("../../../../tests/vectors/receipts.json"))
            .expect("vectors are JSON");
        let is_sound = |case: &&Value| case["expected"]["accepted"] == true;
        let sound = vectors["cases"].as_array().expect("cases").iter().find(is_sound).expect("a sound one");
        let text = sound["receipt"].as_str().expect("text");
        let receipt = Receipt::parse(text.as_bytes()).expect("a receipt");
        let judged = |receipt: &Receipt| judge(receipt, None, None, None);
        assert!(matches!(judged(&receipt), Judged::CouldNotTell { code: "nothing_pinned", .. }));
        let moved = Receipt { index: LeafIndex(receipt.index.0 + 1), ..receipt.clone() };
        assert!(matches!(judged(&moved), Judged::NotSound { code: "index_differs", .. }));
        let shortened = Receipt { path: receipt.path[1..].to_vec(), ..receipt };
        assert!(matches!(judged(&shortened), Judged::NotSound { code: "inclusion_path_length", .. }));
    }
}
