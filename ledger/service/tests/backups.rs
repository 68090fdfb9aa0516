//! Copies of folders as they may be found: of a ledger that seals faster than it is copied, and of one that has lost its power.

mod partnership;

use std::fs;
use std::path::Path;

use gt_core::TreeSize;
use gt_ledger::Ledger;
use gt_ledger::audit::{Verdict, fsck, read_pin};
use gt_ledger::backup::{BackupError, backup};
use gt_ledger::clock::SystemClock;
use gt_ledger::layout;
use gt_ledger::prepare::Prepared;
use partnership::{Home, Publisher, child};

fn seal(ledger: &Ledger, publisher: &mut Publisher, statements: u32) {
    let next = |n: u32| {
        let text = publisher.next(&child(u8::try_from(n % 7).expect("small"))).to_compact();
        ledger.submit(Prepared::new(text.as_bytes()).expect("a sound statement"))
    };
    let waiting: Vec<_> = (0..statements).map(next).collect();
    for answer in waiting {
        answer.blocking_recv().expect("answered").expect("sealed");
    }
}

/// The copy is sound, and a ledger starts from it that has so many entries.
fn assert_holds(home: &Home, copy: &Path, size: TreeSize) {
    let pin = read_pin(&home.pin).expect("a pin");
    let report = fsck(copy, Some(&home.secrets()), Some(&pin));
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    let ledger = Ledger::open(copy, &home.secrets(), Box::new(SystemClock::default()), None).expect("opens");
    assert_eq!((ledger.log().size(), ledger.removed_entries()), (size, 0));
}

/// The checkpoint is copied first. By the time that growing files are, more may have been sealed than one batch.
#[test]
fn a_copy_ends_with_its_checkpoint_however_much_was_sealed_meanwhile() {
    let home = Home::new();
    let (data, ledger) = (home.data(), home.open());
    let mut publisher = home.register(&ledger, "gss:E06000005", 1);
    seal(&ledger, &mut publisher, 300);
    let checkpoint = fs::read(data.join(layout::checkpoint())).expect("a checkpoint");
    let size = ledger.log().size();
    seal(&ledger, &mut publisher, 1600);
    ledger.close();
    drop(ledger);
    fs::write(data.join(layout::checkpoint()), checkpoint).expect("written");
    // The one of the batch before the last, if it is there.
    let _ = fs::remove_file(data.join("checkpoint.new"));
    let (full, open) = (|n| data.join(layout::full_entries(n)), |n| data.join(layout::open_entries(n)));
    for n in 1..=6 {
        fs::rename(full(n), open(n)).expect("it became full, and is not moved yet");
    }
    let copy = home.folder.path().join("of-growing-files");
    assert_eq!(backup(&data, &copy).expect("copied").size, size);
    assert_holds(&home, &copy, size);
    // One that was moved when the others of its folder were copied already.
    fs::rename(open(6), full(6)).expect("moved");
    let copy = home.folder.path().join("with-a-gap");
    assert_eq!(backup(&data, &copy).expect("copied").size, size);
    assert_holds(&home, &copy, size);
}

#[test]
fn a_ledger_that_has_lost_its_power_is_started_before_it_is_copied() {
    let home = Home::new();
    let (data, ledger) = (home.data(), home.open());
    let mut publisher = home.register(&ledger, "gss:E06000005", 1);
    let at = |name: &str| home.folder.path().join(name);
    let checkpoint = || fs::read(data.join(layout::checkpoint())).expect("a checkpoint");
    seal(&ledger, &mut publisher, 1);
    let before = checkpoint();
    seal(&ledger, &mut publisher, 1);
    let size = ledger.log().size();
    ledger.close();
    drop(ledger);
    // The last receipt had gone out, and that the two had changed places was not on the disk yet.
    fs::write(data.join("checkpoint.new"), checkpoint()).expect("written");
    fs::write(data.join(layout::checkpoint()), before).expect("written");
    let refused = backup(&data, &at("refused")).expect_err("receipts may rest on the newer one");
    assert!(matches!(refused, BackupError::Unsettled(_)), "{refused}");
    assert!(!at("refused").exists());
    let ledger = home.open();
    assert_eq!(ledger.log().size(), size);
    assert_eq!(backup(&data, &at("running")).expect("copied").size, size);
    ledger.close();
    drop(ledger);
    assert_eq!(backup(&data, &at("stopped")).expect("copied").size, size);
    assert_holds(&home, &at("stopped"), size);
    assert_holds(&home, &at("running"), size);
}
