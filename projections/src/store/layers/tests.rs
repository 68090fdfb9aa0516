use super::super::run::{BLOCKS, FIRSTS};
use super::layout::LAYOUT;
use super::*;
use proptest::prelude::*;

const SMALL: Limits = Limits { recent: 600, journalled: 6, merged: 20 };

fn tree() -> Tree {
    let db = sled::Config::new().temporary(true).open().unwrap();
    db.open_tree("rows").unwrap()
}

fn open(tree: &Tree) -> Layers {
    Layers::open(tree.clone(), SMALL).unwrap()
}

/// All rows, read in steps of `most`, from either side.
fn all(layers: &Layers, most: usize, backwards: bool) -> Vec<Row> {
    let (mut from, mut to, mut rows) = (Vec::new(), vec![0xff; 64], Vec::new());
    loop {
        let (found, end) = layers.span(Span { from: &from, to: &to, most, backwards }).unwrap();
        rows.extend(found.into_iter().filter(|row| !rows.contains(row)).collect::<Vec<Row>>());
        match end {
            Some(end) if backwards => to = end,
            Some(end) => from = end,
            None => return rows,
        }
    }
}

/// A key without an id, or with one, that others begin with too, or of a listed row.
fn named(key: u8) -> Key {
    match key % 3 {
        0 => vec![b'k', key / 8, key],
        1 => [b"a", &[key / 8; 16][..], &[key]].concat(),
        _ => vec![b'o', key / 8, key],
    }
}

fn change() -> impl Strategy<Value = Change> {
    (0_u8..60, prop::option::weighted(0.8, prop::collection::vec(any::<u8>(), 0..40)))
        .prop_map(|(key, value)| (named(key), value))
}

type Batch = BTreeMap<Key, Option<Vec<u8>>>;

