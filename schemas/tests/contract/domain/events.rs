//! DOMAIN section 4: the types of events, their members, times and references.

use std::collections::BTreeMap;

use gt_schemas::{EventType, Member, Place, Requirement, members};
use serde_json::{Value, json};

use super::{examples_of, is_kept, refusal, with};
use crate::examples::Example;

/// A type; its members in the clear, disclosable ones, the times besides `occurred_at`, and the references besides
/// `case`, `supersedes` and `joined`. `!` is required always, `?` under a condition.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const RIGHTS: (&str, &str) =
    ("identity_verified! extended outcome exemption?", "child! person times! refs reason");

const TYPES: &[Row] = &[
    (
        "request.received",
        "from verified! categories! gateway rating!",
        "child! times! refs purpose_text!",
        "due_at",
        "request meeting",
    ),
    ("request.answered", "to", "child! times! refs", "", "request decision"),
    ("request.refused", "to ground!", "child! times! refs reason", "", "request decision"),
    ("referral.made", "to! kind!", "child! times! refs reason", "", "referral"),
    ("referral.outcome", "outcome! referrer referrer_told!", "child! times! refs reason", "", "referral"),
    (
        "missing.started",
        "kind! from! risk responsible_la host_la",
        "child! times! refs place",
        "last_seen_at reported_at",
        "police_ref episode",
    ),
    ("missing.ended", "harm!", "child! times! refs place", "reported_at", "police_ref episode"),
    ("rhi.offered", "independent!", "child! times! refs", "due_at", "episode interview"),
    ("rhi.held", "independent! harm_disclosed", "child! times! refs", "", "episode interview"),
    ("rhi.declined", "independent!", "child! times! refs", "", "episode interview"),
    ("child.moved", "from_la! to_la! plan! emergency", "child! times! refs place", "notified_at", ""),
    (
        "placement.started",
        "from_la! to_la! plan! emergency placement! legal_status!",
        "child! times! refs place",
        "notified_at",
        "",
    ),
    (
        "context.linked",
        "kind! risk! source! nature!",
        "child! context! times! refs",
        "reported_at",
        "meeting",
    ),
    ("context.unlinked", "kind!", "child! context! times! refs reason", "reported_at", "meeting"),
    ("person.linked", "risk! source! nature!", "child person! times! refs", "", ""),
    ("person.unlinked", "nature!", "child person! times! refs reason", "", ""),
    ("disclosure.received", "to nature!", "child! times! refs words_ref!", "referred_at", ""),
    (
        "consent.given",
        "scope! by! explicit! freely_given! competent!",
        "child! times! refs reason",
        "review_at",
        "",
    ),
    ("consent.refused", "scope! by!", "child! times! refs reason", "", ""),
    ("consent.withdrawn", "scope! by!", "child! times! refs reason", "", ""),
    ("meeting.held", "kind! agencies! outcome!", "child! times! refs note", "", "meeting"),
    ("harm.recorded", "severity! nature!", "child! times! refs note", "", ""),
    ("decision.reviewed", "outcome! informed", "child! times! refs reason!", "", "decision"),
    ("agreement.registered", "kind! parties!", "times! refs", "next_review_at", "agreement"),
    ("agreement.reviewed", "outcome!", "times! refs", "next_review_at", "agreement"),
    ("agreement.ended", "kind!", "times! refs", "", "agreement"),
    ("subject_access.received", RIGHTS.0, RIGHTS.1, "due_at completed_at", "request"),
    ("rectification.requested", RIGHTS.0, RIGHTS.1, "due_at completed_at", "request"),
    ("restriction.requested", RIGHTS.0, RIGHTS.1, "due_at completed_at", "request"),
    ("objection.received", RIGHTS.0, RIGHTS.1, "due_at completed_at", "request"),
    ("erasure.requested", RIGHTS.0, RIGHTS.1, "due_at completed_at", "request"),
    ("record.restricted", "ground!", "child! times! refs reason", "", ""),
    ("record.released", "ground!", "child! times! refs reason", "", ""),
    ("hold.placed", "ground!", "child! times! refs reason", "", ""),
    ("hold.lifted", "ground!", "child! times! refs reason", "", ""),
    ("identifier.linked", "evidence! confidence!", "identifiers! times! refs reason", "", ""),
    ("identifier.unlinked", "evidence! confidence!", "identifiers! times! refs reason", "", ""),
    ("alert.assigned", "to", "child times! refs! practitioner", "", "alert!"),
    ("alert.reviewed", "outcome!", "child times! refs! practitioner note", "", "alert!"),
    (
        "record.accessed",
        "role! purpose! what! break_glass",
        "child reader! times! extent! refs",
        "",
        "access",
    ),
    (
        "access.approved",
        "role! purpose! what!",
        "child reader! approver! times! refs",
        "expires_at",
        "access",
    ),
];

