//! Whose periods of retention have ended, over generated partnerships.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gt_projections::{Options, RetentionRow, RetentionTally};
use gt_schemas::{Configuration, RetentionClass};
use proptest::prelude::*;

use super::*;

const AGENCIES: [&str; 3] = [COUNCIL, POLICE, SCHOOL];
const PLANS: [(&str, RetentionClass); 3] = [
    ("ChildInNeed", RetentionClass::ChildInNeed),
    ("LookedAfter", RetentionClass::LookedAfter),
    ("None", RetentionClass::Other),
];

/// The council keeps its own a little longer; nobody has a rule for those who were looked after but the council and the police.
fn rules() -> Configuration {
    let mut rules = Configuration::standard().to_json();
    rules["retention"] = json!({"rules": [
        {"class": "Other", "counts_from": "LastEntry", "texts_years": 1, "records_years": 3},
        {"class": "CIN", "counts_from": "LastEntry", "texts_years": 3, "records_years": 5},
        {"controller": COUNCIL, "class": "CIN", "counts_from": "FirstEntry", "texts_years": 4},
        {"controller": COUNCIL, "class": "CLA", "counts_from": "FirstEntry", "texts_years": 5, "records_years": 6},
        {"controller": POLICE, "class": "CLA", "counts_from": "LastEntry", "texts_years": 2, "records_years": 6},
    ]});
    Configuration::read(&rules).unwrap()
}

fn views(events: &[(i64, Event)]) -> Views {
    Views::with(&seal_at(events), Options { rules: Arc::new(rules()), ..small() })
}

fn due(views: &Views, at_time: i64, limit: usize) -> Vec<RetentionRow> {
    let (mut rows, mut page) = (Vec::new(), Page { limit, ..Page::default() });
    loop {
        let answer = views.queries().retention_due(at(at_time), &page).unwrap();
        assert!(answer.items.len() <= limit);
        rows.extend(answer.items);
        page.cursor = answer.next;
        if page.cursor.is_none() {
            return rows;
        }
    }
}

fn held(kind: &'static str, name: &str, agency: &'static str, child: u8, ground: &str) -> Event {
    event(name, kind, agency, NEW_YEAR, json!({"ground": ground})).about(child)
}

#[test]
fn holds_are_named_until_who_placed_them_lifts_them_and_identities_are_one_person() {
    let events = [
        moved("m", COUNCIL, 3, (COUNCIL, OTHER_COUNCIL), "None", NEW_YEAR),
        moved("n", POLICE, 5, (COUNCIL, OTHER_COUNCIL), "None", NEW_YEAR),
        identity("i", true, (3, 5), NEW_YEAR),
        held("hold.placed", "h1", COUNCIL, 3, "Inquiry"),
        held("hold.placed", "h2", POLICE, 5, "Inquiry"),
        held("record.restricted", "r1", COUNCIL, 5, "Adoption"),
        held("hold.lifted", "l1", COUNCIL, 5, "Inquiry"),
        held("hold.lifted", "l2", COUNCIL, 3, "LegalProceedings"),
        // A lifting that is taken back has lifted nothing.
        held("record.released", "l3", COUNCIL, 3, "Adoption"),
        held("record.released", "l4", COUNCIL, 3, "Other").refers("supersedes", "l3"),
    ];
    let events: Vec<(i64, Event)> = events.into_iter().map(|event| (NEW_YEAR, event)).collect();
    let views = views(&events);
    assert_eq!(due(&views, NEW_YEAR + 365 * DAY, 5), [], "the day is not over");
    let rows = due(&views, NEW_YEAR + 366 * DAY, 5);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].child, rows[0].due.ends), (owner(3), "data"));
    assert_eq!(rows[0].identities, BTreeSet::from([owner(3), owner(5)]));
    let held: Vec<_> = rows[0].held_by.iter().map(|held| (held.entry.0, held.ended_by)).collect();
    assert_eq!(held, [(4, "hold.lifted"), (5, "record.released")]);
    let none = Views::of(&[moved("m", COUNCIL, 3, (COUNCIL, OTHER_COUNCIL), "None", NEW_YEAR)]);
    assert_eq!(due(&none, NEW_YEAR + 40_000 * DAY, 5), [], "without rules everything is kept");
}

/// Who stands for whom, by joining pairs one after another.
fn representatives(pairs: &[(u8, u8)]) -> BTreeMap<u8, u8> {
    let mut of: BTreeMap<u8, u8> = (1..=8).map(|child| (child, child)).collect();
    for (one, other) in pairs {
        let (one, other) = (of[one], of[other]);
        of.values_mut().filter(|known| **known == one.max(other)).for_each(|known| *known = one.min(other));
    }
    of
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_person_is_due_once_by_all_that_all_agencies_said_under_all_identifiers(
        entries in prop::collection::vec((1..=8_u8, 0..3_usize, 0..3_usize, 0..1_500_i64), 1..30),
        pairs in prop::collection::vec((1..=8_u8, 1..=8_u8), 0..5),
        later in 0..3_000_i64,
        limit in 1..4_usize,
    ) {
        let pairs: Vec<_> = pairs.into_iter().filter(|(one, other)| one != other).collect();
        let mut events: Vec<(i64, Event)> = Vec::new();
        let mut sorted = entries;
        sorted.sort_by_key(|entry| entry.3);
        let mut tallies: BTreeMap<u8, RetentionTally> = BTreeMap::new();
        let of = representatives(&pairs);
        for (number, (child, agency, plan, day)) in sorted.iter().enumerate() {
            let (received, (plan, class), agency) = (NEW_YEAR + day * DAY, PLANS[*plan], AGENCIES[*agency]);
            let name = format!("event {number}");
            events.push((received, moved(&name, agency, *child, (COUNCIL, OTHER_COUNCIL), plan, NEW_YEAR)));
            tallies.entry(of[child]).or_default().count(agency, at(received), Some(class));
        }
        let last = events.last().map_or(NEW_YEAR, |(received, _)| *received);
        for (number, pair) in pairs.iter().enumerate() {
            events.push((last, identity(&format!("pair {number}"), true, *pair, NEW_YEAR)));
        }
        let time = NEW_YEAR + later * DAY;
        let retention = rules().retention.unwrap();
        let expected: Vec<_> = tallies.values().filter_map(|tally| tally.due(&retention, at(time))).collect();
        let views = views(&events);
        let mut found: Vec<_> = due(&views, time, limit);
        prop_assert_eq!(&found, &due(&views, time, 500));
        // The list is by the identifier under which something is recorded, the tallies by the least of all.
        found.sort_by_key(|row| of[&row.child.as_bytes()[0]]);
        for row in &found {
            let representative = of[&row.child.as_bytes()[0]];
            let joined = of.iter().filter(|(_, known)| **known == representative).map(|(child, _)| owner(*child));
            prop_assert_eq!(&row.identities, &joined.collect::<BTreeSet<_>>());
        }
        prop_assert_eq!(found.into_iter().map(|row| row.due).collect::<Vec<_>>(), expected);
    }
}
