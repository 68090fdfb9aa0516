//! Whatever the order of arrival and the cut into batches, the views come out the same.

use std::collections::BTreeSet;

use gt_core::position::LeafIndex;
use gt_projections::{Alert, AlertStatus, ChangeKind, DecisionFilter, Page, Queries};
use proptest::prelude::*;

use crate::fixture::*;

const AGENCIES: [&str; 3] = [POLICE, COUNCIL, SCHOOL];
const CHILDREN: std::ops::Range<u8> = 1..4;
const CONTEXTS: std::ops::Range<u8> = 1..3;

/// Events on a coarse grid of times, so that edges, ties and overlaps are common; some end or replace another.
fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let one = (
        0_usize..8,
        0_usize..3,
        CHILDREN,
        CONTEXTS,
        0_i64..14,
        0_i64..4,
        prop::option::weighted(0.2, any::<prop::sample::Index>()),
    );
    prop::collection::vec(one, 1..40).prop_map(|drawn| {
        let count = drawn.len();
        let event = |(n, (what, agency, child, context, week, hour, other)): (usize, _)| {
            let (week, hour): (i64, i64) = (week, hour);
            let (name, agency, time) =
                (n.to_string(), AGENCIES[agency], NEW_YEAR + week * 15 * DAY + hour * 60 * MINUTE);
            let event = match what {
                0 | 1 => started(&name, agency, child, "Missing", time),
                2 => started(&name, agency, child, "AwayWithoutAuthorisation", time),
                3 | 4 => ended(&name, agency, child, time),
                5 => decided(&name, agency, child, "Withhold", time),
                _ => linked(&name, agency, child, context, time),
            };
            match Option::<prop::sample::Index>::map(other, |other| other.index(count)) {
                Some(other) if what == 3 => event.refers("episode", &other.to_string()),
                Some(other) if other != n => event.refers("supersedes", &other.to_string()),
                _ => event,
            }
        };
        drawn.into_iter().enumerate().map(event).collect()
    })
}

/// Everything that the views say, with events by name in place of entries and received times.
fn content(queries: &Queries, events: &[Event]) -> Vec<String> {
    let page = Page { limit: 500, ..Page::default() };
    let name = |index: &LeafIndex| events[usize::try_from(index.0).unwrap()].name.clone();
    let names = |indexes: &[LeafIndex]| indexes.iter().map(name).collect::<BTreeSet<_>>();
    let mut said = Vec::new();
    for child in CHILDREN {
        for e in queries.timeline(&owner(child), None, None, &page).unwrap().items {
            said.push(format!(
                "{child} {} {:?} {} {}",
                name(&e.index),
                e.occurred_at,
                e.agency,
                e.superseded_by.is_some()
            ));
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
    for decision in queries.decisions(&DecisionFilter::default(), &page).unwrap().items {
        said.push(format!("{} {:?} {:?}", name(&decision.index), decision.decision, decision.occurred_at));
    }
    for alert in alerts(queries, None).iter().filter(|alert| alert.status == AlertStatus::Open) {
        said.push(format!("{} {:?} {} {:?}", alert.id, alert.window, alert.sentence, names(&alert.entries)));
    }
    // Lists by time are in no particular order within a moment, and alerts are listed by arrival.
    said.sort();
    said
}

fn replay(changes: &[gt_projections::AlertChange]) -> Vec<Alert> {
    let mut open: Vec<Alert> = Vec::new();
    for change in changes {
        let found = open.iter().position(|alert| alert.id == change.alert.id);
        assert_eq!(found.is_none(), change.change == ChangeKind::Raised, "{change:?}");
        found.map(|at| open.remove(at));
        if change.change != ChangeKind::Retracted {
            open.push(change.alert.clone());
        }
    }
    open.sort_by_key(|alert| alert.id);
    open
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (events, shuffled) in any_events().prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
    ) {
        let (in_order, late) = (Views::of(&events), Views::of(&shuffled));
        prop_assert_eq!(content(&in_order.queries(), &events), content(&late.queries(), &shuffled));
    }

    #[test]
    fn batches_and_repetitions_do_not_matter(events in any_events(), cuts: Vec<(prop::sample::Index, prop::sample::Index)>) {
        let records = seal_all(&events);
        let whole = Views::of_records(&records);
        let folder = tempfile::tempdir().unwrap();
        let mut projector = open(folder.path());
        let mut changes = Vec::new();
        // Each batch starts at or before the position, so parts are applied again.
        for (from, to) in &cuts {
            let position = usize::try_from(projector.position().0).unwrap();
            let (from, to) = (from.index(position + 1), to.index(records.len()));
            if from <= to {
                changes.extend(apply(&mut projector, &records[from..=to]));
            }
        }
        changes.extend(apply(&mut projector, &records));
        prop_assert_eq!(projector.dump().unwrap(), whole.projector.dump().unwrap());
        prop_assert_eq!(&changes, &whole.changes);
        let mut open_alerts = whole.alerts();
        open_alerts.retain(|alert| alert.status == AlertStatus::Open);
        open_alerts.sort_by_key(|alert| alert.id);
        prop_assert_eq!(replay(&changes), open_alerts);
    }

    #[test]
    fn an_answer_about_the_past_is_the_answer_given_then(events in any_events(), at: prop::sample::Index) {
        let records = seal_all(&events);
        // Entries come in pairs that are received at once, so the past ends after a pair.
        let then = (at.index(records.len()) | 1).min(records.len() - 1);
        let (now, past) = (Views::of_records(&records), Views::of_records(&records[..=then]));
        let received_until = Some(records[then].entry.received_at);
        prop_assert_eq!(alerts(&now.queries(), received_until), past.alerts());
        let (page, past_page) = (Page { received_until, ..Page::default() }, Page::default());
        for child in CHILDREN {
            let child = owner(child);
            prop_assert_eq!(
                now.queries().missing_episodes(&child, &page).unwrap().items,
                past.queries().missing_episodes(&child, &past_page).unwrap().items
            );
            prop_assert_eq!(
                now.queries().timeline(&child, None, None, &page).unwrap().items,
                past.queries().timeline(&child, None, None, &past_page).unwrap().items
            );
        }
    }
}
