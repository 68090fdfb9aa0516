//! The views for analysts: who asks whom and until when, what and who links children, who shares with whom, what the rules
//! say, and which agreements are to be reviewed; all of it as the ledger stood at any time.

use gt_core::agency::AgencyCode;
use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::{ContextId, OpenElement, Record};
use gt_projections::{
    AgreementFilter, AgreementSort, Answer, ContextNaming as _, DecisionFilter, FindingFilter, FindingSort,
    LinkedFilter, LinkedSort, Page, QueryError, RequestFilter, RequestRow, RequestStatus, RequestsWanted,
    SharingFilter, SharingSort,
};
use gt_schemas::{Configuration, FindingCode};
use serde_json::{Value, json};

use crate::fixture::*;

const HOUR: i64 = 60 * MINUTE;

/// An event of any type: its codes, and what it discloses besides its child and its time.
fn said(
    name: &str,
    kind: &'static str,
    agency: &'static str,
    child: u8,
    time: i64,
    clear: Value,
    disclosed: Value,
) -> Event {
    let mut event = ended(name, agency, child, time);
    (event.type_name, event.clear) = (kind, clear);
    for (member, value) in disclosed.as_object().unwrap() {
        match (event.disclosed.get_mut(member), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            _ => drop(event.disclosed.insert(member.clone(), value.clone())),
        }
    }
    event
}

/// Persons and identifiers of `said` are numbers; here they get owners of their own.
fn sealed(events: &[Event]) -> Vec<Record> {
    let mut records = seal_all(events);
    for record in &mut records {
        let about_no_child =
            ["agreement.", "identifier."].iter().any(|group| record.event_type.as_str().starts_with(group));
        let disclosed = &mut record.statement.as_mut().unwrap().disclosed;
        if about_no_child {
            disclosed.remove("child");
        }
        for member in ["person", "identifiers", "others"] {
            let Some(elements) = disclosed.get_mut(member) else { continue };
            let people = elements[0].value.as_array().unwrap().clone();
            let element = |(element, person): (u16, &Value)| OpenElement {
                owner: owner(u8::try_from(person.as_u64().unwrap()).unwrap()),
                element: element.into(),
                value: json!({"role": "PersonOfConcern"}),
            };
            *elements = (0..).zip(&people).map(element).collect();
        }
    }
    records
}

fn views(events: &[Event]) -> Views {
    Views::of_records(&sealed(events))
}

fn code(agency: &str) -> Option<AgencyCode> {
    Some(AgencyCode::parse(agency).unwrap())
}

/// As the ledger stood right after this entry.
fn after(index: u64) -> Page {
    Page { received_until: Some(received(index)), ..Page::default() }
}

fn now(time: i64) -> Page {
    Page { now: Some(at(time)), ..Page::default() }
}

