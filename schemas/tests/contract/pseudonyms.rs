//! The vectors of pseudonyms, `tests/vectors/pseudonyms.json` at the workspace's root: what every agency's system must make
//! of what it knows people and places by. `GT_BLESS=1` writes the file from the cases here.

use std::fs;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Once;

use base64ct::{Base64UrlUnpadded, Encoding};
use gt_schemas::{Identifier, PartnershipKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Keys 0x00, 0x01, … 0x1f and 32 times 0xff.
fn keys() -> [[u8; 32]; 2] {
    [std::array::from_fn(|n| u8::try_from(n).unwrap()), [0xff; 32]]
}

/// Name, rule, number of the key, epoch, identifier.
type Case = (&'static str, &'static str, usize, u16, String);

fn case(name: &'static str, rule: &'static str, identifier: &str) -> Case {
    (name, rule, 0, 1, identifier.to_owned())
}

const BYTES: &str = "FORMATS 9, bytes";
const SCHEME: &str = "FORMATS 9, schemes";

fn accepted_cases() -> Vec<Case> {
    vec![
        case("NHS number", BYTES, "nhs:9990000018"),
        case("NHS number in groups", SCHEME, "nhs:999 000 0018"),
        case("NHS number with hyphens", SCHEME, "nhs:999-000-0018"),
        case("NHS number with check digit 0", SCHEME, "nhs:9990000050"),
        ("another key", BYTES, 1, 1, "nhs:9990000018".to_owned()),
        ("another epoch", BYTES, 0, 65_535, "nhs:9990000018".to_owned()),
        case("the same text in another scheme", BYTES, "staff:9990000018"),
        case("UPN", BYTES, "upn:P207000016049"),
        case("temporary UPN in lower case", SCHEME, "upn:x00180001701a"),
        case("LA child id", BYTES, "laid:E06000005/12345"),
        case("LA child id with spaces, in lower case", SCHEME, "laid: e06000005 / ab-12"),
        case("staff label", BYTES, "staff:ods:rx1/4711"),
        case("staff label, folded", SCHEME, "staff:  ODS:RX1/É\u{a0} Martin "),
        case("UPRN", BYTES, "uprn:100012345678"),
        case("UPRN, padded", SCHEME, "uprn:000000012345"),
        case("postcode", BYTES, "postcode:AB12 3DE"),
        case("postcode without its space, in lower case", SCHEME, "postcode:ab123de"),
        case("postcode with its space in the wrong place", SCHEME, "postcode:AB1 23DE"),
        case("postcode GIR 0AA", SCHEME, "postcode:gir0aa"),
        case("context", BYTES, "ctx:vehicle ab12cde"),
        case("context, folded", SCHEME, "ctx:\tVehicle   AB12CDE"),
        case("context with Greek capitals, each lowered on its own", SCHEME, "ctx:ΟΔΟΣ"),
        ("context of 64 characters", SCHEME, 0, 1, format!("ctx:{}", "é".repeat(64))),
    ]
}

/// The same with the code of the rule that is broken.
fn refused_cases() -> Vec<(Case, &'static str)> {
    vec![
        (case("no scheme", SCHEME, "9990000018"), "no_scheme"),
        (case("unknown scheme", SCHEME, "chi:9990000018"), "unknown_scheme"),
        (case("scheme in upper case", SCHEME, "NHS:9990000018"), "unknown_scheme"),
        (case("nothing after the scheme", SCHEME, "nhs: "), "blank"),
        (case("NHS number of nine digits", SCHEME, "nhs:999000001"), "length"),
        (case("NHS number with a letter", SCHEME, "nhs:999000001O"), "characters"),
        (case("NHS number in Arabic digits", SCHEME, "nhs:٩٩٩٠٠٠٠٠١٨"), "characters"),
        (case("NHS number, one digit wrong", SCHEME, "nhs:9990000017"), "check_character"),
        (case("NHS number, two digits exchanged", SCHEME, "nhs:9990000081"), "check_character"),
        (case("NHS number whose check digit would be 10", SCHEME, "nhs:9990000000"), "never_issued"),
        (case("NHS number of ten equal digits", SCHEME, "nhs:9999999999"), "placeholder"),
        (case("UPN of twelve characters", SCHEME, "upn:P20700001604"), "length"),
        (case("UPN with a digit first", SCHEME, "upn:8207000016049"), "form"),
        (case("UPN that ends with O", SCHEME, "upn:P20700001604O"), "form"),
        (case("UPN with the wrong check letter", SCHEME, "upn:Q207000016049"), "check_character"),
        (case("LA child id without its authority", SCHEME, "laid:12345"), "form"),
        (case("LA child id of a district", SCHEME, "laid:E07000999/12345"), "no_childrens_services"),
        (case("LA child id with nothing after the stroke", SCHEME, "laid:E06000005/"), "length"),
        (case("LA child id with two strokes", SCHEME, "laid:E06000005/1/2"), "characters"),
        (case("staff label with a control character", SCHEME, "staff:a\u{7}b"), "characters"),
        (case("UPRN of thirteen digits", SCHEME, "uprn:0000000000001"), "length"),
        (case("UPRN of zeros", SCHEME, "uprn:000"), "placeholder"),
        (case("UPRN with a sign", SCHEME, "uprn:-1"), "characters"),
        (case("postcode that is too short", SCHEME, "postcode:M1AA"), "length"),
        (case("postcode with a letter that is not used there", SCHEME, "postcode:AB12 3CD"), "form"),
        (case("postcode of nobody's address", SCHEME, "postcode:ZZ99 3VZ"), "form"),
        (case("postcode with a hyphen", SCHEME, "postcode:AB12-3DE"), "characters"),
        (("context of 65 characters", SCHEME, 0, 1, format!("ctx:{}", "é".repeat(65))), "length"),
    ]
}

fn written(case: &Case, expected: &Value) -> Value {
    let (name, rule, key, epoch, identifier) = case;
    let key = Base64UrlUnpadded::encode_string(&keys()[*key]);
    json!({
        "name": name, "rule": rule, "key": key, "epoch": epoch, "identifier": identifier, "expected": expected,
    })
}

/// What this crate makes of a case as the file has it.
fn outcome(case: &Value) -> Value {
    let text = |member: &str| case[member].as_str().unwrap();
    let mut key = Zeroizing::new([0; 32]);
    Base64UrlUnpadded::decode(text("key"), key.as_mut_slice()).unwrap();
    let epoch = u16::try_from(case["epoch"].as_u64().unwrap()).unwrap();
    let key = PartnershipKey::new(NonZeroU16::new(epoch).unwrap(), key);
    match Identifier::parse(text("identifier")) {
        Ok(identifier) => json!({
            "accepted": true, "value": identifier.value(), "pseudonym": key.pseudonym(&identifier).as_str(),
        }),
        Err(error) => json!({"accepted": false, "code": error.code()}),
    }
}

fn document() -> Value {
    let accepted = accepted_cases();
    let accepted = accepted.iter().map(|case| written(case, &outcome(&written(case, &Value::Null))));
    let refused = refused_cases();
    let refused = refused.iter().map(|(case, code)| written(case, &json!({"accepted": false, "code": code})));
    json!({
        "about": "Pseudonyms: an identifier is read, validated, normalised, and replaced by its HMAC under the partnership's key.",
        "cases": accepted.chain(refused).collect::<Vec<_>>(),
    })
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/pseudonyms.json")
}

/// The file's text, written anew beforehand if that is asked for.
fn stored() -> String {
    static WRITTEN: Once = Once::new();
    WRITTEN.call_once(|| {
        if std::env::var_os("GT_BLESS").is_some() {
            fs::write(file(), today()).unwrap();
        }
    });
    fs::read_to_string(file()).unwrap()
}

fn today() -> String {
    serde_json::to_string_pretty(&document()).unwrap() + "\n"
}

#[test]
fn the_vectors_are_what_is_written_today() {
    assert!(
        stored() == today(),
        "renew tests/vectors/pseudonyms.json with: GT_BLESS=1 cargo test -p gt-schemas"
    );
}

#[test]
fn every_vector_comes_out_as_the_file_says() {
    let document: Value = serde_json::from_str(&stored()).unwrap();
    let mut names: Vec<&str> = Vec::new();
    for case in document["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        assert_eq!(outcome(case), case["expected"], "{name}");
        assert!(!names.contains(&name), "{name} stands twice");
        names.push(name);
    }
    assert!(names.len() > 40, "{}", names.len());
}

#[test]
fn one_person_written_in_several_ways_has_one_pseudonym() {
    let cases = document();
    let pseudonym = |name: &str| {
        let named = cases["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
        named["expected"]["pseudonym"].clone()
    };
    for (one, other) in [
        ("NHS number", "NHS number in groups"),
        ("NHS number", "NHS number with hyphens"),
        ("postcode", "postcode without its space, in lower case"),
        ("postcode", "postcode with its space in the wrong place"),
        ("context", "context, folded"),
    ] {
        assert_eq!(pseudonym(one), pseudonym(other), "{other}");
    }
    assert_ne!(pseudonym("NHS number"), pseudonym("another key"));
    assert_ne!(pseudonym("NHS number"), pseudonym("the same text in another scheme"));
}
