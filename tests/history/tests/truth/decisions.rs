//! Patterns 8, 9, 10 and 12.

use crate::moves::a_year_after;
use crate::telling::{Alert, DAY, HOUR, MINUTE, Telling, Told, sorted, text};

/// 2026-02-05: recognised legitimate interests are in force.
const RECOGNISED_FROM: i64 = 1_770_249_600_000;

pub(crate) fn requests(telling: &Telling<'_>) -> Vec<Alert> {
    let answers = telling.by_child(&["request.answered", "request.refused"]);
    let overdue = |told: &&Told<'_>| {
        let hours = match text(&told.data["rating"]) {
            "Red" => 4,
            "Amber" => 24,
            _ => 72,
        };
        let due = told.time("due_at").unwrap_or(told.at + hours * HOUR);
        let answers = answers.get(told.child).map_or(&[][..], Vec::as_slice);
        let answer = answers.iter().find(|answer| answer.agency == told.agency && answer.at >= told.at);
        // The first answer after a request is the one to it.
        assert!(answer.is_none_or(|answer| answer.data["refs"]["request"] == told.data["refs"]["request"]));
        answer.is_none_or(|answer| answer.at > due)
    };
    let requests = telling.of_types(&["request.received"]).filter(overdue);
    requests.map(|told| ("request-unanswered", vec![told.position])).collect()
}

pub(crate) fn harm(telling: &Telling<'_>) -> Vec<Alert> {
    let harm = telling.by_child(&["harm.recorded"]);
    let withheld =
        telling.of_types(&["decision.recorded"]).filter(|told| told.data["decision"] == "Withhold");
    let alerts = withheld.filter_map(|told| {
        let harm =
            harm.get(told.child)?.iter().filter(|harm| (told.at..=told.at + 90 * DAY).contains(&harm.at));
        let harm: Vec<usize> = harm.map(|harm| harm.position).collect();
        (!harm.is_empty()).then(|| ("withheld-then-harm", sorted(harm.into_iter().chain([told.position]))))
    });
    alerts.collect()
}

pub(crate) fn bases(telling: &Telling<'_>) -> Vec<Alert> {
    let consents = telling.by_child(&["consent.given"]);
    let agreements: Vec<&Told<'_>> =
        telling.of_types(&["agreement.registered", "agreement.reviewed", "agreement.ended"]).collect();
    let mut alerts = Vec::new();
    for told in telling.shares() {
        let shared = told.time("shared_at").unwrap();
        let mut entries = vec![told.position];
        let mut found = has_breach(told, shared);
        if told.relies_on("Article6", &["a"]) {
            let given = consents.get(told.child).map_or(&[][..], Vec::as_slice);
            let last = given.iter().rfind(|given| given.at <= shared).expect("consent relied on was told");
            if a_year_after(last.at) < shared {
                found = true;
                entries.push(last.position);
            }
        }
        if let Some(name) = told.data["refs"]["agreement"].as_str() {
            let named = |act: &&&Told<'_>| act.data["refs"]["agreement"] == name && act.at <= shared;
            let last = agreements.iter().rfind(named).expect("an agreement relied on was registered");
            if last.event_type == "agreement.ended" || a_year_after(last.at) < shared {
                found = true;
                entries.push(last.position);
            }
        }
        if found {
            alerts.push(("basis-missing", sorted(entries)));
        }
    }
    alerts
}

/// The findings E1 to E10 of DOMAIN section 2.
fn has_breach(told: &Told<'_>, shared: i64) -> bool {
    let items = told.data["items"].as_array().unwrap();
    let has_shared =
        |class: &str| items.iter().any(|item| item["class"] == class && item["disposition"] == "Shared");
    let public = !told.agency.starts_with("charity:");
    let on = |kind: &str, codes: &[&str]| told.relies_on(kind, codes);
    let part3 = on("Part3", &[]);
    let paragraph_18_lacks_ground = told.data["lawful_basis"].as_array().unwrap().iter().any(|basis| {
        basis["paragraph"] == "P18" && basis["kind"] == "Schedule1" && basis["ground"].is_null()
    });
    let condition = if part3 { on("Schedule8", &[]) } else { on("Article9", &[]) };
    let consent = text(&told.data["consent"]["status"]);
    [
        !on("Article6", &[]) && !part3,
        has_shared("Special") && !condition,
        on("Article9", &["b", "g", "h", "i", "j"]) && !on("Schedule1", &[]),
        paragraph_18_lacks_ground,
        has_shared("CriminalOffence") && !on("Article10", &["OfficialAuthority"]) && !on("Schedule1", &[]),
        public && on("Article6", &["ea", "f"]),
        on("Article6", &["a"]) && !["Explicit", "Given"].contains(&consent) || on("Article9", &["a"]),
        on("Article6", &["c", "e"]) && !on("Gateway", &[]),
        part3 && (!told.agency.starts_with("police:") || on("Article6", &[])),
        on("Article6", &["ea"]) && shared < RECOGNISED_FROM,
    ]
    .contains(&true)
}

pub(crate) fn slow(telling: &Telling<'_>) -> Vec<Alert> {
    let slow = telling.shares().filter(|told| {
        let urgent = ["SignificantHarm", "Immediate"].contains(&text(&told.data["harm_level"]));
        let took = told.time("aware_at").map(|aware| told.time("shared_at").unwrap() - aware);
        assert!(took.is_none_or(|took| took >= MINUTE), "shared before the concern came");
        took > Some(if urgent { 24 * HOUR } else { 72 * HOUR })
    });
    slow.map(|told| ("slow-share", vec![told.position])).collect()
}
