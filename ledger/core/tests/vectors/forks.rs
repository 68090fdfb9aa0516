//! Evidence of forks, against what is pinned.

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::fork::{Beginning, ForkEvidence};
use gt_core::json::{Object, Value};
use gt_core::note::NoteSigner;
use gt_core::prove::{self, MemoryTiles};
use gt_core::{Hash, TreeSize};
use serde_json::Value as Json;

use crate::document::{self, NewCase, bytes, integer, object};
use crate::entries::log;
use crate::ledger::{ORIGIN, genesis, note_signer};
use crate::receipts::{pin, pinned, quantum_signer};

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let evidence = match ForkEvidence::parse(&bytes(case, "evidence")) {
        Ok(evidence) => evidence,
        Err(error) => return document::refused(error.code()),
    };
    let head = |checkpoint: &Checkpoint| {
        let root = Value::String(checkpoint.root().to_string());
        object([("size", integer(checkpoint.size().0)), ("root", root)])
    };
    match evidence.verify(&pin(case)) {
        Ok(verdict) => document::accepted([
            ("differ_at", integer(verdict.differ_at.0)),
            ("first", head(&verdict.first)),
            ("second", head(&verdict.second)),
            ("other_root", Value::String(verdict.other_root.to_string())),
        ]),
        Err(fault) => document::refused(fault.code()),
    }
}

/// One of the ledger's histories: the entries of the vectors, of which the other history has another one from `parts` on.
fn history(parts: Option<u64>, size: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    for entry in log(size) {
        let other = parts.is_some_and(|parts| entry.index.0 >= parts);
        let leaf = if other { Hash::of(entry.leaf_hash().as_bytes()) } else { entry.leaf_hash() };
        tiles.push(leaf);
    }
    tiles
}

fn head(origin: &str, tiles: &MemoryTiles, signers: &[&NoteSigner]) -> SignedCheckpoint {
    let root = prove::root(tiles, tiles.size()).expect("in memory");
    SignedCheckpoint::sign(Checkpoint::new(origin, tiles.size(), root).expect("sound"), signers)
        .expect("sound")
}

/// One history at a size and the other, from entry 3 on another one, at a size that is not smaller.
fn evidence(first: u64, second: u64) -> ForkEvidence {
    let (one, other) = (history(None, first), history(Some(3), second));
    let ours = note_signer(50);
    ForkEvidence {
        first: head(ORIGIN, &one, &[&ours]),
        second: head(ORIGIN, &other, &[&ours]),
        beginning: (first < second).then(|| beginning(&other, first)),
    }
}

fn beginning(tiles: &MemoryTiles, from: u64) -> Beginning {
    Beginning {
        root: prove::root(tiles, TreeSize(from)).expect("in memory"),
        proof: prove::consistency(tiles, TreeSize(from), tiles.size()).expect("in memory"),
    }
}

fn put(case: NewCase, evidence: &str) -> NewCase {
    pinned(case.with("evidence", evidence), ORIGIN, &[50], Some(genesis()))
}

const PROVEN: &str = "FORMATS 13: what proves that one ledger signed two histories";
const NOTHING: &str = "FORMATS 13: anything else proves nothing";
const FORM: &str = "FORMATS 13: strict JSON of exactly four members";

pub(crate) fn document() -> Value {
    document::document(
        "Evidence of forks (FORMATS 13): does `evidence` prove that the ledger that is pinned has signed two histories?",
        Vec::new(),
        [proven(), proves_nothing(), not_the_ledgers(), two_algorithms(), members(), texts()].concat(),
        outcome,
    )
}

fn proven() -> Vec<NewCase> {
    let cosigned = {
        let (ours, stranger) = (note_signer(50), note_signer(51));
        let other = history(Some(3), 9);
        ForkEvidence { second: head(ORIGIN, &other, &[&stranger, &ours]), ..evidence(5, 9) }
    };
    let either = ForkEvidence { first: evidence(7, 7).second, second: evidence(7, 7).first, beginning: None };
    let json = evidence(5, 9).to_json();
    let members = Value::parse(json.as_bytes()).expect("strict JSON");
    let reversed: Vec<_> = members.as_object().expect("an object").iter().collect();
    let reversed: Object =
        reversed.into_iter().rev().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let case =
        |name: &str, evidence: &ForkEvidence| put(NewCase::accepted(name, PROVEN), &evidence.to_json());
    vec![
        case("two roots of one size", &evidence(7, 7)),
        case("two roots of one size, the other way round", &either),
        case("two sizes", &evidence(5, 9)),
        case("sizes that are powers of two", &evidence(4, 8)),
        case("the histories part at the first checkpoint's last entry", &evidence(4, 11)),
        case("a second signature, of a key that is not pinned", &cosigned),
        put(NewCase::accepted("members in another order", PROVEN), &Value::Object(reversed).to_text()),
        put(NewCase::accepted("white space around it", PROVEN), &format!("\n {json}\r\n")),
    ]
}

