//! The examples: drafts that are accepted, and changes to them that are refused, by the code and by the schemas.

use std::fs;
use std::path::Path;

use gt_schemas::{EventType, Shape, json_schema, validate_draft};
use jsonschema::Validator;
use serde_json::Value;

pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) event_type: EventType,
    pub(crate) data: Value,
}

/// Every accepted draft in `schemas/examples/`.
pub(crate) fn all() -> Vec<Example> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().unwrap().strip_suffix(".json").map(str::to_owned)
        })
        .filter(|name| name != "refused")
        .collect();
    names.sort();
    names.into_iter().map(|name| Example { event_type: type_of(&name), data: read(&name), name }).collect()
}

pub(crate) fn validator(event_type: EventType, shape: Shape) -> Validator {
    jsonschema::validator_for(&json_schema(event_type, shape)).unwrap()
}

/// Sets or (with `None`) removes what a JSON pointer names.
pub(crate) fn change(data: &mut Value, pointer: &str, to: Option<Value>) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        *data = to.expect("the whole cannot be removed");
        return;
    };
    match (data.pointer_mut(parent).expect("the parent exists"), to) {
        (Value::Object(members), Some(value)) => drop(members.insert(name.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(name).expect("the member exists")),
        (Value::Array(elements), Some(value)) => elements[name.parse::<usize>().unwrap()] = value,
        (Value::Array(elements), None) => drop(elements.remove(name.parse().unwrap())),
        _ => panic!("{parent} is neither object nor list"),
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(format!("{name}.json"))).unwrap()).unwrap()
}

/// `decision.recorded.share` is an example of `decision.recorded`.
fn type_of(name: &str) -> EventType {
    let name: Vec<&str> = name.split('.').take(2).collect();
    EventType::parse(&name.join(".")).unwrap()
}

#[test]
fn every_type_has_an_example() {
    for event_type in EventType::ALL {
        assert!(all().iter().any(|example| example.event_type == *event_type), "{event_type}");
    }
}

#[test]
fn examples_are_accepted_and_survive() {
    for Example { name, event_type, data } in all() {
        let event = validate_draft(event_type.as_str(), event_type.version(), &data)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(event.event_type(), event_type);
        assert_eq!(event.to_draft(), data, "{name}");
        let errors: Vec<_> = validator(event_type, Shape::Draft)
            .iter_errors(&data)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn refused_examples_are_refused_for_their_reason() {
    for refused in read("refused").as_array().unwrap() {
        let says = refused["says"].as_str().unwrap();
        let base = refused["base"].as_str().unwrap();
        let mut data = read(base);
        for pointer in refused["remove"].as_array().into_iter().flatten() {
            change(&mut data, pointer.as_str().unwrap(), None);
        }
        for (pointer, value) in refused["set"].as_object().into_iter().flatten() {
            change(&mut data, pointer, Some(value.clone()));
        }
        let event_type = type_of(base);
        let error = validate_draft(event_type.as_str(), event_type.version(), &data).expect_err(says);
        assert_eq!(
            (error.code(), error.path.as_str()),
            (text(&refused["code"]), text(&refused["path"])),
            "{says}"
        );
        let accepted = validator(event_type, Shape::Draft).is_valid(&data);
        assert_eq!(accepted, refused["schema_cannot_say"] == true, "{says}");
    }
}

#[test]
fn types_and_versions_are_closed() {
    let example = &all()[0];
    let code =
        |event_type: &str, version| validate_draft(event_type, version, &example.data).unwrap_err().code();
    assert_eq!(code("decision.imagined", 1), "unknown_type");
    assert_eq!(code("ledger.created", 1), "unknown_type");
    assert_eq!(code(example.event_type.as_str(), 0), "unknown_version");
    assert_eq!(code(example.event_type.as_str(), 2), "unknown_version");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
