//! Who is to publish what: the cases and the background, each agency's in the order in which it happened.

use gt_projections::Pattern;
use gt_schemas::Time;
use serde::Deserialize;
use serde_json::{Value, json};

use super::background;
use super::notation::Notation;
use super::partnership::{AGENCIES, position};

/// The cases, as data that a person can read and add to.
const CASES: &str = include_str!("../../demo/cases.json");

/// What is to be published.
pub struct Plan {
    /// The cases.
    pub cases: Vec<Case>,
    /// Each agency's drafts, in the order of [`AGENCIES`].
    pub drafts: [Vec<PlannedDraft>; AGENCIES.len()],
}

/// A story, and what it must lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its number in DOMAIN section 9, or a letter.
    pub case: String,
    /// One sentence or two.
    pub story: String,
    /// The pattern that must fire on it, once. None: nothing may.
    pub expects: Option<Pattern>,
    /// Whether it comes close to a pattern's threshold and stays below.
    pub near_miss: bool,
}

/// A draft that an agency's system is to publish.
#[derive(Clone)]
pub struct PlannedDraft {
    /// The event type.
    pub event_type: String,
    /// The members of the event.
    pub data: Value,
    /// The position of the case that it belongs to; none for background.
    pub case: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    case: String,
    story: String,
    expects: Option<String>,
    #[serde(default)]
    near_miss: bool,
    drafts: Vec<DraftText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftText {
    agency: String,
    #[serde(rename = "type")]
    event_type: String,
    data: Value,
}

impl Plan {
    /// The cases and so many background statements, as of a moment in milliseconds since the Unix epoch. The same moment gives the
    /// same plan.
    pub fn new(now: i64, background: usize) -> Self {
        let notation = Notation::new(now);
        let mut plan = Self { cases: Vec::new(), drafts: Default::default() };
        let cases: Vec<CaseText> =
            serde_json::from_str(CASES).expect("the cases are in order: a test reads them");
        for (at, text) in cases.into_iter().enumerate() {
            plan.cases.push(Case {
                case: text.case,
                story: text.story,
                expects: text
                    .expects
                    .map(|name| Pattern::parse(&name).expect("cases name patterns that there are")),
                near_miss: text.near_miss,
            });
            for draft in text.drafts {
                let agency = position(&draft.agency).expect("cases name agencies that there are");
                let data = notation.resolve(draft.data);
                plan.drafts[agency].push(PlannedDraft { event_type: draft.event_type, data, case: Some(at) });
            }
        }
        for (agency, event_type, data) in background::events(notation, background) {
            let draft =
                PlannedDraft { event_type: event_type.to_owned(), data: notation.resolve(data), case: None };
            plan.drafts[agency].push(draft);
        }
        for drafts in &mut plan.drafts {
            drafts.sort_by_key(PlannedDraft::occurred_at);
        }
        plan
    }

    /// How many statements there will be.
    pub fn statements(&self) -> u64 {
        self.drafts.iter().map(|drafts| drafts.len() as u64).sum()
    }
}

impl PlannedDraft {
    /// The draft as an agency's system writes it, under this id.
    pub fn to_json(&self, id: &str) -> Vec<u8> {
        json!({"id": id, "type": self.event_type, "data": self.data}).to_string().into_bytes()
    }

    fn occurred_at(&self) -> Option<Time> {
        self.data["times"]["occurred_at"].as_str().and_then(|text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::draft::CheckedDraft;

    /// 2026-02-05T00:00:00.5Z, from the times' own vectors.
    const NOW: i64 = 1_770_249_600_500;

    #[test]
    fn every_draft_is_accepted_by_its_schema_and_has_happened() {
        let plan = Plan::new(NOW, 3000);
        for (agency, drafts) in AGENCIES.iter().zip(&plan.drafts) {
            assert!(drafts.len() > 100, "{} has something to say", agency.name);
            for draft in drafts {
                let checked = CheckedDraft::parse(&draft.to_json("x"));
                assert!(checked.is_ok(), "{}: {:?}: {}", draft.event_type, checked.err(), draft.data);
                assert!(draft.occurred_at().unwrap().as_millis() < NOW);
            }
            assert!(drafts.is_sorted_by_key(PlannedDraft::occurred_at));
        }
        assert_eq!(plan.drafts.iter().flatten().filter(|draft| draft.case.is_none()).count(), 3000);
        for at in 0..plan.cases.len() {
            assert!(plan.drafts.iter().flatten().any(|draft| draft.case == Some(at)));
        }
    }

    #[test]
    fn the_same_day_gives_the_same_plan() {
        let texts = |now| -> Vec<Vec<u8>> {
            Plan::new(now, 500).drafts.iter().flatten().map(|draft| draft.to_json("x")).collect()
        };
        assert_eq!(texts(NOW), texts(NOW + 1000));
        assert_ne!(texts(NOW), texts(NOW + super::super::notation::DAY));
    }

    #[test]
    fn cases_share_no_child_and_no_place_with_each_other_or_the_background() {
        let mut of: BTreeMap<String, BTreeSet<Option<usize>>> = BTreeMap::new();
        for draft in Plan::new(NOW, 3000).drafts.iter().flatten() {
            for name in [&draft.data["child"]["pseudonym"], &draft.data["context"]["ref"]] {
                if let Some(name) = name.as_str() {
                    of.entry(name.to_owned()).or_default().insert(draft.case);
                }
            }
        }
        assert!(of.values().all(|cases| cases.len() == 1), "two of 999's numbers met, or two cases");
    }
}
