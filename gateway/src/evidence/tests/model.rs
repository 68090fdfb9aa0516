//! A ledger in memory that is the same at every run: its keys, salts and times are fixed.

use std::collections::BTreeMap;

use gt_core::agency::AgencyCode;
use gt_core::bundle::{About, Bundle, BundleRecord, LeftOut, Manifest, StatedRecord, Why};
use gt_core::checkpoint::{Checkpoint, LogSigner};
use gt_core::entry::Entry;
use gt_core::json::Value;
use gt_core::key::PrivateKey;
use gt_core::prove::{self, MemoryTiles};
use gt_core::receipt::Proof;
use gt_core::registry::proof_message;
use gt_core::statement::{Disclosure, Draft, DraftMember, EventType, Statement, sign};
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, TreeSize, base64url};
use gt_ledger::create::{NewPublisher, registration};
use gt_schemas::{Place, members_at};

const ORIGIN: &str = "ledger.example/evidence";
const BEGAN: i64 = 1_782_860_400_000;
const MINUTE: i64 = 60_000;

struct Publisher {
    key: PrivateKey,
    seq: u64,
    prev: Hash,
}

pub(in crate::evidence) struct Model {
    signer: LogSigner,
    registrar: Publisher,
    publishers: BTreeMap<String, Publisher>,
    /// The name of every publisher's system.
    system: String,
    tiles: MemoryTiles,
    sealed: Vec<(Entry, Statement)>,
    salts: u64,
}

impl Model {
    pub(in crate::evidence) fn new() -> Self {
        Self::named("Case system")
    }

    pub(in crate::evidence) fn named(system: &str) -> Self {
        let registrar = Publisher { key: PrivateKey::from_seed(&[2; 32]), seq: 0, prev: Hash::ZERO };
        let mut model = Self {
            signer: LogSigner::new(ORIGIN, &[1; 32], None).unwrap(),
            registrar,
            publishers: BTreeMap::new(),
            system: system.to_owned(),
            tiles: MemoryTiles::new(),
            sealed: Vec::new(),
            salts: 0,
        };
        model.create();
        model
    }

    fn create(&mut self) {
        let keys = self.signer.verifier_keys();
        let recovery = PrivateKey::from_seed(&[3; 32]).public().to_jwk();
        let members = vec![
            ("origin", Value::from(ORIGIN)),
            ("verifier_keys", Value::Array(keys.iter().map(|key| Value::String(key.to_string())).collect())),
            ("registrar", self.registrar.key.public().to_jwk()),
            ("recovery", recovery),
        ];
        self.registrar_says("ledger.created", members);
    }

