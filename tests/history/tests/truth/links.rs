//! Patterns 4 and 5.

use std::collections::{BTreeMap, BTreeSet};

use crate::telling::{Alert, DAY, Telling, Told, runs, sorted, text};

pub(crate) fn alerts(telling: &Telling<'_>) -> Vec<Alert> {
    let mut alerts = shared(telling, "shared-location", ("context.linked", "/context/ref"), 3, 60 * DAY);
    alerts.extend(shared(telling, "shared-person", ("person.linked", "/person/pseudonym"), 2, 180 * DAY));
    alerts
}

fn shared(
    telling: &Telling<'_>,
    pattern: &'static str,
    (event_type, name): (&str, &str),
    children: usize,
    window: i64,
) -> Vec<Alert> {
    let mut links: BTreeMap<&str, Vec<&Told<'_>>> = BTreeMap::new();
    let types = [event_type];
    for told in telling.of_types(&types) {
        links.entry(text(told.data.pointer(name).unwrap())).or_default().push(told);
    }
    let mut alerts = Vec::new();
    for links in links.values() {
        let different =
            |window: &[&Told<'_>]| window.iter().map(|told| told.child).collect::<BTreeSet<_>>().len();
        let runs = runs(links, |a, b| b.at - a.at <= window, |window| different(window) >= children);
        alerts.extend(
            runs.into_iter().map(|run| (pattern, sorted(links[run].iter().map(|told| told.position)))),
        );
    }
    alerts
}
