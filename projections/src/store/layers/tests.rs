mod damage;

use super::super::run::RunWriter;
use super::layout::LAYOUT;
use super::merging::MERGED;
use super::*;
use proptest::prelude::*;

/// Runs of more than eight blocks together are merged beside the writer.
const SMALL: Limits = Limits { recent: 600, journalled: 6, merged_at_once: 8 };

/// Where layers are kept.
struct Place {
    tree: Tree,
    folder: tempfile::TempDir,
    limits: Limits,
}

impl Place {
    fn new() -> Self {
        let db = sled::Config::new().temporary(true).open().unwrap();
        Self { tree: db.open_tree("rows").unwrap(), folder: tempfile::tempdir().unwrap(), limits: SMALL }
    }

    fn try_open(&self) -> Result<Layers, StoreError> {
        Layers::open(self.tree.clone(), self.folder.path().join("runs"), self.limits)
    }

    fn open(&self) -> Layers {
        self.try_open().unwrap()
    }

    /// The files of its runs, in the order of their numbers.
    fn files(&self) -> Vec<PathBuf> {
        let mut ids = run::in_folder(&self.folder.path().join("runs")).unwrap();
        ids.sort_unstable();
        ids.into_iter().map(|id| run::path(&self.folder.path().join("runs"), id)).collect()
    }
}

/// Waits for what is merged beside the writer, which is then taken with the next spill.
fn wait_for_merge(layers: &Layers) {
    while layers.writing().merging.as_ref().is_some_and(|merging| !merging.is_done()) {
        std::thread::yield_now();
    }
}

/// All rows, read in steps of `most`, from either side.
fn all(layers: &Layers, most: usize, backwards: bool) -> Vec<Row> {
    let (mut from, mut to, mut rows) = (Vec::new(), vec![0xff; 64], Vec::<Row>::new());
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

/// Values are of few bytes, or so long that few rows fill a block.
fn change() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![3 => 0..40_usize, 1 => 700..1500_usize];
    let value = (bytes, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]);
    (any::<u8>(), prop::option::weighted(0.8, value)).prop_map(|(key, value)| (named(key), value))
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
    fn layers_hold_what_a_map_would(
        batches in batches(),
        merged_at_once in prop::sample::select(vec![0, 8, 40]),
        spans in prop::collection::vec((any::<u8>(), any::<u8>(), any::<bool>()), 1..20),
    ) {
        let place = Place { limits: Limits { merged_at_once, ..SMALL }, ..Place::new() };
        let (mut layers, mut map) = (place.open(), BTreeMap::<Key, Vec<u8>>::new());
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
                layers = place.open();
            }
        }
        let expected: Vec<Row> = map.clone().into_iter().collect();
        for most in [2, 7, usize::MAX] {
            prop_assert_eq!(&all(&layers, most, false), &expected);
            let mut backwards = all(&layers, most, true);
            backwards.reverse();
            prop_assert_eq!(&backwards, &expected);
        }
        for key in 0..=u8::MAX {
            let key = named(key);
            prop_assert_eq!(layers.get(&key).unwrap(), map.get(&key).cloned());
        }
        for (from, to, backwards) in spans {
            let (from, to) = (named(from), named(to));
            if from <= to {
                let span = Span { from: &from, to: &to, most: usize::MAX, backwards };
                let mut within = map.range(from.clone()..=to.clone());
                let row = |(key, value): (&Key, &Vec<u8>)| (key.clone(), value.clone());
                let expected: Vec<Row> =
                    if backwards { within.rev().map(row).collect() } else { within.by_ref().map(row).collect() };
                prop_assert_eq!(layers.span(span).unwrap().0, expected);
            }
        }
    }
}

fn batch(names: Range<u32>, value: &[u8]) -> Vec<Change> {
    names.map(|name| (name.to_be_bytes().to_vec(), Some(value.to_vec()))).collect()
}

/// sled keeps a prefix of what was written: whatever of a batch is lost, the batch is there as a whole or not at all.
#[test]
fn a_batch_that_did_not_come_to_its_end_is_not_there() {
    let place = Place::new();
    let layers = place.open();
    layers.apply(batch(0..3, &[1; 60])).unwrap();
    journal(&place.tree, 1, &batch(0..3, &[2; 3000])).unwrap();
    place.tree.remove(name(JOURNAL, 1, 0)).unwrap();
    drop(layers);
    let layers = place.open();
    assert_eq!(layers.get(&0_u32.to_be_bytes()).unwrap(), Some(vec![1; 60]));
    // What is left of it does not become part of the next one.
    layers.apply(batch(0..1, &[3])).unwrap();
    drop(layers);
    let found = all(&place.open(), usize::MAX, false);
    assert_eq!(found.iter().map(|(_, value)| value[0]).collect::<Vec<u8>>(), [3, 1, 1]);
}

