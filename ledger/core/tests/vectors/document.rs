//! How a vector file is written and read.
//!
//! Files are written from the crate's own JSON values, whose members keep their order, and read back with `serde_json`, so
//! that what runs is what another implementation would read.

use std::fmt::Write as _;
use std::path::PathBuf;

use gt_core::json::{Object, Value};
use serde_json::Value as Json;

/// What the crate makes of a case. It is given the whole document, for what all cases share, and the case.
pub(crate) type Outcome = fn(&Json, &Json) -> Value;

/// A case before its expected outcome is written down.
#[derive(Clone)]
pub(crate) struct NewCase {
    name: String,
    rule: String,
    inputs: Vec<(String, Value)>,
    code: Option<&'static str>,
}

impl NewCase {
    /// A case that must be accepted.
    pub(crate) fn accepted(name: &str, rule: &str) -> Self {
        Self { name: name.to_owned(), rule: rule.to_owned(), inputs: Vec::new(), code: None }
    }

    /// A case that must be refused with this code.
    pub(crate) fn refused(name: &str, rule: &str, code: &'static str) -> Self {
        Self { code: Some(code), ..Self::accepted(name, rule) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.inputs.push((name.to_owned(), value.into()));
        self
    }
}

pub(crate) fn object<N: Into<String>>(members: impl IntoIterator<Item = (N, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

pub(crate) fn integer(number: u64) -> Value {
    Value::Integer(i64::try_from(number).expect("vectors use small numbers"))
}

pub(crate) fn accepted<'a>(facts: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    object([("accepted", Value::Bool(true))].into_iter().chain(facts))
}

pub(crate) fn refused(code: &str) -> Value {
    object([("accepted", Value::Bool(false)), ("code", Value::from(code))])
}

/// Writes a document. What a case to be refused expects is written as its author says; what a case to be accepted
/// yields is what the crate makes of it.
pub(crate) fn document(
    about: &str,
    shared: Vec<(&str, Value)>,
    cases: Vec<NewCase>,
    outcome: Outcome,
) -> Value {
    let mut document: Object = [("about".to_owned(), Value::from(about))].into_iter().collect();
    for (name, value) in shared {
        document.insert(name, value);
    }
    let context = read(&Value::Object(document.clone()).to_text());
    let written = cases.into_iter().map(|case| {
        let mut members: Object = [
            ("name".to_owned(), Value::from(case.name.as_str())),
            ("rule".to_owned(), Value::from(case.rule)),
        ]
        .into_iter()
        .collect();
        for (name, value) in case.inputs {
            members.insert(name, value);
        }
        let expected = case
            .code
            .map_or_else(|| outcome(&context, &read(&Value::Object(members.clone()).to_text())), refused);
        let accepts = expected.as_object().and_then(|e| e.get("accepted")).and_then(Value::as_bool);
        assert_eq!(accepts, Some(case.code.is_none()), "{}: {expected:?}", case.name);
        members.insert("expected", expected);
        Value::Object(members)
    });
    let cases = written.collect();
    document.insert("cases", Value::Array(cases));
    Value::Object(document)
}

/// The text of a vector file: one member or element a line.
pub(crate) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write_pretty(value, 0, &mut out);
    out.push('\n');
    out
}

fn write_pretty(value: &Value, depth: usize, out: &mut String) {
    let indent = |out: &mut String, depth: usize| write!(out, "\n{}", "  ".repeat(depth)).expect("a String");
    match value {
        Value::Array(elements) if !elements.is_empty() => {
            out.push('[');
            for (position, element) in elements.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                indent(out, depth + 1);
                write_pretty(element, depth + 1, out);
            }
            indent(out, depth);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (position, (name, value)) in members.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                indent(out, depth + 1);
                write!(out, "{}: ", Value::from(name).to_text()).expect("a String");
                write_pretty(value, depth + 1, out);
            }
            indent(out, depth);
            out.push('}');
        }
        plain => out.push_str(&plain.to_text()),
    }
}

/// The folder of the vectors, at the workspace's root.
pub(crate) fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "vectors"].iter().collect()
}

pub(crate) fn read(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

pub(crate) fn text<'a>(case: &'a Json, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} of {} is no text", case["name"]))
}

pub(crate) fn number(case: &Json, name: &str) -> u64 {
    case[name].as_u64().unwrap_or_else(|| panic!("{name} is no number: {case}"))
}

pub(crate) fn list<'a>(case: &'a Json, name: &str) -> &'a [Json] {
    case[name].as_array().unwrap_or_else(|| panic!("{name} is no list: {case}"))
}

/// The bytes of an input: text as it stands, or base64url where it cannot stand in JSON.
pub(crate) fn bytes(case: &Json, name: &str) -> Vec<u8> {
    match case.get(name) {
        Some(value) => value.as_str().expect("a text").as_bytes().to_vec(),
        None => gt_core::base64url::decode(text(case, &format!("{name}_base64url"))).expect("base64url"),
    }
}

/// The crate's own reading of a value of the file, for functions that take one.
pub(crate) fn strict(value: &Json) -> Value {
    Value::parse(value.to_string().as_bytes()).expect("vector files are strict JSON")
}
