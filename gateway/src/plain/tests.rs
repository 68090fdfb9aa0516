use super::*;
use serde_json::json;
use std::num::NonZeroU16;
use zeroize::Zeroizing;

fn key() -> PartnershipKey {
    PartnershipKey::new(NonZeroU16::MIN, Zeroizing::new([7; 32]))
}

fn pseudonym(text: &str) -> String {
    key().pseudonym(&Identifier::parse(text).unwrap()).as_str().to_owned()
}

fn draft(data: &serde_json::Value) -> Vec<u8> {
    serde_json::to_vec(&json!({"id": "d-1", "type": "context.linked", "data": data})).unwrap()
}

fn data(text: &[u8]) -> serde_json::Value {
    serde_json::from_slice::<serde_json::Value>(text).unwrap()["data"].clone()
}

fn replaced(given: &serde_json::Value) -> serde_json::Value {
    data(&replace(&draft(given), Some(&key())).unwrap())
}

fn fault(given: &serde_json::Value) -> (String, &'static str) {
    let error = replace(&draft(given), Some(&key())).unwrap_err();
    (error.path, error.fault.rule())
}

#[test]
fn people_get_a_pseudonym_and_contexts_a_ref_at_any_depth() {
    let given = json!({
        "risk": "CCE",
        "child": {"identifier": "nhs:999 000 0018", "role": "Child"},
        "others": [{"pseudonym": "kept as it is"}, {"role": "Parent", "identifier": "laid:E06000005/1"}],
        "context": {"identifier": "uprn:100012345678"},
        "deep": {"list": [[{"identifier": "ctx:Vehicle AB12CDE"}]]},
    });
    let expected = json!({
        "risk": "CCE",
        "child": {"pseudonym": pseudonym("nhs:9990000018"), "role": "Child"},
        "others": [
            {"pseudonym": "kept as it is"},
            {"role": "Parent", "pseudonym": pseudonym("laid:E06000005/1")},
        ],
        "context": {"ref": pseudonym("uprn:100012345678")},
        "deep": {"list": [[{"ref": pseudonym("ctx:vehicle ab12cde")}]]},
    });
    assert_eq!(replaced(&given), expected);
}

#[test]
fn drafts_without_any_come_back_byte_for_byte() {
    for text in [
        &br#" {"id":"a", "data":{"child":{"pseudonym":"x"}}}"#[..],
        br#"{"id":"identifier","data":{"identifiers":[{"pseudonym":"x"}],"note":"an \"identifier\""}}"#,
        br#"{"id":"a","identifier":"nhs:9990000018","data":{}}"#,
        br#"{"id":"a","data":{"identifier":"nhs:9990000018"}}"#,
        br#"{"id":"a","data":"identifier"}"#,
        b"identifier {",
        b"\"identifier\"",
    ] {
        for key in [None, Some(&key())] {
            assert!(matches!(replace(text, key), Ok(Cow::Borrowed(same)) if same == text));
        }
    }
    let long = [b"\"identifier\"".to_vec(), vec![b' '; MAX_DRAFT_BYTES]].concat();
    assert!(matches!(replace(&long, None), Ok(Cow::Borrowed(_))));
}

#[test]
fn a_name_written_with_escapes_is_found_too() {
    let text = br#"{"id":"a","data":{"child":{"\u0069dentifier":"nhs:9990000018"}}}"#;
    let expected = json!({"child": {"pseudonym": pseudonym("nhs:9990000018")}});
    assert_eq!(data(&replace(text, Some(&key())).unwrap()), expected);
}

#[test]
fn without_a_key_every_plain_identifier_is_refused() {
    let given = draft(&json!({"child": {"identifier": "nhs:9990000018", "role": "Child"}}));
    let error = replace(&given, None).unwrap_err();
    assert_eq!((error.path.as_str(), error.fault.rule()), ("/child/identifier", "no_partnership_key"));
}

#[test]
fn a_professional_is_no_child() {
    let staff = json!({"identifier": "staff:police:32/PC 4711"});
    assert_eq!(fault(&json!({"child": staff})), ("/child/identifier".to_owned(), "other_kind"));
    let said = replace(&draft(&json!({"child": staff})), Some(&key())).unwrap_err().to_string();
    assert_eq!(said, "/child/identifier: identifies a professional; expected the child: nhs, upn or laid");
    assert!(replace(&draft(&json!({"practitioner": staff})), Some(&key())).is_ok());
}

#[test]
fn what_a_schema_says_of_a_pseudonym_is_said_of_the_identifier_that_was_written() {
    let unknown = |path: &str, expected| SchemaError {
        path: path.to_owned(),
        fault: Fault::UnknownMember { expected },
    };
    let person: &[&str] = &["pseudonym", "role"];
    let given = draft(&json!({
        "child": {"identifier": "uprn:1", "role": "Child"},
        "others": [{}, {"identifier": "ctx:a"}],
        "context": {"identifier": "nhs:9990000018"},
        "place": {"pseudonym": "x"},
    }));
    let said = |path, expected| said_of_the_identifier(&given, &unknown(path, expected));
    let path = |path, expected| said(path, expected).map(|error| error.path);
    assert_eq!(path("/child/ref", person).as_deref(), Some("/child/identifier"));
    assert_eq!(path("/others/1/ref", person).as_deref(), Some("/others/1/identifier"));
    assert_eq!(path("/context/pseudonym", &["ref"]).as_deref(), Some("/context/identifier"));
    let sentence = said("/context/pseudonym", &["ref"]).unwrap().to_string();
    assert!(
        sentence.contains("identifies a person; expected a place or another context: uprn"),
        "{sentence}"
    );
    // That was written as it stands, or nothing of the kind belongs there.
    for (path, expected) in [
        ("/place/pseudonym", &["ref"][..]),
        ("/others/0/ref", person),
        ("/others/7/ref", person),
        ("/child/ref", &["case"]),
        ("/child/colour", person),
        ("", person),
    ] {
        assert_eq!(said(path, expected), None, "{path}");
    }
}

#[test]
fn a_refusal_names_the_place_and_the_rule_and_nothing_of_the_value() {
    for (given, path, rule) in [
        (json!({"child": {"identifier": "nhs:9990000017"}}), "/child/identifier", "check_character"),
        (json!({"others": [{}, {"identifier": "9990000018"}]}), "/others/1/identifier", "no_scheme"),
        (json!({"context": {"identifier": 9_990_000_018_i64}}), "/context/identifier", "not_a_text"),
        (json!({"child": {"identifier": {"identifier": "nhs:1"}}}), "/child/identifier", "not_a_text"),
        (
            json!({"child": {"identifier": "nhs:9990000018", "pseudonym": "x"}}),
            "/child/identifier",
            "named_twice",
        ),
        (json!({"context": {"identifier": "uprn:1", "ref": "x"}}), "/context/identifier", "named_twice"),
        (json!({"Jo Bloggs": {"identifier": "nhs:1"}}), "/*/identifier", "length"),
    ] {
        assert_eq!(fault(&given), (path.to_owned(), rule));
        let said = replace(&draft(&given), Some(&key())).unwrap_err().to_string();
        assert!(!said.contains("999") && !said.contains("Bloggs"), "{said}");
    }
    let wrong = draft(&json!({"child": {"identifier": "nhs:9990000017"}}));
    let said = replace(&wrong, Some(&key()));
    let expected = "/child/identifier: fails its check: at least one character is wrong";
    assert_eq!(said.unwrap_err().to_string(), expected);
}
