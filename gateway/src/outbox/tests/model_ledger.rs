//! A ledger in memory for the tests of this crate: real statements, chain rules, entries, proofs and signatures, and the
//! schemas' own check.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gt_core::agency::AgencyCode;
use gt_core::chain::{Chain, Place};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::entry::Entry;
use gt_core::hash::Hash;
use gt_core::json::Value;
use gt_core::key::PublicKey;
use gt_core::note::NoteSigner;
use gt_core::position::LeafIndex;
use gt_core::prove::{self, MemoryTiles};
use gt_core::receipt::Receipt;
use gt_core::statement::Statement;
use gt_core::time::Timestamp;
use gt_ledger::values::{Clear as _, to_serde};
use serde_json::json;

use crate::client::{Answer, Head};
use crate::outbox::{Pin, Problem};

pub(crate) const AGENCY: &str = "police:32";

/// A ledger with one registered publisher. It is older than the schemas: it does not know [`Self::UNKNOWN`].
#[derive(Clone)]
pub(crate) struct ModelLedger {
    origin: String,
    publisher: PublicKey,
    pub(crate) registered: bool,
    tiles: MemoryTiles,
    entries: Vec<Entry>,
    chain: Chain,
    /// What is sealed, in order.
    pub(crate) sealed: Vec<Statement>,
}

impl ModelLedger {
    /// The event type that this ledger refuses.
    pub(crate) const UNKNOWN: &str = "context.linked";

    pub(crate) fn new(publisher: PublicKey) -> Self {
        Self::of_origin("log.example/thread", publisher)
    }

    pub(crate) fn of_origin(origin: &str, publisher: PublicKey) -> Self {
        let mut ledger = Self {
            origin: origin.to_owned(),
            publisher,
            registered: true,
            tiles: MemoryTiles::new(),
            entries: Vec::new(),
            chain: Chain::new(Hash::ZERO),
            sealed: Vec::new(),
        };
        ledger.append(Hash::of(origin.as_bytes()));
        ledger.chain = Chain::new(ledger.entries[0].leaf_hash());
        ledger
    }

    fn signer(&self) -> NoteSigner {
        NoteSigner::new(&self.origin, &[9; 32]).unwrap()
    }

    pub(crate) fn pin(&self) -> Pin {
        let verifier_keys = vec![self.signer().verifier_key().clone()];
        Pin { origin: self.origin.clone(), genesis: self.entries[0].leaf_hash(), verifier_keys }
    }

    pub(crate) fn publisher(&self) -> Hash {
        self.publisher.thumbprint()
    }

    pub(crate) fn size(&self) -> u64 {
        self.tiles.size().0
    }

    pub(crate) fn head(&self) -> Head {
        Head { next_seq: self.chain.next_seq(), head: self.chain.head() }
    }

    pub(crate) fn submit<S: AsRef<str>>(&mut self, statements: &[S]) -> Vec<Answer> {
        statements.iter().map(|statement| self.submit_one(statement.as_ref())).collect()
    }

    fn submit_one(&mut self, text: &str) -> Answer {
        let refused = |code: &str| Answer::Refused(Problem::new(422, code, "Refused", "refused"));
        let statement = match Statement::parse(text.as_bytes()) {
            Ok(statement) => statement,
            Err(error) => return refused(error.code()),
        };
        let payload = statement.payload();
        if !self.registered {
            return refused("unknown_publisher");
        }
        if let Err(error) = statement.verify(&self.publisher) {
            return refused(error.code());
        }
        assert_eq!((payload.iss.as_str(), &payload.aud), (AGENCY, &self.origin));
        match self.chain.place(payload.seq, &payload.prev) {
            Place::Taken(index)
                if self.entries[usize::try_from(index.0).unwrap()].statement == statement.hash() =>
            {
                return Answer::Sealed { receipt: self.receipt(index) };
            }
            Place::Taken(_) => return refused("chain_fork"),
            Place::TakenEarlier => unreachable!("this ledger keeps all of a chain in memory"),
            Place::Gap => return refused("chain_gap"),
            Place::OtherPredecessor => return refused("chain_prev"),
            Place::Next if payload.event_type.as_str() == Self::UNKNOWN => return refused("unknown_type"),
            Place::Next => {}
        }
        check_as_a_sealer_does(&statement);
        let index = self.append(statement.hash());
        self.chain.push(index, statement.hash());
        self.sealed.push(statement);
        Answer::Sealed { receipt: self.receipt(index) }
    }

    fn append(&mut self, statement: Hash) -> LeafIndex {
        let entry = Entry {
            index: self.tiles.size().next_index(),
            prev: self.entries.last().map_or(Hash::ZERO, Entry::leaf_hash),
            received_at: Timestamp::from_millis(1_770_000_000_000).unwrap(),
            registry: u64::from(!self.entries.is_empty()),
            links: Vec::new(),
            statement,
        };
        self.tiles.push(entry.leaf_hash());
        self.entries.push(entry.clone());
        entry.index
    }

    fn receipt(&self, index: LeafIndex) -> String {
        let size = self.tiles.size();
        let checkpoint =
            Checkpoint::new(&self.origin, size, prove::root(&self.tiles, size).unwrap()).unwrap();
        let checkpoint = SignedCheckpoint::sign(checkpoint, &[&self.signer()]).unwrap();
        let path = prove::inclusion(&self.tiles, index, size).unwrap().path;
        let entry = &self.entries[usize::try_from(index.0).unwrap()];
        Receipt { extra: Some(entry.to_bytes()), index, path, checkpoint }.to_string()
    }

    /// The `refs.police_ref` of everything sealed, in order: where these tests write a draft's id.
    pub(crate) fn sealed_ids(&self) -> Vec<String> {
        let id = |statement: &Statement| {
            let refs = |value: &Value| value.as_object()?.get("police_ref")?.as_str().map(str::to_owned);
            statement
                .disclosures()
                .iter()
                .find_map(|disclosure| refs(&disclosure.value().to_value()))
                .unwrap()
        };
        self.sealed.iter().map(id).collect()
    }
}

fn check_as_a_sealer_does(statement: &Statement) {
    statement.require_complete().unwrap();
    statement.ownership().unwrap();
    let data = &statement.payload().data;
    let clear = data.to_map();
    let mut disclosed: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for disclosure in statement.disclosures() {
        let member = data.members()[disclosure.member_position()].name();
        disclosed.entry(member.to_owned()).or_default().push(to_serde(disclosure.value()));
    }
    let payload = statement.payload();
    let name = payload.event_type.as_str();
    let said = gt_schemas::SignedData::of_values(&clear, &disclosed);
    gt_schemas::validate_opened(name, payload.version, &said, data.kept()).unwrap();
}

/// A draft that this ledger seals, with its id in a disclosure.
pub(crate) fn sound_draft(id: &str) -> Vec<u8> {
    let mut data = example("missing.ended");
    data["refs"]["police_ref"] = id.into();
    serde_json::to_vec(&json!({"id": id, "type": "missing.ended", "data": data})).unwrap()
}

/// A draft that this ledger refuses.
pub(crate) fn refused_draft(id: &str) -> Vec<u8> {
    let mut data = example(ModelLedger::UNKNOWN);
    data["refs"]["case"] = id.into();
    serde_json::to_vec(&json!({"id": id, "type": ModelLedger::UNKNOWN, "data": data})).unwrap()
}

fn example(name: &str) -> serde_json::Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/examples");
    serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

pub(crate) fn agency() -> AgencyCode {
    AgencyCode::parse(AGENCY).unwrap()
}
