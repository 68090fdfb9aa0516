//! A fictional partnership to test with: a ledger in a temporary folder and publishers that sign.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::json::Value;
use gt_core::key::PrivateKey;
use gt_core::registry::proof_message;
use gt_core::statement::{Draft, DraftMember, EventType, PublisherId, Statement, sign};
use gt_ledger::Ledger;
use gt_ledger::audit::{Verdict, fsck, read_pin};
use gt_ledger::clock::{Clock, SystemClock};
use gt_ledger::create::{NewPublisher, create, registration};
use gt_ledger::disk::{Disk, Recorder};
use gt_ledger::keyring::Keyring;
use gt_ledger::secrets::{PinFile, Secrets, file, read_key};

pub(crate) const ORIGIN: &str = "ledger.example/test";

pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) pin: PinFile,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let created = create(&folder.path().join("data"), &folder.path().join("data.secrets"), ORIGIN)
            .expect("created");
        Self { pin: created.pin, folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn secrets_folder(&self) -> PathBuf {
        self.folder.path().join("data.secrets")
    }

    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::load(&self.secrets_folder()).expect("sound secrets")
    }

    pub(crate) fn genesis(&self) -> Hash {
        Hash::parse(&self.pin.genesis).expect("a hash")
    }

    /// All that every child's links say of its record is checked, too.
    pub(crate) fn assert_sound(&self) {
        let pin = read_pin(&self.pin).expect("a pin");
        let report = fsck(&self.data(), Some(&self.secrets()), Some(&pin));
        assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    }

    pub(crate) fn open(&self) -> Ledger {
        self.open_recorded(None)
    }

    pub(crate) fn open_recorded(&self, recorder: Option<Arc<dyn Recorder>>) -> Ledger {
        Ledger::open(&self.data(), &self.secrets(), Box::new(SystemClock::default()), recorder)
            .expect("opens")
    }

    /// Registers a publisher as the registrar would.
    pub(crate) fn register(&self, ledger: &Ledger, agency: &str, seed: u8) -> Publisher {
        let publisher = Publisher::new(agency, seed, self.genesis());
        let statement = self.registration(ledger, &publisher);
        ledger.seal_blocking(statement.to_compact().as_bytes()).expect("registered");
        publisher
    }

    pub(crate) fn registration(&self, ledger: &Ledger, publisher: &Publisher) -> Statement {
        self.enrol(ledger, &self.new_publisher(publisher))
    }

    /// What the registrar says of a publisher that is the first of its agency.
    pub(crate) fn new_publisher<'a>(&self, publisher: &'a Publisher) -> NewPublisher<'a> {
        NewPublisher {
            agency: &publisher.agency,
            name: "Case system",
            kind: "council",
            key: publisher.key.public().to_jwk(),
            publisher: publisher.id,
            proof: self.proof(&publisher.key, &publisher.id, &publisher.agency),
            endorsement: None,
            recovery: false,
        }
    }

    /// A key's own signature, by which somebody shows that they hold it.
    pub(crate) fn proof(&self, key: &PrivateKey, publisher: &PublisherId, agency: &AgencyCode) -> String {
        base64url::encode(&key.sign(&proof_message(&self.genesis(), publisher, agency)))
    }

    /// The registrar's `publisher.registered`, next in its chain.
    pub(crate) fn enrol(&self, ledger: &Ledger, new: &NewPublisher<'_>) -> Statement {
        let registrar = self.registrar();
        let id = registrar.public().thumbprint();
        let head = ledger.head(&id);
        registration(&registrar, id, ORIGIN, head.next_seq, head.head, now(), new).expect("sound")
    }

    /// Any other statement of the registrar, next in its chain.
    pub(crate) fn registrar_says(
        &self,
        ledger: &Ledger,
        event_type: &str,
        members: Vec<(&str, Value)>,
    ) -> Statement {
        let registrar = self.registrar();
        let publisher = registrar.public().thumbprint();
        let head = ledger.head(&publisher);
        let clear = members.into_iter().map(|(name, value)| (name.to_owned(), DraftMember::Clear(value)));
        let draft = Draft {
            iss: AgencyCode::registrar(),
            aud: ORIGIN.into(),
            iat: now(),
            publisher,
            on_behalf_of: None,
            seq: head.next_seq,
            prev: head.head,
            event_type: EventType::parse(event_type).expect("a type"),
            version: 1,
            members: clear.collect(),
            kept: Vec::new(),
        };
        sign(&draft, &registrar, || [0; 16]).expect("sound").statement
    }

    fn registrar(&self) -> PrivateKey {
        read_key(&self.secrets_folder().join(file::REGISTRAR)).expect("a key")
    }
}

/// Writes new keys into their shards, as a stop does once there are many.
pub(crate) fn fold_keys(data: &Path, secrets: &Secrets) {
    let keyring = Keyring::open(data, secrets.kek()).expect("opens");
    keyring.fold_journal(&mut Disk::new(data, None)).expect("folds");
}

/// A configuration as the members of `ledger.configured`.
pub(crate) fn configuration(configuration: &serde_json::Value) -> Vec<(&'static str, Value)> {
    let configuration = Value::parse(configuration.to_string().as_bytes()).expect("strict JSON");
    let members = configuration.as_object().expect("an object");
    let member = |name| Some((name, members.get(name)?.clone()));
    ["legal", "thresholds", "calendar"].into_iter().filter_map(member).collect()
}

pub(crate) fn now() -> i64 {
    SystemClock::default().wall_millis() / 1000
}

/// A publisher with its key and the head of its chain.
pub(crate) struct Publisher {
    pub(crate) key: PrivateKey,
    pub(crate) id: PublisherId,
    pub(crate) agency: AgencyCode,
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    salt: u64,
}

pub(crate) fn child(n: u8) -> String {
    format!("nhs.1:{}", base64url::encode(&[n; 32]))
}

impl Publisher {
    pub(crate) fn new(agency: &str, seed: u8, genesis: Hash) -> Self {
        let key = PrivateKey::from_seed(&[seed; 32]);
        let id = key.public().thumbprint();
        Self { key, id, agency: AgencyCode::parse(agency).expect("a code"), seq: 0, prev: genesis, salt: 0 }
    }

    /// The draft of a missing episode's start, to be altered by tests.
    pub(crate) fn draft(&self, about: &str) -> Draft {
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

    pub(crate) fn sign(&mut self, draft: &Draft) -> Statement {
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
    pub(crate) fn next(&mut self, about: &str) -> Statement {
        let draft = self.draft(about);
        let statement = self.sign(&draft);
        self.seq += 1;
        self.prev = statement.hash();
        statement
    }
}
