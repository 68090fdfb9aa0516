//! Whether it all came out as it must: every receipt, the whole data folder, and exactly the alerts that the cases foretell.

use std::collections::BTreeSet;

use gt_core::position::LeafIndex;
use gt_ledger::audit::{self, fsck};
use gt_ledger::secrets::Secrets;
use gt_projections::{MAX_LIMIT, Pattern};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::DemoError;
use super::folders::Folders;
use super::plan::Case;
use super::publisher::Acknowledged;
use crate::outbox::Pin;
use crate::reading::ReadingClient;

/// What checking the receipts came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipts {
    /// How many were checked.
    pub checked: u64,
    /// How many of them prove, under the pin, that the ledger sealed the statement that was sent.
    pub sound: u64,
    /// Why the first unsound one is none.
    pub first_fault: Option<String>,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseOutcome {
    /// Its number in DOMAIN section 9, or a letter.
    pub case: String,
    /// Its story.
    pub story: String,
    /// The pattern that must fire.
    pub expects: Option<&'static str>,
    /// Whether it comes close to a threshold and stays below.
    pub near_miss: bool,
    /// Its entries in the ledger, sorted.
    pub entries: Vec<u64>,
    /// The alert, as the ledger's HTTP interface gives it.
    pub alert: Option<Value>,
}

/// The alerts beside the cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alerts {
    /// Every case, with its alert.
    pub cases: Vec<CaseOutcome>,
    /// Alerts that no case foretells.
    pub unexpected: Vec<Value>,
}

/// A statement's place in the log, by its receipt.
pub(super) struct Placed<'a> {
    pub(super) index: LeafIndex,
    pub(super) acknowledged: &'a Acknowledged,
}

/// Checks every receipt against the pin.
pub(super) fn receipts<'a>(
    pin: &Pin,
    acknowledged: impl Iterator<Item = &'a Acknowledged>,
) -> (Receipts, Vec<Placed<'a>>) {
    let all: Vec<&Acknowledged> = acknowledged.collect();
    let checked: Vec<_> = all.par_iter().map(|one| pin.check_receipt(&one.receipt, &one.statement)).collect();
    let first_fault =
        checked.iter().find_map(|result| result.as_ref().err().map(|error| crate::problem::chain(error)));
    let placed: Vec<Placed<'_>> = checked
        .into_iter()
        .zip(&all)
        .filter_map(|(result, acknowledged)| Some(Placed { index: result.ok()?, acknowledged }))
        .collect();
    let receipts = Receipts { checked: all.len() as u64, sound: placed.len() as u64, first_fault };
    (receipts, placed)
}

/// Works the whole data folder out again from its entries, with its keys, and compares.
pub(super) fn folder(folders: &Folders, pin: &Pin) -> Result<audit::Report, DemoError> {
    let secrets = Secrets::load(folders.secrets())?;
    let pin = gt_core::verify::Pin {
        origin: pin.origin.clone(),
        verifier_keys: pin.verifier_keys.clone(),
        genesis: Some(pin.genesis),
    };
    Ok(fsck(folders.data(), Some(&secrets), Some(&pin)))
}

