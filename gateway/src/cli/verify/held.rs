//! What a file holds that somebody wants verified.

use gt_core::fork::MAX_FORK_LEN;
use serde_json::{Map, Value};

use super::super::fork::is_fork;
use crate::problem::TYPE_PREFIX;

/// The members of a pin file.
const OF_A_PIN: [&str; 3] = ["origin", "genesis", "verifier_keys"];

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    Receipt,
    Bundle,
    Fork,
    /// Something else of this program's that lies beside evidence: what it is, and what to give instead.
    NoEvidence(&'static str),
}

impl Held {
    /// By the first character and, of JSON, its members; a text that looks like JSON and is broken is a broken bundle.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
        match text {
            [b'{' | b'[', ..] if is_fork(bytes) => Self::Fork,
            [b'{' | b'[', ..] => {
                members(text).and_then(|of| mistaken(&of)).map_or(Self::Bundle, Self::NoEvidence)
            }
            [b'<', ..] => Self::NoEvidence(
                "a page for people, which proves nothing. Give the bundle that was made with it (.bundle.json)",
            ),
            _ => Self::Receipt,
        }
    }
}

/// The members of an object, or of the first of several, one a line. Of what is long none, for that is a bundle.
fn members(text: &[u8]) -> Option<Map<String, Value>> {
    if text.len() <= MAX_FORK_LEN
        && let Ok(whole) = serde_json::from_slice(text)
    {
        return Some(whole);
    }
    let line = text.split(|byte| *byte == b'\n').next().filter(|line| line.len() <= MAX_FORK_LEN)?;
    serde_json::from_slice(line).ok()
}

/// What an object is that is given by mistake. Whatever says its format is evidence, or means to be.
fn mistaken(members: &Map<String, Value>) -> Option<&'static str> {
    if members.contains_key("format") {
        return None;
    }
    if OF_A_PIN.iter().all(|name| members.contains_key(*name)) {
        return Some(
            "a ledger's pin, against which evidence is checked. Give it as --pin, and beside it a receipt, a bundle, --data or --url",
        );
    }
    if members.get("receipt").is_some_and(Value::is_string) {
        return Some(
            "an answer with a receipt in it. Write the text of its member receipt into a file (jq -j .receipt ANSWER > receipt.tlog-proof), and give that",
        );
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match (text("id"), text("status")) {
        (Some(_), Some("queued")) => {
            Some("an answer without a receipt: the draft is not sealed yet. Ask the agent for it again")
        }
        (Some(_), Some("refused")) => Some("an answer without a receipt: the draft was refused"),
        _ if text("type").is_some_and(|name| name.starts_with(TYPE_PREFIX)) => {
            Some("an answer without a receipt: a refusal, whose detail says why")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> &'static str {
        match Held::of(text.as_bytes()) {
            Held::NoEvidence(what) => what,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_lies_beside_evidence_is_called_by_its_name() {
        let pin = r#"{"origin": "o", "genesis": "g", "verifier_keys": []}"#;
        assert!(said(pin).contains("--pin") && said(&format!("\u{feff}\n{pin}")).contains("pin"));
        let answer = r#"{"id":"1","status":"sealed","receipt":"c2sp.org/tlog-proof@v1\n"}"#;
        for answers in [answer.to_owned(), format!("{answer}\n{answer}\n")] {
            assert!(said(&answers).contains("member receipt"), "{answers}");
        }
        assert!(said(r#"{"id":"1","status":"queued","seq":3}"#).contains("not sealed yet"));
        assert!(said(r#"{"id":"1","status":"refused","problem":{}}"#).contains("refused"));
        assert!(
            said(r#"{"type":"urn:goldenthread:problem:missing_member","status":422}"#).contains("refusal")
        );
        assert!(said("<!DOCTYPE html>\n<html>").contains(".bundle.json"));
    }

    #[test]
    fn damaged_evidence_stays_evidence() {
        for text in ["{", "{}", "[1]", r#"{"format":"gt/bundle/1","receipt":"x"}"#, "{\"a\":1}\n{"] {
            assert_eq!(Held::of(text.as_bytes()), Held::Bundle, "{text}");
        }
        assert_eq!(Held::of(br#"{"format":"gt/fork/1"}"#), Held::Fork);
        for text in ["", "c2sp.org/tlog-proof@v1", "receipt"] {
            assert_eq!(Held::of(text.as_bytes()), Held::Receipt, "{text}");
        }
    }
}
