//! What is asked, page by page and while the log grows.

use gt_core::agency::AgencyCode;
use gt_core::position::TreeSize;
use gt_core::statement::EventType;
use gt_projections::{
    AlertFilter, AlertId, AlertStatus, ApplyError, AsOf, DecisionFilter, Page, Pattern, QueryError,
    StatusFilter, Subject,
};
use serde_json::json;

use crate::fixture::*;

fn decisions() -> Views {
    let agency = |n: usize| [POLICE, COUNCIL][n % 2];
    let what = |n: usize| ["Share", "Withhold", "SharePart"][n % 3];
    let decision = |n: usize| {
        decided(
            &n.to_string(),
            agency(n),
            u8::try_from(n % 4).unwrap(),
            what(n),
            NEW_YEAR + i64::try_from(n).unwrap() * DAY,
        )
    };
    // Received in another order than decided.
    Views::of(&(0..24).map(|n| decision(n * 7 % 24)).collect::<Vec<_>>())
}

fn days(views: &Views, filter: &DecisionFilter, page: &Page) -> Vec<i64> {
    let items = views.queries().decisions(filter, page).unwrap().items;
    items.iter().map(|row| (row.occurred_at.unwrap().as_millis() - NEW_YEAR) / DAY).collect()
}

#[test]
fn decisions_are_filtered_and_listed_by_event_time() {
    let views = decisions();
    let all = Page::default();
    assert_eq!(days(&views, &DecisionFilter::default(), &all), (0..24).collect::<Vec<_>>());
    let backwards = Page { newest_first: true, limit: 3, ..Page::default() };
    assert_eq!(days(&views, &DecisionFilter::default(), &backwards), [23, 22, 21]);
    let of = |filter| days(&views, &filter, &Page::default());
    let police = Some(AgencyCode::parse(POLICE).unwrap());
    assert_eq!(of(DecisionFilter { child: Some(owner(1)), ..Default::default() }), [1, 5, 9, 13, 17, 21]);
    assert_eq!(
        of(DecisionFilter { agency: police.clone(), ..Default::default() }),
        (0..24).step_by(2).collect::<Vec<_>>()
    );
    assert_eq!(
        of(DecisionFilter {
            agency: police.clone(),
            decision: Some("Withhold".into()),
            ..Default::default()
        }),
        [4, 10, 16, 22]
    );
    assert_eq!(
        of(DecisionFilter { child: Some(owner(1)), agency: police.clone(), ..Default::default() }),
        [0_i64; 0]
    );
    assert_eq!(
        of(DecisionFilter {
            from: Some(at(NEW_YEAR + 3 * DAY)),
            to: Some(at(NEW_YEAR + 5 * DAY)),
            ..Default::default()
        }),
        [3, 4, 5]
    );
    assert_eq!(of(DecisionFilter { recipient: police, ..Default::default() }), [0_i64; 0]);
    assert_eq!(
        of(DecisionFilter { harm_level: Some("SignificantHarm".into()), ..Default::default() }).len(),
        24
    );
    assert_eq!(of(DecisionFilter { trigger: Some("Meeting".into()), ..Default::default() }), [0_i64; 0]);
}

#[test]
fn pages_cover_a_list_without_gap_or_repetition() {
    let views = decisions();
    let filter = DecisionFilter { agency: Some(AgencyCode::parse(COUNCIL).unwrap()), ..Default::default() };
    for newest_first in [false, true] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = Page { limit: 5, cursor, newest_first, ..Page::default() };
            seen.extend(days(&views, &filter, &page));
            let answer = views.queries().decisions(&filter, &page).unwrap();
            (cursor, pages) = (answer.next, pages + 1);
            if cursor.is_none() {
                break;
            }
        }
        if newest_first {
            seen.reverse();
        }
        assert_eq!(seen, (1..24).step_by(2).collect::<Vec<_>>());
        assert_eq!(pages, 3);
    }
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let views = decisions();
    let page = |cursor: &str| Page { limit: 2, cursor: Some(cursor.to_owned()), ..Page::default() };
    let next = views
        .queries()
        .decisions(&DecisionFilter::default(), &Page { limit: 2, ..Page::default() })
        .unwrap()
        .next;
    let of_child = DecisionFilter { child: Some(owner(1)), ..Default::default() };
    for cursor in [next.as_deref().unwrap(), "", "AB", "!", &"A".repeat(5000)] {
        let refused = views.queries().decisions(&of_child, &page(cursor));
        assert!(matches!(refused, Err(QueryError::Cursor)), "{cursor}");
    }
}

