//! Checking a ledger: what anybody can check of the public log, and `fsck`, which checks all of a data folder.
//!
//! Nothing is taken from what the ledger derived: everything is worked out again from the entries and the vault, and compared.
//! An audit reads and never writes, goes on after a fault to say what else is wrong, and holds one bundle in memory at a time,
//! besides the names of the links (which must not repeat) and the owners' keys.

mod chains;
mod erasures;
mod folder;
mod inventory;
mod keys;
mod owners;
mod ownership;
mod records;
mod report;
mod rows;
mod source;
mod statement;
mod vault_file;
mod walk;

use std::path::Path;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::verify::Pin;

pub use folder::DataFolder;
pub use report::{Counts, Fault, MAX_FAULTS, Report, Verdict};
pub use source::{Fetch, LogSource, Mirror, Part, SourceError, Surplus};

use crate::layout;
use crate::secrets::{PinFile, Secrets};
use records::Records;
use rows::Known;
use walk::{Nothing, Walk, comparable, read_checkpoint};

/// Checks the public log, which needs no keys: that its checkpoint is the pinned ledger's, that every entry reads and follows the one
/// before, that no link stands twice, and that tiles and root are the entries'.
///
/// `known` is a checkpoint that was seen before, of the same log: this one must extend it. Without a pin the verdict is at best
/// [`Verdict::CouldNotTell`].
pub fn check_log(source: &dyn LogSource, pin: Option<&Pin>, known: Option<&Checkpoint>) -> Report {
    let mut report = Report::new();
    let Some(checkpoint) = read_checkpoint(source, pin, &mut report) else { return report };
    let known = known
        .map(|known| Known { checkpoint: known.clone(), place: "the checkpoint seen before".to_owned() });
    let known = known.and_then(|known| comparable(&checkpoint, known, &mut report));
    take_surplus(source.surplus(checkpoint.size()), &mut report);
    Walk::new(source, &checkpoint, pin, known.into_iter().collect()).run(&mut Nothing, &mut report);
    report
}

/// Checks a whole data folder: the log as [`check_log`] does, the vault, and with the keys every statement and disclosure, the
/// publishers' chains, the registry and the owners' links. Nothing in the folder is changed, and no lock is held.
///
/// What cannot be read because an erasure ended it is counted and no fault. Without `secrets` no statement of an agency is read.
pub fn fsck(root: &Path, secrets: Option<&Secrets>, pin: Option<&Pin>) -> Report {
    let folder = DataFolder::new(root);
    let mut report = Report::new();
    // First: a ledger that runs writes it after the checkpoint, so one that is read after may be newer than the checkpoint read.
    let handed_out = handed_out(&folder, pin);
    let Some(checkpoint) = read_checkpoint(&folder, pin, &mut report) else { return report };
    let known = handed_out.and_then(|known| comparable(&checkpoint, known, &mut report));
    take_surplus(folder.surplus(checkpoint.size()), &mut report);
    take_surplus(inventory::of_vault_and_keyring(&folder, checkpoint.size()), &mut report);
    keys::check_files(&folder, &mut report);
    if secrets.is_none() {
        report.note("no keys were given, so no agency's statement was read");
    }
    let keyring = secrets.and_then(|secrets| keys::open(root, secrets, &mut report));
    let mut records = Records::new(&folder, keyring.as_ref(), checkpoint.origin());
    if let Some(keyring) = &keyring
        && let Some(erasure) = keys::erasure_under_way(root, keyring, &mut report)
    {
        records.erasures.under_way(erasure);
    }
    let walk = Walk::new(&folder, &checkpoint, pin, known.into_iter().collect());
    let names = walk.run(&mut records, &mut report);
    records.finish(&names, &mut report);
    if !folder.is_running() && folder::is_locked(root) {
        report.note(
            "a ledger was started meanwhile: what was found may be what it was writing, so run this again",
        );
    }
    report
}

/// Reads a pin. `None` if a key or hash in it is none.
pub fn read_pin(file: &PinFile) -> Option<Pin> {
    let (verifier_keys, genesis) = file.parse()?;
    Some(Pin { origin: file.origin.clone(), verifier_keys, genesis: Some(genesis) })
}

/// The latest checkpoint that was handed out. It is written without waiting for the disk, so one that does not read says nothing.
fn handed_out(folder: &DataFolder, pin: Option<&Pin>) -> Option<Known> {
    let file = layout::handed_out();
    let part = folder.part(&file, source::MAX_CHECKPOINT).ok()??;
    let signed = SignedCheckpoint::parse(&part.bytes).ok()?;
    if let Some(pin) = pin {
        signed.verify(&pin.origin, &pin.verifier_keys).ok()?;
    }
    Some(Known { checkpoint: signed.checkpoint().clone(), place: part.place })
}

fn take_surplus(surplus: Surplus, report: &mut Report) {
    surplus.faults.into_iter().for_each(|fault| report.add(fault));
    surplus.notes.into_iter().for_each(|note| report.note(note));
}
