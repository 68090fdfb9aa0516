//! What is done to a base bundle: RFC 6902's operations on its JSON, or replacements in its text.

use serde_json::Value as Json;

use crate::document::text;

/// Applies the operations in order.
pub(crate) fn apply(document: &mut Json, operations: &[Json]) {
    for operation in operations {
        let path = text(operation, "path");
        match text(operation, "op") {
            "replace" => {
                let target = document.pointer_mut(path).unwrap_or_else(|| panic!("nothing at {path}"));
                *target = operation["value"].clone();
            }
            "add" => add(document, path, operation["value"].clone()),
            "remove" => drop(remove(document, path)),
            "copy" => {
                let from = text(operation, "from");
                let value = document.pointer(from).unwrap_or_else(|| panic!("nothing at {from}")).clone();
                add(document, path, value);
            }
            "move" => {
                let value = remove(document, text(operation, "from"));
                add(document, path, value);
            }
            other => panic!("no operation {other}"),
        }
    }
}

fn split<'a>(document: &'a mut Json, path: &'a str) -> (&'a mut Json, &'a str) {
    let (above, last) = path.rsplit_once('/').expect("not the whole document");
    (document.pointer_mut(above).unwrap_or_else(|| panic!("nothing at {above}")), last)
}

fn add(document: &mut Json, path: &str, value: Json) {
    match split(document, path) {
        (Json::Object(members), name) => drop(members.insert(name.to_owned(), value)),
        (Json::Array(elements), "-") => elements.push(value),
        (Json::Array(elements), position) => elements.insert(position.parse().expect("a position"), value),
        _ => panic!("{path} is in no object or list"),
    }
}

fn remove(document: &mut Json, path: &str) -> Json {
    match split(document, path) {
        (Json::Object(members), name) => members.remove(name).expect("a member"),
        (Json::Array(elements), position) => elements.remove(position.parse().expect("a position")),
        _ => panic!("{path} is in no object or list"),
    }
}
