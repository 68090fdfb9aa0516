//! A log whose operator writes it anew: chained, with right checksums, tiles and root, and signed with the right key.

use std::fs;

use gt_core::checkpoint::Checkpoint;
use gt_core::entry::Entry;
use gt_core::{Hash, LeafIndex, TreeSize, tree};
use gt_ledger::Ledger;
use gt_ledger::audit::{Fault, Report, Verdict};
use gt_ledger::clock::SystemClock;
use gt_ledger::disk::Disk;
use gt_ledger::log::{SealedEntry, recover};
use gt_ledger::vault::VaultRecord;

use super::{Copy, Sample};
use crate::partnership::ORIGIN;

/// An entry and its record.
pub(crate) type Sealed = (Entry, VaultRecord);

/// Writes a sample's log anew, after an edit.
pub(crate) fn forge(of: &'static Sample, edit: impl FnOnce(&mut Vec<Sealed>)) -> Copy {
    let copy = of.copy();
    let mut sealed = read(of, &copy);
    edit(&mut sealed);
    for top in ["tile", "open", "vault", "state"] {
        fs::remove_dir_all(copy.data().join(top))
            .or_else(|error| if top == "tile" { Ok(()) } else { Err(error) })
            .expect("removed");
    }
    copy.remove("checkpoint");
    let mut writer = recover(Disk::new(&copy.data(), None), None).expect("an empty log").writer;
    let mut prev = Hash::ZERO;
    for ((mut entry, record), index) in sealed.into_iter().zip(0..) {
        (entry.index, entry.prev) = (LeafIndex(index), prev);
        let bytes = entry.to_bytes();
        prev = tree::leaf_hash(&bytes);
        writer
            .append(&[SealedEntry { vault: record.encode(&prev), bytes, leaf_hash: prev }])
            .expect("written");
    }
    let checkpoint = Checkpoint::new(ORIGIN, writer.size(), writer.root()).expect("sound");
    let signer = of.secrets().log_signer().expect("a signer");
    writer.publish(&signer.sign(checkpoint).expect("signed")).expect("written");
    writer.promote().expect("moved");
    copy
}

fn read(of: &Sample, copy: &Copy) -> Vec<Sealed> {
    let ledger =
        Ledger::open(&copy.data(), &of.secrets(), Box::new(SystemClock::default()), None).expect("opens");
    let TreeSize(size) = ledger.log().size();
    let mut sealed = Vec::new();
    while (sealed.len() as u64) < size {
        let raw = ledger.log().entries_and_vault(LeafIndex(sealed.len() as u64), size).expect("reads");
        assert!(!raw.is_empty(), "the log ends before its checkpoint does");
        for (entry, vault) in raw {
            let (record, _) = VaultRecord::decode(&vault, &entry.leaf_hash()).expect("sound");
            sealed.push((entry, record));
        }
    }
    sealed
}

/// `fsck` finds a fault with this code in this entry, and whoever checks only what is signed finds as much of that.
#[track_caller]
pub(crate) fn assert_finds(copy: &Copy, code: &str, entry: usize) -> Report {
    let report = copy.fsck();
    assert_eq!(report.verdict(), Verdict::NotSound);
    let found = report.faults.iter().any(|f| f.code == code && f.place.ends_with(&format!("entry {entry}")));
    assert!(found, "{code} in entry {entry}: {:?}", report.faults);
    let signed = |report: &Report| -> Vec<Fault> {
        report.faults.iter().filter(|fault| !OF_OWNERS.contains(&fault.code)).cloned().collect()
    };
    assert_eq!(signed(&copy.verify()), signed(&report), "what is signed is judged alike by both");
    report
}

/// What `fsck` alone finds, or finds more of: what is wrong with disclosures, links and their owners, and what cannot be read of them.
const OF_OWNERS: [&str; 13] = [
    "erased_unknown",
    "disclosure_missing",
    "disclosure_repeated",
    "disclosure_unreferenced",
    "kept_but_sealed",
    "keys_gone",
    "link_commitment",
    "link_missing",
    "link_out_of_order",
    "link_repeated",
    "link_surplus",
    "other_owner",
    "owner_not_linked",
];
