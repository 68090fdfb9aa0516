//! A small ledger in memory, made with the core alone: it seals what it is given, sound or not, and signs its checkpoints.

use std::collections::BTreeMap;

use gt_core::bundle::Why;
use gt_core::entry::Entry;
use gt_core::json::Value;
use gt_core::link::LinkKey;
use gt_core::note::NoteSigner;
use gt_core::registry::{endorsement_message, proof_message};
use gt_core::statement::{Draft, DraftMember, EventType, Pseudonym, Statement, sign};
use gt_core::time::Timestamp;
use gt_core::tree::leaf_hash;
use gt_core::{Hash, LeafIndex, base64url};

use crate::document::object;
use crate::ledger::{ORIGIN, RECOVERY, REGISTRAR, SIGNED_AT, Writing, agency, id, key, note_signer, public};

/// The seed of the registrar's second key.
pub(crate) const SECOND_REGISTRAR: u8 = 4;
/// The seed of the ledger's two checkpoint keys.
pub(crate) const NOTE: u8 = 50;

/// An entry's bytes, and the statement that it seals.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) statement: String,
    /// Disclosures by member, those that were sent.
    pub(crate) sent: Vec<(String, String)>,
    /// Those that the publisher keeps.
    pub(crate) kept: Vec<(String, String)>,
}

/// Who signs, with which key, for whom.
#[derive(Clone, Copy)]
pub(crate) struct Signer {
    pub(crate) publisher: u8,
    pub(crate) key: u8,
    pub(crate) agency: &'static str,
    pub(crate) on_behalf_of: Option<&'static str>,
}

/// How a record is shown.
pub(crate) enum Show {
    Whole,
    WithKept,
    Without(&'static [(&'static str, Why)]),
    Absent(Why),
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) sealed: Vec<Sealed>,
    pub(super) registrar: Vec<u64>,
    registrar_head: (u64, Hash),
    pub(crate) registrar_key: u8,
    heads: BTreeMap<u8, (u64, Hash)>,
    pub(super) owned: BTreeMap<String, Vec<u64>>,
    genesis: Hash,
}

/// Statements are signed and sealed a minute apart.
pub(crate) fn time(index: u64) -> Timestamp {
    let minutes = i64::try_from(index).expect("small");
    Timestamp::from_millis(SIGNED_AT * 1000 + 250 + minutes * 60_000).expect("in range")
}

pub(crate) fn pseudonym(scheme: &str, whom: &str) -> Pseudonym {
    let hash = Hash::of(format!("bundle vectors: {whom}").as_bytes());
    Pseudonym::parse(&format!("{scheme}.1:{hash}")).expect("of its form")
}

pub(super) fn link_key(owner: &str) -> LinkKey {
    LinkKey::from_bytes(*Hash::of(format!("bundle vectors: link key of {owner}").as_bytes()).as_bytes())
}

pub(crate) fn ml_dsa_signer() -> NoteSigner {
    NoteSigner::ml_dsa(ORIGIN, &[NOTE; 32]).expect("a sound name")
}

/// The ledger's own witnesses: one with Ed25519, one with ML-DSA-44.
pub(crate) fn witnesses() -> [NoteSigner; 2] {
    [
        NoteSigner::cosigner("witness.example/north", &[60; 32]).expect("a sound name"),
        NoteSigner::ml_dsa("witness.example/south", &[61; 32]).expect("a sound name"),
    ]
}

/// `data` of `ledger.created` and `ledger.rotated`.
pub(crate) fn ledger_keys(registrar: u8, recovery: u8) -> Vec<(String, Value)> {
    let vkeys = [note_signer(NOTE), ml_dsa_signer()].map(|signer| signer.verifier_key().to_string().into());
    vec![
        ("origin".into(), Value::from(ORIGIN)),
        ("verifier_keys".into(), Value::Array(vkeys.into())),
        ("registrar".into(), public(registrar).to_jwk()),
        ("recovery".into(), public(recovery).to_jwk()),
    ]
}

impl World {
    /// A ledger with nothing but `ledger.created`.
    pub(crate) fn created(recovery: u8) -> Self {
        let data = object(ledger_keys(REGISTRAR, recovery));
        Self::beginning(&Writing::of_registrar(0, Hash::ZERO, "ledger.created", &data).signed_by(REGISTRAR))
    }

    /// A ledger whose first statement this is.
    pub(crate) fn beginning(compact: &str) -> Self {
        let mut world = Self {
            sealed: Vec::new(),
            registrar: Vec::new(),
            registrar_head: (0, Hash::ZERO),
            registrar_key: REGISTRAR,
            heads: BTreeMap::new(),
            owned: BTreeMap::new(),
            genesis: Hash::ZERO,
        };
        world.seal_of_registrar(compact);
        world.genesis = leaf_hash(&world.sealed[0].bytes);
        world
    }

    pub(crate) fn genesis(&self) -> Hash {
        self.genesis
    }

    pub(crate) fn size(&self) -> u64 {
        self.sealed.len() as u64
    }

    pub(crate) fn is_registrars(&self, index: u64) -> bool {
        self.registrar.contains(&index)
    }

    /// Seals the next statement of the registrar.
    pub(crate) fn registrar(&mut self, event_type: &str, members: Vec<(String, Value)>) -> &mut Self {
        let writing = self.of_registrar(event_type, members);
        self.seal_of_registrar(&writing.signed_by(self.registrar_key));
        self
    }

    /// What the registrar's next statement says, if nothing is done to it.
    pub(crate) fn of_registrar(&self, event_type: &str, members: Vec<(String, Value)>) -> Writing {
        Writing::of_registrar(self.registrar_head.0, self.registrar_head.1, event_type, &object(members))
    }

