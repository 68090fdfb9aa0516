//! A fictional partnership to test with: a ledger in a temporary folder and publishers that sign.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::path::PathBuf;
use std::sync::Arc;

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::json::Value;
use gt_core::key::PrivateKey;
use gt_core::registry::proof_message;
use gt_core::statement::{Draft, DraftMember, EventType, PublisherId, Statement, sign};
use gt_ledger::Ledger;
use gt_ledger::clock::{Clock, SystemClock};
use gt_ledger::create::{NewPublisher, create, registration};
use gt_ledger::disk::Recorder;
use gt_ledger::secrets::{PinFile, Secrets, file, read_key};

pub const ORIGIN: &str = "ledger.example/test";

pub struct Home {
    pub folder: tempfile::TempDir,
    pub pin: PinFile,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let created = create(&folder.path().join("data"), &folder.path().join("data.secrets"), ORIGIN).expect("created");
        Self { pin: created.pin, folder }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn secrets_folder(&self) -> PathBuf {
        self.folder.path().join("data.secrets")
    }

    pub fn secrets(&self) -> Secrets {
        Secrets::load(&self.secrets_folder()).expect("sound secrets")
    }

    pub fn genesis(&self) -> Hash {
        Hash::parse(&self.pin.genesis).expect("a hash")
    }

    pub fn open(&self) -> Ledger {
        self.open_recorded(None)
    }

    pub fn open_recorded(&self, recorder: Option<Arc<dyn Recorder>>) -> Ledger {
        Ledger::open(&self.data(), &self.secrets(), Box::new(SystemClock::default()), recorder).expect("opens")
    }

    /// Registers a publisher as the registrar would.
    pub fn register(&self, ledger: &Ledger, agency: &str, seed: u8) -> Publisher {
        let publisher = Publisher::new(agency, seed, self.genesis());
        let statement = self.registration(ledger, &publisher);
        ledger.seal_blocking(statement.to_compact().as_bytes()).expect("registered");
        publisher
    }

    pub fn registration(&self, ledger: &Ledger, publisher: &Publisher) -> Statement {
        let registrar = read_key(&self.secrets_folder().join(file::REGISTRAR)).expect("a key");
        let id = registrar.public().thumbprint();
        let head = ledger.head(&id);
        let proof = publisher.key.sign(&proof_message(&self.genesis(), &publisher.id, &publisher.agency));
        let new = NewPublisher {
            agency: &publisher.agency,
            name: "Case system",
            kind: "council",
            key: publisher.key.public().to_jwk(),
            publisher: publisher.id,
            proof: base64url::encode(&proof),
            endorsement: None,
            recovery: false,
        };
        registration(&registrar, id, ORIGIN, head.next_seq, head.head, now(), &new).expect("sound")
    }
}

pub fn now() -> i64 {
    SystemClock::default().wall_millis() / 1000
}

/// A publisher with its key and the head of its chain.
pub struct Publisher {
    pub key: PrivateKey,
    pub id: PublisherId,
    pub agency: AgencyCode,
    pub seq: u64,
    pub prev: Hash,
    salt: u64,
}

pub fn child(n: u8) -> String {
    format!("nhs.1:{}", base64url::encode(&[n; 32]))
}

impl Publisher {
    pub fn new(agency: &str, seed: u8, genesis: Hash) -> Self {
        let key = PrivateKey::from_seed(&[seed; 32]);
        let id = key.public().thumbprint();
        Self { key, id, agency: AgencyCode::parse(agency).expect("a code"), seq: 0, prev: genesis, salt: 0 }
    }

    /// The draft of a missing episode's start, to be altered by tests.
    pub fn draft(&self, about: &str) -> Draft {
        let json = |text: &str| Value::parse(text.as_bytes()).expect("test JSON");
        let person = json(&format!(r#"{{"pseudonym":"{about}","role":"Child"}}"#));
        let times = json(r#"{"occurred_at":"2026-03-01T09:00:00Z","reported_at":"2026-03-01T11:00:00Z"}"#);
        let members = vec![
            ("kind", DraftMember::Clear(Value::from("Missing"))),
            ("from", DraftMember::Clear(Value::from("Home"))),
            ("child", DraftMember::Disclosed(vec![person])),
            ("times", DraftMember::Disclosed(vec![times])),
        ];
        Draft {
            iss: self.agency.clone(),
            aud: ORIGIN.into(),
            iat: now(),
            publisher: self.id,
            on_behalf_of: None,
            seq: self.seq,
            prev: self.prev,
            event_type: EventType::parse("missing.started").expect("a type"),
            version: 1,
            members: members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect(),
            kept: Vec::new(),
        }
    }

    pub fn sign(&mut self, draft: &Draft) -> Statement {
        self.salt += 1;
        let (salt, id) = (self.salt, self.id);
        let mut n = 0_u64;
        let next = || {
            n += 1;
            let hash = Hash::of_parts(&[id.as_bytes(), &salt.to_be_bytes(), &n.to_be_bytes()]);
            hash.as_bytes()[..16].try_into().expect("16 bytes")
        };
        sign(draft, &self.key, next).expect("sound").statement
    }

    /// The next statement of the chain, about this child.
    pub fn next(&mut self, about: &str) -> Statement {
        let draft = self.draft(about);
        let statement = self.sign(&draft);
        self.seq += 1;
        self.prev = statement.hash();
        statement
    }
}
