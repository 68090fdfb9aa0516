use gt_core::Hash;
use gt_core::position::{LeafIndex, TreeSize};
use gt_core::time::Timestamp;
use gt_projections::{Alert, AlertId, AlertStatus, ChangeKind, Subject, Window};
use serde_json::Value;

use super::*;

fn as_of(size: u64) -> AsOf {
    AsOf { tree_size: TreeSize(size), root: Hash::ZERO, received_at: Timestamp::from_millis(0) }
}

fn change(entry: u64) -> AlertChange {
    let at = Timestamp::from_millis(0).expect("a time");
    let alert = Alert {
        id: AlertId::parse("AAAAAAAAAAAAAAAAAAAAAA").expect("an id"),
        pattern: Pattern::RhiOverdue,
        version: 1,
        thresholds: Value::Null,
        window: Window { from: at, to: at },
        subject: Subject::Agency("police:32".into()),
        entries: vec![LeafIndex(entry)],
        sentence: String::new(),
        raised_at: at,
        raised_by: LeafIndex(entry),
        status: AlertStatus::Open,
        handling: Vec::new(),
        retraction: None,
    };
    AlertChange { index: LeafIndex(entry), at, change: ChangeKind::Raised, alert }
}

fn place(text: &str) -> Place {
    Place::parse(text).expect("a place")
}

/// What is heard without waiting, in a word each.
async fn heard(listener: &mut Listener) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        // Whatever has been told is there at once.
        let next = tokio::select! {
            biased;
            heard = listener.next() => heard,
            () = std::future::ready(()) => return all,
        };
        all.push(match next {
            Some(Heard::Told(told)) if told.pattern.is_some() => told.place.to_string(),
            Some(Heard::Told(told)) => format!("tree {}", told.place),
            Some(Heard::Forgotten { complete_after }) => format!("forgotten {complete_after}"),
            Some(Heard::TooSlow) => "too slow".to_owned(),
            None => {
                all.push("end".to_owned());
                return all;
            }
        });
    }
}

#[test]
fn places_are_written_in_one_way_and_sort_as_they_are_told() {
    for text in ["0.0", "7.12", "9007199254740991.1"] {
        assert_eq!(place(text).to_string(), text);
    }
    for bad in ["", "7", "7.", ".1", "07.1", "7.01", "+7.1", "-1.0", "7.1.1", "7.4294967296"] {
        assert_eq!(Place::parse(bad), None, "{bad}");
    }
    assert!(place("7.3") < place("8.0") && place("8.0") < place("8.1") && place("8.9") < place("10.0"));
}

#[tokio::test]
async fn a_listener_hears_everything_in_order_from_when_it_came() {
    let feed = Feed::new(as_of(5));
    let mut listener = feed.listen(None).expect("room");
    // A deadline that passed; then a batch of which entry 5 changed something more, and entry 6 twice.
    feed.tell(&change(5));
    for entry in [5, 6, 6] {
        feed.tell(&change(entry));
    }
    feed.advance(as_of(7));
    assert_eq!(heard(&mut listener).await, ["tree 5.0", "5.1", "5.2", "6.1", "6.2", "tree 7.0"]);
    feed.close();
    assert_eq!(heard(&mut listener).await, ["end"]);
    assert!(matches!(feed.listen(None), Err(Unheard::Over)));
}

#[tokio::test]
async fn who_comes_back_hears_what_it_missed_once() {
    let feed = Feed::new(as_of(5));
    for entry in [5, 6, 6] {
        feed.tell(&change(entry));
    }
    feed.advance(as_of(7));
    feed.tell(&change(7));
    let mut listener = feed.listen(Some(place("6.1"))).expect("room");
    assert_eq!(heard(&mut listener).await, ["6.2", "tree 7.0", "7.1"]);
    let mut all_there = feed.listen(Some(place("5.0"))).expect("room");
    assert_eq!(heard(&mut all_there).await, ["5.1", "6.1", "6.2", "tree 7.0", "7.1"]);
    // Another node was ahead: what it told is not told again.
    let mut ahead = feed.listen(Some(place("8.1"))).expect("room");
    feed.tell(&change(8));
    feed.tell(&change(8));
    assert_eq!(heard(&mut ahead).await, ["tree 7.0", "8.2"]);
}

#[tokio::test]
async fn what_is_no_longer_kept_is_said_to_be_lost_first() {
    let feed = Feed::new(as_of(5));
    let mut before = feed.listen(Some(place("4.9"))).expect("room");
    assert_eq!(heard(&mut before).await, ["forgotten 5.0", "tree 5.0"], "before this process");
    for entry in 0..MOST_RECENT as u64 + 2 {
        feed.tell(&change(5 + entry));
    }
    let first = heard(&mut feed.listen(Some(place("5.0"))).expect("room")).await;
    assert_eq!(first[..3], ["forgotten 6.1", "tree 5.0", "7.1"]);
    let whole = heard(&mut feed.listen(Some(place("6.1"))).expect("room")).await;
    assert_eq!((whole.len(), whole[0].as_str()), (MOST_RECENT + 1, "tree 5.0"), "{:?}", &whole[..3]);
}

#[tokio::test]
async fn a_slow_listener_is_let_go_and_holds_up_nobody() {
    let feed = Feed::new(as_of(0));
    let mut slow = feed.listen(None).expect("room");
    for entry in 0..MOST_BEHIND as u64 + 1 {
        feed.tell(&change(entry));
    }
    assert_eq!(heard(&mut slow).await, ["tree 0.0", "too slow", "end"]);
    let resumed = heard(&mut feed.listen(Some(place("0.0"))).expect("room")).await;
    assert_eq!(resumed.len(), 1 + MOST_BEHIND + 1, "nothing is lost to who comes back");
}

#[test]
fn there_is_room_for_so_many_listeners_and_no_more() {
    let feed = Feed::new(as_of(0));
    let mut listeners: Vec<Listener> =
        (0..MOST_LISTENERS).map(|_| feed.listen(None).expect("room")).collect();
    assert!(matches!(feed.listen(None), Err(Unheard::TooMany)));
    listeners.pop();
    assert!(feed.listen(None).is_ok(), "one has gone");
}
