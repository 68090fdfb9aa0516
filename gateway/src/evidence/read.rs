//! Taking a bundle apart for the page. Nothing is verified here; what does not read is an error.

use std::collections::BTreeMap;

use gt_core::bundle::{About, Bundle, BundleRecord, StatedRecord, Why};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint, SignedCheckpointError};
use gt_core::entry::{Entry, EntryError};
use gt_core::receipt::{Proof, ReceiptError};
use gt_core::registry::{Registry, RegistryError};
use gt_core::statement::{Payload, Statement, StatementError};
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};
use gt_ledger::values::{Clear as _, to_serde};
use gt_schemas::{Event, SignedData};
use serde_json::{Map, Value};

/// Why there is no page of a bundle.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Its checkpoint does not read.
    #[error("the bundle's checkpoint does not read")]
    Checkpoint(#[source] SignedCheckpointError),
    /// A proof does not read.
    #[error("{place}: the proof does not read")]
    Proof {
        /// Where: a JSON pointer.
        place: String,
        /// Why.
        #[source]
        source: ReceiptError,
    },
    /// A proof has no entry, or one that does not read.
    #[error("{place}: the proof holds no entry")]
    Entry {
        /// Where.
        place: String,
        /// Why, if there is one.
        #[source]
        source: Option<EntryError>,
    },
    /// A statement or a disclosure does not read.
    #[error("{place}: the statement does not read")]
    Statement {
        /// Where.
        place: String,
        /// Why.
        #[source]
        source: StatementError,
    },
    /// A statement of the registrar breaks the registry's rules.
    #[error("{place}: the registrar's statement breaks a rule of the registry")]
    Registry {
        /// Where.
        place: String,
        /// Why.
        #[source]
        source: RegistryError,
    },
}

/// A bundle, taken apart.
pub(super) struct Evidence<'b> {
    pub(super) bundle: &'b Bundle,
    pub(super) head: Checkpoint,
    /// The hash of the bundle's text, as it is written to a file.
    pub(super) text_hash: Hash,
    /// The registry as it stands at the checkpoint.
    pub(super) registry: Registry,
    pub(super) registrar: Vec<(Proven, Statement)>,
    pub(super) records: Vec<Record>,
}

/// An entry, with what is shown of its statement.
pub(super) struct Record {
    pub(super) proven: Proven,
    pub(super) content: Result<Box<Said>, Why>,
}

/// An entry and what its proof is made of.
pub(super) struct Proven {
    pub(super) entry: Entry,
    pub(super) leaf_hash: Hash,
    /// How many hashes lead from it to the root.
    pub(super) hashes: usize,
}

/// What a statement says.
pub(super) struct Said {
    pub(super) statement: Statement,
    /// The members in the clear.
    pub(super) clear: Map<String, Value>,
    /// What is disclosed here, by member.
    pub(super) disclosed: BTreeMap<String, Vec<Value>>,
    /// The members, or elements of members, that are not here, and why.
    pub(super) left_out: Vec<(String, Why)>,
    /// The event, if this program can interpret it.
    pub(super) event: Option<Event>,
}

impl<'b> Evidence<'b> {
    pub(super) fn read(bundle: &'b Bundle) -> Result<Self, EvidenceError> {
        let signed =
            SignedCheckpoint::parse(bundle.checkpoint.as_bytes()).map_err(EvidenceError::Checkpoint)?;
        let mut registrar = Vec::with_capacity(bundle.registrar.len());
        let mut registry: Option<Registry> = None;
        for (position, record) in bundle.registrar.iter().enumerate() {
            let place = format!("/registrar/{position}");
            let proven = Proven::read(&record.proof, &place)?;
            let statement = statement(record, &place)?;
            let payload = statement.payload();
            let applied = match &mut registry {
                Some(registry) => registry.apply(proven.entry.index, payload),
                none => Registry::create(proven.leaf_hash, payload).map(|created| *none = Some(created)),
            };
            applied.map_err(|source| EvidenceError::Registry { place, source })?;
            registrar.push((proven, statement));
        }
        let registry =
            registry.ok_or_else(|| EvidenceError::Entry { place: "/registrar".to_owned(), source: None })?;
        let read = |(position, record)| Record::read(record, &format!("/records/{position}"));
        Ok(Self {
            bundle,
            head: signed.checkpoint().clone(),
            text_hash: Hash::of(bundle.to_string().as_bytes()),
            registry,
            registrar,
            records: bundle.records.iter().enumerate().map(read).collect::<Result<_, _>>()?,
        })
    }