/// A batch, and whether the rows are closed and opened after it.
fn batches() -> impl Strategy<Value = Vec<(Batch, bool)>> {
    let batch = prop::collection::btree_map(
        change().prop_map(|(key, _)| key),
        change().prop_map(|(_, value)| value),
        1..14,
    );
    prop::collection::vec((batch, prop::bool::weighted(0.1)), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn layers_hold_what_a_map_would(batches in batches()) {
        let tree = tree();
        let (mut layers, mut map) = (open(&tree), BTreeMap::<Key, Vec<u8>>::new());
        for (batch, reopened) in batches {
            for (key, value) in &batch {
                match value {
                    Some(value) => map.insert(key.clone(), value.clone()),
                    None => map.remove(key),
                };
            }
            layers.apply(batch.into_iter().collect()).unwrap();
            if reopened {
                layers.settle().unwrap();
                drop(layers);
                layers = open(&tree);
            }
        }
        let expected: Vec<Row> = map.clone().into_iter().collect();
        for most in [2, 7, usize::MAX] {
            prop_assert_eq!(&all(&layers, most, false), &expected);
            let mut backwards = all(&layers, most, true);
            backwards.reverse();
            prop_assert_eq!(&backwards, &expected);
        }
        for key in 0..60_u8 {
            let key = named(key);
            prop_assert_eq!(layers.get(&key).unwrap(), map.get(&key).cloned());
        }
    }
}

fn batch(names: std::ops::Range<u32>, value: &[u8]) -> Vec<Change> {
    names.map(|name| (name.to_be_bytes().to_vec(), Some(value.to_vec()))).collect()
}

/// sled keeps a prefix of what was written: whatever of a batch is lost, the batch is there as a whole or not at all.
#[test]
fn a_batch_that_did_not_come_to_its_end_is_not_there() {
    let tree = tree();
    let layers = open(&tree);
    layers.apply(batch(0..3, &[1; 60])).unwrap();
    journal(&tree, 1, &batch(0..3, &[2; 3000])).unwrap();
    tree.remove(name(JOURNAL, 1, 0)).unwrap();
    drop(layers);
    let layers = open(&tree);
    assert_eq!(layers.get(&0_u32.to_be_bytes()).unwrap(), Some(vec![1; 60]));
    // What is left of it does not become part of the next one.
    layers.apply(batch(0..1, &[3])).unwrap();
    drop(layers);
    let found = all(&open(&tree), usize::MAX, false);
    assert_eq!(found.iter().map(|(_, value)| value[0]).collect::<Vec<u8>>(), [3, 1, 1]);
}

#[test]
fn what_was_not_journalled_is_lost_as_a_whole_unless_it_was_settled() {
    let tree = tree();
    let layers = open(&tree);
    layers.apply(batch(0..2, b"old")).unwrap();
    layers.apply(batch(0..9, b"new")).unwrap();
    drop(layers);
    let layers = open(&tree);
    assert_eq!(all(&layers, usize::MAX, false).len(), 2);
    layers.apply(batch(0..9, b"new")).unwrap();
    // Journalled, and so everything before it is in a run.
    layers.apply(batch(9..10, b"new")).unwrap();
    drop(layers);
    assert_eq!(all(&open(&tree), usize::MAX, false).len(), 10);
}

#[test]
fn runs_are_merged_and_nothing_of_them_is_left() {
    let tree = tree();
    let layers = open(&tree);
    for number in 0..200 {
        layers.apply(batch(number..number + 12, &[7; 100])).unwrap();
    }
    let sizes: Vec<usize> = layers.state().runs.iter().map(|run| run.blocks()).collect();
    assert!(sizes.iter().any(|size| *size > 4) && sizes.len() < 2 * MERGED, "{sizes:?}");
    let named: Vec<u64> = layers.state().runs.iter().map(|run| run.id).collect();
    let there = |tree: &Tree| -> Vec<u64> {
        let ids = tree.scan_prefix([BLOCKS]).keys();
        let ids = ids.map(|name| u64::from_be_bytes(name.unwrap()[1..9].try_into().unwrap()));
        ids.collect::<std::collections::BTreeSet<u64>>().into_iter().collect()
    };
    assert_eq!(there(&tree).len(), named.len());
    // A run that no layout names, as a crash leaves it.
    let mut run = RunWriter::new(&tree, 10_000);
    run.add(b"key", None).unwrap();
    run.finish().unwrap();
    assert_eq!(there(&tree).len(), named.len() + 1);
    drop(layers);
    let layers = open(&tree);
    assert_eq!(there(&tree).len(), named.len());
    assert_eq!(all(&layers, usize::MAX, false).len(), 211);
}

#[test]
fn of_listed_rows_only_those_that_are_there_are_kept() {
    let tree = tree();
    let mut layers = open(&tree);
    let listed = |number: u8| [b"o".as_slice(), &[number]].concat();
    for number in 1..200 {
        let mut changes = batch(u32::from(number)..u32::from(number) + 3, &[7; 100]);
        changes.extend([(listed(number), Some(vec![number])), (listed(number - 1), None)]);
        layers.apply(changes).unwrap();
        if number % 50 == 0 {
            layers = open(&tree);
        }
        let span = Span { from: b"o", to: &key::after(b"o"), most: usize::MAX, backwards: false };
        assert_eq!(layers.span(span).unwrap().0, [(listed(number), vec![number])]);
    }
    let state = layers.state();
    assert!(state.runs.len() > 2);
    let runs = state.runs.iter().map(|run| RunReader::new(&tree, Arc::clone(run)).unwrap());
    for mut rows in runs {
        while let Some((key, _)) = rows.row() {
            assert!(!key::is_listed(key));
            rows.step().unwrap();
        }
    }
    assert!(layers.writing().listed.as_ref().is_some_and(|run| run.blocks() == 1));
}

#[test]
fn a_damaged_block_or_layout_is_noticed() {
    for tag in [BLOCKS, FIRSTS, LAYOUT[0]] {
        for damage in [&b""[..], b"\x05\x01\x01x", &[0xff; 40]] {
            let tree = tree();
            let layers = open(&tree);
            layers.apply(batch(0..30, &[7; 100])).unwrap();
            layers.settle().unwrap();
            drop(layers);
            for name in tree.scan_prefix([tag]).keys() {
                tree.insert(name.unwrap(), damage).unwrap();
            }
            let read = Layers::open(tree, SMALL).and_then(|layers| {
                layers.span(Span { from: &[], to: &[0xff; 64], most: usize::MAX, backwards: false })
            });
            assert!(matches!(read, Err(StoreError::Damaged { .. })), "{} {damage:?}", tag.escape_ascii());
        }
    }
}
