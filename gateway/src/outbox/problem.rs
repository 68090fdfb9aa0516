use std::fmt;

use serde_json::{Map, Value, json};

/// The prefix of every problem's `type`.
const TYPE_PREFIX: &str = "urn:goldenthread:problem:";

/// A problem document (RFC 9457) with the ledger's `code` and whatever facts belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Map<String, Value>);

impl Problem {
    /// A problem of this program's own. `detail` must not repeat values of a draft.
    pub fn new(status: u16, code: &str, title: &str, detail: &str) -> Self {
        let members = json!({
            "type": format!("{TYPE_PREFIX}{code}"), "title": title, "status": status, "detail": detail, "code": code,
        });
        let Value::Object(members) = members else { unreachable!("it is an object") };
        Self(members)
    }

    /// Takes a problem document, which must be of the ledger's types. Without a `code` its type tells.
    pub fn from_json(value: Value) -> Option<Self> {
        let Value::Object(mut members) = value else { return None };
        let code = members.get("type")?.as_str()?.strip_prefix(TYPE_PREFIX)?.to_owned();
        members.insert("code".to_owned(), Value::String(code));
        Some(Self(members))
    }

    /// The same problem with one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), fact.into());
        self
    }

    /// Its stable code.
    pub fn code(&self) -> &str {
        self.text("code")
    }

    /// Its HTTP status, if it names one.
    pub fn status(&self) -> Option<u16> {
        self.0.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok())
    }

    /// One of its facts.
    pub fn fact(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The document.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text("detail") {
            "" => write!(f, "{} ({})", self.text("title"), self.code()),
            detail => write!(f, "{detail} ({})", self.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_round_trips_and_others_are_none() {
        let problem = Problem::new(409, "chain_gap", "Gap", "statements are missing").with("next_seq", 4);
        assert_eq!(Problem::from_json(problem.to_json()), Some(problem.clone()));
        assert_eq!((problem.code(), problem.status()), ("chain_gap", Some(409)));
        assert_eq!(problem.fact("next_seq"), Some(&json!(4)));
        assert_eq!(problem.to_string(), "statements are missing (chain_gap)");
        for other in [json!({"type": "about:blank"}), json!([]), json!({"code": "x"})] {
            assert_eq!(Problem::from_json(other), None);
        }
    }
}
