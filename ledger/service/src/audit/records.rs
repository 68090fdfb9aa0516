use std::sync::Arc;

use gt_core::entry::Entry;
use gt_core::erasure::{self, Erasure};
use gt_core::registry::Registry;
use gt_core::statement::PublisherId;
use gt_core::verify::verify_authorship;
use gt_core::{Hash, LeafIndex};

use super::bundle::{Bundle, Leaf};
use super::erasures::Erasures;
use super::owners::{OwnedLink, OwnerLinks};
use super::report::{Fault, Report};
use super::statement;
use super::vault_file::place_of;
use crate::keyring::Keyring;
use crate::vault::{StatementBlob, VaultRecord};

/// Takes the vault's records in the log's order, before their statements are read: folds the registry, whose statements are in the
/// clear, and follows the owners' records. So whatever a statement rests on is known when it is read, in whatever order.
pub(super) struct Records<'a> {
    keyring: Option<&'a Keyring>,
    origin: String,
    genesis: Hash,
    /// `None` once it cannot be known any more.
    registry: Option<Arc<Registry>>,
    registrar: Option<PublisherId>,
    /// A record was lost, and it may have been the registrar's.
    lost: bool,
    owners: OwnerLinks,
    erasures: Erasures,
}

/// A record, with what the log has led to up to its entry.
pub(super) struct Taken {
    pub(super) record: VaultRecord,
    /// The registry before this entry.
    pub(super) registry: Option<Arc<Registry>>,
    /// Those of the entry's links whose owners are known.
    pub(super) owned: Vec<OwnedLink>,
}

/// An entry, its record, and what the log has led to up to there.
pub(super) struct Turn<'b> {
    pub(super) leaf: &'b Leaf,
    pub(super) entry: &'b Entry,
    pub(super) record: &'b VaultRecord,
    pub(super) registry: Option<&'b Registry>,
    pub(super) owned: &'b [OwnedLink],
}

impl Taken {
    /// Lets go of what the record keeps of the statement, once that was read.
    pub(super) fn forget_texts(&mut self) {
        self.record.statement = StatementBlob::Open(Vec::new());
        self.record.disclosures = Vec::new();
    }

    /// The turn of the entry whose record this is.
    pub(super) fn turn<'b>(&'b self, leaf: &'b Leaf) -> Option<Turn<'b>> {
        let entry = leaf.entry.as_ref()?;
        let (record, registry) = (&self.record, self.registry.as_deref());
        Some(Turn { leaf, entry, record, registry, owned: &self.owned })
    }
}

impl<'a> Records<'a> {
    pub(super) fn new(keyring: Option<&'a Keyring>, origin: &str, under_way: Option<Erasure>) -> Self {
        Self {
            keyring,
            origin: origin.to_owned(),
            genesis: Hash::ZERO,
            registry: None,
            registrar: None,
            lost: false,
            owners: OwnerLinks::new(keyring),
            erasures: Erasures::new(under_way),
        }
    }

    /// The leaf hash of entry 0; zeros if it is not to be had.
    pub(super) const fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The registrar, as entry 0 names it.
    pub(super) const fn registrar(&self) -> Option<PublisherId> {
        self.registrar
    }

    /// How the registry stands; `None` if that cannot be known.
    pub(super) fn registry(&self) -> Option<&Registry> {
        self.registry.as_deref()
    }

    /// The owners' records.
    pub(super) const fn owners(&self) -> &OwnerLinks {
        &self.owners
    }

    /// What was erased.
    pub(super) const fn erasures(&self) -> &Erasures {
        &self.erasures
    }

    /// Whether entries could not be read at all.
    pub(super) const fn has_lost_entries(&self) -> bool {
        self.lost
    }

