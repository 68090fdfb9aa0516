//! Servers that are gone in mid-way: the next copy completes what is there, and does not ask for it again.

use std::cell::{Cell, RefCell};

use gt_ledger::audit::{Mirror, Verdict, check_log, fsck};
use gt_ledger::mirror::{MirrorFolder, Round};

use crate::log::{Fetched, Log, copied, files_in, scratch};

/// Serves so many files, and then nothing any more.
fn breaking_off(log: &Log, size: u64, after: u32) -> Mirror<impl Fn(&str, usize) -> Fetched + '_> {
    let asked = Cell::new(0);
    Mirror::new(move |path: &str, _: usize| {
        asked.set(asked.get() + 1);
        if asked.get() > after { Err("connection reset".into()) } else { Ok(log.file(size, path)) }
    })
}

#[test]
fn whenever_the_server_is_gone_the_next_copy_completes_the_mirror() {
    let log = Log::new(900);
    for have in [0, 300, 512] {
        let mut after = 0;
        loop {
            let folder = scratch();
            if have > 0 {
                copied(&log, have, folder.path());
            }
            let mut mirror = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
            match mirror.catch_up(&breaking_off(&log, 800, after), &mut |_| {}) {
                Ok(round) => {
                    assert!(matches!(round, Round::Grown { to, .. } if to.0 == 800));
                    break;
                }
                Err(error) => assert_eq!(error.code(), "unreachable", "{error}"),
            }
            drop(mirror);
            if have > 0 {
                let report = fsck(folder.path(), None, Some(&log.pin()));
                let stray = |code: &str| ["beyond_checkpoint", "left_over"].contains(&code);
                assert!(
                    report.faults.iter().all(|fault| stray(fault.code)) && report.size == Some(have),
                    "{after}: {:?}",
                    report.faults
                );
            }
            copied(&log, 900, folder.path());
            assert!(log.is_mirrored(folder.path(), &[have, 800, 900]), "{have} entries, {after} files");
            after += 1;
        }
        assert!(after > 6, "it was interrupted");
    }
}

#[test]
fn what_was_copied_before_the_interruption_is_not_asked_for_again() {
    let (log, folder) = (Log::new(2000), scratch());
    let mut mirror = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    mirror.catch_up(&breaking_off(&log, 2000, 12), &mut |_| {}).expect_err("broken off");
    let there: Vec<_> =
        files_in(folder.path()).into_keys().filter(|path| path.starts_with("tile/entries/")).collect();
    assert!(there.len() >= 3, "{there:?}");
    let asked = RefCell::new(Vec::new());
    let served = Mirror::new(|path: &str, _: usize| {
        asked.borrow_mut().push(path.to_owned());
        Ok(log.file(2000, path))
    });
    mirror.catch_up(&served, &mut |_| {}).expect("completed");
    assert!(there.iter().all(|path| !asked.borrow().contains(path)));
    assert!(files_in(folder.path()) == log.files(2000));
}

#[test]
fn what_an_interrupted_copy_left_of_another_history_is_not_kept() {
    let (log, other, folder) = (Log::new(700), Log::fork(100, 700), scratch());
    // Nothing is pinned down by a checkpoint yet, so what is there may be anybody's.
    let mut mirror = MirrorFolder::open(folder.path(), None, None).expect("opens");
    mirror.catch_up(&breaking_off(&other, 700, 8), &mut |_| {}).expect_err("broken off");
    assert!(files_in(folder.path()).contains_key("tile/entries/000"));
    mirror.catch_up(&log.at(700), &mut |_| {}).expect("copied");
    assert!(files_in(folder.path()) == log.files(700));
    let report = check_log(&gt_ledger::audit::DataFolder::new(folder.path()), Some(&log.pin()), None);
    assert_eq!(report.verdict(), Verdict::Sound);
}
