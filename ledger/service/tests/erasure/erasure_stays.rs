//! What goes and what stays.

use gt_core::erasure::{Erasure, Scope};
use gt_core::receipt::Receipt;
use gt_core::statement::Statement;
use gt_core::verify::verify_receipt;
use gt_core::{LeafIndex, prove};
use gt_ledger::clock::SystemClock;
use gt_ledger::erasure::{EraseError, EraseRequest, Whom};
use gt_ledger::keyring::{KekSource, Keyring, KeyringError};
use gt_ledger::open::OpenLedgerError;
use gt_ledger::secrets::{Secrets, file};
use gt_ledger::{Ledger, audit};

use crate::partnership::child;
use crate::scene::{Scene, WORDS, copy_folder, is_found_below, owner, request, secrets_of};

const SCOPES: [Scope; 2] = [Scope::Data, Scope::Records];

fn disclosed(scene: &Scene) -> usize {
    let statements = scene.records().into_iter().filter_map(|record| record.statement);
    statements.flat_map(|open| open.disclosed.into_values()).map(|elements| elements.len()).sum()
}

#[test]
fn after_an_erasure_chain_tree_and_every_old_receipt_verify() {
    for scope in SCOPES {
        let mut scene = Scene::new();
        let size = scene.ledger.log().size().0;
        let before: Vec<_> = scene.ledger.log().entries_bytes(LeafIndex(0), 256).expect("reads");
        let done = scene.erase(1, scope);
        assert_eq!(done.index, LeafIndex(size));
        let after = scene.ledger.log().entries_bytes(LeafIndex(0), 256).expect("reads");
        assert_eq!(after[..before.len()], before[..], "no entry has changed");
        let report = scene.assert_sound();
        assert_eq!(report.counts.disclosures_unreadable, 5);
        assert_eq!(report.counts.statements_unreadable, if scope == Scope::Data { 0 } else { 2 });
        let (pin, published) = (scene.pin(), scene.ledger.published());
        for text in &scene.receipts {
            let receipt = Receipt::parse(text.as_bytes()).expect("a receipt");
            let verdict = verify_receipt(&receipt, None, &pin).expect("verifies");
            let (old, now) = (verdict.checkpoint, published.checkpoint.checkpoint());
            let extends = prove::consistency(scene.ledger.log(), old.size(), now.size()).expect("provable");
            extends.verify(&old.root(), &now.root()).expect("the same history");
        }
        scene.restart();
        scene.assert_sound();
        scene.note(2, "sealing goes on");
        scene.assert_sound();
    }
}

#[test]
fn an_erasure_is_sealed_once_and_says_what_was_done() {
    let scene = Scene::new();
    let id = scene.owner_id(1).expect("known");
    let done = scene.erase(1, Scope::Data);
    assert_eq!((done.owners.clone(), done.entries, done.scope), (vec![id], 2, Scope::Data));
    let text = scene.ledger.presentation(done.index).expect("reads").expect("in the clear");
    let statement = Statement::parse(text.as_bytes()).expect("a statement");
    let says = Erasure::read(statement.payload()).expect("an erasure").expect("sound");
    assert_eq!((says.owners, says.entries, says.ground), (vec![*id.as_bytes()], 2, "EnteredInError"));
    assert_eq!(done.receipt.index, done.index);
    let erasures = scene.records().iter().filter(|one| one.event_type.as_str() == "subject.erased").count();
    assert_eq!((erasures, scene.ledger.erased_at()), (1, Some(done.index)));
    let again = scene.ledger.erase(&request(1, Scope::Data));
    assert!(matches!(again, Err(EraseError::Unknown)));
}

