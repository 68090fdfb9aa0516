//! Step 7: the publishers' chains, and the ledger's own, as far as the bundle shows them.

use std::collections::HashMap;

use super::finding::{Findings, Whom};
use super::proven::Proven;
use super::record::Checked;
use super::registrar::RegistrarChain;
use crate::hash::Hash;
use crate::statement::PublisherId;
use crate::time::Timestamp;

/// Checks each publisher's statements against one another.
pub(super) fn check_publishers(records: &[Checked], genesis: Hash, findings: &mut Findings) {
    let mut last: HashMap<PublisherId, (u64, Hash)> = HashMap::new();
    for record in records {
        let Some(said) = record.said() else { continue };
        let before = last.insert(said.publisher, (said.seq, said.hash));
        let code = match before {
            Some((seq, _)) if said.seq <= seq => "chain_order",
            Some((seq, hash)) if said.seq == seq + 1 && said.prev != hash => "chain_prev",
            None if said.seq == 0 && said.prev != genesis => "chain_prev",
            _ => continue,
        };
        findings.fault(code, format!("/records/{}/statement", record.position), Whom::Entry(record.index()));
    }
}

/// Checks the entries of the bundle against one another, in the order of the log.
pub(super) fn check_entries(
    chain: &RegistrarChain,
    records: &[Checked],
    tip: Option<&Proven>,
    findings: &mut Findings,
) {
    let of_registrar =
        chain.entries().enumerate().map(|(position, proven)| (proven, Place::Registrar(position)));
    let of_records = records.iter().map(|record| (&record.proven, Place::Record(record.position)));
    let mut entries: Vec<(&Proven, Place)> = of_registrar.chain(of_records).collect();
    entries.extend(tip.map(|proven| (proven, Place::Tip)));
    // Stable: of the tip and the record that is the same entry, the record comes first and the tip is dropped.
    entries.sort_by_key(|(proven, _)| proven.entry.index);
    entries.dedup_by_key(|(proven, _)| proven.entry.index);
    let mut before: Option<(&Proven, Timestamp)> = None;
    for (proven, place) in entries {
        let entry = &proven.entry;
        let prev = match before {
            None if entry.index.0 == 0 => Some(Hash::ZERO),
            Some((earlier, _)) if earlier.entry.index.0 + 1 == entry.index.0 => Some(earlier.leaf_hash),
            _ => None,
        };
        if prev.is_some_and(|prev| prev != entry.prev) {
            findings.fault("entry_prev", place.to_pointer(), Whom::Entry(entry.index));
        } else if before.is_some_and(|(_, time)| entry.received_at < time) {
            findings.fault("received_at_decreases", place.to_pointer(), Whom::Entry(entry.index));
        }
        before = Some((proven, entry.received_at));
    }
}

enum Place {
    Registrar(usize),
    Record(usize),
    Tip,
}

impl Place {
    fn to_pointer(&self) -> String {
        match self {
            Self::Registrar(position) => format!("/registrar/{position}/proof"),
            Self::Record(position) => format!("/records/{position}/proof"),
            Self::Tip => "/tip".to_owned(),
        }
    }
}
