//! What a file holds that somebody wants verified.

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::fork::MAX_FORK_LEN;
use gt_core::statement::{MAX_PRESENTATION_BYTES, Statement};
use serde_json::{Map, Value};

use super::super::fork::is_fork;
use crate::problem::TYPE_PREFIX;

/// The members of a pin file.
const OF_A_PIN: [&str; 3] = ["origin", "genesis", "verifier_keys"];

/// What a bundle has beside its format.
const OF_A_BUNDLE: [&str; 7] =
    ["manifest", "checkpoint", "consistency", "registrar", "tip", "records", "completeness"];

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    Receipt,
    Bundle,
    Fork,
    /// Something else, such as what lies beside evidence: what it is, and what to give instead.
    NoEvidence(&'static str),
}

impl Held {
    /// By the first character and, of JSON, its members; a text that looks like JSON and is broken is a broken bundle.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
        match text {
            [b'{' | b'[', ..] if is_fork(bytes) => Self::Fork,
            [b'{' | b'[', ..] => {
                let mistaken = members(text).and_then(|of| mistaken(&of)).or_else(|| foreign(text));
                mistaken.map_or(Self::Bundle, Self::NoEvidence)
            }
            [] => Self::NoEvidence("an empty file. Write the receipt or the bundle anew"),
            [b'<', ..] => Self::NoEvidence(
                "a page for people, which proves nothing. Give the bundle that was made with it (.bundle.json)",
            ),
            _ => beside_a_receipt(text).map_or(Self::Receipt, Self::NoEvidence),
        }
    }
}

/// What a text is that has all its parts and is no receipt. A receipt that was altered is none of these.
fn beside_a_receipt(text: &[u8]) -> Option<&'static str> {
    if SignedCheckpoint::parse(text).is_ok() {
        return Some(
            "a checkpoint, with which evidence can be compared. Give it as --known, and beside it a bundle, --data or --url",
        );
    }
    let is_short = text.len() <= MAX_PRESENTATION_BYTES;
    (is_short && Statement::parse(text.trim_ascii_end()).is_ok()).then_some(
        "a statement, for which there is a receipt. Give it as --statement, and beside it its receipt (.tlog-proof)",
    )
}

/// What JSON is that has members, and none of evidence. A bundle from which all of them were taken would show nothing to anybody.
fn foreign(text: &[u8]) -> Option<&'static str> {
    let whole: Map<String, Value> = Some(text)
        .filter(|text| text.len() <= MAX_FORK_LEN)
        .and_then(|text| serde_json::from_slice(text).ok())?;
    let of_evidence =
        whole.contains_key("format") || OF_A_BUNDLE.iter().any(|name| whole.contains_key(*name));
    if whole.is_empty() || of_evidence {
        return None;
    }
    let has = |name: &str| whole.contains_key(name);
    if has("kty") || (has("protected") && has("ciphertext")) {
        return Some(
            "a key. Give a receipt (.tlog-proof) or a bundle (.bundle.json), and keep a private key to yourself",
        );
    }
    Some(
        "JSON of another kind, with nothing in it that a bundle has. Give a receipt (.tlog-proof) or a bundle (.bundle.json)",
    )
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
        for key in [
            r#"{"kty":"OKP","crv":"Ed25519","x":"x","d":"d"}"#,
            r#"{"protected":"p","encrypted_key":"k","iv":"i","ciphertext":"c","tag":"t"}"#,
        ] {
            assert!(said(key).starts_with("a key"), "{key}");
        }
        assert!(said(r#"{"name":"a page","version":1}"#).contains("JSON of another kind"));
        for empty in ["", "\n", "\u{feff} \r\n"] {
            assert!(said(empty).starts_with("an empty file"), "{empty:?}");
        }
        assert!(said("<!DOCTYPE html>\n<html>").contains(".bundle.json"));
    }

    #[test]
    fn damaged_evidence_stays_evidence() {
        for text in ["{", "{}", "[1]", r#"{"format":"gt/bundle/1","receipt":"x"}"#, "{\"a\":1}\n{"] {
            assert_eq!(Held::of(text.as_bytes()), Held::Bundle, "{text}");
        }
        assert_eq!(Held::of(br#"{"format":"gt/fork/1"}"#), Held::Fork);
        // Whoever alters evidence may leave little of it.
        for left in OF_A_BUNDLE {
            assert_eq!(
                Held::of(format!(r#"{{"{left}":null,"kty":"OKP"}}"#).as_bytes()),
                Held::Bundle,
                "{left}"
            );
        }
        for text in ["c2sp.org/tlog-proof@v1", "receipt", "\u{feff}."] {
            assert_eq!(Held::of(text.as_bytes()), Held::Receipt, "{text}");
        }
    }
}
