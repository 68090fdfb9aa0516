//! Checking a ledger: what anybody can check of the public log, and `fsck`, which checks all of a data folder.
//!
//! Nothing is taken from what the ledger derived: everything is worked out again from the entries and the vault, and compared.
//! An audit reads and never writes, goes on after a fault to say what else is wrong, and holds some bundles in memory at a time,
//! besides the owners' keys and, in `fsck`, the names of the links (which must not repeat).

mod bundle;
mod chains;
pub(crate) mod copied;
mod erasures;
mod folder;
mod inventory;
mod keys;
mod owners;
mod ownership;
mod pipeline;
mod records;
mod report;
mod rows;
mod settlement;
mod source;
mod statement;
mod vault_file;
mod waiting;
mod walk;

use std::path::Path;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::verify::Pin;

pub use folder::DataFolder;
pub use report::{Counts, Fault, MAX_FAULTS, Report, Verdict};
pub use source::{Fetch, LogSource, Mirror, Part, SourceError, Surplus};

use crate::layout;
use crate::secrets::{PinFile, Secrets};
use pipeline::Work;
use rows::Known;
use walk::{Walk, comparable, newest_checkpoint, read_checkpoint};

/// A log that grows while it is checked is gone through so many times at most.
const ATTEMPTS: u32 = 3;

/// Checks the public log, which needs no keys: that its checkpoint is the pinned ledger's, that every entry reads and follows the one
/// before, that no link stands twice, and that tiles and root are the entries'.
///
/// `known` is a checkpoint that was seen before, of the same log: this one must extend it. Without a pin the verdict is at best
/// [`Verdict::CouldNotTell`].
///
/// A log that has grown meanwhile may have dropped partial tiles of the size that it had (C2SP tlog-tiles). So where parts are missing
/// and the checkpoint is another by now, the log is gone through again, and must extend the first one, too.
pub fn check_log(source: &dyn LogSource, pin: Option<&Pin>, known: Option<&Checkpoint>) -> Report {
    let mut earlier: Vec<Known> = known.map(seen_before).into_iter().collect();
    let (mut report, mut checkpoint) = check_once(source, pin, &earlier);
    for _ in 1..ATTEMPTS {
        let Some(before) = checkpoint.take().filter(|_| report.only_lacks_parts()) else { break };
        if newest_checkpoint(source).is_none_or(|newest| newest == before) {
            break;
        }
        earlier.push(Known { checkpoint: before, place: "the checkpoint read before".to_owned() });
        (report, checkpoint) = check_once(source, pin, &earlier);
    }
    report
}

fn check_once(source: &dyn LogSource, pin: Option<&Pin>, earlier: &[Known]) -> (Report, Option<Checkpoint>) {
    let mut report = Report::new();
    let Some(checkpoint) = read_checkpoint(source, pin, &mut report) else { return (report, None) };
    let known = earlier.iter().filter_map(|known| comparable(&checkpoint, known.clone(), &mut report));
    let known = known.collect();
    take_surplus(source.surplus(checkpoint.size()), &mut report);
    Walk::new(source, &checkpoint, pin, known).run(&mut report);
    (report, Some(checkpoint))
}

fn seen_before(known: &Checkpoint) -> Known {
    Known { checkpoint: known.clone(), place: "the checkpoint seen before".to_owned() }
}

/// How much of a data folder is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What is signed, and what chains it: statements, registry, chains, entries, tree.
    Signed,
    /// That, and the vault, the keyring, the disclosures and the owners' links.
    Everything,
}

/// Checks a whole data folder: the log as [`check_log`] does, the vault, and with the keys every statement and disclosure, the
/// publishers' chains, the registry and the owners' links. Nothing in the folder is changed, and no lock is held.
///
/// What cannot be read because an erasure ended it is counted and no fault. Without `secrets` no statement of an agency is read. A
/// mirror has none, and no keys fit it: of one all that there is is checked.
pub fn fsck(root: &Path, secrets: Option<&Secrets>, pin: Option<&Pin>) -> Report {
    fsck_watched(root, secrets, pin, &|_, _| ())
}

/// The same as [`fsck`], and the log must extend a checkpoint that was seen before.
pub fn fsck_known(
    root: &Path,
    secrets: Option<&Secrets>,
    pin: Option<&Pin>,
    known: Option<&Checkpoint>,
) -> Report {
    check_folder(root, secrets, pin, known, Depth::Everything, &|_, _| ())
}

