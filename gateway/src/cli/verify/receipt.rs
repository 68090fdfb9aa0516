use std::path::Path;

use gt_core::bundle::Verdict;
use gt_core::policy::Policy;
use gt_core::receipt::Receipt;
use gt_core::statement::{MAX_PRESENTATION_BYTES, Statement};
use gt_core::verify::{Pin, ReceiptVerdict, verify_receipt};
use serde_json::{Value, json};

use super::super::output::Output;
use super::super::{Failure, Outcome};
use super::{read, status};

/// Checks a receipt.
pub(super) fn check(
    bytes: &[u8],
    statement: Option<&Path>,
    pin: Option<&Pin>,
    policy: Option<&Policy>,
    output: &Output,
) -> Outcome {
    let statement = statement.map(read_statement).transpose()?;
    let verdict = match Receipt::parse(bytes) {
        Ok(receipt) => verdict_on(&receipt, statement.as_ref(), pin, policy, output),
        Err(error) => not_sound(output, error.code(), &error.to_string()),
    };
    Ok(status(verdict))
}

fn verdict_on(
    receipt: &Receipt,
    statement: Option<&Statement>,
    pin: Option<&Pin>,
    policy: Option<&Policy>,
    output: &Output,
) -> Verdict {
    let witnesses = match policy.map(|policy| policy.check(&receipt.checkpoint)) {
        None => Vec::new(),
        Some(Ok(witnesses)) => witnesses.into_iter().map(|witness| witness.name.clone()).collect(),
        Some(Err(fault)) => return not_sound(output, fault.code(), &fault.to_string()),
    };
    let Some(pin) = pin else {
        let why = "nothing is pinned, so whoever made this receipt may have made its ledger too. Give the ledger's pin: --pin ledger.json";
        let unknown = json!({"code": "nothing_pinned", "place": "", "says": why});
        let value = json!({"verdict": "could_not_tell", "why": why, "faults": [], "unknowns": [unknown]});
        output.say(&value, || format!("Could not tell: {why}"));
        return Verdict::CouldNotTell;
    };
    match verify_receipt(receipt, statement.map(Statement::hash), pin) {
        Ok(verdict) => sound(output, &verdict, &witnesses),
        Err(fault) => not_sound(output, fault.code(), &fault.to_string()),
    }
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

fn not_sound(output: &Output, code: &str, why: &str) -> Verdict {
    let fault = json!({"code": code, "place": "", "says": why});
    let value = json!({"verdict": "not_sound", "faults": [fault], "unknowns": []});
    output.say(&value, || format!("Not sound: {why}."));
    Verdict::NotSound
}

fn read_statement(file: &Path) -> Result<Statement, Failure> {
    let bytes = read(file, MAX_PRESENTATION_BYTES)?;
    Statement::parse(bytes.trim_ascii_end())
        .map_err(|error| Failure::could_not_tell(format!("{} is no statement: {error}", file.display())))
}
