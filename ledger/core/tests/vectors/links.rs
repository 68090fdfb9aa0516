//! Links, and what makes a record complete.

use gt_core::LeafIndex;
use gt_core::base64url;
use gt_core::json::Value;
use gt_core::link::{Link, LinkKey, LinkOpening, check_complete};
use serde_json::Value as Json;

use crate::document::{self, NewCase, integer, list, number, object, text};

fn array<const N: usize>(case: &Json, name: &str) -> [u8; N] {
    base64url::decode_array(text(case, name)).expect("base64url of the right length")
}

pub(crate) fn outcome(_: &Json, case: &Json) -> Value {
    let key = LinkKey::from_bytes(array(case, "key"));
    let n = number(case, "n");
    let link = key.link(n);
    let text = |bytes: &[u8]| Value::String(base64url::encode(bytes));
    document::accepted([
        ("l", text(&key.name(n))),
        ("l_next", text(&key.name(n + 1))),
        ("r", text(&key.blinding(n))),
        ("c", text(&link.commitment)),
        ("link", Value::String(link.to_string())),
    ])
}

pub(crate) fn document() -> Value {
    let rule = "DESIGN 3: l(n), r(n), c(n), and the link of them";
    let mut cases = Vec::new();
    for (seed, n) in
        [(1_u8, 0_u64), (1, 1), (1, 2), (1, 255), (1, 256), (1, 4_294_967_296), (2, 0), (0, 0), (255, 65_535)]
    {
        let name = format!("key of bytes {seed}, entry number {n}");
        let key = base64url::encode(&[seed; 32]);
        cases.push(NewCase::accepted(&name, rule).with("key", key).with("n", integer(n)));
    }
    document::document(
        "Links (DESIGN 3, FORMATS 4): what an owner's key makes of the count n.",
        Vec::new(),
        cases,
        outcome,
    )
}

pub(crate) fn completeness_outcome(_: &Json, case: &Json) -> Value {
    let opening = |item: &Json| LinkOpening {
        n: number(item, "n"),
        name: array(item, "l"),
        blinding: array(item, "r"),
        index: LeafIndex(number(item, "index")),
    };
    let openings: Vec<LinkOpening> = list(case, "openings").iter().map(opening).collect();
    let link = |item: &Json| {
        let link = Link::parse(text(item, "link")).expect("a link");
        (LeafIndex(number(item, "index")), link)
    };
    let links: Vec<(LeafIndex, Link)> = list(case, "links").iter().map(link).collect();
    match check_complete(&openings, &array(case, "l_next"), links.iter().map(|(index, link)| (*index, link)))
    {
        Ok(()) => document::accepted([("entries", integer(openings.len() as u64))]),
        Err(error) => document::refused(error.code()),
    }
}

/// A record as a bundle shows it, and the links of the log.
#[derive(Clone)]
struct Record {
    openings: Vec<LinkOpening>,
    next: [u8; 16],
    links: Vec<(u64, Link)>,
}

const INDEXES: [u64; 3] = [3, 8, 21];

impl Record {
    /// Three entries of one owner among those of another.
    fn usual() -> Self {
        let (key, other) = (LinkKey::from_bytes([1; 32]), LinkKey::from_bytes([2; 32]));
        let opening = |(n, index)| LinkOpening {
            n,
            name: key.name(n),
            blinding: key.blinding(n),
            index: LeafIndex(index),
        };
        let openings = (0..).zip(INDEXES).map(opening).collect();
        let own = (0..).zip(INDEXES).map(|(n, index)| (index, key.link(n)));
        let others = (0..).zip([2, 8, 30]).map(|(n, index)| (index, other.link(n)));
        let mut links: Vec<(u64, Link)> = own.chain(others).collect();
        links.sort_by_key(|(index, link)| (*index, link.to_string()));
        Self { openings, next: key.name(3), links }
    }

