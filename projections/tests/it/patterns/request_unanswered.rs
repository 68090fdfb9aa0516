//! `request-unanswered`.

use gt_core::position::LeafIndex;
use gt_projections::AlertStatus;
use gt_projections::Pattern::RequestUnanswered;
use serde_json::json;

use super::{assert_none, assert_retracted, only};
use crate::fixture::*;

/// When a request came: the evening before the clocks change.
const T: i64 = 1_774_720_800_000;
const LATER: i64 = T + 1000 * DAY;

fn request(rating: &str) -> Event {
    requested("request", SCHOOL, 1, rating, T)
}

/// The request, received at once, and others with when they are received.
fn views(others: &[(i64, Event)]) -> Views {
    let mut events = vec![(T, request("Red"))];
    events.extend(others.iter().cloned());
    Views::received(&events)
}

#[test]
fn a_request_is_due_by_its_rating_in_elapsed_hours_or_when_it_says() {
    assert_eq!(T, time("2026-03-28T18:00:00Z"));
    let said = T + 200 * HOUR;
    let cases = [
        (request("Red"), T + 4 * HOUR),
        (request("Amber"), T + 24 * HOUR),
        (request("Green"), T + 72 * HOUR),
        (request("Red").timed("due_at", said), said),
        (request("Green").timed("due_at", T + 1), T + 1),
    ];
    for (request, due) in cases {
        let views = Views::received(&[(T, request)]);
        assert_none(&views.now(RequestUnanswered, due));
        let found = views.now(RequestUnanswered, due + 1);
        assert_eq!((only(&found).raised_at, only(&found).window.to), (at(due + 1), at(due)));
    }
}

#[test]
fn the_alert_names_the_agency_and_the_request() {
    let found = views(&[]).now(RequestUnanswered, LATER);
    let alert = only(&found);
    assert_eq!((&alert.entries[..], alert.raised_by), (&[LeafIndex(0)][..], LeafIndex(0)));
    assert_eq!(
        alert.sentence,
        "gias:123456 did not answer a request about a child when it was due, 4 hours after it came."
    );
}

#[test]
fn an_answer_by_the_due_time_itself_counts_and_a_millisecond_later_does_not() {
    let due = T + 4 * HOUR;
    let decision = |time| decided("decision", SCHOOL, 1, "Share", time).refers("request", "request");
    let by_another = |time| answered("answer", COUNCIL, 1, time).refers("request", "request");
    let kinds: [fn(i64) -> Event; 5] = [
        |time| answered("answer", SCHOOL, 1, time),
        |time| refused("refusal", SCHOOL, 1, time),
        |time| answered("answer", SCHOOL, 1, time).refers("request", "request"),
        decision,
        by_another,
    ];
    for kind in kinds {
        let found = |time| views(&[(time, kind(time))]).now(RequestUnanswered, LATER);
        assert_none(&found(due));
        assert_eq!(only(&found(due + 1)).status, AlertStatus::Open, "{:?}", kind(due));
    }
}

#[test]
fn what_belongs_to_nothing_or_to_another_request_is_no_answer() {
    let before = answered("answer", SCHOOL, 1, T - 1);
    let cases = [
        before,
        answered("answer", POLICE, 1, T),
        answered("answer", SCHOOL, 2, T),
        answered("answer", SCHOOL, 1, T).refers("request", "another"),
        decided("decision", SCHOOL, 1, "Share", T),
    ];
    for event in cases {
        let found = views(&[(T, event.clone())]).now(RequestUnanswered, LATER);
        assert_eq!(found.len(), 1, "{event:?}");
    }
}

