//! What is in the folder can be lost and broken; the log makes it again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gt_core::position::TreeSize;
use gt_ledger::record::Record;
use gt_projections::{
    ApplyError, Opened, Page, Pattern, Projector, Queries, QueryError, RebuildReason, StoreError,
};
use gt_schemas::Configuration;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use crate::fixture::*;
use crate::histories::*;

fn events() -> Vec<Event> {
    let absence = |n: i64| {
        let (name, time) = (n.to_string(), NEW_YEAR + n * 5 * DAY);
        let child = u8::try_from(n % 3).unwrap();
        [
            started(&format!("start {name}"), POLICE, child, "Missing", time),
            linked(&format!("link {name}"), SCHOOL, child, 7, time),
            decided(&format!("decision {name}"), COUNCIL, child, "Share", time),
            ended(&format!("end {name}"), POLICE, child, time + DAY),
        ]
    };
    let mut events: Vec<Event> = (0..10).flat_map(absence).collect();
    // Replaces one that comes only later, so that a torn batch can hold what it looks for.
    events[25] = events[25].clone().refers("supersedes", "link 8");
    events
}

/// Views of the fixture's log, closed, and what they held.
fn closed() -> (tempfile::TempDir, Vec<u8>) {
    let Views { projector, folder, .. } = Views::of(&events());
    let dump = projector.dump().unwrap();
    projector.close().unwrap();
    (folder, dump)
}

