//! An alert's life: raised, taken on, reviewed, looked at again, retracted, raised again; and what is told of it.

use std::collections::BTreeSet;

use gt_core::position::LeafIndex;
use gt_projections::Pattern::{RepeatMissing, RhiOverdue};
use gt_projections::{
    Alert, AlertFilter, AlertId, AlertStatus, ChangeKind, HandlingStep, Page, Projector, StatusFilter,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fixture::*;
use crate::histories::*;

/// The child's absences begin on these days; each is received on its day.
const T: i64 = NEW_YEAR;

fn start(day: i64) -> (i64, Event) {
    (T + day * DAY, started(&format!("start {day}"), POLICE, 1, "Missing", T + day * DAY))
}

/// Three absences, so there is an alert from day 20 on.
fn three() -> Vec<(i64, Event)> {
    vec![start(0), start(10), start(20)]
}

fn alert_id() -> AlertId {
    Views::received(&three()).standing(RepeatMissing)[0].id
}

fn assigned_on(day: i64) -> (i64, Event) {
    (T + day * DAY, alert_assigned(&format!("assigned {day}"), COUNCIL, alert_id(), T + day * DAY))
}

fn reviewed_on(day: i64) -> (i64, Event) {
    (T + day * DAY, alert_reviewed(&format!("reviewed {day}"), POLICE, alert_id(), T + day * DAY))
}

/// The police say that the absence of that day was none.
fn mistaken(day: i64, of: i64) -> (i64, Event) {
    let other = harmed(&format!("mistake {day}"), POLICE, 9, T);
    (T + day * DAY, other.refers("supersedes", &format!("start {of}")))
}

struct Story {
    views: Views,
}

fn story(events: &[(i64, Event)]) -> Story {
    let views = Views::received(events);
    // Whoever follows what is told knows what stands.
    assert_eq!(replay(&views.changes), standing_now(&views.queries()));
    Story { views }
}

impl Story {
    fn on(&self, day: i64) -> Option<AlertStatus> {
        self.views.as_of(RepeatMissing, T + day * DAY).first().map(|alert| alert.status)
    }

    fn alert(&self) -> Alert {
        self.views.of_pattern(RepeatMissing).remove(0)
    }

    fn is_waiting(&self) -> bool {
        let filter = AlertFilter {
            pattern: Some(RepeatMissing),
            status: Some(StatusFilter::Waiting),
            ..Default::default()
        };
        !self.views.queries().alerts(&filter, &Page::default()).unwrap().items.is_empty()
    }

    fn told(&self) -> Vec<ChangeKind> {
        told(&self.views.changes, RepeatMissing)
    }
}

#[test]
fn an_alert_is_assigned_and_then_reviewed_and_says_by_whom() {
    let assigned = story(&[three(), vec![assigned_on(21)]].concat());
    assert_eq!((assigned.alert().status, assigned.is_waiting()), (AlertStatus::Assigned, true));
    let done = story(&[three(), vec![assigned_on(21), reviewed_on(22)]].concat());
    assert_eq!((done.alert().status, done.is_waiting()), (AlertStatus::Reviewed, false));
    let days = [19, 20, 21, 22].map(|day| done.on(day));
    assert_eq!(
        days,
        [None, Some(AlertStatus::Open), Some(AlertStatus::Assigned), Some(AlertStatus::Reviewed)]
    );
    let handling: Vec<(LeafIndex, String, HandlingStep)> =
        done.alert().handling.into_iter().map(|step| (step.index, step.agency, step.step)).collect();
    assert_eq!(
        handling,
        [
            (LeafIndex(3), COUNCIL.to_owned(), HandlingStep::Assigned { to: Some(POLICE.to_owned()) }),
            (LeafIndex(4), POLICE.to_owned(), HandlingStep::Reviewed { outcome: "ActionTaken" }),
        ]
    );
    assert_eq!(done.told(), [ChangeKind::Raised, ChangeKind::Assigned, ChangeKind::Reviewed]);
}

#[test]
fn a_reviewed_alert_that_says_something_else_is_open_again() {
    let again = story(&[three(), vec![reviewed_on(22), start(30)]].concat());
    assert_eq!((again.alert().status, again.is_waiting()), (AlertStatus::Open, true));
    assert_eq!(again.alert().raised_at, at(T + 20 * DAY), "it was raised then, and has not gone since");
    assert_eq!(again.told(), [ChangeKind::Raised, ChangeKind::Reviewed, ChangeKind::Changed]);
    let twice = story(&[three(), vec![reviewed_on(22), start(30), reviewed_on(31)]].concat());
    assert_eq!((twice.alert().status, twice.alert().handling.len()), (AlertStatus::Reviewed, 2));
    // What says nothing about it changes nothing.
    let other = (T + 40 * DAY, harmed("harm", SCHOOL, 1, T));
    let same = story(&[three(), vec![reviewed_on(22), other]].concat());
    assert_eq!((same.alert().status, same.is_waiting()), (AlertStatus::Reviewed, false));
}

#[test]
fn an_assigned_alert_that_says_something_else_stays_with_whoever_has_it() {
    let more = story(&[three(), vec![assigned_on(21), start(30)]].concat());
    assert_eq!((more.alert().status, more.is_waiting()), (AlertStatus::Assigned, true));
}

#[test]
fn a_reviewed_alert_that_is_assigned_again_waits_again() {
    let again = story(&[three(), vec![reviewed_on(22), assigned_on(23)]].concat());
    assert_eq!((again.alert().status, again.is_waiting()), (AlertStatus::Assigned, true));
    let done = story(&[three(), vec![reviewed_on(22), assigned_on(23), reviewed_on(24)]].concat());
    assert_eq!((done.alert().status, done.is_waiting()), (AlertStatus::Reviewed, false));
}

#[test]
fn a_retracted_alert_that_is_raised_again_is_the_same_and_open() {
    let events = [three(), vec![reviewed_on(22), mistaken(25, 10), start(40)]].concat();
    let again = story(&events);
    assert_eq!(again.on(25), Some(AlertStatus::Retracted));
    assert_eq!((again.alert().id, again.alert().status), (alert_id(), AlertStatus::Open));
    assert_eq!((again.alert().raised_at, again.alert().raised_by), (at(T + 40 * DAY), LeafIndex(5)));
    assert_eq!(again.alert().handling.len(), 1, "what was done about it is not forgotten");
    assert_eq!(
        again.told(),
        [ChangeKind::Raised, ChangeKind::Reviewed, ChangeKind::Retracted, ChangeKind::Raised]
    );
    let gone = story(&events[..5]);
    assert_eq!((gone.alert().status, gone.is_waiting()), (AlertStatus::Retracted, false));
    let said = gone.alert();
    assert_eq!(
        (said.entries, said.retraction.unwrap().by),
        ([0, 1, 2].map(LeafIndex).to_vec(), LeafIndex(4))
    );
}

#[test]
fn nobody_has_an_alert_that_is_raised_again() {
    let again = story(&[three(), vec![assigned_on(21), mistaken(25, 10), start(40)]].concat());
    assert_eq!((again.alert().status, again.is_waiting()), (AlertStatus::Open, true));
}

#[test]
fn what_is_done_about_an_alert_that_is_not_there_tells_nobody_anything() {
    let early = story(&[vec![start(0), reviewed_on(5), assigned_on(6)], vec![start(10), start(20)]].concat());
    assert_eq!(early.told(), [ChangeKind::Raised]);
    assert_eq!((early.alert().status, early.is_waiting()), (AlertStatus::Open, true));
    let retracted = story(&[three(), vec![mistaken(25, 10), reviewed_on(26)]].concat());
    assert_eq!(retracted.told(), [ChangeKind::Raised, ChangeKind::Retracted]);
    assert_eq!(retracted.alert().status, AlertStatus::Retracted);
}

/// A child returns, and nobody holds an interview.
fn returned(at: i64) -> Vec<(i64, Event)> {
    vec![(at, started("start", POLICE, 1, "Missing", at)), (at + HOUR, ended("end", POLICE, 1, at + HOUR))]
}

#[test]
fn a_review_before_the_clock_has_run_out_is_no_review() {
    let deadline = T + 73 * HOUR;
    let id = Views::received(&returned(T)).now(RhiOverdue, deadline + 1)[0].id;
    let mut events = returned(T);
    events.push((T + 2 * HOUR, alert_reviewed("guessed", POLICE, id, T + 2 * HOUR)));
    let views = Views::received(&events);
    assert_eq!(views.now(RhiOverdue, deadline + 1)[0].status, AlertStatus::Open);
    // Also for views that were closed in between.
    let records = seal_at(&events);
    let Views { projector, folder, .. } = views;
    let dump = projector.dump().unwrap();
    projector.close().unwrap();
    let mut projector = open(folder.path());
    assert_same(&projector, &dump);
    let later = harmed("later", SCHOOL, 7, T).seal(3, at(deadline + HOUR));
    let changes = apply(&mut projector, &[&records[..], &[later]].concat());
    assert_eq!(told(&changes, RhiOverdue), [ChangeKind::Raised]);
}

#[test]
fn alerts_whose_clocks_run_out_are_told_of_when_somebody_asks() {
    let deadline = T + 73 * HOUR;
    let views = Views::received(&returned(T));
    let queries = views.queries();
    let between = |from, to| queries.raised_between(at(from), at(to)).unwrap();
    let patterns = |alerts: Vec<Alert>| alerts.into_iter().map(|alert| alert.pattern).collect::<Vec<_>>();
    assert_eq!(between(T + HOUR, deadline), []);
    assert_eq!(patterns(between(deadline, deadline + 1)), [RhiOverdue], "the end is included");
    assert_eq!(
        between(deadline + 1, deadline + DAY),
        [],
        "and the beginning is not, so nothing is told twice"
    );
    assert_eq!(patterns(between(T + HOUR, deadline + DAY)), [RhiOverdue]);
    assert_eq!(between(deadline + DAY, deadline), [], "no time at all");
    let mut held = returned(T);
    held.push((T + DAY, interview("held", "rhi.held", COUNCIL, 1, T + DAY)));
    assert_eq!(Views::received(&held).queries().raised_between(at(T), at(deadline + DAY)).unwrap(), []);
}

#[test]
fn an_alert_by_a_deadline_is_told_of_with_the_next_entry_and_says_when_it_was() {
    let deadline = T + 73 * HOUR;
    let mut events = returned(T);
    events.push((deadline + DAY, harmed("unrelated", SCHOOL, 7, T)));
    let views = story(&events).views;
    let [change] = &views.changes[..] else { panic!("one change: {:#?}", views.changes) };
    assert_eq!(
        (change.change, change.index, change.at),
        (ChangeKind::Raised, LeafIndex(2), at(deadline + 1))
    );
    assert_eq!((change.alert.raised_at, change.alert.raised_by), (at(deadline + 1), LeafIndex(1)));
    assert_eq!(views.queries().raised_between(at(deadline + DAY), at(deadline + 2 * DAY)).unwrap(), []);
}

/// Histories in which people handle the alerts that there will be.
fn handled() -> impl Strategy<Value = Vec<Event>> {
    let step = (any::<Index>(), any::<Index>(), any::<bool>());
    (any_events(30), prop::collection::vec(step, 0..12)).prop_map(|(mut events, steps)| {
        let ids: Vec<AlertId> =
            Views::with(&seal_all(&events), eagerly()).alerts().iter().map(|alert| alert.id).collect();
        if ids.is_empty() {
            return events;
        }
        for (n, (which, place, review)) in steps.into_iter().enumerate() {
            let (name, id) = (format!("step {n}"), *which.get(&ids));
            let handle = if review { alert_reviewed } else { alert_assigned };
            events.insert(place.index(events.len() + 1), handle(&name, COUNCIL, id, NEW_YEAR));
        }
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_entry_by_entry_is_what_stands_and_what_clocks_have_raised_is_told_once(
        events in handled(), pauses in any_pauses(), reopened: Index
    ) {
        let records = seal_after(&events, &pauses);
        let whole = Views::with(&records, eagerly());
        prop_assert_eq!(replay(&whole.changes), standing_now(&whole.queries()));
        let folder = tempfile::tempdir().unwrap();
        let open = || Projector::open(folder.path(), eagerly()).unwrap().projector;
        let (mut projector, mut changes) = (open(), Vec::new());
        for (n, record) in records.iter().enumerate() {
            if n == reopened.index(records.len()) {
                projector.close().unwrap();
                projector = open();
            }
            let received = record.entry.received_at.as_millis();
            let last = projector.queries().status().unwrap().as_of.received_at;
            let raised = last.map_or(Vec::new(), |last| {
                projector.queries().raised_between(last, at(received - 1)).unwrap()
            });
            let now = apply(&mut projector, &records[n..=n]);
            let by_clock = now.iter().filter(|change| change.at.as_millis() < received);
            prop_assert_eq!(
                by_clock.map(|change| change.alert.id).collect::<BTreeSet<_>>(),
                raised.iter().map(|alert| alert.id).collect::<BTreeSet<_>>()
            );
            changes.extend(now);
        }
        prop_assert_eq!(&changes, &whole.changes);
        assert_same(&projector, &whole.projector.dump().unwrap());
    }
}

#[test]
fn a_review_that_is_taken_back_leaves_the_alert_waiting() {
    let taken_back = |name: &str, day: i64, agency| {
        let other = harmed(&format!("{name} taken back"), agency, 9, T);
        (T + day * DAY, other.refers("supersedes", name))
    };
    let reviewed = [three(), vec![reviewed_on(22)]].concat();
    let again = story(&[&reviewed[..], &[taken_back("reviewed 22", 23, POLICE)]].concat());
    assert_eq!((again.alert().status, again.is_waiting()), (AlertStatus::Open, true));
    assert_eq!((again.alert().handling, again.on(22)), (Vec::new(), Some(AlertStatus::Reviewed)));
    assert_eq!(again.told(), [ChangeKind::Raised, ChangeKind::Reviewed, ChangeKind::Changed]);
    // Nobody takes back what another agency did.
    let others = story(&[&reviewed[..], &[taken_back("reviewed 22", 23, COUNCIL)]].concat());
    assert_eq!((others.alert().status, others.is_waiting()), (AlertStatus::Reviewed, false));
    // Nor does what was taken back before it came do anything.
    let early =
        [three(), vec![(T + 21 * DAY, taken_back("reviewed 22", 21, POLICE).1), reviewed_on(22)]].concat();
    assert_eq!((story(&early).alert().status, story(&early).is_waiting()), (AlertStatus::Open, true));
    // An earlier review holds again, and so does an assignment.
    let twice = [&reviewed[..], &[reviewed_on(24), taken_back("reviewed 24", 25, POLICE)]].concat();
    assert_eq!((story(&twice).alert().status, story(&twice).is_waiting()), (AlertStatus::Reviewed, false));
    let assigned = [three(), vec![assigned_on(21), reviewed_on(22), taken_back("reviewed 22", 23, POLICE)]];
    assert_eq!(story(&assigned.concat()).alert().status, AlertStatus::Assigned);
}
