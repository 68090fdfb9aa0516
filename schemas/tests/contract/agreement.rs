//! The code and the JSON Schema give the same verdict on every example with any one part removed or replaced.

use gt_schemas::{EventType, Shape, validate_draft};
use serde_json::{Value, json};

use crate::examples::{self, Example, change, validator};

/// Every place in a value, outermost first.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, v)| pointers(v, &format!("{at}/{name}"), into));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(n, v)| pointers(v, &format!("{at}/{n}"), into));
        }
        _ => {}
    }
}

fn replacements() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(""),
        json!("  "),
        json!("\u{85}"),
        json!("Nonsense"),
        json!([]),
        json!([{}]),
        json!([null]),
        json!({}),
        json!({ "kind": "Article6" }),
        json!("No"),
        json!("Share"),
        json!("SharePart"),
        json!("Withhold"),
        json!("Explicit"),
        json!("Withdrawn"),
        json!("NotSought"),
        json!("Shared"),
        json!("Withheld"),
        json!("ea"),
        json!("P18"),
        json!(["rationale"]),
        json!(["others"]),
        json!("2026-01-01T00:00:00.1Z"),
        json!("gss:E06000005"),
        json!("Refused"),
        json!("Request"),
        json!(["Consent", "Texts"]),
    ]
}

/// The faults that a schema cannot express.
fn is_beyond_schemas(code: &str, path: &str) -> bool {
    code == "contradiction" && ["/item_details", "/times/decided_at"].contains(&path)
}

fn compare(of: (EventType, u16), validator: &jsonschema::Validator, data: &Value, what: &str) {
    let by_schema = validator.is_valid(data);
    let (event_type, version) = of;
    match validate_draft(event_type.as_str(), version, data) {
        Ok(_) => assert!(by_schema, "{what}: only the schema refuses"),
        Err(error) if is_beyond_schemas(error.code(), &error.path) => {}
        Err(error) => assert!(!by_schema, "{what}: only the code refuses: {error}"),
    }
}

#[test]
fn code_and_schema_agree() {
    for Example { name, event_type, version, data } in examples::all() {
        let validator = validator(event_type, version, Shape::Draft);
        let of = (event_type, version);
        let mut places = Vec::new();
        pointers(&data, "", &mut places);
        for place in &places {
            if !place.is_empty() {
                let mut changed = data.clone();
                change(&mut changed, place, None);
                compare(of, &validator, &changed, &format!("{name} without {place}"));
            }
            for replacement in replacements() {
                let mut changed = data.clone();
                let what = format!("{name} with {replacement} at {place}");
                change(&mut changed, place, Some(replacement));
                compare(of, &validator, &changed, &what);
            }
        }
    }
}
