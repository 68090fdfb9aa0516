//! What the verification of all that is signed finds, and what it leaves to `fsck`. That both judge alike what both look at is tried
//! on the forged logs.

mod fsck_sample;
mod partnership;

use std::cell::RefCell;

use fsck_sample::{Copy, ENTRIES, files, sample, small, snapshot};
use gt_core::tile::split_bundle;
use gt_core::tree;
use gt_ledger::audit::{Report, Verdict};
use gt_ledger::vault::{StatementBlob, VaultRecord};
use partnership::fold_keys;

/// Each record of a bundle, with where it begins in the vault's file.
fn records(copy: &Copy, entries: &str, vault: &str) -> Vec<(usize, VaultRecord)> {
    let (entries, vault) = (copy.read(entries), copy.read(vault));
    let mut at = 0;
    split_bundle(&entries)
        .expect("whole")
        .iter()
        .map(|entry| {
            let (record, len) = VaultRecord::decode(&vault[at..], &tree::leaf_hash(entry)).expect("sound");
            let begin = at;
            at += len;
            (begin, record)
        })
        .collect()
}

fn codes(report: &Report, entry: usize) -> Vec<&'static str> {
    let of_entry = |place: &str| place.ends_with(&format!("entry {entry}"));
    report.faults.iter().filter(|fault| of_entry(&fault.place)).map(|fault| fault.code).collect()
}

#[test]
fn a_sound_folder_is_sound_and_stays_as_it_is() {
    let copy = sample().copy();
    let before = snapshot(&copy.data());
    let seen = RefCell::new(Vec::new());
    let report = copy.verify_watched(&|done, total| seen.borrow_mut().push((done, total)));
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    let counts = (report.counts.entries, report.counts.statements_read, report.counts.publishers);
    assert_eq!(counts, (ENTRIES, ENTRIES, 4));
    assert_eq!(report.counts.disclosures_read, 0);
    assert!(report.notes.iter().any(|note| note.contains("fsck")), "{:?}", report.notes);
    assert_eq!(seen.into_inner(), [(256, ENTRIES), (512, ENTRIES), (ENTRIES, ENTRIES)]);
    assert_eq!(snapshot(&copy.data()), before);
}

#[test]
fn any_changed_byte_of_the_log_is_found() {
    let copy = sample().copy();
    for file in files(&copy).iter().filter(|file| !file.starts_with("vault") && !file.starts_with("keyring"))
    {
        let bytes = copy.read(file);
        for part in 0..4 {
            let (at, mut changed) = ((bytes.len() - 1) * part / 3, bytes.clone());
            changed[at] ^= 1 << part;
            copy.write(file, &changed);
            assert_eq!(copy.verify().verdict(), Verdict::NotSound, "byte {at} of {file}");
        }
        copy.write(file, &bytes);
    }
    assert_eq!(copy.verify().verdict(), Verdict::Sound);
}

#[test]
fn any_changed_byte_of_a_statement_is_found_in_its_place() {
    let copy = small().copy();
    let vault = "vault/000";
    let bytes = copy.read(vault);
    let records = records(&copy, "open/entries/000", vault);
    for (entry, (begin, record)) in records.into_iter().enumerate().filter(|(entry, _)| entry % 3 == 1) {
        let (StatementBlob::Open(blob) | StatementBlob::Sealed { bytes: blob, .. }) = &record.statement;
        let blob_at = begin
            + bytes[begin..].windows(blob.len()).position(|part| part == blob.as_slice()).expect("there");
        // The publisher, its seq, the type; the statement's first byte, one within and its last.
        let head = [begin + 5, begin + 37 + 7, begin + 46];
        for at in head.into_iter().chain([blob_at, blob_at + blob.len() / 2, blob_at + blob.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            copy.write(vault, &changed);
            let report = copy.verify();
            assert!(!codes(&report, entry).is_empty(), "byte {at}, entry {entry}: {:?}", report.faults);
        }
        // A disclosure is `fsck`'s.
        if let Some(blob) = record.disclosures.first() {
            let at = bytes.windows(blob.bytes.len()).position(|part| part == blob.bytes.as_slice());
            let mut changed = bytes.clone();
            changed[at.expect("there")] ^= 1;
            copy.write(vault, &changed);
            assert_eq!(copy.verify().verdict(), Verdict::Sound);
            assert_eq!(codes(&copy.fsck(), entry), ["vault_record"]);
        }
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let copy = small().copy();
    fold_keys(&copy.data(), &small().secrets());
    // Which shard an owner is in is chance, and not every owner has statements.
    for shard in files(&copy).iter().filter(|file| file.starts_with("keyring/") && file.len() == 10) {
        copy.remove(shard);
    }
    let report = copy.verify();
    assert!(report.faults.iter().any(|fault| fault.code == "keys_gone"), "{:?}", report.faults);
    assert!(report.counts.statements_unreadable > 0);

    let copy = sample().copy();
    copy.remove("vault/001");
    let report = copy.verify();
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    assert_eq!((report.faults[0].place.as_str(), report.faults[0].code), ("vault/001", "missing"));
    assert_eq!(report.counts.statements_read, ENTRIES - 256);

    let copy = sample().copy();
    copy.remove("vault/000");
    let report = copy.verify();
    assert_eq!(report.verdict(), Verdict::NotSound);
    assert_eq!(report.counts.statements_read, 0, "nobody knows whose key was in force");
}
