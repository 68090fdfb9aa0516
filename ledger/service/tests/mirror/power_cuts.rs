//! The power goes at every change that copying makes: the checkpoint that is left has all that it covers, and the next copy completes.

use std::sync::{Arc, Mutex};

use gt_ledger::audit::fsck;
use gt_ledger::disk::{Change, Recorder};
use gt_ledger::mirror::MirrorFolder;

use crate::log::{Log, copied, copy, scratch};
use crate::surviving_disk::{Chance, Survival, SurvivingDisk};

#[derive(Default)]
struct Tape(Mutex<Vec<Change>>);

impl Recorder for Tape {
    fn record(&self, change: Change) {
        self.0.lock().expect("not poisoned").push(change);
    }
}

/// The changes with which a mirror of so many entries grows.
fn recorded(log: &Log, from: u64, to: u64) -> (SurvivingDisk, Vec<Change>) {
    let (folder, tape) = (scratch(), Arc::new(Tape::default()));
    if from > 0 {
        copied(log, from, folder.path());
    }
    let before = SurvivingDisk::of(folder.path());
    let recorder = Arc::clone(&tape) as Arc<dyn Recorder>;
    let mut mirror = MirrorFolder::open(folder.path(), Some(log.pin()), Some(recorder)).expect("opens");
    mirror.catch_up(&log.at(to), &mut |_| {}).expect("copied");
    let changes = tape.0.lock().expect("not poisoned").clone();
    (before, changes)
}

#[test]
fn a_power_cut_leaves_a_mirror_that_holds_and_that_the_next_copy_completes() {
    let log = Log::new(800);
    let mut chance = Chance(20_261_126);
    for (from, to) in [(0, 300), (300, 420), (300, 700), (512, 770)] {
        let (mut disk, changes) = recorded(&log, from, to);
        assert!(changes.len() > 20, "{} changes", changes.len());
        for (at, change) in changes.iter().enumerate() {
            disk.apply(change);
            for survival in [Survival::None, Survival::Chance, Survival::All] {
                let folder = scratch();
                disk.survivor(folder.path(), survival, &mut chance);
                holds(&log, folder.path(), &[from, to], (at, survival));
                copy(&log, 800, folder.path()).unwrap_or_else(|error| panic!("{at} {survival:?}: {error}"));
                assert!(
                    log.is_mirrored(folder.path(), &[from, to, 800]),
                    "{from}–{to}, after change {at}, {survival:?}"
                );
            }
        }
    }
}

/// The checkpoint is one of the two, and what it covers is there.
fn holds(log: &Log, folder: &std::path::Path, sizes: &[u64; 2], cut: (usize, Survival)) {
    let report = fsck(folder, None, Some(&log.pin()));
    if sizes[0] == 0 && report.size.is_none() {
        return;
    }
    assert!(report.size.is_some_and(|size| sizes.contains(&size)), "{cut:?}: {:?}", report.faults);
    let stray = |code: &str| ["beyond_checkpoint", "left_over"].contains(&code);
    assert!(report.faults.iter().all(|fault| stray(fault.code)), "{cut:?}: {:?}", report.faults);
}
