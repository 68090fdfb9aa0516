//! What `CommitPort` demands, of the embedded commit: by the order of its changes to the data folder.

mod partnership;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use gt_core::statement::Statement;
use gt_ledger::disk::{Change, Recorder};
use gt_ledger::layout;
use gt_ledger::prepare::Prepared;
use partnership::{Home, Publisher, child};

#[derive(Default)]
struct Changes(Mutex<Vec<Change>>);

impl Recorder for Changes {
    fn record(&self, change: Change) {
        self.0.lock().expect("not poisoned").push(change);
    }
}

impl Changes {
    fn take(&self) -> Vec<Change> {
        std::mem::take(&mut *self.0.lock().expect("not poisoned"))
    }

    /// Whether the alert of a fork of this `seq` is durable.
    fn have_kept_fork(&self, seq: u64) -> bool {
        let changes = self.0.lock().expect("not poisoned");
        let member = format!("\"seq\":\"{seq}\"");
        let is_it = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&member);
        let mut after = changes.iter().skip_while(
            |change| !matches!(change, Change::Append(file, bytes) if *file == layout::integrity() && is_it(bytes)),
        );
        after.any(|change| syncs("state/integrity.ndjson")(change))
    }
}

/// The first change of this kind, by its place.
fn at(changes: &[Change], what: &str, wanted: impl Fn(&Change) -> bool) -> usize {
    changes.iter().position(wanted).unwrap_or_else(|| panic!("never: {what}"))
}

fn appends(path: &'static str) -> impl Fn(&Change) -> bool {
    move |change| matches!(change, Change::Append(file, bytes) if file == Path::new(path) && !bytes.is_empty())
}

fn syncs(path: &'static str) -> impl Fn(&Change) -> bool {
    move |change| matches!(change, Change::SyncFile(file) if file == Path::new(path))
}

fn writes_checkpoint(change: &Change) -> bool {
    matches!(change, Change::Replace(file, _) if file == Path::new("checkpoint.new"))
}

fn is_new_checkpoint(change: &Change) -> bool {
    matches!(change, Change::Rename(_, to) | Change::Exchange(_, to) if to == Path::new("checkpoint"))
}

#[test]
fn keys_then_entries_then_the_checkpoint_then_the_receipt() {
    let home = Home::new();
    let changes = Arc::new(Changes::default());
    let ledger = home.open_recorded(Some(changes.clone()));
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    // The registration's batch is tidied up before the next one starts, and so before this statement's receipt.
    ledger.seal_blocking(council.next(&child(1)).to_compact().as_bytes()).expect("sealed");
    changes.take();
    let before = ledger.log().size();
    ledger.seal_blocking(council.next(&child(2)).to_compact().as_bytes()).expect("sealed");
    // Whatever is missing here was not durable when the receipt went out.
    let changes = changes.take();
    assert_eq!(ledger.log().size().0, before.0 + 1);
    let order = [
        at(&changes, "keys written", appends("keyring/journal")),
        at(&changes, "keys durable", syncs("keyring/journal")),
        at(&changes, "checkpoint written beside the old one", writes_checkpoint),
        at(&changes, "entry durable", syncs("open/entries/000")),
        at(&changes, "checkpoint in its place", is_new_checkpoint),
    ];
    assert!(order.is_sorted(), "{order:?}");
    for (what, file) in
        [("vault record durable", "vault/000"), ("checkpoint durable beside the old one", "checkpoint.new")]
    {
        let durable = at(&changes, what, syncs(file));
        assert!(order[2] < durable && durable < order[4], "{what}");
    }
    assert!(at(&changes, "entry written", appends("open/entries/000")) < order[3]);
}

/// A receipt does not wait for the checkpoint's name, since the one beside it is durable; so that must not be written over before the name is.
#[test]
fn what_lies_beside_the_checkpoint_is_written_over_only_once_its_name_is_durable() {
    let home = Home::new();
    let changes = Arc::new(Changes::default());
    let ledger = home.open_recorded(Some(changes.clone()));
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    for n in 0..12 {
        ledger.seal_blocking(council.next(&child(n)).to_compact().as_bytes()).expect("sealed");
    }
    ledger.close();
    let root = Change::SyncFolder(PathBuf::new());
    let (mut is_named, mut exchanged) = (true, 0);
    // The first batch makes the file beside, whose name must be durable before its checkpoint is in force.
    let mut is_beside_named = false;
    for change in changes.take() {
        if change == root {
            (is_named, is_beside_named) = (true, true);
        } else if is_new_checkpoint(&change) {
            assert!(is_beside_named, "a crash would leave nothing beside");
            is_beside_named = matches!(change, Change::Exchange(..));
            is_named = false;
            exchanged += 1;
        } else if writes_checkpoint(&change) {
            assert!(is_named, "what a crash may leave as the checkpoint is written over");
        } else if let Change::Replace(file, _) = &change
            && file == Path::new("state/handed-out")
        {
            assert!(is_named, "a crash would leave what looks like an older checkpoint put back");
        }
    }
    assert!(exchanged >= 12 && is_named);
}

