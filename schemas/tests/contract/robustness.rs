//! Any JSON is read or refused, never a panic; and a refusal repeats nothing of what it refuses.

use gt_json::Document;
use gt_schemas::{EventType, SignedData, read_opened, validate_draft, validate_opened};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

use crate::examples::{self, Example, change};
use crate::opened::Signed;

/// Names and codes that the schemas know, so that random values get past the first check.
fn word() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] =
        &["child", "kind", "code", "items", "times", "occurred_at", "ea", "Article6", "kept", "ref", "role"];
    prop_oneof![select(KNOWN).prop_map(str::to_owned), ".{0,8}"]
}

fn json() -> impl Strategy<Value = Value> {
    json_of(prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ])
}

fn json_of(leaf: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(word(), inner, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// As signed statements have it.
fn strict_json() -> impl Strategy<Value = Value> {
    let is_strict = |value: &Value| Document::parse(value.to_string().into_bytes()).is_ok();
    let integers = -(1_i64 << 53) + 1..1 << 53;
    json_of(prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        integers.prop_map(Value::from),
        word().prop_map(Value::from),
    ])
    .prop_filter("a text with U+0000", is_strict)
}

/// A type and one of the versions that are read.
fn type_and_version() -> impl Strategy<Value = (EventType, u16)> {
    select(EventType::ALL).prop_flat_map(|event_type| (Just(event_type), select(event_type.versions())))
}

/// An example and the name of one of its members.
fn example_and_member() -> impl Strategy<Value = (Example, String)> {
    select(examples::all()).prop_flat_map(|example| {
        let names: Vec<String> = example.data.as_object().unwrap().keys().cloned().collect();
        (Just(example), select(names))
    })
}

/// An example and where one of its values stands, at any depth.
fn example_and_pointer() -> impl Strategy<Value = (Example, String)> {
    fn all(value: &Value, at: &str, found: &mut Vec<String>) {
        let mut within = |name: &str, value| {
            let pointer = format!("{at}/{name}");
            all(value, &pointer, found);
            found.push(pointer);
        };
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| within(name, value)),
            Value::Array(elements) => {
                elements.iter().enumerate().for_each(|(n, value)| within(&n.to_string(), value));
            }
            _ => {}
        }
    }
    select(examples::all()).prop_flat_map(|example| {
        let mut pointers = Vec::new();
        all(&example.data, "", &mut pointers);
        (Just(example), select(pointers))
    })
}

proptest! {
    #[test]
    fn any_draft_is_read_or_refused((event_type, version) in type_and_version(), data in json()) {
        let _ = validate_draft(event_type.as_str(), version, &data);
    }

    #[test]
    fn any_signed_data_is_read_or_refused(
        (event_type, version) in type_and_version(),
        clear in btree_map(word(), json(), 0..6),
        disclosed in btree_map(word(), vec(json(), 0..3), 0..6),
        kept in vec(word(), 0..3),
    ) {
        let clear: Map<String, Value> = clear.into_iter().collect();
        let data = SignedData::of_values(&clear, &disclosed);
        let _ = validate_opened(event_type.as_str(), version, &data, &kept);
        let _ = read_opened(event_type.as_str(), version, &data);
    }

    /// An example of which one value is another one, or another example's: nearer to what is accepted than any data.
    #[test]
    fn values_and_strict_documents_are_read_alike(
        (mut example, pointer) in example_and_pointer(),
        (another, there) in example_and_pointer(),
        value in option::of(strict_json()),
    ) {
        let value = value.or_else(|| another.data.pointer(&there).cloned());
        change(&mut example.data, &pointer, value);
        let signed = Signed::of(&example);
        let _ = (signed.validate(), signed.read());
    }

    /// What is accepted comes out as it went in, except that `kept` of nothing is left out, and times are written with
    /// no decimals or with three.
    #[test]
    fn accepted_drafts_survive((example, member) in example_and_member(), value in json()) {
        let Example { event_type, version, mut data, .. } = example;
        change(&mut data, &format!("/{member}"), Some(value));
        let event = validate_draft(event_type.as_str(), version, &data);
        if let (Ok(event), true) = (event, version == event_type.version()) {
            if data["kept"] == serde_json::json!([]) {
                change(&mut data, "/kept", None);
            }
            prop_assert_eq!(event.to_draft(), data);
        }
    }

    #[test]
    fn a_refusal_repeats_no_value((example, member) in example_and_member(), name in "[A-Z][a-z]{3}") {
        let Example { event_type, version, mut data, .. } = example;
        let secret = format!("{name} Secret {name}");
        change(&mut data, &format!("/{member}"), Some(serde_json::json!({ &secret: &secret, "role": &secret })));
        let error = validate_draft(event_type.as_str(), version, &data).unwrap_err();
        let said = format!("{error} {error:?}");
        prop_assert!(!said.contains(&secret));
    }
}
