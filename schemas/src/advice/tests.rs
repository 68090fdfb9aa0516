use serde_json::from_str;

use super::*;
use crate::flowchart::{FlowOutcome, FlowQuestion, HowToShare};
use crate::{EventType, Place, validate_draft};

const SHARE: &str = include_str!("../../examples/decision.recorded.share.json");
const EXAMPLES: [&str; 4] = [
    SHARE,
    include_str!("../../examples/decision.recorded.share_part.json"),
    include_str!("../../examples/decision.recorded.withhold.json"),
    include_str!("../../examples/decision.recorded.emergency.json"),
];

fn ask(question: &Value, agency: &str) -> Advice {
    advise(question, Some(agency), &Catalogue::standard()).unwrap()
}

fn codes(advice: &Advice) -> Vec<&'static str> {
    advice.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn refusal(draft: &Value) -> Option<SchemaError> {
    let event_type = EventType::DecisionRecorded;
    validate_draft(event_type.as_str(), event_type.version(), draft).err()
}

/// A council is asked for a mental-health record, at section 47, without the mother's consent.
fn question() -> Value {
    json!({
        "items": [{
            "category": "Health", "nature": "Fact", "accuracy": "Verified", "class": "Special",
            "identifies": true, "disposition": "Shared",
        }],
        "purpose": "ProtectFromHarm",
        "harm_level": "SignificantHarm",
        "consent": { "status": "Refused", "by": "PersonWithPR" },
        "lawful_basis": [
            { "kind": "Article6", "code": "e" },
            { "kind": "Article9", "code": "g" },
            { "kind": "Schedule1", "paragraph": "P18", "ground": "WouldPrejudiceProtection" },
            { "kind": "Gateway", "code": "CA1989s47" },
            { "kind": "Confidence", "code": "OverridingPublicInterest" },
        ],
    })
}

const COUNCIL: &str = "gss:E06000999";

#[test]
fn nothing_asked_is_everything_missing_and_nothing_found() {
    let advice = advise(&json!({}), None, &Catalogue::standard()).unwrap();
    assert_eq!(advice.flow.outcome, FlowOutcome::SeekAdvice { unanswered: FlowQuestion::Purpose });
    assert!(advice.findings.is_empty());
    let always = DecisionRecorded::MEMBERS.iter().filter(|m| m.requirement == Requirement::Always);
    let expected: Vec<String> = always.map(|member| format!("/{}", member.name)).collect();
    assert_eq!(advice.missing.iter().map(|m| m.path.clone()).collect::<Vec<_>>(), expected);
}

#[test]
fn every_member_in_the_clear_that_is_required_always_has_a_filler() {
    let required = DecisionRecorded::MEMBERS
        .iter()
        .filter(|member| member.requirement == Requirement::Always && member.place == Place::Clear);
    let fillers = fillers(Decision::Share).map(|(name, _)| name);
    assert_eq!(required.map(|member| member.name).collect::<Vec<_>>(), {
        let mut names = DecisionRecorded::NAMES.to_vec();
        names.retain(|name| fillers.contains(name));
        names
    });
    assert!(fillers.iter().all(|name| DecisionRecorded::NAMES.contains(name)));
}

/// DOMAIN section 3, the row yes, no, yes, yes.
#[test]
fn a_sound_basis_is_a_lawful_reason() {
    let advice = ask(&question(), COUNCIL);
    assert_eq!(advice.flow.outcome, FlowOutcome::MayShare { how: HowToShare::ALL });
    assert!(codes(&advice).is_empty());
}

#[test]
fn a_basis_in_which_something_is_missing_is_a_matter_for_advice() {
    let mut question = question();
    question["lawful_basis"].as_array_mut().unwrap().retain(|basis| basis["kind"] != "Article9");
    let advice = ask(&question, COUNCIL);
    assert_eq!(advice.flow.outcome, FlowOutcome::SeekAdvice { unanswered: FlowQuestion::LawfulReason });
    assert_eq!(codes(&advice), ["E2"]);
    assert_eq!(advice.findings[0].items, [0]);
    assert_eq!(advice.findings[0].sentence, FindingCode::E2.sentence());
}

#[test]
fn no_basis_is_no_lawful_reason_and_one_not_said_is_unknown() {
    let mut question = question();
    question["lawful_basis"] = json!([]);
    let ground = WithholdGround::NoLawfulReason;
    let expected = FlowOutcome::DoNotShare { ground, escalate: true };
    assert_eq!(ask(&question, COUNCIL).flow.outcome, expected);
    question.as_object_mut().unwrap().remove("lawful_basis");
    let advice = ask(&question, COUNCIL);
    assert_eq!(advice.flow.outcome, FlowOutcome::SeekAdvice { unanswered: FlowQuestion::LawfulReason });
    assert!(codes(&advice).is_empty());
}

/// DOMAIN section 9, case 8: W5, Escalate.
#[test]
fn a_gp_who_withholds_for_data_protection_is_told_to_escalate() {
    let withhold = from_str(EXAMPLES[2]).unwrap();
    let advice = ask(&withhold, "ods:Y99999");
    let ground = WithholdGround::NoLawfulReason;
    assert_eq!(advice.flow.outcome, FlowOutcome::DoNotShare { ground, escalate: true });
    assert_eq!(codes(&advice), ["W5"]);
    let short = json!({ "harm_level": "ChildInNeed", "withhold": { "ground": "DataProtection" } });
    assert_eq!(codes(&ask(&short, "ods:Y99999")), ["W5"]);
}

