//! Histories drawn at random, from every type of event that patterns look at.

use std::sync::Arc;

use gt_core::position::{LeafIndex, TreeSize};
use gt_ledger::record::Record;
use gt_projections::{
    Alert, AlertChange, AlertFilter, AlertStatus, ChangeKind, DecisionFilter, Options, Page, Projector,
    Queries, StatusFilter,
};
use gt_schemas::Configuration;
use gt_schemas::configuration::{ConsentReliance, Window};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::fixture::*;

const AGENCIES: [&str; 3] = [POLICE, COUNCIL, SCHOOL];
const AUTHORITIES: [&str; 3] = [COUNCIL, OTHER_COUNCIL, THIRD_COUNCIL];
pub(crate) const CHILDREN: std::ops::Range<u8> = 1..5;
const PERSONS: std::ops::Range<u8> = 101..103;
pub(crate) const CONTEXTS: std::ops::Range<u8> = 1..3;

/// After all deadlines of a drawn history.
pub(crate) const LATER: i64 = NEW_YEAR + 1000 * DAY;

/// Rules under which few events are enough for each pattern.
pub(crate) fn eager() -> Configuration {
    let mut rules = Configuration::standard();
    rules.thresholds.shared_location = Window { count: 2, days: 60 };
    rules.thresholds.silent_edge = Window { count: 2, days: 90 };
    rules.thresholds.consent_reliance = ConsentReliance { percent: 20, shares: 3, days: 60 };
    rules.thresholds.basis_missing.review_months = 1;
    rules
}

/// What is drawn for one event.
#[derive(Debug, Clone)]
struct Drawn {
    what: usize,
    agency: usize,
    child: u8,
    other_child: u8,
    variant: u8,
    time: i64,
    other: Option<Index>,
    replaces: Option<Index>,
}

/// Events on a coarse grid of times, so that edges, ties and overlaps are common; some refer to others, end, correct or
/// replace them.
pub(crate) fn any_events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let time = (0_i64..14, prop::sample::select(vec![0, HOUR, 24 * HOUR, 24 * HOUR + 1, 73 * HOUR]));
    let who = (0..AGENCIES.len(), CHILDREN, CHILDREN, 0_u8..6);
    let others = (prop::option::weighted(0.6, any::<Index>()), prop::option::weighted(0.12, any::<Index>()));
    let one = (0_usize..27, who, time, others).prop_map(|(what, who, (slot, hours), (other, replaces))| {
        let (agency, child, other_child, variant) = who;
        let time = NEW_YEAR + slot * 12 * DAY + hours;
        Drawn { what, agency, child, other_child, variant, time, other, replaces }
    });
    prop::collection::vec(one, 1..most).prop_map(|drawn| {
        let plain: Vec<Event> = drawn.iter().enumerate().map(|(n, drawn)| drawn.event(n)).collect();
        plain.iter().zip(&drawn).map(|(event, drawn)| drawn.refer(event.clone(), &plain)).collect()
    })
}

impl Drawn {
    fn event(&self, n: usize) -> Event {
        let &Self { what, agency, child, other_child, variant, time, .. } = self;
        let (name, agency) = (&n.to_string()[..], AGENCIES[agency]);
        let context = 1 + variant % 2;
        let way = (AUTHORITIES[usize::from(variant) % 3], AUTHORITIES[usize::from(variant / 2) % 3]);
        let plan = ["ProtectionPlan", "None"][usize::from(variant) % 2];
        match what {
            0 | 1 => started(name, agency, child, "Missing", time),
            2 => started(name, agency, child, "AwayWithoutAuthorisation", time),
            3 | 4 => ended(name, agency, child, time),
            5 => interview(
                name,
                ["rhi.held", "rhi.declined", "rhi.offered"][usize::from(variant) % 3],
                agency,
                child,
                time,
            ),
            6 if variant == 0 => unlinked(name, agency, child, context, time),
            6 | 7 => linked(name, agency, child, context, time),
            8 if variant == 0 => person_unlinked(name, agency, child, PERSONS.start, time),
            8 => person_linked(name, agency, child, PERSONS.start + variant % 2, time),
            9 => moved(name, agency, child, way, plan, time),
            10 if variant == 5 => {
                placed(name, agency, child, way, time).clear("legal_status", json!("Remand"))
            }
            10 => placed(name, agency, child, way, time),
            11 => requested(name, agency, child, ["Red", "Amber", "Green"][usize::from(variant) % 3], time),
            12 => answered(name, agency, child, time),
            13 => refused(name, agency, child, time),
            14 => harmed(name, agency, child, time),
            15 => consented(name, agency, child, time),
            16 => unconsented(
                name,
                ["consent.refused", "consent.withdrawn"][usize::from(variant) % 2],
                agency,
                child,
                time,
            ),
            17 => agreed(name, agency, ["isa 1", "isa 2"][usize::from(variant) % 2], time),
            18 => {
                let type_name = ["agreement.reviewed", "agreement.ended"][usize::from(variant / 3)];
                agreement_later(name, type_name, agency, ["isa 1", "isa 2"][usize::from(variant) % 2], time)
            }
            19 | 20 if child != other_child => identity(name, variant % 3 != 0, (child, other_child), time),
            19 | 20 => identity(name, variant % 3 != 0, (PERSONS.start, PERSONS.start + 1), time),
            21 => correction(name, agency, child, variant, time),
            22 => reviewed(name, agency, child, name, time),
            _ => self.decision(name, agency),
        }
    }