#[test]
fn words_and_pseudonym_are_found_nowhere_and_nobody_else_loses_anything() {
    for scope in SCOPES {
        let mut scene = Scene::new();
        let before = disclosed(&scene);
        let name = child(1);
        scene.erase(1, scope);
        scene.restart();
        assert_eq!(scene.owner_id(1), None);
        assert!(scene.owner_id(2).is_some());
        assert_eq!(disclosed(&scene), before - 5);
        let mut of_child = 0;
        for record in scene.records() {
            let Some(open) = record.statement else { continue };
            let said =
                format!("{:?}", open.disclosed.values().flatten().map(|e| &e.value).collect::<Vec<_>>());
            assert!(!said.contains(&name));
            of_child += usize::from(said.contains(WORDS));
        }
        assert_eq!(of_child, 8, "the words of the other eight children");
        for needle in [name.as_bytes(), WORDS.as_bytes(), name.split(':').nth(1).expect("a hash").as_bytes()]
        {
            assert!(!is_found_below(scene.home.folder.path(), needle));
        }
        let keyring = Keyring::open(&scene.home.data(), scene.home.secrets().kek()).expect("opens");
        assert!(keyring.owners().all(|(_, held)| held.owner() != Some(owner(1))));
        assert_eq!(keyring.owners().any(|(_, held)| held.is_ended()), scope == Scope::Data);
    }
}

#[test]
fn while_the_record_key_lives_the_signed_statements_are_read_without_what_they_disclosed() {
    let scene = Scene::new();
    scene.erase(1, Scope::Data);
    let records = scene.records();
    let of_child: Vec<_> = records
        .iter()
        .filter(|record| {
            record.statement.as_ref().is_some_and(|open| open.disclosed.is_empty() && open.primary.is_some())
        })
        .collect();
    assert_eq!(of_child.len(), 2);
    assert_eq!(of_child[1].statement.as_ref().expect("open").clear["kind"], "Missing");
}

#[test]
fn a_backup_from_before_reveals_nothing_without_the_old_key_and_everything_with_it() {
    for scope in SCOPES {
        let scene = Scene::new();
        let backup = tempfile::tempdir().expect("a folder");
        scene.ledger.close();
        copy_folder(&scene.home.data(), &backup.path().join("data"));
        copy_folder(&scene.home.secrets_folder(), &backup.path().join("old"));
        let mut scene = scene;
        scene.restart();
        let done = scene.erase(1, scope);
        let open = |secrets: &Secrets| {
            Ledger::open(&backup.path().join("data"), secrets, Box::new(SystemClock::default()), None)
        };
        let refused = open(&scene.home.secrets()).err().expect("the current key opens no backup");
        assert!(matches!(refused, OpenLedgerError::WrongKek { .. }), "{refused}");
        assert!(refused.to_string().contains(&done.kek));
        let refused = Keyring::open(&backup.path().join("data"), scene.home.secrets().kek());
        assert!(matches!(refused, Err(KeyringError::WrongKey)));
        // What the receipt says must still be destroyed.
        let old = secrets_of(&backup.path().join("old"));
        assert_eq!(old.kek().epoch(), done.retired.kek);
        let known = open(&old).expect("opens").owner_id(&owner(1));
        assert!(known.is_some());
        assert_eq!(done.retired.confirmed_at, None);
    }
}

#[test]
fn a_later_redelivery_revives_nothing() {
    for scope in SCOPES {
        let mut scene = Scene::new();
        let note = scene.note(1, "sent once more later");
        scene.erase(1, scope);
        let keys = std::fs::read(scene.home.data().join("keyring/journal")).expect("there");
        let size = scene.ledger.log().size();
        let again = scene.ledger.seal_blocking(note.to_compact().as_bytes()).expect("a receipt");
        assert!(again.duplicate);
        assert_eq!(scene.ledger.log().size(), size);
        assert_eq!(std::fs::read(scene.home.data().join("keyring/journal")).expect("there"), keys);
        assert_eq!(scene.owner_id(1), None);
        scene.restart();
        assert_eq!(scene.owner_id(1), None);
        scene.assert_sound();
    }
}

