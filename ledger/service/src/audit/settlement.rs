use std::collections::{HashMap, HashSet};

use gt_core::Hash;
use gt_core::link::LinkName;
use gt_core::statement::PublisherId;

use super::bundle::Bundle;
use super::chains::{ChainStep, Chains};
use super::erasures::Unreadable;
use super::records::{Records, Taken, Turn};
use super::report::{Fault, Report};
use super::statement::{Outcome, Reading};
use super::vault_file::place_of;
use crate::keyring::{Keyring, OwnerTag};

/// Takes, in the log's order, what the statements turned out to be: follows the publishers' chains and counts.
pub(super) struct Settlement {
    genesis: Hash,
    registrar: Option<PublisherId>,
    chains: Chains,
    children: HashSet<OwnerTag>,
    unreadable: Unreadable,
}

impl Settlement {
    pub(super) fn new() -> Self {
        Self {
            genesis: Hash::ZERO,
            registrar: None,
            chains: Chains::new(),
            children: HashSet::new(),
            unreadable: Unreadable::default(),
        }
    }

    /// Says what entry 0 made.
    pub(super) fn begin(&mut self, genesis: Hash, registrar: Option<PublisherId>) {
        (self.genesis, self.registrar) = (genesis, registrar);
    }

    /// Takes a bundle's statements, and tells of each leaf whether it seals one of the registrar's, where that can be known.
    pub(super) fn take(
        &mut self,
        bundle: &Bundle,
        taken: &[Option<Taken>],
        outcomes: Vec<Option<Outcome>>,
        report: &mut Report,
        faults: &mut Vec<Fault>,
    ) -> Vec<Option<bool>> {
        let mut authors = Vec::with_capacity(taken.len());
        for ((leaf, taken), outcome) in bundle.leaves.iter().zip(taken).zip(outcomes) {
            let turn = taken.as_ref().and_then(|taken| taken.turn(leaf));
            let author = turn.as_ref().map(|turn| turn.record.publisher).zip(self.registrar);
            authors.push(author.map(|(publisher, registrar)| publisher == registrar));
            match turn.zip(outcome) {
                Some((turn, outcome)) => self.settle(&turn, outcome, report, faults),
                None => self.chains.break_off(),
            }
        }
        if bundle.leaves.len() < usize::from(bundle.width) {
            self.chains.break_off();
        }
        authors
    }

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
            self.unreadable.take(position, &outcome.gone);
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

    /// Says what only the whole log can tell; of the owners' records, if `names` has every link's name.
    pub(super) fn finish(
        self,
        records: &Records<'_>,
        keyring: Option<&Keyring>,
        names: Option<&HashMap<LinkName, u64>>,
        report: &mut Report,
    ) {
        let mut faults = Vec::new();
        if let Some((keyring, names)) = keyring.zip(names) {
            report.counts.owners = records.owners().finish(keyring, names, &mut faults);
        }
        report.counts.children = self.children.len() as u64;
        if let Some(registry) = records.registry() {
            report.counts.publishers = registry.publishers().count() as u64;
        }
        report.add_alike("keyring", faults);
        if let Some(keyring) = keyring {
            let lost = records.has_lost_entries();
            records.erasures().finish(&self.unreadable, keyring, names, lost, report);
        }
    }
}
