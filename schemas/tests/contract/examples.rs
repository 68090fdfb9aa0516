//! The examples: drafts that are accepted, and changes to them that are refused, by the code and by the schemas.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gt_schemas::{EventType, Shape, json_schema_at, validate_draft};
use jsonschema::Validator;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) event_type: EventType,
    pub(crate) version: u16,
    pub(crate) data: Value,
}

impl Example {
    fn named(name: String) -> Self {
        let (event_type, version) = type_of(&name);
        Self { event_type, version, data: read(&name), name }
    }

    /// Whether it is of its type's current version, and so comes out as it went in.
    pub(crate) fn is_current(&self) -> bool {
        self.version == self.event_type.version()
    }
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
    names.into_iter().map(Example::named).collect()
}

pub(crate) fn validator(event_type: EventType, version: u16, shape: Shape) -> Validator {
    jsonschema::validator_for(&json_schema_at(event_type, version, shape).unwrap()).unwrap()
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

/// `decision.recorded.share` is an example of `decision.recorded`, `missing.ended.v1` one of that type's version 1.
fn type_of(name: &str) -> (EventType, u16) {
    let parts: Vec<&str> = name.split('.').collect();
    let event_type = EventType::parse(&parts[..2].join(".")).unwrap();
    let version = parts.last().and_then(|last| last.strip_prefix('v')?.parse().ok());
    (event_type, version.unwrap_or(event_type.version()))
}

#[test]
fn every_version_of_every_type_has_an_example() {
    let all = all();
    for event_type in EventType::ALL {
        for version in event_type.versions() {
            let of_it = |e: &&Example| e.event_type == *event_type && e.version == *version;
            assert!(all.iter().any(|example| of_it(&example)), "{event_type} v{version}");
        }
    }
}

#[test]
fn examples_are_accepted_and_survive() {
    for example in all() {
        let Example { name, event_type, version, data } = &example;
        let event = validate_draft(event_type.as_str(), *version, data)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(event.event_type(), *event_type);
        if example.is_current() {
            assert_eq!(event.to_draft(), *data, "{name}");
        }
        let errors: Vec<_> = validator(*event_type, *version, Shape::Draft)
            .iter_errors(data)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn every_version_of_every_type_has_a_refused_example() {
    let refused = read("refused");
    let of: BTreeSet<_> =
        refused.as_array().unwrap().iter().map(|refused| type_of(text(&refused["base"]))).collect();
    for event_type in EventType::ALL {
        for version in event_type.versions() {
            assert!(of.contains(&(*event_type, *version)), "{event_type} v{version}");
        }
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
        let (event_type, version) = type_of(base);
        let error = validate_draft(event_type.as_str(), version, &data).expect_err(says);
        assert_eq!(
            (error.code(), error.path.as_str()),
            (text(&refused["code"]), text(&refused["path"])),
            "{says}"
        );
        let accepted = validator(event_type, version, Shape::Draft).is_valid(&data);
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
    for event_type in EventType::ALL {
        let newest = event_type.versions().iter().max().unwrap();
        assert_eq!(*newest, event_type.version(), "{event_type}");
        assert_eq!(code(event_type.as_str(), newest + 1), "unknown_version", "{event_type}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
