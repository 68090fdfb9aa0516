//! That a history's truth is true: a plain reading of DOMAIN section 5, slow and with no regard to order of arrival, finds exactly the
//! alerts that were planted.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod absences;
mod agencies;
mod decisions;
mod links;
mod moves;
mod telling;

use gt_history::{History, Plan, Planted, generate};

use telling::{Alert, Telling};

fn found(history: &History) -> Vec<Alert> {
    let telling = Telling::of(history);
    let mut alerts = Vec::new();
    for pattern in [
        absences::alerts,
        links::alerts,
        moves::alerts,
        decisions::requests,
        decisions::harm,
        decisions::bases,
        decisions::slow,
        agencies::consent_reliance,
        agencies::silent_edges,
    ] {
        alerts.extend(pattern(&telling));
    }
    alerts.sort();
    alerts
}

fn planted(history: &History) -> Vec<Alert> {
    let mut alerts: Vec<Alert> =
        history.alerts.iter().map(|alert| (alert.pattern, alert.entries.clone())).collect();
    alerts.sort();
    alerts
}

/// Fails with what was planted and not found, and what was found and not planted.
fn assert_true(plan: &Plan) {
    let history = generate(plan);
    let (planted, found) = (planted(&history), found(&history));
    let about = |alerts: &[Alert], others: &[Alert]| -> Vec<String> {
        let missing = alerts.iter().filter(|alert| !others.contains(alert));
        let told = |alert: &Alert| {
            let entries = alert.1.iter().map(|at| {
                let event = &history.events[*at];
                format!("\n    {at} {} {} {}", event.agency, event.event_type, event.data)
            });
            let planted = history.alerts.iter().find(|planted| planted.entries == alert.1);
            let about = planted.map_or("", |planted| planted.about.as_str());
            format!("{} {about}{}", alert.0, entries.collect::<String>())
        };
        missing.map(told).collect()
    };
    let (missed, more) = (about(&planted, &found), about(&found, &planted));
    assert!(
        planted == found,
        "{plan:?}: {} planted, {} found\nplanted, not found:\n{}\nfound, not planted:\n{}",
        planted.len(),
        found.len(),
        missed.join("\n"),
        more.join("\n")
    );
}

#[test]
fn exactly_the_planted_cases_raise_alerts() {
    for seed in 0..6 {
        assert_true(&Plan {
            seed,
            events: 6_000,
            agencies: 18,
            children: 500,
            years: 3,
            planted: Planted::each(6),
        });
    }
}

#[test]
fn the_everyday_raises_none_however_dense_it_is() {
    for (seed, agencies, children, years) in [(1, 6, 40, 1), (2, 1, 300, 2), (3, 40, 3, 5), (4, 9, 2_000, 1)]
    {
        assert_true(&Plan { seed, events: 6_000, agencies, children, years, planted: Planted::each(0) });
    }
}

#[test]
fn every_variation_of_a_case_is_found_within_a_year() {
    let planted = Planted::each(25);
    assert_true(&Plan { seed: 11, events: 9_000, agencies: 24, children: 400, years: 1, planted });
}
