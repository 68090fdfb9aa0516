//! Step 4: the registrar's chain, from which it is known whose key spoke when.

use super::super::StatedRecord;
use super::finding::{Findings, Whom};
use super::proven::Proven;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::position::LeafIndex;
use crate::registry::{Registry, SignerError};
use crate::statement::Statement;
use crate::verify::{Pin, verify_authorship};

const PROOF: &str = "proof";
const STATEMENT: &str = "statement";

/// A broken rule: its code, and the record's member at which it was noticed.
type Broken = (&'static str, &'static str);

/// The registrar's statements, checked, with their entries.
pub(super) struct RegistrarChain {
    links: Vec<(Proven, Statement)>,
    registry: Registry,
}

/// Checks the whole chain. The first fault ends the check of the bundle: without the registry no signature can be judged.
pub(super) fn check(
    records: &[StatedRecord],
    head: &Checkpoint,
    pin: Option<&Pin>,
    findings: &mut Findings,
) -> Option<RegistrarChain> {
    let mut chain: Option<RegistrarChain> = None;
    for (position, record) in records.iter().enumerate() {
        let checked = match chain {
            None => RegistrarChain::begin(record, head, pin),
            Some(chain) => chain.extend(record, head),
        };
        match checked {
            Ok(longer) => chain = Some(longer),
            Err((code, member)) => {
                findings.fault(code, format!("/registrar/{position}/{member}"), Whom::Registrar(position));
                return None;
            }
        }
    }
    chain
}

impl RegistrarChain {
    /// Reads `ledger.created`, which says by which key it is signed.
    fn begin(record: &StatedRecord, head: &Checkpoint, pin: Option<&Pin>) -> Result<Self, Broken> {
        let (proven, statement) = read(record, head)?;
        let payload = statement.payload();
        if proven.entry.index != LeafIndex(0) {
            return Err(("not_genesis", STATEMENT));
        }
        if pin.and_then(|pin| pin.genesis).is_some_and(|genesis| genesis != proven.leaf_hash) {
            return Err(("other_genesis", PROOF));
        }
        let registry =
            Registry::create(proven.leaf_hash, payload).map_err(|error| (error.code(), STATEMENT))?;
        if payload.aud != head.origin() {
            return Err(("wrong_audience", STATEMENT));
        }
        statement.verify(&registry.ledger_keys().registrar).map_err(|error| (error.code(), STATEMENT))?;
        finish(record, &proven, 0)?;
        Ok(Self { links: vec![(proven, statement)], registry })
    }

    fn extend(mut self, record: &StatedRecord, head: &Checkpoint) -> Result<Self, Broken> {
        let position = self.links.len() as u64;
        let (before, said_before) = self.links.last().expect("a chain begins with ledger.created");
        let proven = Proven::read(&record.proof, head).map_err(|code| (code, PROOF))?;
        if proven.entry.index <= before.entry.index {
            return Err(("record_order", PROOF));
        }
        let statement = read_statement(record, &proven)?;
        let payload = statement.payload();
        if payload.publisher != self.registry.registrar_id() {
            return Err((SignerError::UnknownPublisher.code(), STATEMENT));
        }
        verify_authorship(&statement, &self.registry).map_err(|fault| (fault.code(), STATEMENT))?;
        if payload.seq != position {
            return Err(("chain_gap", STATEMENT));
        }
        if payload.prev != said_before.hash() {
            return Err(("chain_prev", STATEMENT));
        }
        self.registry.apply(proven.entry.index, payload).map_err(|error| (error.code(), STATEMENT))?;
        finish(record, &proven, position)?;
        self.links.push((proven, statement));
        Ok(self)
    }

    /// How many statements the registrar has made.
    pub(super) fn len(&self) -> u64 {
        self.links.len() as u64
    }

    /// The leaf hash of entry 0.
    pub(super) fn genesis(&self) -> Hash {
        self.registry.genesis()
    }

    /// The registry as it stands after the whole chain.
    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The registrar's entries, by rising index.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Proven> {
        self.links.iter().map(|(proven, _)| proven)
    }

    /// How many of the registrar's statements stand below an index.
    pub(super) fn below(&self, index: LeafIndex) -> u64 {
        self.links.partition_point(|(proven, _)| proven.entry.index < index) as u64
    }

    /// Whether the entry at this index is the registrar's.
    pub(super) fn holds(&self, index: LeafIndex) -> bool {
        self.links.binary_search_by_key(&index, |(proven, _)| proven.entry.index).is_ok()
    }

    /// The registry as it stood, from its beginning on.
    pub(super) fn replay(&self) -> Replay<'_> {
        let (_, created) = self.links.first().expect("a chain begins with ledger.created");
        let registry = Registry::create(self.genesis(), created.payload()).expect("it was created before");
        Replay { chain: self, registry, applied: 1 }
    }
}

/// The registry at rising indexes.
pub(super) struct Replay<'a> {
    chain: &'a RegistrarChain,
    registry: Registry,
    applied: usize,
}

impl Replay<'_> {
    /// The registry as it stood before the entry at `index`, which is not below that of an earlier call.
    pub(super) fn before(&mut self, index: LeafIndex) -> &Registry {
        while let Some((proven, statement)) = self.chain.links.get(self.applied)
            && proven.entry.index < index
        {
            self.registry
                .apply(proven.entry.index, statement.payload())
                .expect("the same statement was applied before");
            self.applied += 1;
        }
        &self.registry
    }
}

fn read(record: &StatedRecord, head: &Checkpoint) -> Result<(Proven, Statement), Broken> {
    let proven = Proven::read(&record.proof, head).map_err(|code| (code, PROOF))?;
    let statement = read_statement(record, &proven)?;
    Ok((proven, statement))
}

fn read_statement(record: &StatedRecord, proven: &Proven) -> Result<Statement, Broken> {
    let statement =
        Statement::from_parts(&record.statement, []).map_err(|error| (error.code(), STATEMENT))?;
    if statement.hash() == proven.entry.statement {
        Ok(statement)
    } else {
        Err(("other_statement", STATEMENT))
    }
}

/// What is looked at last: the entry's count, and that nothing is disclosed of a statement that has nothing to disclose.
fn finish(record: &StatedRecord, proven: &Proven, position: u64) -> Result<(), Broken> {
    if proven.entry.registry != position {
        return Err(("registry_count", PROOF));
    }
    if record.disclosures.is_empty() && record.left_out.is_empty() {
        Ok(())
    } else {
        Err(("left_out_differs", "left_out"))
    }
}
