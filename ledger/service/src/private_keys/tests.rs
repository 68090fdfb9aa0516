use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::keyring::{KekError, KekSource};
use crate::secrets::{Secrets, SecretsAt, file};

const ORIGIN: &str = "ledger.example/private-keys";
const WORDS: &str = "quiet lanterns over the larkfield";
const OTHER_WORDS: &str = "seven otters crossed at midnight";

/// A passphrase in a file of its own.
fn words(folder: &Path, name: &str, words: &str) -> PathBuf {
    let path = folder.join(name);
    write_secret(&path, words).expect("written");
    path
}

fn access(file: &Path) -> KeyAccess {
    KeyAccess::default().with_passphrase(PassphraseSource::file(file))
}

fn passphrase(words: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(words.to_owned())).expect("a passphrase")
}

/// A ledger whose secrets are plain.
fn made() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let secrets = root.path().join("data.secrets");
    crate::create::create(&root.path().join("data"), &secrets, ORIGIN).expect("made");
    (root, secrets)
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = files_of(folder).expect("keys");
    files.into_iter().map(|file| (file.clone(), fs::read(file).expect("read"))).collect()
}

fn load(folder: &Path, keys: KeyAccess) -> Result<Secrets, SecretsError> {
    Secrets::load_at(&SecretsAt { keys, ..SecretsAt::from(folder) })
}

