//! The configuration: the code and its JSON Schema refuse the same, and the code says where and what it expected.

use gt_schemas::configuration::ConfigurationFault;
use gt_schemas::{Configuration, ConfigurationError, Expected, Fault};
use serde_json::{Value, json};

use crate::examples::change;

/// The standard with rules for retention, which it has none of.
fn standard() -> Value {
    let mut standard = Configuration::standard().to_json();
    standard["retention"] = json!({"rules": [
        {"class": "CLA", "counts_from": "FirstEntry", "texts_years": 75, "records_years": 100},
        {"controller": "gss:E06000999", "class": "CPP", "counts_from": "LastEntry", "texts_years": 35},
    ]});
    standard
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&Configuration::json_schema()).unwrap()
}

/// The standard configuration with one part set, or removed.
fn changed(pointer: &str, to: Option<Value>) -> Value {
    let mut data = standard();
    change(&mut data, pointer, to);
    data
}

#[test]
fn the_schema_is_sound_and_accepts_the_standard() {
    jsonschema::meta::validate(&Configuration::json_schema()).unwrap();
    let errors: Vec<_> = validator().iter_errors(&standard()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn faults_are_named_with_their_place() {
    let cases = [
        ("", Some(json!([])), "", "bad_value"),
        ("/legal", None, "/legal", "missing_member"),
        ("/legal/bases/Article6.a/title", None, "/legal/bases/Article6.a/title", "missing_member"),
        ("/legal/bases/Article6.e", None, "/legal/bases/Article6.e", "missing_basis"),
        (
            "/legal/bases/Article6.z",
            Some(json!({ "title": "A", "source": "B" })),
            "/legal/bases/Article6.z",
            "unknown_basis",
        ),
        ("/thresholds", None, "/thresholds", "missing_member"),
        ("/thresholds/long_missing", None, "/thresholds/long_missing", "missing_member"),
        ("/thresholds/silent_edge/days", None, "/thresholds/silent_edge/days", "missing_member"),
        ("/thresholds/more", Some(json!(1)), "/thresholds/more", "unknown_member"),
        ("/more", Some(json!({})), "/more", "unknown_member"),
        ("/thresholds/repeat_missing/days", Some(json!(0)), "/thresholds/repeat_missing/days", "bad_value"),
        (
            "/thresholds/repeat_missing/days",
            Some(json!("90")),
            "/thresholds/repeat_missing/days",
            "bad_value",
        ),
        (
            "/thresholds/repeat_missing/count",
            Some(json!(-3)),
            "/thresholds/repeat_missing/count",
            "bad_value",
        ),
        (
            "/thresholds/repeat_missing/count",
            Some(json!(2.5)),
            "/thresholds/repeat_missing/count",
            "bad_value",
        ),
        (
            "/thresholds/consent_reliance/percent",
            Some(json!(101)),
            "/thresholds/consent_reliance/percent",
            "bad_value",
        ),
        (
            "/thresholds/rhi_overdue/hours",
            Some(json!(4_294_967_368_u64)),
            "/thresholds/rhi_overdue/hours",
            "bad_value",
        ),
        ("/calendar/division", Some(json!("Atlantis")), "/calendar/division", "bad_value"),
        ("/calendar/bank_holidays/0", Some(json!("1 January")), "/calendar/bank_holidays/0", "bad_value"),
        (
            "/calendar/bank_holidays/1",
            Some(standard()["calendar"]["bank_holidays"][0].clone()),
            "/calendar/bank_holidays/1",
            "bad_value",
        ),
    ];
    let validator = validator();
    for (pointer, to, path, code) in cases {
        let data = changed(pointer, to);
        let error = Configuration::read(&data).expect_err(pointer);
        assert_eq!((error.path.as_str(), error.code()), (path, code), "{pointer}");
        assert!(!validator.is_valid(&data), "only the code refuses: {error}");
    }
    let error = Configuration::read(&changed("/thresholds/long_missing/hours", Some(json!(0)))).unwrap_err();
    let expected = Expected::Whole { least: 1, most: 8_784 };
    assert_eq!(error.fault, ConfigurationFault::Form(Fault::BadValue { expected }));
    assert_eq!(
        error.to_string(),
        "/thresholds/long_missing/hours: has a wrong value; expected a whole number from 1 to 8784"
    );
}

/// Each part in turn is removed, or replaced by what may be right elsewhere.
#[test]
fn code_and_schema_agree() {
    let replacements =
        [json!(null), json!(0), json!(1), json!(61), json!(8_785), json!("2026-01-05"), json!([]), json!({})];
    let (validator, mut pointers) = (validator(), Vec::new());
    every_pointer(&standard(), "", &mut pointers);
    for pointer in pointers {
        let removed = (!pointer.is_empty()).then_some(None);
        for to in replacements.iter().cloned().map(Some).chain(removed) {
            let data = changed(&pointer, to.clone());
            let read = Configuration::read(&data);
            if read.as_ref().is_err_and(is_beyond_schemas) {
                continue;
            }
            assert_eq!(validator.is_valid(&data), read.is_ok(), "{pointer} as {to:?}: {read:?}");
            if let Ok(configuration) = read {
                assert_eq!(Configuration::read(&configuration.to_json()), Ok(configuration), "{pointer}");
            }
        }
    }
}

/// What the catalogue's members say of each other.
fn is_beyond_schemas(error: &ConfigurationError) -> bool {
    let beyond = ["ends_before_it_begins", "ends_without_beginning", "unknown_source", "contradiction"];
    beyond.contains(&error.code())
}

fn every_pointer(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| every_pointer(value, &format!("{at}/{name}"), into));
        }
        Value::Array(elements) => {
            let elements = elements.iter().enumerate();
            elements.for_each(|(index, value)| every_pointer(value, &format!("{at}/{index}"), into));
        }
        _ => {}
    }
}
