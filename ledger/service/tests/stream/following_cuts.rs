//! The power goes while a folder becomes one that follows a stream. What is left is no ledger's folder yet, or it says that it follows:
//! else it could be written to alone, and there would be two ledgers.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;

use crate::broker::{Broker, wait_for_size};
use crate::partnership::child;
use crate::surviving_disk::tape::{Tape, cut_everywhere};
use crate::surviving_disk::{Survival, SurvivingDisk};

const POSITION: &str = "state/stream.json";

fn open_recorded(broker: &Broker, folder: &Path, tape: &Arc<Tape>) -> Ledger {
    let (options, clock) = (broker.options(broker.client(), false), Box::new(SystemClock::default()));
    let recorder = Some(tape.of(""));
    Ledger::open_node_recorded(folder, &broker.home.secrets(), clock, &options, recorder).expect("opens")
}

fn says_that_it_follows(folder: &Path) {
    assert!(!folder.join("checkpoint").exists() || folder.join(POSITION).exists());
}

#[test]
fn a_folder_that_is_made_from_the_stream() {
    let broker = Broker::with_entries(|home, ledger| {
        let mut council = home.register(ledger, "gss:E06000005", 1);
        ledger.seal_blocking(council.next(&child(1)).to_compact().as_bytes()).expect("sealed");
    });
    let folder = broker.new_folder();
    fs::create_dir(&folder).expect("made");
    let (before, tape) = (SurvivingDisk::of(&folder), Arc::new(Tape::default()));
    let node = open_recorded(&broker, &folder, &tape);
    let size = node.log().size().0;
    node.close();
    let changes = tape.changes();
    let ways = [Survival::None, Survival::Chance, Survival::All];
    cut_everywhere(&before, (&changes, 0), &ways, 0, |root, after, _| {
        says_that_it_follows(root);
        if after % 16 == 0 {
            let survivor = broker.node(root);
            wait_for_size(&survivor, size);
            survivor.close();
        }
    });
}

#[test]
fn a_folder_from_which_the_streams_were_filled() {
    let broker = Broker::new();
    let folder = broker.home.data();
    fs::remove_file(folder.join(POSITION)).expect("removed");
    let (before, tape) = (SurvivingDisk::of(&folder), Arc::new(Tape::default()));
    let (setup, secrets) = (broker.setup(), broker.home.secrets());
    let filled = broker.runtime.block_on(setup.fill_recorded(&folder, &secrets, Some(tape.of(""))));
    filled.expect("streams are filled");
    let changes = tape.changes();
    cut_everywhere(&before, (&changes, changes.len()), &[Survival::None], 0, |root, _, _| {
        says_that_it_follows(root);
    });
}

#[test]
fn a_folder_that_was_put_back_without_its_place() {
    let broker = Broker::new();
    let folder = broker.home.data();
    fs::remove_file(folder.join(POSITION)).expect("removed");
    let (before, tape) = (SurvivingDisk::of(&folder), Arc::new(Tape::default()));
    open_recorded(&broker, &folder, &tape).close();
    let changes = tape.changes();
    cut_everywhere(&before, (&changes, changes.len()), &[Survival::None], 0, |root, _, _| {
        says_that_it_follows(root);
    });
}
