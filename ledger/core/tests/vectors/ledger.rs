//! The fictional ledger of the vectors: its keys, its registrar's statements, and statements written byte by byte.

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::entry::Entry;
use gt_core::json::Value;
use gt_core::key::{PrivateKey, PublicKey, Thumbprint};
use gt_core::note::NoteSigner;
use gt_core::registry::{Registry, endorsement_message, proof_message};
use gt_core::statement::{Disclosure, Statement};
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};

use crate::document::{integer, object};

pub(crate) const ORIGIN: &str = "ledger.example/first";
pub(crate) const COUNCIL: &str = "gss:E06000005";
pub(crate) const TRUST: &str = "ods:RX1";
pub(crate) const POLICE: &str = "police:32";
pub(crate) const CHARITY: &str = "charity:1000000";
pub(crate) const SCHOOL: &str = "gias:123456";

/// The seeds of the keys: 32 times the same byte.
pub(crate) const REGISTRAR: u8 = 1;
pub(crate) const RECOVERY: u8 = 2;
pub(crate) const SERVICE: u8 = 3;
pub(crate) const COUNCIL_KEY: u8 = 10;
pub(crate) const TRUST_KEY: u8 = 12;
pub(crate) const POLICE_KEY: u8 = 13;
pub(crate) const CHARITY_FIRST_KEY: u8 = 14;
pub(crate) const CHARITY_SECOND_KEY: u8 = 15;
pub(crate) const STRANGER: u8 = 20;

/// 2026-03-02T08:00:00Z, when everything of these vectors was signed.
pub(crate) const SIGNED_AT: i64 = 1_772_438_400;

pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

pub(crate) fn public(seed: u8) -> PublicKey {
    key(seed).public()
}

pub(crate) fn id(seed: u8) -> Thumbprint {
    public(seed).thumbprint()
}

pub(crate) fn agency(code: &str) -> AgencyCode {
    AgencyCode::parse(code).expect("a sound code")
}

pub(crate) fn note_signer(seed: u8) -> NoteSigner {
    NoteSigner::new(ORIGIN, &[seed; 32]).expect("a sound name")
}

pub(crate) fn json(text: &str) -> Value {
    Value::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What the signed part of a statement says, before anything is done to it.
#[derive(Clone)]
pub(crate) struct Writing {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) publisher: Thumbprint,
    pub(crate) more: String,
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    pub(crate) event_type: String,
    pub(crate) data: String,
}

impl Writing {
    /// The council's first statement.
    pub(crate) fn of_council(data: &str) -> Self {
        Self {
            iss: COUNCIL.into(),
            aud: ORIGIN.into(),
            publisher: id(COUNCIL_KEY),
            more: String::new(),
            seq: 0,
            prev: genesis(),
            event_type: "decision.recorded".into(),
            data: data.into(),
        }
    }

    pub(crate) fn of_registrar(seq: u64, prev: Hash, event_type: &str, data: &Value) -> Self {
        Self {
            iss: "ledger:registrar".into(),
            aud: ORIGIN.into(),
            publisher: id(REGISTRAR),
            more: String::new(),
            seq,
            prev,
            event_type: event_type.into(),
            data: data.to_text(),
        }
    }

    pub(crate) fn payload(&self) -> String {
        let Self { iss, aud, publisher, more, seq, prev, event_type, data } = self;
        format!(
            r#"{{"iss":"{iss}","aud":"{aud}","iat":{SIGNED_AT},"publisher":"{publisher}",{more}"seq":{seq},"prev":"{prev}","type":"{event_type}","version":1,"data":{data},"_sd_alg":"sha-256"}}"#
        )
    }

    /// Signed by the key of this seed: `H.P.S~`.
    pub(crate) fn signed_by(&self, seed: u8) -> String {
        compact(header(seed).as_bytes(), self.payload().as_bytes(), seed, &[])
    }
}