#[test]
fn consent_that_is_not_free_is_none() {
    let mut question = question();
    question.as_object_mut().unwrap().remove("lawful_basis");
    question["consent"] = json!({ "status": "Given" });
    assert_eq!(ask(&question, COUNCIL).flow.outcome, FlowOutcome::MayShare { how: HowToShare::ALL });
    question["consent"]["freely_given"] = json!(false);
    let unanswered = FlowQuestion::LawfulReason;
    assert_eq!(ask(&question, COUNCIL).flow.outcome, FlowOutcome::SeekAdvice { unanswered });
}

#[test]
fn who_asks_matters_only_where_it_is_known() {
    let mut question = question();
    let condition = "Safeguarding";
    question["lawful_basis"][0] = json!({ "kind": "Article6", "code": "ea", "condition": condition });
    assert_eq!(codes(&ask(&question, COUNCIL)), ["E6"]);
    assert!(codes(&ask(&question, "charity:9999999")).is_empty());
    assert!(advise(&question, None, &Catalogue::standard()).unwrap().findings.is_empty());
}

#[test]
fn a_telling_that_is_planned_is_not_overdue_yet() {
    let mut question = question();
    question["informed"] = json!({ "status": "Planned" });
    assert!(codes(&ask(&question, COUNCIL)).is_empty());
}

#[test]
fn a_purpose_that_is_another_must_be_said() {
    let mut question = question();
    question["purpose"] = json!("Other");
    let unanswered = FlowQuestion::Purpose;
    assert_eq!(ask(&question, COUNCIL).flow.outcome, FlowOutcome::SeekAdvice { unanswered });
    question["purpose_text"] = json!("To plan the school's response.");
    assert_eq!(ask(&question, COUNCIL).flow.outcome, FlowOutcome::MayShare { how: HowToShare::ALL });
}

/// Without a decision, the items say what it would be.
#[test]
fn a_decision_that_is_not_said_is_the_one_that_the_items_make() {
    let mut question = question();
    let mut withheld = question["items"][0].clone();
    withheld["disposition"] = json!("Withheld");
    question["items"].as_array_mut().unwrap().push(withheld.clone());
    question["withhold"] = json!({ "ground": "NoConsent" });
    assert_eq!(codes(&ask(&question, COUNCIL)), ["W5"]);
    question["lawful_basis"] = json!([]);
    assert_eq!(codes(&ask(&question, COUNCIL)), ["E1", "E2", "W4", "W5"]);
    question["items"] = json!([withheld]);
    assert_eq!(codes(&ask(&question, COUNCIL)), ["W5"]);
}

#[test]
fn what_is_to_be_kept_is_missing_like_the_rest() {
    let question = json!({
        "decision": "Share", "method": { "channel": "Phone", "secure": false },
        "kept": ["method_justification", "refs"],
    });
    let missing = ask(&question, COUNCIL).missing;
    for path in ["/method_justification", "/refs"] {
        assert_eq!(missing.iter().filter(|member| member.path == path).count(), 1, "{path}");
    }
    assert!(missing.iter().any(|member| member.path == "/informed"));
    assert!(missing.iter().all(|member| member.path != "/withhold"));
}

#[test]
fn what_is_there_is_read_strictly() {
    for (pointer, value, path, code) in [
        ("", json!([]), "", "bad_value"),
        ("/colour", json!(1), "/colour", "unknown_member"),
        ("/harm_level", json!("Severe"), "/harm_level", "bad_value"),
        ("/consent", json!({}), "/consent/status", "missing_member"),
        ("/rationale", json!(" "), "/rationale", "blank_text"),
        ("/decision", json!("Withhold"), "/items", "contradiction"),
    ] {
        let mut question = question();
        match pointer.strip_prefix('/') {
            Some(name) => question[name] = value,
            None => question = value,
        }
        let error = advise(&question, None, &Catalogue::standard()).expect_err(path);
        assert_eq!((error.path.as_str(), error.code()), (path, code));
    }
}

/// What advice calls missing is what the draft's check calls missing, for every example without each of its members.
#[test]
fn what_is_missing_is_what_a_draft_is_refused_for() {
    let mut refused = 0;
    for example in EXAMPLES {
        let whole: Value = from_str(example).unwrap();
        assert_eq!(ask(&whole, COUNCIL).missing, []);
        for name in whole.as_object().unwrap().keys() {
            let mut draft = whole.clone();
            draft.as_object_mut().unwrap().remove(name);
            let missing = ask(&draft, COUNCIL).missing;
            match refusal(&draft) {
                Some(error) => {
                    assert_eq!(error.code(), "missing_member", "{name}");
                    assert!(missing.iter().any(|member| member.path == error.path), "{name}");
                    refused += 1;
                }
                None => assert_eq!(missing, [], "{name}"),
            }
        }
    }
    assert!(refused > 40, "only {refused} drafts were refused");
}

#[test]
fn an_answer_repeats_no_text_of_the_question() {
    let question: Value = from_str(SHARE).unwrap();
    let answer = serde_json::to_string(&ask(&question, COUNCIL)).unwrap();
    for text in ["rationale", "purpose_text", "less_intrusive_option"] {
        assert!(!answer.contains(question[text].as_str().unwrap()), "{text}");
    }
    assert!(!answer.contains(question["child"]["pseudonym"].as_str().unwrap()));
}
