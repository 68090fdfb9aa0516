//! The plan without a ledger: its drafts as records, folded into views in memory and asked on days that have not come yet.

use std::collections::BTreeMap;

use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::hash::Hash;
use gt_core::position::LeafIndex;
use gt_core::statement::EventType as TypeName;
use gt_core::time::Timestamp;
use gt_ledger::record::{ContextId, OpenElement, OpenStatement, OwnerId, Record};
use gt_projections::{
    AlertFilter, Answer, AsOf, ContextNaming, DecisionFilter, Options, Page, Projector, QueryError,
};
use gt_schemas::{EventType, Place, members};
use serde::Serialize;
use serde_json::Value;

use super::outcomes::{Outcomes, compare};
use super::partnership::AGENCIES;
use super::plan::{CasePlace, Plan, PlannedDraft, Statements, referring};

struct Naming;

impl ContextNaming for Naming {
    fn context_id(&self, reference: &str) -> ContextId {
        ContextId::from_bytes(sixteen(reference))
    }
}

fn sixteen(text: &str) -> [u8; 16] {
    *Hash::of(text.as_bytes()).as_bytes().first_chunk().unwrap()
}

fn owner(value: &Value) -> Option<OwnerId> {
    Some(OwnerId::from_bytes(sixteen(value["pseudonym"].as_str()?)))
}

fn record(index: u64, agency: &str, draft: &PlannedDraft, statements: &Statements, now: Timestamp) -> Record {
    let event_type = EventType::parse(&draft.event_type).unwrap();
    let case = draft.place.map_or(usize::MAX, |place| place.case);
    let Value::Object(data) = referring(draft.data.clone(), case, statements) else { unreachable!() };
    let child = data.get("child").and_then(owner);
    let agency = AgencyCode::parse(agency).unwrap();
    let (mut clear, mut disclosed) = (serde_json::Map::new(), BTreeMap::new());
    for member in members(event_type) {
        let Some(value) = data.get(member.name) else { continue };
        let Place::Disclosed { many, .. } = member.place else {
            clear.insert(member.name.to_owned(), value.clone());
            continue;
        };
        let elements = if many { value.as_array().unwrap().clone() } else { vec![value.clone()] };
        let by_agency = OwnerId::from_bytes(sixteen(agency.as_str()));
        let open = |(element, value): (usize, Value)| OpenElement {
            owner: owner(&value).or(child).unwrap_or(by_agency),
            element,
            value,
        };
        disclosed.insert(member.name.to_owned(), elements.into_iter().enumerate().map(open).collect());
    }
    let statement = OpenStatement {
        iss: agency,
        on_behalf_of: None,
        iat: 0,
        version: event_type.version(),
        clear,
        disclosed,
        kept: Vec::new(),
        primary: child,
    };
    Record {
        entry: Entry {
            index: LeafIndex(index),
            prev: Hash::ZERO,
            received_at: now,
            registry: 0,
            links: Vec::new(),
            statement: statement_hash(index),
        },
        publisher: Hash::ZERO,
        seq: index,
        event_type: TypeName::parse(&draft.event_type).unwrap(),
        statement: Some(statement),
    }
}

fn statement_hash(index: u64) -> Hash {
    Hash::of(&index.to_be_bytes())
}

