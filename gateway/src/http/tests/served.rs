//! A ledger that is served to tests over real HTTP, with an agency that publishes and readers of every role.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::key::PrivateKey;
use gt_core::statement::{Owner, Pseudonym};
use gt_ledger::Ledger;
use gt_ledger::create::{NewPublisher, registration};
use gt_ledger::record::OwnerId;
use gt_ledger::secrets::{file, read_key};
use gt_schemas::{AccessPurpose, AccessRole};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use ureq::http::{HeaderMap, Method, Request, StatusCode};

use crate::access::now_seconds;
use crate::access::reader::Reader;
use crate::access::token::{TokenAuthority, issue_first};
use crate::draft::{ChainPosition, CheckedDraft, Signatory};
use crate::http::{Front, bind};
use crate::keyfile;

pub(in crate::http) const ORIGIN: &str = "ledger.example/served";

/// A served ledger.
pub(in crate::http) struct Served {
    pub(in crate::http) url: String,
    pub(in crate::http) ledger: Arc<Ledger>,
    pub(in crate::http) secrets: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

/// Whatever came back.
pub(in crate::http) struct Reply {
    pub(in crate::http) status: StatusCode,
    pub(in crate::http) headers: HeaderMap,
    /// The body, if it is JSON or lines of it.
    pub(in crate::http) json: Value,
    pub(in crate::http) text: String,
}

impl Served {
    pub(in crate::http) fn start() -> Self {
        Self::start_as(|front| front)
    }

    /// Serves it as the front says.
    pub(in crate::http) fn start_as(fitted: impl FnOnce(Front) -> Front) -> Self {
        let address: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let front = fitted(Front::from(address));
        let folder = tempfile::tempdir().expect("a folder");
        let (data, secrets) = (folder.path().join("data"), folder.path().join("secrets"));
        gt_ledger::create::create(&data, &secrets, ORIGIN).expect("made");
        issue_first(&secrets, "analyst").expect("made");
        let (stop, stopped) = oneshot::channel();
        let (say, said) = std::sync::mpsc::channel();
        let keys = secrets.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let server = bind(&data, &keys, front, None).await.expect("served");
                let url = format!("{}://{}", server.scheme(), server.address());
                say.send((url, server.ledger())).expect("heard");
                let stopped = async {
                    let _ = stopped.await;
                };
                server.run(stopped).await.expect("an orderly end");
            });
        });
        let (url, ledger) = said.recv().expect("it says where");
        Self { url, ledger, secrets, stop: Some(stop), thread: Some(thread), _folder: folder }
    }

    /// A token of this role, for whatever purpose, with what the role needs besides.
    pub(in crate::http) fn token(&self, role: AccessRole, fitted: impl FnOnce(Reader) -> Reader) -> String {
        let now = now_seconds();
        let reader = fitted(Reader {
            subject: format!("a {}", role.as_str()),
            role,
            agency: None,
            children: std::iter::empty().collect(),
            purposes: vec![AccessPurpose::Review],
            issued_at: now,
            expires_at: now + 3600,
            token: String::new(),
        });
        let authority = TokenAuthority::load(&self.secrets).expect("a key");
        authority.issue(reader).expect("issued").1.to_string()
    }

    /// Enrols an agency's system.
    pub(in crate::http) fn enrol(&self, seed: u8, agency: &str) -> Signatory {
        let (key, agency) = (PrivateKey::from_seed(&[seed; 32]), AgencyCode::parse(agency).expect("a code"));
        let registrar = read_key(&self.secrets.join(file::REGISTRAR)).expect("a key");
        let (id, registrar_id) = (key.public().thumbprint(), registrar.public().thumbprint());
        let (head, genesis) = (self.ledger.head(&registrar_id), self.ledger.registry().genesis());
        let new = NewPublisher {
            agency: &agency,
            name: "A system",
            kind: "council",
            key: key.public().to_jwk(),
            publisher: id,
            proof: base64url::encode(&keyfile::prove(&key, genesis, &id, &agency).signature),
            endorsement: None,
            recovery: false,
        };
        let statement =
            registration(&registrar, registrar_id, ORIGIN, head.next_seq, head.head, now_seconds(), &new);
        self.seal(statement.expect("signed").to_compact().as_bytes());
        Signatory::new(key, id, agency, ORIGIN.to_owned())
    }

    /// Publishes the agency's next event; its entry.
    pub(in crate::http) fn publish(
        &self,
        seed: u8,
        signatory: &Signatory,
        event_type: &str,
        data: &Value,
    ) -> u64 {
        let id = PrivateKey::from_seed(&[seed; 32]).public().thumbprint();
        let head = self.ledger.head(&id);
        let draft = json!({"id": "-", "type": event_type, "data": data}).to_string();
        let draft = CheckedDraft::parse(draft.as_bytes()).expect("a sound draft");
        let place = ChainPosition { seq: head.next_seq, prev: head.head, iat: now_seconds() };
        let statement = signatory.sign(&draft, place).expect("signed").statement;
        self.seal(statement.to_compact().as_bytes())
    }

    fn seal(&self, compact: &[u8]) -> u64 {
        self.ledger.seal_blocking(compact).expect("sealed").index.0
    }

    /// Waits until the views have everything that is sealed.
    pub(in crate::http) fn projected(&self) {
        let size = self.ledger.log().size().0;
        while self.get("", "/readyz").json["projected"].as_u64().is_none_or(|projected| projected < size) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The opaque reference of somebody.
    pub(in crate::http) fn reference(&self, pseudonym: &str) -> OwnerId {
        let pseudonym = Pseudonym::parse(pseudonym).expect("a pseudonym");
        self.ledger.owner_id(&Owner::Person(pseudonym)).expect("the ledger knows of it")
    }

    pub(in crate::http) fn get(&self, token: &str, path: &str) -> Reply {
        self.send(token, Method::GET, path, &[], "")
    }

    /// The status, and the problem or the answer.
    pub(in crate::http) fn ask(&self, token: &str, method: Method, path: &str) -> (StatusCode, Value) {
        let reply = self.send(token, method, path, &[], "");
        (reply.status, reply.json)
    }

    /// Sends a request; a stream is not read.
    pub(in crate::http) fn send(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).expect("a request");
        let mut answer = ureq::Agent::from(config).run(request).expect("an answer");
        let headers = answer.headers().clone();
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let text = if kind == "text/event-stream" {
            String::new()
        } else {
            let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a body");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply { status: answer.status(), headers, json, text }
    }
}

impl Reply {
    /// The code of the problem that it is.
    pub(in crate::http) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
