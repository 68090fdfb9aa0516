use super::*;
use crate::link::LinkKey;
use proptest::prelude::*;

fn any_entry() -> impl Strategy<Value = Entry> {
    (0..=MAX_INDEX, any::<[u8; 32]>(), 0_i64..4_000_000_000_000, 0_u64..1000, 0_usize..65).prop_map(
        |(index, prev, millis, registry, owners)| {
            let mut links: Vec<Link> =
                (0..owners as u64).map(|n| LinkKey::from_bytes(prev).link(n)).collect();
            links.sort_by_key(ToString::to_string);
            Entry {
                index: LeafIndex(index),
                prev: Hash::from_bytes(prev),
                received_at: Timestamp::from_millis(millis).expect("in range"),
                registry,
                links,
                statement: Hash::of(&prev),
            }
        },
    )
}

proptest! {
    #[test]
    fn bytes_round_trip(entry in any_entry()) {
        let bytes = entry.to_bytes();
        prop_assert!(bytes.len() <= MAX_ENTRY_BYTES);
        prop_assert_eq!(Entry::parse(&bytes), Ok(entry));
    }

    #[test]
    fn any_flipped_bit_gives_another_entry_or_none(entry in any_entry(), at: prop::sample::Index, bit in 0..8) {
        let mut bytes = entry.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        if let Ok(other) = Entry::parse(&bytes) {
            prop_assert_ne!(other.leaf_hash(), entry.leaf_hash());
        }
    }

    /// The two readers accept the same, of bytes that are nearly an entry too.
    #[test]
    fn both_readers_agree(
        entry in any_entry(),
        at: prop::sample::Index,
        cut in 0_usize..50,
        put in prop_oneof!["", "[0-9\"]{1,3}", ",", "\\PC{0,5}", "\"[A-Za-z0-9_-]{43}\""],
        swapped in any::<bool>(),
    ) {
        let mut bytes = entry.to_bytes();
        if swapped && entry.links.len() > 1 {
            // Links are 46 bytes each, with their quotes and comma.
            let first = bytes.windows(10).position(|part| part == br#""links":[""#).expect("there") + 9;
            let pair = bytes[first..first + 92].to_vec();
            bytes[first..first + 46].copy_from_slice(&pair[46..]);
        }
        let json = Entry::parse_json(&bytes);
        prop_assert_eq!(json.is_ok(), !(swapped && entry.links.len() > 1));
        prop_assert_eq!(Spelling { rest: &bytes }.entry(), json.ok());
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + cut);
        bytes.splice(at..end, put.bytes());
        prop_assert_eq!(Spelling { rest: &bytes }.entry(), Entry::parse_json(&bytes).ok());
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        let _ = Entry::parse(&bytes);
    }
}

#[test]
fn another_spelling_of_the_same_entry_is_refused() {
    let entry = Entry {
        index: LeafIndex(0),
        prev: Hash::ZERO,
        received_at: Timestamp::parse("2026-03-01T09:00:00Z").expect("a time"),
        registry: 0,
        links: Vec::new(),
        statement: Hash::ZERO,
    };
    let text = String::from_utf8(entry.to_bytes()).expect("UTF-8");
    for other in [
        text.replace(',', ", "),
        text.replace("09:00:00.000Z", "09:00:00Z"),
        text.replace('}', r#","more":1}"#),
        format!("{text}\n"),
    ] {
        assert_eq!(Entry::parse(other.as_bytes()), Err(EntryError::NotCanonical), "{other}");
    }
}

#[test]
fn succession_notices_each_break() {
    let mut first = Predecessor::GENESIS;
    let zero = Entry {
        index: LeafIndex(0),
        prev: Hash::ZERO,
        received_at: Timestamp::from_millis(1000).expect("in range"),
        registry: 0,
        links: Vec::new(),
        statement: Hash::of(b"s"),
    };
    first.follow(&zero, zero.leaf_hash(), true).expect("follows genesis");
    let one = Entry { index: LeafIndex(1), prev: zero.leaf_hash(), registry: 1, ..zero.clone() };
    let broken = |entry: Entry| first.clone().follow(&entry, Hash::ZERO, false);
    assert_eq!(broken(one.clone()), Ok(()));
    assert!(matches!(
        broken(Entry { index: LeafIndex(2), ..one.clone() }),
        Err(SuccessionError::Index { .. })
    ));
    assert!(matches!(broken(Entry { prev: Hash::ZERO, ..one.clone() }), Err(SuccessionError::Prev { .. })));
    assert!(matches!(broken(Entry { registry: 2, ..one.clone() }), Err(SuccessionError::Registry { .. })));
    let early = Timestamp::from_millis(999).expect("in range");
    assert!(matches!(broken(Entry { received_at: early, ..one }), Err(SuccessionError::Time { .. })));
}
