//! Two histories under one key: a mirror notices, proves it, and keeps what it has.

use std::fs;

use gt_core::TreeSize;
use gt_core::fork::ForkEvidence;
use gt_ledger::audit::Mirror;
use gt_ledger::mirror::{CompareError, MirrorError, MirrorFolder, Round, Side, compare};

use crate::log::{Log, copied, copy, files_in, scratch};

/// The mirror has one history at a size, and the other is served at another.
fn met(parts: u64, have: u64, served: u64) {
    let (log, other, folder) = (Log::new(700), Log::fork(parts, 700), scratch());
    copied(&log, have, folder.path());
    let mut before = files_in(folder.path());
    let what = format!("parting at {parts}, {have} here, {served} there");
    let Ok(Round::Fork(evidence)) = copy(&other, served, folder.path()) else { panic!("{what}: no fork") };
    let mut after = files_in(folder.path());
    let written = after.remove("fork.json").expect("evidence");
    assert!(after == before, "{what}: nothing else has changed");
    assert_eq!(ForkEvidence::parse(&written), Ok(*evidence.clone()), "{what}");
    let verdict = evidence.verify(&log.pin()).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    assert_eq!(verdict.differ_at, TreeSize(have.min(served)));

    let report = gt_ledger::audit::fsck(folder.path(), None, Some(&log.pin()));
    assert!(report.faults.is_empty(), "{what}: {:?}", report.faults);
    assert!(report.notes.iter().any(|note| note.starts_with("fork.json is evidence")), "{what}");
    // A later meeting with the same fork leaves the first evidence, and the log that the mirror follows can still grow.
    assert!(matches!(copy(&other, 700, folder.path()), Ok(Round::Fork(_))), "{what}");
    before.insert("fork.json".to_owned(), written);
    assert!(files_in(folder.path()) == before, "{what}");
    copied(&log, 700, folder.path());
    // What is no evidence does not stand in the way of some.
    fs::write(folder.path().join("fork.json"), b"{}").expect("written");
    assert!(matches!(copy(&other, served, folder.path()), Ok(Round::Fork(_))), "{what}");
    let bytes = fs::read(folder.path().join("fork.json")).expect("there");
    ForkEvidence::parse(&bytes).expect("evidence").verify(&log.pin()).expect("proven");
}

#[test]
fn a_fork_is_proven_whichever_history_is_longer() {
    for (parts, have, served) in
        [(299, 300, 300), (10, 300, 300), (255, 256, 600), (1, 300, 301), (10, 600, 300), (511, 600, 512)]
    {
        met(parts, have, served);
    }
}

#[test]
fn a_ledger_that_is_behind_its_mirror_is_reported_and_the_mirror_stays() {
    let (log, folder) = (Log::new(600), scratch());
    copied(&log, 600, folder.path());
    let before = files_in(folder.path());
    for served in [1, 255, 256, 599] {
        let round = copy(&log, served, folder.path()).expect("asked");
        assert_eq!(round, Round::Behind { held: TreeSize(600), served: TreeSize(served) });
        assert!(files_in(folder.path()) == before);
    }
}

#[test]
fn a_log_whose_tiles_contradict_it_is_evidence_of_nothing() {
    let (log, other, folder) = (Log::new(600), Log::fork(10, 600), scratch());
    copied(&log, 300, folder.path());
    // The checkpoint is one history's and the tiles are the other's.
    let mixed = Mirror::new(|path: &str, _: usize| {
        Ok(if path == "checkpoint" { log.file(600, path) } else { other.file(600, path) })
    });
    let mut mirror = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    let error = mirror.catch_up(&mixed, &mut |_| {}).expect_err("it contradicts itself");
    assert!(matches!(error, MirrorError::Served(_)), "{error}");
    assert_eq!(error.code(), "tiles_contradict");
    assert!(files_in(folder.path()) == log.files(300));
}

#[test]
fn two_logs_are_compared() {
    let (log, other) = (Log::new(600), Log::fork(256, 600));
    let pin = log.pin();
    for (one, two, ahead) in [
        (300, 300, None),
        (300, 600, Some(Side::Second)),
        (512, 256, Some(Side::First)),
        (1, 2, Some(Side::Second)),
    ] {
        let comparison = compare(&log.at(one), &log.at(two), Some(&pin)).expect("compared");
        assert_eq!((comparison.ahead, comparison.fork.is_none()), (ahead, true), "{one} {two}");
        assert_eq!(comparison.sizes, [TreeSize(one), TreeSize(two)]);
    }
    // Up to entry 256 they are one history.
    let comparison = compare(&log.at(256), &other.at(600), Some(&pin)).expect("compared");
    assert_eq!(comparison.ahead, Some(Side::Second));
    for (one, two) in [(257, 600), (600, 257), (400, 400)] {
        let comparison = compare(&log.at(one), &other.at(two), Some(&pin)).expect("compared");
        let evidence = comparison.fork.expect("two histories");
        evidence.verify(&pin).expect("proven");
        assert_eq!(comparison.ahead, None);
    }
}

#[test]
fn logs_that_cannot_be_compared_say_which_is_in_the_way() {
    let (log, other) = (Log::new(600), Log::new(600).of_origin("ledger.example/another"));
    let pin = log.pin();
    let refused = |one: &Log, two: &Log, pin| compare(&one.at(600), &two.at(300), pin).map(drop).unwrap_err();
    assert!(matches!(refused(&log, &other, None), CompareError::OtherOrigin { .. }));
    assert!(matches!(refused(&log, &other, Some(&pin)), CompareError::Log { side: Side::Second, .. }));
    assert!(matches!(refused(&other, &log, Some(&pin)), CompareError::Log { side: Side::First, .. }));
    let mixed = Mirror::new(|path: &str, _: usize| {
        Ok(log.file(600, path).map(|mut bytes| {
            bytes[0] ^= u8::from(path == "tile/1/000.p/2");
            bytes
        }))
    });
    let error = compare(&log.at(300), &mixed, Some(&pin)).map(drop).unwrap_err();
    let CompareError::Log { side: Side::Second, fault } = error else { panic!("{error}") };
    assert_eq!(fault.code(), "other_root");
}
