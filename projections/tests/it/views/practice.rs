//! Sharing, findings and agreements.

use gt_core::position::LeafIndex;
use gt_ledger::record::ContextId;
use gt_projections::{
    AgreementFilter, AgreementSort, ContextNaming as _, FindingFilter, FindingSort, Page, SharingFilter,
    SharingSort,
};
use gt_schemas::{Configuration, FindingCode};
use serde_json::json;

use super::{after, code, entries, now, said, sealed, views};
use crate::fixture::*;

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
        from: Some(code(POLICE)),
        since: Some(at(NEW_YEAR + 2 * DAY)),
        until: Some(at(NEW_YEAR + 4 * DAY)),
        ..Default::default()
    };
    assert_eq!(of(&narrow, SharingSort::Agency, &page)[0].1.counts.shares, 2);
    let to_police = SharingFilter { to: Some(code(POLICE)), ..Default::default() };
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
    let police = SharingFilter { from: Some(code(POLICE)), ..Default::default() };
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
    assert_eq!(of(FindingFilter { agency: Some(code(POLICE)), ..any() }, &page), [0]);
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
    assert_eq!(rows(AgreementFilter { agency: Some(code(SCHOOL)), ..any() }, &Page::default()), []);
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
