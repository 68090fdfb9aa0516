//! Erasing and renewing the key-encryption key on several nodes.

use std::fs;

use gt_core::LeafIndex;
use gt_core::erasure::Scope;
use gt_ledger::Ledger;
use gt_ledger::erasure::{EraseError, NotPrepared};
use gt_ledger::keyring::{ConfirmError, Confirmed, KeyEncryptionKey, RotateError};
use gt_ledger::refusal::Refusal;

use crate::broker::{assert_same_folders, deliver, wait_for_size, wait_until};
use crate::epochs::{Epochs, Site, is_nowhere, note, wait_for_key};
use crate::partnership::child;
use crate::scene::{WORDS, owner, request};
use crate::state_opened::{OpenedState, Traces};

/// Every node has the same log, whose statements about these children cannot be read, and no other.
fn assert_ended(nodes: &[&Ledger], children: &[u8]) {
    for node in nodes {
        for n in 1..7 {
            assert_eq!(node.owner_id(&owner(n)).is_some(), !children.contains(&n), "child {n}");
        }
    }
}

/// What a node's snapshot says under the key that it has now.
fn state_of(site: &Site) -> Option<OpenedState> {
    OpenedState::of(&site.data, site.secrets().kek())
}

/// What a node's snapshot has of child 1.
fn traces_of(site: &Site) -> Traces {
    let traces = Traces::of(&site.data, site.secrets().kek(), &owner(1), 2);
    assert!(traces.are_all_in(&state_of(site).expect("opens")));
    traces
}

#[test]
fn an_erasure_ends_on_every_node_and_nothing_has_the_words() {
    let mut epochs = Epochs::new();
    let first = epochs.first();
    let (second, third) = (epochs.site(&first, false), epochs.site(&first, true));
    let nodes = [&first, &second, &third].map(|site| epochs.open(site));
    let old = first.kek();
    let next = epochs.prepare(&first, &[&first, &second, &third]);
    // A child that only the second node has sealed, and keys that are in the folders' journals.
    epochs.note(&nodes[1], 7);
    let size = nodes[1].log().size().0;
    wait_for_size(&nodes[0], size);

    let traces = traces_of(&first);
    let done = nodes[0].erase(&request(1, Scope::Records)).expect("erased");
    assert_eq!((done.index.0, done.entries, done.kek.as_str()), (size, 2, next.as_str()));
    assert_eq!((done.retired.kek.as_str(), done.retired.epoch), (old.as_str(), Some(1)));
    done.receipt
        .verify(
            &done.receipt.extra.as_deref().map(gt_core::tree::leaf_hash).expect("an entry"),
            &epochs.broker.home.pin.origin,
            &epochs.broker.home.pin.parse().expect("a pin").0,
        )
        .expect("the receipt holds");
    for (site, node) in [&first, &second, &third].into_iter().zip(&nodes) {
        wait_for_size(node, size + 1);
        wait_for_key(site, node, &next);
        assert_eq!(node.erased_at(), Some(LeafIndex(size)));
        assert_eq!(node.retired_keks().expect("reads")[0].erasure, Some(size));
        assert_eq!(node.presentation(LeafIndex(5)).expect("reads"), None, "its first note");
        wait_until("its snapshot is written anew", || state_of(site).is_some());
        assert!(!traces.is_any_in(&state_of(site).expect("opens")));
    }
    assert_ended(&nodes.each_ref(), &[1]);
    // Sealing goes on from either, about those who are known and those who are new.
    for (node, n) in [(0, 2), (1, 2), (1, 8), (0, 8)] {
        epochs.note(&nodes[node], n);
    }
    let size = nodes[0].log().size().0;
    for node in &nodes {
        wait_for_size(node, size);
        assert!(node.presentation(LeafIndex(size - 1)).expect("reads").expect("readable").contains('~'));
    }
    nodes.iter().for_each(Ledger::close);
    drop(nodes);
    for site in [&first, &second, &third] {
        epochs.assert_sound(site);
        assert_same_folders(&first.data, &site.data);
        assert!(!site.data.join("keyring/switch").exists());
    }
    let shards = |site: &Site| fs::read(site.data.join("keyring/shards")).expect("there");
    assert!(shards(&first) == shards(&second) && shards(&first) == shards(&third));
    let store = epochs.broker.server.store();
    let places =
        [&first.data, &first.secrets, &second.data, &second.secrets, &third.data, &third.secrets, &store];
    let places = places.map(std::path::PathBuf::as_path);
    assert!(is_nowhere(&places, WORDS.as_bytes()) && is_nowhere(&places, child(1).as_bytes()));

    // They start again as they are, and somebody who was not there takes the keyring as it is now.
    let late = [epochs.site(&first, false), epochs.site(&first, true)];
    let nodes = [&first, &second, &third, &late[0], &late[1]].map(|site| epochs.open(site));
    for node in &nodes {
        wait_for_size(node, size);
        assert!(node.waits_for_key().is_none());
    }
    assert_ended(&nodes.each_ref(), &[1]);
    let next = epochs.prepare(&first, &[&first, &second, &third, &late[0], &late[1]]);
    // The one that joined asks, and for a child about whom it has read everything from the stream.
    wait_until("the register is complete", || {
        nodes[3].nodes().expect("a register").expect("nodes").len() == 5
    });
    nodes[3].erase(&request(2, Scope::Data)).expect("erased");
    for (site, node) in [&first, &second, &third, &late[0], &late[1]].into_iter().zip(&nodes) {
        wait_for_size(node, size + 1);
        wait_for_key(site, node, &next);
    }
    assert_ended(&nodes.each_ref(), &[1, 2]);
    // After two erasures.
    let last = epochs.site(&late[0], true);
    let node = epochs.open(&last);
    wait_for_size(&node, size + 1);
    assert_ended(&[&node], &[1, 2]);
    node.close();
    nodes.iter().for_each(Ledger::close);
    for site in [&first, &second, &third, &late[0], &late[1], &last] {
        epochs.assert_sound(site);
        assert_same_folders(&first.data, &site.data);
    }
}

