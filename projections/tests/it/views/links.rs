//! Places, persons and identifiers, and the children linked to them.

use std::cmp::Reverse;

use gt_core::time::Timestamp;
use gt_ledger::record::ContextId;
use gt_projections::{DecisionFilter, LinkedFilter, LinkedSort, Page, QueryError};
use serde_json::json;

use super::{after, code, entries, said, views};
use crate::fixture::*;

fn identified(name: &str, kind: &'static str, one: u8, other: u8, time: i64) -> Event {
    let clear = json!({"evidence": "DocumentSeen", "confidence": "Confirmed"});
    said(name, kind, SCHOOL, one, time, clear, json!({"identifiers": [one, other]}))
}

fn person_linked(name: &str, child: u8, person: u8, time: i64) -> Event {
    let clear = json!({"risk": "CSE", "source": "Peer", "nature": "Allegation"});
    said(name, "person.linked", POLICE, child, time, clear, json!({"person": [person]}))
}

/// Three children at place 7, of whom two are one; one at place 8. A person under two identifiers, with two children.
fn links() -> Views {
    let mut account = linked("other", POLICE, 4, 8, NEW_YEAR + 9 * DAY);
    account.clear["kind"] = json!("OnlineAccount");
    account.clear["risk"] = json!("CSE");
    views(&[
        linked("a", SCHOOL, 1, 7, NEW_YEAR),
        linked("b", SCHOOL, 2, 7, NEW_YEAR + DAY),
        linked("c", COUNCIL, 3, 7, NEW_YEAR + 2 * DAY),
        account,
        person_linked("p", 1, 101, NEW_YEAR + DAY),
        person_linked("q", 4, 102, NEW_YEAR + 3 * DAY),
        identified("same", "identifier.linked", 1, 2, NEW_YEAR + 5 * DAY),
        identified("one", "identifier.linked", 101, 102, NEW_YEAR + 5 * DAY),
        said(
            "end",
            "context.unlinked",
            SCHOOL,
            2,
            NEW_YEAR + 6 * DAY,
            json!({"kind": "Place"}),
            json!({"context": {"ref": place(7)}}),
        ),
    ])
}

#[test]
fn contexts_are_listed_with_the_number_of_different_children() {
    let views = links();
    let queries = views.queries();
    let of = |filter: LinkedFilter, sort, page: &Page| {
        let items = queries.contexts(&filter, sort, &|_| false, page).unwrap().items;
        items.iter().map(|row| (row.context, row.children, row.links)).collect::<Vec<_>>()
    };
    let (cafe, account) = ((context(7), 2, 3), (context(8), 1, 1));
    let page = Page::default();
    assert_eq!(of(LinkedFilter::default(), LinkedSort::Children, &page), [cafe, account]);
    assert_eq!(of(LinkedFilter::default(), LinkedSort::Last, &page), [account, cafe]);
    assert_eq!(
        of(LinkedFilter::default(), LinkedSort::Children, &after(5)),
        [(context(7), 3, 3), account],
        "before anybody said that two of them are one"
    );
    let filter = || LinkedFilter::default();
    assert_eq!(of(LinkedFilter { children: Some(2), ..filter() }, LinkedSort::Children, &page), [cafe]);
    assert_eq!(
        of(LinkedFilter { kind: Some("OnlineAccount".into()), ..filter() }, LinkedSort::Last, &page),
        [account]
    );
    assert_eq!(of(LinkedFilter { risk: Some("CCE".into()), ..filter() }, LinkedSort::Last, &page), [cafe]);
    assert_eq!(of(LinkedFilter { agency: Some(code(COUNCIL)), ..filter() }, LinkedSort::Last, &page), [cafe]);
    let late =
        LinkedFilter { from: Some(at(NEW_YEAR + 2 * DAY)), to: Some(at(NEW_YEAR + 3 * DAY)), ..filter() };
    assert_eq!(of(late, LinkedSort::Children, &page), [(context(7), 1, 1)]);
}

