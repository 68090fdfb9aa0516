//! Patterns 6 and 7.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{SignedDuration, ToSpan};

use crate::telling::{Alert, DAY, HOUR, Telling, Told, runs, sorted, text};

const MOVES: [&str; 2] = ["child.moved", "placement.started"];

pub(crate) fn alerts(telling: &Telling<'_>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for moves in telling.by_child(&MOVES).values() {
        let year = |first: &&Told<'_>, other: &&Told<'_>| other.at <= a_year_after(first.at);
        for run in runs(moves, year, |window| are_many(window)) {
            alerts.push(("many-authorities", sorted(moves[run].iter().map(|told| told.position))));
        }
    }
    let shares = telling.by_child(&["decision.recorded"]);
    for told in telling.of_types(&MOVES).filter(|told| told.data["from_la"] != told.data["to_la"]) {
        let deadline = deadline(told);
        let tells = |share: &&Told<'_>| {
            let to = share.data["recipients"].as_array().unwrap().iter();
            share.time("shared_at").is_some_and(|at| (told.at - 28 * DAY..deadline).contains(&at))
                && to.map(|to| &to["agency"]).any(|to| *to == told.data["to_la"])
        };
        let about = shares.get(told.child).map_or(&[][..], Vec::as_slice);
        let noted = told.time("notified_at").is_some_and(|at| at < deadline);
        if !noted && !about.iter().any(tells) {
            alerts.push(("moved-unshared", vec![told.position]));
        }
    }
    alerts
}

fn are_many(window: &[&Told<'_>]) -> bool {
    let named = window.iter().flat_map(|told| [text(&told.data["from_la"]), text(&told.data["to_la"])]);
    let authorities = named.collect::<BTreeSet<_>>().len();
    authorities >= if window.iter().any(|told| is_secure(told)) { 2 } else { 3 }
}

fn is_secure(told: &Told<'_>) -> bool {
    let kinds = ["SecureChildrensHome", "YoungOffenderInstitution", "SecureTrainingCentre"];
    told.event_type == "placement.started"
        && (kinds.contains(&text(&told.data["placement"]))
            || ["Remand", "Sentence"].contains(&text(&told.data["legal_status"])))
}

/// The first moment after the last working day, in London. Without bank holidays, so never too late.
fn deadline(told: &Told<'_>) -> i64 {
    let five = told.data["plan"] == "None" || told.data["emergency"] == true;
    let mut date = civil(told.at + summer(told.at)).date();
    for _ in 0..if five { 5 } else { 1 } {
        date = date.tomorrow().unwrap();
        while matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            date = date.tomorrow().unwrap();
        }
    }
    let midnight = millis(date.tomorrow().unwrap().at(0, 0, 0, 0));
    midnight - summer(midnight)
}

fn summer(at: i64) -> i64 {
    let year = civil(at).year();
    let turn = |month| {
        let mut day = Date::constant(year, month, 31);
        while day.weekday() != Weekday::Sunday {
            day = day.yesterday().unwrap();
        }
        millis(day.at(1, 0, 0, 0))
    };
    if at >= turn(3) && at < turn(10) { HOUR } else { 0 }
}

pub(crate) fn a_year_after(at: i64) -> i64 {
    millis(civil(at) + 12.months())
}

fn civil(at: i64) -> DateTime {
    DateTime::constant(1970, 1, 1, 0, 0, 0, 0) + SignedDuration::from_millis(at)
}

fn millis(moment: DateTime) -> i64 {
    let since = moment.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    i64::try_from(since.as_millis()).unwrap()
}
