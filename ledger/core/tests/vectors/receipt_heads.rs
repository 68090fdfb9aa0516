//! Receipts whose checkpoint decides: at the limits of a note, under a policy, or with several faults of which one counts first.

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::json::Value;
use gt_core::note::{NoteSignature, NoteSigner};
use gt_core::policy::Witness;
use gt_core::receipt::Receipt;

use crate::document::NewCase;
use crate::ledger::{ORIGIN, genesis, note_signer};
use crate::policies::{policy, witness};
use crate::receipts::{SIZE, head, pinned, put, receipt};

const LIMITS: &str = "FORMATS 10: a note has at most 64 signatures, each of at least one byte";
const EMPTY: &str = "FORMATS 10: the tree without entries has one root";
const NOTE: &str = "DESIGN 3: C2SP signed-note and tlog-checkpoint, without extension lines";
const POLICY: &str = "FORMATS 5: the policy of whoever has one, once the receipt has been read";
const LINES: &str = "FORMATS 5: the lines of a proof in their order";
const ORDER: &str = "FORMATS 5: the first of several faults counts";

pub(crate) fn cases() -> Vec<NewCase> {
    [notes(), policies(), firsts()].concat()
}

/// What the policy calls these witnesses.
pub(crate) fn names(witnesses: &[&Witness]) -> Value {
    Value::Array(witnesses.iter().map(|witness| Value::String(witness.name.clone())).collect())
}

fn notes() -> Vec<NewCase> {
    let signers: Vec<NoteSigner> = (100..163).map(note_signer).collect();
    let log = note_signer(50);
    let all: Vec<&NoteSigner> = [&log].into_iter().chain(&signers).collect();
    let many = Receipt { checkpoint: head(ORIGIN, SIZE, &all), ..receipt(5) }.to_string();
    let text = receipt(5).to_string();
    let line = text.lines().last().expect("a signature");
    let proof = receipt(5).proof_text();
    let refused = |name: &str, rule: &str, code: &'static str, text: String| {
        put(NewCase::refused(name, rule, code), &text)
    };
    vec![
        put(NewCase::accepted("64 signatures", LIMITS), &many),
        refused("65 signatures", LIMITS, "note_malformed", format!("{many}{line}\n")),
        put(
            NewCase::accepted("a signature of one byte, of a key that is not pinned", LIMITS),
            &format!("{text}— {ORIGIN} AAAAAAA=\n"),
        ),
        refused(
            "a key's id and no signature",
            LIMITS,
            "note_malformed",
            format!("{text}— {ORIGIN} AAAAAA==\n"),
        ),
        refused("a note of one empty line", NOTE, "checkpoint_malformed", format!("{proof}\n\n{line}\n")),
        refused(
            "size 0 with another root than the empty tree's",
            EMPTY,
            "checkpoint_malformed",
            text.replacen("\n11\n", "\n0\n", 1),
        ),
    ]
}

fn cosigned(by: &[u8]) -> Receipt {
    let good = receipt(5);
    let cosign = |signed: SignedCheckpoint, number: &u8| {
        let signature = signed.note().cosign(&witness(*number), 1_790_000_000).expect("a checkpoint");
        signed.with_signature(signature).expect("room")
    };
    Receipt { checkpoint: by.iter().fold(good.checkpoint.clone(), cosign), ..good }
}

const BOTH: &str = "group both all w71 w72\nquorum both\n";

fn policies() -> Vec<NewCase> {
    let under = |case: NewCase, lines: &str, receipt: &Receipt| {
        put(case.with("policy", policy(lines)), &receipt.to_string())
    };
    let refused = |name: &str, code: &'static str| NewCase::refused(name, POLICY, code);
    let good = cosigned(&[71, 72]);
    let by = good.checkpoint.note().signatures().last().expect("a cosignature");
    let mut raw = by.signature().to_vec();
    raw[40] ^= 1;
    let broken = NoteSignature::new(by.name(), by.key_id(), raw).expect("a name");
    let spoilt = good.checkpoint.clone().with_signature(broken).expect("room");
    let stranger = format!("log {}\nquorum none", note_signer(51).verifier_key());
    vec![
        under(NewCase::accepted("both witnesses that the policy asks for", POLICY), BOTH, &good),
        under(NewCase::accepted("a policy that asks for no witness", POLICY), "quorum none", &receipt(5)),
        under(refused("no witness has signed", "quorum_not_met"), BOTH, &receipt(5)),
        under(refused("one of two witnesses has signed", "quorum_not_met"), BOTH, &cosigned(&[71])),
        under(
            refused("a witness's signature that does not verify", "cosignature_bad"),
            BOTH,
            &Receipt { checkpoint: spoilt, ..good.clone() },
        ),
        put(
            refused("a policy of another log", "policy_other_log").with("policy", stranger),
            &good.to_string(),
        ),
    ]
}

/// Cases with two faults.
fn firsts() -> Vec<NewCase> {
    let text = receipt(5).to_string();
    let hash = text.lines().nth(3).expect("a path");
    let until = &text[..text.find(hash).expect("a path")];
    let case = |name: &str, code: &'static str, receipt: &str| {
        NewCase::refused(name, ORDER, code).with("policy", policy(BOTH)).with("receipt", receipt)
    };
    let of_nothing = Receipt { extra: None, ..receipt(5) }.to_string();
    let unpinned = NewCase::refused("no entry, and another key is pinned", ORDER, "entry_absent")
        .with("receipt", of_nothing.as_str());
    vec![
        put(
            NewCase::refused("a hash cut short and no empty line", LINES, "receipt_path"),
            &format!("{until}{}\n", &hash[4..]),
        ),
        put(
            NewCase::refused("64 hashes and no empty line", LINES, "receipt_path"),
            &format!("{until}{}", format!("{hash}\n").repeat(64)),
        ),
        pinned(
            case("a policy that is not met, and another key is pinned", "quorum_not_met", &text),
            ORIGIN,
            &[51],
            Some(genesis()),
        ),
        pinned(
            case("a policy that is not met, and no entry", "quorum_not_met", &of_nothing),
            ORIGIN,
            &[50],
            None,
        ),
        pinned(
            case("a policy that is not met, and no newline at the end", "note_malformed", text.trim_end()),
            ORIGIN,
            &[50],
            None,
        ),
        pinned(unpinned, ORIGIN, &[51], None),
    ]
}