/// Asks for all alerts and puts them beside the cases.
pub(super) fn alerts(
    reader: &ReadingClient,
    cases: &[Case],
    placed: &[Placed<'_>],
) -> Result<Alerts, DemoError> {
    let mut answer = reader.get("/v1/alerts", &[("limit", MAX_LIMIT.to_string())])?;
    let fired = match answer["items"].take() {
        Value::Array(items) if answer["next"].is_null() => items,
        _ => return Err(DemoError::Answer("list of alerts on one page")),
    };
    Ok(compare(cases, placed, fired))
}

/// An alert is a case's if it is open, of the pattern that the case foretells, and has exactly the entries that the case feeds to it.
fn compare(cases: &[Case], placed: &[Placed<'_>], mut fired: Vec<Value>) -> Alerts {
    let cases = cases.iter().enumerate().map(|(at, case)| {
        let of_case = || placed.iter().filter(|one| one.acknowledged.case == Some(at));
        let alert = case.expects.and_then(|pattern| {
            let fed = of_case().filter(|one| feeds(pattern, &one.acknowledged.event_type));
            let entries: BTreeSet<u64> = fed.map(|one| one.index.0).collect();
            let found = fired.iter().position(|alert| is_alert(alert, pattern, &entries));
            found.map(|found| fired.remove(found))
        });
        CaseOutcome {
            case: case.case.clone(),
            story: case.story.clone(),
            expects: case.expects.map(Pattern::as_str),
            near_miss: case.near_miss,
            entries: of_case().map(|one| one.index.0).collect::<BTreeSet<_>>().into_iter().collect(),
            alert,
        }
    });
    let cases = cases.collect();
    Alerts { cases, unexpected: fired }
}

fn is_alert(alert: &Value, pattern: Pattern, entries: &BTreeSet<u64>) -> bool {
    let has: Option<BTreeSet<u64>> =
        alert["entries"].as_array().and_then(|entries| entries.iter().map(Value::as_u64).collect());
    alert["pattern"] == pattern.as_str() && alert["status"] == "open" && has.as_ref() == Some(entries)
}

/// Whether a pattern looks at events of this type.
fn feeds(pattern: Pattern, event_type: &str) -> bool {
    match pattern {
        Pattern::RepeatMissing => event_type.starts_with("missing."),
        Pattern::SharedLocation => event_type.starts_with("context."),
        _ => false,
    }
}

impl Receipts {
    /// Whether there were some, and all are sound.
    pub const fn are_sound(&self) -> bool {
        self.checked > 0 && self.sound == self.checked
    }
}

impl Alerts {
    /// Whether every alert fired that a case foretells, and no other.
    pub fn are_exact(&self) -> bool {
        self.unexpected.is_empty()
            && self.cases.iter().all(|case| case.alert.is_some() == case.expects.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::hash::Hash;
    use serde_json::json;

    fn case(expects: Option<Pattern>) -> Case {
        Case { case: "1".into(), story: "A story.".into(), expects, near_miss: false }
    }

    fn acknowledged(event_type: &str) -> Acknowledged {
        let (statement, event_type) = (Hash::of(b"statement"), event_type.to_owned());
        Acknowledged { statement, receipt: String::new(), event_type, case: Some(0) }
    }

    fn outcome(expects: Option<Pattern>, fired: Vec<Value>) -> Alerts {
        let sealed = [
            acknowledged("missing.started"),
            acknowledged("decision.recorded"),
            acknowledged("missing.ended"),
        ];
        let placed: Vec<_> = sealed
            .iter()
            .zip([9, 5, 7])
            .map(|(acknowledged, at)| Placed { index: LeafIndex(at), acknowledged })
            .collect();
        compare(&[case(expects)], &placed, fired)
    }

    #[test]
    fn only_the_alert_that_is_foretold_will_do() {
        let alert = json!({"pattern": "repeat-missing", "status": "open", "entries": [7, 9]});
        let altered = |member: &str, value: Value| {
            let mut altered = alert.clone();
            altered[member] = value;
            altered
        };
        let expected = Some(Pattern::RepeatMissing);
        let exact = outcome(expected, vec![alert.clone()]);
        assert!(exact.are_exact());
        assert_eq!(exact.cases[0].entries, [5, 7, 9]);
        assert!(outcome(None, vec![]).are_exact());
        assert!(!outcome(None, vec![alert.clone()]).are_exact(), "nothing is foretold");
        assert!(!outcome(expected, vec![]).are_exact(), "it did not fire");
        assert!(!outcome(expected, vec![alert.clone(), alert.clone()]).are_exact(), "it fired twice");
        for (member, value) in [
            ("entries", json!([7])),
            ("entries", json!([5, 7, 9])),
            ("status", json!("retracted")),
            ("pattern", json!("shared-location")),
        ] {
            assert!(!outcome(expected, vec![altered(member, value)]).are_exact(), "{member}");
        }
    }
}
