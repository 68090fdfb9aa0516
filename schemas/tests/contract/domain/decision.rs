//! DOMAIN section 1: when each member of a decision is required, and where it stands.

use gt_schemas::{Event, EventType, Place, Sharing, members};
use serde_json::{Value, json};

use super::{is_kept, named, refusal, with};

const SHARE: &str = "decision.recorded.share";
const SHARE_PART: &str = "decision.recorded.share_part";
const WITHHOLD: &str = "decision.recorded.withhold";
const EMERGENCY: &str = "decision.recorded.emergency";

/// R always, S when shared, W when withheld; nothing where another condition decides, or none.
const REQUIRED: &[(&str, &str)] = &[
    ("decision", "R"),
    ("trigger", "R"),
    ("child", "R"),
    ("others", ""),
    ("items", "R"),
    ("item_details", ""),
    ("recipients", "R"),
    ("recipient_names", "?"),
    ("times", "R"),
    ("refs", ""),
    ("emergency", ""),
    ("purpose", "R"),
    ("collected_for", "R"),
    ("compatible", ""),
    ("purpose_text", "R"),
    ("rationale", "R"),
    ("harm_level", "R"),
    ("lawful_basis", "?"),
    ("consent", "R"),
    ("informed", "S"),
    ("proportionality", "S"),
    ("less_intrusive_option", "S"),
    ("identity_protection", "S"),
    ("identity_protection_steps", "?"),
    ("advice", ""),
    ("advice_content", ""),
    ("method", "S"),
    ("method_justification", "?"),
    ("withhold", "W"),
    ("risk_of_not_sharing", "W"),
    ("alternative_action", "W"),
    ("practitioner", "R"),
    ("authoriser", "?"),
];

/// What is never in the clear, and what has a disclosure per person.
const DISCLOSABLE: &[&str] = &[
    "child",
    "others",
    "item_details",
    "recipient_names",
    "times",
    "refs",
    "purpose_text",
    "rationale",
    "less_intrusive_option",
    "identity_protection_steps",
    "advice_content",
    "method_justification",
    "risk_of_not_sharing",
    "alternative_action",
    "practitioner",
    "authoriser",
];
const PER_PERSON: &[&str] = &["others", "recipient_names"];

#[test]
fn a_decision_has_the_members_of_the_domain_in_their_places() {
    let members = members(EventType::DecisionRecorded);
    let mut names: Vec<&str> = members.iter().map(|member| member.name).collect();
    let mut expected: Vec<&str> = REQUIRED.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    for member in members {
        let disclosable = DISCLOSABLE.contains(&member.name);
        assert_eq!(member.place != Place::Clear, disclosable, "{}", member.name);
        if let Place::Disclosed { many, .. } = member.place {
            assert_eq!(many, PER_PERSON.contains(&member.name), "{}", member.name);
        }
    }
}

#[test]
fn members_are_required_always_when_shared_or_when_withheld() {
    let mut tried = 0;
    for (example, kind) in [(SHARE, "S"), (SHARE_PART, "SW"), (WITHHOLD, "W"), (EMERGENCY, "S")] {
        let example = named(example);
        for (member, when) in REQUIRED.iter().filter(|(_, when)| *when != "?") {
            if example.data.get(member).is_none() || is_kept(&example, member) {
                continue;
            }
            let owed = *when == "R" || !when.is_empty() && kind.contains(when);
            let found = refusal(with(&example, &[(&format!("/{member}"), None)]));
            let expected = owed.then(|| ("missing_member", format!("/{member}")));
            assert_eq!(found, expected, "{}: {member}", example.name);
            tried += 1;
        }
    }
    assert!(tried > 70, "only {tried} members were taken away");
}

/// A share says when it was shared; every decision when it was made.
#[test]
fn times_say_when_it_was_decided_and_when_shared() {
    for (example, at, owed) in [
        (SHARE, "/times/occurred_at", true),
        (WITHHOLD, "/times/occurred_at", true),
        (SHARE, "/times/shared_at", true),
        (SHARE_PART, "/times/shared_at", true),
        (SHARE, "/times/decided_at", false),
        (SHARE, "/times/aware_at", false),
        (SHARE, "/times/review_at", false),
        (SHARE_PART, "/times/acknowledged_at", false),
    ] {
        let expected = owed.then(|| ("missing_member", at.to_owned()));
        assert_eq!(refusal(with(&named(example), &[(at, None)])), expected, "{example} {at}");
    }
    let later = json!("2026-02-09T10:40:00.001Z");
    let found = refusal(with(&named(SHARE), &[("/times/decided_at", Some(later))]));
    assert_eq!(found, Some(("contradiction", "/times/decided_at".to_owned())));
}

