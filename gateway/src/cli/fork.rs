//! What the program says of evidence that a ledger has signed two histories.

use std::process::ExitCode;

use gt_core::checkpoint::Checkpoint;
use gt_core::fork::{ForkEvidence, ForkVerdict, MAX_FORK_LEN};
use gt_core::verify::Pin;
use serde_json::{Value, json};

use super::output::Output;

/// Whether a file means to be evidence of a fork, of whatever version.
pub(crate) fn is_fork(bytes: &[u8]) -> bool {
    if bytes.len() > MAX_FORK_LEN || bytes.trim_ascii_start().first() != Some(&b'{') {
        return false;
    }
    let json = gt_core::json::Value::parse(bytes);
    let members = json.as_ref().ok().and_then(gt_core::json::Value::as_object);
    let format = members.and_then(|members| members.get("format")?.as_str());
    format.is_some_and(|format| format.starts_with("gt/fork/"))
}

/// Checks evidence of a fork. Exit status 1: it is proven, so the ledger is not sound. Exit status 2: it proves nothing.
pub(crate) fn verify_fork(bytes: &[u8], pin: Option<&Pin>, output: &Output) -> ExitCode {
    let evidence = match ForkEvidence::parse(bytes) {
        Ok(evidence) => evidence,
        Err(error) => return proves_nothing(error.code(), &error.to_string(), output),
    };
    let Some(pin) = pin else {
        let why = "nothing is pinned, so whoever made this evidence may have made its checkpoints too. Give the ledger's pin: --pin ledger.json";
        return proves_nothing("nothing_pinned", why, output);
    };
    match evidence.verify(pin) {
        Ok(verdict) => {
            output.say(&value(&verdict), || sentences(&verdict));
            ExitCode::from(1)
        }
        Err(fault) => proves_nothing(fault.code(), &fault.to_string(), output),
    }
}

fn proves_nothing(code: &str, why: &str, output: &Output) -> ExitCode {
    let value = json!({"verdict": "could_not_tell", "code": code, "why": why});
    output.say(&value, || format!("Could not tell: this evidence of a fork proves nothing. {why}"));
    ExitCode::from(2)
}

fn value(verdict: &ForkVerdict) -> Value {
    let head =
        |checkpoint: &Checkpoint| json!({"size": checkpoint.size().0, "root": checkpoint.root().to_string()});
    let mut keys: Vec<String> =
        verdict.first_signed_by.iter().chain(&verdict.second_signed_by).map(ToString::to_string).collect();
    keys.sort();
    keys.dedup();
    json!({
        "verdict": "not_sound",
        "code": "fork",
        "origin": verdict.origin,
        "differ_at": verdict.differ_at.0,
        "first": head(&verdict.first),
        "second": head(&verdict.second),
        "other_root": verdict.other_root.to_string(),
        "signed_by": keys,
    })
}

fn sentences(verdict: &ForkVerdict) -> String {
    format!(
        "Not sound: this ledger's key has signed two histories: {origin} has signed a log of {first} entries and a log of {second},\n\
         and their first {at} entries are not the same. No honest log can have both.\n\
         \n\
         \x20 one history    root {one} at {at} entries\n\
         \x20 the other      root {other} at {at} entries\n\
         \n\
         Keep this file and show it to everybody who relies on this ledger: anybody with the ledger's pin can check it. A receipt is\n\
         of one of the two histories; ask for a checkpoint of both sizes to see of which.",
        origin = verdict.origin,
        first = verdict.first.size(),
        second = verdict.second.size(),
        at = verdict.differ_at,
        one = verdict.first.root(),
        other = verdict.other_root,
    )
}
