use std::fmt::Write as _;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::note::{NoteSignature, NoteSigner};
use crate::position::TreeSize;
use proptest::prelude::*;

const ORIGIN: &str = "log.example/thread";

fn log() -> NoteSigner {
    NoteSigner::new(ORIGIN, &[1; 32]).expect("a good name")
}

fn witness(number: u8) -> NoteSigner {
    let name = format!("witness.example/w{number}");
    let make = if number.is_multiple_of(2) { NoteSigner::ml_dsa } else { NoteSigner::cosigner };
    make(&name, &[number; 32]).expect("a good name")
}

/// A policy of the log and witnesses 11 to 16, with these lines below.
fn policy(lines: &str) -> Result<Policy, PolicyError> {
    let mut text = format!("# fictional\nlog {}\n", log().verifier_key());
    for number in 11..=16 {
        let key = witness(number).verifier_key().to_string();
        writeln!(text, " \twitness  w{number}\t{key} https://w{number}.example/ ").expect("to memory");
    }
    Policy::parse(format!("{text}\n{lines}").as_bytes())
}

fn fault(lines: &str) -> LineFault {
    match policy(lines).expect_err("refused") {
        PolicyError::Line { line: 10.., fault } => fault,
        other => panic!("{other}"),
    }
}

fn cosigned(by: &[u8]) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(ORIGIN, TreeSize(3), Hash::ZERO).expect("sound");
    let signed = SignedCheckpoint::sign(checkpoint, &[&log()]).expect("sound");
    by.iter().fold(signed, |signed, number| {
        let signature = signed.note().cosign(&witness(*number), 1_790_000_000).expect("a checkpoint");
        signed.with_signature(signature).expect("room")
    })
}

fn names(of: Result<Vec<&Witness>, PolicyFault>) -> Vec<String> {
    of.expect("met").into_iter().map(|witness| witness.name.clone()).collect()
}

/// C2SP's own example: two of three of one organisation, and any of another's.
const TWO_LEVELS: &str = "group X 2 w11 w12 w13\ngroup Y any w14 w15 w16\ngroup both all X Y\nquorum both\n";

#[test]
fn groups_within_groups_are_counted() {
    let policy = policy(TWO_LEVELS).expect("sound");
    assert_eq!(names(policy.check(&cosigned(&[11, 13, 16]))), ["w11", "w13", "w16"]);
    assert_eq!(policy.check(&cosigned(&[11, 12, 13])).expect_err("no Y").code(), "quorum_not_met");
    assert_eq!(policy.check(&cosigned(&[11, 14, 15, 16])).expect_err("one X").code(), "quorum_not_met");
    // The same witness twice is one witness.
    assert_eq!(policy.check(&cosigned(&[11, 11, 14])).expect_err("one X").code(), "quorum_not_met");
}

#[test]
fn a_quorum_may_be_one_witness_or_none() {
    assert_eq!(names(policy("quorum w12").expect("sound").check(&cosigned(&[12]))), ["w12"]);
    assert!(policy("quorum w12").expect("sound").check(&cosigned(&[13])).is_err());
    assert_eq!(names(policy("quorum none").expect("sound").check(&cosigned(&[]))), [""; 0]);
    let no_logs = Policy::parse(b"quorum none").expect("sound");
    assert!(no_logs.logs().is_empty() && no_logs.check(&cosigned(&[])).is_ok());
}

#[test]
fn another_log_and_a_broken_cosignature_are_found() {
    let stranger = NoteSigner::new("other.example", &[9; 32]).expect("a good name");
    let other = Policy::parse(format!("log {}\nquorum none", stranger.verifier_key()).as_bytes());
    assert_eq!(other.expect("sound").check(&cosigned(&[])), Err(PolicyFault::OtherLog));
    let good = cosigned(&[11]);
    let by = good.note().signatures().last().expect("two").clone();
    let mut bytes = by.signature().to_vec();
    bytes[30] ^= 1;
    let broken = NoteSignature::new(by.name(), by.key_id(), bytes).expect("a name");
    let checkpoint = cosigned(&[12]).with_signature(broken).expect("room");
    let refused = policy("quorum w12").expect("sound").check(&checkpoint).expect_err("broken").code();
    assert_eq!(refused, "cosignature_bad");
}

#[test]
fn malformed_policies_are_refused_for_their_reason() {
    let key = witness(21).verifier_key().to_string();
    let cases = [
        ("log", LineFault::Items),
        ("witness w1", LineFault::Items),
        ("group g all", LineFault::Items),
        ("quorum", LineFault::Items),
        ("quorum w11 w12", LineFault::Items),
        ("Quorum w11", LineFault::UnknownWord),
        ("quorum w99", LineFault::UnknownName),
        ("group g all w99", LineFault::UnknownName),
        ("group g all g", LineFault::UnknownName),
        ("group g 0 w11", LineFault::Threshold),
        ("group g 2 w11", LineFault::Threshold),
        ("group g +1 w11", LineFault::Threshold),
        ("group g most w11", LineFault::Threshold),
        ("group g any w11 w11", LineFault::MemberRepeated),
        ("group g any w11\ngroup h any w11", LineFault::MemberRepeated),
        ("group w11 any w12", LineFault::NameTaken),
        ("group none any w12", LineFault::NameTaken),
        ("quorum none\nquorum none", LineFault::QuorumRepeated),
        ("quorum\u{b}none", LineFault::ControlCharacter),
        ("quorum none\r", LineFault::ControlCharacter),
        (&format!("log {key}"), LineFault::KeyType),
        (&format!("witness w99 {}", log().verifier_key()), LineFault::KeyType),
        (&format!("witness w99 {}", witness(11).verifier_key()), LineFault::KeyRepeated),
    ];
    for (lines, expected) in cases {
        assert_eq!(fault(lines), expected, "{lines:?}");
    }
    assert!(matches!(fault("witness w99 w99"), LineFault::Key(VerifierKeyError::Form)));
    assert_eq!(policy(""), Err(PolicyError::NoQuorum));
    assert_eq!(Policy::parse(&[0xFF]), Err(PolicyError::NotUtf8));
    assert_eq!(Policy::parse(&vec![b'#'; 65_537]), Err(PolicyError::TooLong { len: 65_537 }));
}

#[test]
fn too_many_of_a_kind_are_refused() {
    let groups: String =
        (0..65).map(|n| format!("group g{n} any w11\n").replace("w11", &member(n))).collect();
    assert_eq!(fault(&groups), LineFault::TooMany);
}

fn member(n: usize) -> String {
    if n == 0 { "w11".into() } else { format!("g{}", n - 1) }
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(lines in "(log|witness|group|quorum|none|w11|w12|all|any|2| |\t|\n|#|é){0,40}", wild: Vec<u8>) {
        let _ = policy(&lines);
        let _ = Policy::parse(&wild);
    }
}
