//! Renewing the key-encryption key, and what people must still destroy.

use std::os::unix::fs::PermissionsExt;

use gt_core::base64url;
use gt_core::erasure::Scope;
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::keyring::{ConfirmError, Confirmed, KekSource, RotateError};
use gt_ledger::secrets::{Secrets, SecretsAt, file};

use crate::scene::{Scene, WORDS};

#[test]
fn a_renewed_key_reads_everything_and_the_old_one_is_listed_until_confirmed() {
    let mut scene = Scene::new();
    let old = scene.home.secrets().kek().epoch();
    let retired = scene.ledger.rotate_kek().expect("renewed");
    assert_eq!((retired.kek.as_str(), retired.erasure, &retired.confirmed_at), (old.as_str(), None, &None));
    assert_ne!(scene.home.secrets().kek().epoch(), old);
    // The running ledger seals on, and so does the next one.
    scene.note(1, WORDS);
    scene.restart();
    scene.note(30, WORDS);
    scene.assert_sound();
    assert_eq!(scene.fsck().counts.disclosures_unreadable, 0);
    let erased = scene.erase(1, Scope::Data);
    assert_eq!(scene.ledger.retired_keks().expect("reads"), [retired, erased.retired.clone()]);
    let confirmed = scene.ledger.confirm_destroyed(&Confirmed::Erasure(erased.index.0)).expect("confirmed");
    assert_eq!(confirmed.kek, erased.retired.kek);
    assert!(confirmed.confirmed_at.is_some());
    scene.ledger.confirm_destroyed(&Confirmed::Kek(old)).expect("confirmed");
    assert!(scene.ledger.retired_keks().expect("reads").iter().all(|one| one.confirmed_at.is_some()));
    let unknown = scene.ledger.confirm_destroyed(&Confirmed::Kek("0".repeat(16)));
    assert!(matches!(unknown, Err(ConfirmError::Unknown)));
}

/// A key store of a few lines: it keeps versions in files, as a KMS would keep them elsewhere.
const STORE: &str = r#"#!/bin/sh
cd "$1" || exit 1
case "$2" in
current) cat current ;;
next) test ! -f next || cat next ;;
make-next) test -f next || head -c 32 /dev/urandom | base64 -w0 | tr '+/' '-_' | tr -d '=' > next ;;
promote) mv next current ;;
*) exit 2 ;;
esac
"#;

#[test]
fn a_key_store_behind_a_command_is_asked_and_renewed() {
    let scene = Scene::new();
    scene.ledger.close();
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("store");
    std::fs::write(&script, STORE).expect("written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("set");
    std::fs::rename(scene.home.secrets_folder().join(file::KEK), folder.path().join("current"))
        .expect("moved");
    let line = format!("'{}' '{}'", script.display(), folder.path().display());
    let kek = Some(KekSource::command(&line).expect("a line"));
    let at = SecretsAt { kek, ..SecretsAt::from(&scene.home.secrets_folder()) };
    let (data, home) = (scene.home.data(), scene.home);
    drop(scene.ledger);
    let secrets = Secrets::load_at(&at).expect("the store answers");
    let ledger = Ledger::open(&data, &secrets, Box::new(SystemClock::default()), None).expect("opens");
    let before = secrets.kek().epoch();
    assert_eq!(ledger.rotate_kek().expect("renewed").kek, before);
    ledger.erase(&crate::scene::request(1, Scope::Records)).expect("erased");
    drop(ledger);
    let secrets = Secrets::load_at(&at).expect("the store answers");
    assert!(secrets.kek().epoch() != before && secrets.keks().next().is_none());
    Ledger::open(&data, &secrets, Box::new(SystemClock::default()), None).expect("opens");
    assert!(Secrets::load(&home.secrets_folder()).is_err(), "nothing was left in the secrets folder");
}

#[test]
fn a_store_that_makes_no_new_key_renews_nothing() {
    let scene = Scene::new();
    scene.ledger.close();
    let key = base64url::encode(scene.home.secrets().kek().as_bytes());
    let kek = Some(KekSource::command(&format!("/bin/sh -c 'echo {key}'")).expect("a line"));
    let at = SecretsAt { kek, ..SecretsAt::from(&scene.home.secrets_folder()) };
    let secrets = Secrets::load_at(&at).expect("the store answers");
    drop(scene.ledger);
    let ledger = Ledger::open(&scene.home.data(), &secrets, Box::new(SystemClock::default()), None);
    let ledger = ledger.expect("opens");
    let refused = ledger.rotate_kek().expect_err("no new key");
    assert!(matches!(refused, RotateError::Kek(_)), "{refused}");
    assert!(!ledger.is_stopped());
}
