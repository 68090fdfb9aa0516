use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gt_core::entry::Entry;
use gt_core::erasure;
use gt_core::link::LinkName;
use gt_core::registry::Registry;
use gt_core::statement::PublisherId;
use gt_core::verify::verify_authorship;
use gt_core::{Hash, LeafIndex};
use rayon::prelude::*;

use super::chains::{ChainStep, Chains};
use super::erasures::Erasures;
use super::folder::DataFolder;
use super::owners::{OwnedLink, OwnerLinks};
use super::report::{Fault, Report};
use super::statement::{self, Context, Outcome, Reading};
use super::vault_file::{self, place_of};
use super::walk::{Beside, Bundle, Leaf};
use crate::keyring::{Keyring, OwnerTag};
use crate::layout;
use crate::vault::VaultRecord;

/// The vault beside the log: folds the registry, follows the publishers' chains and the owners' records, and has each bundle's
/// statements read in parallel.
pub(super) struct Records<'a> {
    folder: &'a DataFolder,
    keyring: Option<&'a Keyring>,
    origin: String,
    genesis: Hash,
    /// `None` once it cannot be known any more.
    registry: Option<Arc<Registry>>,
    registrar: Option<PublisherId>,
    /// A record was lost, and it may have been the registrar's.
    lost: bool,
    chains: Chains,
    owners: OwnerLinks,
    children: HashSet<OwnerTag>,
    pub(super) erasures: Erasures,
}

/// An entry and its record, with what the log has led to up to there.
pub(super) struct Turn<'b> {
    pub(super) leaf: &'b Leaf,
    pub(super) entry: &'b Entry,
    pub(super) record: VaultRecord,
    /// The registry before this entry.
    pub(super) registry: Option<Arc<Registry>>,
    /// Those of its links whose owners are known.
    pub(super) owned: Vec<OwnedLink>,
}

impl Beside for Records<'_> {
    fn bundle(&mut self, bundle: &Bundle, report: &mut Report) -> Vec<Option<bool>> {
        let mut faults = Vec::new();
        let file = layout::vault(bundle.number).display().to_string();
        let records = vault_file::read(self.folder, bundle, report, &mut faults);
        report.counts.vault_records += records.iter().flatten().count() as u64;
        if let Some(first) = bundle.leaves.first().filter(|_| bundle.number == 0) {
            self.genesis = first.hash;
        }
        let mut turns = Vec::with_capacity(bundle.leaves.len());
        for (leaf, record) in bundle.leaves.iter().zip(records) {
            turns.push(self.turn(leaf, record, report, &mut faults));
        }
        let registrar = self.registrar;
        let of_registrar = |turn: &Turn<'_>| registrar.map(|registrar| turn.record.publisher == registrar);
        let authors = turns.iter().map(|turn| turn.as_ref().and_then(of_registrar)).collect();
        let outcomes = self.read_statements(&turns);
        for (turn, outcome) in turns.iter().zip(outcomes) {
            match turn.as_ref().zip(outcome) {
                Some((turn, outcome)) => self.settle(turn, outcome, report, &mut faults),
                None => self.chains.break_off(),
            }
        }
        let missing = usize::from(bundle.width).saturating_sub(bundle.leaves.len());
        if missing > 0 {
            self.lose_entries(missing as u64);
            self.chains.break_off();
        }
        report.add_alike(&file, faults);
        authors
    }
}

impl<'a> Records<'a> {
    pub(super) fn new(folder: &'a DataFolder, keyring: Option<&'a Keyring>, origin: &str) -> Self {
        Self {
            folder,
            keyring,
            origin: origin.to_owned(),
            genesis: Hash::ZERO,
            registry: None,
            registrar: None,
            lost: false,
            chains: Chains::new(),
            owners: OwnerLinks::new(keyring),
            children: HashSet::new(),
            erasures: Erasures::default(),
        }
    }

