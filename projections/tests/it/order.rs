//! Whatever the order of arrival and the cut into batches, the views come out the same.

use std::collections::BTreeSet;

use gt_projections::{Page, Pattern, Unread};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::fixture::*;
use crate::histories::*;

/// What is drawn would show little if some pattern never fired.
#[test]
fn every_pattern_fires_in_what_is_drawn() {
    let mut runner = TestRunner::deterministic();
    let mut fired: BTreeSet<Pattern> = BTreeSet::new();
    for _ in 0..60 {
        let events = any_events(60).new_tree(&mut runner).unwrap().current();
        fired.extend(
            standing(Views::with(&seal_all(&events), eagerly()).alerts()).iter().map(|alert| alert.pattern),
        );
    }
    assert_eq!(fired.into_iter().collect::<Vec<_>>(), Pattern::ALL);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (events, shuffled) in any_events(60).prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        pauses in any_pauses()
    ) {
        let in_order = Views::with(&seal_all(&events), eagerly());
        let late = Views::with(&seal_after(&shuffled, &pauses), eagerly());
        prop_assert_eq!(in_order.queries().status().unwrap().unread, Unread::default(), "everything drawn is read");
        prop_assert_eq!(content(&in_order.queries(), &events), content(&late.queries(), &shuffled));
    }

    #[test]
    fn batches_and_repetitions_do_not_matter(
        events in any_events(60),
        pauses in any_pauses(),
        cuts in any_cuts()
    ) {
        let records = seal_after(&events, &pauses);
        let whole = Views::with(&records, eagerly());
        let (cut, changes) = in_batches(&records, &cuts, &eagerly());
        assert_same(&cut.projector, &whole.projector.dump().unwrap());
        prop_assert_eq!(&changes, &whole.changes);
        prop_assert_eq!(replay(&changes), standing_now(&whole.queries()));
    }

    #[test]
    fn values_that_are_said_not_to_be_read_do_not_matter(events in any_events(60), pauses in any_pauses()) {
        let records = seal_after(&events, &pauses);
        let mut without = records.clone();
        let disclosed =
            without.iter_mut().filter_map(|record| record.statement.as_mut()).flat_map(|open| &mut open.disclosed);
        let not_read = disclosed.filter(|(member, _)| !gt_projections::is_read(member));
        for element in not_read.flat_map(|(_, elements)| elements) {
            element.value = serde_json::Value::Null;
        }
        // A short history may say nothing but what is read.
        prop_assume!(without != records);
        let (whole, lean) = (Views::with(&records, eagerly()), Views::with(&without, eagerly()));
        assert_same(&lean.projector, &whole.projector.dump().unwrap());
        prop_assert_eq!(&lean.changes, &whole.changes);
    }

    #[test]
    fn an_answer_about_the_past_is_the_answer_given_then(
        events in any_events(40),
        pauses in any_pauses(),
        at: Index,
        later in prop::sample::select(vec![0, 1, HOUR, DAY, 100 * DAY])
    ) {
        let records = seal_after(&events, &pauses);
        // Of entries that are received at once, the past has all.
        let mut then = at.index(records.len());
        let received_at = |n: usize| records[n].entry.received_at;
        while then + 1 < records.len() && received_at(then + 1) == received_at(then) {
            then += 1;
        }
        // Somebody asks then, or a while later, before the next entry comes.
        let mut asked = received_at(then).as_millis() + later;
        if let Some(next) = records.get(then + 1) {
            asked = asked.min(next.entry.received_at.as_millis() - 1);
        }
        let asked = Some(crate::fixture::at(asked));
        let (now, past) = (Views::with(&records, eagerly()), Views::with(&records[..=then], eagerly()));
        let page = Page { limit: 500, received_until: asked, ..Page::default() };
        let past_page = Page { limit: 500, now: asked, ..Page::default() };
        let all = gt_projections::AlertFilter::default();
        prop_assert_eq!(
            now.queries().alerts(&all, &page).unwrap().items,
            past.queries().alerts(&all, &past_page).unwrap().items
        );
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
