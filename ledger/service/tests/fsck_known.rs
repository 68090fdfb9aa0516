//! A folder that is checked as a whole, and held against a checkpoint that somebody has kept.

mod fsck_sample;
mod partnership;

use fsck_sample::{Copy, ENTRIES, sample};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::{Hash, TreeSize};
use gt_ledger::audit::{Report, Verdict, fsck_known};
use partnership::ORIGIN;

fn check(copy: &Copy, known: &Checkpoint) -> Report {
    fsck_known(&copy.data(), None, Some(&sample().pin), Some(known))
}

fn older() -> Checkpoint {
    SignedCheckpoint::parse(&sample().older).expect("a checkpoint").checkpoint().clone()
}

#[test]
fn the_checkpoint_is_held_against_the_log_and_the_vault_is_checked_too() {
    let copy = sample().copy();
    let report = check(&copy, &older());
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    assert_eq!((report.counts.entries, report.counts.vault_records), (ENTRIES, ENTRIES));

    let other = Checkpoint::new(ORIGIN, older().size(), Hash::of(b"another history")).expect("sound");
    let larger = Checkpoint::new(ORIGIN, TreeSize(ENTRIES + 1), Hash::of(b"more")).expect("sound");
    for (known, code) in [(other, "other_root"), (larger, "checkpoint_older")] {
        let report = check(&copy, &known);
        let codes: Vec<_> = report.faults.iter().map(|fault| fault.code).collect();
        assert_eq!((report.verdict(), codes), (Verdict::NotSound, vec![code]));
        assert_eq!(report.counts.vault_records, ENTRIES);
    }
    // Both at once are told.
    let mut vault = copy.read("vault/000");
    let last = vault.len() - 1;
    vault[last] ^= 1;
    copy.write("vault/000", &vault);
    let report = check(&copy, &Checkpoint::new(ORIGIN, older().size(), Hash::ZERO).expect("sound"));
    for code in ["other_root", "vault_record"] {
        assert!(report.faults.iter().any(|fault| fault.code == code), "{code}: {:?}", report.faults);
    }
}

#[test]
fn a_mirror_is_held_against_it_as_well() {
    let copy = sample().copy();
    for top in ["open", "vault", "keyring", "state"] {
        std::fs::remove_dir_all(copy.data().join(top)).expect("removed");
    }
    let other = Checkpoint::new(ORIGIN, TreeSize(256), Hash::of(b"another history")).expect("sound");
    let report = check(&copy, &other);
    assert!(report.faults.iter().any(|fault| fault.code == "other_root"), "{:?}", report.faults);
}
