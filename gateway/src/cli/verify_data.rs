use std::path::Path;

use gt_core::verify::Pin;
use gt_ledger::audit;
use gt_ledger::secrets::{Secrets, SecretsAt};

use super::fsck::{need_folder, say};
use super::output::Output;
use super::progress::EntriesBar;
use super::{Failure, Outcome};

/// Checks all that is signed in a data folder, with the keys to read its statements.
pub(crate) fn verify_data(data: &Path, secrets: &SecretsAt, pin: Option<&Pin>, output: &Output) -> Outcome {
    need_folder(data)?;
    let secrets = Secrets::load_at(secrets)
        .map_err(|error| Failure::could_not_tell(format!("the ledger's keys are needed: {error}")))?;
    let report = {
        let bar = EntriesBar::new(output, "Verifying");
        audit::verify_statements(data, &secrets, pin, &|done, total| bar.show(done, total))
    };
    Ok(say(&report, output))
}