fn proves_nothing() -> Vec<NewCase> {
    let one_history = |first: u64, second: u64| {
        let (small, large) = (history(None, first), history(None, second));
        let ours = note_signer(50);
        ForkEvidence {
            first: head(ORIGIN, &small, &[&ours]),
            second: head(ORIGIN, &large, &[&ours]),
            beginning: (first < second).then(|| beginning(&large, first)),
        }
    };
    let good = evidence(5, 9);
    let with = |beginning: Option<Beginning>| ForkEvidence { beginning, ..good.clone() };
    let began = good.beginning.clone().expect("two sizes");
    let claimed = Beginning { root: Hash::of(b"any root"), ..began.clone() };
    let mut shorter = began.clone();
    shorter.proof.path.pop();
    let mut swapped_hashes = began.clone();
    swapped_hashes.proof.path.swap(0, 1);
    let of_another_size = Beginning { root: began.root, ..beginning(&history(Some(3), 9), 6) };
    let of_the_first = beginning(&history(None, 9), 5);
    let swapped = ForkEvidence { first: good.second.clone(), second: good.first.clone(), ..good.clone() };
    let surplus = ForkEvidence { beginning: good.beginning.clone(), ..evidence(7, 7) };
    let empty = {
        let (none, other) = (history(None, 0), history(Some(3), 9));
        let first = head(ORIGIN, &none, &[&note_signer(50)]);
        let proof = beginning(&other, 0).proof;
        ForkEvidence { first, beginning: Some(Beginning { root: began.root, proof }), ..good.clone() }
    };
    let case = |name: &str, code: &'static str, evidence: &ForkEvidence| {
        put(NewCase::refused(name, NOTHING, code), &evidence.to_json())
    };
    vec![
        case("the same checkpoint twice", "fork_same_history", &one_history(7, 7)),
        case("one history at two sizes", "fork_same_history", &one_history(5, 9)),
        case(
            "the first checkpoint's own root as the other one",
            "fork_same_history",
            &with(Some(of_the_first)),
        ),
        case("any root is claimed for the second history", "fork_not_proven", &with(Some(claimed))),
        case("a hash too few", "fork_not_proven", &with(Some(shorter))),
        case("hashes in another order", "fork_not_proven", &with(Some(swapped_hashes))),
        case("a proof from another size", "fork_not_proven", &with(Some(of_another_size))),
        case("a first checkpoint of the empty tree, with which every tree begins", "fork_not_proven", &empty),
        case("the larger tree comes first", "fork_order", &swapped),
        case("two sizes and no proof", "fork_beginning", &with(None)),
        case("one size and a proof", "fork_beginning", &surplus),
    ]
}

fn not_the_ledgers() -> Vec<NewCase> {
    let good = evidence(5, 9);
    let other = history(Some(3), 9);
    let case = |name: &str, code: &'static str, second: SignedCheckpoint| {
        let evidence = ForkEvidence { second, ..good.clone() };
        put(NewCase::refused(name, NOTHING, code), &evidence.to_json())
    };
    let moved = NoteSigner::new("ledger.example/second", &[50; 32]).expect("a good name");
    let mut forged = good.second.to_string();
    let at = forged.trim_end().len() - 3;
    let letter = if &forged[at..=at] == "A" { "B" } else { "A" };
    forged.replace_range(at..=at, letter);
    let forged = SignedCheckpoint::parse(forged.as_bytes()).expect("well-formed");
    let text = good.to_json();
    let first = NewCase::refused("the first is not signed by a pinned key", NOTHING, "checkpoint_not_signed")
        .with("evidence", text.as_str());
    let stranger = note_signer(52);
    let half = ForkEvidence { first: head(ORIGIN, &history(None, 5), &[&note_signer(51)]), ..good.clone() };
    vec![
        pinned(first, ORIGIN, &[51], Some(genesis())),
        case(
            "the second is not signed by a pinned key",
            "checkpoint_not_signed",
            head(ORIGIN, &other, &[&stranger]),
        ),
        put(
            NewCase::refused("only the second is signed by a pinned key", NOTHING, "checkpoint_not_signed"),
            &half.to_json(),
        ),
        case("a signature that does not hold", "checkpoint_bad_signature", forged),
        case("another ledger's checkpoint", "other_origin", head("ledger.example/second", &other, &[&moved])),
        pinned(
            NewCase::refused("another ledger is pinned", NOTHING, "other_origin").with("evidence", text),
            "ledger.example/second",
            &[50],
            None,
        ),
    ]
}

