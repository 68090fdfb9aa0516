//! Trust policies, and checkpoints that do or do not satisfy them.

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::json::Value;
use gt_core::note::{NoteSignature, NoteSigner};
use gt_core::policy::Policy;
use gt_core::{Hash, TreeSize};
use serde_json::Value as Json;

use crate::document::{self, NewCase, bytes};
use crate::ledger::{ORIGIN, note_signer};

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let Ok(policy) = Policy::parse(&bytes(case, "policy")) else {
        return document::refused("policy_malformed");
    };
    let checkpoint = SignedCheckpoint::parse(&bytes(case, "checkpoint")).expect("well-formed");
    match policy.check(&checkpoint) {
        Ok(cosigned) => {
            let names = cosigned.iter().map(|witness| Value::String(witness.name.clone())).collect();
            document::accepted([("cosigned", Value::Array(names))])
        }
        Err(fault) => document::refused(fault.code()),
    }
}

/// Witnesses with odd numbers sign by Ed25519, those with even numbers by ML-DSA-44.
pub(crate) fn witness(number: u8) -> NoteSigner {
    let name = format!("witness.example/w{number}");
    let make = if number.is_multiple_of(2) { NoteSigner::ml_dsa } else { NoteSigner::cosigner };
    make(&name, &[number; 32]).expect("a good name")
}

fn cosigned(by: &[u8]) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(ORIGIN, TreeSize(3), Hash::of(b"a root")).expect("sound");
    let signed = SignedCheckpoint::sign(checkpoint, &[&note_signer(50)]).expect("sound");
    by.iter().fold(signed, |signed, number| {
        let signature = signed.note().cosign(&witness(*number), 1_790_000_000).expect("a checkpoint");
        signed.with_signature(signature).expect("room")
    })
}

pub(crate) fn policy(lines: &str) -> String {
    let mut text = format!("# Fictional witnesses.\nlog {}\n\n", note_signer(50).verifier_key());
    for number in 71..=74 {
        let line =
            format!("witness w{number} {} https://w{number}.example\n", witness(number).verifier_key());
        text.push_str(&line);
    }
    text + lines
}

const QUORUM: &str = "FORMATS 11, C2SP tlog-policy: signed by a listed log and cosigned as the quorum says";
const FORM: &str = "FORMATS 11, C2SP tlog-policy: the lines of a policy";

pub(crate) fn document() -> Value {
    document::document(
        "Trust policies (C2SP tlog-policy, FORMATS 11): does `checkpoint` satisfy `policy`? `cosigned` are the policy's names of the \
         witnesses that signed.",
        Vec::new(),
        [judged(), malformed()].concat(),
        outcome,
    )
}

fn judged() -> Vec<NewCase> {
    let two = "group all-four 2 w71 w72 w73 w74\nquorum all-four\n";
    let nested = "group a any w71 w72\ngroup b all w73 w74\n group\tboth all a b \nquorum both";
    let with = |case: NewCase, lines: &str, checkpoint: &SignedCheckpoint| {
        case.with("policy", policy(lines)).with("checkpoint", checkpoint.to_string())
    };
    let accepted = |name: &str| NewCase::accepted(name, QUORUM);
    let refused = |name: &str, code: &'static str| NewCase::refused(name, QUORUM, code);
    let good = cosigned(&[71]);
    let by = good.note().signatures().last().expect("a cosignature");
    let mut raw = by.signature().to_vec();
    raw[40] ^= 1;
    let broken = NoteSignature::new(by.name(), by.key_id(), raw).expect("a name");
    let stranger = format!("log {}\nquorum none", note_signer(51).verifier_key());
    vec![
        with(accepted("two of four, one of each algorithm"), two, &cosigned(&[72, 73])),
        with(accepted("more than asked for"), two, &cosigned(&[74, 71, 73])),
        with(accepted("groups of groups"), nested, &cosigned(&[72, 73, 74])),
        with(accepted("a quorum of one witness"), "quorum w74", &cosigned(&[74])),
        with(accepted("no quorum asked for"), "quorum none", &cosigned(&[])),
        with(accepted("a witness that the policy does not know"), "quorum w71", &cosigned(&[99, 71])),
        with(refused("one of two", "quorum_not_met"), two, &cosigned(&[71])),
        with(refused("the same witness twice", "quorum_not_met"), two, &cosigned(&[71, 71])),
        with(refused("one group of two", "quorum_not_met"), nested, &cosigned(&[71, 72, 73])),
        with(refused("nobody", "quorum_not_met"), "quorum w71", &cosigned(&[])),
        with(
            refused("a cosignature that does not verify", "cosignature_bad"),
            "quorum w72",
            &cosigned(&[72]).with_signature(broken).expect("room"),
        ),
        refused("the checkpoint of another log", "policy_other_log")
            .with("policy", stranger)
            .with("checkpoint", cosigned(&[]).to_string()),
    ]
}

fn malformed() -> Vec<NewCase> {
    let duplicate = format!("witness again {}\nquorum none", witness(71).verifier_key());
    let changes = [
        ("no quorum", ""),
        ("two quorums", "quorum none\nquorum none"),
        ("a quorum that is not defined", "quorum w75"),
        ("a quorum that is defined below", "quorum g\ngroup g any w71"),
        ("a group of a name that is defined below", "group a any b\ngroup b any w71\nquorum a"),
        ("a threshold of 0", "group g 0 w71\nquorum g"),
        ("a threshold above the members", "group g 3 w71 w72\nquorum g"),
        ("a group without members", "group g all\nquorum none"),
        ("a member of two groups", "group a any w71\ngroup b any w71 w72\nquorum b"),
        ("a member twice in a group", "group a 2 w71 w71\nquorum a"),
        ("a name that is taken", "group w71 any w72\nquorum w72"),
        ("a group that is called none", "group none any w72\nquorum none"),
        ("another word", "quorums none"),
        ("a carriage return", "quorum none\r\n"),
        ("the same key under another name", duplicate.as_str()),
    ];
    changes
        .iter()
        .map(|(name, lines)| {
            NewCase::refused(name, FORM, "policy_malformed")
                .with("policy", policy(lines))
                .with("checkpoint", cosigned(&[71, 72, 73, 74]).to_string())
        })
        .collect()
}