/// What comes of the plan if it is carried out at this moment. The agencies take turns within a round, as many statements at a time.
fn rehearse(now: i64, background: usize, turn: usize) -> Outcomes {
    let (plan, now) = (Plan::new(now, background), Timestamp::from_millis(now).unwrap());
    let (mut records, mut statements) = (Vec::new(), Statements::new());
    let mut entries: BTreeMap<CasePlace, u64> = BTreeMap::new();
    for round in 0..plan.rounds() {
        let drafts = |drafts: &Vec<PlannedDraft>| -> Vec<PlannedDraft> {
            drafts.iter().filter(|draft| draft.round == round).cloned().collect()
        };
        let of_round: Vec<Vec<PlannedDraft>> = plan.drafts.iter().map(drafts).collect();
        let turns = of_round.iter().map(Vec::len).max().unwrap_or(0).div_ceil(turn);
        let taken = (0..turns).flat_map(|at| {
            AGENCIES.iter().zip(&of_round).flat_map(move |(agency, drafts)| {
                drafts.iter().skip(at * turn).take(turn).map(move |draft| (agency.code, draft))
            })
        });
        let mut sealed = Vec::new();
        for (agency, draft) in taken {
            let index = records.len() as u64;
            records.push(record(index, agency, draft, &statements, now));
            sealed.extend(draft.place.map(|place| (place, index)));
        }
        statements.extend(sealed.iter().map(|(place, index)| (*place, statement_hash(*index))));
        entries.extend(sealed);
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Options { cache_bytes: 4 << 20, flush_every_ms: 60_000, ..Options::default() };
    let mut projector = Projector::open(folder.path(), options).unwrap().projector;
    let size = records.last().unwrap().entry.index.size_through();
    let head = AsOf { tree_size: size, root: Hash::ZERO, received_at: Some(now) };
    projector.apply(&records, head, &Naming).unwrap();
    let queries = projector.queries();
    let alerts = pages(now, |page| queries.alerts(&AlertFilter::default(), page));
    let decisions = pages(now, |page| queries.decisions(&DecisionFilter::default(), page));
    compare(&plan, &entries, alerts, &decisions)
}

fn pages<T: Serialize>(now: Timestamp, ask: impl Fn(&Page) -> Result<Answer<T>, QueryError>) -> Vec<Value> {
    let (mut items, mut page) = (Vec::new(), Page { now: Some(now), ..Page::default() });
    loop {
        let answer = ask(&page).unwrap();
        items.extend(answer.items.iter().map(|item| serde_json::to_value(item).unwrap()));
        match answer.next {
            Some(next) => page.cursor = Some(next),
            None => return items,
        }
    }
}

fn assert_exact(moment: &str, background: usize, turn: usize) {
    let outcomes = rehearse(Timestamp::parse(moment).unwrap().as_millis(), background, turn);
    let amiss: Vec<_> = outcomes.cases.iter().filter(|case| !case.is_exact()).collect();
    assert!(
        outcomes.are_exact(),
        "{moment}: {amiss:#?}\n{} alerts besides, first {:#?}\n{} findings besides, first {:#?}",
        outcomes.unexpected_alerts.len(),
        outcomes.unexpected_alerts.iter().take(3).collect::<Vec<_>>(),
        outcomes.unexpected_findings.len(),
        outcomes.unexpected_findings.first()
    );
}

#[test]
fn the_cases_come_out_as_foretold_on_every_kind_of_day() {
    for moment in [
        // A Thursday, by the minute after midnight and the last one before.
        "2026-11-26T00:00:00.001Z",
        "2026-11-26T23:59:59.999Z",
        // Around Christmas and New Year, with bank holidays and substitute days.
        "2026-12-24T09:00:00Z",
        "2026-12-29T00:30:00Z",
        "2027-01-08T17:00:00Z",
        "2027-01-11T12:00:00Z",
        // The clocks go forward on 2027-03-28, Easter Sunday.
        "2027-03-28T00:59:00Z",
        "2027-03-28T01:01:00Z",
        "2027-04-02T08:00:00Z",
        "2027-04-12T23:30:00Z",
        // The week's other days, and a leap day.
        "2027-06-19T13:00:00Z",
        "2027-08-31T06:00:00Z",
        "2028-02-29T10:00:00Z",
        // The clocks go back on 2027-10-31.
        "2027-10-31T01:30:00Z",
        "2027-11-02T20:00:00Z",
    ] {
        assert_exact(moment, 0, 1);
    }
}

#[test]
fn the_background_raises_nothing_in_whichever_order_the_agencies_come() {
    for (moment, turn) in
        [("2026-11-26T09:00:00Z", 1), ("2027-01-04T00:00:00Z", 7), ("2027-04-06T22:00:00Z", 5000)]
    {
        assert_exact(moment, 3000, turn);
    }
}

#[test]
fn any_part_of_the_background_raises_nothing_either() {
    for background in [1, 50, 200, 777] {
        assert_exact("2026-11-26T09:00:00Z", background, 3);
    }
}