/// The same as [`fsck`]. `progress` is called on this thread, with how many entries are done and how many there are.
pub fn fsck_watched(
    root: &Path,
    secrets: Option<&Secrets>,
    pin: Option<&Pin>,
    progress: &dyn Fn(u64, u64),
) -> Report {
    check_folder(root, secrets, pin, None, Depth::Everything, progress)
}

/// Checks all that is signed in a data folder: the log as [`check_log`] does, but for repeated links, and every statement that the keys
/// open: that it is the one that was sealed, its structure, its signature under the registry as it stood, its publisher's chain. At the
/// speed of the signatures, and in memory that does not grow with the log.
///
/// Disclosures, the owners' links, and the vault's and keyring's files as such are [`fsck`]'s to check. `progress` is called on this
/// thread, with how many entries are done and how many there are.
pub fn verify_statements(
    root: &Path,
    secrets: &Secrets,
    pin: Option<&Pin>,
    progress: &dyn Fn(u64, u64),
) -> Report {
    check_folder(root, Some(secrets), pin, None, Depth::Signed, progress)
}

fn check_folder(
    root: &Path,
    secrets: Option<&Secrets>,
    pin: Option<&Pin>,
    known: Option<&Checkpoint>,
    depth: Depth,
    progress: &dyn Fn(u64, u64),
) -> Report {
    let folder = DataFolder::new(root);
    if folder.is_mirror() && secrets.is_none() {
        return check_log(&folder, pin, known);
    }
    let mut report = Report::new();
    // First: a ledger that runs writes it after the checkpoint, so one that is read after may be newer than the checkpoint read.
    let handed_out = handed_out(&folder, pin);
    let Some(checkpoint) = read_checkpoint(&folder, pin, &mut report) else { return report };
    let known = handed_out.into_iter().chain(known.map(seen_before));
    let known = known.filter_map(|known| comparable(&checkpoint, known, &mut report)).collect();
    take_surplus(folder.surplus(checkpoint.size()), &mut report);
    if let Some(ready) = ready(&folder, pin).filter(|ready| ready.size() > checkpoint.size()) {
        let (size, place) = (ready.size(), layout::new_checkpoint());
        report.note(format!(
            "{} is of {size} entries, and no start has followed the interruption that left it beside the checkpoint in force: receipts may rest on it; the next start takes it if all that it covers is there, so start once and run this again",
            place.display()
        ));
    }
    let mut walk = Walk::new(&folder, &checkpoint, pin, known);
    match depth {
        Depth::Everything => {
            take_surplus(inventory::of_vault_and_keyring(&folder, checkpoint.size()), &mut report);
            keys::check_files(&folder, &mut report);
        }
        Depth::Signed => {
            walk = walk.without_names();
            report.note("disclosures, owners' links, the vault and the keyring as such were not checked: that is fsck's");
        }
    }
    if secrets.is_none() {
        report.note("no keys were given, so no agency's statement was read");
    }
    let keyring = secrets.and_then(|secrets| keys::open(root, secrets, &mut report));
    let (origin, size) = (checkpoint.origin(), checkpoint.size());
    let under_way = keyring.as_ref().and_then(|keyring| keys::erasure_under_way(root, keyring, &mut report));
    let keyring = keyring.as_ref();
    let work = Work { folder: &folder, keyring, under_way, depth, origin, size, progress };
    pipeline::run(&work, walk, &mut report);
    if !folder.is_running() && folder::is_locked(root) {
        report.note(
            "a ledger was started meanwhile: what was found may be what it was writing, so run this again",
        );
    }
    report
}

/// Reads a pin. `None` if it pins no ledger; why, [`PinFile::pinned`] says.
pub fn read_pin(file: &PinFile) -> Option<Pin> {
    file.pinned().ok()
}

/// The latest checkpoint that was handed out. It is written without waiting for the disk, so one that does not read says nothing.
fn handed_out(folder: &DataFolder, pin: Option<&Pin>) -> Option<Known> {
    checkpoint_in(folder, &layout::handed_out(), pin)
}

/// What lies beside the checkpoint in force of a ledger that does not run.
fn ready(folder: &DataFolder, pin: Option<&Pin>) -> Option<Checkpoint> {
    let ready = checkpoint_in(folder, &layout::new_checkpoint(), pin);
    ready.filter(|_| !folder.is_running()).map(|ready| ready.checkpoint)
}

/// A checkpoint of this ledger that lies in a file which a crash may have torn; one that does not read says nothing.
fn checkpoint_in(folder: &DataFolder, file: &Path, pin: Option<&Pin>) -> Option<Known> {
    let part = folder.part(file, source::MAX_CHECKPOINT).ok()??;
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
