//! `shared-person`: 2 or more different children are linked to one person of concern within 180 days (DOMAIN section 5,
//! pattern 5; both numbers are thresholds).
//!
//! Counted are children, by the event time of `person.linked`; neither a second identifier of the child nor one of the
//! person makes another of them. Of links that were ended the same is true as in `shared_context.rs`.
//!
//! **The id is anchored to** the first link of a run (`run.rs`).

use std::collections::BTreeSet;

use gt_ledger::record::OwnerId;
use gt_schemas::{Configuration, Event};

use super::sentence::{days, days_between};
use super::{Finding, Pattern, at_statement, run, sorted};
use crate::event::ViewEvent;
use crate::subject::Subject;

/// `links` are the events that name the person and stand, sorted, each with the one who stands for its child.
pub(crate) fn find(
    person: OwnerId,
    links: &[(i64, &ViewEvent, OwnerId)],
    rules: &Configuration,
) -> Vec<Finding> {
    let threshold = rules.thresholds.shared_person;
    let links: Vec<&(i64, &ViewEvent, OwnerId)> =
        links.iter().filter(|(_, event, _)| matches!(event.event, Event::PersonLinked(_))).collect();
    let items: Vec<(i64, OwnerId)> = links.iter().map(|(time, _, child)| (*time, *child)).collect();
    let finding = |run: &[&(i64, &ViewEvent, OwnerId)]| {
        let window = (run[0].0, run[run.len() - 1].0);
        let children: BTreeSet<OwnerId> = run.iter().map(|(.., child)| *child).collect();
        Finding {
            pattern: Pattern::SharedPerson,
            anchor: at_statement(run[0].1.statement),
            about: Subject::Person(person),
            due: None,
            window,
            entries: sorted(run.iter().map(|(_, event, _)| event.index)),
            sentence: format!(
                "{} children were linked to one person of concern in {} ({} or more in {} asks for a review).",
                children.len(),
                days_between(window),
                threshold.count,
                days(threshold.days.into())
            ),
        }
    };
    run::runs(&items, threshold).into_iter().map(|run| finding(&links[run])).collect()
}
