//! Patterns 11 and 13.

use std::collections::{BTreeMap, BTreeSet};

use crate::telling::{Alert, DAY, Telling, Told, sorted};

/// Any run of ten or more shares of an agency within 90 days, of which over a fifth rely on consent.
pub(crate) fn consent_reliance(telling: &Telling<'_>) -> Vec<Alert> {
    let mut agencies: BTreeMap<&str, Vec<&Told<'_>>> = BTreeMap::new();
    for told in telling.shares() {
        agencies.entry(told.agency).or_default().push(told);
    }
    let relies = |told: &&Told<'_>| told.relies_on("Article6", &["a"]);
    let mut alerts = Vec::new();
    for shares in agencies.values() {
        let mut run: BTreeSet<usize> = BTreeSet::new();
        for first in 0..shares.len() {
            let (mut count, mut on_consent) = (0, 0);
            for (last, share) in shares.iter().enumerate().skip(first) {
                if share.at - shares[first].at > 90 * DAY {
                    break;
                }
                count += 1;
                on_consent += i32::from(relies(share));
                if count >= 10 && 5 * on_consent > count {
                    run.extend(first..=last);
                }
            }
        }
        if !run.is_empty() {
            let shares = run.into_iter().map(|at| shares[at]).filter(relies);
            alerts.push(("consent-reliance", sorted(shares.map(|told| told.position))));
        }
    }
    alerts
}

/// No entries stand behind such an alert: it is about what was never told.
pub(crate) fn silent_edges(telling: &Telling<'_>) -> Vec<Alert> {
    let mut spoken: BTreeMap<&str, BTreeMap<&str, Vec<i64>>> = BTreeMap::new();
    let mut told_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for told in telling.all.iter().filter(|told| !told.child.is_empty()) {
        spoken.entry(told.agency).or_default().entry(told.child).or_default().push(told.at);
        told_of.entry(told.child).or_default().insert(told.agency);
    }
    let mut shared: BTreeSet<(&str, &str)> = BTreeSet::new();
    for told in telling.shares() {
        let recipients = told.data["recipients"].as_array().unwrap().iter();
        shared.extend(recipients.filter_map(|to| Some((told.agency, to["agency"].as_str()?))));
    }
    let pairs: BTreeSet<(&str, &str)> = told_of
        .values()
        .flat_map(|agencies| agencies.iter().flat_map(|a| agencies.iter().map(|b| (*a, *b))))
        .filter(|(a, b)| a != b && !shared.contains(&(*a, *b)))
        .collect();
    let silent = pairs.into_iter().filter(|(a, b)| have_three_in_common(&spoken[a], &spoken[b]));
    silent.map(|_| ("silent-edge", Vec::new())).collect()
}

fn have_three_in_common(a: &BTreeMap<&str, Vec<i64>>, b: &BTreeMap<&str, Vec<i64>>) -> bool {
    let both: Vec<(&Vec<i64>, &Vec<i64>)> =
        a.iter().filter_map(|(child, times)| Some((times, b.get(child)?))).collect();
    let mut starts = both.iter().flat_map(|(a, b)| a.iter().chain(b.iter()));
    starts.any(|start| {
        let inside = |times: &[i64]| times.iter().any(|at| (*start..=start + 180 * DAY).contains(at));
        both.iter().filter(|(a, b)| inside(a) && inside(b)).count() >= 3
    })
}
