use std::sync::Mutex;

use super::*;
use crate::disk::Change;

fn made() -> (tempfile::TempDir, KekSource, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kek");
    let source = KekSource::file(&file);
    crate::secrets::write_secret(&file, &base64url::encode(KeyEncryptionKey::generate().as_bytes()))
        .expect("written");
    (folder, source, file)
}

fn error(source: &KekSource) -> KekError {
    source.load().err().expect("refused")
}

#[test]
fn a_renewal_has_the_old_key_then_both_then_the_new_one() {
    let (_folder, source, file) = made();
    let old = *source.load().expect("reads").key().as_bytes();
    let next = source.prepare_next().expect("made");
    assert_ne!(*next.as_bytes(), old);
    assert_eq!(source.prepare_next().expect("the same").as_bytes(), next.as_bytes());
    let both = source.load().expect("reads");
    assert_eq!((both.key().as_bytes(), both.all().count()), (&old, 2));
    source.promote().expect("in force");
    let new = source.load().expect("reads");
    assert_eq!((new.key().as_bytes(), new.all().count()), (next.as_bytes(), 1));
    assert!(!next_file(&file).exists());
    assert!(matches!(source.promote(), Err(KekError::NoNext { .. })));
}

#[derive(Default)]
struct Changes(Mutex<Vec<Change>>);

impl Recorder for Changes {
    fn record(&self, change: Change) {
        self.0.lock().expect("not poisoned").push(change);
    }
}

/// Whoever copied it there has not synced it, and neither has a process that was killed before it could.
#[test]
fn a_next_key_that_is_there_is_made_durable_before_anything_rests_on_it() {
    let (_folder, source, file) = made();
    let text = fs::read(&file).expect("reads");
    let next = base64url::encode(KeyEncryptionKey::generate().as_bytes());
    crate::secrets::write_secret(&next_file(&file), &next).expect("written");
    let changes = Arc::new(Changes::default());
    let source = source.recorded(changes.clone());
    let taken = || std::mem::take(&mut *changes.0.lock().expect("not poisoned"));
    let durable = [Change::SyncFile("kek.next".into()), Change::SyncFolder(PathBuf::new())];

    assert_eq!(base64url::encode(source.prepare_next().expect("the same").as_bytes()), next);
    assert_eq!(taken(), durable);
    source.promote().expect("in force");
    let changes = taken();
    assert_eq!(changes[..2], durable);
    assert_eq!(changes[2], Change::Replace("kek".into(), vec![0; text.len()]));
}

#[test]
fn an_old_key_that_was_being_destroyed_is_passed_over() {
    let (_folder, source, file) = made();
    let next = source.prepare_next().expect("made");
    for spoilt in [&b"\0\0\0"[..], b""] {
        fs::write(&file, spoilt).expect("written");
        assert_eq!(source.load().expect("reads").key().as_bytes(), next.as_bytes());
    }
    fs::remove_file(&file).expect("removed");
    assert_eq!(source.load().expect("reads").key().as_bytes(), next.as_bytes());
    source.promote().expect("in force");
    assert_eq!(source.load().expect("reads").key().as_bytes(), next.as_bytes());
}

#[test]
fn what_is_no_key_is_refused_with_what_to_do() {
    let (_folder, source, file) = made();
    fs::write(&file, "no key").expect("written");
    assert!(matches!(error(&source), KekError::Malformed { .. }));
    fs::remove_file(&file).expect("removed");
    let text = error(&source).to_string();
    assert!(text.contains("kek restore") && text.contains(&file.display().to_string()), "{text}");
    let nowhere = KekSource::file(file.with_file_name("none").join("kek"));
    assert!(error(&nowhere).to_string().contains("--secrets DIR"));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, source, file) = made();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    assert!(matches!(error(&source), KekError::Exposed { .. }));
}