/// Twelve places: of some, links are replaced by ones to another child, and some of their children are one.
fn many_links() -> Views {
    let mut events = Vec::new();
    for n in 0..90_u8 {
        let (child, of) = (n.wrapping_mul(37) % 11, n.wrapping_mul(n) % 12);
        let agency = [SCHOOL, COUNCIL, POLICE][usize::from(n % 3)];
        events.push(linked(&n.to_string(), agency, child, of, NEW_YEAR + i64::from(n % 20) * DAY));
    }
    for n in [4_u8, 9, 16, 25, 36] {
        let agency = [SCHOOL, COUNCIL, POLICE][usize::from(n % 3)];
        let link = linked(&format!("{n} again"), agency, 1, n.wrapping_mul(n) % 12, NEW_YEAR);
        events.push(link.refers("supersedes", &n.to_string()));
    }
    events.push(identified("same", "identifier.linked", 1, 2, NEW_YEAR));
    events.push(identified("one", "identifier.linked", 3, 7, NEW_YEAR));
    views(&events)
}

#[test]
fn pages_of_contexts_by_their_children_are_those_of_the_whole_list() {
    let views = many_links();
    let queries = views.queries();
    let all = |filter: &LinkedFilter, sort, limit, page: &Page| {
        let (mut rows, mut cursor) = (Vec::new(), None);
        loop {
            let answer =
                queries.contexts(filter, sort, &|_| false, &Page { limit, cursor, ..page.clone() }).unwrap();
            rows.extend(answer.items);
            cursor = answer.next;
            if cursor.is_none() {
                return rows;
            }
        }
    };
    let filter = LinkedFilter::default;
    let filters = [
        filter(),
        LinkedFilter { children: Some(4), ..filter() },
        LinkedFilter { agency: Some(code(POLICE)), ..filter() },
        LinkedFilter { from: Some(at(NEW_YEAR + 5 * DAY)), to: Some(at(NEW_YEAR + 9 * DAY)), ..filter() },
    ];
    for filter in &filters {
        for page in [Page::default(), after(40), after(91)] {
            let mut expected = all(filter, LinkedSort::Reference, 500, &page);
            assert!(expected.len() > 2, "{filter:?} {page:?}");
            expected.sort_by_key(|row| (Reverse(row.children), Reverse(row.last_at), row.context));
            for limit in [1, 3, 500] {
                assert_eq!(all(filter, LinkedSort::Children, limit, &page), expected, "{filter:?} {page:?}");
            }
        }
    }
}

#[test]
fn contexts_by_reference_are_read_page_by_page_from_either_side() {
    let events: Vec<Event> =
        (0..9).map(|n| linked(&n.to_string(), SCHOOL, 1, n, NEW_YEAR + i64::from(n))).collect();
    let views = views(&events);
    let mut expected: Vec<ContextId> = (0..9).map(context).collect();
    expected.sort_by_key(|context| *context.as_bytes());
    for newest_first in [false, true] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = Page { limit: 2, cursor, newest_first, ..Page::default() };
            let answer = views
                .queries()
                .contexts(&LinkedFilter::default(), LinkedSort::Reference, &|_| false, &page)
                .unwrap();
            seen.extend(answer.items.iter().map(|row| row.context));
            cursor = answer.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
        expected.reverse();
    }
    for cursor in ["", "AAAA", "!", "n3"] {
        let page = Page { cursor: Some(cursor.to_owned()), ..Page::default() };
        let refused =
            views.queries().contexts(&LinkedFilter::default(), LinkedSort::Reference, &|_| false, &page);
        assert!(matches!(refused, Err(QueryError::Cursor)), "{cursor}");
    }
}

#[test]
fn a_link_says_when_it_ended_and_still_counts() {
    let views = links();
    let items = views.queries().context(&context(7), None, None, &Page::default()).unwrap().items;
    let ends: Vec<Option<Timestamp>> = items.iter().map(|link| link.ended_at).collect();
    let end = Some(at(NEW_YEAR + 6 * DAY));
    assert_eq!(ends, [end, end, None], "the first two are one child");
}

