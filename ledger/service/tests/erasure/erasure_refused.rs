//! What forbids an erasure.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use gt_core::agency::AgencyCode;
use gt_core::erasure::Scope;
use gt_core::statement::{DraftMember, EventType};
use gt_ledger::disk::{Change, Recorder};
use gt_ledger::erasure::{EraseError, EraseRequest, Hold, Whom};
use gt_ledger::layout;
use gt_ledger::prepare::Prepared;
use gt_ledger::record::OwnerId;
use gt_ledger::refusal::Refusal;
use gt_ledger::secrets::{file, read_key};

use crate::partnership::{Home, Publisher};
use crate::scene::{Scene, about, request};

/// Once it is set, holds up whoever has put a checkpoint in its place, and not shown it yet: says so, and waits to be let go.
#[derive(Default)]
struct Gate(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Recorder for Gate {
    fn record(&self, change: Change) {
        let (Change::Exchange(_, to) | Change::Rename(_, to)) = &change else { return };
        if *to != layout::checkpoint() {
            return;
        }
        let Some((reached, go)) = self.0.lock().expect("not poisoned").take() else { return };
        reached.send(()).expect("somebody waits");
        // A test that has failed lets go, too.
        let _ = go.recv();
    }
}

fn holds(scene: &Scene, n: u8) -> Vec<Hold> {
    match scene.ledger.erase(&request(n, Scope::Data)) {
        Err(EraseError::Held(holds)) => holds,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hold_or_a_restriction_refuses_until_its_own_agency_ends_it() {
    for (places, ends) in [("hold.placed", "hold.lifted"), ("record.restricted", "record.released")] {
        let mut scene = Scene::new();
        let index = scene.says(false, places, 1);
        assert_eq!(holds(&scene, 1), [Hold { index: gt_core::LeafIndex(index), ended_by: ends }]);
        // Another agency lifts nothing of the council's.
        scene.says(true, ends, 1);
        let error = scene.ledger.erase(&request(1, Scope::Records)).expect_err("held");
        assert!(error.to_string().contains(&format!("entry {index}")), "{error}");
        assert!(scene.owner_id(1).is_some());
        scene.says(false, ends, 1);
        scene.erase(1, Scope::Data);
        scene.assert_sound();
    }
}

/// Otherwise the child's keys would be gone by the time that the receipt for the hold goes out.
#[test]
fn a_hold_that_is_sealed_and_not_shown_yet_refuses() {
    let (mut scene, elsewhere, gate) = (Scene::new(), Home::new(), Arc::new(Gate::default()));
    scene.ledger.close();
    // The folder's lock goes with the ledger.
    drop(std::mem::replace(&mut scene.ledger, elsewhere.open()));
    scene.ledger = scene.home.open_recorded(Some(gate.clone()));
    let ((reached, is_reached), (let_go, go)) = (channel(), channel());
    *gate.0.lock().expect("not poisoned") = Some((reached, go));
    let hold = about(&mut scene.council, "hold.placed", 1, "");
    let sealing =
        scene.ledger.submit(Prepared::new(hold.to_compact().as_bytes()).expect("a sound statement"));
    is_reached.recv().expect("its checkpoint is put in its place");
    let erased = thread::scope(|scope| {
        let asking = scope.spawn(|| scene.ledger.erase(&request(1, Scope::Records)));
        // Long enough for whoever does not wait to find no hold; one who begins later finds it.
        thread::sleep(Duration::from_millis(500));
        drop(let_go);
        asking.join().expect("an answer")
    });
    let index = sealing.blocking_recv().expect("answered").expect("sealed").index;
    match erased {
        Err(EraseError::Held(holds)) => assert_eq!(holds, [Hold { index, ended_by: "hold.lifted" }]),
        other => panic!("{other:?}"),
    }
    assert!(scene.owner_id(1).is_some());
    scene.assert_sound();
}

#[test]
fn a_hold_on_any_of_the_persons_identifiers_refuses() {
    let mut scene = Scene::new();
    scene.link("identifier.linked", 1, 2, "2026-03-02T09:00:00Z");
    scene.says(true, "hold.placed", 2);
    assert_eq!(holds(&scene, 1).len(), 1);
}

#[test]
fn a_refused_erasure_changes_nothing() {
    let mut scene = Scene::new();
    scene.says(false, "hold.placed", 1);
    let kek = scene.home.secrets().kek().epoch();
    let size = scene.ledger.log().size();
    holds(&scene, 1);
    let of = |request: EraseRequest| scene.ledger.erase(&request).expect_err("refused").code();
    assert_eq!(of(request(99, Scope::Data)), "unknown_owner");
    let nobody = Whom::Owner(OwnerId::from_bytes([7; 16]));
    assert_eq!(of(EraseRequest { whom: nobody, ..request(1, Scope::Data) }), "unknown_owner");
    let authority = AgencyCode::parse("ods:RX1").expect("a code");
    assert_eq!(of(EraseRequest { authority, ..request(2, Scope::Data) }), "unknown_authority");
    assert_eq!((scene.home.secrets().kek().epoch(), scene.ledger.log().size()), (kek, size));
    assert!(scene.ledger.retired_keks().expect("reads").is_empty());
}

/// Whoever concluded something from a log that has grown since does not know what came.
#[test]
fn what_was_said_since_refuses() {
    let mut scene = Scene::new();
    let known = Some(scene.ledger.log().size());
    scene.says(true, "record.released", 1);
    let of = |n| EraseRequest { known, ..request(n, Scope::Data) };
    assert_eq!(scene.ledger.erase(&of(1)).expect_err("refused").code(), "changed");
    assert_eq!(scene.ledger.would_erase(&of(1)).expect_err("refused").code(), "changed");
    scene.ledger.erase(&of(2)).expect("about this one nothing was said");
    scene.ledger.erase(&request(1, Scope::Data)).expect("asked for without a conclusion");
    scene.assert_sound();
}

#[test]
fn without_the_service_key_nothing_is_erased() {
    let mut scene = Scene::new();
    std::fs::remove_file(scene.home.secrets_folder().join(file::SERVICE)).expect("removed");
    scene.restart();
    assert_eq!(scene.ledger.erase(&request(1, Scope::Data)).expect_err("refused").code(), "no_service_key");
}

/// Otherwise the log would say that keys are destroyed which live on.
#[test]
fn nobody_seals_an_erasure_from_outside() {
    let scene = Scene::new();
    let key = read_key(&scene.home.secrets_folder().join(file::SERVICE)).expect("a key");
    let mut service = Publisher::new("ledger:service", 0, scene.home.genesis());
    (service.id, service.key) = (key.public().thumbprint(), key);
    let done = scene.erase(2, Scope::Data);
    let text = scene.ledger.presentation(done.index).expect("reads").expect("in the clear");
    let sealed = gt_core::statement::Statement::parse(text.as_bytes()).expect("sound");
    let head = scene.ledger.head(&service.id);
    (service.seq, service.prev) = (head.next_seq, head.head);
    let mut draft = service.draft("");
    draft.event_type = EventType::parse("subject.erased").expect("a type");
    let members = sealed.payload().data.clear().iter();
    draft.members =
        members.map(|(name, value)| (name.to_owned(), DraftMember::Clear(value.to_value()))).collect();
    let forged = service.sign(&draft);
    let refused = scene.ledger.seal_blocking(forged.to_compact().as_bytes()).expect_err("refused");
    assert!(matches!(refused, Refusal::NotRegistrar), "{refused}");
    // What was sealed is answered all the same.
    assert!(scene.ledger.seal_blocking(text.as_bytes()).expect("a receipt").duplicate);
}