#[test]
fn answers_hold_no_pseudonym_and_say_what_they_reflect() {
    let mut events: Vec<Event> =
        (1..4).map(|child| linked(&format!("l{child}"), SCHOOL, child, 7, NEW_YEAR)).collect();
    events.push(started("s", POLICE, 1, "Missing", NEW_YEAR + DAY));
    let views = Views::of(&events);
    let (queries, page) = (views.queries(), Page::default());
    let answers = [
        json!(queries.timeline(&owner(1), None, None, &page).unwrap()),
        json!(queries.context(&context(7), None, None, &page).unwrap()),
        json!(queries.missing_episodes(&owner(1), &page).unwrap()),
        json!(queries.alerts(&AlertFilter::default(), &page).unwrap()),
    ];
    for answer in &answers {
        assert_eq!(answer["as_of"], json!(head_after(&seal_all(&events))));
        assert_eq!(answer["as_of"]["tree_size"], 4);
        let text = answer.to_string();
        assert!(!text.contains("secret") && !text.contains("uprn") && !text.contains(&place(7)), "{text}");
    }
    assert_eq!(answers[0]["items"][0]["type"], "context.linked");
    assert_eq!(answers[0]["items"][1]["codes"], json!({"kind": "Missing", "from": "Home", "risk": "Medium"}));
    assert_eq!(answers[1]["items"][2]["child"], owner(3).to_string());
    assert_eq!(answers[2]["items"][0]["state"], "open");
    assert_eq!(answers[3]["items"][0]["pattern"], "shared-location");
    assert_eq!(answers[3]["items"][0]["subject"], json!({"kind": "context", "id": context(7).to_string()}));
    let dump = views.projector.dump().unwrap();
    assert!(!dump.windows(6).any(|bytes| bytes == b"secret" || bytes == b"uprn.1"), "nor do the rows");
}

#[test]
fn alerts_are_found_by_id_pattern_subject_and_status() {
    let events: Vec<Event> =
        (1..4).map(|child| linked(&format!("l{child}"), SCHOOL, child, 7, NEW_YEAR)).collect();
    let views = Views::of(&events);
    let (queries, page) = (views.queries(), Page::default());
    let (id, version) = (views.alerts()[0].id, views.alerts()[0].version);
    assert_eq!(
        version,
        Pattern::SharedLocation.version(),
        "an alert says by which version of its rule it was found"
    );
    assert_eq!(AlertId::parse(&id.to_string()), Some(id));
    assert_eq!(queries.alert(&id, &page).unwrap().items, views.alerts());
    let unknown = AlertId::parse(&owner(9).to_string()).unwrap();
    assert_eq!(queries.alert(&unknown, &page).unwrap().items, []);
    let count = |filter| queries.alerts(&filter, &page).unwrap().items.len();
    let any = AlertFilter::default;
    assert_eq!(count(AlertFilter { pattern: Some(Pattern::SharedLocation), ..any() }), 1);
    assert_eq!(count(AlertFilter { pattern: Some(Pattern::RepeatMissing), ..any() }), 0);
    assert_eq!(count(AlertFilter { subject: Some(Subject::Context(context(7))), ..any() }), 1);
    assert_eq!(count(AlertFilter { subject: Some(Subject::Context(context(8))), ..any() }), 0);
    assert_eq!(count(AlertFilter { status: Some(StatusFilter::Waiting), ..any() }), 1);
    assert_eq!(count(AlertFilter { status: Some(StatusFilter::Is(AlertStatus::Retracted)), ..any() }), 0);
}