#[test]
fn a_secrets_folder_is_encrypted_given_another_passphrase_and_decrypted() {
    let (root, folder) = made();
    let (one, two) = (words(root.path(), "one", WORDS), words(root.path(), "two", OTHER_WORDS));
    let before = contents(&folder);
    let files = files_of(&folder).expect("keys");
    let names: Vec<_> = files.iter().map(|file| name(file)).collect();
    let ledgers = [
        file::CHECKPOINT_ML_DSA,
        file::CHECKPOINT,
        file::KEK,
        file::RECOVERY,
        file::REGISTRAR,
        file::SERVICE,
    ];
    assert_eq!(names, ledgers);

    assert_eq!(encrypt(&files, &passphrase(WORDS)).expect("encrypted"), [Replaced::Anew; 6]);
    for (path, text) in contents(&folder) {
        assert!(is_encrypted(&text), "{path:?}");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(encrypt(&files, &passphrase(WORDS)).expect("again"), [Replaced::AsItWas; 6]);
    let pin = Secrets::load_at(&SecretsAt { keys: access(&one), ..SecretsAt::from(&folder) });
    assert_eq!(pin.expect("opens").pin().0, ORIGIN);
    let unopened = load(&folder, KeyAccess::default()).err().expect("no passphrase").to_string();
    assert!(unopened.contains("--passphrase-file") && unopened.contains("kek"), "{unopened}");
    let wrong = load(&folder, access(&two)).err().expect("another passphrase").to_string();
    assert!(wrong.contains("the passphrase is wrong"), "{wrong}");

    let changed = change_passphrase(&files, &passphrase(WORDS), &passphrase(OTHER_WORDS));
    assert_eq!(changed.expect("changed"), [Replaced::Anew; 6]);
    load(&folder, access(&two)).expect("the new one");
    load(&folder, access(&one)).err().expect("the old one opens nothing any more");

    assert!(matches!(decrypt(&files, &passphrase(WORDS)), Err(ReplaceError::Sealed { .. })));
    assert_eq!(decrypt(&files, &passphrase(OTHER_WORDS)).expect("decrypted"), [Replaced::Anew; 6]);
    assert_eq!(contents(&folder), before);
    let left: Vec<_> =
        fs::read_dir(&folder).expect("read").map(|item| item.expect("read").file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{left:?}");
}

#[test]
fn what_was_interrupted_is_finished_by_the_same_again() {
    let (root, folder) = made();
    let files = files_of(&folder).expect("keys");
    // Some are done, and one was being written.
    encrypt(&files[..2], &passphrase(WORDS)).expect("encrypted");
    fs::write(folder.join("registrar.jwk.new"), "eyJhbG").expect("written");
    assert_eq!(contents(&folder).len(), files.len(), "what was being written is no key yet");
    load(&folder, access(&words(root.path(), "one", WORDS))).expect("some encrypted, some plain");
    let done = encrypt(&files, &passphrase(WORDS)).expect("encrypted");
    assert_eq!(done[..3], [Replaced::AsItWas, Replaced::AsItWas, Replaced::Anew]);
    assert!(!folder.join("registrar.jwk.new").exists());
    change_passphrase(&files[..3], &passphrase(WORDS), &passphrase(OTHER_WORDS)).expect("changed");
    let rest = change_passphrase(&files, &passphrase(WORDS), &passphrase(OTHER_WORDS)).expect("changed");
    assert_eq!((&rest[..3], &rest[3..]), (&[Replaced::AsItWas; 3][..], &[Replaced::Anew; 3][..]));
}

#[test]
fn nothing_is_touched_if_one_file_is_not_in_order() {
    let (_root, folder) = made();
    let registrar = folder.join(file::REGISTRAR);
    let whole = fs::read(&registrar).expect("read");
    fs::write(&registrar, r#"{"kty":"OKP"}"#).expect("written");
    let (before, files) = (contents(&folder), files_of(&folder).expect("keys"));
    let refused = encrypt(&files, &passphrase(WORDS));
    assert!(matches!(refused, Err(ReplaceError::NoKey { file }) if file == registrar));
    assert_eq!(contents(&folder), before);
    fs::write(&registrar, whole).expect("written");
    fs::hard_link(&registrar, folder.join("copy")).expect("linked");
    let before = contents(&folder);
    assert!(matches!(encrypt(&files, &passphrase(WORDS)), Err(ReplaceError::Linked { .. })));
    assert_eq!(contents(&folder), before);
    fs::set_permissions(&registrar, fs::Permissions::from_mode(0o640)).expect("set");
    assert!(matches!(
        encrypt(&files, &passphrase(WORDS)),
        Err(ReplaceError::Secrets(SecretsError::Exposed { .. }))
    ));
    let empty = tempfile::tempdir().expect("a folder");
    assert!(matches!(files_of(empty.path()), Err(ReplaceError::Nothing { .. })));
}

#[test]
fn the_old_bytes_are_written_over_and_a_link_stays_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (target, link) = (folder.path().join("key"), folder.path().join("key.jwk"));
    let key = PrivateKey::from_seed(&[7; 32]);
    write_secret(&target, &key.to_jwk_text()).expect("written");
    std::os::unix::fs::symlink("key", &link).expect("linked");
    // Whoever had it open sees the old file.
    let mut old = File::open(&target).expect("opened");
    encrypt(std::slice::from_ref(&link), &passphrase(WORDS)).expect("encrypted");
    let mut bytes = Vec::new();
    old.read_to_end(&mut bytes).expect("read");
    assert!(!bytes.is_empty() && bytes.iter().all(|&byte| byte == 0));
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    let one = words(folder.path(), "one", WORDS);
    assert_eq!(access(&one).read_ed25519(&link).expect("opens").public(), key.public());
}

#[test]
fn a_new_ledgers_keys_are_encrypted_from_the_first_byte() {
    let root = tempfile::tempdir().expect("a folder");
    let (data, folder) = (root.path().join("data"), root.path().join("data.secrets"));
    let keys = access(&words(root.path(), "one", WORDS)).encrypting(true);
    let clock = Box::new(crate::clock::SystemClock::default());
    crate::create::create_with(&data, &folder, ORIGIN, clock, &keys).expect("made");
    for (path, text) in contents(&folder) {
        assert!(is_encrypted(&text), "{path:?}");
    }
    assert!(load(&folder, keys).expect("opens").log_signer().is_ok());
    let short = access(&words(root.path(), "short", "too short")).encrypting(true);
    assert!(matches!(
        short.write(&root.path().join("key.jwk"), "{}"),
        Err(SecretsError::Unlock(UnlockError::Passphrase(PassphraseError::TooShort)))
    ));
    assert!(!root.path().join("key.jwk").exists());
}

#[test]
fn an_encrypted_key_encryption_key_is_renewed_encrypted() {
    let (root, folder) = made();
    let (path, keys) = (folder.join(file::KEK), access(&words(root.path(), "one", WORDS)));
    let plain = KekSource::file(&path).load().expect("reads").key().epoch();
    encrypt(std::slice::from_ref(&path), &passphrase(WORDS)).expect("encrypted");
    assert!(matches!(KekSource::file(&path).load(), Err(KekError::Unlock(_))));
    let source = KekSource::file(&path).opened_by(&keys);
    assert_eq!(source.load().expect("opens").key().epoch(), plain);
    let next = source.prepare_next().expect("made").epoch();
    assert!(is_encrypted(&fs::read(folder.join("kek.next")).expect("read")));
    assert_eq!(source.load().expect("both").all().count(), 2);
    // A crash while the old key is being destroyed.
    let length = fs::read(&path).expect("read").len();
    fs::write(&path, vec![0; length]).expect("written");
    assert_eq!(source.load().expect("the next one").key().epoch(), next);
    source.promote().expect("in force");
    assert!(is_encrypted(&fs::read(&path).expect("read")));
    assert_eq!(source.load().expect("opens").key().epoch(), next);
}

#[test]
fn a_command_stands_in_for_every_file() {
    let (root, folder) = made();
    let store = root.path().join("store");
    fs::create_dir(&store).expect("made");
    for (path, _) in contents(&folder).iter().filter(|(path, _)| name(path) != file::KEK) {
        fs::rename(path, store.join(name(path))).expect("moved");
    }
    assert!(matches!(
        load(&folder, KeyAccess::default()).expect("it can follow").log_signer(),
        Err(SecretsError::NoCheckpointKey)
    ));
    let script = format!("/bin/sh -c 'cat {}/$0 2>&- || true'", store.display());
    let keys = KeyAccess::default().with_command(&script).expect("a line");
    let secrets = load(&folder, keys.clone()).expect("all are given");
    assert!(secrets.log_signer().is_ok() && secrets.service().is_some());
    keys.read_ed25519(&folder.join(file::REGISTRAR)).expect("given");
    let missing = keys.read_ed25519(&folder.join("nobody.jwk")).expect_err("not given").to_string();
    assert!(missing.contains("gives no nobody.jwk"), "{missing}");
    assert!(keys.read_ed25519_if_there(&folder.join("nobody.jwk")).expect("none").is_none());
    // What it gives may be encrypted, too.
    let files = files_of(&store).expect("keys");
    encrypt(&files, &passphrase(WORDS)).expect("encrypted");
    let unopened = load(&folder, keys.clone()).err().expect("no passphrase").to_string();
    assert!(unopened.contains("what the key command /bin/sh gives for checkpoint.jwk"), "{unopened}");
    let source = PassphraseSource::file(words(root.path(), "one", WORDS));
    load(&folder, keys.with_passphrase(source)).expect("opened");
    for (script, wrong) in [("echo {}", "is no key"), ("yes", "more than a key"), ("exit 3", "failed")] {
        let keys = KeyAccess::default().with_command(&format!("/bin/sh -c '{script}'")).expect("a line");
        let error = load(&folder, keys).err().expect("no key").to_string();
        assert!(error.contains(wrong), "{error}");
    }
    assert!(KeyAccess::default().with_command("").is_err_and(|e| e.to_string().contains("--key-command")));
}

#[test]
fn nothing_secret_is_in_what_is_said() {
    let (root, folder) = made();
    let key = PrivateKey::from_seed(&[7; 32]);
    let path = folder.join(file::CHECKPOINT);
    fs::write(&path, key.to_jwk_text().as_bytes()).expect("written");
    encrypt(&files_of(&folder).expect("keys"), &passphrase(WORDS)).expect("encrypted");
    let one = words(root.path(), "one", WORDS);
    let two = words(root.path(), "two", OTHER_WORDS);
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, text.replace('.', "!")).expect("written");
    for keys in [access(&one), access(&two), KeyAccess::default()] {
        let error = load(&folder, keys).err().expect("refused");
        let said = format!("{error} {error:?}");
        for secret in [WORDS, OTHER_WORDS, &gt_core::base64url::encode(&[7; 32]), &text[..60]] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}