    /// How sentences name the child of a statement.
    pub(super) fn child(&self) -> &'static str {
        if matches!(self.bundle.manifest.about, About::Child { .. }) { "the child" } else { "a child" }
    }

    /// The time from which on what this statement's publisher signed is in doubt, if this was received then or later.
    pub(super) fn in_doubt_since(&self, record: &Record) -> Option<Timestamp> {
        let said = record.content.as_ref().ok()?;
        let publisher = self.registry.publisher(&said.payload().publisher)?;
        publisher.revoked?.1.filter(|since| record.proven.entry.received_at >= *since)
    }
}

impl Record {
    fn read(record: &BundleRecord, place: &str) -> Result<Self, EvidenceError> {
        let proven = Proven::read(record.proof(), place)?;
        let content = match record {
            BundleRecord::Absent { why, .. } => Err(*why),
            BundleRecord::Stated(record) => Ok(Box::new(Said::of(record, statement(record, place)?))),
        };
        Ok(Self { proven, content })
    }

    pub(super) fn index(&self) -> LeafIndex {
        self.proven.entry.index
    }

    /// When it happened, as its statement says; else when it was received.
    pub(super) fn sorted_by(&self) -> (i64, LeafIndex) {
        let occurred = self.content.as_ref().ok().and_then(|said| said.event.as_ref()?.occurred_at());
        let at = occurred.map_or(self.proven.entry.received_at.as_millis(), gt_schemas::Time::as_millis);
        (at, self.index())
    }
}

impl Proven {
    fn read(proof: &str, place: &str) -> Result<Self, EvidenceError> {
        let place = || format!("{place}/proof");
        let proof = Proof::parse(proof).map_err(|source| EvidenceError::Proof { place: place(), source })?;
        let bytes =
            proof.extra.as_deref().ok_or_else(|| EvidenceError::Entry { place: place(), source: None })?;
        let entry = Entry::parse(bytes)
            .map_err(|source| EvidenceError::Entry { place: place(), source: Some(source) })?;
        Ok(Self { leaf_hash: gt_core::tree::leaf_hash(bytes), entry, hashes: proof.path.len() })
    }
}

impl Said {
    fn of(record: &StatedRecord, statement: Statement) -> Self {
        let data = &statement.payload().data;
        let clear = data.to_map();
        let mut ordered: Vec<_> = statement.disclosures().iter().collect();
        ordered.sort_by_key(|disclosure| (disclosure.member_position(), disclosure.element()));
        let mut disclosed: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for disclosure in ordered {
            let name = data.members()[disclosure.member_position()].name();
            disclosed.entry(name.to_owned()).or_default().push(to_serde(disclosure.value()));
        }
        let name =
            |digest: &Hash| data.find(digest).map(|(member, _)| data.members()[member].name().to_owned());
        let left_out = record.left_out.iter().filter_map(|one| Some((name(&one.digest)?, one.why))).collect();
        let (kind, version) = (statement.payload().event_type.as_str(), statement.payload().version);
        let data = SignedData::of_values(&clear, &disclosed);
        let event = gt_schemas::read_opened(kind, version, &data).ok();
        Self { statement, clear, disclosed, left_out, event }
    }

    pub(super) fn payload(&self) -> &Payload {
        self.statement.payload()
    }

    /// The names of what its publisher keeps at home and has not shown since.
    pub(super) fn kept(&self) -> impl Iterator<Item = &String> {
        let kept = self.payload().data.kept().iter();
        kept.filter(|name| !self.disclosed.contains_key(*name))
    }
}

fn statement(record: &StatedRecord, place: &str) -> Result<Statement, EvidenceError> {
    Statement::from_parts(&record.statement, record.disclosures.iter().map(String::as_str))
        .map_err(|source| EvidenceError::Statement { place: place.to_owned(), source })
}
