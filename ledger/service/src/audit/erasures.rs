//! What may be unreadable: what erasures have ended, exactly, and nothing else.
//!
//! Where the records of an owner live on, its keyring entry says that it was erased, and a sealed erasure must name it. Where they are
//! gone, so is the key of its links, and nobody can say any more which entries were its own; but each erasure says how many they were,
//! and there must be so many links of nobody, no fewer and no more.

use std::collections::HashMap;

use gt_core::erasure::{Erasure, Scope};
use gt_core::link::LinkName;
use gt_core::statement::Statement;

use super::records::Turn;
use super::report::{Fault, MAX_FAULTS, Report};
use super::vault_file::place_of;
use crate::keyring::{Keyring, OwnerTag};
use crate::vault::StatementBlob;

const KEYS_GONE: &str =
    "it cannot be read, and no erasure that is sealed explains it: keys are lost, or its links are nobody's";

/// What of a statement cannot be read, by why.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// Keys of an owner who was not erased.
    lost: bool,
    /// Disclosures of owners whose records live on: l(0) of each.
    ended: Vec<LinkName>,
}

/// The erasures of a log, and the links of nobody that they have to explain.
#[derive(Default)]
pub(super) struct Erasures {
    sealed: Vec<(u64, Erasure)>,
    /// Entries that have links of nobody, and how many, rising.
    of_nobody: Vec<(u64, u64)>,
}

/// What could not be read because keys are gone.
#[derive(Default)]
pub(super) struct Unreadable {
    /// The last entry in which something of an ended owner could not be read.
    ended: HashMap<LinkName, u64>,
    /// Entries in which keys are missing of an owner who was not erased: the first ones, and how many there are.
    lost: (Vec<u64>, u64),
    entries: u64,
}

impl Unreadable {
    /// Something of an entry cannot be read.
    pub(super) fn take(&mut self, position: u64, gone: &Gone) {
        self.entries += 1;
        for id in &gone.ended {
            self.ended.insert(*id, position);
        }
        if gone.lost {
            self.lost.1 += 1;
            if self.lost.0.len() < MAX_FAULTS {
                self.lost.0.push(position);
            }
        }
    }
}

impl Erasures {
    /// Before the log is read: an erasure whose keys are destroyed may be under way, and the next start seals it.
    pub(super) fn new(under_way: Option<Erasure>) -> Self {
        Self {
            sealed: under_way.map(|erasure| (u64::MAX, erasure)).into_iter().collect(),
            of_nobody: Vec::new(),
        }
    }

    /// Takes a `subject.erased` in its turn. One that does not read explains nothing.
    pub(super) fn take(&mut self, position: u64, statement: &Statement, faults: &mut Vec<Fault>) {
        match Erasure::read(statement.payload()) {
            Some(Ok(erasure)) => self.sealed.push((position, erasure)),
            Some(Err(error)) => faults.push(Fault::new(place_of(position), error.code(), error.to_string())),
            None => {}
        }
    }

    /// So many of an entry's links are nobody's.
    pub(super) fn of_nobody(&mut self, position: u64, links: usize) {
        if links > 0 {
            self.of_nobody.push((position, links as u64));
        }
    }

    /// Says what no erasure explains. `entries_lost` if entries could not be read at all: then links may be somebody's who is not found.
    ///
    /// Without `names`, every link's name with its entry, it is not asked whether who was erased was known.
    pub(super) fn finish(
        &self,
        unreadable: &Unreadable,
        keyring: &Keyring,
        names: Option<&HashMap<LinkName, u64>>,
        entries_lost: bool,
        report: &mut Report,
    ) {
        let mut faults: Vec<Fault> =
            unreadable.lost.0.iter().map(|at| Fault::new(place_of(*at), "keys_gone", KEYS_GONE)).collect();
        for (id, last) in &unreadable.ended {
            let erased = self.sealed.iter().any(|(at, erasure)| at > last && erasure.owners.contains(id));
            if !erased {
                faults.push(Fault::new(place_of(*last), "keys_gone", KEYS_GONE));
            }
        }
        let sealed = self.each_once();
        self.compare_links(&sealed, entries_lost, &mut faults);
        compare_owners(&sealed, keyring, names, &mut faults);
        report.add_alike("keyring", faults);
        if unreadable.entries > 0 {
            let count = unreadable.entries;
            report.note(format!("{count} entries cannot be read, or not wholly, because keys are gone"));
        }
    }

