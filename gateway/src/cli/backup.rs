use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gt_ledger::backup::backup;
use serde_json::json;

use super::Outcome;
use super::output::Output;

#[derive(Args)]
#[command(after_help = "\
The copy holds everything up to the size that is told. It has no views, which a start makes again, and no keys: the secrets folder needs a
backup of its own, elsewhere. To put it back, stop the ledger, give the copy the folder's name and owner, and start the ledger with its
witnesses within reach. An erasure does not reach copies: see docs/ERASURE.md.

Example:
  goldenthread backup --data ledger --to backups/2026-03-09")]
pub(crate) struct Backup {
    /// The ledger's data folder. The ledger may run.
    #[arg(long)]
    data: PathBuf,
    /// The folder of the copy, which must not be there yet.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

impl Backup {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let made = backup(&self.data, &self.to)?;
        let folder = self.to.display().to_string();
        let value = json!({"folder": folder, "size": made.size.0, "files": made.files, "bytes": made.bytes});
        output.say(&value, || {
            let (size, files, mib) = (made.size, made.files, made.bytes >> 20);
            format!(
                "Copied to {folder}: {size} entries, in {files} files of {mib} MiB. The keys are not among them.\nCheck it: goldenthread fsck --data {folder} --secrets FOLDER"
            )
        });
        Ok(ExitCode::SUCCESS)
    }
}