#[test]
fn a_new_statement_about_an_erased_child_begins_a_new_record() {
    for scope in SCOPES {
        let mut scene = Scene::new();
        let old = scene.owner_id(1).expect("known");
        scene.erase(1, scope);
        let index = scene.says(true, "hold.lifted", 1);
        let new = scene.owner_id(1).expect("known anew");
        assert_ne!(new, old);
        let entry = scene.records().swap_remove(usize::try_from(index).expect("small")).entry;
        assert_eq!(entry.links.iter().map(|link| link.name).collect::<Vec<_>>(), [*new.as_bytes()]);
        scene.restart();
        assert_eq!(scene.owner_id(1), Some(new));
        scene.assert_sound();
        // And that can be erased as well, and after the data the records.
        assert_eq!(scene.erase(1, Scope::Data).owners, [new]);
        let by_id = |id, scope| EraseRequest { whom: Whom::Owner(id), ..request(1, scope) };
        assert!(matches!(scene.ledger.erase(&by_id(new, Scope::Data)), Err(EraseError::AlreadyErased)));
        scene.ledger.erase(&by_id(new, Scope::Records)).expect("erased");
        let left = scene.ledger.erase(&by_id(old, Scope::Records));
        assert_eq!(left.is_ok(), scope == Scope::Data);
        scene.restart();
        scene.assert_sound();
    }
}

#[test]
fn identifiers_that_are_joined_are_erased_together_and_parted_ones_are_not() {
    let mut scene = Scene::new();
    scene.link("identifier.linked", 1, 2, "2026-03-02T09:00:00Z");
    scene.link("identifier.linked", 3, 2, "2026-03-02T10:00:00Z");
    // Parted again: the latest by event time holds, whenever it came.
    scene.link("identifier.unlinked", 1, 4, "2026-03-05T09:00:00Z");
    scene.link("identifier.linked", 1, 4, "2026-03-04T09:00:00Z");
    let mut expected: Vec<_> = [1, 2, 3].map(|n| scene.owner_id(n).expect("known")).into();
    expected.sort_unstable();
    let done = scene.erase(1, Scope::Records);
    assert_eq!(done.owners, expected);
    for n in 1..10 {
        assert_eq!(scene.owner_id(n).is_some(), n > 3, "child {n}");
    }
    scene.assert_sound();
    scene.restart();
    scene.assert_sound();
}

#[test]
fn what_is_lost_after_an_erasure_is_still_found() {
    let scene = Scene::new();
    scene.erase(1, Scope::Records);
    scene.erase(2, Scope::Data);
    scene.assert_sound();
    scene.ledger.close();
    let keyring = Keyring::open(&scene.home.data(), scene.home.secrets().kek()).expect("opens");
    let shard = keyring.tag(&owner(5))[0];
    std::fs::remove_file(scene.home.data().join(format!("keyring/{shard:02x}"))).expect("removed");
    let report = scene.fsck();
    assert!(report.faults.iter().any(|fault| fault.code == "keys_gone"), "{:?}", report.faults);
}

#[test]
fn the_folder_is_checked_without_keys_after_an_erasure() {
    let scene = Scene::new();
    scene.erase(1, Scope::Records);
    let report = audit::fsck(&scene.home.data(), None, Some(&scene.pin()));
    assert_eq!(report.verdict(), audit::Verdict::Sound, "{:?}", report.faults);
}

#[test]
fn statements_are_sealed_while_somebody_is_erased() {
    let mut scene = Scene::new();
    let statements: Vec<_> = (0..200).map(|n| scene.police.next(&child(20 + n % 40))).collect();
    let (ledger, mut sealed) = (&scene.ledger, 0);
    std::thread::scope(|scope| {
        let sealing = scope.spawn(|| {
            let sealed = statements.iter().map(|one| ledger.seal_blocking(one.to_compact().as_bytes()));
            sealed.flatten().count()
        });
        for n in 1..6 {
            ledger.erase(&request(n, Scope::Data)).expect("erased");
        }
        sealed = sealing.join().expect("ended");
    });
    assert_eq!(sealed, 200);
    scene.assert_sound();
    let kek = scene.home.secrets_folder().join(file::KEK);
    assert_eq!(KekSource::file(kek).load().expect("reads").key().epoch(), scene.home.secrets().kek().epoch());
}
