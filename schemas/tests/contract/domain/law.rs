//! DOMAIN section 2: every basis there is, when it was in force, and the codes of the findings.

use std::collections::BTreeSet;

use gt_schemas::{Catalogue, FindingCode, Time};
use serde_json::{Value, json};

use super::{named, refusal, with};

/// A kind of basis, the member that says which, and which there are.
const BASES: &[(&str, &str, &str)] = &[
    ("Article6", "code", "a b c d e ea f"),
    ("Article9", "code", "a b c d e f g h i j"),
    ("Article10", "code", "OfficialAuthority Schedule1Condition"),
    ("Schedule1", "paragraph", "P1 P2 P6 P10 P17 P18"),
    ("Part3", "code", "s35"),
    ("Schedule8", "paragraph", "P1 P2 P3 P4 P5 P6 P7 P8 P9"),
    (
        "Gateway",
        "code",
        "CA2004s10 CA2004s11 CA2004s16H CA2004s16LA CA1989s17 CA1989s27 CA1989s47 CDA1998s115 EA2002s175 CourtOrder",
    ),
    ("Confidence", "code", "NotConfidential Consent StatuteOrCourt OverridingPublicInterest"),
];

const INTERESTS: &str = "PublicTaskRequest NationalSecurity Emergency Crime Safeguarding";
const GROUNDS: &str = "ConsentCannotBeGiven CannotReasonablyObtain WouldPrejudiceProtection";

fn relied_on(basis: &Value) -> Option<(&'static str, String)> {
    refusal(with(&named("decision.recorded.share"), &[("/lawful_basis", Some(json!([basis])))]))
}

#[test]
fn every_basis_can_be_relied_on_and_no_other() {
    for (kind, member, codes) in BASES {
        for code in codes.split_whitespace() {
            let mut basis = json!({ "kind": kind, *member: code });
            if code == "ea" {
                basis["condition"] = json!("Safeguarding");
            }
            assert_eq!(relied_on(&basis), None, "{kind} {code}");
        }
        let expected = Some(("bad_value", format!("/lawful_basis/0/{member}")));
        assert_eq!(relied_on(&json!({ "kind": kind, *member: "Imagined" })), expected, "{kind}");
    }
}

#[test]
fn a_recognised_interest_names_its_condition_and_paragraph_18_its_ground() {
    for condition in INTERESTS.split_whitespace() {
        assert_eq!(relied_on(&json!({ "kind": "Article6", "code": "ea", "condition": condition })), None);
    }
    let bare = relied_on(&json!({ "kind": "Article6", "code": "ea" }));
    assert_eq!(bare, Some(("missing_member", "/lawful_basis/0/condition".to_owned())));
    for ground in GROUNDS.split_whitespace() {
        assert_eq!(relied_on(&json!({ "kind": "Schedule1", "paragraph": "P18", "ground": ground })), None);
    }
    // Left out it is a finding, E4, and no fault of structure.
    assert_eq!(relied_on(&json!({ "kind": "Schedule1", "paragraph": "P18" })), None);
}

/// The catalogue explains each basis, each condition of `ea` and each ground of paragraph 18, and nothing else.
#[test]
fn the_catalogue_has_every_basis_of_the_domain() {
    let key = |kind: &str, codes: &'static str| -> Vec<String> {
        codes.split_whitespace().map(|code| format!("{kind}.{code}")).collect()
    };
    let mut expected: BTreeSet<String> = BASES.iter().flat_map(|(kind, _, codes)| key(kind, codes)).collect();
    expected.extend(key("Article6.ea", INTERESTS));
    expected.extend(key("Schedule1.P18", GROUNDS));
    let catalogue = Catalogue::standard();
    assert_eq!(catalogue.items().map(|(key, _)| key.to_owned()).collect::<BTreeSet<_>>(), expected);
    for (key, item) in catalogue.items() {
        assert!(!item.title.as_str().is_empty() && !item.source.as_str().is_empty(), "{key}");
    }
}

/// Recognised legitimate interests began on 5 February 2026; the duty to share has not for certain.
#[test]
fn what_is_not_in_force_yet_is_known() {
    let catalogue = Catalogue::standard();
    let in_force = |key: &str, at: &str| {
        let at: Time = at.parse().unwrap();
        catalogue.item(key).unwrap().in_force(Some(at))
    };
    let conditions = INTERESTS.split_whitespace().map(|condition| format!("Article6.ea.{condition}"));
    for key in conditions.chain(["Article6.ea".to_owned()]) {
        assert_eq!(in_force(&key, "2026-02-04T23:59:59.999Z"), Some(false), "{key}");
        assert_eq!(in_force(&key, "2026-02-05T00:00:00Z"), Some(true), "{key}");
    }
    assert_eq!(in_force("Gateway.CA2004s16LA", "2026-06-01T00:00:00Z"), Some(false));
    let doubtful = |(key, _): &(&str, _)| in_force(key, "2026-06-01T00:00:00Z") != Some(true);
    let doubtful: Vec<&str> = catalogue.items().filter(doubtful).map(|(key, _)| key).collect();
    assert_eq!(doubtful, ["Gateway.CA2004s16LA"]);
}

#[test]
fn professional_sources_are_cited_where_they_apply() {
    let catalogue = Catalogue::standard();
    for (key, source) in [
        ("Article9.h", "GMC"),
        ("Schedule1.P2", "GMC"),
        ("Confidence.OverridingPublicInterest", "GMC"),
        ("Schedule1.P18", "KCSIE"),
        ("Gateway.EA2002s175", "KCSIE"),
        ("Gateway.CA1989s47", "WT"),
    ] {
        assert!(catalogue.source(source).is_some(), "{source}");
        let see = catalogue.item(key).unwrap().see.as_deref().unwrap_or_default();
        assert!(see.iter().any(|name| name.as_str() == source), "{key} does not cite {source}");
    }
}

/// Neither the Human Rights Act nor the duty of confidence prevents sharing, and the texts say so.
#[test]
fn the_duty_of_confidence_does_not_prevent_sharing() {
    assert!(FindingCode::W4.sentence().contains("The duty does not prevent sharing"));
    assert!(FindingCode::W5.sentence().contains("Neither prevents sharing that protects a child"));
    let catalogue = Catalogue::standard();
    let notes = catalogue.item("Confidence.OverridingPublicInterest").unwrap().notes.clone().unwrap();
    assert!(notes.as_str().contains("Human Rights Act"), "the note on the Human Rights Act is gone");
}

#[test]
fn there_are_ten_breaches_and_nine_warnings() {
    let codes: Vec<String> =
        (1..=10).map(|n| format!("E{n}")).chain((1..=9).map(|n| format!("W{n}"))).collect();
    assert_eq!(FindingCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(), codes);
}
