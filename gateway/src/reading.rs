//! The ledger's views as an analyst asks them over HTTP, with a token.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use zeroize::Zeroizing;

use crate::client::is_loopback;

const TIMEOUT: Duration = Duration::from_mins(1);
const MAX_ANSWER: u64 = 64 << 20;

/// Asks a running ledger.
pub struct ReadingClient {
    base: String,
    agent: Agent,
    token: Option<Zeroizing<String>>,
}

/// Why an answer cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// No answer came.
    #[error("the ledger at {url} cannot be reached; is it served there?")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The ledger refused.
    #[error("the ledger refused: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem's sentence.
        detail: String,
    },
    /// The answer is no JSON.
    #[error("the answer is no JSON; is {url} a ledger's address?")]
    NotJson {
        /// The address.
        url: String,
    },
    /// The token file cannot be read.
    #[error("the token file cannot be read")]
    TokenFile(#[source] std::io::Error),
}

impl ReadingClient {
    /// A client of the ledger at this address. The token comes from a file or, failing that, from `GOLDENTHREAD_TOKEN`;
    /// never from an argument, which everybody on the machine could see.
    pub fn new(url: &str, token_file: Option<&Path>) -> Result<Self, ReadingError> {
        let client = Self::without_token(url);
        let token: Option<Zeroizing<String>> = match token_file {
            Some(file) => Some(std::fs::read_to_string(file).map_err(ReadingError::TokenFile)?),
            None => std::env::var("GOLDENTHREAD_TOKEN").ok(),
        }
        .map(Zeroizing::new);
        Ok(match token {
            Some(token) => client.with_token(token.trim()),
            None => client,
        })
    }

    /// A client that has no token, for what is open.
    pub(crate) fn without_token(url: &str) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT));
        let uri: Option<ureq::http::Uri> = url.parse().ok();
        // A proxy from the environment must not see a token that is meant for this machine.
        if uri.as_ref().and_then(|uri| uri.host()).is_some_and(is_loopback) {
            config = config.proxy(None);
        }
        Self { base: url.trim_end_matches('/').to_owned(), agent: config.build().into(), token: None }
    }

    /// Uses this token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(Zeroizing::new(token.to_owned()));
        self
    }

    /// `GET path?query`
    pub fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, ReadingError> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in query {
            request = request.query(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.as_str()));
        }
        self.read(request.call())
    }

    /// `POST path` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, ReadingError> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.as_str()));
        }
        self.read(request.send(body.to_string()))
    }

    fn read(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, ReadingError> {
        let unreachable =
            |source| ReadingError::Unreachable { url: self.base.clone(), source: Box::new(source) };
        let mut response = answer.map_err(unreachable)?;
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(unreachable)?;
        let json: Option<Value> = serde_json::from_slice(&bytes).ok();
        if (200..300).contains(&status) {
            return json.ok_or_else(|| ReadingError::NotJson { url: self.base.clone() });
        }
        let detail = json.as_ref().and_then(|problem| problem.get("detail")?.as_str());
        let detail = detail.map_or_else(|| format!("status {status}"), ToOwned::to_owned);
        Err(ReadingError::Refused { status, detail })
    }
}
