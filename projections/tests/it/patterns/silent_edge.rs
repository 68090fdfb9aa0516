//! `silent-edge`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::SilentEdge;
use gt_projections::Subject;
use serde_json::json;

use super::{fires, only, steps};
use crate::fixture::*;

fn said(agency: &'static str, child: u8, time: i64) -> Event {
    harmed(&format!("{agency} on {child}"), agency, child, NEW_YEAR + time)
}

/// The school and the police speak of children 1 to `count`; the school has shared with the police.
fn in_common(count: u8) -> Vec<Event> {
    let mut events = vec![share("the other way", SCHOOL, POLICE, 0)];
    events.extend((1..=count).flat_map(|child| [said(POLICE, child, DAY), said(SCHOOL, child, 2 * DAY)]));
    events
}

/// A share about a child whom nobody else knows.
fn share(name: &str, from: &'static str, to: &str, time: i64) -> Event {
    decided(name, from, 50, "Share", NEW_YEAR + time).clear("recipients", json!([recipient(to)]))
}

#[test]
fn three_children_in_common_are_an_alert_in_the_direction_that_is_silent() {
    assert!(!fires(SilentEdge, &in_common(2)));
    let found = Views::of(&in_common(3)).standing(SilentEdge);
    let alert = only(&found);
    assert_eq!(alert.subject, Subject::Edge { from: POLICE.to_owned(), to: SCHOOL.to_owned() });
    assert_eq!(alert.entries, (1..7).map(LeafIndex).collect::<Vec<_>>());
    assert_eq!(
        alert.sentence,
        "police:32 and gias:123456 had 3 children in common in 1 day, and police:32 has never shared with gias:123456 (3 or more in 180 days asks for a review)."
    );
    // Where neither shares, each direction is an alert of its own.
    assert_eq!(Views::of(&in_common(3)[1..]).standing(SilentEdge).len(), 2);
}

#[test]
fn one_share_at_any_time_is_enough_and_must_be_with_the_other() {
    let events = in_common(3);
    let with = |event: Event| [events.clone(), vec![event]].concat();
    assert!(!fires(SilentEdge, &with(share("long ago", POLICE, SCHOOL, -3000 * DAY))));
    assert!(!fires(SilentEdge, &with(share("much later", POLICE, SCHOOL, 200 * DAY))));
    assert!(fires(SilentEdge, &with(share("elsewhere", POLICE, COUNCIL, DAY))));
    let withheld = decided("withheld", POLICE, 50, "Withhold", NEW_YEAR);
    assert!(fires(SilentEdge, &with(withheld.clear("recipients", json!([recipient(SCHOOL)])))));
}

#[test]
fn children_in_common_within_exactly_one_hundred_and_eighty_days_count_and_a_millisecond_more_does_not() {
    let last_at = |last: i64| {
        let mut events = in_common(2);
        // The first word in the window is the police's on a day after New Year.
        events.extend([said(POLICE, 3, 3 * DAY), said(SCHOOL, 3, DAY + last)]);
        events
    };
    assert!(fires(SilentEdge, &last_at(180 * DAY)));
    assert!(!fires(SilentEdge, &last_at(180 * DAY + 1)));
}

#[test]
fn two_identifiers_of_one_child_are_one_child_while_they_are_linked() {
    let mut events = in_common(3);
    let link = |name, is_one, day| identity(name, is_one, (2, 3), NEW_YEAR + day * DAY);
    events.extend([link("one child", true, 10), link("two children", false, 11)]);
    assert_eq!(steps(SilentEdge, &events)[6..], [1, 0, 1]);
    // A child whom one agency knows under one identifier and the other under another.
    let mut events = in_common(2);
    events.extend([said(POLICE, 3, DAY), said(SCHOOL, 4, DAY)]);
    let link = |name, is_one, day| identity(name, is_one, (4, 3), NEW_YEAR + day * DAY);
    events.extend([link("one child", true, 10), link("two children", false, 11)]);
    assert_eq!(steps(SilentEdge, &events)[6..], [0, 1, 0]);
}

