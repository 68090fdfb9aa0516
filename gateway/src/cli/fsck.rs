use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::verify::Pin;
use gt_ledger::audit::{self, DataFolder, Mirror, Report, Verdict};
use gt_ledger::secrets::{PinFile, Secrets, file, folder_of};
use serde_json::json;

use super::fetch::fetcher;
use super::keys_at::KekArgs;
use super::output::Output;
use super::progress::EntriesBar;
use super::verify_data::need_same_ledger;
use super::{Failure, Outcome};

#[derive(Args)]
pub(crate) struct Fsck {
    /// The data folder, or a mirror of its open log, which needs no keys. Nothing in it is changed; a running ledger may have it open.
    #[arg(long)]
    data: PathBuf,
    /// Where the keys are. [default: the data folder's name with .secrets]
    #[arg(long)]
    secrets: Option<PathBuf>,
    /// The ledger's pin file. [default: ledger.json of the secrets folder]
    #[arg(long)]
    pin: Option<PathBuf>,
    #[command(flatten)]
    kek: KekArgs,
}

impl Fsck {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        need_folder(&self.data)?;
        if self.secrets.is_none() && is_mirror(&self.data) {
            let pin = self.pin.as_deref().map(read_pin).transpose()?;
            return check_log(Some(&self.data), None, pin.as_ref(), None, output);
        }
        let at = self.kek.at(&self.data, self.secrets)?;
        let secrets = Secrets::load_at(&at)
            .map_err(|error| Failure::could_not_tell(format!("the ledger's keys are needed: {error}")))?;
        let given = self.pin.as_deref().map(read_pin).transpose()?;
        need_same_ledger(&self.data, &at, &secrets, given.as_ref())?;
        let pin = given.map_or_else(|| read_pin(&at.folder.join(file::PIN)), Ok)?;
        let report = {
            let bar = EntriesBar::new(output, "Checking");
            audit::fsck_watched(&self.data, Some(&secrets), Some(&pin), &|done, total| bar.show(done, total))
        };
        Ok(say(&report, output))
    }
}

/// Whether a folder is a mirror of an open log. Where there are keys beside it, it was a ledger's folder, and what is missing from it
/// is a fault.
fn is_mirror(data: &Path) -> bool {
    DataFolder::new(data).is_mirror() && !folder_of(data).exists()
}

/// Checks a whole log without any key: a data folder (its vault by checksums), a mirror, or whatever serves one at a URL.
pub(crate) fn check_log(
    data: Option<&Path>,
    url: Option<&str>,
    pin: Option<&Pin>,
    known: Option<&Path>,
    output: &Output,
) -> Outcome {
    let report = of_log(data, url, pin, known)?;
    Ok(say(&report, output))
}

/// One report of all that is looked at, so that what could not be read is not forgotten over the comparison with what is known.
fn of_log(
    data: Option<&Path>,
    url: Option<&str>,
    pin: Option<&Pin>,
    known: Option<&Path>,
) -> Result<Report, Failure> {
    let known = known.map(read_checkpoint).transpose()?;
    match (data, url) {
        (Some(data), _) => {
            need_folder(data)?;
            Ok(audit::fsck_known(data, None, pin, known.as_ref()))
        }
        (None, Some(url)) => Ok(audit::check_log(&Mirror::new(fetcher(url)), pin, known.as_ref())),
        (None, None) => Err(Failure::new("say what is to be verified: a receipt, --data DIR or --url URL")),
    }
}

pub(crate) fn need_folder(data: &Path) -> Result<(), Failure> {
    if data.is_dir() {
        return Ok(());
    }
    Err(Failure::could_not_tell(format!("{} is no folder", data.display())))
}

pub(crate) fn read_pin(file: &Path) -> Result<Pin, Failure> {
    let pin = PinFile::load(file).map_err(|error| Failure::could_not_tell(error.to_string()))?;
    pin.pinned().map_err(|error| {
        Failure::could_not_tell(format!("{} is no pin of a ledger: {error}", file.display()))
    })
}

/// A checkpoint that somebody has kept. Its signature is not asked about: whoever keeps it trusts it.
pub(crate) fn read_checkpoint(file: &Path) -> Result<Checkpoint, Failure> {
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::could_not_tell(format!("{}: {error}", file.display())))?;
    let signed = SignedCheckpoint::parse(&bytes)
        .map_err(|error| Failure::could_not_tell(format!("{} is no checkpoint: {error}", file.display())))?;
    Ok(signed.checkpoint().clone())
}

pub(crate) fn say(report: &Report, output: &Output) -> ExitCode {
    let value = serde_json::to_value(report).unwrap_or_else(|error| json!({"error": error.to_string()}));
    output.say(&value, || sentences(report));
    match report.verdict() {
        Verdict::Sound => ExitCode::SUCCESS,
        Verdict::NotSound => ExitCode::from(1),
        Verdict::CouldNotTell => ExitCode::from(2),
    }
}

pub(crate) fn sentences(report: &Report) -> String {
    let counts = &report.counts;
    // No ledger was found or reached, so there is nothing to list of one.
    if let (Verdict::CouldNotTell, None, [why]) =
        (report.verdict(), &report.origin, report.could_not_tell.as_slice())
    {
        return format!("Could not tell: {why}.");
    }
    let of = report.origin.as_deref().unwrap_or("an unknown ledger");
    let mut lines = vec![match report.verdict() {
        Verdict::Sound => format!("Sound: {of}, {} entries.", counts.entries),
        Verdict::NotSound => format!("Not sound: {of}."),
        Verdict::CouldNotTell => format!("Could not tell: {of}, {} entries without a fault.", counts.entries),
    }];
    lines.extend(report.faults.iter().map(|fault| format!("  {}: {}", fault.place, fault.what)));
    if report.more_faults > 0 {
        lines.push(format!("  and {} more faults", report.more_faults));
    }
    lines.extend(report.could_not_tell.iter().map(|why| format!("  not to be had: {why}")));
    lines.extend(report.notes.iter().map(|note| format!("  note: {note}")));
    if let Some(root) = &report.root {
        lines.push(format!("  checkpoint  {} entries, root {root}", report.size.unwrap_or(0)));
    }
    lines.push(format!(
        "  looked at   {} entries, {} links, {} vault records, {} statements and {} disclosures in the clear, {} publishers",
        counts.entries, counts.links, counts.vault_records, counts.statements_read, counts.disclosures_read, counts.publishers
    ));
    if counts.statements_unreadable + counts.disclosures_unreadable > 0 {
        lines.push(format!(
            "  ended       {} statements and {} disclosures, whose keys are gone",
            counts.statements_unreadable, counts.disclosures_unreadable
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use gt_ledger::create::create;

    use super::*;

    #[test]
    fn a_folder_that_is_held_against_a_checkpoint_is_checked_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, secrets) = (folder.path().join("data"), folder.path().join("data.secrets"));
        let created = create(&data, &secrets, "ledger.example/test").expect("made");
        let (pin, known) = (audit::read_pin(&created.pin).expect("a pin"), folder.path().join("known"));
        std::fs::copy(data.join("checkpoint"), &known).expect("copied");
        let report = of_log(Some(&data), None, Some(&pin), Some(&known)).map_err(|failure| failure.message);
        let report = report.expect("checked");
        assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
        assert_eq!(Some(report.counts.vault_records), report.size, "the vault, too");
    }
}
