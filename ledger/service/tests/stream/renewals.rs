//! Renewals of the keyring that meet each other, and nodes that join after one.

use std::sync::Barrier;

use gt_core::LeafIndex;
use gt_core::erasure::Scope;
use gt_ledger::Ledger;

use crate::broker::{assert_same_folders, deliver, wait_for_size};
use crate::epochs::{Epochs, note, wait_for_key};
use crate::partnership::child;
use crate::scene::{owner, request};

/// Both have written down the keyring that they want before either takes place: it has whom the other one ends.
#[test]
fn of_two_erasures_at_once_one_is_done_and_the_other_is_not_begun() {
    let epochs = Epochs::new();
    let first = epochs.first();
    let second = epochs.site(&first, false);
    let nodes = [&first, &second].map(|site| epochs.open(site));
    // Until somebody is left who can be erased.
    let mut left = vec![1, 2, 3, 4];
    while left.len() > 1 {
        let next = epochs.prepare(&first, &[&first, &second]);
        let both = Barrier::new(2);
        let asked = [(&nodes[0], left[0]), (&nodes[1], left[1])];
        let done = std::thread::scope(|scope| {
            let erase = |(node, n): (&'_ Ledger, u8)| {
                both.wait();
                node.erase(&request(n, Scope::Records))
            };
            asked.map(|asked| scope.spawn(move || erase(asked))).map(|thread| thread.join().expect("ended"))
        });
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        for ((_, n), done) in asked.iter().zip(&done) {
            let Ok(done) = done else { continue };
            assert_eq!(done.kek, next);
            left.retain(|one| one != n);
            for (site, node) in [&first, &second].into_iter().zip(&nodes) {
                wait_for_size(node, done.index.0 + 1);
                wait_for_key(site, node, &next);
            }
        }
        for node in &nodes {
            for n in 1..5 {
                assert_eq!(node.owner_id(&owner(n)).is_some(), left.contains(&n), "child {n}");
            }
        }
    }
    nodes.iter().for_each(Ledger::close);
    drop(nodes);
    for site in [&first, &second] {
        epochs.assert_sound(site);
    }
    assert_same_folders(&first.data, &second.data);
}

/// The bucket has it in packs of many keys, which are longer than what a folder writes down one by one.
#[test]
fn a_node_that_joins_after_a_renewal_has_every_key() {
    let mut epochs = Epochs::new();
    let first = epochs.first();
    let node = epochs.open(&first);
    // Children whom so many agencies know that a pack has no room for two: whoever comes first, its pack is long.
    for n in 0..60 {
        let agency = format!("charity:9000{n:02}");
        let mut publisher = epochs.broker.home.register(&node, &agency, 100 + n);
        for known in 1..7 {
            deliver(&node, &publisher.next(&child(known))).expect("sealed");
        }
    }
    epochs.prepare(&first, &[&first]);
    node.rotate_kek().expect("renewed");
    let late = epochs.site(&first, false);
    let joined = epochs.open(&late);
    let size = node.log().size().0;
    wait_for_size(&joined, size);
    for n in 1..7 {
        assert!(joined.owner_id(&owner(n)).is_some(), "child {n}");
    }
    for index in [5, size - 1] {
        assert!(joined.presentation(LeafIndex(index)).expect("reads").expect("readable").contains('~'));
    }
    // What the one seals under its keys, the other can read under its own.
    deliver(&joined, &note(&mut epochs.council, 1)).expect("sealed");
    wait_for_size(&node, size + 1);
    assert!(node.presentation(LeafIndex(size)).expect("reads").expect("readable").contains('~'));
    node.close();
    joined.close();
    drop((node, joined));
    for site in [&first, &late] {
        epochs.assert_sound(site);
    }
    assert_same_folders(&first.data, &late.data);
}

/// Somebody who can write to the stream, and has the key in force, hands over another keyring under it.
#[test]
fn another_keyring_under_the_key_in_force_is_not_taken() {
    let epochs = Epochs::new();
    let first = epochs.first();
    let node = epochs.open(&first);
    epochs.prepare(&first, &[&first]);
    node.rotate_kek().expect("renewed");
    let before = std::fs::read(first.data.join("keyring/shards")).expect("there");
    epochs.hand_over_nobody(&node, first.secrets().kek(), 2);
    node.close();
    drop(node);
    assert_eq!(std::fs::read(first.data.join("keyring/shards")).expect("there"), before);
}