fn reopen(folder: &Path) -> Opened {
    Projector::open(folder, small()).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The tree of the views' database that has the rows.
pub(crate) const TREE: &str = "rows-1";

fn rows(folder: &Path) -> PathBuf {
    folder.join("rows.sled")
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Puts these rows in the place of those that are there, behind the projector's back: as one batch of the journal.
fn put(folder: &Path, rows: &Rows) {
    // sled's threads may hold its files for a moment after it was closed.
    let db = std::iter::repeat_with(|| sled::open(self::rows(folder)))
        .take(1000)
        .find_map(|opened| opened.map_err(|_| std::thread::sleep(std::time::Duration::from_millis(10))).ok())
        .unwrap();
    let tree = db.open_tree(TREE).unwrap();
    tree.clear().unwrap();
    let packed = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        [vec![0], leb128(key.len()), leb128(value.len() + 1), key.clone(), value.clone()].concat()
    };
    let packed: Vec<Vec<u8>> = rows.iter().map(packed).collect();
    for (part, rows) in packed.chunks(20).enumerate().rev() {
        let name = [&b"J"[..], &[0; 8], &(part as u64).to_be_bytes()].concat();
        tree.insert(name, rows.concat()).unwrap();
    }
    db.flush().unwrap();
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

/// Changes rows behind the projector's back. `dump`: those that are there.
fn tamper(folder: &Path, dump: &[u8], change: impl FnOnce(&mut Rows)) {
    let mut rows = dumped(dump);
    change(&mut rows);
    put(folder, &rows);
}

/// Gives all rows of a table another value.
fn damage(rows: &mut Rows, table: &[u8], value: &[u8]) {
    let of_table: Vec<&mut Vec<u8>> =
        rows.iter_mut().filter(|(key, _)| key.starts_with(table)).map(|(_, value)| value).collect();
    assert!(!of_table.is_empty(), "{}", table.escape_ascii());
    for row in of_table {
        *row = value.to_vec();
    }
}

#[test]
fn views_are_kept_and_a_rebuild_gives_the_same_bytes() {
    let (folder, dump) = closed();
    let Opened { projector, rebuilt } = reopen(folder.path());
    assert_eq!((projector.position(), rebuilt), (TreeSize(40), None));
    assert_same(&projector, &dump);
    drop(projector);
    fs::remove_dir_all(folder.path()).unwrap();
    let Opened { mut projector, rebuilt } = reopen(folder.path());
    assert_eq!((projector.position(), rebuilt), (TreeSize(0), None), "a new folder is no rebuild");
    apply(&mut projector, &seal_all(&events()));
    assert_same(&projector, &dump);
}

#[test]
fn a_broken_store_is_thrown_away_and_built_again() {
    for file in ["db", "conf"] {
        let (folder, dump) = closed();
        fs::write(folder.path().join("precious"), "not ours").unwrap();
        fs::write(rows(folder.path()).join(file), vec![0x5a; 8192]).unwrap();
        let Opened { mut projector, rebuilt } = reopen(folder.path());
        assert!(rebuilt.is_some(), "{file}");
        assert_eq!(projector.position(), TreeSize(0));
        apply(&mut projector, &seal_all(&events()));
        assert_same(&projector, &dump);
        assert!(folder.path().join("precious").exists(), "nothing else is deleted");
    }
}

#[test]
fn a_damaged_position_and_another_format_are_noticed() {
    let cases: [(&[u8], &[u8], RebuildReason); 3] = [
        (b"\0position", b"forty", RebuildReason::Damaged),
        (b"\0position", b"", RebuildReason::Damaged),
        (b"\0format", b"gt/views/0", RebuildReason::OtherFormat),
    ];
    for (key, value, reason) in cases {
        let (folder, dump) = closed();
        tamper(folder.path(), &dump, |rows| drop(rows.insert(key.to_vec(), value.to_vec())));
        let Opened { projector, rebuilt } = reopen(folder.path());
        assert_eq!((projector.position(), rebuilt), (TreeSize(0), Some(reason)));
    }
}

#[test]
fn a_damaged_row_stops_the_projector_and_the_next_opening_rebuilds() {
    let (folder, dump) = closed();
    tamper(folder.path(), &dump, |rows| damage(rows, b"e", b"{"));
    let mut records = seal_all(&events());
    // Whoever takes something back looks for what it was.
    let last = started("one more", POLICE, 1, "Missing", NEW_YEAR).refers("supersedes", "start 1");
    records.push(last.seal(40, received(40)));
    let mut projector = reopen(folder.path()).projector;
    let refused = projector.apply(&records, head_after(&records), &Naming);
    assert!(matches!(refused, Err(ApplyError::Store(StoreError::Damaged { .. }))));
    drop(projector);
    let Opened { mut projector, rebuilt } = reopen(folder.path());
    assert_eq!(rebuilt, Some(RebuildReason::Damaged));
    apply(&mut projector, &records);
    assert_eq!(projector.position(), TreeSize(41));
}

#[test]
fn a_damaged_row_that_a_question_meets_makes_the_next_opening_rebuild() {
    let (folder, dump) = closed();
    tamper(folder.path(), &dump, |rows| damage(rows, b"s", b"{"));
    let projector = reopen(folder.path()).projector;
    let timeline = |queries: &Queries| queries.timeline(&owner(1), None, None, &Page::default());
    let answer = projector.queries().ask(timeline);
    assert!(matches!(answer, Err(QueryError::Store(StoreError::Damaged { .. }))));
    drop(projector);
    let Opened { mut projector, rebuilt } = reopen(folder.path());
    assert_eq!(rebuilt, Some(RebuildReason::Damaged));
    apply(&mut projector, &seal_all(&events()));
    assert_same(&projector, &dump);
    assert!(!projector.queries().ask(timeline).unwrap().items.is_empty());
}

#[test]
fn views_in_use_are_left_alone() {
    let views = Views::of(&events());
    let second = Projector::open(views.folder.path(), small());
    assert!(matches!(second, Err(StoreError::InUse)));
    assert_eq!(views.projector.position(), TreeSize(40));
}

/// Rows at or above the position, however they came there, must neither show nor count.
#[test]
fn a_torn_batch_does_not_show_and_is_applied_again() {
    let records = seal_all(&events());
    let (folder, dump) = closed();
    let first = Views::of_records(&records[..22]);
    for keep in [0, 1, 2] {
        let mut at = 0;
        tamper(folder.path(), &dump, |rows| {
            let kept = dumped(&first.projector.dump().unwrap());
            rows.retain(|key, _| {
                at += 1;
                kept.contains_key(key) || at % 3 != keep
            });
            // What the second batch took off the list of standing alerts still stands.
            let standing = kept.iter().filter(|(key, _)| key.starts_with(b"o"));
            rows.extend(standing.map(|(key, value)| (key.clone(), value.clone())));
            rows.insert(b"\0position".to_vec(), kept[&b"\0position"[..]].clone());
        });
        let Opened { mut projector, rebuilt } = reopen(folder.path());
        assert_eq!((projector.position(), rebuilt), (TreeSize(22), None));
        assert_eq!(alerts(&projector.queries(), None), first.alerts());
        apply(&mut projector, &records);
        assert_same(&projector, &dump);
        projector.close().unwrap();
    }
}

/// Applies records to views that may be damaged, as their keeper does: where damage is found, they are opened again and built
/// from the first record. Returned is whether it was found.
#[track_caller]
pub(crate) fn kept_going(folder: &Path, records: &[Record]) -> (Projector, bool) {
    let Opened { mut projector, rebuilt } = reopen(folder);
    match projector.apply(records, head_after(records), &Naming) {
        Ok(_) => (projector, rebuilt.is_some()),
        Err(ApplyError::Store(StoreError::Damaged { .. })) => {
            drop(projector);
            let Opened { mut projector, rebuilt } = reopen(folder);
            assert_eq!((projector.position(), rebuilt), (TreeSize(0), Some(RebuildReason::Damaged)));
            apply(&mut projector, records);
            (projector, true)
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// sled reads its file up to the first damage, and the position was written last: what is lost is folded again.
#[test]
fn a_file_that_is_cut_short_or_damaged_anywhere_gives_the_same_views_again() {
    let records = seal_all(&events());
    let (_folder, dump) = closed();
    for sixteenth in [0, 1, 5, 9, 13, 15] {
        let cut = |bytes: &mut Vec<u8>, at: usize| bytes.truncate(at);
        let flip = |bytes: &mut Vec<u8>, at: usize| bytes[at] ^= 0x20;
        let blank =
            |bytes: &mut Vec<u8>, at: usize| bytes[at..].iter_mut().take(4096).for_each(|byte| *byte = 0);
        let damages: [fn(&mut Vec<u8>, usize); 3] = [cut, flip, blank];
        for damage in damages {
            let (folder, _) = closed();
            let file = rows(folder.path()).join("db");
            let mut bytes = fs::read(&file).unwrap();
            let at = bytes.len() * sixteenth / 16;
            damage(&mut bytes, at);
            fs::write(&file, bytes).unwrap();
            let (projector, _) = kept_going(folder.path(), &records);
            assert_same(&projector, &dump);
        }
    }
}

/// The fixture's log, and something of every table.
fn of_every_table() -> (Vec<Event>, Vec<Event>) {
    let mut first = events();
    let alert = Views::of(&first).standing(Pattern::SharedLocation)[0].id;
    let basis = json!([]);
    first.extend([
        requested("request", SCHOOL, 1, "Red", NEW_YEAR),
        basis_corrected("no basis", COUNCIL, 1, "decision 1", &basis, NEW_YEAR + DAY),
        alert_assigned("assigned", COUNCIL, alert, NEW_YEAR),
        identity("one child", true, (1, 2), NEW_YEAR),
        decided("with the police", COUNCIL, 1, "Share", NEW_YEAR)
            .clear("recipients", json!([recipient(POLICE)])),
        configured("configured", &Configuration::standard()),
    ]);
    let then = vec![
        answered("answer", SCHOOL, 1, NEW_YEAR + DAY),
        basis_corrected("a basis", COUNCIL, 1, "decision 1", &sound_basis(), NEW_YEAR + 2 * DAY),
        linked("one more", SCHOOL, 5, 7, NEW_YEAR + 10 * DAY),
        started("instead", POLICE, 1, "Missing", NEW_YEAR).refers("supersedes", "start 1"),
        decided("last", COUNCIL, 1, "Share", NEW_YEAR + DAY),
        // What decisions came to before is read where persons are parted, and otherwise worked out.
        identity("two children", false, (1, 2), NEW_YEAR + 2 * DAY),
    ];
    (first, then)
}

#[test]
fn damaged_rows_of_any_table_that_is_read_are_noticed_and_the_views_built_again() {
    let (first, then) = of_every_table();
    let all = seal_all(&[&first[..], &then].concat());
    let dump = Views::of_records(&all).projector.dump().unwrap();
    // The tables of `key.rs` whose rows have values that are read while the log grows.
    for table in [b"s", b"e", b"h", b"y", b"v", b"f", b"r", b"a", b"b", b"c"] {
        for damage in [&b"{"[..], b"", &[0xff; 40]] {
            let Views { projector, folder, .. } = Views::of_records(&all[..first.len()]);
            let before = projector.dump().unwrap();
            projector.close().unwrap();
            tamper(folder.path(), &before, |rows| self::damage(rows, table, damage));
            let (projector, noticed) = kept_going(folder.path(), &all);
            assert!(noticed, "{}", table.escape_ascii());
            assert_same(&projector, &dump);
        }
    }
}

#[test]
fn a_damaged_list_of_standing_alerts_is_noticed_when_the_views_are_opened() {
    let records = seal_all(&events());
    let (folder, dump) = closed();
    tamper(folder.path(), &dump, |rows| drop(rows.insert(b"o123".to_vec(), Vec::new())));
    assert_eq!(reopen(folder.path()).rebuilt, Some(RebuildReason::Damaged));
    let (projector, _) = kept_going(folder.path(), &records);
    assert_same(&projector, &dump);
}

#[test]
fn what_was_said_of_damage_is_forgotten_once_the_views_are_built_again() {
    let (folder, dump) = closed();
    fs::write(folder.path().join("rows.damaged"), "").unwrap();
    let Opened { mut projector, rebuilt } = reopen(folder.path());
    assert_eq!((projector.position(), rebuilt), (TreeSize(0), Some(RebuildReason::Damaged)));
    apply(&mut projector, &seal_all(&events()));
    projector.close().unwrap();
    let Opened { projector, rebuilt } = reopen(folder.path());
    assert_eq!(rebuilt, None);
    assert_same(&projector, &dump);
}

/// Views with a batch that was torn: the rows before it, some of those that it writes, the old position.
fn torn(before: &[u8], after: &[u8], written: impl Fn(usize) -> bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = dumped(before);
    let fresh = dumped(after)
        .into_iter()
        .filter(|(key, value)| !key.starts_with(b"\0") && rows.get(key) != Some(value));
    let fresh: Vec<_> = fresh.enumerate().filter(|(n, _)| written(*n)).map(|(_, row)| row).collect();
    rows.extend(fresh);
    put(folder.path(), &rows);
    folder
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_torn_batch_has_left_neither_shows_nor_counts(
        events in any_events(40), pauses in any_pauses(), at: Index, kept in prop::collection::vec(any::<bool>(), 1..40)
    ) {
        let records = seal_after(&events, &pauses);
        let (first, whole) = (&records[..=at.index(records.len())], Views::with(&records, eagerly()));
        let before = Views::with(first, eagerly());
        let (dump, whole_dump) = (before.projector.dump().unwrap(), whole.projector.dump().unwrap());
        let folder = torn(&dump, &whole_dump, |n| kept[n % kept.len()]);
        let Opened { mut projector, rebuilt } = Projector::open(folder.path(), eagerly()).unwrap();
        prop_assert_eq!((projector.position().0, rebuilt), (first.len() as u64, None));
        prop_assert_eq!(alerts(&projector.queries(), None), before.alerts());
        prop_assert_eq!(standing_now(&projector.queries()), standing_now(&before.queries()));
        let changes = [before.changes, apply(&mut projector, &records)].concat();
        prop_assert_eq!(&changes, &whole.changes);
        assert_same(&projector, &whole_dump);
    }
}
