//! Generated histories: the planted alerts are found, all of them and no others.
//!
//! The generator (`tests/history`) knows what it planted and uses none of the projections' code; the projections know nothing
//! of the generator. Here its events become records as the ledger hands them to the views.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod records;

use std::collections::BTreeMap;

use gt_core::time::Timestamp;
use gt_history::{Plan, Planted, generate};
use gt_projections::{Alert, AlertFilter, AlertStatus, Options, Page, Projector, Queries};

use records::{Naming, head_after, record};

const BATCH: usize = 256;

/// Folds a history into fresh views, and gives all alerts that stand at the time of its truth.
fn standing(queries: &Queries, as_of: i64) -> Vec<Alert> {
    let mut page = Page { limit: 500, now: Timestamp::from_millis(as_of), ..Page::default() };
    let mut alerts = Vec::new();
    loop {
        let answer = queries.alerts(&AlertFilter::default(), &page).unwrap();
        alerts.extend(answer.items.into_iter().filter(|alert| alert.status != AlertStatus::Retracted));
        match answer.next {
            Some(next) => page.cursor = Some(next),
            None => return alerts,
        }
    }
}

/// What an alert is known by: its pattern and its entries. Of a silent edge the truth knows the pattern alone.
type Known = (String, Vec<usize>);

fn known(pattern: &str, entries: Vec<usize>) -> Known {
    (pattern.to_owned(), if pattern == "silent-edge" { Vec::new() } else { entries })
}

fn check(plan: &Plan) {
    let history = generate(plan);
    let folder = tempfile::tempdir().unwrap();
    let options = Options { cache_bytes: 32 << 20, flush_every_ms: 60_000, ..Options::default() };
    let mut projector = Projector::open(folder.path(), options).unwrap_or_else(|e| panic!("{e:?}")).projector;
    for (n, batch) in history.events.chunks(BATCH).enumerate() {
        let records: Vec<_> =
            batch.iter().enumerate().map(|(at, event)| record(n * BATCH + at, event)).collect();
        projector.apply(&records, head_after(&records), &Naming).unwrap();
    }
    let unread = projector.queries().status().unwrap().unread;
    assert_eq!((unread.statements, unread.members.len(), unread.types.len()), (0, 0, 0), "{unread:?}");

    let mut missing: BTreeMap<Known, Vec<&str>> = BTreeMap::new();
    for alert in &history.alerts {
        missing.entry(known(alert.pattern, alert.entries.clone())).or_default().push(&alert.about);
    }
    let mut unexpected = Vec::new();
    for alert in standing(&projector.queries(), history.as_of) {
        let entries = alert.entries.iter().map(|index| usize::try_from(index.0).unwrap()).collect();
        let found = known(alert.pattern.as_str(), entries);
        match missing.get_mut(&found).and_then(Vec::pop) {
            Some(_) => missing.retain(|_, about| !about.is_empty()),
            None => unexpected.push((found, alert.sentence)),
        }
    }
    assert!(
        missing.is_empty() && unexpected.is_empty(),
        "seed {}: {} planted alerts were not found: {:#?}\n{} alerts were not planted: {:#?}",
        plan.seed,
        missing.len(),
        missing.iter().take(5).collect::<Vec<_>>(),
        unexpected.len(),
        unexpected.iter().take(5).collect::<Vec<_>>()
    );
}

fn plan(seed: u64, events: usize, planted: usize) -> Plan {
    let (agencies, children) = ((events / 1_000).clamp(6, 120), (events / 12).max(60));
    Plan { seed, events, agencies, children, years: 3, planted: Planted::each(planted) }
}

#[test]
fn the_planted_alerts_and_no_others_in_many_small_histories() {
    for seed in 1..=6 {
        check(&plan(seed, 6_000, 3));
    }
}

#[test]
fn the_planted_alerts_and_no_others_in_200_000_events_over_three_years() {
    check(&plan(20, 200_000, 25));
}