#[test]
fn a_key_is_renewed_on_every_node_and_nothing_ends() {
    let mut epochs = Epochs::new();
    let first = epochs.first();
    let second = epochs.site(&first, true);
    let nodes = [&first, &second].map(|site| epochs.open(site));
    for round in 1..3 {
        let old = first.kek();
        let next = epochs.prepare(&first, &[&first, &second]);
        let retired = nodes[0].rotate_kek().expect("renewed");
        assert_eq!((retired.kek, retired.erasure, retired.epoch), (old, None, Some(round)));
        for (site, node) in [&first, &second].into_iter().zip(&nodes) {
            wait_for_key(site, node, &next);
        }
        epochs.note(&nodes[0], 9);
        wait_for_size(&nodes[1], nodes[0].log().size().0);
        assert_ended(&nodes.each_ref(), &[]);
    }
    nodes.iter().for_each(Ledger::close);
    drop(nodes);
    for site in [&first, &second] {
        // With its position lost everything is compared from the start.
        fs::remove_file(site.data.join("state/stream.json")).expect("removed");
        let node = epochs.open(site);
        assert_eq!(node.integrity_alerts(), [] as [serde_json::Value; 0]);
        node.close();
        drop(node);
        epochs.assert_sound(site);
    }
    assert_same_folders(&first.data, &second.data);
}

#[test]
fn what_is_not_prepared_is_refused_before_anything_is_done() {
    let epochs = Epochs::new();
    let first = epochs.first();
    let follower = epochs.site(&first, true);
    let nodes = [&first, &follower].map(|site| epochs.open(site));
    let erase = |node: &Ledger| node.erase(&request(1, Scope::Data));
    assert!(matches!(erase(&nodes[0]), Err(EraseError::NotPrepared(NotPrepared::NoKey { .. }))));
    assert!(matches!(nodes[0].rotate_kek(), Err(RotateError::NotPrepared(NotPrepared::NoKey { .. }))));
    first.give(&KeyEncryptionKey::generate());
    assert!(matches!(erase(&nodes[0]), Err(EraseError::NotPrepared(NotPrepared::NoBucket { .. }))));
    assert!(matches!(erase(&nodes[1]), Err(EraseError::OnlyFollows)));
    assert!(matches!(nodes[1].rotate_kek(), Err(RotateError::OnlyFollows)));
    assert_ended(&nodes.each_ref(), &[]);
}

