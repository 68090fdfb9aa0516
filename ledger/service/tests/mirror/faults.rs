//! Logs that do not hold, and mirrors that are damaged: what is wrong is said, and nothing that held before is given up.

use std::fs;
use std::path::Path;

use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};
use gt_ledger::audit::{Mirror, Report, Verdict, fsck};
use gt_ledger::mirror::{MirrorError, MirrorFolder};

use crate::log::{Log, copied, copy, files_in, scratch};

/// The code with which a served log is refused, by a mirror that has so much of it.
fn refused(
    log: &Log,
    have: u64,
    size: u64,
    spoil: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>,
) -> &'static str {
    let folder = scratch();
    if have > 0 {
        copied(log, have, folder.path());
    }
    let before = files_in(folder.path());
    let spoilt =
        Mirror::new(|path: &str, _: usize| Ok(log.file(size, path).and_then(|bytes| spoil(path, bytes))));
    let mut mirror = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    let error = mirror.catch_up(&spoilt, &mut |_| {}).expect_err("it does not hold");
    assert!(matches!(error, MirrorError::Served(_)), "{error}");
    drop(mirror);
    let after = files_in(folder.path());
    assert_eq!(after.get("checkpoint"), before.get("checkpoint"));
    assert!(before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)), "what it covers is there");
    assert!(!after.contains_key("fork.json"), "a log that contradicts itself proves nothing");
    copied(log, size, folder.path());
    assert!(log.is_mirrored(folder.path(), &[have, size]), "and a log that holds is copied over it");
    error.code()
}

#[test]
fn every_file_that_is_not_the_logs_is_noticed() {
    let log = Log::new(600);
    for have in [0, 300] {
        for (path, sound) in log.files(600) {
            // What the mirror has in full it does not ask for again; entry 0 it compares with the pin.
            if have > 256 && path == "tile/entries/000" {
                continue;
            }
            let flip = |at: &str, mut bytes: Vec<u8>| {
                if at == path {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                }
                Some(bytes)
            };
            let cut = |at: &str, mut bytes: Vec<u8>| {
                bytes.truncate(bytes.len() - usize::from(at == path));
                Some(bytes)
            };
            let longer = |at: &str, mut bytes: Vec<u8>| {
                bytes.extend(std::iter::repeat_n(7, usize::from(at == path)));
                Some(bytes)
            };
            let missing = |at: &str, bytes: Vec<u8>| (at != path).then_some(bytes);
            // Of the first tile, which it has in full, the mirror looks only at entry 0's hash.
            if !(have > 256 && path == "tile/0/000") {
                refused(&log, have, 600, flip);
                refused(&log, have, 600, cut);
                refused(&log, have, 600, longer);
            }
            assert_eq!(refused(&log, have, 600, missing), "missing", "{path}");
            assert!(!sound.is_empty());
        }
    }
}

#[test]
fn entries_that_the_ledger_sealed_wrongly_are_not_copied() {
    let sealed = |alter: fn(&mut gt_core::entry::Entry)| {
        let log = Log::altered(400, |entry| {
            if entry.index.0 == 270 {
                alter(entry);
            }
        });
        [0, 100, 256].map(|have| {
            let folder = scratch();
            if have > 0 {
                copied(&log, have, folder.path());
            }
            copy(&log, 400, folder.path()).expect_err("it does not follow").code()
        })
    };
    assert_eq!(sealed(|entry| entry.prev = Hash::ZERO), ["entry_prev"; 3]);
    assert_eq!(sealed(|entry| entry.index = LeafIndex(271)), ["entry_index"; 3]);
    let early = |entry: &mut gt_core::entry::Entry| {
        entry.received_at = Timestamp::from_millis(1_780_000_000_000).expect("in range");
    };
    assert_eq!(sealed(early), ["entry_time"; 3]);
    assert_eq!(sealed(|entry| entry.registry -= 1), ["entry_registry"; 3]);
    assert_eq!(sealed(|entry| entry.registry += 2), ["entry_registry"; 3]);
}

