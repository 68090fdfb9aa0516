use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;

use super::*;
use crate::event::{Refs, StatementRef};
use gt_schemas::{SignedData, read_opened};
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;

fn report(
    index: u64,
    agency: &str,
    hour: i64,
    event_type: &str,
    clear: &Value,
    of: Option<StatementRef>,
) -> ViewEvent {
    let mut statement = [0; 16];
    statement[..8].copy_from_slice(&index.to_be_bytes());
    let time = Timestamp::from_millis(hour * HOUR).unwrap().to_string();
    let times = [("times".to_owned(), vec![json!({ "occurred_at": time })])].into();
    let data = SignedData::of_values(clear.as_object().unwrap(), &times);
    let version = gt_schemas::EventType::parse(event_type).unwrap().version();
    ViewEvent {
        index,
        received_at: 0,
        agency: agency.to_owned(),
        on_behalf_of: None,
        statement: StatementRef(statement),
        child: Some(OwnerId::from_bytes([1; 16])),
        context: None,
        persons: Vec::new(),
        identified: Vec::new(),
        refs: Refs { episode: of, ..Refs::default() },
        event: read_opened(event_type, version, &data).unwrap(),
        superseded: None,
    }
}

/// Reports in brief: `police M 5` (missing since hour 5), `home A 3` (away), `home E 9` (back), `home E 9 of 2`
/// (back; ends report 2).
fn reports(brief: &[&str]) -> Vec<ViewEvent> {
    let read = |(index, line): (usize, &&str)| {
        let words: Vec<&str> = line.split(' ').collect();
        let (agency, hour) = (words[0], words[2].parse().unwrap());
        if words[1] == "E" {
            let of = words.get(4).map(|of| end(of.parse().unwrap(), "", 0, None).statement);
            return end(index as u64, agency, hour, of);
        }
        let kind = if words[1] == "A" { "AwayWithoutAuthorisation" } else { "Missing" };
        report(index as u64, agency, hour, "missing.started", &json!({"kind": kind, "from": "Home"}), None)
    };
    brief.iter().enumerate().map(read).collect()
}

fn end(index: u64, agency: &str, hour: i64, of: Option<StatementRef>) -> ViewEvent {
    report(index, agency, hour, "missing.ended", &json!({"harm": "NotSuspected"}), of)
}

/// Episodes in brief: kind, hours, entries.
fn brief(events: &[ViewEvent]) -> Vec<String> {
    let hour =
        |time: Option<Timestamp>| time.map_or("?".to_owned(), |time| (time.as_millis() / HOUR).to_string());
    let found = episodes(events.iter().map(|event| (event.occurred_at().unwrap(), event)));
    found
        .iter()
        .map(|episode| {
            let end = match episode.state {
                EpisodeState::Open => "open".to_owned(),
                _ => hour(episode.ended_at),
            };
            let entries: Vec<String> = episode.entries.iter().map(ToString::to_string).collect();
            let kind = episode.kind.map_or('-', |kind| kind.chars().next().unwrap());
            format!("{kind} {}..{end} [{}]", hour(episode.started_at), entries.join(" "))
        })
        .collect()
}

#[track_caller]
fn assert_episodes(given: &[&str], expected: &[&str]) {
    let events = reports(given);
    assert_eq!(brief(&events), expected, "{given:?}");
    let reversed: Vec<ViewEvent> = events.into_iter().rev().collect();
    assert_eq!(brief(&reversed), expected, "{given:?}, reversed");
}

#[test]
fn starts_and_ends_are_paired_by_time() {
    assert_episodes(
        &["police M 1", "police E 5", "police M 8", "police E 9"],
        &["M 1..5 [0 1]", "M 8..9 [2 3]"],
    );
    assert_episodes(&["police M 1"], &["M 1..open [0]"]);
    assert_episodes(&["police M 1", "home E 4"], &["M 1..4 [0 1]"]);
    assert_episodes(&["police E 4"], &["- ?..4 [0]"]);
    assert_episodes(&["police M 4", "police E 4"], &["M 4..4 [0 1]"]);
}

