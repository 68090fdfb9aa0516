//! What came of the cases beside what was foretold: exactly those alerts, findings and advice, and none besides.

use std::collections::{BTreeMap, BTreeSet};

use gt_projections::{MAX_LIMIT, Pattern};
use gt_schemas::{Configuration, FindingCode, advise};
use serde::Serialize;
use serde_json::{Value, json};

use super::DemoError;
use super::cases::{Case, ForetoldAdvice, ForetoldAlert};
use super::plan::{CasePlace, Plan};
use crate::reading::ReadingClient;

/// The cases and what came of them, and what came besides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcomes {
    /// Every case.
    pub cases: Vec<CaseOutcome>,
    /// Alerts that no case foretells, as the ledger's HTTP interface gives them.
    pub unexpected_alerts: Vec<Value>,
    /// Decisions outside the cases in which the rules of practice find something.
    pub unexpected_findings: Vec<Value>,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseOutcome {
    /// Its number in DOMAIN section 9, or a letter.
    pub case: String,
    /// Its story.
    pub story: String,
    /// Whether it comes close to a threshold and stays below.
    pub near_miss: bool,
    /// Its entries in the ledger, by the numbers of its drafts.
    pub entries: Vec<u64>,
    /// The alerts that are foretold.
    pub alerts: Vec<AlertOutcome>,
    /// What the rules of practice find or must find in its decisions.
    pub findings: Vec<FindingsOutcome>,
    /// What is advised before its decisions.
    pub advice: Vec<AdviceOutcome>,
}

/// A foretold alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertOutcome {
    /// The pattern.
    pub pattern: &'static str,
    /// Whether it must have been taken back.
    pub retracted: bool,
    /// The entries that must be behind it, sorted.
    pub entries: Vec<u64>,
    /// The alert, as the ledger's HTTP interface gives it; none if it did not fire so.
    pub alert: Option<Value>,
}

/// The findings in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingsOutcome {
    /// The number of the decision's draft.
    pub draft: usize,
    /// Its entry; none if it is not in the ledger.
    pub entry: Option<u64>,
    /// The codes that are foretold, sorted.
    pub foretold: BTreeSet<String>,
    /// The codes that were found, sorted.
    pub found: BTreeSet<String>,
}

/// The advice before a decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdviceOutcome {
    /// What is foretold.
    pub foretold: ForetoldAdvice,
    /// The decision's entry; none if it is not in the ledger.
    pub entry: Option<u64>,
    /// Where the flowchart led, as the program gives it; none if the draft is no question.
    pub flow: Option<Value>,
    /// The codes of the rules that the decision would break.
    pub findings: Vec<&'static str>,
}

/// Asks for all alerts and decisions and puts them beside the cases.
pub(super) fn outcomes(
    reader: &ReadingClient,
    plan: &Plan,
    entries: &BTreeMap<CasePlace, u64>,
) -> Result<Outcomes, DemoError> {
    Ok(compare(plan, entries, all(reader, "/v1/alerts")?, &all(reader, "/v1/decisions")?))
}

/// Every item of a list, page by page.
fn all(reader: &ReadingClient, path: &str) -> Result<Vec<Value>, DemoError> {
    let (mut items, mut query) = (Vec::new(), vec![("limit", MAX_LIMIT.to_string())]);
    loop {
        let mut page = reader.get(path, &query)?;
        let Value::Array(some) = page["items"].take() else {
            return Err(DemoError::Answer("list"));
        };
        items.extend(some);
        match page["next"].as_str() {
            Some(next) => {
                query.truncate(1);
                query.push(("cursor", next.to_owned()));
            }
            None => return Ok(items),
        }
    }
}

