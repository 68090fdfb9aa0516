//! Catching up: what a follower shows, how it gets far, and where reading starts again.

use std::fs;

use gt_core::checkpoint::Checkpoint;
use gt_ledger::jetstream::message::Closing;
use gt_ledger::log::SealedEntry;
use serde_json::json;

use crate::broker::raw::{RawMessage, batch, closing, entries_after, head_after, tree_of};
use crate::broker::{Broker, alerts, assert_same_folders, check_receipt, deliver, wait_for_size};
use crate::partnership::{ORIGIN, Publisher, child};

/// A follower cannot sign. It shows what a signed checkpoint covers, and the rest when there is one.
#[test]
fn a_follower_waits_for_the_checkpoint_of_the_newest_batch() {
    let broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let mut council = broker.home.register(&ledger, "gss:E06000005", 1);
    let size = ledger.log().size().0;
    ledger.close();
    drop(ledger);
    let folder = broker.new_folder();
    let follower = broker.follower(&folder);
    wait_for_size(&follower, size);
    // A sealer that dies between its commit and its checkpoint.
    let entries = entries_after(follower.log(), 3, "unsigned");
    let head = head_after(follower.log(), &entries);
    let last = broker.publish(&batch("unsigned", &entries, &closing(head.clone())));
    follower.close();
    drop(follower);
    let follower = broker.follower(&folder);
    assert_eq!(follower.log().size().0, size, "nobody has signed it yet");
    broker.publish_checkpoint(&broker.sign(head.size().0, head.root()));
    wait_for_size(&follower, size + 3);
    assert_eq!(broker.last_sequence(), last);
    assert!(!follower.is_stopped());
    // And a full node signs it by itself.
    let full = broker.node(&broker.home.data());
    assert_eq!(full.log().size().0, size + 3);
    let statement = council.next(&child(1));
    check_receipt(&broker.home, &deliver(&full, &statement).expect("sealed"), &statement);
    wait_for_size(&follower, size + 4);
    follower.close();
    full.close();
    assert_same_folders(&folder, &broker.home.data());
}

/// Each batch brings the checkpoint of the one before, so a follower that was away for long needs no other.
#[test]
fn a_follower_catches_up_by_the_checkpoints_that_batches_carry() {
    let broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let mut council = broker.home.register(&ledger, "gss:E06000005", 1);
    let folder = broker.new_folder();
    let follower = broker.follower(&folder);
    follower.close();
    drop(follower);
    for n in 0..100 {
        ledger.seal_blocking(council.next(&child(n % 9)).to_compact().as_bytes()).expect("sealed");
    }
    ledger.close();
    // Those on the broker are lost.
    broker.api("STREAM.PURGE.CHECKPOINT", &json!({})).unwrap_err();
    broker.forget_checkpoints();
    let follower = broker.follower(&folder);
    wait_for_size(&follower, ledger.log().size().0 - 1);
    broker.publish_checkpoint(&ledger.published().checkpoint);
    wait_for_size(&follower, ledger.log().size().0);
}

/// What is published while the stream of checkpoints can take nothing is lost, and it may be long until something else is sealed.
#[test]
fn a_checkpoint_that_was_lost_is_sent_again() {
    let broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let mut council = broker.home.register(&ledger, "gss:E06000005", 1);
    let folder = broker.new_folder();
    broker.follower(&folder).close();
    broker.delete_checkpoints();
    ledger.seal_blocking(council.next(&child(1)).to_compact().as_bytes()).expect("sealed");
    broker.make_streams();
    wait_for_size(&broker.follower(&folder), ledger.log().size().0);
}

/// More batches than checkpoints are remembered, and so divided over two reads that the nearest one known lies far ahead.
#[test]
fn a_follower_that_was_away_for_long_finds_its_way() {
    let broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let (first, size) = (broker.last_sequence() + 1, ledger.log().size().0);
    // A read brings a thousand messages; the first one ends with a batch of a hundred.
    let (singles, long, after) = (1000 - 100 - (first - 1), 100, 1000);
    let mut entries = entries_after(ledger.log(), singles + long + after, "long ago");
    let mut tree = tree_of(ledger.log());
    let mut at = 0;
    let mut messages = Vec::new();
    let mut rest = entries.split_off(usize::try_from(singles + long).expect("small"));
    let of_long = entries.split_off(usize::try_from(singles).expect("small"));
    let single = |entry: SealedEntry| vec![entry];
    let batches = entries.drain(..).map(single).chain([of_long]).chain(rest.drain(..).map(single));
    for entries in batches {
        let carried = broker.sign(tree.size().0, tree.root());
        for entry in &entries {
            tree.push(entry.leaf_hash);
        }
        let head = Checkpoint::new(ORIGIN, tree.size(), tree.root()).expect("sound");
        at += 1;
        let closing = Closing { head, keys: 0, epoch: None, checkpoint: Some(carried) };
        let batch = batch(&format!("batch{at}"), &entries, &closing);
        if batch.len() > 1 {
            broker.publish(&messages);
            messages.clear();
            broker.publish(&batch);
        } else {
            messages.extend(batch);
        }
    }
    broker.publish(&messages);
    let follower = broker.follower(&broker.new_folder());
    wait_for_size(&follower, size + singles + long + after - 1);
    broker.publish_checkpoint(&broker.sign(tree.size().0, tree.root()));
    wait_for_size(&follower, tree.size().0);
    wait_for_size(&ledger, tree.size().0);
    assert_eq!(ledger.published().checkpoint, follower.published().checkpoint);
}

/// Restarted while half of a batch was read: reading goes on where the batch begins.
#[test]
fn a_restart_in_the_middle_of_a_batch_loses_nothing() {
    let mut broker = Broker::new();
    broker.unmask();
    let ledger = broker.node(&broker.home.data());
    broker.home.register(&ledger, "gss:E06000005", 1);
    let standby_folder = broker.new_folder();
    let standby = broker.node(&standby_folder);
    wait_for_size(&standby, ledger.log().size().0);
    ledger.close();
    drop(ledger);
    // The beginning of a batch, as a read shows it that ends there: the rest comes later.
    let entries = entries_after(standby.log(), 4, "slowly");
    let head = head_after(standby.log(), &entries);
    let mut messages: Vec<_> =
        batch("slowly", &entries, &closing(head.clone())).into_iter().map(RawMessage::masked).collect();
    let rest = messages.split_off(2);
    let before = broker.last_sequence();
    broker.publish(&messages);
    // A refusal that rests on everything that there is says that it was read; after it the position is written.
    let mut stranger = Publisher::new("ods:RX1", 9, broker.home.genesis());
    let refused = deliver(&standby, &stranger.next(&child(1))).expect_err("nobody knows it");
    assert_eq!(refused.code(), "unknown_publisher");
    standby.close();
    let read = || fs::read_to_string(standby_folder.join("state/stream.json")).expect("a position");
    assert!(read().contains(&format!("\"sequence\":{before}")), "{}", read());
    drop(standby);
    let standby = broker.node(&standby_folder);
    broker.publish(&rest);
    wait_for_size(&standby, head.size().0);
    assert_eq!(broker.last_sequence(), before + 4);
    assert_eq!(alerts(&standby, "stream-void"), [] as [serde_json::Value; 0]);
}