type Case = (&'static str, Vec<(&'static str, Option<Value>)>, Option<&'static str>);

/// Each condition on both sides: where it holds the member is missed, where it does not nobody asks for it.
fn conditions() -> Vec<Case> {
    let anonymous =
        |n| (["/items/0/identifies", "/items/1/identifies", "/items/2/identifies"][n], Some(json!(false)));
    let consent = |status: &str| Some(json!({ "status": status }));
    let reason = |status: &str| Some(json!({ "status": status, "why_not": "RiskToChild" }));
    vec![
        (SHARE, vec![("/lawful_basis", None)], Some("/lawful_basis")),
        (SHARE, vec![("/lawful_basis", None), anonymous(0), anonymous(1)], Some("/lawful_basis")),
        (SHARE, vec![("/lawful_basis", None), anonymous(0), anonymous(1), anonymous(2)], None),
        (SHARE_PART, vec![("/lawful_basis", None), anonymous(0)], None),
        (SHARE, vec![("/informed", Some(json!({ "status": "No" })))], Some("/informed/reason")),
        (SHARE, vec![("/informed", Some(json!({ "status": "Planned" })))], None),
        (SHARE, vec![("/identity_protection_steps", None)], Some("/identity_protection_steps")),
        (
            SHARE,
            vec![("/identity_protection_steps", None), ("/identity_protection/risk", Some(json!(false)))],
            None,
        ),
        (SHARE_PART, vec![("/method_justification", None)], Some("/method_justification")),
        (SHARE_PART, vec![("/method_justification", None), ("/method/secure", Some(json!(true)))], None),
        (SHARE, vec![("/recipients/0/agency", None), ("/recipient_names", None)], Some("/recipient_names")),
        (SHARE, vec![("/recipient_names", None)], None),
        (SHARE, vec![("/consent", consent("NotSought"))], Some("/consent/why_not")),
        (SHARE, vec![("/consent", consent("NotPossible"))], Some("/consent/why_not")),
        (SHARE, vec![("/consent", consent("Refused"))], Some("/consent/why_not")),
        (SHARE, vec![("/consent", consent("Withdrawn"))], Some("/consent/why_not")),
        (WITHHOLD, vec![("/consent", consent("Refused"))], None),
        (SHARE, vec![("/consent", consent("Explicit"))], Some("/consent/by")),
        (SHARE_PART, vec![("/consent/by", None)], Some("/consent/by")),
        (SHARE_PART, vec![("/consent/freely_given", None)], Some("/consent/freely_given")),
        (SHARE_PART, vec![("/consent/competent", None)], Some("/consent/competent")),
        (SHARE_PART, vec![("/consent", reason("Refused"))], Some("/authoriser")),
        (SHARE_PART, vec![("/consent", reason("Withdrawn"))], Some("/authoriser")),
        (SHARE_PART, vec![("/consent", reason("NotSought"))], None),
        (WITHHOLD, vec![("/authoriser", None)], Some("/authoriser")),
        (WITHHOLD, vec![("/authoriser", None), ("/trigger", Some(json!("Meeting")))], None),
    ]
}

#[test]
fn conditions_ask_for_a_member_where_they_hold_and_only_there() {
    for (example, changes, missed) in conditions() {
        let expected = missed.map(|path| ("missing_member", path.to_owned()));
        assert_eq!(refusal(with(&named(example), &changes)), expected, "{example} with {changes:?}");
    }
}

/// DOMAIN section 1, at the end: what was badly done is recorded, and is a finding.
#[test]
fn practice_is_accepted_and_found() {
    let event = with(&named(SHARE), &[("/lawful_basis", Some(json!([])))]).unwrap();
    let Event::DecisionRecorded(decision) = event else { panic!("another type") };
    let sharing = Sharing::of(&decision, "gias:999999");
    let found =
        gt_schemas::findings(&sharing, &gt_schemas::Known::default(), &gt_schemas::Catalogue::standard());
    assert_eq!(found.first().map(|finding| finding.code.as_str()), Some("E1"));
}

/// Consent to treatment is another matter: no member, scope or basis of it can be written.
#[test]
fn consent_is_to_sharing_and_not_to_treatment() {
    for scope in ["Treatment", "MedicalTreatment"] {
        let scope = [("/scope", Some(json!(scope)))];
        let found = refusal(with(&named("consent.given"), &scope));
        assert_eq!(found, Some(("bad_value", "/scope".to_owned())));
    }
}
