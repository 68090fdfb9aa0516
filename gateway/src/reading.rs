//! The ledger's views as an analyst asks them over HTTP, with a token.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gt_schemas::AccessPurpose;
use serde_json::Value;
use ureq::Agent;
use zeroize::Zeroizing;

use crate::client::is_loopback;
use crate::keyfile::exposed;

const TIMEOUT: Duration = Duration::from_mins(1);
const MAX_ANSWER: u64 = 64 << 20;

/// Asks a running ledger.
pub struct ReadingClient {
    base: String,
    agent: Agent,
    token: Option<Zeroizing<String>>,
    /// What is read for; none where the token says it.
    purpose: Option<String>,
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
    /// The ledger refused, since nobody said what is read for. It names a header; who reads by this program has options.
    #[error(
        "the ledger refused: this is about people, and the token does not say what for. Say it with --read-for (bundle: --purpose) or GOLDENTHREAD_PURPOSE, as one of {}", AccessPurpose::CODES.join(", ")
    )]
    PurposeNeeded,
    /// The ledger refused, since there was no token. It names a header, too.
    #[error(
        "the ledger refused: this is about people, and no token was given. Give one with --token-file FILE or GOLDENTHREAD_TOKEN; `goldenthread token issue` makes one"
    )]
    TokenNeeded,
    /// What was given as a token is none.
    #[error(
        "{place} holds no token: {}", if *.empty { "it is empty" } else { "a token is one line of letters, digits and -._~+/=" }
    )]
    TokenForm {
        /// Where it came from.
        place: String,
        /// Whether nothing was there.
        empty: bool,
    },
    /// The token file cannot be read.
    #[error("the token file {} cannot be read", .file.display())]
    TokenFile {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others can read the token file.
    #[error(
        "others can get at the token in {file}: its mode is {mode:03o}; run: chmod 600 {file}, and think about whether somebody did", file = .file.display()
    )]
    TokenExposed {
        /// Which file.
        file: PathBuf,
        /// The permission bits.
        mode: u32,
    },
}

impl ReadingClient {
    /// A client of the ledger at this address. The token comes from a file or, failing that, from `GOLDENTHREAD_TOKEN`;
    /// never from an argument, which everybody on the machine could see.
    pub fn new(url: &str, token_file: Option<&Path>) -> Result<Self, ReadingError> {
        let client = Self::without_token(url);
        let token = match token_file {
            Some(file) => Some((read_token(file)?, format!("the token file {}", file.display()))),
            None => std::env::var(TOKEN).ok().map(|token| (Zeroizing::new(token), TOKEN.to_owned())),
        };
        let client = match token {
            Some((token, place)) => client.with_token(one_token(&token, place)?),
            None => client,
        };
        Ok(client.with_purpose(std::env::var("GOLDENTHREAD_PURPOSE").ok()))
    }

    /// Says what is read for.
    #[must_use]
    pub fn with_purpose(self, purpose: Option<String>) -> Self {
        Self { purpose: purpose.or(self.purpose), ..self }
    }

    fn headers(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        let token = self.token.as_ref().map(|token| ("authorization", format!("Bearer {}", token.as_str())));
        token.into_iter().chain(self.purpose.as_ref().map(|purpose| ("gt-purpose", purpose.clone())))
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
        Self {
            base: url.trim_end_matches('/').to_owned(),
            agent: config.build().into(),
            token: None,
            purpose: None,
        }
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
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        request
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
        for (name, value) in self.headers() {
            request = request.header(name, value);
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
        match json.as_ref().and_then(|problem| problem["code"].as_str()) {
            Some("purpose_missing") => return Err(ReadingError::PurposeNeeded),
            Some("token_missing") => return Err(ReadingError::TokenNeeded),
            _ => {}
        }
        let detail = json.as_ref().and_then(|problem| problem.get("detail")?.as_str());
        let detail = detail.map_or_else(|| format!("status {status}"), ToOwned::to_owned);
        Err(ReadingError::Refused { status, detail })
    }
}

/// Where a token is looked for if no file is named.
const TOKEN: &str = "GOLDENTHREAD_TOKEN";

/// The token, if it is one that a header can carry (RFC 6750): what was pasted with a line break in it, or as it stands in a manual, would
/// read as a fault of the ledger's.
fn one_token(text: &str, place: String) -> Result<&str, ReadingError> {
    let token = text.trim();
    let may_be = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !token.is_empty() && token.bytes().all(may_be) {
        return Ok(token);
    }
    Err(ReadingError::TokenForm { place, empty: token.is_empty() })
}

/// What a file holds that only its owner can read.
fn read_token(file: &Path) -> Result<Zeroizing<String>, ReadingError> {
    let unreadable = |source| ReadingError::TokenFile { file: file.to_owned(), source };
    let mut open = File::open(file).map_err(unreadable)?;
    if let Some(mode) = exposed(&open).map_err(unreadable)? {
        return Err(ReadingError::TokenExposed { file: file.to_owned(), mode });
    }
    let mut token = Zeroizing::new(String::new());
    open.read_to_string(&mut token).map_err(unreadable)?;
    Ok(token)
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

    #[test]
    fn what_is_no_token_is_said_to_be_none_and_is_not_shown() {
        assert_eq!(one_token(" gt1.ab-_~+/=\n", String::new()).ok(), Some("gt1.ab-_~+/="));
        for (text, why) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("se cret", "one line"),
            ("se\ncret", "one line"),
            ("…", "one line"),
        ] {
            let said = one_token(text, "the token file token".into()).expect_err("no token").to_string();
            assert!(said.starts_with("the token file token holds no token") && said.contains(why), "{said}");
            assert!(!said.contains("cret"), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_is_refused_and_its_file_named() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let new = || ReadingClient::new("http://127.0.0.1:1", Some(&file));
        let named = |error: ReadingError| error.to_string().contains(&file.display().to_string());
        assert!(new().is_err_and(named), "it is not there");
        std::fs::write(&file, "a.token\n").expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("set");
        let error = new().err().expect("others can read it");
        assert!(matches!(error, ReadingError::TokenExposed { mode: 0o644, .. }) && named(error));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
        let client = new().expect("it is its owner's alone");
        assert_eq!(client.token.as_ref().map(|token| token.as_str()), Some("a.token"));
    }
}