    /// Takes a bundle's records in their turn. `None` where an entry or its record cannot be read.
    pub(super) fn take(
        &mut self,
        bundle: &Bundle,
        records: Vec<Option<VaultRecord>>,
        report: &mut Report,
        faults: &mut Vec<Fault>,
    ) -> Vec<Option<Taken>> {
        if let Some(first) = bundle.leaves.first().filter(|_| bundle.number == 0) {
            self.genesis = first.hash;
        }
        let mut taken = Vec::with_capacity(bundle.leaves.len());
        for (leaf, record) in bundle.leaves.iter().zip(records) {
            taken.push(self.take_one(leaf, record, report, faults));
        }
        let missing = usize::from(bundle.width).saturating_sub(bundle.leaves.len());
        if missing > 0 {
            self.lose_entries(missing as u64);
        }
        taken
    }

    /// Entries cannot be read, so nobody knows whose they were.
    fn lose_entries(&mut self, entries: u64) {
        self.lost = true;
        if let Some(keyring) = self.keyring {
            self.owners.lose(entries, keyring);
        }
    }

    fn take_one(
        &mut self,
        leaf: &Leaf,
        record: Option<VaultRecord>,
        report: &mut Report,
        faults: &mut Vec<Fault>,
    ) -> Option<Taken> {
        let Some(entry) = &leaf.entry else {
            self.lose_entries(1);
            return None;
        };
        let owned = self.keyring.map_or_else(Vec::new, |keyring| self.owners.take(entry, keyring));
        let Some(record) = record else {
            // If the entry was altered, its links may have been.
            self.lose_entries(1);
            return None;
        };
        if self.lost && self.registry.as_ref().is_some_and(|registry| registry.statements() != entry.registry)
        {
            self.forget_registry(leaf.position, report);
        }
        let mut taken = Taken { record, registry: self.registry.clone(), owned };
        let turn = taken.turn(leaf)?;
        if leaf.position == 0 {
            self.create(&turn, report, faults);
            taken.registry.clone_from(&self.registry);
        } else if self.registrar == Some(turn.record.publisher) {
            self.apply(&turn, report, faults);
        }
        if self.keyring.is_some() {
            self.erasures.of_nobody(leaf.position, entry.links.len() - taken.owned.len());
        }
        if taken.record.event_type.as_str() == erasure::TYPE
            && let Ok(statement) = statement::open_statement(&taken.turn(leaf)?)
        {
            self.erasures.take(leaf.position, &statement, faults);
        }
        Some(taken)
    }

    fn create(&mut self, turn: &Turn<'_>, report: &mut Report, faults: &mut Vec<Fault>) {
        self.registrar = Some(turn.record.publisher);
        let Ok(statement) = statement::open_statement(turn) else { return self.forget_registry(0, report) };
        match Registry::create(turn.leaf.hash, statement.payload()) {
            Ok(registry) => {
                if registry.ledger_keys().origin != self.origin {
                    let what = "it creates a ledger of another origin than the checkpoint's";
                    faults.push(Fault::new(place_of(0), "other_origin", what));
                }
                self.registry = Some(Arc::new(registry));
            }
            Err(error) => {
                faults.push(Fault::new(place_of(0), error.code(), error.to_string()));
                self.forget_registry(0, report);
            }
        }
    }

    /// Folds in a statement of the registrar. What is wrong with the statement itself is said when it is read with the others.
    fn apply(&mut self, turn: &Turn<'_>, report: &mut Report, faults: &mut Vec<Fault>) {
        let position = turn.leaf.position;
        let Some(registry) = &mut self.registry else { return };
        let signed = statement::open_statement(turn)
            .ok()
            .filter(|statement| verify_authorship(statement, registry).is_ok());
        let Some(statement) = signed else { return self.forget_registry(position, report) };
        if let Err(error) = Arc::make_mut(registry).apply(LeafIndex(position), statement.payload()) {
            faults.push(Fault::new(place_of(position), error.code(), error.to_string()));
            self.forget_registry(position, report);
        }
    }

    fn forget_registry(&mut self, position: u64, report: &mut Report) {
        self.registry = None;
        report.note(format!(
            "from entry {position} on signatures were not checked, since a statement of the registrar is lost or damaged"
        ));
    }
}