    fn registrar_says(&mut self, kind: &str, members: Vec<(&str, Value)>) {
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), DraftMember::Clear(value)));
        let draft = Draft {
            iss: AgencyCode::registrar(),
            aud: ORIGIN.into(),
            iat: BEGAN / 1000,
            publisher: self.registrar.key.public().thumbprint(),
            on_behalf_of: None,
            seq: self.registrar.seq,
            prev: self.registrar.prev,
            event_type: EventType::parse(kind).unwrap(),
            version: 1,
            members: members.collect(),
            kept: Vec::new(),
        };
        let statement = sign(&draft, &self.registrar.key, || [0; 16]).unwrap().statement;
        self.push_registrar(statement);
    }

    fn push_registrar(&mut self, statement: Statement) {
        self.registrar.seq += 1;
        self.registrar.prev = statement.hash();
        self.push(statement);
    }

    fn push(&mut self, statement: Statement) {
        let index = self.sealed.len() as u64;
        let registrar = self.registrar.key.public().thumbprint();
        let before = self.sealed.iter().filter(|(_, one)| one.payload().publisher == registrar).count();
        let entry = Entry {
            index: LeafIndex(index),
            prev: self.sealed.last().map_or(Hash::ZERO, |(entry, _)| entry.leaf_hash()),
            received_at: Timestamp::from_millis(BEGAN + MINUTE * i64::try_from(index).unwrap()).unwrap(),
            registry: before as u64,
            links: Vec::new(),
            statement: statement.hash(),
        };
        self.tiles.push(entry.leaf_hash());
        self.sealed.push((entry, statement));
    }

    fn genesis(&self) -> Hash {
        self.sealed[0].0.leaf_hash()
    }

    fn enrol(&mut self, code: &str) {
        let seed = u8::try_from(10 + self.publishers.len()).unwrap();
        let (key, agency) = (PrivateKey::from_seed(&[seed; 32]), AgencyCode::parse(code).unwrap());
        let (id, genesis) = (key.public().thumbprint(), self.genesis());
        let new = NewPublisher {
            agency: &agency,
            name: &self.system,
            kind: "council",
            key: key.public().to_jwk(),
            publisher: id,
            proof: base64url::encode(&key.sign(&proof_message(&genesis, &id, &agency))),
            endorsement: None,
            recovery: false,
        };
        let Publisher { key: registrar, seq, prev } = &self.registrar;
        let registrar_id = registrar.public().thumbprint();
        let statement =
            registration(registrar, registrar_id, ORIGIN, *seq, *prev, BEGAN / 1000, &new).unwrap();
        self.push_registrar(statement);
        self.publishers.insert(code.to_owned(), Publisher { key, seq: 0, prev: genesis });
    }

    /// Revokes an agency's system, whose statements are in doubt from the ledger's first minute on.
    pub(in crate::evidence) fn revoke(&mut self, code: &str) {
        let id = self.publishers[code].key.public().thumbprint();
        let since = Timestamp::from_millis(BEGAN).unwrap();
        self.registrar_says(
            "publisher.revoked",
            vec![
                ("publisher", Value::String(id.to_string())),
                ("reason", Value::from("key_compromised")),
                ("suspect_from", Value::String(since.to_string())),
            ],
        );
    }

    /// Seals an event, of which some members are kept at home.
    pub(in crate::evidence) fn seal(
        &mut self,
        agency: &str,
        kind: &str,
        version: u16,
        data: &serde_json::Value,
        kept: &[&str],
    ) {
        let known = members_at(gt_schemas::EventType::parse(kind).unwrap(), version).unwrap();
        let strict = |value: &serde_json::Value| Value::parse(value.to_string().as_bytes()).unwrap();
        let member = |(name, value): (&String, &serde_json::Value)| {
            let place = known.iter().find(|member| member.name == name).unwrap().place;
            let member = match place {
                Place::Clear => DraftMember::Clear(strict(value)),
                Place::Disclosed { many: true, .. } => {
                    DraftMember::Disclosed(value.as_array().unwrap().iter().map(strict).collect())
                }
                Place::Disclosed { many: false, .. } => DraftMember::Disclosed(vec![strict(value)]),
            };
            (name.clone(), member)
        };
        // A draft names among its members those that are to be kept at home.
        let own_kept = data["kept"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
        let kept: Vec<&str> = own_kept.chain(kept.iter().copied()).collect();
        let members = data.as_object().unwrap().iter().filter(|(name, _)| *name != "kept").map(member);
        self.seal_members(agency, kind, version, members.collect(), &kept);
    }

    pub(in crate::evidence) fn seal_members(
        &mut self,
        agency: &str,
        kind: &str,
        version: u16,
        members: Vec<(String, DraftMember)>,
        kept: &[&str],
    ) {
        if !self.publishers.contains_key(agency) {
            self.enrol(agency);
        }
        let publisher = self.publishers.get_mut(agency).unwrap();
        let is_here = |name: &&&str| members.iter().any(|(member, _)| member == **name);
        let draft = Draft {
            iss: AgencyCode::parse(agency).unwrap(),
            aud: ORIGIN.into(),
            iat: BEGAN / 1000,
            publisher: publisher.key.public().thumbprint(),
            on_behalf_of: None,
            seq: publisher.seq,
            prev: publisher.prev,
            event_type: EventType::parse(kind).unwrap(),
            version,
            kept: kept.iter().filter(is_here).map(|name| (*name).to_owned()).collect(),
            members,
        };
        let salts = &mut self.salts;
        let salt = || {
            *salts += 1;
            *Hash::of(&salts.to_be_bytes()).as_bytes().first_chunk().unwrap()
        };
        let statement = sign(&draft, &publisher.key, salt).unwrap().statement;
        publisher.seq += 1;
        publisher.prev = statement.hash();
        self.push(statement);
    }

    pub(in crate::evidence) fn last(&self) -> LeafIndex {
        LeafIndex(self.sealed.len() as u64 - 1)
    }

    fn proof(&self, index: LeafIndex) -> String {
        let size = TreeSize(self.sealed.len() as u64);
        let proof = prove::inclusion(&self.tiles, index, size).unwrap();
        let entry = self.sealed[usize::try_from(index.0).unwrap()].0.to_bytes();
        Proof { extra: Some(entry), index, path: proof.path }.to_string()
    }

    /// A bundle of all that is sealed, without the disclosures of these members.
    pub(in crate::evidence) fn bundle(&self, about: About, without: &[&str]) -> Bundle {
        let registrar_id = self.registrar.key.public().thumbprint();
        let (mut registrar, mut records, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for (entry, statement) in &self.sealed {
            let record = self.record(entry.index, statement, without);
            if statement.payload().publisher == registrar_id {
                registrar.push(record);
            } else {
                entries.push(entry.index);
                records.push(BundleRecord::Stated(record));
            }
        }
        let size = TreeSize(self.sealed.len() as u64);
        let root = prove::root(&self.tiles, size).unwrap();
        let checkpoint = self.signer.sign(Checkpoint::new(ORIGIN, size, root).unwrap()).unwrap();
        let made_at = Timestamp::from_millis(BEGAN + 100 * MINUTE).unwrap();
        Bundle {
            manifest: Manifest { about, made_at, entries },
            checkpoint: checkpoint.to_string(),
            consistency: Vec::new(),
            registrar,
            tip: self.proof(self.last()),
            records,
            completeness: Vec::new(),
        }
    }

    fn record(&self, index: LeafIndex, statement: &Statement, without: &[&str]) -> StatedRecord {
        let members = statement.payload().data.members();
        let is_withheld = |one: &&Disclosure| without.contains(&members[one.member_position()].name());
        let (withheld, here): (Vec<_>, Vec<_>) = statement.disclosures().iter().partition(is_withheld);
        StatedRecord {
            proof: self.proof(index),
            statement: statement.jws().to_owned(),
            disclosures: here.iter().map(|one| one.text().to_owned()).collect(),
            left_out: withheld
                .iter()
                .map(|one| LeftOut { digest: one.digest(), why: Why::Withheld })
                .collect(),
        }
    }
}