    /// The erasures in the log's order. One that was sealed before the power went, and not yet tidied up after, is no other one.
    fn each_once(&self) -> Vec<&(u64, Erasure)> {
        let is_sealed = |under_way: &Erasure| {
            self.sealed.iter().any(|(at, erasure)| *at < u64::MAX && erasure == under_way)
        };
        let mut sealed: Vec<_> =
            self.sealed.iter().filter(|(at, erasure)| *at < u64::MAX || !is_sealed(erasure)).collect();
        sealed.sort_by_key(|(at, _)| *at);
        sealed
    }

    /// Each erasure of records accounts for so many links below it.
    fn compare_links(&self, sealed: &[&(u64, Erasure)], entries_lost: bool, faults: &mut Vec<Fault>) {
        let records = || sealed.iter().filter(|(_, erasure)| erasure.scope == Scope::Records);
        let latest = records().map(|(at, _)| *at).max().unwrap_or(0);
        let after = self.of_nobody.iter().filter(|(at, _)| *at >= latest);
        faults.extend(after.map(|(at, _)| Fault::new(place_of(*at), "keys_gone", KEYS_GONE)));
        if entries_lost {
            return;
        }
        let mut accounted = 0;
        for (at, erasure) in records() {
            accounted += erasure.entries;
            let below = self.of_nobody.iter().take_while(|(position, _)| position < at);
            let found: u64 = below.map(|(_, links)| links).sum();
            let what = match found.checked_sub(accounted) {
                None => format!(
                    "up to here erasures ended {accounted} links, and only {found} are nobody's: keys that were erased are back"
                ),
                Some(more) if more > 0 && *at == latest => format!(
                    "up to here erasures ended {accounted} links, and {found} are nobody's: keys of somebody else are lost"
                ),
                Some(_) => continue,
            };
            let code = if found < accounted { "not_erased" } else { "keys_gone" };
            let place = if *at == u64::MAX { "keyring/erasure".to_owned() } else { place_of(*at) };
            faults.push(Fault::new(place, code, what));
        }
    }
}

/// What an erasure names was sealed before it, and lives no more.
fn compare_owners(
    sealed: &[&(u64, Erasure)],
    keyring: &Keyring,
    names: Option<&HashMap<LinkName, u64>>,
    faults: &mut Vec<Fault>,
) {
    if sealed.is_empty() {
        return;
    }
    let living: HashMap<LinkName, bool> =
        keyring.owners().map(|(_, held)| (held.link.name(0), held.is_ended())).collect();
    for (at, erasure) in sealed {
        let place = || if *at == u64::MAX { "keyring/erasure".to_owned() } else { place_of(*at) };
        for id in &erasure.owners {
            if names.is_some_and(|names| names.get(id).is_none_or(|first| first >= at)) {
                let what = "it erases an owner of whom nothing was sealed before it";
                faults.push(Fault::new(place(), "erased_unknown", what));
            }
            let still_there = match erasure.scope {
                Scope::Records => living.contains_key(id),
                Scope::Data => living.get(id).is_some_and(|ended| !ended),
            };
            if still_there {
                let what = "the keys of an owner whom it erased are in the keyring";
                faults.push(Fault::new(place(), "not_erased", what));
            }
        }
    }
}

/// Whose keys are missing where something of a statement could not be read.
pub(super) fn gone(turn: &Turn<'_>, keyring: &Keyring) -> Gone {
    let StatementBlob::Sealed { owner: primary, agency, .. } = &turn.record.statement else {
        return Gone::default();
    };
    let tag_of = |name: &LinkName| -> Option<OwnerTag> {
        turn.owned.iter().find(|owned| owned.name == *name).map(|owned| owned.tag)
    };
    let mut gone = Gone::default();
    let held = |name: &LinkName| keyring.owner(&tag_of(name)?);
    gone.lost |= held(primary).is_some_and(|held| held.agency(agency).is_none());
    for blob in &turn.record.disclosures {
        match held(&blob.owner) {
            Some(held) if held.is_ended() => gone.ended.push(held.link.name(0)),
            Some(held) => gone.lost |= held.agency(agency).is_none(),
            // Nobody's, which is counted for the entry.
            None => {}
        }
    }
    gone.ended.sort_unstable();
    gone.ended.dedup();
    gone
}