#[test]
fn what_was_not_journalled_is_lost_as_a_whole_unless_it_was_settled() {
    let place = Place::new();
    let layers = place.open();
    layers.apply(batch(0..2, b"old")).unwrap();
    layers.apply(batch(0..9, b"new")).unwrap();
    drop(layers);
    let layers = place.open();
    assert_eq!(all(&layers, usize::MAX, false).len(), 2);
    layers.apply(batch(0..9, b"new")).unwrap();
    // Journalled, and so everything before it is in a run.
    layers.apply(batch(9..10, b"new")).unwrap();
    drop(layers);
    assert_eq!(all(&place.open(), usize::MAX, false).len(), 10);
}

#[test]
fn runs_are_merged_and_nothing_of_them_is_left() {
    let place = Place::new();
    let layers = place.open();
    let mut was_large = false;
    for number in 0..400 {
        layers.apply(batch(number..number + 12, &[7; 1000])).unwrap();
        was_large |= layers.writing().merging.is_some();
        wait_for_merge(&layers);
    }
    layers.settle().unwrap();
    wait_for_merge(&layers);
    let named = |layers: &Layers| -> Vec<PathBuf> {
        let state = layers.state();
        let writing = layers.writing();
        let mut ids: Vec<u64> = state.runs.iter().chain(&writing.listed).map(|run| run.id).collect();
        ids.sort_unstable();
        ids.into_iter().map(|id| run::path(&layers.folder, id)).collect()
    };
    assert!(was_large, "some were merged beside the writer");
    assert!(layers.state().runs.len() < 2 * MERGED, "{:?}", layers.state().runs);
    let merged = layers.writing().merging.is_some();
    assert_eq!(place.files().len(), named(&layers).len() + usize::from(merged));
    drop(layers);
    // A run that no layout names, as a crash leaves it, and what is not of the kind.
    let runs = place.folder.path().join("runs");
    run::write(&runs, 10_000, batch(0..1, b"").into_iter().collect::<BTreeMap<_, _>>().iter()).unwrap();
    fs::write(run::path(&runs, 10_001), "torn").unwrap();
    fs::write(runs.join("precious"), "not ours").unwrap();
    let layers = place.open();
    assert_eq!(place.files(), named(&layers));
    assert!(runs.join("precious").exists());
    assert_eq!(all(&layers, usize::MAX, false).len(), 411);
}

