//! The JSON Schemas in the repository are the ones that the code writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gt_schemas::{Configuration, EventType, Place, Shape, json_schema, members};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("json")
}

fn file_name(event_type: EventType, shape: Shape) -> String {
    format!("{event_type}.v{}.{}.schema.json", event_type.version(), shape.as_str())
}

fn every_schema() -> impl Iterator<Item = (EventType, Shape)> {
    EventType::ALL.iter().flat_map(|event_type| Shape::ALL.iter().map(|shape| (*event_type, *shape)))
}

/// Every file of the folder: the event types' schemas, and the configuration's.
fn every_golden() -> impl Iterator<Item = (String, Value)> {
    let configured = format!("{}.v{}.schema.json", Configuration::TYPE, Configuration::VERSION);
    let events = every_schema()
        .map(|(event_type, shape)| (file_name(event_type, shape), json_schema(event_type, shape)));
    events.chain([(configured, Configuration::json_schema())])
}

#[test]
fn goldens_are_current() {
    let bless = std::env::var_os("GT_BLESS").is_some();
    for (name, schema) in every_golden() {
        let path = folder().join(name);
        if bless {
            let text = serde_json::to_string_pretty(&sorted(&schema)).unwrap();
            fs::write(&path, text + "\n").unwrap();
        }
        let golden =
            fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        assert!(
            golden.as_ref() == Some(&schema),
            "{} is stale; renew it with: GT_BLESS=1 cargo test -p gt-schemas",
            path.display()
        );
    }
}

#[test]
fn no_golden_is_left_over() {
    let known: BTreeSet<_> = every_golden().map(|(name, _)| name).collect();
    let there = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), known);
}

#[test]
fn schemas_are_sound_and_annotated() {
    for (event_type, shape) in every_schema() {
        let schema = json_schema(event_type, shape);
        jsonschema::meta::validate(&schema).unwrap();
        for member in members(event_type) {
            let property = &schema["properties"][member.name];
            let place = if member.place == Place::Clear { "clear" } else { "disclosed" };
            assert_eq!(property["x-gt-place"], place, "{event_type} {}", member.name);
            assert_eq!(property["description"], member.description, "{event_type} {}", member.name);
            let value = &schema["$defs"][format!("disclosed_{}", member.name)];
            assert_eq!(value.is_object(), shape == Shape::Signed && member.place != Place::Clear);
        }
    }
}

/// FORMATS section 3: the names that no publisher may keep, and the lists that have more than one disclosure.
#[test]
fn members_keep_to_the_formats() {
    for member in EventType::ALL.iter().flat_map(|event_type| members(*event_type)) {
        if let Place::Disclosed { many, keepable, .. } = member.place {
            let names_an_owner = ["child", "others", "practitioner", "authoriser", "person", "identifiers"]
                .contains(&member.name);
            assert_eq!(keepable, !names_an_owner, "{}", member.name);
            assert_eq!(
                many,
                ["others", "recipient_names", "identifiers"].contains(&member.name),
                "{}",
                member.name
            );
        }
    }
}

/// FORMATS section 3: what may stand in the clear. Agency codes are no enumeration and have a test of their own.
#[test]
fn codes_and_names_keep_to_the_formats() {
    for event_type in EventType::ALL {
        let schema = json_schema(*event_type, Shape::Signed);
        let mut codes = Vec::new();
        enumerated(&schema["$defs"], &mut codes);
        assert!(codes.len() > 1, "{event_type}");
        for code in codes {
            let sound = code.len() <= 64
                && code.starts_with(|first: char| first.is_ascii_alphabetic())
                && code.bytes().all(|b| b.is_ascii_alphanumeric());
            assert!(sound, "{event_type} {code}");
        }
        for member in members(*event_type) {
            assert!(member.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", member.name);
        }
    }
}

/// Every text in an `enum`.
fn enumerated<'v>(schema: &'v Value, into: &mut Vec<&'v str>) {
    for (name, value) in schema.as_object().into_iter().flatten() {
        if name == "enum" {
            into.extend(value.as_array().unwrap().iter().map(|code| code.as_str().unwrap()));
        }
        enumerated(value, into);
    }
    schema.as_array().into_iter().flatten().for_each(|element| enumerated(element, into));
}

/// The same bytes whether or not some other crate turns `preserve_order` on.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort();
            names.into_iter().map(|name| (name.clone(), sorted(&members[name]))).collect()
        }
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
