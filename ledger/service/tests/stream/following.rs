//! Nodes that follow: made from nothing or from a copy, stopped and started at any point.

use std::fs;

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::jetstream::JoinError;
use gt_ledger::open::OpenLedgerError;
use gt_ledger::refusal::Refusal;

use crate::broker::{Broker, assert_same_folders, deliver, open, sealed_files, statements_of, wait_for_size};
use crate::partnership::{Home, Publisher, child};

fn seal_some(ledger: &Ledger, publisher: &mut Publisher, count: u8) -> Vec<Statement> {
    let statements: Vec<Statement> = (0..count).map(|n| publisher.next(&child(n % 9))).collect();
    for statement in &statements {
        ledger.seal_blocking(statement.to_compact().as_bytes()).expect("sealed");
    }
    statements
}

/// A ledger of more than one bundle, with children whose keys are in the shared keyring.
fn used() -> (Broker, Publisher) {
    let mut publisher = None;
    let broker = Broker::with_entries(|home, ledger| {
        let mut council = home.register(ledger, "gss:E06000005", 1);
        let waiting: Vec<_> = (0..260_u32)
            .map(|n| council.next(&child(u8::try_from(n % 9).expect("small"))))
            .map(|statement| ledger.submit(crate::broker::prepared(&statement)))
            .collect();
        for answer in waiting {
            answer.blocking_recv().expect("answered").expect("sealed");
        }
        publisher = Some(council);
    });
    (broker, publisher.expect("registered"))
}

#[test]
fn a_node_made_from_nothing_becomes_like_the_others() {
    let (broker, mut council) = used();
    let folders = [broker.home.data(), broker.new_folder(), broker.new_folder()];
    let first = broker.node(&folders[0]);
    let full = broker.node(&folders[1]);
    let follower = broker.follower(&folders[2]);
    assert!(follower.only_follows() && !full.only_follows());
    let statements = seal_some(&first, &mut council, 12);
    let size = first.log().size().0;
    for node in [&full, &follower] {
        wait_for_size(node, size);
        assert!(!node.is_active());
        for (index, statement) in (size - 12..).zip(&statements) {
            let text = node.presentation(LeafIndex(index)).expect("reads").expect("readable");
            assert_eq!(text, statement.to_compact());
        }
        let head = node.head(&council.id);
        assert_eq!((head.next_seq, head.head), (council.seq, council.prev));
    }
    // About the same child as the last one.
    let next = council.next(&child(11 % 9));
    let refused = follower.seal_blocking(next.to_compact().as_bytes());
    assert!(matches!(refused, Err(Refusal::Stopped)), "a follower takes none");
    // It goes on with the children's records where they are, whoever sealed what came before.
    let owner = |index| {
        let record = first.records(LeafIndex(index), 1).expect("reads").remove(0);
        record.statement.expect("readable").primary.expect("a child")
    };
    let next = deliver(&full, &next).expect("sealed");
    for node in [&first, &follower] {
        wait_for_size(node, size + 1);
    }
    assert_eq!(owner(next.index.0), owner(size - 1), "one child");
    for node in [&first, &full, &follower] {
        node.close();
    }
    assert_same_folders(&folders[0], &folders[1]);
    assert_same_folders(&folders[0], &folders[2]);
    for folder in &folders {
        let alone = Ledger::open(folder, &broker.home.secrets(), Box::new(SystemClock::default()), None);
        assert!(matches!(alone, Err(OpenLedgerError::FollowsStream { .. })), "nobody writes to it alone");
    }
}

