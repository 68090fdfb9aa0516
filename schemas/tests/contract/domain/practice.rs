//! DOMAIN section 3: what the flowchart's outcomes carry, what evidences the golden rules; and corrections of section 4.

use gt_schemas::{Catalogue, Event, Flow, FlowAnswers, FlowOutcome, advise, golden_rules};
use serde_json::{Value, json};

use super::{named, refusal, with};

/// Each golden rule, and the members that evidence it.
const GOLDEN_RULES: [(u8, &str); 7] = [
    (1, "harm_level rationale"),
    (2, "informed"),
    (3, "consent lawful_basis"),
    (4, "advice"),
    (5, "identity_protection"),
    (6, "items recipients proportionality method times"),
    (7, "rationale"),
];

#[test]
fn each_golden_rule_is_evidenced_by_its_members() {
    let event = with(&named("decision.recorded.share"), &[]).unwrap();
    let Event::DecisionRecorded(decision) = event else { panic!("another type") };
    let rules = golden_rules(&decision, &[], &[]);
    let found: Vec<(u8, String)> = rules
        .iter()
        .map(|rule| {
            let members: Vec<&str> = rule.evidence.iter().map(|evidence| evidence.member).collect();
            (rule.number, members.join(" "))
        })
        .collect();
    assert_eq!(found, GOLDEN_RULES.map(|(number, members)| (number, members.to_owned())));
}

#[test]
fn who_may_share_is_told_how() {
    let consented = FlowAnswers { purpose: Some(true), consent: Some(true), ..FlowAnswers::default() };
    let FlowOutcome::MayShare { how } = Flow::of(consented).outcome else { panic!("may not share") };
    let how: Vec<&str> = how.iter().map(|settle| settle.as_str()).collect();
    assert_eq!(how, ["HowMuch", "FactFromOpinion", "RightPerson", "Securely", "TellTheIndividual"]);
}

/// The rules of section 2 find what they find wherever the flowchart leads.
#[test]
fn the_rules_run_whatever_the_outcome() {
    let question = |consent: &str, basis: Value, harm: &str| {
        json!({
            "items": [{
                "category": "Welfare", "nature": "Fact", "accuracy": "Verified", "class": "Special",
                "identifies": true, "disposition": "Shared",
            }],
            "purpose": "AssessNeed",
            "harm_level": harm,
            "consent": { "status": consent },
            "lawful_basis": basis,
        })
    };
    for (question, outcome, found) in [
        (question("Given", json!([]), "EarlyHelp"), "MayShare", "E1"),
        (question("NotSought", json!([]), "ChildInNeed"), "DoNotShare", "E1"),
        (question("NotSought", json!([{ "kind": "Article6", "code": "e" }]), "None"), "SeekAdvice", "E8"),
    ] {
        let advice = advise(&question, Some("gss:E06000999"), &Catalogue::standard()).unwrap();
        let flow = serde_json::to_value(advice.flow).unwrap();
        assert_eq!((flow["outcome"].as_str(), flow["version"].as_u64()), (Some(outcome), Some(1)));
        assert!(advice.findings.iter().any(|finding| finding.code.as_str() == found), "{outcome}: {found}");
    }
}

/// A correction names what it corrects, the fields and the reason; it can never change what was decided.
#[test]
fn a_correction_names_its_decision_its_fields_and_its_reason() {
    let correction = named("decision.corrected");
    for member in ["/refs", "/refs/supersedes", "/fields", "/reason", "/child", "/times"] {
        let found = refusal(with(&correction, &[(member, None)]));
        assert_eq!(found, Some(("missing_member", member.to_owned())));
    }
    for decided in ["decision", "trigger", "practitioner"] {
        let found = refusal(with(&correction, &[(&format!("/{decided}"), Some(json!("Share")))]));
        assert_eq!(found, Some(("unknown_member", format!("/{decided}"))));
    }
    let review = named("decision.reviewed");
    let found = refusal(with(&review, &[("/reason", None)]));
    assert_eq!(found, Some(("missing_member", "/reason".to_owned())));
}
