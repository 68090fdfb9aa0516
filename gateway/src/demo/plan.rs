//! Who is to publish what, and in which round: the cases and the background, each agency's in the order in which it happened.

use std::collections::BTreeMap;

use gt_core::hash::Hash;
use gt_schemas::Time;
use serde_json::{Value, json};

use super::background;
use super::cases::{self, Case, CaseDraft};
use super::notation::{Notation, reference};
use super::partnership::{AGENCIES, position};

/// What is to be published.
pub struct Plan {
    /// The cases.
    pub cases: Vec<Case>,
    /// Each agency's drafts, in the order of [`AGENCIES`]; an agency's by round, and by time within one.
    pub drafts: Vec<Vec<PlannedDraft>>,
}

/// A draft that an agency's system is to publish.
#[derive(Debug, Clone)]
pub struct PlannedDraft {
    /// The event type.
    pub event_type: String,
    /// The members of the event.
    pub data: Value,
    /// Its place among the cases; none for background.
    pub place: Option<CasePlace>,
    /// In which round it is published: when everything of the rounds before is sealed.
    pub round: usize,
}

/// A draft's place among the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CasePlace {
    /// The position of the case.
    pub case: usize,
    /// The draft's number in it, from 1.
    pub draft: usize,
}

/// The statements of drafts that are published, for those that refer to them.
pub(super) type Statements = BTreeMap<CasePlace, Hash>;

impl Plan {
    /// The cases and so many background statements, as of a moment in milliseconds since the Unix epoch. The same moment gives the
    /// same plan.
    pub fn new(now: i64, background: usize) -> Self {
        let notation = Notation::new(now);
        let mut plan = Self { cases: Vec::new(), drafts: vec![Vec::new(); AGENCIES.len()] };
        for (case, drafts) in cases::all() {
            plan.add(&drafts, notation);
            plan.cases.push(case);
        }
        for (agency, event_type, data) in background::events(notation, background) {
            let draft = PlannedDraft {
                event_type: event_type.to_owned(),
                data: notation.resolve(data),
                place: None,
                round: round_of(event_type),
            };
            plan.drafts[agency].push(draft);
        }
        for drafts in &mut plan.drafts {
            drafts.sort_by_key(|draft| (draft.round, draft.occurred_at()));
        }
        plan
    }

    fn add(&mut self, drafts: &[CaseDraft], notation: Notation) {
        let (case, mut rounds) = (self.cases.len(), Vec::with_capacity(drafts.len()));
        for (draft, number) in drafts.iter().zip(1..) {
            let data = notation.resolve(Value::Object(draft.data.clone()));
            let mut round = round_of(&draft.event_type);
            for referred in references(&data) {
                let before: &usize = rounds.get(referred - 1).expect("a draft refers to earlier ones");
                round = REFERRING.max(round).max(before + 1);
            }
            rounds.push(round);
            let agency = position(&draft.agency).expect("cases name agencies that there are");
            let place = Some(CasePlace { case, draft: number });
            self.drafts[agency].push(PlannedDraft {
                event_type: draft.event_type.clone(),
                data,
                place,
                round,
            });
        }
    }

    /// How many statements there will be.
    pub fn statements(&self) -> u64 {
        self.drafts.iter().map(|drafts| drafts.len() as u64).sum()
    }

    /// How many rounds there will be.
    pub fn rounds(&self) -> usize {
        self.drafts.iter().flatten().map(|draft| draft.round + 1).max().unwrap_or(0)
    }

    /// A case's draft, with the code of its agency.
    pub(super) fn draft(&self, place: CasePlace) -> Option<(&'static str, &PlannedDraft)> {
        AGENCIES.iter().zip(&self.drafts).find_map(|(agency, drafts)| {
            let draft = drafts.iter().find(|draft| draft.place == Some(place))?;
            Some((agency.code, draft))
        })
    }
}

/// The first round of drafts that refer to others.
const REFERRING: usize = 3;

/// The round of a draft that refers to no other.
///
/// The agencies bring a year's history at once, and all its clocks have long run out. What stopped a clock therefore comes before
/// what started it: otherwise each return would raise an alert, and the interview that follows it would take the alert back.
fn round_of(event_type: &str) -> usize {
    match event_type {
        "missing.started" | "request.received" | "child.moved" | "placement.started" => 2,
        "missing.ended" => 1,
        _ => 0,
    }
}

/// The numbers of the drafts to which the data refers.
fn references(data: &Value) -> Vec<usize> {
    match data {
        Value::String(text) => reference(text).into_iter().collect(),
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        Value::Object(members) => members.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

impl PlannedDraft {
    /// The draft as an agency's system writes it, under this id.
    pub(super) fn to_json(&self, id: &str, statements: &Statements) -> Vec<u8> {
        let data = match self.place {
            Some(place) => referring(self.data.clone(), place.case, statements),
            None => self.data.clone(),
        };
        json!({"id": id, "type": self.event_type, "data": data}).to_string().into_bytes()
    }

    fn occurred_at(&self) -> Option<Time> {
        self.data["times"]["occurred_at"].as_str().and_then(|text| text.parse().ok())
    }
}

/// The data with each reference to a draft of the case replaced by the hash of its statement.
pub(super) fn referring(data: Value, case: usize, statements: &Statements) -> Value {
    match data {
        Value::String(text) => {
            let statement = reference(&text).and_then(|draft| statements.get(&CasePlace { case, draft }));
            Value::String(statement.map_or(text, ToString::to_string))
        }
        Value::Array(elements) => {
            elements.into_iter().map(|element| referring(element, case, statements)).collect()
        }
        Value::Object(members) => {
            let members = members.into_iter();
            members.map(|(name, value)| (name, referring(value, case, statements))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::draft::CheckedDraft;

    /// 2026-02-05T00:00:00.5Z, from the times' own vectors.
    const NOW: i64 = 1_770_249_600_500;

    #[test]
    fn every_draft_is_accepted_by_its_schema_and_has_happened() {
        let plan = Plan::new(NOW, 3000);
        for (agency, drafts) in AGENCIES.iter().zip(&plan.drafts) {
            assert!(!drafts.is_empty(), "{} has something to say", agency.name);
            for draft in drafts {
                let checked = CheckedDraft::parse(&draft.to_json("x", &Statements::new()));
                assert!(checked.is_ok(), "{}: {:?}: {}", draft.event_type, checked.err(), draft.data);
                assert!(draft.occurred_at().unwrap().as_millis() < NOW);
            }
            assert!(drafts.is_sorted_by_key(|draft| (draft.round, draft.occurred_at())));
        }
        assert_eq!(plan.drafts.iter().flatten().filter(|draft| draft.place.is_none()).count(), 3000);
        for at in 0..plan.cases.len() {
            assert!(
                plan.drafts.iter().flatten().any(|draft| draft.place.is_some_and(|place| place.case == at))
            );
        }
    }

    #[test]
    fn the_same_day_gives_the_same_plan() {
        let texts = |now| -> Vec<Vec<u8>> {
            Plan::new(now, 500)
                .drafts
                .iter()
                .flatten()
                .map(|draft| draft.to_json("x", &Statements::new()))
                .collect()
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
                    of.entry(name.to_owned()).or_default().insert(draft.place.map(|place| place.case));
                }
            }
        }
        assert!(of.values().all(|cases| cases.len() == 1), "two of 999's numbers met, or two cases");
    }
}