#[test]
fn one_absence_that_two_agencies_report_is_one_episode() {
    // Identical, overlapping, within the other; each with both ends or one.
    assert_episodes(&["police M 1", "home M 1", "police E 5", "home E 5"], &["M 1..5 [0 1 2 3]"]);
    assert_episodes(&["police M 1", "police E 5", "home M 3", "home E 8"], &["M 1..8 [0 1 2 3]"]);
    assert_episodes(&["police M 1", "police E 9", "home M 3", "home E 5"], &["M 1..9 [0 1 2 3]"]);
    assert_episodes(&["police M 1", "home M 3", "home E 5"], &["M 1..5 [0 1 2]"]);
    assert_episodes(&["police M 1", "home M 3"], &["M 1..open [0 1]"]);
    // A third agency only notes the return.
    assert_episodes(&["police M 1", "police E 5", "home E 5"], &["M 1..5 [0 1 2]"]);
}

#[test]
fn touching_absences_of_one_kind_are_two_episodes() {
    assert_episodes(
        &["police M 1", "police E 5", "police M 5", "police E 7"],
        &["M 1..5 [0 1]", "M 5..7 [2 3]"],
    );
    assert_episodes(&["police M 1", "police E 5", "home M 5", "home E 7"], &["M 1..5 [0 1]", "M 5..7 [2 3]"]);
}

#[test]
fn away_turning_into_missing_is_two_episodes_that_share_a_boundary() {
    assert_episodes(&["home A 1", "home M 4", "home E 9"], &["A 1..4 [0]", "M 4..9 [1 2]"]);
    assert_episodes(&["home A 1", "home E 4", "home M 4", "home E 9"], &["A 1..4 [0 1]", "M 4..9 [2 3]"]);
    assert_episodes(&["home A 1", "home E 9", "police M 4", "police E 9"], &["A 1..4 [0]", "M 4..9 [1 2 3]"]);
    // Somebody else calls the same absence away: it stays missing.
    assert_episodes(&["police M 1", "home A 1", "home E 6"], &["M 1..6 [0 1 2]"]);
    assert_episodes(&["police M 1", "home A 3", "home E 6"], &["M 1..6 [0 1 2]"]);
}

#[test]
fn an_absence_without_a_reported_end_swallows_no_later_one() {
    assert_episodes(&["police M 1", "police M 50", "police E 52"], &["M 1..? [0]", "M 50..52 [1 2]"]);
    assert_episodes(
        &["police M 1", "police M 50", "home M 2", "home E 3", "police E 51"],
        &["M 1..3 [0 2 3]", "M 50..51 [1 4]"],
    );
}

#[test]
fn a_reference_outweighs_pairing_by_time() {
    assert_episodes(
        &["police M 1", "police M 10", "home E 4 of 0", "home E 12"],
        &["M 1..4 [0 2]", "M 10..12 [1 3]"],
    );
    // The police end what the council began, and with it what they began themselves.
    assert_episodes(&["police M 1", "home M 3", "police E 20 of 1"], &["M 1..20 [0 1 2]"]);
    // A start whose end refers to it still bounds the one before it.
    assert_episodes(&["police M 1", "police M 50", "police E 52 of 1"], &["M 1..? [0]", "M 50..52 [1 2]"]);
    // An end before its start refers to nothing.
    assert_episodes(&["police M 5", "police E 3 of 0"], &["- ?..3 [1]", "M 5..open [0]"]);
}

#[test]
fn a_late_report_can_join_two_episodes() {
    let two = ["police M 1", "police E 4", "police M 6", "police E 9"];
    assert_episodes(&two, &["M 1..4 [0 1]", "M 6..9 [2 3]"]);
    assert_episodes(&[&two[..], &["home M 2", "home E 8"]].concat(), &["M 1..9 [0 1 2 3 4 5]"]);
}