/// What is on the disk at any time, sled having written nothing out but what it was told to, can be opened, and is what was there once.
#[test]
fn a_layout_that_a_power_cut_leaves_finds_its_runs() {
    let (disk, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = |path: &Path| sled::Config::new().path(path.join("sled")).flush_every_ms(None);
    let db = config(disk.path()).open().unwrap();
    let layers = Layers::open(db.open_tree("rows").unwrap(), disk.path().join("runs"), SMALL).unwrap();
    db.flush().unwrap();
    let mut most = 0;
    for number in 0..60_u32 {
        layers.apply(batch(number * 12..number * 12 + 12, &[7; 500])).unwrap();
        wait_for_merge(&layers);
        let left = cut.path().join(number.to_string());
        copy(disk.path(), &left);
        let db = config(&left).open().unwrap();
        let opened = Layers::open(db.open_tree("rows").unwrap(), left.join("runs"), SMALL).unwrap();
        let rows = all(&opened, usize::MAX, false);
        assert!(rows.len().is_multiple_of(12) && rows.len() <= 12 * (number as usize + 1));
        assert!(
            rows.iter().map(|(key, _)| key).eq(&batch(0..u32::try_from(rows.len()).unwrap(), b"")
                .into_iter()
                .map(|(key, _)| key)
                .collect::<Vec<_>>())
        );
        most = most.max(rows.len());
    }
    assert!(most > 12 * 40, "{most}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let (path, there) = (item.path(), to.join(item.file_name()));
        if path.is_dir() {
            copy(&path, &there);
        } else {
            fs::copy(path, there).unwrap();
        }
    }
}

#[test]
fn a_merge_that_cannot_be_written_to_its_end_leaves_nothing() {
    let place = Place::new();
    let layers = place.open();
    for number in 0..2 {
        layers.apply(batch(number * 9000..(number + 1) * 9000, &[7; 10])).unwrap();
        layers.settle().unwrap();
    }
    let (runs, files) = (layers.state().runs.clone(), place.files());
    let given_up = merge(&layers.folder, 77, &runs, true, &AtomicBool::new(true));
    assert!(matches!(given_up, Err(StoreError::Run(_))));
    let mut unfinished = RunWriter::new(&layers.folder, 78, 0).unwrap();
    for row in 0..9000_u32 {
        unfinished.add(&row.to_be_bytes(), Some(&[0; 1000])).unwrap();
    }
    assert_eq!(place.files().len(), files.len() + 1);
    drop(unfinished);
    assert_eq!(place.files(), files);
    // One that cannot even be begun: the fourth run's.
    fs::create_dir(run::path(&layers.folder, layers.writing().next_run + 4)).unwrap();
    layers.writing().limits.merged_at_once = usize::MAX;
    for number in 2..5 {
        layers.apply(batch(number * 9000..(number + 1) * 9000, &[7; 10])).unwrap();
        layers.settle().unwrap();
    }
    assert_eq!(layers.state().runs.len(), 1, "with the next one it is tried again");
    assert_eq!(all(&layers, usize::MAX, false).len(), 45_000);
}

/// Small runs are merged while large ones are, and each lies where it belongs.
#[test]
fn runs_that_come_while_others_are_merged_are_merged_too() {
    let place = Place::new();
    let layers = place.open();
    layers.writing().limits.merged_at_once = 2000;
    let spill = |number: u32, rows: u32, byte: u8| {
        layers.apply(batch(number..number + rows, &[byte; 100])).unwrap();
        layers.settle().unwrap();
    };
    for number in 0..4 {
        spill(number, 30_000, 1);
    }
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (folder, large) = (layers.folder.clone(), layers.state().runs.clone());
    let (first, merged) = (large[0].id, large.clone());
    let merge_later = move |is_given_up: &AtomicBool| {
        wait.recv().unwrap();
        merge(&folder, 900, &merged, true, is_given_up)
    };
    assert!(layers.writing().merging.is_some());
    layers.writing().merging = Some(Merging::start(&large, merge_later).unwrap());
    for number in 0..6 {
        spill(number, 8, 2);
    }
    let ids: Vec<u64> = layers.state().runs.iter().map(|run| run.id).collect();
    let at = ids.iter().position(|id| *id == first).unwrap();
    assert_eq!((at, ids.len() - at), (3, 4), "four of six were merged, the large ones are as they were");
    go.send(()).unwrap();
    wait_for_merge(&layers);
    spill(0, 1, 3);
    assert!(layers.writing().merging.is_none() && layers.state().runs.len() <= 5);
    let rows = all(&layers, usize::MAX, false);
    let byte = |key: usize| rows[key].1[0];
    assert_eq!((rows.len(), byte(0), byte(5), byte(12), byte(13)), (30_003, 3, 2, 2, 1));
}

#[test]
fn of_listed_rows_only_those_that_are_there_are_kept() {
    let place = Place::new();
    let mut layers = place.open();
    let listed = |number: u8| [b"o".as_slice(), &[number]].concat();
    for number in 1..200 {
        let mut changes = batch(u32::from(number)..u32::from(number) + 3, &[7; 100]);
        changes.extend([(listed(number), Some(vec![number])), (listed(number - 1), None)]);
        layers.apply(changes).unwrap();
        if number % 50 == 0 {
            layers = place.open();
        }
        let span = Span { from: b"o", to: &key::after(b"o"), most: usize::MAX, backwards: false };
        assert_eq!(layers.span(span).unwrap().0, [(listed(number), vec![number])]);
    }
    let state = layers.state();
    assert!(state.runs.len() > 2);
    let runs = state.runs.iter().map(|run| RunReader::new(Arc::clone(run)).unwrap());
    for mut rows in runs {
        while let Some((key, _)) = rows.row() {
            assert!(!key::is_listed(key));
            rows.step().unwrap();
        }
    }
    assert!(layers.writing().listed.as_ref().is_some_and(|run| run.blocks() == 1));
}
