//! The JSON Schemas in the repository are the ones that the code writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gt_schemas::{Configuration, EventType, Place, Shape, json_schema_at, members_at, subject_erased_schema};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("json")
}

fn file_name(event_type: EventType, version: u16, shape: Shape) -> String {
    format!("{event_type}.v{version}.{}.schema.json", shape.as_str())
}

fn every_schema() -> impl Iterator<Item = (EventType, u16, Shape)> {
    let shapes = |event_type, version| Shape::ALL.iter().map(move |shape| (event_type, version, *shape));
    let versions = move |event_type: &EventType| {
        let event_type = *event_type;
        event_type.versions().iter().flat_map(move |version| shapes(event_type, *version))
    };
    EventType::ALL.iter().flat_map(versions)
}

/// Every file of the folder, its schema, and whether it is the current version's: those of older versions are only
/// compared, never written again, for statements were signed against them.
fn every_golden() -> impl Iterator<Item = (String, Value, bool)> {
    let configured = format!("{}.v{}.schema.json", Configuration::TYPE, Configuration::VERSION);
    let events = every_schema().map(|(event_type, version, shape)| {
        let schema = json_schema_at(event_type, version, shape).unwrap();
        (file_name(event_type, version, shape), schema, version == event_type.version())
    });
    let of_the_ledger = [
        (configured, Configuration::json_schema(), true),
        ("subject.erased.v1.schema.json".to_owned(), subject_erased_schema(), true),
    ];
    events.chain(of_the_ledger)
}

#[test]
fn goldens_are_current() {
    let bless = std::env::var_os("GT_BLESS").is_some();
    for (name, schema, current) in every_golden() {
        let path = folder().join(name);
        if bless && current {
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
    let known: BTreeSet<_> = every_golden().map(|(name, ..)| name).collect();
    let there = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), known);
}

#[test]
fn schemas_are_sound_and_annotated() {
    for (event_type, version, shape) in every_schema() {
        let schema = json_schema_at(event_type, version, shape).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        for member in members_at(event_type, version).unwrap() {
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
    let every = every_schema().flat_map(|(event_type, version, _)| members_at(event_type, version).unwrap());
    for member in every {
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
    for (event_type, version, _) in every_schema().filter(|(_, _, shape)| *shape == Shape::Signed) {
        let schema = json_schema_at(event_type, version, Shape::Signed).unwrap();
        let mut codes = Vec::new();
        enumerated(&schema["$defs"], &mut codes);
        assert!(codes.len() > 1, "{event_type}");
        for code in codes {
            let sound = code.len() <= 64
                && code.starts_with(|first: char| first.is_ascii_alphabetic())
                && code.bytes().all(|b| b.is_ascii_alphanumeric());
            assert!(sound, "{event_type} {code}");
        }
        for member in members_at(event_type, version).unwrap() {
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