#[test]
fn a_person_under_two_identifiers_is_listed_once_with_both_children() {
    let views = links();
    let (queries, page) = (views.queries(), Page::default());
    for sort in [LinkedSort::Children, LinkedSort::Reference] {
        let people = queries.persons(&LinkedFilter::default(), sort, &|_| false, &page).unwrap().items;
        let [person] = &people[..] else { panic!("one person, not {}", people.len()) };
        assert_eq!((person.person, person.children, person.links), (owner(101), 2, 2));
        assert_eq!((person.first_at, person.last_at), (at(NEW_YEAR + DAY), at(NEW_YEAR + 3 * DAY)));
    }
    assert_eq!(
        queries
            .persons(&LinkedFilter::default(), LinkedSort::Last, &|_| false, &after(5))
            .unwrap()
            .items
            .len(),
        2
    );
    for id in [101, 102] {
        let links = queries.person(&owner(id), None, None, &page).unwrap();
        assert_eq!(entries(&links, |link| link.index), [4, 5]);
        assert_eq!((links.items[1].child, links.items[1].nature), (Some(owner(4)), "Allegation"));
    }
    let first = queries.person(&owner(101), None, Some(at(NEW_YEAR + 2 * DAY)), &page).unwrap();
    assert_eq!(entries(&first, |link| link.index), [4]);
}

#[test]
fn decisions_about_a_place_and_a_person_are_about_children_linked_to_both() {
    let mut events = vec![
        linked("a", SCHOOL, 1, 7, NEW_YEAR),
        linked("b", SCHOOL, 2, 7, NEW_YEAR),
        person_linked("p", 2, 101, NEW_YEAR),
        person_linked("q", 3, 101, NEW_YEAR),
    ];
    events.extend((1..5).map(|n| decided(&n.to_string(), POLICE, n, "Share", NEW_YEAR + i64::from(n))));
    let views = views(&events);
    let of = |filter: DecisionFilter| {
        entries(&views.queries().decisions(&filter, &Page::default()).unwrap(), |row| row.index)
    };
    let (place, person) = (Some(context(7)), Some(owner(101)));
    assert_eq!(of(DecisionFilter { context: place, ..Default::default() }), [4, 5]);
    assert_eq!(of(DecisionFilter { person, ..Default::default() }), [5, 6]);
    assert_eq!(of(DecisionFilter { context: place, person, ..Default::default() }), [5]);
    assert_eq!(of(DecisionFilter { child: Some(owner(1)), person, ..Default::default() }), [0_u64; 0]);
}

#[test]
fn identities_are_a_group_with_the_entries_that_say_so() {
    let views = views(&[
        identified("ab", "identifier.linked", 1, 2, NEW_YEAR),
        identified("bc", "identifier.linked", 2, 3, NEW_YEAR),
        identified("not", "identifier.unlinked", 2, 3, NEW_YEAR + DAY),
    ]);
    let group = |child: u8, page: &Page| {
        let items = views.queries().identities(&owner(child), page).unwrap().items;
        items.iter().map(|identity| identity.id).collect::<Vec<_>>()
    };
    assert_eq!(group(2, &Page::default()), [owner(1), owner(2)]);
    assert_eq!(group(1, &after(1)), [owner(1), owner(2), owner(3)]);
    assert_eq!(group(3, &Page::default()), [owner(3)]);
    assert_eq!(group(9, &Page::default()), [owner(9)]);
    let items = views.queries().identities(&owner(1), &Page::default()).unwrap().items;
    assert!(items[0].stands_for_all && !items[1].stands_for_all);
    let said: Vec<_> =
        items[1].links.iter().map(|link| (link.index.0, link.other, link.linked, link.holds)).collect();
    assert_eq!(said, [(0, owner(1), true, true), (1, owner(3), true, false), (2, owner(3), false, false)]);
    assert_eq!((items[0].links[0].evidence, items[0].links[0].confidence), ("DocumentSeen", "Confirmed"));
}