/// The two whose members have tables of their own: `decision.rs` and `practice.rs`.
const ELSEWHERE: [&str; 2] = ["decision.recorded", "decision.corrected"];

fn split(names: &'static str) -> impl Iterator<Item = (&'static str, Option<char>)> {
    names.split_whitespace().map(|name| {
        let bare = name.trim_end_matches(['!', '?']);
        (bare, name[bare.len()..].chars().next())
    })
}

fn requirement(member: &Member) -> Option<char> {
    match member.requirement {
        Requirement::Always => Some('!'),
        Requirement::When(_) => Some('?'),
        Requirement::Optional => None,
    }
}

#[test]
fn the_types_are_those_of_the_domain() {
    let mut expected: Vec<&str> = TYPES.iter().map(|row| row.0).chain(ELSEWHERE).collect();
    let mut types: Vec<&str> = EventType::ALL.iter().map(|event_type| event_type.as_str()).collect();
    expected.sort_unstable();
    types.sort_unstable();
    assert_eq!(types, expected);
}

#[test]
fn every_type_has_its_members_in_their_places() {
    for (event_type, clear, disclosed, ..) in TYPES {
        let of = |place: fn(Place) -> bool| -> BTreeMap<&str, Option<char>> {
            let all = members(EventType::parse(event_type).unwrap()).iter();
            all.filter(|member| place(member.place))
                .map(|member| (member.name, requirement(member)))
                .collect()
        };
        assert_eq!(of(|place| place == Place::Clear), split(clear).collect(), "{event_type}, clear");
        assert_eq!(of(|place| place != Place::Clear), split(disclosed).collect(), "{event_type}, disclosed");
    }
}

#[test]
fn what_is_required_is_missed_and_what_is_not_is_not() {
    for (event_type, clear, disclosed, ..) in TYPES {
        for (member, required) in split(clear).chain(split(disclosed)).filter(|(_, mark)| *mark != Some('?'))
        {
            let has = |example: &Example| example.data.get(member).is_some() && !is_kept(example, member);
            let examples: Vec<Example> = examples_of(event_type).into_iter().filter(has).collect();
            // An optional member that no example shows is one that they are accepted without.
            assert!(required.is_none() || !examples.is_empty(), "no example of {event_type} shows {member}");
            for example in examples {
                let expected = required.map(|_| ("missing_member", format!("/{member}")));
                let outcome = with(&example, &[(&format!("/{member}"), None)]);
                assert_eq!(refusal(outcome), expected, "{} without {member}", example.name);
                // What stands there under a wrong name is what is told, and not that it is missing.
                let outcome = with(&example, &[(&format!("/{member}"), None), ("/mistyped", Some(json!(1)))]);
                let expected = Some(("unknown_member", "/mistyped".to_owned()));
                assert_eq!(refusal(outcome), expected, "{} with {member} mistyped", example.name);
            }
        }
    }
}