/// It waits with what it has, without the others; and has everything once it has the key, however much that is by then.
#[test]
fn a_node_without_the_next_key_waits_alone() {
    let mut epochs = Epochs::new();
    let first = epochs.first();
    let (second, third) = (epochs.site(&first, false), epochs.site(&first, true));
    let nodes = [&first, &second, &third].map(|site| epochs.open(site));
    let key = KeyEncryptionKey::generate();
    first.give(&key);
    let making = epochs.broker.setup();
    epochs.broker.runtime.block_on(making.prepare_keys(&first.kek(), &key.epoch())).expect("made");
    wait_until("the register is complete", || {
        nodes[0].nodes().expect("a register").expect("nodes").len() == 3
    });
    let done = nodes[0].erase(&request(1, Scope::Data)).expect("erased");
    for node in &nodes[1..] {
        wait_until("it says that it waits", || node.waits_for_key() == Some((1, key.epoch())));
        assert_eq!(node.log().size().0, done.index.0);
    }
    let refused = nodes[1].seal_blocking(note(&mut epochs.council, 3).to_compact().as_bytes());
    assert!(matches!(refused, Err(Refusal::Unavailable)), "{refused:?}");
    epochs.council.seq -= 1;
    let head = nodes[0].head(&epochs.council.id);
    epochs.council.prev = head.head;
    assert!(matches!(nodes[1].erase(&request(2, Scope::Data)), Err(EraseError::NotPrepared(_))));
    // More batches than such a node keeps, with children who are new.
    for n in 0..150 {
        epochs.note(&nodes[0], 20 + n % 40);
    }
    let size = nodes[0].log().size().0;
    // One of them is killed meanwhile and starts without the key; it is ready, and waits.
    nodes[1].close();
    let [one, gone, other] = nodes;
    drop(gone);
    let second_again = epochs.open(&second);
    wait_until("it waits again", || second_again.waits_for_key().is_some());
    let pending = |node: &Ledger| {
        let states = node.nodes().expect("a register").expect("nodes");
        states.iter().filter(|state| done.retired.is_pending_at(state)).count()
    };
    one.has_folded(done.index.0 + 1);
    wait_until("two nodes are waited for", || pending(&one) == 2);
    let confirmed = one.confirm_destroyed(&Confirmed::Erasure(done.index.0));
    assert!(matches!(confirmed, Err(ConfirmError::NodesPending(_))), "{confirmed:?}");
    let setup = epochs.broker.setup();
    let kek = first.secrets();
    let retired = epochs.broker.runtime.block_on(setup.retire_keys(kek.kek(), &[])).expect("asked");
    assert_eq!((retired.pending.len(), retired.removed.len()), (2, 0));
    for site in [&second, &third] {
        site.give(&key);
    }
    for (site, node) in [(&second, &second_again), (&third, &other)] {
        wait_for_size(node, size);
        wait_for_key(site, node, &key.epoch());
        assert!(node.waits_for_key().is_none() && node.owner_id(&owner(1)).is_none());
        node.has_folded(done.index.0 + 1);
    }
    wait_until("nobody is waited for", || pending(&one) == 0);
    one.confirm_destroyed(&Confirmed::Erasure(done.index.0)).expect("confirmed");
    let retired = epochs.broker.runtime.block_on(setup.retire_keys(kek.kek(), &[])).expect("asked");
    assert_eq!((retired.pending.len(), retired.removed), (0, vec![done.retired.kek.clone()]));
    assert!(
        !epochs
            .broker
            .server
            .store()
            .join(format!("jetstream/$G/streams/KV_gt-keys-{}", done.retired.kek))
            .exists()
    );
    deliver(&second_again, &note(&mut epochs.council, 3)).expect("sealed");
    let nodes = [one, second_again, other];
    for node in &nodes {
        wait_for_size(node, size + 1);
        node.close();
    }
    drop(nodes);
    for site in [&first, &second, &third] {
        let node = epochs.open(site);
        assert!(node.presentation(LeafIndex(size)).expect("reads").is_some());
        node.close();
        drop(node);
        epochs.assert_sound(site);
        assert_same_folders(&first.data, &site.data);
    }
}