#[test]
fn another_ledgers_log_is_not_copied() {
    let (log, folder) = (Log::new(300), scratch());
    let open = || MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    let code = |other: &Log| open().catch_up(&other.at(300), &mut |_| {}).expect_err("another's").code();
    assert_eq!(code(&Log::new(300).signed_by(2)), "checkpoint_not_signed");
    assert_eq!(code(&Log::new(300).of_origin("ledger.example/another")), "other_origin");
    assert_eq!(code(&Log::fork(0, 300)), "other_genesis");
    assert_eq!(files_in(folder.path()).len(), 0);
    let absurd = Mirror::new(|path: &str, _: usize| {
        let note = log.checkpoint(300).to_string().replacen("\n300\n", "\n9223372036854775807\n", 1);
        Ok(if path == "checkpoint" { Some(note.into_bytes()) } else { log.file(300, path) })
    });
    let mut unpinned = MirrorFolder::open(folder.path(), None, None).expect("opens");
    let refused = unpinned.catch_up(&absurd, &mut |_| {}).expect_err("it is not as large as it says");
    assert_eq!((refused.code(), files_in(folder.path()).len()), ("missing", 0), "and nothing was asked for");
}

#[test]
fn a_server_that_changes_its_answers_is_noticed_by_the_root() {
    let (log, other) = (Log::new(300), Log::fork(299, 300));
    let asked = std::cell::Cell::new(0);
    let two_faced = Mirror::new(|path: &str, _: usize| {
        let last = path.ends_with(".p/44");
        asked.set(asked.get() + u32::from(path == "tile/0/001.p/44"));
        Ok(if last && asked.get() > 1 { other.file(300, path) } else { log.file(300, path) })
    });
    let folder = scratch();
    let mut mirror = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    let error = mirror.catch_up(&two_faced, &mut |_| {}).expect_err("not what was signed");
    assert_eq!(error.code(), "other_root");
    assert!(!folder.path().join("checkpoint").exists());
}

#[test]
fn a_damaged_mirror_says_so_and_does_not_grow() {
    let log = Log::new(600);
    for file in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"] {
        let folder = scratch();
        copied(&log, 300, folder.path());
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).expect("there");
        let at = bytes.len() - 1;
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("written");
        let before = files_in(folder.path());
        let error = copy(&log, 600, folder.path()).expect_err("damaged");
        assert!(matches!(error, MirrorError::Held(_)), "{file}: {error}");
        assert!(files_in(folder.path()) == before, "{file}");
        let report = fsck(folder.path(), None, Some(&log.pin()));
        assert_eq!(report.verdict(), Verdict::NotSound, "{file}");
    }
}

fn codes(report: &Report) -> Vec<(&str, &str)> {
    report.faults.iter().map(|fault| (fault.place.as_str(), fault.code)).collect()
}

#[test]
fn what_is_stray_or_missing_in_a_mirror_is_reported() {
    let (log, folder) = (Log::new(300), scratch());
    copied(&log, 300, folder.path());
    let check = || fsck(folder.path(), None, Some(&log.pin()));
    assert_eq!(check().verdict(), Verdict::Sound);
    let at = |file: &str| folder.path().join(file);
    for (file, code) in [
        ("letters.txt", "unknown"),
        ("checkpoint.new", "left_over"),
        ("tile/0/001.p/43", "left_over"),
        ("tile/0/001.p/44.new", "left_over"),
        ("tile/entries/001.new", "left_over"),
        ("tile/0/001", "beyond_checkpoint"),
        ("tile/0/1", "unknown"),
        ("tile/notes", "unknown"),
        ("tile/0/001.p/x", "unknown"),
    ] {
        fs::create_dir_all(at(file).parent().expect("below the folder")).expect("made");
        fs::write(at(file), b"stray").expect("written");
        assert_eq!(codes(&check()), [(file, code)]);
        fs::remove_file(at(file)).expect("removed");
    }
    for file in log.files(300).keys() {
        let bytes = fs::read(at(file)).expect("there");
        fs::remove_file(at(file)).expect("removed");
        let report = check();
        assert_eq!(codes(&report)[0], (file.as_str(), "missing"), "{:?}", report.faults);
        fs::write(at(file), bytes).expect("written");
    }
    assert_eq!(check().verdict(), Verdict::Sound);
    let running = MirrorFolder::open(folder.path(), Some(log.pin()), None).expect("opens");
    fs::write(at("tile/0/001.p/44.new"), b"being written").expect("written");
    assert_eq!(check().verdict(), Verdict::Sound, "another process is at it");
    drop(running);
    assert_eq!(codes(&check()), [("tile/0/001.p/44.new", "left_over")]);
    copy(&log, 300, folder.path()).expect("nothing new");
    assert_eq!(check().verdict(), Verdict::Sound, "the next copy removes it");
    assert!(Path::new(&at("mirror.lock")).exists());
}