    fn changed(change: impl FnOnce(&mut Self)) -> Self {
        let mut record = Self::usual();
        change(&mut record);
        record
    }

    fn put(&self, case: NewCase) -> NewCase {
        let text = |bytes: &[u8]| Value::String(base64url::encode(bytes));
        let opening = |o: &LinkOpening| {
            let (index, n) = (integer(o.index.0), integer(o.n));
            object([("n", n), ("index", index), ("l", text(&o.name)), ("r", text(&o.blinding))])
        };
        let link = |(index, link): &(u64, Link)| {
            object([("index", integer(*index)), ("link", Value::String(link.to_string()))])
        };
        case.with("openings", Value::Array(self.openings.iter().map(opening).collect()))
            .with("l_next", text(&self.next))
            .with("links", Value::Array(self.links.iter().map(link).collect()))
    }
}

const COUNT: &str = "DESIGN 3: a record is complete only if n = 0…k";
const OPENS: &str = "DESIGN 3: every c opens";
const ONCE: &str = "DESIGN 3: each l stands in exactly one entry";
const ORDER: &str = "DESIGN 3: indexes rise";
const END: &str = "DESIGN 3: l(k+1) stands in no entry up to the checkpoint";

pub(crate) fn completeness_document() -> Value {
    let key = LinkKey::from_bytes([1; 32]);
    let refused = |name: &str, rule: &str, code: &'static str, change: &dyn Fn(&mut Record)| {
        Record::changed(change).put(NewCase::refused(name, rule, code))
    };
    let empty = |record: &mut Record| {
        record.openings.clear();
        record.next = LinkKey::from_bytes([3; 32]).name(0);
    };
    let shortened = |record: &mut Record| record.next = record.openings.pop().expect("three").name;
    let renumbered = |record: &mut Record| {
        record.openings.remove(1);
        record.openings[1].n = 1;
    };
    let cases = vec![
        Record::usual().put(NewCase::accepted("three entries", COUNT)),
        Record::changed(empty).put(NewCase::accepted("an owner without entries", END)),
        refused("the last entry is left out", END, "record_goes_on", &shortened),
        refused("all entries are left out", END, "record_goes_on", &|r| {
            r.next = r.openings[0].name;
            r.openings.clear();
        }),
        refused("an entry in the middle is left out", COUNT, "record_count", &|r| {
            r.openings.retain(|opening| opening.n != 1);
        }),
        refused("the first entry is left out", COUNT, "record_count", &|r| {
            r.openings.retain(|opening| opening.n != 0);
        }),
        refused("an entry is shown twice", COUNT, "record_count", &|r| r.openings.insert(1, r.openings[0])),
        refused("an entry is left out and the rest renumbered", OPENS, "link_not_opened", &renumbered),
        refused("another r", OPENS, "link_not_opened", &|r| r.openings[1].blinding[0] ^= 1),
        refused("another l(k+1)", OPENS, "link_not_opened", &|r| r.next[15] ^= 1),
        refused("another l", OPENS, "link_not_opened", &|r| r.openings[2].name[0] ^= 1),
        refused("an entry that is not in the log", ONCE, "link_not_opened", &|r| {
            r.links.retain(|(index, _)| *index != 21);
        }),
        refused("the link stands in another entry", ONCE, "link_repeated", &|r| {
            r.openings[1].index = LeafIndex(9);
        }),
        refused("a link stands in a second entry", ONCE, "link_repeated", &|r| {
            r.links.push((30, key.link(1)));
        }),
        refused("an entry stands before the one that precedes it", ORDER, "record_order", &|r| {
            r.openings[2].index = LeafIndex(5);
        }),
    ];
    document::document(
        "Completeness of a record (DESIGN 3). `links` are all links of the log up to the checkpoint, with their entries' \
         indexes; `openings` and `l_next` are what a bundle shows.",
        Vec::new(),
        cases,
        completeness_outcome,
    )
}