/// It was off during two erasures, and its operator has only the key of the second.
#[test]
fn a_node_that_was_away_for_two_epochs_catches_up() {
    let mut epochs = Epochs::new();
    let first = epochs.first();
    let second = epochs.site(&first, false);
    let nodes = [&first, &second].map(|site| epochs.open(site));
    epochs.note(&nodes[1], 9);
    let [one, other] = nodes;
    other.close();
    drop(other);
    epochs.prepare(&first, &[&first]);
    one.erase(&request(1, Scope::Records)).expect("erased");
    epochs.note(&one, 10);
    let next = epochs.prepare(&first, &[&first, &second]);
    one.erase(&request(2, Scope::Data)).expect("erased");
    epochs.note(&one, 11);
    let size = one.log().size().0;
    let other = epochs.open(&second);
    wait_for_size(&other, size);
    wait_for_key(&second, &other, &next);
    assert_ended(&[&one, &other], &[1, 2]);
    for n in 9..12 {
        assert!(other.owner_id(&owner(n)).is_some());
    }
    one.close();
    other.close();
    for site in [&first, &second] {
        epochs.assert_sound(site);
    }
    assert_same_folders(&first.data, &second.data);
}

/// The fence is lost again and again, also to statements about the person who is to be erased.
#[test]
fn an_erasure_goes_through_while_another_node_seals() {
    let epochs = Epochs::new();
    let first = epochs.first();
    let second = epochs.site(&first, false);
    let nodes = [&first, &second].map(|site| epochs.open(site));
    let next = epochs.prepare(&first, &[&first, &second]);
    let Epochs { mut council, broker, police } = epochs;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        let sealing = scope.spawn(|| {
            let mut sealed = 0_u32;
            while !stop.load(std::sync::atomic::Ordering::Acquire) {
                // Every tenth is about the person: after it is erased too, under another opaque id.
                let n =
                    if sealed.is_multiple_of(10) { 1 } else { 3 + u8::try_from(sealed % 30).expect("small") };
                deliver(&nodes[1], &note(&mut council, n)).expect("sealed");
                sealed += 1;
            }
            sealed
        });
        wait_until("the other one seals", || nodes[1].is_active());
        let erased = nodes[0].erase(&request(1, Scope::Records));
        stop.store(true, std::sync::atomic::Ordering::Release);
        assert!(sealing.join().expect("ended") > 0);
        erased.expect("erased")
    });
    let size = nodes[1].log().size().0.max(done.index.0 + 1);
    for (site, node) in [&first, &second].into_iter().zip(&nodes) {
        wait_for_size(node, size);
        wait_for_key(site, node, &next);
        assert_eq!(node.presentation(LeafIndex(5)).expect("reads"), None);
        assert_eq!(node.integrity_alerts(), [] as [serde_json::Value; 0]);
        node.close();
    }
    drop(nodes);
    let epochs = Epochs { council, police, broker };
    for site in [&first, &second] {
        epochs.assert_sound(site);
    }
    assert_same_folders(&first.data, &second.data);
}

/// Somebody who can write to the stream, and has the next key, hands over a keyring in which nobody is.
#[test]
fn a_keyring_that_lacks_people_whom_nobody_erased_is_not_taken() {
    let epochs = Epochs::new();
    let first = epochs.first();
    let node = epochs.open(&first);
    let key = KeyEncryptionKey::generate();
    first.give(&key);
    let making = epochs.broker.setup();
    epochs.broker.runtime.block_on(making.prepare_keys(&first.kek(), &key.epoch())).expect("made");
    let before = (fs::read(first.data.join("keyring/shards")).expect("there"), first.kek());
    epochs.hand_over_nobody(&node, &key, 1);
    assert_ended(&[&node], &[]);
    node.close();
    drop(node);
    assert_eq!((fs::read(first.data.join("keyring/shards")).expect("there"), first.kek()), before);
    assert!(!first.data.join("keyring/switch").exists());
}
