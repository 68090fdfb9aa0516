use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gt_core::receipt::Receipt;
use gt_core::statement::Statement;
use gt_core::verify::{Pin, ReceiptVerdict, verify_receipt};
use serde_json::json;

use super::output::Output;
use super::{Failure, Outcome};

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["receipt", "data", "url"]))]
pub(crate) struct Verify {
    /// A receipt: a .tlog-proof file, or - for standard input.
    receipt: Option<PathBuf>,
    /// A data folder; needs no keys.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The folder with its keys: then its statements are read, and their signatures and chains checked.
    #[arg(long, requires = "data", conflicts_with = "known")]
    secrets: Option<PathBuf>,
    /// A running ledger, whose whole open log is fetched and checked.
    #[arg(long)]
    url: Option<String>,
    /// The ledger's pin file, ledger.json. Without it, the verdict on anything is: could not tell.
    #[arg(long)]
    pin: Option<PathBuf>,
    /// The statement that the receipt is for, as it was signed (a compact SD-JWT).
    #[arg(long, requires = "receipt")]
    statement: Option<PathBuf>,
    /// A checkpoint that you have held since; what is checked must extend it.
    #[arg(long, conflicts_with = "receipt")]
    known: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let pin = self.pin.as_deref().map(super::fsck::read_pin).transpose()?;
        if let (Some(data), Some(secrets)) = (&self.data, &self.secrets) {
            return super::verify_data::verify_data(data, secrets, pin.as_ref(), output);
        }
        match (&self.receipt, &self.data, &self.url) {
            (Some(file), ..) => self.receipt(file, pin, output),
            (None, data, url) => super::fsck::check_log(
                data.as_deref(),
                url.as_deref(),
                pin.as_ref(),
                self.known.as_deref(),
                output,
            ),
        }
    }

    fn receipt(&self, file: &Path, pin: Option<Pin>, output: &Output) -> Outcome {
        let bytes = read(file)?;
        let statement = match &self.statement {
            Some(file) => Some(read_statement(file)?),
            None => None,
        };
        let receipt = match Receipt::parse(&bytes) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(not_sound(output, &error.to_string())),
        };
        let Some(pin) = pin else {
            let why = "nothing is pinned, so whoever made this receipt may have made its ledger too. Give the ledger's pin: --pin ledger.json";
            return Ok(could_not_tell(output, why));
        };
        let hash = statement.as_ref().map(Statement::hash);
        match verify_receipt(&receipt, hash, &pin) {
            Ok(verdict) => Ok(sound(output, &verdict)),
            Err(fault) => Ok(not_sound(output, &fault.to_string())),
        }
    }
}

fn sound(output: &Output, verdict: &ReceiptVerdict) -> ExitCode {
    let (entry, checkpoint) = (&verdict.entry, &verdict.checkpoint);
    let value = json!({
        "verdict": "sound",
        "origin": checkpoint.origin(),
        "index": entry.index.0,
        "received_at": entry.received_at.to_string(),
        "statement": entry.statement.to_string(),
        "statement_compared": verdict.statement_compared,
        "checkpoint_size": checkpoint.size().0,
    });
    output.say(&value, || {
        let compared = if verdict.statement_compared {
            "It is for the statement that you gave."
        } else {
            "It was not compared with a statement; give --statement FILE to see which one it is for."
        };
        format!(
            "Sound. {} sealed statement {} as entry {} at {},\nand a log of {} entries signed by its key includes it. {compared}",
            checkpoint.origin(), entry.statement, entry.index, entry.received_at, checkpoint.size(),
        )
    });
    ExitCode::SUCCESS
}

fn not_sound(output: &Output, why: &str) -> ExitCode {
    output.say(&json!({"verdict": "not_sound", "faults": [why]}), || format!("Not sound: {why}."));
    ExitCode::from(1)
}

/// Exit status 2: nothing speaks against it, and nothing that could be relied on speaks for it.
fn could_not_tell(output: &Output, why: &str) -> ExitCode {
    output.say(&json!({"verdict": "could_not_tell", "why": why}), || format!("Could not tell: {why}"));
    ExitCode::from(2)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    // Longer than any receipt or statement may be, so that what is too long is seen to be.
    let limit = (gt_core::receipt::MAX_RECEIPT_LEN as u64) + 1;
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::could_not_tell(format!("{}: {error}", file.display())))?;
    Ok(bytes)
}

fn read_statement(file: &Path) -> Result<Statement, Failure> {
    let bytes = read(file)?;
    Statement::parse(bytes.trim_ascii_end())
        .map_err(|error| Failure::could_not_tell(format!("{} is no statement: {error}", file.display())))
}
