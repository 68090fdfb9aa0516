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
    /// The answer is no text.
    #[error("the answer is no text; is {url} a ledger's address?")]
    NotText {
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
        self.read(self.request(path, query).call())
    }

    fn request(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in query {
            request = request.query(name, value);
        }
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {}", token.as_str())),
            None => request,
        }
    }

    /// `GET path?query` of a list as text, in the form that the query names; also the cursor of the next page, if there is one.
    pub fn get_text(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<(String, Option<String>), ReadingError> {
        let (link, body) = self.answer(self.request(path, query).call())?;
        let next = link.as_deref().and_then(next_cursor);
        let text = String::from_utf8(body).map_err(|_| ReadingError::NotText { url: self.base.clone() })?;
        Ok((text, next))
    }

    /// `POST path` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, ReadingError> {
        let bytes = self.post_for_bytes(path, body)?;
        serde_json::from_slice(&bytes).map_err(|_| ReadingError::NotJson { url: self.base.clone() })
    }

    /// The same, for an answer that is kept as it came.
    pub fn post_for_bytes(&self, path: &str, body: &Value) -> Result<Vec<u8>, ReadingError> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.as_str()));
        }
        self.answer(request.send(body.to_string())).map(|(_, bytes)| bytes)
    }

    fn read(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, ReadingError> {
        let (_, body) = self.answer(answer)?;
        serde_json::from_slice(&body).map_err(|_| ReadingError::NotJson { url: self.base.clone() })
    }

    /// The `Link` header and the body of an answer that is none of a problem.
    fn answer(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(Option<String>, Vec<u8>), ReadingError> {
        let unreachable =
            |source| ReadingError::Unreachable { url: self.base.clone(), source: Box::new(source) };
        let mut response = answer.map_err(unreachable)?;
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(unreachable)?;
        if (200..300).contains(&status) {
            let link = response.headers().get("link").and_then(|value| value.to_str().ok());
            return Ok((link.map(ToOwned::to_owned), bytes));
        }
        let json: Option<Value> = serde_json::from_slice(&bytes).ok();
        let detail = json.as_ref().and_then(|problem| problem.get("detail")?.as_str());
        let detail = detail.map_or_else(|| format!("status {status}"), ToOwned::to_owned);
        Err(ReadingError::Refused { status, detail })
    }
}

/// The cursor in a link to the next page: `</path?…&cursor=…>; rel="next"`.
fn next_cursor(link: &str) -> Option<String> {
    let (target, _) = link.strip_prefix('<')?.split_once(">; rel=\"next\"")?;
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("cursor=")).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_pages_cursor_is_read_from_its_link() {
        let link = "</v1/decisions?limit=2&cursor=n2>; rel=\"next\"";
        assert_eq!(next_cursor(link).as_deref(), Some("n2"));
        assert_eq!(next_cursor("</v1/decisions?cursor=n2>; rel=\"prev\""), None);
        assert_eq!(next_cursor("</v1/decisions>; rel=\"next\""), None);
    }
}