/// Puts alerts and decisions, as the HTTP interface gives them, beside the cases. `entries` are the drafts' entries.
pub(super) fn compare(
    plan: &Plan,
    entries: &BTreeMap<CasePlace, u64>,
    mut alerts: Vec<Value>,
    decisions: &[Value],
) -> Outcomes {
    let mut found: BTreeMap<u64, (BTreeSet<String>, &Value)> = BTreeMap::new();
    for decision in decisions {
        let codes: BTreeSet<String> = texts(&decision["findings"]);
        if !codes.is_empty() {
            found.insert(decision["index"].as_u64().unwrap_or(u64::MAX), (codes, decision));
        }
    }
    let mut cases = Vec::with_capacity(plan.cases.len());
    for (at, case) in plan.cases.iter().enumerate() {
        let entry = |draft: usize| entries.get(&CasePlace { case: at, draft }).copied();
        let of_case = CasePlace { case: at, draft: 0 }..CasePlace { case: at + 1, draft: 0 };
        let fired = |alert: &ForetoldAlert, retracted| fired(alert, retracted, &mut alerts, entry);
        let of_alerts = of_alerts(case, fired);
        cases.push(CaseOutcome {
            case: case.case.clone(),
            story: case.story.clone(),
            near_miss: case.near_miss,
            alerts: of_alerts,
            findings: of_findings(case, entries.range(of_case.clone()), &mut found),
            entries: entries.range(of_case).map(|(_, entry)| *entry).collect(),
            advice: case.advice.iter().map(|advice| advised(plan, advice, at, entry(advice.draft))).collect(),
        });
    }
    let unexpected_findings = found.into_values().map(|(_, decision)| decision.clone()).collect();
    Outcomes { cases, unexpected_alerts: alerts, unexpected_findings }
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn of_alerts(case: &Case, mut fired: impl FnMut(&ForetoldAlert, bool) -> AlertOutcome) -> Vec<AlertOutcome> {
    let foretold = case.expects.iter().map(|alert| (alert, false));
    foretold
        .chain(case.retracted.iter().map(|alert| (alert, true)))
        .map(|(alert, retracted)| fired(alert, retracted))
        .collect()
}

/// Takes the alert out of those that fired, if it is there with exactly these entries, and open or retracted as foretold.
fn fired(
    foretold: &ForetoldAlert,
    retracted: bool,
    alerts: &mut Vec<Value>,
    entry: impl Fn(usize) -> Option<u64>,
) -> AlertOutcome {
    let entries: BTreeSet<u64> = foretold.entries.iter().filter_map(|draft| entry(*draft)).collect();
    let status = if retracted { "retracted" } else { "open" };
    let is_it = |alert: &Value| {
        let has: Option<BTreeSet<u64>> =
            alert["entries"].as_array().and_then(|entries| entries.iter().map(Value::as_u64).collect());
        alert["pattern"] == foretold.pattern.as_str()
            && alert["status"] == status
            && has.as_ref() == Some(&entries)
    };
    let at = alerts.iter().position(is_it);
    AlertOutcome {
        pattern: Pattern::as_str(foretold.pattern),
        retracted,
        entries: entries.into_iter().collect(),
        alert: at.map(|at| alerts.remove(at)),
    }
}

/// The decisions of a case in which something is foretold or found. What is found is taken out.
fn of_findings<'e>(
    case: &Case,
    entries: impl Iterator<Item = (&'e CasePlace, &'e u64)>,
    found: &mut BTreeMap<u64, (BTreeSet<String>, &Value)>,
) -> Vec<FindingsOutcome> {
    let mut outcomes: BTreeMap<usize, FindingsOutcome> = BTreeMap::new();
    let outcome =
        |draft, entry| FindingsOutcome { draft, entry, foretold: BTreeSet::new(), found: BTreeSet::new() };
    for finding in &case.findings {
        let of_draft = outcomes.entry(finding.draft).or_insert_with(|| outcome(finding.draft, None));
        of_draft.foretold.insert(finding.code.clone());
    }
    for (place, entry) in entries {
        if let Some((codes, _)) = found.remove(entry) {
            outcomes.entry(place.draft).or_insert_with(|| outcome(place.draft, None)).found = codes;
        }
        if let Some(of_draft) = outcomes.get_mut(&place.draft) {
            of_draft.entry = Some(*entry);
        }
    }
    outcomes.into_values().collect()
}

