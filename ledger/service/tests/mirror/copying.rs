//! What a copy is: the log as C2SP has it, at each size that it has had, and nothing else.

use std::fs;

use gt_core::TreeSize;
use gt_core::tile::TilePath;
use gt_ledger::audit::{DataFolder, Mirror, Verdict, check_log, fsck};
use gt_ledger::mirror::{MirrorError, MirrorFolder, Progress, Round};

use crate::log::{Log, copied, copy, files_in, scratch};

#[test]
fn a_copy_is_the_log_as_c2sp_has_it() {
    let (log, size) = (Log::new(65_836), 65_836);
    let folder = scratch();
    let out = folder.path().join("not/there/yet");
    let mut seen = Vec::new();
    let mut mirror = MirrorFolder::open(&out, Some(log.pin()), None).expect("a folder for a mirror");
    let round = mirror.catch_up(&log.at(size), &mut |progress| seen.push(progress)).expect("copied");
    assert_eq!(round, Round::Grown { from: TreeSize(0), to: TreeSize(size) });
    assert!(files_in(&out) == log.files(size), "every file of three levels, byte for byte");
    assert_eq!(seen.last(), Some(&Progress { copied: size, of: size }));
    assert!(seen.windows(2).all(|pair| pair[0].copied < pair[1].copied));
    let report = fsck(&out, None, Some(&log.pin()));
    assert_eq!((report.verdict(), report.counts.entries), (Verdict::Sound, size), "{:?}", report.faults);
    assert!(report.notes.iter().any(|note| note.starts_with("this is a mirror")), "{:?}", report.notes);
    assert_eq!(check_log(&DataFolder::new(&out), None, None).verdict(), Verdict::CouldNotTell);
}

/// Whoever has read an earlier checkpoint still finds the partial tiles that it needs; a log may let them go once the full ones are there.
#[test]
fn a_mirror_that_grows_holds_what_a_new_copy_would_and_what_earlier_readers_need() {
    let (log, folder) = (Log::new(1400), scratch());
    let sizes = [1, 2, 3, 100, 255, 256, 257, 300, 511, 512, 513, 768, 1100, 1280, 1399, 1400];
    for (at, size) in sizes.into_iter().enumerate() {
        copied(&log, size, folder.path());
        assert!(files_in(folder.path()) == log.files_after(&sizes[..=at]), "{size}");
        assert_eq!(fsck(folder.path(), None, Some(&log.pin())).verdict(), Verdict::Sound, "{size}");
        let again = copy(&log, size, folder.path()).expect("asked again");
        assert_eq!(again, Round::Unchanged { size: TreeSize(size) });
    }
    let empty =
        walk_folders(folder.path()).into_iter().find(|at| at.read_dir().expect("a folder").count() == 0);
    assert_eq!(empty, None, "folders of partial tiles that are gone");
}

fn walk_folders(at: &std::path::Path) -> Vec<std::path::PathBuf> {
    let below = at.read_dir().expect("a folder").map(|item| item.expect("an item").path());
    let folders: Vec<_> = below.filter(|path| path.is_dir()).collect();
    folders.iter().flat_map(|folder| walk_folders(folder)).chain(folders.clone()).collect()
}

#[test]
fn a_mirror_is_a_log_that_can_be_mirrored() {
    let (log, first, second) = (Log::new(700), scratch(), scratch());
    copied(&log, 600, first.path());
    let root = first.path().to_owned();
    let served = Mirror::new(move |path: &str, _: usize| Ok(fs::read(root.join(path)).ok()));
    let mut mirror = MirrorFolder::open(second.path(), Some(log.pin()), None).expect("opens");
    mirror.catch_up(&served, &mut |_| {}).expect("copied");
    assert!(files_in(second.path()) == log.files(600));
    assert_eq!(check_log(&served, Some(&log.pin()), None).verdict(), Verdict::Sound);
    copied(&log, 700, first.path());
    let round = mirror.catch_up(&served, &mut |_| {}).expect("copied");
    assert_eq!(round, Round::Grown { from: TreeSize(600), to: TreeSize(700) });
    assert!(files_in(second.path()) == log.files_after(&[600, 700]));
    let folder = DataFolder::new(second.path());
    mirror.catch_up(&folder, &mut |_| {}).expect("a folder is a log as well");
}

