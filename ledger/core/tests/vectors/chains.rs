//! Where a publisher's statement belongs in its chain.

use gt_core::chain::{Chain, Place};
use gt_core::json::Value;
use gt_core::{Hash, LeafIndex};
use serde_json::Value as Json;

use crate::document::{self, NewCase, integer, list, number, object, text};
use crate::ledger::genesis;

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let hash = |value: &Json, name: &str| Hash::parse(text(value, name)).expect("a hash");
    let mut chain = Chain::new(hash(case, "first_prev"));
    let sealed = list(case, "sealed");
    for item in sealed {
        chain.push(LeafIndex(number(item, "index")), hash(item, "statement"));
    }
    let next = &case["next"];
    let place = |place: &str, index: u64| {
        document::accepted([("place", Value::from(place)), ("index", integer(index))])
    };
    match chain.place(number(next, "seq"), &hash(next, "prev")) {
        Place::Next => document::accepted([("place", Value::from("next"))]),
        Place::TakenEarlier => unreachable!("everything of this chain is in memory"),
        Place::Gap => document::refused("chain_gap"),
        Place::OtherPredecessor => document::refused("chain_prev"),
        Place::Taken(index) => {
            let taken = sealed.iter().find(|item| number(item, "index") == index.0).expect("sealed there");
            if hash(taken, "statement") == hash(next, "statement") {
                place("duplicate", index.0)
            } else {
                document::refused("chain_fork")
            }
        }
    }
}

const PREV: &str =
    "DESIGN 2: prev is the hash of this publisher's statement before; for seq 0, the genesis leaf hash";
const AGAIN: &str = "DESIGN 2: the same publisher, seq and hash answers with the entry it already has";
const FORK: &str = "DESIGN 2: the same seq with another hash is a fork";
const GAP: &str = "DESIGN 2: a gap is refused, with the head that the ledger has";
const ZERO: &str = "FORMATS 6: ledger.created is the registrar's seq 0, with prev of 32 zero bytes";

pub(crate) fn document() -> Value {
    let cases = [places(), forks_and_gaps(), other_predecessors()].concat();
    document::document(
        "Publishers' chains (DESIGN 2). `sealed` are the publisher's statements so far, from seq 0; `next` has arrived, with \
         a valid signature.",
        Vec::new(),
        cases,
        outcome,
    )
}

fn statement(n: u8) -> Hash {
    Hash::of(&[n])
}

fn other() -> Hash {
    Hash::of(b"another statement")
}

fn next(seq: u64, prev: Hash, hash: Hash) -> Value {
    let text = |hash: Hash| Value::String(hash.to_string());
    object([("seq", integer(seq)), ("prev", text(prev)), ("statement", text(hash))])
}

/// A chain of so many statements that begins with `first`, and what has arrived.
fn put(case: NewCase, first: Hash, count: u8, next: Value) -> NewCase {
    let item = |n: u8| {
        let statement = Value::String(statement(n).to_string());
        object([("index", integer(u64::from(n) * 4 + 3)), ("statement", statement)])
    };
    let sealed = Value::Array((0..count).map(item).collect());
    case.with("first_prev", first.to_string()).with("sealed", sealed).with("next", next)
}

fn places() -> Vec<NewCase> {
    let first = genesis();
    let accepted = NewCase::accepted;
    vec![
        put(accepted("the first statement", PREV), first, 0, next(0, first, statement(0))),
        put(accepted("the fourth statement", PREV), first, 3, next(3, statement(2), statement(3))),
        put(accepted("the registrar's first", ZERO), Hash::ZERO, 0, next(0, Hash::ZERO, statement(0))),
        put(accepted("the last one again", AGAIN), first, 3, next(2, statement(1), statement(2))),
        put(accepted("the first one again, however late", AGAIN), first, 3, next(0, first, statement(0))),
    ]
}

fn forks_and_gaps() -> Vec<NewCase> {
    let first = genesis();
    let fork = |name: &str, next: Value| put(NewCase::refused(name, FORK, "chain_fork"), first, 3, next);
    let gap = |name: &str, count: u8, next: Value| {
        put(NewCase::refused(name, GAP, "chain_gap"), first, count, next)
    };
    vec![
        fork("another statement in the last one's place", next(2, statement(1), other())),
        fork("another statement in the first one's place", next(0, first, other())),
        fork("a fork with another prev too", next(1, other(), other())),
        gap("one is missing", 3, next(4, statement(3), statement(4))),
        gap("the first is missing", 0, next(1, statement(0), statement(1))),
        gap("the largest number", 3, next((1 << 53) - 1, statement(2), other())),
    ]
}

fn other_predecessors() -> Vec<NewCase> {
    let refused = |name: &str, count: u8, next: Value| {
        put(NewCase::refused(name, PREV, "chain_prev"), genesis(), count, next)
    };
    vec![
        refused("the next number after another statement", 3, next(3, other(), statement(3))),
        refused("the first statement to another ledger", 0, next(0, other(), statement(0))),
        refused("zeros for an agency's first prev", 0, next(0, Hash::ZERO, statement(0))),
    ]
}
