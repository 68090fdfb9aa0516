use std::time::Duration;

use gt_core::Hash;
use gt_core::statement::{PublisherId, Statement};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

const MAX_ANSWER: u64 = 64 << 20;
/// Longer than anybody asks an agent to wait.
const TIMEOUT: Duration = Duration::from_secs(100);

/// Somebody who speaks HTTP to a ledger or an agent.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    agent: Agent,
    token: Option<String>,
}

/// What came back, whatever its status.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        Self::impatient(base, TIMEOUT)
    }

    /// Somebody who asks again rather than wait longer than this.
    pub(crate) fn impatient(base: &str, patience: Duration) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let config = config.timeout_global(Some(patience));
        Self { base: base.to_owned(), agent: config.build().into(), token: None }
    }

    /// Somebody who takes the certificates of this authority, PEM, over TLS.
    pub(crate) fn trusting(base: &str, authority: &[u8]) -> Self {
        let root = Certificate::from_pem(authority).expect("PEM");
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).build();
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let config = config.timeout_global(Some(TIMEOUT)).tls_config(tls);
        Self { base: base.to_owned(), agent: config.build().into(), token: None }
    }

    /// Publishes several statements in one request, to a ledger that may end at any moment: the receipts of the first ones, as many as
    /// there are.
    pub(crate) fn publish_together(&self, statements: &[Statement]) -> Vec<String> {
        let lines: Vec<String> =
            statements.iter().map(|statement| json!(statement.to_compact()).to_string()).collect();
        let body = lines.join("\n");
        let Ok(reply) = self.try_post("/v1/statements", "application/x-ndjson", body.as_bytes()) else {
            return Vec::new();
        };
        assert_eq!(reply.status, 200, "{}", reply.text());
        let lines = reply.lines();
        let sealed = |line: &&Value| line["status"] == 200 || line["status"] == 201;
        let receipts: Vec<String> = lines
            .iter()
            .take_while(sealed)
            .map(|line| line["receipt"].as_str().expect("a receipt").to_owned())
            .collect();
        if let Some(first) = lines.get(receipts.len()) {
            assert_eq!(first["status"], 503, "{first}");
        }
        receipts
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.try_get(path).expect("an answer")
    }

    /// Asks for the answer in this form.
    pub(crate) fn get_accepting(&self, path: &str, accept: &str) -> Reply {
        let mut request = Request::get(format!("{}{path}", self.base)).header("accept", accept);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.agent.run(request.body(()).expect("a request")).expect("an answer");
        Reply::read(answer).expect("a whole answer")
    }

    pub(crate) fn try_get(&self, path: &str) -> Result<Reply, ureq::Error> {
        self.ask(Method::GET, path, "", b"")
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Reply {
        self.try_post(path, content_type, body).expect("an answer")
    }

    pub(crate) fn try_post(&self, path: &str, kind: &str, body: &[u8]) -> Result<Reply, ureq::Error> {
        self.ask(Method::POST, path, kind, body)
    }

    pub(crate) fn ask(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = if body.is_empty() && kind.is_empty() {
            self.agent.run(request.body(()).expect("a request"))?
        } else {
            self.agent.run(request.body(body).expect("a request"))?
        };
        Reply::read(answer)
    }

    /// Publishes one statement.
    pub(crate) fn publish(&self, statement: &Statement) -> Reply {
        self.publish_text(statement.to_compact().as_bytes())
    }

    /// Publishes what may or may not be a statement.
    pub(crate) fn publish_text(&self, text: &[u8]) -> Reply {
        self.post("/v1/statements", "application/sd-jwt", text)
    }

    /// Publishes statements in one request; a line of JSON comes back for each.
    pub(crate) fn publish_lines(&self, lines: &[String]) -> Vec<Value> {
        let reply = self.post("/v1/statements", "application/x-ndjson", lines.join("\n").as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.lines()
    }

    /// How many entries the ledger has.
    pub(crate) fn size(&self) -> u64 {
        self.get("/v1/ledger").json()["size"].as_u64().expect("a size")
    }

    /// How many reads of people's data, and approvals of such, the ledger has sealed: all that its own service publisher says.
    pub(crate) fn reads(&self) -> u64 {
        let publishers = self.get("/v1/publishers").json();
        let all = publishers["items"].as_array().expect("a list");
        let own = all.iter().find(|one| one["agency"] == "ledger:service").expect("the ledger's own");
        let id = Hash::parse(own["publisher"].as_str().expect("an id")).expect("a hash");
        self.head(&id).0
    }

    /// Where the ledger has the end of a publisher's chain.
    pub(crate) fn head(&self, publisher: &PublisherId) -> (u64, Hash) {
        let head = self.get(&format!("/v1/publishers/{publisher}/head")).json();
        let hash = head["head"].as_str().expect("a hash");
        (head["next_seq"].as_u64().expect("a number"), Hash::parse(hash).expect("a hash"))
    }

    /// The hash of the statement that an entry seals.
    pub(crate) fn sealed(&self, index: u64) -> Hash {
        let entry = self.get(&format!("/v1/entries/{index}")).json();
        Hash::parse(entry["entry"]["statement"].as_str().expect("an entry")).expect("a hash")
    }
}

impl Reply {
    fn read(mut response: Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, content_type, headers, body })
    }

    /// A header of the answer, by its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of plain text"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an answer in UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// The problem's code. What says so must be a problem document through and through.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.content_type, "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        check_problem(&problem)
    }
}

/// The code of a problem document.
pub(crate) fn check_problem(problem: &Value) -> String {
    let code = problem["code"].as_str().unwrap_or_else(|| panic!("a code: {problem}"));
    assert_eq!(problem["type"], format!("urn:goldenthread:problem:{code}"));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "a sentence: {problem}");
    code.to_owned()
}
