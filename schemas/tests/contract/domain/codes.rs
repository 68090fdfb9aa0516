//! DOMAIN sections 1, 2 and 4: the closed lists of codes, member by member.

use gt_schemas::{EventType, Shape, json_schema};
use serde_json::{Value, json};

use super::{examples_of, refusal, with};

/// A type, a member as a JSON pointer (`*` for each element of a list), and its codes.
type Row = (&'static str, &'static str, &'static str);

const DECISION: &[(&str, &str)] = &[
    ("/decision", "Share SharePart Withhold"),
    ("/trigger", "Proactive Request Notification Referral Meeting"),
    ("/child/role", "Child Unborn"),
    ("/others/*/role", "Sibling Parent Carer PersonOfConcern AdultAtRisk ThirdParty"),
    ("/items/*/category", "Identity Health Education Welfare Offending Missing Location Intelligence"),
    ("/items/*/nature", "Fact Opinion Allegation ThirdPartyReport"),
    ("/items/*/accuracy", "Verified Unverified Disputed"),
    ("/items/*/class", "Personal Special CriminalOffence"),
    ("/items/*/disposition", "Shared Withheld"),
    (
        "/purpose",
        "EarlyHelp AssessNeed ProtectFromHarm PreventCrime FindMissingChild PlanOrReview LegalProceedings Other",
    ),
    ("/collected_for", "Same Different"),
    ("/harm_level", "None EarlyHelp ChildInNeed SignificantHarm Immediate"),
    ("/consent/status", "Explicit Given Refused Withdrawn NotSought NotPossible"),
    ("/consent/by", "Child PersonWithPR Other"),
    ("/consent/why_not", "RiskToChild CannotGive NotReasonable PrejudicesInvestigation AnotherBasisApplies"),
    ("/informed/status", "Before After Planned No"),
    ("/informed/reason", "IncreasesRisk PrejudicesInvestigation Impracticable LegalBar"),
    ("/advice/*/from", "Manager DSL Caldicott DPO Legal MASH Police"),
    ("/method/channel", "SecureEmail Portal API Phone Meeting Post"),
    (
        "/withhold/ground",
        "NoPurpose NoLawfulReason MoreDetrimental NotNecessary WrongRecipient CourtOrder Inaccurate NoConsent DataProtection",
    ),
];

/// Which of a decision can be corrected: what was shared with whom and why, never what was decided.
const CORRECTED: &str = "Items Recipients Purpose CollectedFor Compatible HarmLevel LawfulBasis Consent Informed \
                         Proportionality Method Withhold Times Texts";

const GATEWAYS: &str = "CA2004s10 CA2004s11 CA2004s16H CA2004s16LA CA1989s17 CA1989s27 CA1989s47 CDA1998s115 \
                        EA2002s175 CourtOrder";
const GROUNDS: &str = DECISION[DECISION.len() - 1].1;
const EXEMPTIONS: &str = "SeriousHarm ChildAbuseData ThirdPartyData CrimeOrTaxation LegalPrivilege LegalClaims \
                          PublicTask ManifestlyUnfounded";
const ROLES: &str =
    "Practitioner Manager Mash Analyst DataProtectionOfficer PanelReviewer Auditor Administrator";
const SOURCES: &str =
    "Child Family Peer School Health SocialCare Police YouthJustice Housing VoluntarySector Public Other";

const EVENTS: &[Row] = &[
    ("request.received", "/rating", "Red Amber Green"),
    ("request.received", "/categories/*", DECISION[4].1),
    ("request.received", "/gateway", GATEWAYS),
    ("request.refused", "/ground", GROUNDS),
    ("referral.made", "/kind", "EarlyHelp ChildInNeed ChildProtection Exploitation MentalHealth Other"),
    ("referral.outcome", "/outcome", "Accepted NoFurtherAction SteppedDown"),
    ("missing.started", "/kind", "Missing AwayWithoutAuthorisation"),
    ("missing.started", "/from", "Home Placement"),
    ("missing.started", "/risk", "NoApparentRisk Low Medium High"),
    ("missing.ended", "/harm", "Suspected NotSuspected NotKnown"),
    ("child.moved", "/plan", "ProtectionPlan ChildInNeed LookedAfter None"),
    ("placement.started", "/plan", "ProtectionPlan ChildInNeed LookedAfter None"),
    (
        "placement.started",
        "/placement",
        "FosterCare FamilyOrFriends ChildrensHome SecureChildrensHome YoungOffenderInstitution SecureTrainingCentre \
         ResidentialSchool SupportedAccommodation Hospital Other",
    ),
    (
        "placement.started",
        "/legal_status",
        "Accommodated InterimCareOrder CareOrder PlacementOrder PoliceProtection EmergencyProtectionOrder Remand \
         Sentence None Other",
    ),
    ("context.linked", "/kind", "Place OnlineAccount Group Vehicle Event"),
    ("context.linked", "/risk", "CSE CCE Violence Other"),
    ("context.linked", "/source", SOURCES),
    ("context.linked", "/nature", DECISION[5].1),
    ("context.unlinked", "/kind", "Place OnlineAccount Group Vehicle Event"),
    ("person.linked", "/risk", "CSE CCE Violence Other"),
    ("person.linked", "/source", SOURCES),
    ("person.linked", "/nature", DECISION[5].1),
    ("person.unlinked", "/nature", DECISION[5].1),
    ("disclosure.received", "/nature", DECISION[5].1),
    ("consent.given", "/scope", "InformationSharing Assessment Services"),
    ("consent.given", "/by", DECISION[13].1),
    ("consent.refused", "/by", DECISION[13].1),
    ("consent.withdrawn", "/scope", "InformationSharing Assessment Services"),
    ("meeting.held", "/kind", "Mash Strategy"),
    (
        "meeting.held",
        "/outcome",
        "NoFurtherAction SingleAgencyAssessment JointEnquiry ProtectionConference Adjourned",
    ),
    ("harm.recorded", "/severity", "Minor Moderate Serious Fatal"),
    ("decision.reviewed", "/outcome", "Upheld Changed Escalated"),
    ("decision.reviewed", "/informed", DECISION[15].1),
    ("decision.corrected", "/fields/*", CORRECTED),
    ("agreement.registered", "/kind", "InformationSharing JointController DataProcessing Protocol"),
    ("agreement.reviewed", "/outcome", "Renewed Amended"),
    ("agreement.ended", "/kind", "Expired Withdrawn Replaced"),
    ("subject_access.received", "/outcome", "Granted PartlyGranted Refused"),
    ("subject_access.received", "/exemption", EXEMPTIONS),
    ("erasure.requested", "/exemption", EXEMPTIONS),
    ("record.restricted", "/ground", "Adoption WitnessProtection StaffFamily Other"),
    ("hold.placed", "/ground", "LegalProceedings Inquiry PoliceInvestigation SafeguardingReview Other"),
    (
        "identifier.linked",
        "/evidence",
        "DocumentSeen DemographicMatch SharedSystem ProfessionalKnowledge Other",
    ),
    ("identifier.linked", "/confidence", "Confirmed Probable Possible"),
    ("alert.reviewed", "/outcome", "NoFurtherAction ActionTaken Escalated Mistaken"),
    ("record.accessed", "/role", ROLES),
    ("record.accessed", "/purpose", "CaseWork Supervision Analysis Review Audit SubjectRights Emergency"),
    ("record.accessed", "/what", "Timeline Decisions Alerts Texts Identity Bundle"),
    ("access.approved", "/role", ROLES),
];

/// The schema of what a pointer names, with what it refers to in its place.
fn schema_at<'s>(whole: &'s Value, pointer: &str) -> &'s Value {
    let resolved = |schema: &'s Value| match schema.get("$ref").and_then(Value::as_str) {
        Some(name) => whole.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    pointer.split('/').skip(1).fold(whole, |schema, name| {
        let schema = resolved(schema);
        resolved(if name == "*" { &schema["items"] } else { &schema["properties"][name] })
    })
}

