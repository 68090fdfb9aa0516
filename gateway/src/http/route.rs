//! One route, described once: the router is built of it, and so is the `OpenAPI` document.

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use serde_json::{Value, json};

use super::App;

/// A route: what answers it, and what is said about it.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    /// What there is to say besides; may be empty.
    pub(super) description: &'static str,
    /// Whether it is answered only to those who have a token.
    pub(super) access: Access,
    pub(super) parameters: Vec<Parameter>,
    /// The media types of the body, each with its schema; none where there is no body.
    pub(super) body: Vec<(&'static str, Value)>,
    pub(super) answers: Vec<Answered>,
    /// The problems that it may answer, by status and code, besides those that every route may answer.
    pub(super) problems: Vec<(u16, &'static str)>,
    pub(super) handler: MethodRouter<App>,
}

/// Who is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// Everybody, and those with a token are told more.
    MoreWithToken,
    /// Those with a token.
    Token,
}

/// A parameter in the path, the query or a header.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) required: bool,
    pub(super) about: &'static str,
    pub(super) schema: Value,
}

/// An answer that is no problem.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) media_type: &'static str,
    pub(super) schema: Value,
}

impl Route {
    /// `GET path`.
    pub(super) fn get<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("get", path, get(handler))
    }

    /// `POST path`.
    pub(super) fn post<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("post", path, post(handler))
    }

    fn new(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Self {
        Self {
            method,
            path,
            tag: "ledger",
            summary: "",
            description: "",
            access: Access::Open,
            parameters: Vec::new(),
            body: Vec::new(),
            answers: Vec::new(),
            problems: Vec::new(),
            handler,
        }
    }

    /// The group in which it is listed, and what it does in a few words.
    pub(super) fn about(mut self, tag: &'static str, summary: &'static str) -> Self {
        (self.tag, self.summary) = (tag, summary);
        self
    }

    pub(super) fn described(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Answered only to those who have a token.
    pub(super) fn token(mut self) -> Self {
        self.access = Access::Token;
        self
    }

    /// Those who have a token are told more.
    pub(super) fn more_with_token(mut self) -> Self {
        self.access = Access::MoreWithToken;
        self
    }

    /// A part of the path.
    pub(super) fn path(self, name: &'static str, schema: Value, about: &'static str) -> Self {
        self.parameter(Parameter { name, place: "path", required: true, about, schema })
    }

    /// A parameter that may be left out.
    pub(super) fn query(self, name: &'static str, schema: Value, about: &'static str) -> Self {
        self.parameter(Parameter { name, place: "query", required: false, about, schema })
    }

    pub(super) fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The parameters that every list takes.
    pub(super) fn list(self) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": gt_projections::MAX_LIMIT});
        self.query("limit", limit, "The most items on a page; 100 if nothing is said.")
            .query("cursor", text(), "`next` of the page before.")
            .query("newest_first", json!({"type": "boolean"}), "From the other end of the list.")
            .as_of()
    }

    /// The parameter that asks about an earlier state of the ledger.
    pub(super) fn as_of(self) -> Self {
        self.query(
            "as_of",
            time(),
            "Answer as the ledger stood then: only what was received by that time counts.",
        )
    }

    /// A body of this media type; called again it adds another one.
    pub(super) fn body(mut self, media_type: &'static str, schema: Value) -> Self {
        self.body.push((media_type, schema));
        self
    }

    /// The largest body, in bytes.
    pub(super) fn at_most(mut self, bytes: usize) -> Self {
        self.handler = self.handler.layer(DefaultBodyLimit::max(bytes));
        self
    }

    /// Answers 200 with JSON of this schema.
    pub(super) fn json(self, about: &'static str, schema: Value) -> Self {
        self.answers(200, about, "application/json", schema)
    }

    pub(super) fn answers(
        mut self,
        status: u16,
        about: &'static str,
        media_type: &'static str,
        schema: Value,
    ) -> Self {
        self.answers.push(Answered { status, about, media_type, schema });
        self
    }

    /// A problem that it may answer.
    pub(super) fn problem(mut self, status: u16, code: &'static str) -> Self {
        self.problems.push((status, code));
        self
    }
}

/// A component of the document.
pub(super) fn component(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A page of a list of this component.
pub(super) fn list_of(name: &str) -> Value {
    json!({
        "type": "object",
        "required": ["as_of", "received_until", "items", "next"],
        "properties": {
            "as_of": component("AsOf"),
            "received_until": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "If the answer is about an earlier state of the ledger: only what was received by then counts.",
            },
            "items": {"type": "array", "items": component(name)},
            "next": {
                "type": ["string", "null"],
                "description": "The cursor of the next page; null at the end of the list.",
            },
        },
    })
}

/// Any text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A time.
pub(super) fn time() -> Value {
    json!({"type": "string", "format": "date-time", "description": "RFC 3339 in UTC, with `T` and `Z`."})
}

/// An entry's index, or a number of entries.
pub(super) fn number() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// An agency's code.
pub(super) fn agency() -> Value {
    json!({"type": "string", "examples": ["gss:E06000999", "police:32"], "description": "An agency's code."})
}

/// An opaque reference.
pub(super) fn reference() -> Value {
    json!({
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]{22}$",
        "description": "An opaque reference, as answers have it and `POST /v1/subjects` gives it.",
    })
}

/// A SHA-256 hash, or what is as long.
pub(super) fn hash() -> Value {
    json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$", "description": "32 bytes in base64url."})
}

/// One of these codes.
pub(super) fn codes<'c>(codes: impl IntoIterator<Item = &'c str>) -> Value {
    json!({"type": "string", "enum": codes.into_iter().collect::<Vec<_>>()})
}