#[test]
fn a_new_node_needs_its_pin_a_stream_with_entries_and_an_empty_folder() {
    let broker = Broker::new();
    let other = Home::new();
    let join = |folder: &std::path::Path, home: &Home| {
        let options = broker.options(broker.client(), false);
        match open(folder, &home.secrets(), &options) {
            Err(OpenLedgerError::Join(error)) => *error,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it must be refused"),
        }
    };
    let folder = broker.new_folder();
    assert!(matches!(join(&folder, &other), JoinError::OtherLedger { .. }));
    fs::create_dir(&folder).expect("made");
    fs::write(folder.join("letter"), "to somebody").expect("written");
    assert!(matches!(join(&folder, &broker.home), JoinError::NotEmpty { .. }));
    assert_eq!(fs::read(folder.join("letter")).expect("there"), b"to somebody");
    broker.recreate_stream();
    assert!(matches!(join(&broker.new_folder(), &broker.home), JoinError::Empty));
}

#[test]
fn what_an_interrupted_making_left_is_begun_anew() {
    let (broker, _) = used();
    let folder = broker.new_folder();
    broker.node(&folder).close();
    let whole = sealed_files(&folder);
    // The checkpoint is the last thing that is written, so without it everything is in doubt.
    fs::remove_file(folder.join("checkpoint")).expect("removed");
    fs::write(folder.join("open/entries/001"), "torn").expect("written");
    broker.node(&folder).close();
    assert!(sealed_files(&folder) == whole);
}

#[test]
fn a_copy_of_another_nodes_folder_follows() {
    let (broker, mut council) = used();
    let ledger = broker.node(&broker.home.data());
    seal_some(&ledger, &mut council, 5);
    ledger.close();
    let copy = broker.copy_of(&broker.home.data());
    drop(ledger);
    let ledger = broker.node(&broker.home.data());
    seal_some(&ledger, &mut council, 5);
    let second = broker.node(&copy);
    let size = ledger.log().size().0;
    wait_for_size(&second, size);
    deliver(&second, &council.next(&child(1))).expect("sealed");
    wait_for_size(&ledger, size + 1);
    ledger.close();
    second.close();
    assert_same_folders(&broker.home.data(), &copy);
}

/// A copy that was made while the node was at work: the position is newer than the log in it.
#[test]
fn a_position_beyond_its_folder_is_not_believed() {
    let (broker, mut council) = used();
    let ledger = broker.node(&broker.home.data());
    seal_some(&ledger, &mut council, 3);
    ledger.close();
    drop(ledger);
    let copy = broker.copy_of(&broker.home.data());
    let ledger = broker.node(&broker.home.data());
    seal_some(&ledger, &mut council, 3);
    ledger.close();
    let newer = fs::read(broker.home.data().join("state/stream.json")).expect("a position");
    drop(ledger);
    fs::write(copy.join("state/stream.json"), newer).expect("written");
    let second = broker.node(&copy);
    wait_for_size(&second, broker.node(&broker.home.data()).log().size().0);
    assert_eq!(second.integrity_alerts(), [] as [serde_json::Value; 0]);
    second.close();
    assert_same_folders(&broker.home.data(), &copy);
}

#[test]
fn a_position_that_is_lost_old_or_unreadable_is_found_again() {
    let (broker, mut council) = used();
    let folder = broker.home.data();
    let file = folder.join("state/stream.json");
    let mut ledger = broker.node(&folder);
    let older = fs::read(&file).expect("a position");
    seal_some(&ledger, &mut council, 4);
    let positions: [Option<&[u8]>; 5] = [
        None,
        Some(&older),
        Some(b""),
        Some(b"{\"created\":"),
        Some(b"{\"created\":\"2020-01-01T00:00:00Z\",\"sequence\":5,\"size\":5,\"keys\":1}"),
    ];
    for position in positions {
        ledger.close();
        let before = sealed_files(&folder);
        drop(ledger);
        match position {
            None => fs::remove_file(&file).expect("removed"),
            Some(bytes) => fs::write(&file, bytes).expect("written"),
        }
        ledger = broker.node(&folder);
        assert!(sealed_files(&folder) == before, "nothing is sealed twice");
        seal_some(&ledger, &mut council, 1);
    }
    statements_of(&ledger);
}