fn check(event_type: &str, pointer: &str, codes: &str) {
    let schema = json_schema(EventType::parse(event_type).unwrap(), Shape::Draft);
    let expected: Vec<Value> = codes.split_whitespace().map(|code| json!(code)).collect();
    assert_eq!(schema_at(&schema, pointer)["enum"], json!(expected), "{event_type} {pointer}");

    let first = pointer.replace('*', "0");
    let examples = examples_of(event_type).into_iter();
    let mut shown = examples.filter(|example| example.data.pointer(&first).is_some()).peekable();
    assert!(shown.peek().is_some(), "no example of {event_type} shows {pointer}");
    for example in shown {
        let outcome = |value: Value| refusal(with(&example, &[(&first, Some(value))]));
        let bad = Some(("bad_value", first.clone()));
        for code in &expected {
            assert_ne!(outcome(code.clone()), bad, "{event_type} {pointer} {code}");
        }
        assert_eq!(outcome(json!("Imagined")), bad, "{event_type} {pointer}");
    }
}

#[test]
fn a_decisions_codes_are_closed_lists() {
    for (pointer, codes) in DECISION {
        check("decision.recorded", pointer, codes);
    }
}

#[test]
fn every_events_codes_are_closed_lists() {
    for (event_type, pointer, codes) in EVENTS {
        check(event_type, pointer, codes);
    }
}

