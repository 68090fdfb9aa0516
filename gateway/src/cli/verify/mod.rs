//! `goldenthread verify`: what is given is known by its content, and checked against what its holder has.

mod bundle;
mod held;
mod open_log;
mod receipt;
mod sentences;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gt_core::bundle::{MAX_BUNDLE_BYTES, Verdict};
use gt_core::policy::{MAX_POLICY_LEN, Policy};

use super::fork::verify_fork;
use super::fsck::{check_log, read_checkpoint, read_pin};
use super::keys_at::KekArgs;
use super::output::Output;
use super::{Failure, Outcome};
use held::Held;

/// The code of evidence of another ledger than the pinned one.
const OTHER_ORIGIN: &str = "other_origin";

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["file", "data", "url"]))]
pub(crate) struct Verify {
    /// An evidence bundle (.bundle.json), a receipt (.tlog-proof) or evidence of a fork (fork.json), or - for standard input.
    #[arg(value_name = "BUNDLE|RECEIPT|FORK")]
    file: Option<PathBuf>,
    /// A data folder; needs no keys.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The folder with its keys: then its statements are read, and their signatures and chains checked.
    #[arg(long, requires = "data", conflicts_with = "known")]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    kek: KekArgs,
    /// A running ledger, whose whole open log is fetched and checked.
    #[arg(long)]
    url: Option<String>,
    /// The ledger's pin file, ledger.json. Without it, the verdict on anything is: could not tell.
    #[arg(long)]
    pin: Option<PathBuf>,
    /// A checkpoint that you have held since; what is checked must be of the same history.
    #[arg(long)]
    known: Option<PathBuf>,
    /// Which logs you accept and which witnesses must have seen the checkpoint: a C2SP policy file.
    #[arg(long, requires = "file")]
    policy: Option<PathBuf>,
    /// The open log, to check a bundle against: a data folder, a mirror's folder, or the URL of either.
    #[arg(long, value_name = "DIR|URL", requires = "file")]
    log: Option<String>,
    /// The statement that the receipt is for, as it was signed (a compact SD-JWT).
    #[arg(long, requires = "file")]
    statement: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let pin = self.pin.as_deref().map(read_pin).transpose()?;
        if let (Some(data), Some(secrets)) = (&self.data, &self.secrets) {
            let at = self.kek.at(data, Some(secrets.clone()))?;
            return super::verify_data::verify_data(data, &at, pin.as_ref(), output);
        }
        let Some(file) = &self.file else {
            let (data, url) = (self.data.as_deref(), self.url.as_deref());
            return check_log(data, url, pin.as_ref(), self.known.as_deref(), output);
        };
        let policy = self.policy.as_deref().map(read_policy).transpose()?;
        let bytes = read(file, MAX_BUNDLE_BYTES)?;
        match Held::of(&bytes) {
            Held::Receipt => {
                self.refuse(
                    "a receipt",
                    &[("--known", self.known.is_some()), ("--log", self.log.is_some())],
                )?;
                receipt::check(&bytes, self.statement.as_deref(), pin.as_ref(), policy.as_ref(), output)
            }
            Held::Bundle => {
                self.refuse(
                    "a bundle, which has its statements in it",
                    &[("--statement", self.statement.is_some())],
                )?;
                let known = self.known.as_deref().map(read_checkpoint).transpose()?;
                let against = bundle::Against {
                    pin: pin.as_ref(),
                    policy: policy.as_ref(),
                    known: known.as_ref(),
                    log: self.log.as_deref(),
                };
                bundle::check(file, &bytes, &against, output)
            }
            Held::Fork => {
                self.refuse(
                    "evidence of a fork, which has all in it that it needs but the pin",
                    &[
                        ("--known", self.known.is_some()),
                        ("--policy", self.policy.is_some()),
                        ("--log", self.log.is_some()),
                        ("--statement", self.statement.is_some()),
                    ],
                )?;
                Ok(verify_fork(&bytes, pin.as_ref(), output))
            }
            Held::NoEvidence(what) => Err(Failure::could_not_tell(format!(
                "{} is no evidence of a ledger: it is {what}",
                file.display()
            ))),
        }
    }

    /// What says nothing about this kind of evidence is not passed over in silence.
    fn refuse(&self, what: &str, given: &[(&str, bool)]) -> Result<(), Failure> {
        let file = self.file.as_deref().unwrap_or_else(|| Path::new("-")).display();
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Failure::could_not_tell(format!("{file} is {what}; leave {option} out")))
            }
            None => Ok(()),
        }
    }
}

/// The exit status of a verdict.
fn status(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Sound => ExitCode::SUCCESS,
        Verdict::NotSound => ExitCode::from(1),
        Verdict::CouldNotTell => ExitCode::from(2),
    }
}

fn read_policy(file: &Path) -> Result<Policy, Failure> {
    let bytes = read(file, MAX_POLICY_LEN)?;
    Policy::parse(&bytes)
        .map_err(|error| Failure::could_not_tell(format!("{} is no policy: {error}", file.display())))
}

/// Reads one byte more than `longest`, so that what is too long is seen to be.
fn read(file: &Path, longest: usize) -> Result<Vec<u8>, Failure> {
    let limit = longest as u64 + 1;
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|open| open.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::could_not_tell(format!("{}: {error}", file.display())))?;
    Ok(bytes)
}
