//! What is derived from the log and kept in `state/` does not outlive an erasure.

use std::fs;

use gt_core::erasure::Scope;
use gt_ledger::keyring::KeyEncryptionKey;

use crate::scene::{Scene, owner};
use crate::state_opened::{OpenedState, Traces, index_files};

/// Enough for whole blocks. Child 1 has entries in the blocks and after them.
fn scene() -> Scene {
    let mut scene = Scene::new();
    for n in 0..300_u16 {
        scene.note(u8::try_from(n % 40 + 1).expect("small"), "again");
    }
    scene.restart();
    scene.note(1, "once more");
    scene.restart();
    scene
}

/// Two as the scene began, one in forty, and the last one.
const OF_CHILD_1: u64 = 2 + 8 + 1;

fn kek(scene: &Scene) -> KeyEncryptionKey {
    KeyEncryptionKey::from_bytes(scene.home.secrets().kek().as_bytes())
}

#[test]
fn nothing_is_left_of_an_owner_whose_records_ended() {
    let scene = scene();
    let (data, old) = (scene.home.data(), kek(&scene));
    let traces = Traces::of(&data, &old, &owner(1), OF_CHILD_1);
    let before = OpenedState::of(&data, &old).expect("opens");
    assert!(before.blocks() > 0 && traces.are_all_in(&before));
    let others = Traces::of(&data, &old, &owner(2), 10);
    scene.erase(1, Scope::Records);
    // Before anything else is sealed, and before a stop.
    let after = OpenedState::of(&data, &kek(&scene)).expect("it is written anew at once");
    assert!(after.blocks() > 0 && !traces.is_any_in(&after) && others.are_all_in(&after));
    assert!(OpenedState::of(&data, &old).is_none());
    assert_eq!(index_files(&data).len(), 1, "the blocks from before are gone");
    scene.ledger.close();
    assert!(!traces.is_any_in(&OpenedState::of(&data, &kek(&scene)).expect("opens")));
}

#[test]
fn an_owner_whose_data_ended_is_not_found_by_its_name() {
    let scene = scene();
    let (data, old) = (scene.home.data(), kek(&scene));
    let traces = Traces::of(&data, &old, &owner(1), OF_CHILD_1);
    assert!(traces.are_all_in(&OpenedState::of(&data, &old).expect("opens")));
    scene.erase(1, Scope::Data);
    let after = OpenedState::of(&data, &kek(&scene)).expect("opens");
    assert!(!traces.is_tag_in(&after) && traces.is_any_in(&after), "its records go on under another tag");
}

#[test]
fn what_cannot_be_written_anew_is_removed() {
    let mut scene = scene();
    let (data, old) = (scene.home.data(), kek(&scene));
    let traces = Traces::of(&data, &old, &owner(1), OF_CHILD_1);
    let in_the_way = data.join("state/snapshot.new");
    fs::create_dir(&in_the_way).expect("made");
    scene.erase(1, Scope::Records);
    assert!(!data.join("state/snapshot").exists() && index_files(&data).is_empty());
    // Everybody else can be read, and sealing goes on.
    let readable = scene.records().into_iter().filter(|record| record.statement.is_some()).count();
    assert!(readable > 200, "{readable}");
    scene.note(2, "after it");
    fs::remove_dir(&in_the_way).expect("removed");
    scene.ledger.close();
    assert!(!traces.is_any_in(&OpenedState::of(&data, &kek(&scene)).expect("written at the stop")));
    scene.restart();
    assert_eq!(scene.ledger.state_start().from, scene.ledger.log().size());
    scene.assert_sound();
}
