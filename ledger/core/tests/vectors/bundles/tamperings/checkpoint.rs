//! Steps 2 and 3: the checkpoint, the pin and the policy.

use base64ct::{Base64, Encoding};

use super::{Case, case, of_child};
use crate::bundles::documents::Material;

const NOTE: &str = "/checkpoint";

pub(super) fn cases(material: &Material) -> Vec<Case> {
    let mut cases = pinned();
    cases.extend(notes(material));
    cases.extend(signatures(material));
    cases.extend(policies(material));
    cases
}

fn pinned() -> Vec<Case> {
    vec![
        of_child("a child's bundle, unchanged", 2),
        case("a range of entries, unchanged", 2, "entries"),
        case("an agency's statements, unchanged", 2, "agency"),
        case("an alert's entries with a kept disclosure presented, unchanged", 2, "alert"),
        of_child("nothing is pinned", 2).without("pin").unknown("nothing_pinned", NOTE),
        of_child("the pin has no genesis", 2).given("pin", "no_genesis").unknown("nothing_pinned", NOTE),
        of_child("another origin is pinned", 2).given("pin", "other_origin").fault("other_origin", NOTE),
        of_child("other keys are pinned", 2).given("pin", "other_keys").fault("checkpoint_not_signed", NOTE),
        of_child("another genesis is pinned", 4)
            .given("pin", "other_genesis")
            .fault("other_genesis", "/registrar/0/proof"),
        case("another ledger under the same name and keys", 4, "other-genesis")
            .fault("other_genesis", "/registrar/0/proof"),
        case("another ledger under the same name and keys, and nothing is pinned", 4, "other-genesis")
            .without("pin")
            .unknown("nothing_pinned", NOTE),
    ]
}

fn notes(material: &Material) -> Vec<Case> {
    let note = material.text("child", NOTE);
    let changed = |name: &str, find: &str, with: &str| {
        assert_eq!(note.matches(find).count(), 1, "{name}");
        of_child(name, 2).replace(NOTE, note.replacen(find, with, 1))
    };
    let root = note.lines().nth(2).expect("a root");
    vec![
        of_child("no checkpoint", 2).replace(NOTE, "").fault("note_malformed", NOTE),
        changed("no signatures", "\n\n", "\n").fault("note_malformed", NOTE),
        of_child("no newline at the end of the checkpoint", 2)
            .replace(NOTE, note.trim_end())
            .fault("note_malformed", NOTE),
        changed("an extension line", &format!("{root}\n"), &format!("{root}\nmore\n"))
            .fault("checkpoint_malformed", NOTE),
        changed("a size with a leading zero", "\n25\n", "\n025\n").fault("checkpoint_malformed", NOTE),
        changed("a size of 0 with another root than the empty tree's", "\n25\n", "\n0\n")
            .fault("checkpoint_malformed", NOTE),
        of_child("a 65th signature", 2).replace(NOTE, crowded(&note)).fault("note_malformed", NOTE),
        of_child("a signature line with a key's id and nothing after it", 2)
            .replace(NOTE, format!("{note}— witness.example/east AAAAAA==\n"))
            .fault("note_malformed", NOTE),
        changed("a larger size than was signed", "\n25\n", "\n26\n")
            .fault("checkpoint_bad_signature", NOTE)
            .fault("inclusion_path_length", "/tip")
            .unknown("log_too_short", "/log"),
        of_child("the checkpoint of a later size", 6)
            .replace(NOTE, material.told.signed(30).to_string())
            .fault("not_included", "/registrar/0/proof"),
        of_child("the checkpoint of another history under the same keys", 6)
            .replace(NOTE, material.forked.signed(25).to_string())
            .fault("not_included", "/registrar/0/proof"),
    ]
}

/// The note with so many signatures of a stranger's below its own that it has 65.
fn crowded(note: &str) -> String {
    let (_, lines) = note.split_once("\n\n").expect("signatures");
    let stranger = "— witness.example/east AAAAAAA=\n".repeat(65 - lines.lines().count());
    format!("{note}{stranger}")
}

