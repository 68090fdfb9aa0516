use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gt_core::base64url;
use gt_ledger::keyring::{KekShare, KeyEncryptionKey, MAX_SHARES};
use gt_ledger::open::need_ledger;
use gt_ledger::secrets::{Secrets, write_secret};
use serde_json::json;

use super::erase::carry_out;
use super::keys_at::Kept;
use super::new_file::NewFile;
use super::output::Output;
use super::registrar::about;
use super::{Failure, Outcome};
use crate::control::Request;

/// The longest file of a share that is read, in bytes.
const MAX_SHARE: u64 = 4096;

/// What is said of a file that is there.
const NEVER: &str = "a share is never overwritten";

#[derive(Subcommand)]
pub(crate) enum Kek {
    /// Show the key's fingerprint, by which people can compare keys without seeing them. With files of shares: of the key that they make.
    Show {
        /// The files of an escrow.
        #[arg(value_name = "SHARE")]
        shares: Vec<PathBuf>,
        #[command(flatten)]
        which: Which,
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
        which: Which,
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

/// Which key of which ledger.
#[derive(Args)]
pub(crate) struct Which {
    /// The next key, which `nats keys prepare` has made and which is not in force yet.
    #[arg(long)]
    next: bool,
    #[command(flatten)]
    kept: Kept,
}

/// A ledger's keys, of which one was seen to open the folder's keyring.
struct Held {
    secrets: Secrets,
    in_force: KeyEncryptionKey,
}

impl Held {
    /// What an escrow holds must open the folder when nothing else does. So its keyring is asked, and not the secrets folder's name.
    fn by(kept: &Kept) -> Result<Self, Failure> {
        need_ledger(&kept.data)?;
        let at = kept.at()?;
        let mut found = String::new();
        // Twice: a ledger that runs may have put another key in force after the keys were read and before its keyring was.
        for _ in 0..2 {
            let secrets = Secrets::load_at(&at)?;
            let opens = secrets.keks().opening(&kept.data)?;
            if let Some(in_force) = opens.map(|kek| KeyEncryptionKey::from_bytes(kek.as_bytes())) {
                return Ok(Self { secrets, in_force });
            }
            found = secrets.kek().epoch();
        }
        Err(Failure::new(format!(
            "this key does not open {}'s keyring: {found}, from {}, is another ledger's or an old one. Name the right one with --secrets, --kek FILE or --kek-command",
            kept.data.display(),
            at.kek_source()
        )))
    }

    /// The key that is meant: the one in force, or the next one.
    fn key(&self, which: &Which) -> Result<&KeyEncryptionKey, Failure> {
        if !which.next {
            return Ok(&self.in_force);
        }
        let next = self.secrets.keks().next().filter(|next| next.epoch() != self.in_force.epoch());
        next.ok_or_else(|| {
            Failure::new("there is no next key-encryption key here: `goldenthread nats keys prepare` makes one, and the other nodes get a copy of it")
        })
    }
}

impl Kek {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Show { shares, which } => show(&shares, &which, output),
            Self::Rotate { kept } => rotate(&kept, output),
            Self::Escrow { out, which } => escrow(&out, &which, output),
            Self::Restore { out, shares } => restore(&out, &shares, output),
        }
    }
}

fn show(shares: &[PathBuf], which: &Which, output: &Output) -> Outcome {
    let held = Held::by(&which.kept)?;
    let (in_force, asked) = (held.in_force.epoch(), held.key(which)?.epoch());
    let name = if which.next { "the next key" } else { "the key in force" };
    let mut value = json!({"kek": in_force});
    if which.next {
        value["next"] = json!(asked);
    }
    if shares.is_empty() {
        output.say(&value, || {
            if which.next {
                format!("The next key-encryption key is {asked}; the one in force is {in_force}.")
            } else {
                format!("The key-encryption key in force is {in_force}.")
            }
        });
        return Ok(ExitCode::SUCCESS);
    }
    let escrow = join(shares)?.epoch();
    let same = escrow == asked;
    (value["escrow"], value["same"]) = (json!(escrow), json!(same));
    output.say(&value, || {
        if same {
            format!("The shares make {name}, {asked}.")
        } else {
            format!("The shares make the key {escrow}; {name} is {asked}.")
        }
    });
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn rotate(kept: &Kept, output: &Output) -> Outcome {
    // Before anything is renewed: what is said afterwards of the new key is read from the same place.
    Held::by(kept)?;
    let done = carry_out(kept, &Request::RotateKek)?;
    let retired = done["retired"]["kek"].as_str().unwrap_or_default().to_owned();
    let kek = Held::by(kept)?.in_force.epoch();
    output.say(&json!({"kek": kek, "retired": done["retired"]}), || {
        format!(
            "The key-encryption key {kek} is in force. Put it into escrow (goldenthread kek escrow), destroy every copy of\n\
             {retired}, and say so: goldenthread erase confirm {retired} {}",
            kept.options()
        )
    });
    Ok(ExitCode::SUCCESS)
}

fn escrow(out: &[PathBuf], which: &Which, output: &Output) -> Outcome {
    let most = usize::from(MAX_SHARES);
    if out.len() > most {
        return Err(Failure::new(format!("a key is split among at most {most} people")));
    }
    // Of all files before anything is in one of them: some shares without the others are of no use, and would be in the way.
    let files: Result<Vec<NewFile>, Failure> = out.iter().map(|file| NewFile::take(file, NEVER)).collect();
    let mut files = files?;
    let held = Held::by(&which.kept)?;
    let key = held.key(which)?;
    let of = u8::try_from(out.len()).expect("at most 16");
    let shares = KekShare::split(key, held.secrets.pin().0, of);
    for (file, share) in files.iter_mut().zip(&shares) {
        file.write(&(serde_json::to_string(share).expect("texts and numbers serialise") + "\n"))?;
    }
    let kek = join(out)?.epoch();
    if kek != key.epoch() {
        return Err(Failure::new("what was written gives another key: the disk is not to be trusted"));
    }
    files.into_iter().for_each(NewFile::keep);
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