/// Who pins the keys of both algorithms is content with neither alone.
fn two_algorithms() -> Vec<NewCase> {
    let (classic, quantum) = (note_signer(50), quantum_signer(60));
    let (one, other) = (history(None, 7), history(Some(3), 7));
    let case = |case: NewCase, second: &[&NoteSigner], keys: &[&NoteSigner]| {
        let first = head(ORIGIN, &one, &[&classic, &quantum]);
        let evidence = ForkEvidence { first, second: head(ORIGIN, &other, second), beginning: None };
        let keys = keys.iter().map(|key| Value::String(key.verifier_key().to_string())).collect();
        let pin = [("origin", Value::from(ORIGIN)), ("verifier_keys", Value::Array(keys))];
        case.with("evidence", evidence.to_json()).with("pinned", object(pin))
    };
    let both: &[&NoteSigner] = &[&classic, &quantum];
    let left_out =
        NewCase::refused("the second is not signed with ML-DSA-44", NOTHING, "checkpoint_downgraded");
    vec![
        case(NewCase::accepted("both algorithms, and both are pinned", PROVEN), both, both),
        case(NewCase::accepted("both algorithms, and Ed25519 alone is pinned", PROVEN), both, &[&classic]),
        case(left_out, &[&classic], both),
    ]
}

fn members() -> Vec<NewCase> {
    let members = Value::parse(evidence(5, 9).to_json().as_bytes()).expect("strict JSON");
    let members = members.as_object().expect("an object");
    let changed = |member: &str, value: Option<Value>| {
        let mut changed: Object = members
            .iter()
            .filter(|(name, _)| *name != member)
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        if let Some(value) = value {
            changed.insert(member, value);
        }
        Value::Object(changed).to_text()
    };
    let refused = |name: &str, code: &'static str, text: &str| put(NewCase::refused(name, FORM, code), text);
    let notes = |count: usize| {
        let all = members.get("checkpoints").and_then(Value::as_array).expect("a list");
        Value::Array(all.iter().cycle().take(count).cloned().collect())
    };
    let mut cases = Vec::new();
    for member in ["format", "checkpoints", "other_root", "consistency"] {
        cases.push(refused(&format!("no {member}"), "fork_member", &changed(member, None)));
        let number = changed(member, Some(Value::Integer(1)));
        cases.push(refused(&format!("a number as {member}"), "fork_member", &number));
    }
    let root = members.get("other_root").and_then(Value::as_str).expect("a hash");
    cases.extend([
        refused("a further member", "fork_member", &changed("note", Some(Value::from("a fork")))),
        refused("another format", "fork_format", &changed("format", Some(Value::from("gt/fork/2")))),
        refused("one checkpoint", "fork_member", &changed("checkpoints", Some(notes(1)))),
        refused("three checkpoints", "fork_member", &changed("checkpoints", Some(notes(3)))),
        refused("a proof without a root", "fork_member", &changed("other_root", Some(Value::Null))),
        refused("a root without a proof", "fork_member", &changed("consistency", Some(Value::Null))),
        refused("a root that is cut short", "fork_member", &changed("other_root", Some(root[..42].into()))),
        refused("no object", "fork_member", "[]"),
        refused("a member twice", "json_duplicate_member", r#"{"format":"gt/fork/1","format":"gt/fork/1"}"#),
        refused("no JSON", "json_syntax", "a fork"),
    ]);
    cases
}

fn texts() -> Vec<NewCase> {
    let good = evidence(5, 9).to_json();
    let rule =
        "FORMATS 13 and 12: signed notes, and the text that C2SP tlog-witness puts before a checkpoint";
    let case = |name: &str, code: &'static str, from: &str, to: &str| {
        assert!(good.contains(from), "{name}: {from:?} is not there");
        put(NewCase::refused(name, rule, code), &good.replacen(from, to, 1))
    };
    vec![
        case("a note without a signature's dash", "note_malformed", "— ", "- "),
        case(
            "a size with a leading zero in a checkpoint",
            "checkpoint_malformed",
            "\\u000a5\\u000a",
            "\\u000a05\\u000a",
        ),
        case("a size with a leading zero in the proof", "consistency_malformed", "old 5", "old 05"),
        case("a proof without its first word", "consistency_malformed", "old 5", "5"),
        case("a proof without its empty line", "consistency_malformed", "\\u000a\\u000a\"}", "\\u000a\"}"),
        case(
            "a proof with a second empty line",
            "consistency_malformed",
            "\\u000a\\u000a\"}",
            "\\u000a\\u000a\\u000a\"}",
        ),
        case(
            "a proof with a hash that is cut short",
            "consistency_malformed",
            "=\\u000a\\u000a\"}",
            "\\u000a\\u000a\"}",
        ),
    ]
}