    pub(crate) fn seal_of_registrar(&mut self, compact: &str) {
        self.seal_of_registrar_with(compact, |_| {});
    }

    /// The same; `tweak` may do to the entry what no sealer does.
    pub(crate) fn seal_of_registrar_with(&mut self, compact: &str, tweak: impl FnOnce(&mut Entry)) {
        self.registrar.push(self.size());
        let jws = compact.trim_end_matches('~').to_owned();
        self.registrar_head = (self.registrar_head.0 + 1, Hash::of(jws.as_bytes()));
        self.seal(jws, Vec::new(), &[], tweak);
    }

    /// The members that enrol the key `seed` for a publisher.
    pub(crate) fn new_key(
        &self,
        publisher: u8,
        seed: u8,
        code: &str,
        endorser: Option<u8>,
    ) -> Vec<(String, Value)> {
        let (publisher, code) = (id(publisher), agency(code));
        let text = |bytes: [u8; 64]| Value::String(base64url::encode(&bytes));
        let proof = key(seed).sign(&proof_message(&self.genesis, &publisher, &code));
        let mut members = vec![
            ("publisher".to_owned(), Value::String(publisher.to_string())),
            ("key".to_owned(), public(seed).to_jwk()),
            ("proof".to_owned(), text(proof)),
        ];
        if let Some(endorser) = endorser {
            let message = endorsement_message(&self.genesis, &publisher, &id(seed), &code);
            let kid = Value::String(id(endorser).to_string());
            let endorsement = object([("kid", kid), ("signature", text(key(endorser).sign(&message)))]);
            members.push(("endorsement".to_owned(), endorsement));
        }
        members
    }

    pub(crate) fn registration(
        &self,
        seed: u8,
        code: &str,
        name: &str,
        endorser: Option<u8>,
    ) -> Vec<(String, Value)> {
        let mut members = self.new_key(seed, seed, code, endorser);
        members.extend([
            ("agency".to_owned(), Value::from(code)),
            ("name".to_owned(), Value::from(name)),
            ("kind".to_owned(), Value::from("case_system")),
        ]);
        members
    }

    /// What an agency's next statement says.
    pub(crate) fn draft(&self, by: Signer, event: &str, members: Vec<(&str, DraftMember)>) -> Draft {
        let (seq, prev) = self.heads.get(&by.publisher).copied().unwrap_or((0, self.genesis));
        Draft {
            iss: agency(by.agency),
            aud: ORIGIN.to_owned(),
            iat: time(self.size()).as_seconds() - 5,
            publisher: id(by.publisher),
            on_behalf_of: by.on_behalf_of.map(agency),
            seq,
            prev,
            event_type: EventType::parse(event).expect("a type"),
            version: 1,
            members: members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect(),
            kept: Vec::new(),
        }
    }

    /// Seals an agency's next statement.
    pub(crate) fn state(&mut self, by: Signer, event: &str, members: Vec<(&str, DraftMember)>) -> &mut Self {
        let draft = self.draft(by, event, members);
        self.seal_draft(by, &draft, |_| {})
    }

    /// Signs and seals a draft; `tweak` may do to the entry what no sealer does.
    pub(crate) fn seal_draft(
        &mut self,
        by: Signer,
        draft: &Draft,
        tweak: impl FnOnce(&mut Entry),
    ) -> &mut Self {
        let mut salts = 0_u64;
        let index = self.size();
        let salt = || {
            salts += 1;
            let hash = Hash::of_parts(&[b"bundle vectors: salt", &index.to_be_bytes(), &salts.to_be_bytes()]);
            hash.as_bytes()[..16].try_into().expect("16 of 32")
        };
        let signed = sign(draft, &key(by.key), salt).expect("a draft for a sound statement");
        self.heads.insert(by.publisher, (draft.seq + 1, signed.statement.hash()));
        let owners: Vec<String> = signed
            .statement
            .ownership()
            .expect("sound owners")
            .distinct
            .iter()
            .map(|owner| owner.key_text().into_owned())
            .collect();
        let sent = with_members(&signed.statement);
        let jws = signed.statement.jws().to_owned();
        self.seal(jws, sent, &owners, tweak);
        self.sealed.last_mut().expect("sealed above").kept = signed.kept;
        self
    }

    /// Seals whatever this is.
    pub(crate) fn seal(
        &mut self,
        jws: String,
        sent: Vec<(String, String)>,
        owners: &[String],
        tweak: impl FnOnce(&mut Entry),
    ) {
        let index = self.size();
        let mut links = Vec::new();
        for owner in owners {
            let entries = self.owned.entry(owner.clone()).or_default();
            links.push(link_key(owner).link(entries.len() as u64));
            entries.push(index);
        }
        links.sort_by_key(ToString::to_string);
        let mut entry = Entry {
            index: LeafIndex(index),
            prev: self.sealed.last().map_or(Hash::ZERO, |last| leaf_hash(&last.bytes)),
            received_at: time(index),
            registry: self.registrar.iter().filter(|earlier| **earlier < index).count() as u64,
            links,
            statement: Hash::of(jws.as_bytes()),
        };
        tweak(&mut entry);
        self.sealed.push(Sealed { bytes: entry.to_bytes(), statement: jws, sent, kept: Vec::new() });
    }
}

fn with_members(statement: &Statement) -> Vec<(String, String)> {
    let members = statement.payload().data.members();
    let sent = statement.disclosures().iter();
    sent.map(|sent| (members[sent.member_position()].name().to_owned(), sent.text().to_owned())).collect()
}

pub(crate) fn at(index: u64) -> usize {
    usize::try_from(index).expect("small")
}

/// The usual recovery key.
pub(crate) fn usual() -> World {
    World::created(RECOVERY)
}