/// A log that grows after its checkpoint was read, as a static mirror does: the partial tiles of that size are gone.
#[test]
fn a_log_that_grows_meanwhile_is_asked_for_its_newer_checkpoint() {
    let (log, folder) = (Log::new(400), scratch());
    let asked = std::cell::Cell::new(0);
    let partial = TilePath::entries(1, 44).expect("a path").to_path();
    let growing = Mirror::new(|path: &str, _: usize| {
        let grown = asked.get() > 0 || path == partial;
        asked.set(asked.get() + u32::from(path == partial));
        Ok(log.file(if grown { 400 } else { 300 }, path))
    });
    let mut mirror = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    let round = mirror.catch_up(&growing, &mut |_| {}).expect("copied");
    assert_eq!(round, Round::Grown { from: TreeSize(0), to: TreeSize(400) });
    assert!(files_in(folder.path()) == log.files(400), "and nothing is left of the smaller size");
}

/// The same of a log that is checked, and not copied.
#[test]
fn a_log_that_grows_while_it_is_checked_is_gone_through_again() {
    let (log, other) = (Log::new(400), Log::fork(290, 400));
    let partial = TilePath::entries(1, 44).expect("a path").to_path();
    let checked = |later: &Log| {
        let grown = std::cell::Cell::new(false);
        let growing = Mirror::new(|path: &str, _: usize| {
            grown.set(grown.get() || path == partial);
            Ok(if grown.get() { later.file(400, path) } else { log.file(300, path) })
        });
        check_log(&growing, Some(&log.pin()), None)
    };
    let report = checked(&log);
    assert_eq!((report.verdict(), report.size), (Verdict::Sound, Some(400)), "{:?}", report.faults);
    // What it has grown to must go on from what was signed before.
    let report = checked(&other);
    assert_eq!(report.verdict(), Verdict::NotSound);
    assert!(report.faults.iter().any(|fault| fault.code == "other_root"), "{:?}", report.faults);
    // And a log that lacks a part and does not grow lacks it.
    let lacking = Mirror::new(|path: &str, _: usize| Ok(log.file(300, path).filter(|_| path != partial)));
    let report = check_log(&lacking, Some(&log.pin()), None);
    assert_eq!((report.verdict(), report.faults[0].code), (Verdict::NotSound, "missing"));
}

#[test]
fn without_a_pin_a_mirror_keeps_to_the_origin_that_it_has_seen() {
    let (log, folder) = (Log::new(300), scratch());
    let mut unpinned = MirrorFolder::open(folder.path(), None, None).expect("opens");
    unpinned.catch_up(&log.at(200), &mut |_| {}).expect("copied");
    let elsewhere = Log::new(300).of_origin("ledger.example/another");
    let other = unpinned.catch_up(&elsewhere.at(300), &mut |_| {}).expect_err("another ledger's");
    assert!(matches!(&other, MirrorError::OtherOrigin { held, .. } if held == crate::log::ORIGIN), "{other}");
    // Whose signature it bears is nobody's business here, but once it is pinned it is.
    let stranger = Log::new(300).signed_by(9);
    unpinned.catch_up(&stranger.at(250), &mut |_| {}).expect("copied");
    drop(unpinned);
    let refused =
        MirrorFolder::open(folder.path(), Some(log.pin()), None).err().expect("not the pinned key's");
    assert!(matches!(&refused, MirrorError::Held(_)), "{refused}");
    assert_eq!(refused.code(), "checkpoint_not_signed");
    assert!(files_in(folder.path()) == stranger.files_after(&[200, 250]));
}

#[test]
fn a_folder_that_is_no_mirror_is_left_alone() {
    let (log, folder) = (Log::new(3), scratch());
    for name in ["vault", "open", "state", "letters.txt"] {
        let there = folder.path().join(name);
        fs::create_dir_all(&there).expect("made");
        let refused = copy(&log, 3, folder.path()).expect_err("somebody's folder");
        assert!(matches!(&refused, MirrorError::NotAMirror { name: found } if found == name), "{refused}");
        fs::remove_dir(&there).expect("removed");
        assert_eq!(files_in(folder.path()).len(), 0, "{name}");
    }
    let held = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    let locked = copy(&log, 3, folder.path()).expect_err("another is at work");
    assert_eq!(locked.code(), "locked");
    drop(held);
    copied(&log, 3, folder.path());
}
