//! Problem details (RFC 9457): what the gateway says when it cannot do what it was asked. A `type` is stable; a value that came in is never repeated.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gt_ledger::refusal::Refusal;
use serde_json::{Map, Value, json};

/// What stands before a problem's code in its `type`.
pub const TYPE_PREFIX: &str = "urn:goldenthread:problem:";

/// A problem, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    facts: Map<String, Value>,
}

impl Problem {
    /// A problem with its status, its stable code, and a sentence for a person.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code: Cow::Borrowed(code), detail: detail.into(), facts: Map::new() }
    }

    /// Reads a problem that another node has written. `None` if it is none.
    pub fn from_json(mut members: Map<String, Value>) -> Option<Self> {
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (code, detail) = (text("code")?, text("detail")?);
        for said_again in ["type", "title"] {
            text(said_again)?;
        }
        let status = u16::try_from(members.remove("status")?.as_u64()?).ok()?;
        let status = StatusCode::from_u16(status).ok()?;
        Some(Self { status, code: Cow::Owned(code), detail, facts: members })
    }

    /// Adds a fact, such as the head that the ledger has.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Something that is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// A request that does not read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Something went wrong here; what, is in the log and not in the answer.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the ledger could not do this; its log says why",
        )
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// A fact that was added.
    pub fn fact(&self, name: &str) -> Option<&Value> {
        self.facts.get(name)
    }

    /// The sentence for a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem as JSON.
    pub fn to_json(&self) -> Value {
        let mut members = self.facts.clone();
        members.insert("type".into(), json!(format!("{TYPE_PREFIX}{}", self.code)));
        members.insert("title".into(), json!(self.code.replace('_', " ")));
        members.insert("status".into(), json!(self.status.as_u16()));
        members.insert("detail".into(), json!(self.detail));
        members.insert("code".into(), json!(self.code));
        Value::Object(members)
    }
}

/// An error with all its sources, for the log and for people. What a message repeats of its source is said once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let status = match refusal {
            Refusal::Statement(error) => match error.code() {
                "too_long" => StatusCode::PAYLOAD_TOO_LARGE,
                "bad_signature" | "wrong_key" => StatusCode::FORBIDDEN,
                _ => StatusCode::BAD_REQUEST,
            },
            Refusal::Schema(_)
            | Refusal::Configuration(_)
            | Refusal::Registry(_)
            | Refusal::WrongAudience { .. }
            | Refusal::FromTheFuture { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Signer(_) | Refusal::NotRegistrar => StatusCode::FORBIDDEN,
            Refusal::ChainFork(_) | Refusal::ChainGap(_) | Refusal::ChainPrev(_) => StatusCode::CONFLICT,
            // Whatever else there may be, the same statement may be sent again.
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let problem = Self::new(status, refusal.code(), refusal.to_string());
        match refusal.chain_head() {
            Some(head) => problem.with("next_seq", head.next_seq).with("head", head.head.to_string()),
            None => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS
            && let Some(seconds) = self.facts.get("retry_after").and_then(Value::as_u64)
        {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
