//! Entries, and slices of the log.

use gt_core::entry::{Entry, MAX_ENTRY_BYTES, Predecessor};
use gt_core::json::Value;
use gt_core::link::LinkKey;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};
use serde_json::Value as Json;

use crate::document::{self, NewCase, bytes, integer, list, object, text};
use crate::ledger::{SIGNED_AT, entry_zero};

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let entry = match Entry::parse(&bytes(case, "entry")) {
        Ok(entry) => entry,
        Err(error) => return document::refused(error.code()),
    };
    document::accepted([
        ("index", integer(entry.index.0)),
        ("prev", Value::String(entry.prev.to_string())),
        ("received_at_milliseconds", Value::Integer(entry.received_at.as_millis())),
        ("registry", integer(entry.registry)),
        ("links", Value::Array(entry.links.iter().map(|link| Value::String(link.to_string())).collect())),
        ("statement", Value::String(entry.statement.to_string())),
        ("leaf_hash", Value::String(entry.leaf_hash().to_string())),
    ])
}

/// Entry 0 and the entries of `count - 1` others' statements after it.
pub(crate) fn log(count: u64) -> Vec<Entry> {
    let mut entries = vec![entry_zero()];
    for index in 1..count {
        let before = &entries[entries.len() - 1];
        let mut links: Vec<_> =
            (1..3).map(|owner| LinkKey::from_bytes([owner; 32]).link(index - 1)).collect();
        links.sort_by_key(ToString::to_string);
        entries.push(Entry {
            index: LeafIndex(index),
            prev: before.leaf_hash(),
            received_at: at(i64::try_from(index).expect("small") * 1500),
            registry: 1,
            links,
            statement: Hash::of(format!("statement {index}").as_bytes()),
        });
    }
    entries
}

/// So many milliseconds after entry 0.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(SIGNED_AT * 1000 + 250 + millis).expect("in range")
}

pub(crate) fn utf8(entry: &Entry) -> String {
    String::from_utf8(entry.to_bytes()).expect("an entry is ASCII")
}

const EXACT: &str = "DESIGN 3: an entry re-serialises to its own bytes: members in order, no white space";
const MEMBER: &str = "DESIGN 3: the members of an entry";
const LINKS: &str =
    "FORMATS 4: links have 43 characters, are sorted bytewise by their texts, and do not repeat";
const STRICT: &str = "FORMATS 1: strict JSON";

pub(crate) fn document() -> Value {
    let entry = &log(3)[2];
    let sound = utf8(entry);
    let mut most = entry.clone();
    most.links = (0..64).map(|n| LinkKey::from_bytes([9; 32]).link(n)).collect();
    most.links.sort_by_key(ToString::to_string);
    let mut cases = vec![
        NewCase::accepted("entry 0", MEMBER).with("entry", utf8(&entry_zero())),
        NewCase::accepted("an entry with two links", MEMBER).with("entry", sound.as_str()),
        NewCase::accepted("an entry with 64 links", LINKS).with("entry", utf8(&most)),
    ];
    cases.extend(changed(entry));
    let long = format!("{sound}{}", " ".repeat(MAX_ENTRY_BYTES + 1 - sound.len()));
    let rule = "FORMATS 4: entry bytes; 64 links and the fixed members stay below 4,096 bytes";
    cases.push(NewCase::refused("4,097 bytes", rule, "entry_too_long").with("entry", long));
    document::document(
        "Entries (DESIGN 3, FORMATS 4): the bytes of `entry` are a leaf's data.",
        Vec::new(),
        cases,
        outcome,
    )
}