fn entries<T>(answer: &Answer<T>, index: impl Fn(&T) -> LeafIndex) -> Vec<u64> {
    answer.items.iter().map(|item| index(item).0).collect()
}

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
    assert_eq!(of(RequestFilter { agency: code(POLICE), ..any() }), [1, 0]);
    assert_eq!(of(RequestFilter { requester: code(SCHOOL), rating: Some("Green".into()), ..any() }), [2, 4]);
    assert_eq!(of(RequestFilter { requester: code(POLICE), ..any() }), [0_u64; 0]);
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
        let items = queries.contexts(&filter, sort, page).unwrap().items;
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
    assert_eq!(of(LinkedFilter { agency: code(COUNCIL), ..filter() }, LinkedSort::Last, &page), [cafe]);
    let late =
        LinkedFilter { from: Some(at(NEW_YEAR + 2 * DAY)), to: Some(at(NEW_YEAR + 3 * DAY)), ..filter() };
    assert_eq!(of(late, LinkedSort::Children, &page), [(context(7), 1, 1)]);
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
            let answer =
                views.queries().contexts(&LinkedFilter::default(), LinkedSort::Reference, &page).unwrap();
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
        let refused = views.queries().contexts(&LinkedFilter::default(), LinkedSort::Reference, &page);
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
        let people = queries.persons(&LinkedFilter::default(), sort, &page).unwrap().items;
        let [person] = &people[..] else { panic!("one person, not {}", people.len()) };
        assert_eq!((person.person, person.children, person.links), (owner(101), 2, 2));
        assert_eq!((person.first_at, person.last_at), (at(NEW_YEAR + DAY), at(NEW_YEAR + 3 * DAY)));
    }
    assert_eq!(
        queries.persons(&LinkedFilter::default(), LinkedSort::Last, &after(5)).unwrap().items.len(),
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

/// A share by the police with the council, so many hours after they became aware.
fn share(name: &str, agency: &'static str, child: u8, day: i64, hours: i64) -> Event {
    let time = NEW_YEAR + day * DAY;
    let mut event = decided(name, agency, child, "Share", time);
    event.disclosed["times"]["aware_at"] = json!(at(time - hours * HOUR).to_string());
    event
}

fn sharing() -> Views {
    let mut by_consent = share("e", POLICE, 1, 5, 100);
    by_consent.clear["lawful_basis"] = json!([{"kind": "Article6", "code": "a"}]);
    let untimed = decided("f", SCHOOL, 2, "SharePart", NEW_YEAR + 6 * DAY);
    let mut within = share("g", COUNCIL, 2, 7, 1);
    within.clear["recipients"][0]["internal"] = json!(true);
    views(&[
        share("a", POLICE, 1, 1, 1),
        share("b", POLICE, 2, 2, 2),
        share("c", POLICE, 2, 3, 3),
        decided("d", POLICE, 2, "Withhold", NEW_YEAR + 4 * DAY),
        by_consent,
        untimed,
        within,
        share("z", POLICE, 2, 3, 5).refers("supersedes", "c"),
    ])
}

#[test]
fn the_matrix_counts_shares_and_their_delays_from_one_agency_to_another() {
    let views = sharing();
    let (queries, page) = (views.queries(), Page::default());
    let of = |filter: &SharingFilter, sort, page: &Page| {
        let ways = queries.sharing(filter, sort, page).unwrap().items;
        ways.into_iter().map(|way| (way.from.clone(), way)).collect::<Vec<_>>()
    };
    let names = |ways: &[(String, gt_projections::SharingWay)]| {
        ways.iter().map(|(from, _)| from.clone()).collect::<Vec<_>>()
    };
    let ways = of(&SharingFilter::default(), SharingSort::Agency, &page);
    assert_eq!(names(&ways), [SCHOOL, POLICE], "nothing went from the council to others");
    let police = &ways[1].1;
    assert_eq!(police.to, COUNCIL);
    let counts = &police.counts;
    assert_eq!((counts.shares, counts.children, counts.by_consent, counts.timed), (4, 2, 1, 4));
    assert_eq!((counts.median_ms, counts.p90_ms), (Some(2 * HOUR), Some(100 * HOUR)));
    assert_eq!(counts.first_shared_at, at(NEW_YEAR + DAY));
    assert_eq!(counts.last_shared_at, at(NEW_YEAR + 5 * DAY));
    assert_eq!((ways[0].1.counts.timed, ways[0].1.counts.median_ms), (0, None));
    for (sort, first) in
        [(SharingSort::Shares, POLICE), (SharingSort::Median, POLICE), (SharingSort::Last, SCHOOL)]
    {
        assert_eq!(names(&of(&SharingFilter::default(), sort, &page))[0], first);
    }
    let narrow = SharingFilter {
        from: code(POLICE),
        since: Some(at(NEW_YEAR + 2 * DAY)),
        until: Some(at(NEW_YEAR + 4 * DAY)),
        ..Default::default()
    };
    assert_eq!(of(&narrow, SharingSort::Agency, &page)[0].1.counts.shares, 2);
    let to_police = SharingFilter { to: code(POLICE), ..Default::default() };
    assert_eq!(of(&to_police, SharingSort::Agency, &page), []);
    let then = of(&SharingFilter::default(), SharingSort::Agency, &after(5));
    assert_eq!(then[1].1.counts.p90_ms, Some(100 * HOUR));
    assert_eq!(
        then[1].1.counts.median_ms,
        Some(2 * HOUR),
        "one, two, three and a hundred: as before it was replaced"
    );
    let json = json!(police);
    assert_eq!((json["from"].clone(), json["median_ms"].clone()), (json!(POLICE), json!(2 * HOUR)));
}

#[test]
fn each_agencys_totals_count_what_it_shared_within_too() {
    let views = sharing();
    let totals = |filter: &SharingFilter, sort| {
        let items = views.queries().sharing_by_agency(filter, sort, &Page::default()).unwrap().items;
        items.iter().map(|row| (row.agency.clone(), row.recipients, row.counts.shares)).collect::<Vec<_>>()
    };
    let row = |agency: &str, recipients, shares| (agency.to_owned(), recipients, shares);
    assert_eq!(
        totals(&SharingFilter::default(), SharingSort::Agency),
        [row(SCHOOL, 1, 1), row(COUNCIL, 0, 1), row(POLICE, 1, 4)]
    );
    assert_eq!(totals(&SharingFilter::default(), SharingSort::Shares)[0], row(POLICE, 1, 4));
    let police = SharingFilter { from: code(POLICE), ..Default::default() };
    assert_eq!(totals(&police, SharingSort::Agency), [row(POLICE, 1, 4)]);
}

/// Three decisions without an Article 6 basis, one of them corrected, and one whose recipient is in doubt.
fn findings() -> Views {
    let without = |name: &str, agency, day| {
        let mut event = decided(name, agency, 1, "Share", NEW_YEAR + day * DAY);
        event.clear["lawful_basis"] = json!([{"kind": "Gateway", "code": "CA2004s11"}]);
        event
    };
    let mut doubtful = decided("w", COUNCIL, 2, "Share", NEW_YEAR + 4 * DAY);
    doubtful.clear["recipients"][0]["identity_verified"] = json!(false);
    let basis = json!([{"kind": "Article6", "code": "e"}, {"kind": "Gateway", "code": "CA2004s11"}]);
    let correction = json!({"fields": ["LawfulBasis"], "lawful_basis": basis});
    views(&[
        without("a", POLICE, 1),
        without("b", POLICE, 2),
        without("c", COUNCIL, 3),
        doubtful,
        decided("sound", POLICE, 1, "Share", NEW_YEAR + 5 * DAY),
        started("m", POLICE, 9, "Missing", NEW_YEAR),
        said("fix", "decision.corrected", POLICE, 1, NEW_YEAR + 6 * DAY, correction, json!({}))
            .refers("supersedes", "b"),
    ])
}

#[test]
fn findings_are_listed_and_counted_by_agency_until_they_are_corrected() {
    let views = findings();
    let (queries, page) = (views.queries(), Page::default());
    let of = |filter: FindingFilter, page: &Page| {
        entries(&queries.findings(&filter, page).unwrap(), |row| row.index)
    };
    let any = FindingFilter::default;
    assert_eq!(of(any(), &page), [2, 3, 0], "the council's before the police's");
    assert_eq!(of(any(), &after(5)), [2, 3, 0, 1], "before the correction");
    assert_eq!(of(FindingFilter { agency: code(POLICE), ..any() }, &page), [0]);
    assert_eq!(of(FindingFilter { code: Some(FindingCode::W2), ..any() }, &page), [3]);
    assert_eq!(of(FindingFilter { from: Some(at(NEW_YEAR + 3 * DAY)), ..any() }, &page), [2, 3]);
    let counts = |filter: FindingFilter, sort, page: &Page| {
        let items = queries.findings_by_agency(&filter, sort, page).unwrap().items;
        items.iter().map(|row| (row.agency.clone(), row.code, row.decisions)).collect::<Vec<_>>()
    };
    let row = |agency: &str, code, decisions| (agency.to_owned(), code, decisions);
    assert_eq!(
        counts(any(), FindingSort::Agency, &page),
        [row(COUNCIL, "E1", 1), row(COUNCIL, "W2", 1), row(POLICE, "E1", 1)]
    );
    assert_eq!(counts(any(), FindingSort::Code, &page)[1], row(POLICE, "E1", 1));
    assert_eq!(counts(any(), FindingSort::Decisions, &after(5))[0], row(POLICE, "E1", 2));
    let early = FindingFilter { to: Some(at(NEW_YEAR + DAY)), ..any() };
    assert_eq!(counts(early, FindingSort::Agency, &after(5)), [row(POLICE, "E1", 1)]);
}

fn agreement(name: &str, kind: &'static str, reference: &str, time: i64, next: Option<i64>) -> Event {
    let clear = match kind {
        "agreement.registered" => json!({"kind": "InformationSharing", "parties": [POLICE, COUNCIL]}),
        "agreement.reviewed" => json!({"outcome": "Renewed"}),
        _ => json!({"kind": "Expired"}),
    };
    let mut disclosed = json!({"times": {}, "refs": {"agreement": reference}});
    if let Some(next) = next {
        disclosed["times"]["next_review_at"] = json!(at(next).to_string());
    }
    said(name, kind, POLICE, 0, time, clear, disclosed)
}

fn named(reference: &str) -> ContextId {
    Naming.context_id(&format!("agreement {reference}"))
}

#[test]
fn agreements_say_when_they_are_to_be_reviewed_and_what_relies_on_them() {
    let year = 365 * DAY;
    let under = |name: &str, reference: String, day| {
        let mut event = decided(name, POLICE, 1, "Share", NEW_YEAR + day * DAY);
        event.disclosed.insert("refs".into(), json!({"agreement": reference}));
        event
    };
    let views = views(&[
        agreement("one", "agreement.registered", "ISA-1", NEW_YEAR - year, Some(NEW_YEAR + 30 * DAY)),
        agreement("two", "agreement.registered", "ISA-2", NEW_YEAR - year, None),
        under("a", "ISA-1".into(), 1),
        under("b", statement_hash("one").to_string(), 2),
        agreement("review", "agreement.reviewed", "ISA-1", NEW_YEAR + 20 * DAY, Some(NEW_YEAR + 3 * year)),
        agreement("end", "agreement.ended", "ISA-2", NEW_YEAR + 40 * DAY, None),
    ]);
    let queries = views.queries();
    let rows = |filter: AgreementFilter, page: &Page| {
        queries.agreements(&filter, AgreementSort::Review, page).unwrap().items
    };
    let any = AgreementFilter::default;
    let all = rows(any(), &now(NEW_YEAR + 50 * DAY));
    assert_eq!(all.iter().map(|row| row.agreement).collect::<Vec<_>>(), [named("ISA-1"), named("ISA-2")]);
    assert_eq!(
        (all[0].shares, all[0].reviewed_at),
        (2, Some(at(NEW_YEAR + 20 * DAY))),
        "by name and by hash"
    );
    assert_eq!(all[0].next_review_at, Some(at(NEW_YEAR + 3 * year)));
    assert_eq!(all[0].review_due_at, Some(at(NEW_YEAR + 20 * DAY + year)), "twelve months are the most");
    assert_eq!(
        (all[0].kind, &all[0].parties),
        ("InformationSharing", &vec![POLICE.to_owned(), COUNCIL.to_owned()])
    );
    assert_eq!(all[0].entries, [LeafIndex(0), LeafIndex(4)]);
    assert_eq!((all[1].end, all[1].review_due_at, all[1].shares), (Some("Expired"), None, 0));
    let before = rows(any(), &after(3));
    assert_eq!(before[0].agreement, named("ISA-2"), "twelve months after it was concluded");
    assert!(before.iter().all(|row| row.review_overdue), "the log is received in October");
    assert_eq!(rows(AgreementFilter { agreement: Some(named("ISA-2")), ..any() }, &Page::default()).len(), 1);
    assert_eq!(rows(AgreementFilter { agency: code(SCHOOL), ..any() }, &Page::default()), []);
    assert_eq!(rows(AgreementFilter { overdue: Some(true), ..any() }, &Page::default()), []);
    let due = |days: i64| AgreementFilter { review_before: Some(at(NEW_YEAR + days * DAY)), ..any() };
    assert_eq!((rows(due(384), &Page::default()).len(), rows(due(385), &Page::default()).len()), (0, 1));
}

#[test]
fn agreements_go_by_the_rules_that_were_in_force() {
    let registered =
        agreement("one", "agreement.registered", "ISA-1", received(0).as_millis() - 200 * DAY, None);
    let mut records = sealed(&[
        registered,
        started("m", POLICE, 1, "Missing", NEW_YEAR),
        started("n", POLICE, 1, "Missing", NEW_YEAR),
    ]);
    let mut rules = Configuration::standard();
    rules.thresholds.basis_missing.review_months = 6;
    records[2].event_type = gt_core::statement::EventType::parse(Configuration::TYPE).unwrap();
    records[2].statement.as_mut().unwrap().clear = rules.to_json().as_object().unwrap().clone();
    let views = Views::of_records(&records);
    let overdue = |page: &Page| {
        let items = views.queries().agreements(&AgreementFilter::default(), AgreementSort::Shares, page);
        items.unwrap().items[0].review_overdue
    };
    assert!(overdue(&Page::default()), "six months under the new rules");
    assert!(!overdue(&after(1)), "twelve under those before");
}