/// Each object has these names, of which one with `!` is required, and no other.
fn check_object(example: &Example, object: &str, names: &[(&str, Option<char>)], value: fn(&str) -> Value) {
    let whole: Value = names.iter().map(|(name, _)| ((*name).to_owned(), value(name))).collect();
    let set = |value: Value| refusal(with(example, &[(object, Some(value))]));
    assert_eq!(set(whole.clone()), None, "{} {object}", example.name);
    for (name, required) in names {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(*name);
        let expected = required.map(|_| ("missing_member", format!("{object}/{name}")));
        assert_eq!(set(without.clone()), expected, "{} without {object}/{name}", example.name);
        without["mistyped"] = value(name);
        let expected = Some(("unknown_member", format!("{object}/mistyped")));
        assert_eq!(set(without), expected, "{} with {object}/{name} mistyped", example.name);
    }
    let mut more = whole;
    more["imagined"] = value("imagined");
    assert_eq!(set(more), Some(("unknown_member", format!("{object}/imagined"))), "{}", example.name);
}

#[test]
fn every_type_has_its_times() {
    for (event_type, _, _, times, _) in TYPES {
        let names: Vec<_> = [("occurred_at", Some('!'))].into_iter().chain(split(times)).collect();
        let example = &examples_of(event_type)[0];
        check_object(example, "/times", &names, |_| json!("2026-05-05T10:00:00Z"));
    }
}

#[test]
fn every_type_has_its_references() {
    for (event_type, _, _, _, refs) in TYPES {
        let names: Vec<_> = split("case supersedes joined").chain(split(refs)).collect();
        let example = &examples_of(event_type)[0];
        check_object(example, "/refs", &names, |name| match name {
            "joined" => json!(["R-1", "R-2"]),
            "alert" => json!("AAAAAAAAAAAAAAAAAAAAAA"),
            _ => json!("R-1"),
        });
    }
}

/// Places, contexts and people are pseudonyms, and the words of a disclosure stay where they are.
#[test]
fn people_and_places_are_pseudonyms() {
    let uprn = json!({ "ref": "uprn.1:r1nEX0r0ygAIQ_2howW7ZxdyIvqykNOGutohtoYLpAM" });
    for (event_type, member) in [
        ("missing.started", "/place"),
        ("missing.ended", "/place"),
        ("child.moved", "/place"),
        ("placement.started", "/place"),
        ("context.linked", "/context"),
        ("context.unlinked", "/context"),
    ] {
        let example = &examples_of(event_type)[0];
        assert_eq!(refusal(with(example, &[(member, Some(uprn.clone()))])), None, "{event_type}");
        let plain = Some(json!({ "ref": "100012345678" }));
        let expected = Some(("bad_value", format!("{member}/ref")));
        assert_eq!(refusal(with(example, &[(member, plain)])), expected, "{event_type}");
    }
    for event_type in
        TYPES.iter().map(|row| row.0).filter(|name| examples_of(name)[0].data.get("child").is_some())
    {
        let plain = Some(json!("9990000018"));
        let found = refusal(with(&examples_of(event_type)[0], &[("/child/pseudonym", plain)]));
        assert_eq!(found, Some(("bad_value", "/child/pseudonym".to_owned())), "{event_type}");
    }
}

/// An exemption is named wherever a data subject's request is not granted in full.
#[test]
fn a_request_that_is_not_granted_names_an_exemption() {
    for event_type in TYPES.iter().filter(|row| row.1 == RIGHTS.0).map(|row| row.0) {
        let example = &examples_of(event_type)[0];
        for (outcome, owed) in [("Granted", false), ("PartlyGranted", true), ("Refused", true)] {
            let mut example = example.clone();
            example.data.as_object_mut().unwrap().remove("exemption");
            let found = refusal(with(&example, &[("/outcome", Some(json!(outcome)))]));
            let expected = owed.then(|| ("missing_member", "/exemption".to_owned()));
            assert_eq!(found, expected, "{event_type} {outcome}");
        }
    }
}
