use std::time::Duration;

use gt_core::agency::AgencyCode;
use gt_core::hash::Hash;
use gt_core::statement::PublisherId;
use serde::Deserialize;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use super::{Answer, CALL_TIMEOUT, ClientError, Head, LedgerDescription, answer_of, is_loopback};
use crate::outbox::{Pin, Problem};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer about one thing, in bytes.
const MAX_DESCRIPTION_BYTES: u64 = 64 * 1024;
/// The longest answer to a batch of statements, in bytes.
const MAX_ANSWERS_BYTES: u64 = 16 << 20;
/// The longest wait that a ledger's `Retry-After` can impose.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(2);

/// A ledger over HTTP.
#[derive(Debug, Clone)]
pub(super) struct HttpLedger {
    base: String,
    agent: Agent,
}

impl HttpLedger {
    /// The ledger at this address. Proxies from the environment are used, but not for the loopback address.
    pub(super) fn new(url: &str) -> Result<Self, ClientError> {
        let base = url.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| ClientError::Url)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(ClientError::Url)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.query().is_some() {
            return Err(ClientError::Url);
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(CALL_TIMEOUT));
        if is_loopback(host) {
            config = config.proxy(None);
        } else if uri.scheme_str() == Some("http") {
            tracing::warn!(
                "statements travel to the ledger unencrypted; use https outside a private network"
            );
        }
        Ok(Self { base: base.to_owned(), agent: config.build().into() })
    }

    /// What the ledger says of itself.
    pub(super) fn describe(&self) -> Result<LedgerDescription, ClientError> {
        #[derive(Deserialize)]
        struct Size {
            size: u64,
        }
        let bytes = self.get("/v1/ledger")?;
        let malformed = || ClientError::Malformed { expected: "description of a ledger" };
        let pin = Pin::parse(&bytes).map_err(|_| malformed())?;
        let Size { size } = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        Ok(LedgerDescription { pin, size })
    }

    /// The agency that the registry has for a publisher.
    pub(super) fn agency(&self, publisher: &PublisherId) -> Result<AgencyCode, ClientError> {
        #[derive(Deserialize)]
        struct Description {
            agency: String,
        }
        let bytes = self.get(&format!("/v1/publishers/{publisher}"))?;
        let read: Result<Description, _> = serde_json::from_slice(&bytes);
        read.ok()
            .and_then(|description| AgencyCode::parse(&description.agency).ok())
            .ok_or(ClientError::Malformed { expected: "description of a publisher" })
    }

    /// Where the publisher's chain ends in the ledger.
    pub(super) fn head(&self, publisher: &PublisherId) -> Result<Head, ClientError> {
        #[derive(Deserialize)]
        struct Text {
            next_seq: u64,
            head: String,
        }
        let bytes = self.get(&format!("/v1/publishers/{publisher}/head"))?;
        let malformed = || ClientError::Malformed { expected: "head of a publisher's chain" };
        let text: Text = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        Ok(Head { next_seq: text.next_seq, head: Hash::parse(&text.head).map_err(|_| malformed())? })
    }

    /// Sends statements, which must be compact SD-JWTs, in order. There are as many answers as statements.
    pub(super) fn submit<S: AsRef<str>>(&self, statements: &[S]) -> Result<Vec<Answer>, ClientError> {
        let mut body = String::new();
        for statement in statements {
            // A compact SD-JWT has no character that JSON escapes.
            body.extend(["\"", statement.as_ref(), "\"\n"]);
        }
        let request = self.agent.post(format!("{}/v1/statements", self.base));
        let response = request.header("content-type", "application/x-ndjson").send(&body)?;
        read_answers(&read(response, MAX_ANSWERS_BYTES)?, statements.len())
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        read(self.agent.get(format!("{}{path}", self.base)).call()?, MAX_DESCRIPTION_BYTES)
    }
}

fn read(mut response: Response<Body>, limit: u64) -> Result<Vec<u8>, ClientError> {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header("retry-after")
        .and_then(|seconds| seconds.parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    let is_problem = header("content-type").is_some_and(|kind| kind.starts_with("application/problem+json"));
    if (200..300).contains(&status) {
        return Ok(response.body_mut().with_config().limit(limit).read_to_vec()?);
    }
    let body = response.body_mut().with_config().limit(MAX_DESCRIPTION_BYTES).read_to_vec()?;
    match serde_json::from_slice(&body).ok().and_then(Problem::from_json).filter(|_| is_problem) {
        Some(problem) => Err(ClientError::Problem { status, problem, retry_after }),
        None => Err(ClientError::Status { status, retry_after }),
    }
}

/// Reads a batch's answers. A connection that broke may leave fewer lines than statements: the rest is unanswered.
fn read_answers(body: &[u8], count: usize) -> Result<Vec<Answer>, ClientError> {
    let text = str::from_utf8(body).map_err(|_| ClientError::Malformed { expected: "text" })?;
    let mut answers = Vec::with_capacity(count);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let answer = serde_json::from_str(line).ok().and_then(|answer| read_answer(&answer));
        answers.push(answer.ok_or(ClientError::Malformed { expected: "list of answers, one a line" })?);
    }
    if answers.len() > count {
        return Err(ClientError::Malformed { expected: "list with one answer a statement" });
    }
    answers.resize(count, Answer::Unanswered(None));
    Ok(answers)
}

fn read_answer(line: &serde_json::Value) -> Option<Answer> {
    let status = line.get("status")?.as_u64()?;
    if matches!(status, 200 | 201) {
        return Some(Answer::Sealed { receipt: line.get("receipt")?.as_str()?.to_owned() });
    }
    answer_of(u16::try_from(status).ok()?, Problem::from_json(line.get("problem")?.clone())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_definite_answers_are_definite() {
        let refused =
            r#"{"status":422,"problem":{"type":"urn:goldenthread:problem:bad_value","code":"bad_value"}}"#;
        let busy = r#"{"status":503,"problem":{"type":"urn:goldenthread:problem:busy","code":"busy"}}"#;
        let sealed = r#"{"status":201,"index":7,"statement":"x","receipt":"text"}"#;
        let answers = read_answers([sealed, refused, busy].join("\n").as_bytes(), 4).unwrap();
        assert_eq!(answers[0], Answer::Sealed { receipt: "text".into() });
        assert!(matches!(&answers[1], Answer::Refused(problem) if problem.code() == "bad_value"));
        assert!(matches!(&answers[2], Answer::Unanswered(Some(problem)) if problem.code() == "busy"));
        assert_eq!(answers[3], Answer::Unanswered(None), "no line, no answer");
        for malformed in [r#"{"status":422}"#, r#"{"status":302,"problem":{}}"#, "{", r#"{"status":201}"#] {
            assert!(read_answers(malformed.as_bytes(), 1).is_err(), "{malformed}");
        }
        assert!(
            read_answers([sealed, sealed].join("\n").as_bytes(), 1).is_err(),
            "more answers than statements"
        );
    }

    #[test]
    fn addresses_are_http_with_a_host() {
        for good in ["http://127.0.0.1:8080", "https://ledger.example/", "http://[::1]:1/base"] {
            assert!(HttpLedger::new(good).is_ok(), "{good}");
        }
        for bad in ["", "ledger", "nats://ledger", "http://", "ftp://x", "http://x/?a=b", "/v1"] {
            assert!(matches!(HttpLedger::new(bad), Err(ClientError::Url)), "{bad}");
        }
    }
}