    fn decision(&self, name: &str, agency: &'static str) -> Event {
        let &Self { child, variant, time, .. } = self;
        let what = ["Share", "Share", "Share", "SharePart", "Withhold", "Withhold"][usize::from(variant)];
        let decision = decided(name, agency, child, what, time)
            .clear(
                "recipients",
                json!([recipient(AGENCIES[usize::from(child) % 3]), recipient(OTHER_COUNCIL)]),
            )
            .timed("aware_at", time - i64::from(variant) * 20 * HOUR)
            .names("others", &[PERSONS.start]);
        match variant {
            0 => decision.clear("lawful_basis", json!([{"kind": "Article6", "code": "a"}])),
            1 => decision.clear("lawful_basis", json!([])).within("agreement", "isa 1"),
            2 => decision.within("agreement", "isa 2").clear("informed", json!({"status": "Planned"})),
            _ => decision,
        }
    }

    /// Adds what the event refers to, if there is such a thing.
    fn refer(&self, mut event: Event, all: &[Event]) -> Event {
        let own = event.name.clone();
        let pick = |index: Index, types: &[&str]| {
            let fitting: Vec<&Event> = all
                .iter()
                .filter(|one| one.name != own && types.iter().any(|name| one.type_name.starts_with(name)))
                .collect();
            (!fitting.is_empty()).then(|| fitting[index.index(fitting.len())].clone())
        };
        if event.type_name == "decision.corrected" {
            let target =
                self.other.or(self.replaces).and_then(|index| pick(index, &["decision.rec", "decision.cor"]));
            if let Some(target) = target {
                event = event.refers("supersedes", &target.name);
                // Mostly it is right about whose decision it was.
                if self.variant < 5 {
                    (event.agency, event.child) = (target.agency, target.child);
                }
            }
            // It may name the decision besides.
            if let Some(decision) = self.replaces.and_then(|index| pick(index, &["decision.rec"])) {
                event = event.refers("decision", &decision.name);
            }
            return event;
        }
        let wanted: Option<(&str, &[&str])> = match event.type_name {
            "missing.ended" | "rhi.held" | "rhi.declined" => Some(("episode", &["missing.started"])),
            "request.answered" | "request.refused" | "decision.recorded" => {
                Some(("request", &["request.received"]))
            }
            "decision.reviewed" => Some(("decision", &["decision.recorded"])),
            _ => None,
        };
        if let Some(((member, types), index)) = wanted.zip(self.other)
            && let Some(target) = pick(index, types)
        {
            event = event.refers(member, &target.name);
        }
        let replaced = match event.type_name {
            "decision.reviewed" if self.other.is_none() => {
                // It names the decision as what it goes on from, if at all.
                event.disclosed.remove("refs");
                "decision."
            }
            "request.received" if self.variant.is_multiple_of(2) => "request.received",
            _ => "",
        };
        if let Some(target) = self.replaces.and_then(|index| pick(index, &[replaced])) {
            event = event.refers("supersedes", &target.name);
        }
        event
    }
}

fn correction(name: &str, agency: &'static str, child: u8, variant: u8, time: i64) -> Event {
    let fields = |clear: Value| corrected(name, agency, child, name, clear, time);
    match variant {
        0 | 1 => fields(json!({"fields": ["LawfulBasis"], "lawful_basis": sound_basis()})),
        2 => fields(json!({"fields": ["LawfulBasis"], "lawful_basis": [{"kind": "Article6", "code": "a"}]})),
        3 => fields(json!({"fields": ["Recipients"], "recipients": [recipient(THIRD_COUNCIL), recipient(POLICE)]})),
        4 => fields(json!({"fields": ["Times"]})).with(
            "corrected_times",
            json!({"occurred_at": at(time).to_string(), "shared_at": at(time + HOUR).to_string(), "aware_at": at(time - 100 * HOUR).to_string()}),
        ),
        _ => fields(json!({"fields": ["HarmLevel"], "harm_level": "None"})),
    }
}

/// Records received one after the other, after these pauses.
pub(crate) fn seal_after(events: &[Event], pauses: &[i64]) -> Vec<Record> {
    let mut now = NEW_YEAR;
    let mut received = |n: usize| {
        now += pauses[n % pauses.len()];
        now
    };
    let events: Vec<(i64, Event)> =
        events.iter().cloned().enumerate().map(|(n, e)| (received(n), e)).collect();
    seal_at(&events)
}

