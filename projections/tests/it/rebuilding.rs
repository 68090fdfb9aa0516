//! What is in the folder can be lost and broken; the log makes it again.

use std::fs;
use std::path::{Path, PathBuf};

use gt_core::position::TreeSize;
use gt_projections::{ApplyError, Opened, Projector, RebuildReason, StoreError};

use crate::fixture::*;

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

fn rows(folder: &Path) -> PathBuf {
    folder.join("rows.sled")
}

/// Changes rows behind the projector's back.
fn tamper(folder: &Path, change: impl FnOnce(&sled::Db)) {
    // sled's threads may hold its files for a moment after it was closed.
    let db = std::iter::repeat_with(|| sled::open(rows(folder)))
        .take(1000)
        .find_map(|opened| opened.map_err(|_| std::thread::sleep(std::time::Duration::from_millis(10))).ok())
        .unwrap();
    change(&db);
    db.flush().unwrap();
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
        let (folder, _) = closed();
        tamper(folder.path(), |db| {
            db.insert(key, value).unwrap();
        });
        let Opened { projector, rebuilt } = reopen(folder.path());
        assert_eq!((projector.position(), rebuilt), (TreeSize(0), Some(reason)));
    }
}

#[test]
fn a_damaged_row_stops_the_projector_and_the_next_opening_rebuilds() {
    let (folder, _) = closed();
    tamper(folder.path(), |db| {
        for row in db.scan_prefix(b"e") {
            db.insert(row.unwrap().0, "{").unwrap();
        }
    });
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
fn views_in_use_are_left_alone() {
    let views = Views::of(&events());
    let second = Projector::open(views.folder.path(), small());
    assert!(matches!(second, Err(StoreError::InUse)));
    assert_eq!(views.projector.position(), TreeSize(40));
}

/// A crash can leave some rows of a batch without its position: they must neither show nor count.
#[test]
fn a_torn_batch_does_not_show_and_is_applied_again() {
    let records = seal_all(&events());
    let (folder, dump) = closed();
    let first = Views::of_records(&records[..22]);
    for keep in [0, 1, 2] {
        let mut at = 0;
        tamper(folder.path(), |db| {
            let kept: std::collections::BTreeMap<Vec<u8>, Vec<u8>> = dumped(&first.projector.dump().unwrap());
            for row in db.iter() {
                let (key, _) = row.unwrap();
                at += 1;
                if !kept.contains_key(key.as_ref()) && at % 3 == keep {
                    db.remove(key).unwrap();
                }
            }
            // What the second batch took off the list of standing alerts goes only after its position is written.
            for (key, value) in kept.iter().filter(|(key, _)| key.starts_with(b"o")) {
                db.insert(&key[..], &value[..]).unwrap();
            }
            db.insert("\0position", kept[&b"\0position"[..]].clone()).unwrap();
        });
        let Opened { mut projector, rebuilt } = reopen(folder.path());
        assert_eq!((projector.position(), rebuilt), (TreeSize(22), None));
        assert_eq!(alerts(&projector.queries(), None), first.alerts());
        apply(&mut projector, &records);
        assert_same(&projector, &dump);
        projector.close().unwrap();
    }
}