#[test]
fn what_cannot_be_read_is_counted_and_stops_nothing() {
    let events: Vec<Event> = (0..6).map(|n| linked(&n.to_string(), SCHOOL, n, 7, NEW_YEAR)).collect();
    let mut records = seal_all(&events);
    records[0].statement = None;
    records[1].statement.as_mut().unwrap().disclosed.remove("child");
    records[2].statement.as_mut().unwrap().disclosed.remove("times");
    records[3].statement.as_mut().unwrap().disclosed.remove("context");
    records[4].event_type = EventType::parse("publisher.registered").unwrap();
    let context_value =
        &mut records[5].statement.as_mut().unwrap().disclosed.get_mut("context").unwrap()[0].value;
    *context_value = json!({"ref": "The Copper Kettle, High Street"});
    let views = Views::of_records(&records);
    let unread = views.queries().status().unwrap().unread;
    assert_eq!(
        json!(unread),
        json!({
            "statements": 1, "members": {"child": 1, "times": 1, "context": 2}, "types": {"publisher.registered": 1}
        })
    );
    let timeline = views.queries().timeline(&owner(2), None, None, &Page::default()).unwrap().items;
    assert_eq!((timeline[0].occurred_at, timeline[0].received_at), (None, received(2)));
    assert_eq!(views.queries().timeline(&owner(3), None, None, &Page::default()).unwrap().items.len(), 1);
    assert_eq!(views.queries().timeline(&owner(1), None, None, &Page::default()).unwrap().items.len(), 0);
}

#[test]
fn gaps_and_heads_that_do_not_fit_are_refused_and_change_nothing() {
    let events: Vec<Event> = (0..6).map(|n| linked(&n.to_string(), SCHOOL, n, 7, NEW_YEAR)).collect();
    let records = seal_all(&events);
    let Views { mut projector, folder: _folder, .. } = Views::of_records(&records[..2]);
    let before = projector.dump().unwrap();
    let gap = projector.apply(&records[3..], head_after(&records), &Naming);
    assert!(matches!(gap, Err(ApplyError::Gap { expected, found }) if (expected.0, found.0) == (2, 3)));
    let swapped = [records[2].clone(), records[4].clone(), records[3].clone()];
    assert!(matches!(projector.apply(&swapped, head_after(&records), &Naming), Err(ApplyError::Gap { .. })));
    let wrong = AsOf { tree_size: TreeSize(5), ..head_after(&records) };
    assert!(matches!(projector.apply(&records[2..], wrong, &Naming), Err(ApplyError::Head { .. })));
    assert_eq!(projector.apply(&[], AsOf::EMPTY, &Naming).unwrap(), []);
    assert_eq!((projector.position(), projector.dump().unwrap()), (TreeSize(2), before));
    apply(&mut projector, &records);
    assert_eq!(projector.position(), TreeSize(6));
}

#[test]
fn answers_are_whole_while_the_log_grows() {
    let events: Vec<Event> =
        (0..600).map(|n| linked(&n.to_string(), SCHOOL, 1, 7, NEW_YEAR + n % 7)).collect();
    let records = seal_all(&events);
    let Views { mut projector, folder: _folder, .. } = Views::of_records(&records[..1]);
    let queries = projector.queries();
    let asker = std::thread::spawn(move || {
        let page = Page { limit: 500, ..Page::default() };
        loop {
            let first = queries.timeline(&owner(1), None, None, &page).unwrap();
            let size = usize::try_from(first.as_of.tree_size.0).unwrap();
            assert_eq!(first.items.len(), size.min(500));
            if size == 600 {
                break;
            }
        }
    });
    for batch in records[1..].chunks(7) {
        apply(&mut projector, batch);
    }
    asker.join().unwrap();
}
