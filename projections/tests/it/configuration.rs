//! The rules in force: the caller's until the log says others.

use std::sync::Arc;

use gt_projections::{Options, Pattern, Projector};
use gt_schemas::Configuration;
use gt_schemas::configuration::Window;

use crate::fixture::*;

/// One-hour absences of child 1 on these days.
fn absences(days: &[i64]) -> Vec<Event> {
    let pair = |day: &i64| {
        let time = NEW_YEAR + day * DAY;
        let start = started(&format!("start {day}"), POLICE, 1, "Missing", time);
        [start, ended(&format!("end {day}"), POLICE, 1, time + HOUR)]
    };
    days.iter().flat_map(pair).collect()
}

#[test]
fn thresholds_are_the_callers_and_other_ones_make_the_views_anew() {
    let records = seal_all(&absences(&[0, 1]));
    let views = Views::of_records(&records);
    assert_eq!(views.of_pattern(Pattern::RepeatMissing), []);
    let Views { projector, folder, .. } = views;
    projector.close().unwrap();
    let mut rules = Configuration::standard();
    rules.thresholds.repeat_missing = Window { count: 2, days: 1 };
    let opened = Projector::open(folder.path(), Options { rules: Arc::new(rules), ..small() }).unwrap();
    assert!(opened.rebuilt.is_some());
    let mut projector = opened.projector;
    apply(&mut projector, &records);
    let found = of_pattern(alerts(&projector.queries(), None), Pattern::RepeatMissing);
    assert_eq!(
        found[0].sentence,
        "One child was reported missing 2 times in 1 day (2 or more in 1 day asks for a review)."
    );
    assert_eq!(found[0].thresholds, serde_json::json!({"count": 2, "days": 1}));
}
