use std::path::{Path, PathBuf};

use super::folder::DataFolder;
use super::report::{Fault, Report};
use gt_core::erasure::{Erasure, Scope};

use crate::erasure::Journal;
use crate::keyring::journal;
use crate::keyring::wrap::Wrapped;
use crate::keyring::{Keyring, KeyringError};
use crate::secrets::Secrets;

/// The longest keyring file that is read, in bytes: room for millions of owners in each of 256 shards.
const MAX_KEYRING_FILE: usize = 1 << 30;

/// Opens the keyring, every record of it. `None`, and a fault, if it does not open.
pub(super) fn open(root: &Path, secrets: &Secrets, report: &mut Report) -> Option<Keyring> {
    let mut error = KeyringError::WrongKey;
    for kek in secrets.keks().all() {
        match Keyring::open(root, kek) {
            Ok(keyring) => return Some(keyring),
            Err(KeyringError::WrongKey) => {}
            Err(other) => error = other,
        }
    }
    let (place, code) = match &error {
        KeyringError::Io { file, .. } => (file.clone(), "keyring_unreadable"),
        KeyringError::WrongKey => ("keyring/shards".to_owned(), "keyring_key"),
        KeyringError::Damaged { file, .. } => (file.clone(), "keyring_damaged"),
    };
    let what = match &error {
        // Keys for an agency build on the record of their owner, which may have been in another file.
        KeyringError::Damaged { .. } => format!("{error}, or its owner's record is missing from its shard"),
        _ => error.to_string(),
    };
    report.add(Fault::new(place, code, what));
    report.note("no statement was read, since the keyring does not open");
    None
}

/// An erasure that was interrupted after the keys were destroyed and before it was sealed.
pub(super) fn erasure_under_way(root: &Path, keyring: &Keyring, report: &mut Report) -> Option<Erasure> {
    let journal = match Journal::load(root) {
        Ok(journal) => journal?,
        Err(error) => {
            report.add(Fault::new("keyring/erasure", "erasure_journal", error.to_string()));
            return None;
        }
    };
    let (statement, erasure) = journal.statement()?;
    let sealed = statement.payload().seq;
    let lives = keyring.owners().any(|(_, held)| {
        erasure.owners.contains(&held.link.name(0)) && (erasure.scope == Scope::Records || !held.is_ended())
    });
    report.note(format!(
        "an erasure is under way (keyring/erasure, number {sealed} of the ledger's own service); a start completes it"
    ));
    (!lives).then_some(erasure)
}

/// What can be said of the keyring's files without a key: each record is whole and stands in its own shard.
pub(super) fn check_files(folder: &DataFolder, report: &mut Report) {
    for shard in 0..=u8::MAX {
        let Some(bytes) = read(folder, &format!("keyring/{shard:02x}"), report) else { continue };
        let mut end = 0;
        let mut strange = None;
        for (at, record) in Wrapped::split(&bytes) {
            end = at + record.bytes.len();
            if record.shard != shard {
                strange = strange.or(Some(at));
            }
        }
        if let Some(at) = strange {
            let what = format!("the record at byte {at} belongs to another shard");
            report.add(Fault::new(format!("keyring/{shard:02x}"), "keyring_shard", what));
        } else if end < bytes.len() {
            let what = format!("cut off or damaged from byte {end} on");
            report.add(Fault::new(format!("keyring/{shard:02x}"), "keyring_torn", what));
        }
    }
    let Some(bytes) = read(folder, "keyring/journal", report) else { return };
    let batches = journal::read(&bytes);
    if batches.damaged {
        let what = format!("the batch at byte {} is damaged", batches.end);
        report.add(Fault::new("keyring/journal", "keyring_damaged", what));
    } else if batches.end < bytes.len() && !folder.is_running() {
        let what =
            format!("{} bytes of an unfinished batch, which start-up sets aside", bytes.len() - batches.end);
        report.add(Fault::new("keyring/journal", "keyring_torn", what));
    }
}

fn read(folder: &DataFolder, file: &str, report: &mut Report) -> Option<Vec<u8>> {
    match folder.part(&PathBuf::from(file), MAX_KEYRING_FILE) {
        Ok(part) => part.map(|part| part.bytes),
        Err(error) => {
            report.source_error(&error);
            None
        }
    }
}
