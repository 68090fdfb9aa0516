use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use gt_core::base64url;
use gt_ledger::keyring::{KekShare, KeyEncryptionKey, MAX_SHARES};
use gt_ledger::secrets::write_secret;
use serde_json::json;

use super::erase::carry_out;
use super::keys_at::Kept;
use super::output::Output;
use super::registrar::about;
use super::{Failure, Outcome};
use crate::control::Request;

/// The longest file of a share that is read, in bytes.
const MAX_SHARE: u64 = 4096;

#[derive(Subcommand)]
pub(crate) enum Kek {
    /// Show the key's fingerprint, by which people can compare keys without seeing them. With files of shares: of the key that they make.
    Show {
        /// The files of an escrow.
        #[arg(value_name = "SHARE")]
        shares: Vec<PathBuf>,
        #[command(flatten)]
        kept: Kept,
    },
    /// Put a new key in force and wrap everything under it; a ledger that runs goes on meanwhile.
    Rotate {
        #[command(flatten)]
        kept: Kept,
    },
    /// Write the key for escrow: split among several files, all of which are needed, or whole into one.
    Escrow {
        /// Where to write a share; give it once for each person who is to keep one. No file may exist.
        #[arg(long = "out", value_name = "FILE", required = true)]
        out: Vec<PathBuf>,
        #[command(flatten)]
        kept: Kept,
    },
    /// Put a key together from all shares of an escrow.
    Restore {
        /// Where to write the key; the file must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// All shares.
        #[arg(value_name = "SHARE", required = true)]
        shares: Vec<PathBuf>,
    },
}

impl Kek {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Show { shares, kept } => show(&shares, &kept, output),
            Self::Rotate { kept } => rotate(&kept, output),
            Self::Escrow { out, kept } => escrow(&out, &kept, output),
            Self::Restore { out, shares } => restore(&out, &shares, output),
        }
    }
}

fn show(shares: &[PathBuf], kept: &Kept, output: &Output) -> Outcome {
    let in_force = kept.load()?.kek().epoch();
    if shares.is_empty() {
        output.say(&json!({"kek": in_force}), || format!("The key-encryption key in force is {in_force}."));
        return Ok(ExitCode::SUCCESS);
    }
    let kek = join(shares)?.epoch();
    let same = kek == in_force;
    output.say(&json!({"kek": in_force, "escrow": kek, "same": same}), || {
        if same {
            format!("The shares make the key in force, {in_force}.")
        } else {
            format!("The shares make the key {kek}; the key in force is {in_force}.")
        }
    });
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn rotate(kept: &Kept, output: &Output) -> Outcome {
    let done = carry_out(kept, &Request::RotateKek)?;
    let retired = done["retired"]["kek"].as_str().unwrap_or_default().to_owned();
    let kek = kept.load()?.kek().epoch();
    output.say(&json!({"kek": kek, "retired": done["retired"]}), || {
        format!(
            "The key-encryption key {kek} is in force. Put it into escrow (goldenthread kek escrow), destroy every copy of\n\
             {retired}, and say so: goldenthread erase confirm {retired} --data {}",
            kept.data.display()
        )
    });
    Ok(ExitCode::SUCCESS)
}

fn escrow(out: &[PathBuf], kept: &Kept, output: &Output) -> Outcome {
    let most = usize::from(MAX_SHARES);
    if out.len() > most {
        return Err(Failure::new(format!("a key is split among at most {most} people")));
    }
    let secrets = kept.load()?;
    let of = u8::try_from(out.len()).expect("at most 16");
    let shares = KekShare::split(secrets.kek(), secrets.pin().0, of);
    for (file, share) in out.iter().zip(&shares) {
        let text = serde_json::to_string(share).expect("texts and numbers serialise");
        write_secret(file, &text)?;
    }
    let kek = join(out)?.epoch();
    if kek != secrets.kek().epoch() {
        return Err(Failure::new("what was written gives another key: the disk is not to be trusted"));
    }
    output.say(&json!({"kek": kek, "files": out}), || {
        let how = if of == 1 {
            "The file is the key itself: whoever has it and a backup can read everything.".to_owned()
        } else {
            format!(
                "All {of} files are needed, and fewer say nothing about the key. Give each to another person."
            )
        };
        format!("The key-encryption key {kek} is written and was read back. {how}")
    });
    Ok(ExitCode::SUCCESS)
}

fn restore(out: &Path, shares: &[PathBuf], output: &Output) -> Outcome {
    let kek = join(shares)?;
    write_secret(out, &base64url::encode(kek.as_bytes()))?;
    let kek = kek.epoch();
    output.say(&json!({"kek": kek, "file": out}), || {
        format!("The key-encryption key {kek} is in {}.", out.display())
    });
    Ok(ExitCode::SUCCESS)
}

fn join(files: &[PathBuf]) -> Result<KeyEncryptionKey, Failure> {
    let shares: Result<Vec<KekShare>, Failure> = files.iter().map(|file| read(file)).collect();
    Ok(KekShare::join(&shares?)?)
}

fn read(file: &Path) -> Result<KekShare, Failure> {
    let length = std::fs::metadata(file).map_err(|error| about(file, &error))?.len();
    let text =
        if length > MAX_SHARE { Vec::new() } else { std::fs::read(file).map_err(|e| about(file, &e))? };
    serde_json::from_slice(&text)
        .map_err(|_| Failure::new(format!("{} is no share of a key-encryption key", file.display())))
}