#[test]
fn late_and_corrected_shares_retract_and_raise_the_alert() {
    let mut events = in_common(3);
    let to = |agency: &str| json!({"fields": ["Recipients"], "recipients": [recipient(agency)]});
    let correct = |name: &str, agency: &str, day| {
        corrected(name, POLICE, 50, "share", to(agency), NEW_YEAR + day * DAY)
    };
    events.extend([
        share("share", POLICE, SCHOOL, -DAY),
        correct("not with the school", COUNCIL, 1),
        correct("with the school after all", SCHOOL, 2),
        harmed("no share at all", POLICE, 50, NEW_YEAR).refers("supersedes", "share"),
    ]);
    assert_eq!(steps(SilentEdge, &events)[6..], [1, 0, 1, 0, 1]);
}

#[test]
fn a_word_that_is_taken_back_is_none() {
    let mut events = in_common(3);
    events.push(harmed("mistake", SCHOOL, 60, NEW_YEAR).refers("supersedes", "gias:123456 on 3"));
    assert_eq!(steps(SilentEdge, &events)[6..], [1, 0]);
}

#[test]
fn a_child_of_whom_only_one_of_them_spoke_in_that_time_does_not_stretch_the_window() {
    // Both know child 4, but not within one window.
    let mut events = vec![said(POLICE, 4, 0), said(SCHOOL, 4, 400 * DAY)];
    events.extend(in_common(3));
    let found = Views::of(&events).standing(SilentEdge);
    let alert = only(&found);
    assert_eq!((alert.window.from, alert.window.to), (at(NEW_YEAR + DAY), at(NEW_YEAR + 2 * DAY)));
    assert_eq!(alert.entries, (3..9).map(LeafIndex).collect::<Vec<_>>());
}

#[test]
fn what_is_said_of_later_times_counts_once_the_first_window_has_less() {
    let mut events = in_common(3);
    events.extend((4..=6).flat_map(|child| [said(POLICE, child, 10 * DAY), said(SCHOOL, child, 11 * DAY)]));
    let alert = |events: &[Event]| {
        let found = Views::of(events).standing(SilentEdge);
        let alert = only(&found);
        let entries: Vec<u64> = alert.entries.iter().map(|entry| entry.0).collect();
        (alert.window.from, alert.window.to, entries)
    };
    let (new_year, day) = (NEW_YEAR, DAY);
    assert_eq!(alert(&events), (at(new_year + day), at(new_year + 2 * day), (1..7).collect()));
    // One word of the first window is taken back: two children are in common by then, and the others make it more than enough.
    events.push(harmed("mistake", SCHOOL, 60, NEW_YEAR).refers("supersedes", "gias:123456 on 3"));
    let later = (1..5).chain(7..13).collect();
    assert_eq!(alert(&events), (at(new_year + day), at(new_year + 11 * day), later));
    // What comes late and is of earlier times moves the window back.
    events.extend([said(POLICE, 7, 0), said(SCHOOL, 7, 0)]);
    let earlier = (1..5).chain(14..16).collect();
    assert_eq!(alert(&events), (at(new_year), at(new_year + 2 * day), earlier));
}

#[test]
fn what_is_retracted_on_one_way_is_replaced_by_nothing_on_another() {
    // Neither shares until the police do: the school's silence is found at the same entry, and rests on the same ones.
    let mut events = in_common(3)[1..].to_vec();
    events
        .push(decided("share", POLICE, 1, "Share", NEW_YEAR).clear("recipients", json!([recipient(SCHOOL)])));
    let changes = Views::of(&events).changes;
    let retracted: Vec<_> = changes.iter().filter_map(|change| change.alert.retraction.as_ref()).collect();
    assert_eq!(retracted.iter().map(|retraction| retraction.replaced_by).collect::<Vec<_>>(), [None]);
}
