use std::path::Path;

use gt_core::Hash;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::tile::{row_extent, whole_entries};
use gt_core::tree::leaf_hash;
use gt_core::verify::Pin;
use gt_ledger::audit::{self, DataFolder, LogSource as _};
use gt_ledger::secrets::{Secrets, SecretsAt};

use super::fsck::{need_folder, say};
use super::output::Output;
use super::progress::EntriesBar;
use super::{Failure, Outcome};

/// Checks all that is signed in a data folder, with the keys to read its statements.
pub(crate) fn verify_data(data: &Path, at: &SecretsAt, pin: Option<&Pin>, output: &Output) -> Outcome {
    need_folder(data)?;
    let secrets = Secrets::load_at(at)
        .map_err(|error| Failure::could_not_tell(format!("the ledger's keys are needed: {error}")))?;
    need_same_ledger(data, at, &secrets, pin)?;
    let report = {
        let bar = EntriesBar::new(output, "Verifying");
        audit::verify_statements(data, &secrets, pin, &|done, total| bar.show(done, total))
    };
    Ok(say(&report, output))
}

/// That the secrets are not plainly another ledger's: then nothing can be told of this one, and it need not be at fault. A folder whose
/// entry 0 is not theirs, but whose keyring opens by them, is at fault; so is one that is not the ledger which somebody has pinned.
pub(super) fn need_same_ledger(
    data: &Path,
    at: &SecretsAt,
    secrets: &Secrets,
    pin: Option<&Pin>,
) -> Result<(), Failure> {
    let (Some(found), Some(theirs)) = (genesis(data), secrets.genesis()) else { return Ok(()) };
    let is_other_than_pinned = pin.and_then(|pin| pin.genesis).is_some_and(|pinned| pinned != found);
    if found == theirs || is_other_than_pinned || !matches!(secrets.keks().opening(data), Ok(None)) {
        return Ok(());
    }
    Err(Failure::could_not_tell(format!(
        "could not tell: {} is of another ledger ({}, genesis {theirs}) than {} (genesis {found})",
        at.folder.display(),
        secrets.pin().0,
        data.display()
    )))
}

/// The leaf hash of a log's entry 0, if it reads. What does not read is the audit's to say.
fn genesis(data: &Path) -> Option<Hash> {
    let folder = DataFolder::new(data);
    let signed = SignedCheckpoint::parse(&folder.checkpoint().ok()?.bytes).ok()?;
    let width = row_extent(signed.checkpoint().size(), 0).width_of(0);
    let part = (width > 0).then(|| folder.bundle(0, width))?.ok()?;
    whole_entries(&part.bytes).ok()?.entries.first().map(|entry| leaf_hash(entry))
}
