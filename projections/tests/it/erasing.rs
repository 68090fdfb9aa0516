//! After an erasure the views are what a rebuild gives, and until they are, the views from before answer.

use gt_core::position::{LeafIndex, TreeSize};
use gt_ledger::record::Record;
use gt_projections::{ApplyError, Page, Pattern, Projector};
use serde_json::json;

use crate::fixture::*;

const ERASED: u8 = 1;

/// Two children who went missing thrice, and the erasure of the first.
fn events() -> Vec<Event> {
    let mut events = Vec::new();
    for n in 0..3 {
        for child in [ERASED, 2] {
            let start = NEW_YEAR + n * 10 * DAY;
            events.push(started(&format!("s{child}{n}"), POLICE, child, "Missing", start));
            events.push(ended(&format!("e{child}{n}"), POLICE, child, start + HOUR));
        }
    }
    events.push(event("erasure", "subject.erased", "ledger:service", NEW_YEAR, json!({"scope": "records"})));
    events
}

/// As the log is read once the first child's keys are gone.
fn without(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        let of_child = record.statement.as_ref().and_then(|open| open.primary) == Some(owner(ERASED));
        if of_child {
            record.statement = None;
        }
    }
    records
}

fn rebuilt(records: &[Record], by: LeafIndex) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(folder.path());
    projector.begin(Some(by)).unwrap();
    apply(&mut projector, records);
    projector.dump().unwrap()
}

#[test]
fn views_that_are_folded_anew_are_those_of_a_rebuild_and_keep_nothing_of_the_erased() {
    let records = seal_all(&events());
    let (erasure, before) = records.split_last().unwrap();
    let by = erasure.entry.index;
    let Views { mut projector, folder, .. } = Views::of_records(before);
    let queries = projector.queries();
    let standing_before = standing(of_pattern(alerts(&queries, None), Pattern::RepeatMissing));
    assert_eq!(standing_before.len(), 2);

    let refused = projector.apply(&records, head_after(&records), &Naming).unwrap_err();
    assert!(matches!(refused, ApplyError::Erased { by: entry } if entry == by), "{refused}");
    assert_eq!(projector.position(), TreeSize(by.0), "nothing was folded");

    let readable = without(records.clone());
    let mut anew = projector.anew(Some(by)).unwrap();
    apply(&mut anew, &readable);
    assert_eq!(queries.status().unwrap().as_of.tree_size, TreeSize(by.0), "the old views answer");
    anew.show().unwrap();
    drop(projector);
    assert_eq!(queries.status().unwrap().as_of.tree_size, TreeSize(by.0 + 1));
    let standing_after = standing(of_pattern(alerts(&queries, None), Pattern::RepeatMissing));
    assert_eq!(standing_after.len(), 1);
    let told = queries.timeline(&owner(ERASED), None, None, &Page::default()).unwrap();
    assert!(told.items.is_empty());
    assert_eq!(queries.status().unwrap().unread.statements, 6);

    let dump = anew.dump().unwrap();
    assert_eq!(dump, rebuilt(&readable, by));
    let id = owner(ERASED);
    assert!(!dump.windows(16).any(|bytes| bytes == id.as_bytes()), "the erased owner's id is in no row");
    // The erasure is not news any more, also after a restart; the next one is.
    drop(queries);
    anew.close().unwrap();
    let mut again = open(folder.path());
    assert_eq!((again.erased_at(), again.position()), (Some(by), TreeSize(by.0 + 1)));
    assert_eq!(again.dump().unwrap(), dump);
    let next = event("later", "subject.erased", "ledger:service", NEW_YEAR, json!({}));
    let next = next.seal(by.0 + 1, received(by.0 + 1));
    let head = head_after(std::slice::from_ref(&next));
    assert!(matches!(again.apply(&[next], head, &Naming), Err(ApplyError::Erased { .. })));
}

#[test]
fn views_that_were_being_folded_anew_when_the_process_ended_are_given_up() {
    let records = seal_all(&events());
    let (erasure, before) = records.split_last().unwrap();
    let Views { projector, folder, .. } = Views::of_records(before);
    let dump = projector.dump().unwrap();
    let mut anew = projector.anew(Some(erasure.entry.index)).unwrap();
    apply(&mut anew, &without(before.to_vec())[..3]);
    drop((projector, anew));
    let projector: Projector = open(folder.path());
    assert_eq!(projector.dump().unwrap(), dump);
}
