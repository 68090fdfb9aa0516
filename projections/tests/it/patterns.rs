//! Each pattern on both sides of its threshold, at the edges of its window or deadline, over clock changes and holidays,
//! under one identifier and several, and after corrections and late reports.

mod basis_missing;
mod consent_reliance;
mod long_missing;
mod many_authorities;
mod moved_unshared;
mod repeat_missing;
mod request_unanswered;
mod rhi_overdue;
mod shared_location;
mod shared_person;
mod silent_edge;
mod slow_share;
mod withheld_then_harm;

use gt_projections::{Alert, AlertStatus, Pattern};

use crate::fixture::*;

/// How many alerts of the pattern stood after each of these entries, received one a minute, long after the events. Whoever asks about the
/// past and whoever asked then must get the same.
#[track_caller]
fn steps(pattern: Pattern, events: &[Event]) -> Vec<usize> {
    let from = time("2028-06-01T00:00:00Z");
    let received: Vec<(i64, Event)> =
        (0..).zip(events).map(|(n, event)| (from + n * MINUTE, event.clone())).collect();
    let views = Views::received(&received);
    let ids = |alerts: Vec<Alert>| alerts.into_iter().map(|alert| alert.id).collect::<Vec<_>>();
    let counts = (1..=received.len()).map(|count| {
        let then = ids(Views::received(&received[..count]).standing(pattern));
        let looking_back = ids(standing(views.as_of(pattern, received[count - 1].0)));
        assert_eq!(looking_back, then, "after {count}");
        then.len()
    });
    counts.collect()
}

/// Whether exactly one alert of the pattern stands after these events, whatever came in between; more are a failure.
#[track_caller]
fn fires(pattern: Pattern, events: &[Event]) -> bool {
    let found = Views::of(events).standing(pattern);
    assert!(found.len() <= 1, "{found:#?}");
    found.len() == 1
}

/// The one alert that there is.
#[track_caller]
fn only(alerts: &[Alert]) -> &Alert {
    let [alert] = alerts else { panic!("one alert, not {alerts:#?}") };
    alert
}

/// Nothing to see at all, not even something that was taken back.
#[track_caller]
fn assert_none(alerts: &[Alert]) {
    assert_eq!(alerts, []);
}

#[track_caller]
fn assert_retracted(alerts: &[Alert]) {
    assert_eq!(only(alerts).status, AlertStatus::Retracted);
}