fn advised(plan: &Plan, foretold: &ForetoldAdvice, case: usize, entry: Option<u64>) -> AdviceOutcome {
    let legal = Configuration::standard().legal;
    let draft = plan.draft(CasePlace { case, draft: foretold.draft });
    let advice = draft.and_then(|(agency, draft)| advise(&draft.data, Some(agency), &legal).ok());
    AdviceOutcome {
        foretold: foretold.clone(),
        entry,
        flow: advice.as_ref().map(|advice| json!(advice.flow)),
        findings: advice
            .map(|advice| advice.findings.iter().map(|found| FindingCode::as_str(found.code)).collect())
            .unwrap_or_default(),
    }
}

impl Outcomes {
    /// Whether everything came that the cases foretell, and nothing else.
    pub fn are_exact(&self) -> bool {
        self.unexpected_alerts.is_empty()
            && self.unexpected_findings.is_empty()
            && self.cases.iter().all(CaseOutcome::is_exact)
    }
}

impl CaseOutcome {
    /// Whether everything came that the case foretells, and nothing else.
    pub fn is_exact(&self) -> bool {
        self.alerts.iter().all(|alert| alert.alert.is_some())
            && self.findings.iter().all(|decision| decision.foretold == decision.found)
            && self.advice.iter().all(AdviceOutcome::is_exact)
    }
}

impl AdviceOutcome {
    /// Whether the flowchart led where it is foretold, and the rules found what is foretold.
    pub fn is_exact(&self) -> bool {
        let leads = |flow: &Value| self.foretold.flow.iter().all(|(name, value)| flow[name] == *value);
        self.flow.as_ref().is_some_and(leads) && self.findings == self.foretold.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan of one case, whose drafts 1 to 3 are in entries 9, 5 and 7.
    fn outcome(
        expects: Option<Pattern>,
        findings: &[&str],
        fired: Vec<Value>,
        decisions: &[Value],
    ) -> Outcomes {
        let foretold = |pattern| ForetoldAlert { pattern, entries: vec![1, 3] };
        let case = Case {
            case: "1".into(),
            story: "A story.".into(),
            near_miss: false,
            expects: expects.map(foretold).into_iter().collect(),
            retracted: Vec::new(),
            findings: findings
                .iter()
                .map(|code| super::super::cases::ForetoldFinding { draft: 2, code: (*code).to_owned() })
                .collect(),
            advice: Vec::new(),
        };
        let plan = Plan { cases: vec![case], drafts: Vec::new() };
        let places = (1..).map(|draft| CasePlace { case: 0, draft });
        compare(&plan, &places.zip([9, 5, 7]).collect(), fired, decisions)
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
        let exact = |expects, fired| outcome(expects, &[], fired, &[]).are_exact();
        assert!(exact(expected, vec![alert.clone()]));
        assert!(exact(None, vec![]));
        assert!(!exact(None, vec![alert.clone()]), "nothing is foretold");
        assert!(!exact(expected, vec![]), "it did not fire");
        assert!(!exact(expected, vec![alert.clone(), alert.clone()]), "it fired twice");
        for (member, value) in [
            ("entries", json!([7])),
            ("entries", json!([5, 7, 9])),
            ("status", json!("retracted")),
            ("pattern", json!("shared-location")),
        ] {
            assert!(!exact(expected, vec![altered(member, value)]), "{member}");
        }
    }

    #[test]
    fn only_the_findings_that_are_foretold_will_do() {
        let decision = |index: u64, codes: &[&str]| json!({"index": index, "findings": codes});
        let exact =
            |findings: &[&str], decisions: &[Value]| outcome(None, findings, vec![], decisions).are_exact();
        assert!(exact(&["E2", "W1"], &[decision(5, &["E2", "W1"]), decision(7, &[]), decision(8, &[])]));
        assert!(!exact(&["E2"], &[decision(5, &["E2", "W1"])]), "one more");
        assert!(!exact(&["E2"], &[decision(5, &[])]), "one less");
        assert!(!exact(&["E2"], &[]), "the decision is not there");
        assert!(!exact(&["E2"], &[decision(7, &["E2"])]), "in another decision of the case");
        assert!(!exact(&[], &[decision(8, &["W1"])]), "in the background");
    }
}