/// Booleans are booleans, and nothing that stands for one.
#[test]
fn what_is_true_or_false_is_nothing_else() {
    for (event_type, pointer) in [
        ("decision.recorded", "/emergency"),
        ("decision.recorded", "/compatible"),
        ("decision.recorded", "/items/0/identifies"),
        ("decision.recorded", "/recipients/0/internal"),
        ("decision.recorded", "/recipients/0/has_safeguarding_role"),
        ("decision.recorded", "/recipients/0/identity_verified"),
        ("decision.recorded", "/consent/freely_given"),
        ("decision.recorded", "/consent/competent"),
        ("decision.recorded", "/proportionality/necessary"),
        ("decision.recorded", "/proportionality/relevant"),
        ("decision.recorded", "/proportionality/adequate"),
        ("decision.recorded", "/proportionality/minimum"),
        ("decision.recorded", "/identity_protection/risk"),
        ("decision.recorded", "/advice/0/anonymised"),
        ("decision.recorded", "/advice/0/followed"),
        ("decision.recorded", "/method/secure"),
        ("request.received", "/verified"),
        ("referral.outcome", "/referrer_told"),
        ("rhi.offered", "/independent"),
        ("child.moved", "/emergency"),
        ("subject_access.received", "/identity_verified"),
        ("subject_access.received", "/extended"),
        ("record.accessed", "/break_glass"),
    ] {
        let shown =
            |example: &crate::examples::Example| example.data.pointer(pointer).is_some_and(Value::is_boolean);
        let example = examples_of(event_type).into_iter().find(shown);
        let example = example.unwrap_or_else(|| panic!("no example of {event_type} shows {pointer}"));
        let bad = Some(("bad_value", pointer.to_owned()));
        assert_eq!(refusal(with(&example, &[(pointer, Some(json!("Yes")))])), bad, "{event_type} {pointer}");
        let parent = pointer.rsplit_once('/').unwrap().0;
        if !parent.is_empty() && !pointer.starts_with("/consent") {
            let missed = Some(("missing_member", pointer.to_owned()));
            assert_eq!(refusal(with(&example, &[(pointer, None)])), missed, "{event_type} {pointer}");
        }
    }
}
