//! Requests and their clocks.

use gt_core::position::LeafIndex;
use gt_projections::{Page, RequestFilter, RequestRow, RequestStatus, RequestsWanted};
use serde_json::json;

use super::{after, code, entries, now, said, views};
use crate::fixture::*;

fn request(name: &str, agency: &'static str, child: u8, rating: &str, time: i64) -> Event {
    let clear = json!({"from": SCHOOL, "verified": true, "categories": ["Welfare"], "rating": rating});
    said(name, "request.received", agency, child, time, clear, json!({}))
}

fn answered(name: &str, agency: &'static str, child: u8, time: i64, request: &str) -> Event {
    said(name, "request.answered", agency, child, time, json!({"to": SCHOOL}), json!({}))
        .refers("request", request)
}

/// When the log of the fixture begins to receive.
fn begin() -> i64 {
    received(0).as_millis()
}

/// Red, amber, green and another red one; the amber one is answered late, the last red one was a mistake.
fn requests() -> Views {
    let begin = begin();
    let mut due = request("late", POLICE, 2, "Amber", begin);
    due.disclosed["times"]["due_at"] = json!(at(begin + 2 * HOUR).to_string());
    views(&[
        request("red", POLICE, 1, "Red", begin),
        due,
        request("green", COUNCIL, 1, "Green", begin),
        request("mistake", COUNCIL, 3, "Red", begin),
        request("again", COUNCIL, 3, "Green", begin).refers("supersedes", "mistake"),
        started("m", POLICE, 9, "Missing", begin),
        answered("answer", POLICE, 2, begin + 3 * HOUR, "late"),
    ])
}

fn asked(views: &Views, filter: &RequestFilter, page: &Page) -> Vec<u64> {
    entries(&views.queries().requests(filter, page).unwrap(), |row| row.index)
}

#[test]
fn open_requests_are_listed_by_when_they_are_due_with_their_clocks() {
    let (views, begin) = (requests(), begin());
    let page = now(begin + 5 * HOUR);
    let rows = views.queries().requests(&RequestFilter::default(), &page).unwrap().items;
    let brief = |row: &RequestRow| (row.index.0, row.state, row.left_ms / HOUR);
    assert_eq!(
        rows.iter().map(brief).collect::<Vec<_>>(),
        [(0, RequestStatus::Overdue, -1), (2, RequestStatus::Open, 67), (4, RequestStatus::Open, 67)]
    );
    assert_eq!((rows[0].requester.as_deref(), rows[0].rating), (Some(SCHOOL), "Red"));
    assert_eq!((rows[0].due_at, rows[0].answered_by), (at(begin + 4 * HOUR), None));
    let at_due = views.queries().requests(&RequestFilter::default(), &now(begin + 4 * HOUR)).unwrap();
    assert_eq!(at_due.items[0].state, RequestStatus::Open, "due is not yet overdue");
    let backwards = Page { newest_first: true, ..page };
    assert_eq!(asked(&views, &RequestFilter::default(), &backwards), [4, 2, 0]);
}

#[test]
fn requests_are_filtered_and_an_answer_says_how_late_it_was() {
    let (views, begin) = (requests(), begin());
    let page = now(begin + 5 * HOUR);
    let any = || RequestFilter { state: RequestsWanted::All, ..RequestFilter::default() };
    let of = |filter: RequestFilter| asked(&views, &filter, &page);
    assert_eq!(of(any()), [1, 0, 2, 4]);
    assert_eq!(of(RequestFilter { state: RequestsWanted::Overdue, ..any() }), [0]);
    assert_eq!(of(RequestFilter { agency: Some(code(POLICE)), ..any() }), [1, 0]);
    assert_eq!(
        of(RequestFilter { requester: Some(code(SCHOOL)), rating: Some("Green".into()), ..any() }),
        [2, 4]
    );
    assert_eq!(of(RequestFilter { requester: Some(code(POLICE)), ..any() }), [0_u64; 0]);
    assert_eq!(of(RequestFilter { child: Some(owner(1)), ..any() }), [0, 2]);
    assert_eq!(of(RequestFilter { child: Some(owner(3)), ..any() }), [4], "the mistake was replaced");
    let (from, to) = (Some(at(begin + 4 * HOUR)), Some(at(begin + 4 * HOUR)));
    assert_eq!(of(RequestFilter { from, to, ..any() }), [0]);
    let done = RequestFilter { state: RequestsWanted::Answered, ..any() };
    let answered = views.queries().requests(&done, &page).unwrap().items;
    let [row] = &answered[..] else { panic!("one is answered") };
    assert_eq!(
        (row.index, row.answered_by, row.answer),
        (LeafIndex(1), Some(LeafIndex(6)), Some("request.answered"))
    );
    assert_eq!((row.answered_at, row.left_ms), (Some(at(begin + 3 * HOUR)), -HOUR));
}

#[test]
fn requests_of_the_past_have_no_answer_yet_and_their_mistakes() {
    let views = requests();
    assert_eq!(asked(&views, &RequestFilter::default(), &after(1)), [1, 0]);
    // Entries 2 and 3 came in one minute, 4 and 5 in the next.
    assert_eq!(asked(&views, &RequestFilter::default(), &after(3)), [1, 0, 3, 2]);
    assert_eq!(asked(&views, &RequestFilter::default(), &after(5)), [1, 0, 2, 4]);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = Page { limit: 1, cursor, ..after(5) };
        let answer = views.queries().requests(&RequestFilter::default(), &page).unwrap();
        seen.extend(entries(&answer, |row| row.index));
        cursor = answer.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [1, 0, 2, 4], "page by page");
}

#[test]
fn an_answer_to_a_request_that_was_replaced_answers_the_one_that_is_listed() {
    let begin = begin();
    let views = views(&[
        request("first", POLICE, 1, "Amber", begin),
        answered("answer", POLICE, 1, begin + HOUR, "first"),
        request("second", POLICE, 1, "Amber", begin).refers("supersedes", "first"),
        request("third", POLICE, 1, "Amber", begin).refers("supersedes", "second"),
    ]);
    let page = now(begin + 30 * HOUR);
    assert_eq!(asked(&views, &RequestFilter::default(), &page), [0_u64; 0], "none is open");
    for child in [None, Some(owner(1))] {
        let done = RequestFilter { state: RequestsWanted::Answered, child, ..RequestFilter::default() };
        let answered = views.queries().requests(&done, &page).unwrap().items;
        let [row] = &answered[..] else { panic!("one is answered") };
        assert_eq!((row.index, row.answered_by), (LeafIndex(3), Some(LeafIndex(1))));
        assert_eq!(row.answered_at, Some(at(begin + HOUR)));
    }
}