#[test]
fn an_answer_without_a_reference_belongs_to_the_earliest_request_that_has_none() {
    let second = requested("second", SCHOOL, 1, "Red", T + HOUR);
    let answer = |name: &str, hour| answered(name, SCHOOL, 1, T + hour * HOUR);
    let open = |others: &[Event]| {
        let others: Vec<(i64, Event)> = others.iter().map(|event| (T + DAY, event.clone())).collect();
        let found = views(&others).standing(RequestUnanswered);
        found.iter().map(|alert| alert.entries[0].0).collect::<Vec<_>>()
    };
    assert_eq!(open(std::slice::from_ref(&second)), [0, 1]);
    assert_eq!(open(&[second.clone(), answer("one", 2)]), [1]);
    assert_eq!(open(&[second.clone(), answer("one", 2), answer("two", 3)]), [0_u64; 0]);
    let named = answer("named", 3).refers("request", "request");
    assert_eq!(open(&[second.clone(), named.clone()]), [1]);
    assert_eq!(open(&[second, named, answer("one", 2)]), [0_u64; 0], "the named one is not used up");
}

#[test]
fn an_answer_in_time_that_is_reported_late_retracts_the_alert_and_a_late_one_does_not() {
    let (due, reported) = (T + 4 * HOUR, T + 3 * DAY);
    let in_time = views(&[(reported, answered("answer", SCHOOL, 1, due))]);
    assert_none(&in_time.as_of(RequestUnanswered, due));
    assert_eq!(only(&in_time.as_of(RequestUnanswered, due + 1)).status, AlertStatus::Open);
    assert_eq!(only(&in_time.as_of(RequestUnanswered, reported - 1)).status, AlertStatus::Open);
    assert_retracted(&in_time.as_of(RequestUnanswered, reported));
    let late = views(&[(reported, answered("answer", SCHOOL, 1, due + 1))]);
    assert_eq!(only(&late.of_pattern(RequestUnanswered)).status, AlertStatus::Open);
}

#[test]
fn an_answer_that_is_taken_back_was_none() {
    let (due, after) = (T + 4 * HOUR, T + 2 * DAY);
    let answer = (T + HOUR, answered("answer", SCHOOL, 1, T + HOUR));
    let mistake = (after, answered("mistake", SCHOOL, 2, T + HOUR).refers("supersedes", "answer"));
    let views = views(&[answer, mistake]);
    assert_none(&views.as_of(RequestUnanswered, after - 1));
    let found = views.of_pattern(RequestUnanswered);
    assert_eq!((only(&found).raised_at, only(&found).window.to), (at(after), at(due)));
}

#[test]
fn an_answer_under_another_identifier_counts_while_they_are_linked() {
    let answer = (T + HOUR, answered("answer", SCHOOL, 2, T + HOUR));
    let link = (T + 2 * HOUR, identity("one child", true, (1, 2), T));
    let unlink = (T + 3 * HOUR, identity("two children", false, (1, 2), T + HOUR));
    assert_none(&views(&[answer.clone(), link.clone()]).now(RequestUnanswered, LATER));
    let views = views(&[answer, link, unlink]);
    assert_none(&views.now(RequestUnanswered, T + 4 * HOUR));
    only(&views.now(RequestUnanswered, T + 4 * HOUR + 1));
}

#[test]
fn an_answer_to_a_request_that_was_replaced_is_one_to_what_replaced_it() {
    let again = |name: &str, agency, of: &str| {
        requested(name, agency, 1, "Red", T).clear("categories", json!(["Health"])).refers("supersedes", of)
    };
    let kinds: [fn() -> Event; 3] = [
        || answered("answer", SCHOOL, 1, T + HOUR).refers("request", "request"),
        || refused("refusal", SCHOOL, 1, T + HOUR).refers("request", "request"),
        || decided("decision", SCHOOL, 1, "Share", T + HOUR).refers("request", "request"),
    ];
    for answer in kinds {
        let (second, third) = (again("second", SCHOOL, "request"), again("third", SCHOOL, "second"));
        let orders = [[answer(), second.clone(), third.clone()], [third, second, answer()]];
        for order in orders {
            let events: Vec<(i64, Event)> =
                (1..).zip(order).map(|(hour, event)| (T + hour * HOUR, event)).collect();
            assert_none(&views(&events).now(RequestUnanswered, LATER));
        }
        // Nobody replaces what another agency was asked.
        let events = [(T + HOUR, answer()), (T + HOUR, again("of another", POLICE, "request"))];
        assert_eq!(only(&views(&events).now(RequestUnanswered, LATER)).entries, [LeafIndex(2)]);
    }
}