pub(crate) fn any_pauses() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop::sample::select(vec![0, 0, 1, HOUR, DAY, 3 * DAY, 12 * DAY]), 1..8)
}

/// Everything that the views say in the end, with events by name in place of entries and received times.
pub(crate) fn content(queries: &Queries, events: &[Event]) -> Vec<String> {
    let page = Page { limit: 500, now: Some(at(LATER)), ..Page::default() };
    let name = |index: &LeafIndex| events[usize::try_from(index.0).unwrap()].name.clone();
    let names = |indexes: &[LeafIndex]| {
        let mut names: Vec<String> = indexes.iter().map(name).collect();
        names.sort();
        names
    };
    let mut said = Vec::new();
    for child in CHILDREN {
        for e in queries.timeline(&owner(child), None, None, &page).unwrap().items {
            let replaced = e.superseded_by.is_some();
            said.push(format!("{child} {} {:?} {} {replaced}", name(&e.index), e.occurred_at, e.agency));
        }
        for mut episode in queries.missing_episodes(&owner(child), &page).unwrap().items {
            let names = names(&episode.entries);
            episode.entries.clear();
            said.push(format!("{child} {episode:?} {names:?}"));
        }
    }
    for number in CONTEXTS {
        for link in queries.context(&context(number), None, None, &page).unwrap().items {
            said.push(format!("{number} {} {:?} {}", name(&link.index), link.occurred_at, link.child));
        }
    }
    for row in queries.decisions(&DecisionFilter::default(), &page).unwrap().items {
        let (index, corrections) = (name(&row.index), names(&row.corrected_by));
        let mut row = json!(row);
        row["superseded_by"] = json!(!row["superseded_by"].is_null());
        for member in ["index", "corrected_by", "received_at"] {
            row[member].take();
        }
        said.push(format!("{index} {corrections:?} {row}"));
    }
    for alert in standing(queries.alerts(&AlertFilter::default(), &page).unwrap().items) {
        said.push(format!(
            "{} {} {:?} {:?} {} {:?}",
            alert.pattern,
            alert.id,
            alert.subject,
            alert.window,
            alert.sentence,
            names(&alert.entries)
        ));
    }
    // Lists by time are in no particular order within a moment, and alerts are listed by arrival.
    said.sort();
    said
}

/// The alerts that stand, by what was told of them.
pub(crate) fn replay(changes: &[AlertChange]) -> Vec<Alert> {
    let mut known: Vec<Alert> = Vec::new();
    for change in changes {
        let found = known.iter().position(|alert| alert.id == change.alert.id);
        assert_eq!(found.is_none(), change.change == ChangeKind::Raised, "{change:?}");
        found.map(|at| known.remove(at));
        if change.change != ChangeKind::Retracted {
            known.push(change.alert.clone());
        }
    }
    known.sort_by_key(|alert| alert.id);
    known
}

/// The alerts that stand, by the list of all; those that wait for somebody must be the same by their own list.
pub(crate) fn standing_now(queries: &Queries) -> Vec<Alert> {
    let page = Page { limit: 500, ..Page::default() };
    let list =
        |status| queries.alerts(&AlertFilter { status, ..AlertFilter::default() }, &page).unwrap().items;
    let mut all = standing(list(None));
    all.sort_by_key(|alert| alert.id);
    let mut waiting = list(Some(StatusFilter::Waiting));
    waiting.sort_by_key(|alert| alert.id);
    let expected: Vec<Alert> =
        all.iter().filter(|alert| alert.status != AlertStatus::Reviewed).cloned().collect();
    assert_eq!(waiting, expected);
    all
}

pub(crate) fn eagerly() -> Options {
    Options { rules: Arc::new(eager()), ..small() }
}

/// A batch, from one record to another, and whether the views are closed and opened after it.
type Cut = (Index, Index, bool);

pub(crate) fn any_cuts() -> impl Strategy<Value = Vec<Cut>> {
    prop::collection::vec((any::<Index>(), any::<Index>(), prop::bool::weighted(0.1)), 0..12)
}

/// What the records are folded into when they are cut into batches. Each begins at or before the position, so parts are applied
/// again; now and then the views are closed and opened in between.
pub(crate) fn in_batches(records: &[Record], cuts: &[Cut], options: &Options) -> (Views, Vec<AlertChange>) {
    let folder = tempfile::tempdir().unwrap();
    let open = || Projector::open(folder.path(), options.clone()).unwrap().projector;
    let (mut projector, mut changes) = (open(), Vec::new());
    for (from, to, reopen) in cuts {
        let position = usize::try_from(projector.position().0).unwrap();
        let (from, to) = (from.index(position + 1), to.index(records.len()));
        if from <= to {
            changes.extend(apply(&mut projector, &records[from..=to]));
        }
        if *reopen {
            projector.close().unwrap();
            projector = open();
        }
    }
    changes.extend(apply(&mut projector, records));
    assert_eq!(projector.position(), TreeSize(records.len() as u64));
    (Views { projector, folder, changes: Vec::new() }, changes)
}