    /// Says what only the whole log can tell.
    pub(super) fn finish(self, names: &HashMap<LinkName, u64>, report: &mut Report) {
        let mut faults = Vec::new();
        if let Some(keyring) = self.keyring {
            report.counts.owners = self.owners.finish(keyring, names, &mut faults);
        }
        report.counts.children = self.children.len() as u64;
        if let Some(registry) = &self.registry {
            report.counts.publishers = registry.publishers().count() as u64;
        }
        report.add_alike("keyring", faults);
        if let Some(keyring) = self.keyring {
            self.erasures.finish(keyring, names, self.lost, report);
        }
    }

    /// Entries cannot be read, so nobody knows whose they were.
    fn lose_entries(&mut self, entries: u64) {
        self.lost = true;
        if let Some(keyring) = self.keyring {
            self.owners.lose(entries, keyring);
        }
    }

    /// Takes an entry in its turn: what depends on those before it. `None` if it or its record cannot be read.
    fn turn<'b>(
        &mut self,
        leaf: &'b Leaf,
        record: Option<VaultRecord>,
        report: &mut Report,
        faults: &mut Vec<Fault>,
    ) -> Option<Turn<'b>> {
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
        let mut turn = Turn { leaf, entry, record, registry: self.registry.clone(), owned };
        if leaf.position == 0 {
            self.create(&mut turn, report, faults);
        } else if self.registrar == Some(turn.record.publisher) {
            self.apply(&turn, report, faults);
        }
        if self.keyring.is_some() {
            self.erasures.of_nobody(leaf.position, entry.links.len() - turn.owned.len());
        }
        if turn.record.event_type.as_str() == erasure::TYPE
            && let Ok(statement) = statement::open_statement(&turn)
        {
            self.erasures.take(leaf.position, &statement, faults);
        }
        Some(turn)
    }

    fn create(&mut self, turn: &mut Turn<'_>, report: &mut Report, faults: &mut Vec<Fault>) {
        self.registrar = Some(turn.record.publisher);
        let Ok(statement) = statement::open_statement(turn) else { return self.forget_registry(0, report) };
        match Registry::create(turn.leaf.hash, statement.payload()) {
            Ok(registry) => {
                if registry.ledger_keys().origin != self.origin {
                    let what = "it creates a ledger of another origin than the checkpoint's";
                    faults.push(Fault::new(place_of(0), "other_origin", what));
                }
                self.registry = Some(Arc::new(registry));
                turn.registry.clone_from(&self.registry);
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

    fn read_statements(&self, turns: &[Option<Turn<'_>>]) -> Vec<Option<Outcome>> {
        let owned = turns.iter().flatten().flat_map(|turn| &turn.owned);
        let links = owned.map(|link| (link.name, link.tag)).collect();
        let context = Context { keyring: self.keyring, genesis: self.genesis, links };
        turns.par_iter().map(|turn| turn.as_ref().map(|turn| statement::check(turn, &context))).collect()
    }

    /// Takes what a statement turned out to be.
    fn settle(&mut self, turn: &Turn<'_>, outcome: Outcome, report: &mut Report, faults: &mut Vec<Fault>) {
        let position = turn.leaf.position;
        faults.extend(outcome.faults);
        let of_registrar = self.registrar == Some(turn.record.publisher);
        let counts = &mut report.counts;
        counts.registrar_statements += u64::from(of_registrar);
        counts.disclosures_read += outcome.disclosures_read;
        counts.disclosures_unreadable += outcome.disclosures_unreadable;
        counts.statements_read += u64::from(outcome.proven);
        counts.statements_unreadable += u64::from(matches!(outcome.reading, Reading::KeysGone));
        self.children.extend(outcome.child);
        if outcome.disclosures_unreadable > 0 || matches!(outcome.reading, Reading::KeysGone) {
            self.erasures.unreadable(position, &outcome.gone);
        }
        let (seq, prev) = match outcome.reading {
            Reading::Read { seq, prev } => (seq, Some(prev)),
            _ => (turn.record.seq, None),
        };
        let step = ChainStep { publisher: turn.record.publisher, seq, prev, statement: turn.entry.statement };
        let first_prev = if of_registrar { Hash::ZERO } else { self.genesis };
        if let Some((code, what)) = self.chains.follow(&step, first_prev) {
            faults.push(Fault::new(place_of(position), code, what));
        }
    }
}