/// The note without the signature line of this number, from the ledger's Ed25519 key's on: 0, 1 are the ledger's, 2, 3 witnesses'.
fn without_line(note: &str, number: usize) -> String {
    let (text, lines) = note.split_once("\n\n").expect("signatures");
    let kept = lines.lines().enumerate().filter(|(position, _)| *position != number);
    let kept: Vec<&str> = kept.map(|(_, line)| line).collect();
    format!("{text}\n\n{}\n", kept.join("\n"))
}

/// The note with one bit of the last byte of that line's signature flipped.
fn broken_line(note: &str, number: usize) -> String {
    let (_, lines) = note.split_once("\n\n").expect("signatures");
    let line = lines.lines().nth(number).expect("a signature");
    let (head, encoded) = line.rsplit_once(' ').expect("a signature");
    let mut bytes = Base64::decode_vec(encoded).expect("base64");
    *bytes.last_mut().expect("a signature") ^= 1;
    note.replacen(line, &format!("{head} {}", Base64::encode_string(&bytes)), 1)
}

fn signatures(material: &Material) -> Vec<Case> {
    let note = material.text("child", NOTE);
    let with = |name: &str, note: String| of_child(name, 2).replace(NOTE, note);
    let bad = "checkpoint_bad_signature";
    let downgraded = "checkpoint_downgraded";
    let neither = without_line(&without_line(&note, 1), 0);
    vec![
        with("one bit of the Ed25519 signature is flipped", broken_line(&note, 0)).fault(bad, NOTE),
        with("one bit of the ML-DSA signature is flipped", broken_line(&note, 1)).fault(bad, NOTE),
        with("the ML-DSA signature is dropped", without_line(&note, 1)).fault(downgraded, NOTE),
        with("the Ed25519 signature is dropped", without_line(&note, 0)).fault(downgraded, NOTE),
        with("the ML-DSA signature is dropped, and only Ed25519 is pinned", without_line(&note, 1))
            .given("pin", "ed25519_only"),
        with("the ML-DSA signature is broken, and only Ed25519 is pinned", broken_line(&note, 1))
            .given("pin", "ed25519_only"),
        with("the ML-DSA signature is dropped, and nothing is pinned", without_line(&note, 1))
            .without("pin")
            .fault(downgraded, NOTE)
            .unknown("nothing_pinned", NOTE),
        with("only witnesses signed", neither.clone()).fault("checkpoint_not_signed", NOTE),
        with("only witnesses signed, and nothing is pinned", neither)
            .without("pin")
            .fault("checkpoint_not_signed", NOTE)
            .unknown("nothing_pinned", NOTE),
        with("a cosignature is broken, and no policy is given", broken_line(&note, 2)),
    ]
}

fn policies(material: &Material) -> Vec<Case> {
    let note = material.text("child", NOTE);
    let with = |name: &str, policy: &'static str, note: &str| {
        let case = of_child(name, 3).given("policy", policy);
        if note.is_empty() { case } else { case.replace(NOTE, note) }
    };
    let (quorum, bad) = ("quorum_not_met", "cosignature_bad");
    vec![
        with("both witnesses that are asked for", "both", ""),
        with("two witnesses of three", "two_of_three", ""),
        with("a witness that did not sign is asked for", "all_three", "").fault(quorum, NOTE),
        with("a policy of another log", "other_log", "").fault("policy_other_log", NOTE),
        with("an Ed25519 cosignature is dropped", "both", &without_line(&note, 2)).fault(quorum, NOTE),
        with("an ML-DSA cosignature is dropped", "both", &without_line(&note, 3)).fault(quorum, NOTE),
        with("an Ed25519 cosignature is broken", "both", &broken_line(&note, 2)).fault(bad, NOTE),
        with("an ML-DSA cosignature is broken", "both", &broken_line(&note, 3)).fault(bad, NOTE),
        with("a cosignature is broken, and no quorum is asked for", "none", &broken_line(&note, 2))
            .fault(bad, NOTE),
        with("a cosignature is dropped, and no quorum is asked for", "none", &without_line(&note, 2)),
        with("neither the pinned keys nor the quorum", "all_three", "")
            .given("pin", "other_keys")
            .fault("checkpoint_not_signed", NOTE)
            .fault(quorum, NOTE),
    ]
}