/// The entry's text, each time with one thing replaced.
fn changed(entry: &Entry) -> Vec<NewCase> {
    let sound = utf8(entry);
    let second = entry.links[1].to_string();
    let (first, prev) = (entry.links[0].to_string(), entry.prev.to_string());
    let spare = crate::keys::spare_bits(&prev);
    let changes: [(&str, &str, &'static str, &str, String); 20] = [
        ("a space after a comma", EXACT, "entry_not_canonical", ",\"prev\"", ", \"prev\"".into()),
        ("a newline at the end", EXACT, "entry_not_canonical", "\"}", "\"}\n".into()),
        (
            "members in another order",
            EXACT,
            "entry_not_canonical",
            r#"{"index":2,"#,
            r#"{"registry":1,"index":2,"#.into(),
        ),
        ("an unknown member", EXACT, "entry_not_canonical", "\"}", "\",\"more\":1}".into()),
        ("an escape", EXACT, "entry_not_canonical", "\"index\"", r#""\u0069ndex""#.into()),
        ("no decimals", EXACT, "entry_not_canonical", ".250Z", "Z".into()),
        ("two decimals", EXACT, "entry_not_canonical", ".250Z", ".25Z".into()),
        ("links in another order", LINKS, "entry_not_canonical", &first, second.clone()),
        ("a link twice", LINKS, "entry_member", &second, first.clone()),
        ("a link of 31 bytes", LINKS, "entry_member", &second, second[..42].into()),
        ("a link of 33 bytes", LINKS, "entry_member", &second, format!("{second}A")),
        ("a link that is no text", LINKS, "entry_member", &format!("\"{second}\""), "7".into()),
        ("no links member", MEMBER, "entry_member", "\"links\"", "\"link\"".into()),
        ("a negative index", MEMBER, "entry_member", "\"index\":2", "\"index\":-2".into()),
        ("an index that is text", MEMBER, "entry_member", "\"index\":2", "\"index\":\"2\"".into()),
        ("prev with spare bits", MEMBER, "entry_member", &prev, spare),
        ("a time that does not exist", MEMBER, "entry_member", "2026-03-02T", "2026-02-30T".into()),
        (
            "a member twice",
            STRICT,
            "json_duplicate_member",
            "{\"index\":2,",
            "{\"index\":2,\"index\":2,".into(),
        ),
        ("an index that is a whole fraction", STRICT, "json_number", "\"index\":2", "\"index\":2.0".into()),
        ("cut short", STRICT, "json_syntax", "\"}", String::new()),
    ];
    let apply = |(name, rule, code, from, to): (&str, &str, &'static str, &str, String)| {
        assert!(sound.contains(from), "{from}");
        let mut text = sound.replacen(from, &to, 1);
        if name == "links in another order" {
            // The first of the two has become the second; the second becomes the first.
            let at = text.rfind(&second).expect("stands there");
            text.replace_range(at..at + second.len(), &first);
        }
        if name == "members in another order" {
            let at = text.rfind(r#","registry":1"#).expect("stands there");
            text.replace_range(at..at + r#","registry":1"#.len(), "");
        }
        NewCase::refused(name, rule, code).with("entry", text)
    };
    changes.into_iter().map(apply).collect()
}

pub(crate) fn succession_outcome(_: &Json, case: &Json) -> Value {
    let mut predecessor = Predecessor::GENESIS;
    for item in list(case, "entries") {
        let entry = Entry::parse(text(item, "entry").as_bytes()).expect("sound in itself");
        let of_registrar = item["of_registrar"].as_bool().expect("a boolean");
        if let Err(error) = predecessor.follow(&entry, entry.leaf_hash(), of_registrar) {
            return document::refused(error.code());
        }
    }
    document::accepted([
        ("size", integer(predecessor.next_index.0)),
        ("last_leaf_hash", Value::String(predecessor.leaf_hash.to_string())),
        ("registry", integer(predecessor.registry)),
    ])
}

const CHAIN: &str = "DESIGN 3: prev is the leaf hash of the entry before; zeros before entry 0";
const ORDER: &str = "DESIGN 3: an entry's index is its leaf's";
const TIME: &str = "DESIGN 3: received_at never decreases";
const REGISTRY: &str = "DESIGN 3: registry is the number of registrar statements at lower indexes";

pub(crate) fn succession_document() -> Value {
    let sound = log(4);
    let changed = |change: fn(&mut Vec<Entry>)| {
        let mut entries = sound.clone();
        change(&mut entries);
        slice(&entries, &[0])
    };
    let refused = |name: &str, rule: &str, code: &'static str, change: fn(&mut Vec<Entry>)| {
        NewCase::refused(name, rule, code).with("entries", changed(change))
    };
    let cases = vec![
        NewCase::accepted("four entries", CHAIN).with("entries", slice(&sound, &[0])),
        NewCase::accepted("no entry", CHAIN).with("entries", slice(&[], &[])),
        NewCase::accepted("two at the same millisecond", TIME)
            .with("entries", changed(|log| log[3].received_at = log[2].received_at)),
        refused("an entry is left out", ORDER, "entry_index", |log| drop(log.remove(2))),
        refused("the first entry is left out", ORDER, "entry_index", |log| drop(log.remove(0))),
        refused("an entry comes twice", ORDER, "entry_index", |log| log.insert(2, log[1].clone())),
        refused("an entry was exchanged", CHAIN, "entry_prev", |log| log[1].statement = Hash::of(b"another")),
        refused("entry 0 has a predecessor", CHAIN, "entry_prev", |log| {
            log[0].prev = Hash::of(b"something before");
        }),
        refused("the clock went back", TIME, "entry_time", |log| log[3].received_at = at(2999)),
        refused("a registrar's statement is counted that is not there", REGISTRY, "entry_registry", |log| {
            log[3].registry = 2;
        }),
        refused("entry 0 counts itself", REGISTRY, "entry_registry", |log| log[0].registry = 1),
        NewCase::refused("a registrar's statement is not counted", REGISTRY, "entry_registry")
            .with("entries", slice(&sound, &[0, 2])),
    ];
    document::document(
        "The log as a plain hash chain (DESIGN 3). `entries` begins with entry 0; `of_registrar` says whose statement it seals.",
        Vec::new(),
        cases,
        succession_outcome,
    )
}

fn slice(entries: &[Entry], of_registrar: &[usize]) -> Value {
    let items = entries.iter().enumerate().map(|(position, entry)| {
        let is = Value::Bool(of_registrar.contains(&position));
        object([("of_registrar", is), ("entry", Value::String(utf8(entry)))])
    });
    Value::Array(items.collect())
}
