use gt_core::Hash;
use gt_core::position::TreeSize;
use gt_projections::{Alert, Pattern, Subject, Window};
use serde_json::Value;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000).expect("a time")
}

fn as_of(size: u64, seconds: i64) -> AsOf {
    AsOf { tree_size: TreeSize(size), root: Hash::ZERO, received_at: Some(at(seconds)) }
}

fn raised(entry: u64, seconds: i64) -> AlertChange {
    let alert = Alert {
        id: AlertId::parse("AAAAAAAAAAAAAAAAAAAAAA").expect("an id"),
        pattern: Pattern::RhiOverdue,
        version: 1,
        thresholds: Value::Null,
        window: Window { from: at(0), to: at(1) },
        subject: Subject::Agency("police:32".into()),
        entries: vec![LeafIndex(3)],
        sentence: String::new(),
        raised_at: at(seconds),
        raised_by: LeafIndex(3),
        status: AlertStatus::Open,
        handling: Vec::new(),
        retraction: None,
    };
    AlertChange { index: LeafIndex(entry), at: at(seconds), change: ChangeKind::Raised, alert }
}

fn told_ahead(seconds: i64) -> Clocks {
    let change = raised(4, seconds);
    Clocks { until: Some(at(seconds)), ahead: BTreeMap::from([(change.alert.id, change)]) }
}

#[test]
fn what_was_told_when_the_deadline_passed_is_not_told_with_the_next_entry() {
    let mut clocks = told_ahead(10);
    let retracted = AlertChange { change: ChangeKind::Retracted, at: at(12), ..raised(4, 10) };
    let left = clocks.borne_out(vec![raised(4, 10), retracted.clone()], as_of(5, 12));
    assert_eq!(left, [retracted], "what the entry itself did is told");
    assert!(clocks.ahead.is_empty());
    assert_eq!(clocks.borne_out(vec![raised(5, 10)], as_of(6, 13)), [raised(5, 10)], "once");
}

#[test]
fn another_deadline_of_the_same_alert_is_told() {
    let mut clocks = told_ahead(10);
    let left = clocks.borne_out(vec![raised(4, 11)], as_of(5, 11));
    assert_eq!(left[0], raised(4, 11));
}

#[test]
fn what_no_entry_bears_out_is_taken_back() {
    let mut clocks = told_ahead(10);
    assert!(
        clocks.borne_out(Vec::new(), as_of(5, 9)).is_empty(),
        "an entry from before the deadline says nothing"
    );
    let left = clocks.borne_out(Vec::new(), as_of(6, 10));
    assert_eq!(left.len(), 1);
    let change = &left[0];
    assert_eq!((change.change, change.index, change.at), (ChangeKind::Retracted, LeafIndex(5), at(10)));
    assert_eq!(change.alert.status, AlertStatus::Retracted);
    assert!(clocks.borne_out(Vec::new(), as_of(7, 11)).is_empty(), "once");
}

#[test]
fn an_alert_that_rests_on_more_than_was_known_is_told_as_changed() {
    let mut clocks = told_ahead(10);
    let mut more = raised(5, 10);
    more.alert.entries.push(LeafIndex(4));
    let left = clocks.borne_out(vec![more.clone()], as_of(6, 12));
    assert_eq!(left, [AlertChange { change: ChangeKind::Changed, ..more }]);
}
