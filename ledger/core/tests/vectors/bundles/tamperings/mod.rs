//! The cases: what is done, and what must be found. What is found is written down here by hand and not taken from the verifier.

mod checkpoint;
mod completeness;
mod form;
mod history;
mod manifest;
mod records;
mod registrar;

use gt_core::json::Value;
use serde_json::Value as Json;

use super::documents::Material;
use crate::document::object;

/// A case.
pub(crate) struct Case {
    name: String,
    rule: String,
    base: &'static str,
    patch: Vec<Value>,
    text_replace: Vec<Value>,
    given: Vec<(&'static str, &'static str)>,
    faults: Vec<Value>,
    unknowns: Vec<Value>,
}

pub(crate) fn cases(material: &Material) -> Vec<Case> {
    [
        form::cases(),
        checkpoint::cases(material),
        registrar::cases(material),
        records::cases(material),
        manifest::cases(material),
        completeness::cases(material),
        history::cases(material),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A case of this step whose bundle is checked against the usual pin.
fn case(name: impl Into<String>, step: u8, base: &'static str) -> Case {
    Case {
        name: name.into(),
        rule: format!("FORMATS 12, step {step}"),
        base,
        patch: Vec::new(),
        text_replace: Vec::new(),
        given: vec![("pin", "ledger")],
        faults: Vec::new(),
        unknowns: Vec::new(),
    }
}

/// A case of the bundle about a child, checked against the usual pin and the open log.
fn of_child(name: impl Into<String>, step: u8) -> Case {
    case(name, step, "child").given("log", "open")
}

impl Case {
    fn without(mut self, kind: &str) -> Self {
        self.given.retain(|(given, _)| *given != kind);
        self
    }

    fn given(self, kind: &'static str, name: &'static str) -> Self {
        let mut case = self.without(kind);
        case.given.push((kind, name));
        case
    }

    fn operation(mut self, op: &str, path: &str, more: Option<(&str, Value)>) -> Self {
        let members = [("op", Value::from(op)), ("path", Value::from(path))];
        self.patch.push(object(members.into_iter().chain(more)));
        self
    }

    fn replace(self, path: &str, value: impl Into<Json>) -> Self {
        self.operation("replace", path, Some(("value", crate::document::strict(&value.into()))))
    }

    fn add(self, path: &str, value: impl Into<Json>) -> Self {
        self.operation("add", path, Some(("value", crate::document::strict(&value.into()))))
    }

    fn remove(self, path: &str) -> Self {
        self.operation("remove", path, None)
    }

    fn copy(self, from: &str, path: &str) -> Self {
        self.operation("copy", path, Some(("from", Value::from(from))))
    }

    /// Moves a value to where another was taken out.
    fn shift(self, from: &str, path: &str) -> Self {
        self.operation("move", path, Some(("from", Value::from(from))))
    }

    fn in_text(mut self, find: &str, with: &str) -> Self {
        self.text_replace.push(object([("find", Value::from(find)), ("with", Value::from(with))]));
        self
    }

    fn fault(mut self, code: &str, place: &str) -> Self {
        self.faults.push(object([("code", Value::from(code)), ("place", Value::from(place))]));
        self
    }

    fn unknown(mut self, code: &str, place: &str) -> Self {
        self.unknowns.push(object([("code", Value::from(code)), ("place", Value::from(place))]));
        self
    }

    pub(crate) fn to_value(&self) -> Value {
        let verdict = match (self.faults.is_empty(), self.unknowns.is_empty()) {
            (false, _) => "not_sound",
            (true, false) => "could_not_tell",
            (true, true) => "sound",
        };
        let expected = object([
            ("verdict", Value::from(verdict)),
            ("faults", Value::Array(self.faults.clone())),
            ("unknowns", Value::Array(self.unknowns.clone())),
        ]);
        let change = if self.text_replace.is_empty() {
            ("patch", Value::Array(self.patch.clone()))
        } else {
            assert!(self.patch.is_empty(), "{}: one or the other", self.name);
            ("text_replace", Value::Array(self.text_replace.clone()))
        };
        let given = self.given.iter().map(|(kind, name)| (*kind, Value::from(*name)));
        let head = [
            ("name", Value::from(self.name.as_str())),
            ("rule", Value::from(self.rule.as_str())),
            ("base", Value::from(self.base)),
            change,
        ];
        object(head.into_iter().chain(given).chain([("expected", expected)]))
    }
}