pub(crate) fn header(seed: u8) -> String {
    format!(r#"{{"alg":"Ed25519","typ":"statement+sd-jwt","kid":"{}"}}"#, id(seed))
}

/// Signs any header and payload, sound or not.
pub(crate) fn compact(header: &[u8], payload: &[u8], seed: u8, disclosures: &[String]) -> String {
    let signed = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let signature = base64url::encode(&key(seed).sign(signed.as_bytes()));
    let jws = format!("{signed}.{signature}");
    let parts: Vec<&str> = [jws.as_str()].into_iter().chain(disclosures.iter().map(String::as_str)).collect();
    format!("{}~", parts.join("~"))
}

/// A disclosure with a salt of sixteen times this byte.
pub(crate) fn disclosure(salt: u8, value: &Value) -> String {
    Disclosure::encode(&[salt; 16], value)
}

/// The array of digests that stands for these disclosures.
pub(crate) fn digests(disclosures: &[&str]) -> String {
    let each: Vec<String> =
        disclosures.iter().map(|text| format!(r#"{{"...":"{}"}}"#, Disclosure::digest_of(text))).collect();
    format!("[{}]", each.join(","))
}

pub(crate) fn ledger_data(registrar: &PublicKey, recovery: &PublicKey, note_seeds: &[u8]) -> Value {
    let vkeys = note_seeds.iter().map(|seed| Value::String(note_signer(*seed).verifier_key().to_string()));
    object([
        ("origin", Value::from(ORIGIN)),
        ("verifier_keys", Value::Array(vkeys.collect())),
        ("registrar", registrar.to_jwk()),
        ("recovery", recovery.to_jwk()),
    ])
}

/// `ledger.created`, as `H.P.S~`.
pub(crate) fn created() -> String {
    created_with(&ledger_data(&public(REGISTRAR), &public(RECOVERY), &[50])).signed_by(REGISTRAR)
}

/// What a ledger's first statement says.
pub(crate) fn created_with(data: &Value) -> Writing {
    Writing::of_registrar(0, Hash::ZERO, "ledger.created", data)
}

pub(crate) fn parsed(text: &str) -> Statement {
    Statement::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The bytes of entry 0.
pub(crate) fn entry_zero() -> Entry {
    Entry {
        index: LeafIndex(0),
        prev: Hash::ZERO,
        received_at: Timestamp::from_millis(SIGNED_AT * 1000 + 250).expect("in range"),
        registry: 0,
        links: Vec::new(),
        statement: parsed(&created()).hash(),
    }
}

pub(crate) fn genesis() -> Hash {
    entry_zero().leaf_hash()
}

/// The members that enrol key `seed` for publisher `publisher`, endorsed by another key if one is given.
pub(crate) fn new_key(publisher: u8, seed: u8, code: &str, endorser: Option<u8>) -> Vec<(String, Value)> {
    let (genesis, publisher, agency) = (genesis(), id(publisher), agency(code));
    let text = |bytes: [u8; 64]| Value::String(base64url::encode(&bytes));
    let proof = key(seed).sign(&proof_message(&genesis, &publisher, &agency));
    let mut members = vec![
        ("publisher".to_owned(), Value::String(publisher.to_string())),
        ("key".to_owned(), public(seed).to_jwk()),
        ("proof".to_owned(), text(proof)),
    ];
    if let Some(endorser) = endorser {
        let message = endorsement_message(&genesis, &publisher, &id(seed), &agency);
        let kid = Value::String(id(endorser).to_string());
        let endorsement = object([("kid", kid), ("signature", text(key(endorser).sign(&message)))]);
        members.push(("endorsement".to_owned(), endorsement));
    }
    members
}

pub(crate) fn registration(seed: u8, code: &str, endorser: Option<u8>) -> Vec<(String, Value)> {
    let mut members = new_key(seed, seed, code, endorser);
    let scheme = code.split(':').next().unwrap_or_default();
    members.extend([
        ("agency".to_owned(), Value::from(code)),
        ("name".to_owned(), Value::String(format!("Case system of {code}"))),
        ("kind".to_owned(), Value::from(scheme)),
    ]);
    members
}

pub(crate) fn revocation(seed: u8) -> Vec<(String, Value)> {
    vec![
        ("publisher".to_owned(), Value::String(id(seed).to_string())),
        ("reason".to_owned(), Value::from("key_lost")),
        ("suspect_from".to_owned(), Value::from("2026-03-01T17:30:00Z")),
    ]
}

/// The registrar's chain, grown statement by statement.
pub(crate) struct RegistrarChain {
    pub(crate) statements: Vec<(u64, String)>,
    signer: u8,
}

impl RegistrarChain {
    /// `ledger.created` and nothing else.
    pub(crate) fn new() -> Self {
        Self::beginning(created())
    }

    /// This statement and nothing else, be it `ledger.created` or not.
    pub(crate) fn beginning(statement: String) -> Self {
        Self { statements: vec![(0, statement)], signer: REGISTRAR }
    }

    /// From here on another key signs.
    pub(crate) fn signed_by(mut self, seed: u8) -> Self {
        self.signer = seed;
        self
    }

    /// What the next statement says, if nothing is done to it.
    pub(crate) fn next(&self, event_type: &str, members: Vec<(String, Value)>) -> Writing {
        let last = &self.statements.last().expect("begins with ledger.created").1;
        Writing::of_registrar(self.statements.len() as u64, parsed(last).hash(), event_type, &object(members))
    }

    pub(crate) fn then(self, event_type: &str, members: Vec<(String, Value)>) -> Self {
        let next = self.next(event_type, members);
        self.then_writing(&next)
    }

    pub(crate) fn then_writing(mut self, writing: &Writing) -> Self {
        // Other publishers' statements lie between: indexes are not the numbers of the chain.
        let index = 3 * self.statements.len() as u64;
        self.statements.push((index, writing.signed_by(self.signer)));
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let item = |(index, statement): &(u64, String)| {
            object([("index", integer(*index)), ("statement", Value::from(statement.as_str()))])
        };
        Value::Array(self.statements.iter().map(item).collect())
    }
}

/// A ledger with a council, which may speak for a school; a trust; police whose key is revoked; a charity whose key was
/// rotated.
pub(crate) fn usual_chain() -> RegistrarChain {
    let mut council = registration(COUNCIL_KEY, COUNCIL, None);
    council.push(("on_behalf_of".into(), Value::Array(vec![Value::from(SCHOOL)])));
    RegistrarChain::new()
        .then("publisher.registered", registration(SERVICE, "ledger:service", None))
        .then("publisher.registered", council)
        .then("publisher.registered", registration(TRUST_KEY, TRUST, None))
        .then("publisher.registered", registration(POLICE_KEY, POLICE, None))
        .then("publisher.revoked", revocation(POLICE_KEY))
        .then("publisher.registered", registration(CHARITY_FIRST_KEY, CHARITY, None))
        .then(
            "publisher.rotated",
            new_key(CHARITY_FIRST_KEY, CHARITY_SECOND_KEY, CHARITY, Some(CHARITY_FIRST_KEY)),
        )
}

/// What the usual chain makes of the registry: the members that files about statements share.
pub(crate) fn shared() -> Vec<(&'static str, Value)> {
    let chain = usual_chain();
    let items = chain.statements.iter().map(|(index, statement)| (*index, statement.as_str()));
    let registry = fold(genesis(), items);
    let publishers = registry.publishers().map(|(id, publisher)| {
        let agencies = publisher.on_behalf_of.iter().map(|agency| Value::from(agency.as_str()));
        object([
            ("id", Value::String(id.to_string())),
            ("agency", Value::from(publisher.agency.as_str())),
            ("on_behalf_of", Value::Array(agencies.collect())),
            ("revoked", Value::Bool(publisher.revoked.is_some())),
            ("key", publisher.key_in_force().map_or(Value::Null, PublicKey::to_jwk)),
        ])
    });
    let publishers = publishers.collect();
    vec![
        ("origin", Value::from(ORIGIN)),
        ("genesis", Value::String(genesis().to_string())),
        ("registrar_statements", chain.to_json()),
        ("publishers", Value::Array(publishers)),
    ]
}

/// Folds registrar statements whose soundness is not in question.
pub(crate) fn fold<'a>(genesis: Hash, statements: impl IntoIterator<Item = (u64, &'a str)>) -> Registry {
    let mut statements = statements.into_iter();
    let (_, created) = statements.next().expect("begins with ledger.created");
    let mut registry = Registry::create(genesis, parsed(created).payload()).expect("a sound beginning");
    for (index, text) in statements {
        registry.apply(LeafIndex(index), parsed(text).payload()).expect("a sound statement of the registrar");
    }
    registry
}