#[test]
fn a_checkpoint_covers_what_is_durable_and_full_files_move_after_it() {
    let home = Home::new();
    let changes = Arc::new(Changes::default());
    let ledger = home.open_recorded(Some(changes.clone()));
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let waiting: Vec<_> = (0..600_u32)
        .map(|n| council.next(&child(u8::try_from(n % 40).expect("small"))))
        .map(|statement| ledger.submit(prepare(&statement)))
        .collect();
    for answer in waiting {
        answer.blocking_recv().expect("answered").expect("sealed");
    }
    ledger.close();

    let (mut unsynced, mut since_checkpoint, mut moved) = (HashSet::new(), HashSet::new(), 0);
    for change in changes.take() {
        match change {
            Change::Append(file, _) => {
                unsynced.insert(file.clone());
                since_checkpoint.insert(file);
            }
            Change::SyncFile(file) => drop(unsynced.remove(&file)),
            Change::Rename(_, to) | Change::Exchange(_, to) if to == Path::new("checkpoint") => {
                let early = unsynced.iter().find(|file| is_sealed_data(file));
                assert_eq!(early, None, "the checkpoint covers what is not durable");
                since_checkpoint.clear();
            }
            Change::Rename(from, to) if to.starts_with("tile") => {
                assert!(!unsynced.contains(&from), "{} moved before it was durable", from.display());
                assert!(!since_checkpoint.contains(&from), "{} moved before its checkpoint", from.display());
                moved += 1;
            }
            _ => {}
        }
    }
    // Two bundles and their two tiles.
    assert_eq!(moved, 4);
}

/// Whoever holds a key can sign forks without end: nobody else's answer waits for what they cost.
#[test]
fn the_forks_of_a_batch_wait_for_the_disk_once_and_after_everybody_else() {
    const FORKS: usize = 300;
    let (home, changes) = (Home::new(), Arc::new(Changes::default()));
    let ledger = home.open_recorded(Some(changes.clone()));
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let honest: Vec<_> = (0..FORKS).map(|_| council.next(&child(1))).collect();
    for answer in honest.iter().map(|one| ledger.submit(prepare(one))).collect::<Vec<_>>() {
        answer.blocking_recv().expect("answered").expect("sealed");
    }
    changes.take();

    // While nobody is answered, the rest comes together in few batches.
    let (batches, (release, released)) = (ledger.sealer_times().batches, channel::<()>());
    ledger.submit_to(prepare(&council.next(&child(1))), move |answer| {
        answer.expect("sealed");
        released.recv().expect("released");
    });
    let mut copied = Publisher::new("gss:E06000005", 1, home.genesis());
    let (answered, answers) = channel();
    for again in honest {
        for statement in [copied.next(&child(2)), again] {
            let (changes, answered, seq) = (changes.clone(), answered.clone(), statement.payload().seq);
            ledger.submit_to(prepare(&statement), move |answer| {
                let is_fork = answer.is_err_and(|refusal| refusal.code() == "chain_fork");
                assert!(!is_fork || changes.have_kept_fork(seq), "refused before it was kept: {seq}");
                answered.send(is_fork).expect("counted");
            });
        }
    }
    drop(answered);
    release.send(()).expect("waits");
    let answers: Vec<bool> = answers.iter().collect();
    assert_eq!(answers.iter().filter(|is_fork| **is_fork).count(), FORKS);
    let batches = usize::try_from(ledger.sealer_times().batches - batches).expect("few");
    let turns = answers.windows(2).filter(|two| two[0] && !two[1]).count();
    assert!(turns < batches && batches < FORKS / 10, "{turns} turns from forks to others in {batches}");
    let waits = changes.take().into_iter().filter(syncs("state/integrity.ndjson")).count();
    assert!(waits <= batches, "{waits} waits for the disk in {batches} batches");

    let alerts = ledger.integrity_alerts();
    assert_eq!(alerts.len(), FORKS);
    ledger.close();
    drop(ledger);
    assert_eq!(home.open().integrity_alerts(), alerts);
}

fn prepare(statement: &Statement) -> Prepared {
    Prepared::new(statement.to_compact().as_bytes()).expect("sound")
}

fn is_sealed_data(file: &Path) -> bool {
    ["open/entries", "vault", "keyring"].iter().any(|folder| file.starts_with(folder))
}
