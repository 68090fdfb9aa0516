//! Who signs. Statements are made with the core, as an agency's own system would make them.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::json::{Object, Value};
use gt_core::key::PrivateKey;
use gt_core::statement::{Draft, DraftMember, EventType, PublisherId, Statement, sign};
use gt_ledger::create::{NewPublisher, registration};
use gt_ledger::secrets::read_key;
use gt_schemas::Place;

use super::{Client, Home, ORIGIN, missing};

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a clock before the end of time")
}

/// A publisher with its key and the head of its chain.
pub(crate) struct Publisher {
    pub(crate) key: PrivateKey,
    pub(crate) id: PublisherId,
    pub(crate) agency: AgencyCode,
    seq: u64,
    prev: Hash,
    salts: u64,
}

impl Publisher {
    pub(crate) fn new(key: &Path, agency: &str, genesis: Hash) -> Self {
        let key = read_key(key).expect("a key that keygen made");
        let id = key.public().thumbprint();
        let agency = AgencyCode::parse(agency).expect("an agency code");
        Self { key, id, agency, seq: 0, prev: genesis, salts: 0 }
    }

    /// The same publisher, whose chain has come so far already.
    pub(crate) fn at(self, seq: u64, prev: Hash) -> Self {
        Self { seq, prev, ..self }
    }

    /// The next statement's draft; which members are disclosed the schemas say.
    pub(crate) fn draft(&self, event_type: &str, data: &Value) -> Draft {
        let schema = gt_schemas::EventType::parse(event_type).expect("a known type");
        let known = gt_schemas::members(schema);
        let member = |(name, value): (&str, &Value)| {
            let place = known.iter().find(|member| member.name == name).map(|member| member.place);
            let member = match (place, value) {
                (Some(Place::Disclosed { many: true, .. }), Value::Array(people)) => {
                    DraftMember::Disclosed(people.clone())
                }
                (Some(Place::Disclosed { .. }), value) => DraftMember::Disclosed(vec![value.clone()]),
                _ => DraftMember::Clear(value.clone()),
            };
            (name.to_owned(), member)
        };
        Draft {
            iss: self.agency.clone(),
            aud: ORIGIN.to_owned(),
            iat: now(),
            publisher: self.id,
            on_behalf_of: None,
            seq: self.seq,
            prev: self.prev,
            event_type: EventType::parse(event_type).expect("a type"),
            version: schema.version(),
            members: data.as_object().expect("an event is an object").iter().map(member).collect(),
            kept: Vec::new(),
        }
    }

    /// Signs without taking the place in the chain.
    pub(crate) fn sign(&mut self, draft: &Draft) -> Statement {
        self.salts += 1;
        let (id, salts) = (self.id, self.salts);
        let mut count = 0_u64;
        let salt = || {
            count += 1;
            let hash = Hash::of_parts(&[id.as_bytes(), &salts.to_be_bytes(), &count.to_be_bytes()]);
            hash.as_bytes()[..16].try_into().expect("16 of 32 bytes")
        };
        sign(draft, &self.key, salt).expect("a sound draft").statement
    }

    /// A decision at the next place of the chain, without taking it.
    pub(crate) fn peek(&mut self, event_type: &str, data: &Value) -> Statement {
        let draft = self.draft(event_type, data);
        self.sign(&draft)
    }

    /// The chain goes on after this statement.
    pub(crate) fn advance(&mut self, statement: &Statement) {
        self.seq += 1;
        self.prev = statement.hash();
    }

    /// The next statement: a child goes missing.
    pub(crate) fn next(&mut self, about: &str, day: u64) -> Statement {
        let statement = self.peek("missing.started", &missing(about, day));
        self.advance(&statement);
        statement
    }

    /// The next statement, of any type.
    pub(crate) fn record(&mut self, event_type: &str, data: &Value) -> Statement {
        let statement = self.peek(event_type, data);
        self.advance(&statement);
        statement
    }
}

/// The registrar, who signs with the core: also what the program has no command for, or would refuse.
pub(crate) struct Registrar {
    key: PrivateKey,
    id: PublisherId,
}

impl Registrar {
    pub(crate) fn of(home: &Home) -> Self {
        let key = read_key(&home.secret("registrar.jwk")).expect("a key that init made");
        Self { id: key.public().thumbprint(), key }
    }

    /// A registration that follows the ledger's head.
    pub(crate) fn registration(&self, client: &Client, new: &NewPublisher<'_>) -> Statement {
        let (seq, prev) = client.head(&self.id);
        registration(&self.key, self.id, ORIGIN, seq, prev, now(), new).expect("a sound statement")
    }

    /// The end of a publisher.
    pub(crate) fn revocation(&self, client: &Client, publisher: &PublisherId) -> Statement {
        let (seq, prev) = client.head(&self.id);
        let mut data = Object::default();
        data.insert("publisher", Value::String(publisher.to_string()));
        data.insert("reason", Value::from("key_lost"));
        let members = data.iter().map(|(name, value)| (name.to_owned(), DraftMember::Clear(value.clone())));
        let draft = Draft {
            iss: AgencyCode::registrar(),
            aud: ORIGIN.to_owned(),
            iat: now(),
            publisher: self.id,
            on_behalf_of: None,
            seq,
            prev,
            event_type: EventType::parse("publisher.revoked").expect("a type"),
            version: 1,
            members: members.collect(),
            kept: Vec::new(),
        };
        sign(&draft, &self.key, || [0; 16]).expect("a sound draft").statement
    }
}
