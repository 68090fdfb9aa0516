//! Statements refused for their `data`: values in the clear, the places of digests, and `kept`.

use gt_core::Hash;

use crate::document::NewCase;
use crate::ledger::{COUNCIL_KEY, Writing, digests, disclosure};
use crate::statements::{CHILD, of_council, person};

const CLEAR: &str = "DESIGN 2: a value in the clear that is no code is refused";
const NAMES: &str = "FORMATS 3: member names in data are [a-z][a-z0-9_]{0,63}";
const PLACES: &str =
    "FORMATS 3: digests stand in an array that is a member directly of data, and nowhere else";
const ONE: &str = "DESIGN 2: exactly one element, except lists of people";
const REPEATED: &str = "DESIGN 2: repeated digests are refused";
const KEPT: &str =
    "FORMATS 3: kept lists distinct disclosable members of this data, other than those that name an owner";
const ORDER: &str = "FORMATS 3: members of data are looked at in the payload's order";
const OWN: &str = "FORMATS 3: types ledger.*, publisher.* and subject.* have no disclosures";

/// The fictional NHS number is of the range for tests.
const VALUES: [(&str, &str); 16] = [
    ("two words", r#""Two words""#),
    ("an empty text", r#""""#),
    ("a number", "5"),
    ("null", "null"),
    ("an NHS number", r#""9990000018""#),
    ("a time", r#""2026-03-01T09:00:00Z""#),
    ("a text that begins with a digit", r#""1Share""#),
    ("a hyphen", r#""No-Share""#),
    ("a full stop", r#""Dr.Smith""#),
    ("a letter that is not ASCII", r#""Zoë""#),
    ("a code of 65 characters", r#""A2345678901234567890123456789012345678901234567890123456789012345""#),
    ("an agency of no known scheme", r#""nhs:RX1""#),
    ("text further in", r#"[{"b":["deep text"]}]"#),
    ("a number further in", r#"{"b":{"c":1}}"#),
    ("a name that is none, further in", r#"{"Name":true}"#),
    ("an empty text in a list", r#"["Share",""]"#),
];

pub(crate) fn cases() -> Vec<NewCase> {
    let mut cases: Vec<NewCase> = VALUES
        .iter()
        .map(|(name, value)| {
            refused(
                &format!("{name} in the clear"),
                CLEAR,
                "personal_data_in_clear",
                &format!(r#"{{"note":{value}}}"#),
            )
        })
        .collect();
    let pseudonym = format!(r#"{{"child":"{CHILD}"}}"#);
    cases.push(refused("a pseudonym in the clear", CLEAR, "personal_data_in_clear", &pseudonym));
    let long = format!(r#"{{"{}":true}}"#, "a".repeat(65));
    for (name, data) in [
        ("a capital in a name", r#"{"Decision":true}"#),
        ("a name that begins with a digit", r#"{"1st":true}"#),
        ("an empty name", r#"{"":true}"#),
        ("a hyphen in a name", r#"{"no-share":true}"#),
        ("_sd among the members", r#"{"_sd":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}"#),
        ("a name of 65 characters", &long),
    ] {
        cases.push(refused(name, NAMES, "data_member_name", data));
    }
    cases.extend(places());
    cases.extend(kept());
    cases.extend(firsts());
    cases
}

fn refused(name: &str, rule: &str, code: &'static str, data: &str) -> NewCase {
    NewCase::refused(name, rule, code).with("statement", of_council(data, &[]))
}

fn places() -> Vec<NewCase> {
    let (digest, other) = (Hash::of(b"one"), Hash::of(b"another"));
    let misplaced = [
        ("a digest that stands in no array", format!(r#"{{"a":{{"...":"{digest}"}}}}"#)),
        ("a digest beside a value", format!(r#"{{"a":[true,{{"...":"{digest}"}}]}}"#)),
        ("a digest further in", format!(r#"{{"a":{{"b":[{{"...":"{digest}"}}]}}}}"#)),
        ("a digest in an array of arrays", format!(r#"{{"a":[[{{"...":"{digest}"}}]]}}"#)),
        ("an object with a digest and another member", format!(r#"{{"a":[{{"...":"{digest}","b":true}}]}}"#)),
        (
            "a digest of 31 bytes",
            r#"{"a":[{"...":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#.to_owned(),
        ),
        (
            "a digest with spare bits",
            r#"{"a":[{"...":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"}]}"#.to_owned(),
        ),
        ("a digest that is no text", r#"{"a":[{"...":1}]}"#.to_owned()),
        ("digests of object members", format!(r#"{{"a":{{"_sd":["{digest}"]}}}}"#)),
        ("_sd_alg further in", r#"{"a":{"_sd_alg":"sha-256"}}"#.to_owned()),
    ];
    let mut cases: Vec<NewCase> =
        misplaced.iter().map(|(name, data)| refused(name, PLACES, "digest_misplaced", data)).collect();
    let first = disclosure(1, &"One rationale.".into());
    let second = disclosure(2, &"Another one, for another reader.".into());
    let two = format!(r#"{{"rationale":{}}}"#, digests(&[&first, &second]));
    cases.push(
        NewCase::refused("two rationales", ONE, "too_many_elements")
            .with("statement", of_council(&two, &[first, second])),
    );
    let crowd = format!(r#"{{"child":[{{"...":"{digest}"}},{{"...":"{other}"}}]}}"#);
    cases.push(refused(
        "two children",
        "DESIGN 2: a statement is about at most one child",
        "too_many_elements",
        &crowd,
    ));
    let child = disclosure(1, &person(CHILD, "Child"));
    let once = digests(&[&child]);
    let twice = format!(r#"{{"child":{once},"person":{once}}}"#);
    let again = format!(r#"{{"others":{}}}"#, digests(&[&child, &child]));
    for (name, data) in [("a digest in two members", twice), ("a digest twice in one member", again)] {
        let statement = of_council(&data, std::slice::from_ref(&child));
        cases.push(NewCase::refused(name, REPEATED, "digest_repeated").with("statement", statement));
    }
    let own = Writing {
        event_type: "subject.erased".into(),
        ..Writing::of_council(&format!(r#"{{"owners":{once}}}"#))
    };
    cases.push(
        NewCase::refused("a disclosure in a type of the ledger's own", OWN, "digest_misplaced")
            .with("statement", own.signed_by(COUNCIL_KEY)),
    );
    cases
}

/// Cases with two faults.
fn firsts() -> Vec<NewCase> {
    let child = digests(&[&disclosure(1, &person(CHILD, "Child"))]);
    let text = r#""note":"Two words""#;
    let own = Writing {
        event_type: "subject.erased".into(),
        ..Writing::of_council(&format!(r#"{{"owners":{child},"Scope":true}}"#))
    };
    vec![
        refused(
            "a digest stands twice, and after it a text in the clear",
            ORDER,
            "digest_repeated",
            &format!(r#"{{"child":{child},"person":{child},{text}}}"#),
        ),
        refused(
            "a digest stands twice, and before it a text in the clear",
            ORDER,
            "personal_data_in_clear",
            &format!(r#"{{{text},"child":{child},"person":{child}}}"#),
        ),
        refused(
            "a digest stands twice, and between its places a text in the clear",
            ORDER,
            "personal_data_in_clear",
            &format!(r#"{{"child":{child},{text},"person":{child}}}"#),
        ),
        NewCase::refused(
            "a digest in a type of the ledger's own, and after it a name that is none",
            ORDER,
            "digest_misplaced",
        )
        .with("statement", own.signed_by(COUNCIL_KEY)),
    ]
}

fn kept() -> Vec<NewCase> {
    let (child, note) = (disclosure(1, &person(CHILD, "Child")), disclosure(2, &"Kept at home.".into()));
    let data = |kept: &str| {
        format!(r#"{{"child":{},"rationale":{},"kept":{kept}}}"#, digests(&[&child]), digests(&[&note]))
    };
    let note_digest = digests(&[&note]);
    let bad = [
        ("kept names a member that is not there", r#"["analysis"]"#),
        ("kept names a member twice", r#"["rationale","rationale"]"#),
        ("kept names the child", r#"["child"]"#),
        ("kept names itself", r#"["kept"]"#),
        ("kept is no list", r#""rationale""#),
        ("kept holds no text", "[true]"),
        ("kept is disclosable itself", note_digest.as_str()),
    ];
    let mut cases: Vec<NewCase> =
        bad.iter().map(|(name, list)| refused(name, KEPT, "kept_bad", &data(list))).collect();
    let clear = r#"{"decision":"Share","kept":["decision"]}"#;
    cases.push(refused("kept names a member in the clear", KEPT, "kept_bad", clear));
    for member in ["others", "practitioner", "authoriser", "person", "identifiers"] {
        let data = format!(r#"{{"{member}":{},"kept":["{member}"]}}"#, digests(&[&child]));
        cases.push(refused(&format!("kept names {member}"), KEPT, "kept_bad", &data));
    }
    let rule = "FORMATS 3: a sealer refuses a disclosure of a kept member";
    let sent = of_council(&data(r#"["rationale"]"#), &[child.clone(), note.clone()]);
    cases.push(NewCase::refused("a kept member is sent", rule, "kept_but_sent").with("statement", sent));
    cases
}
