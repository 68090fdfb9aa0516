use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gt_ledger::private_keys::{self, PassphraseError, PassphraseSource, Replaced, files_of};
use serde_json::json;

use super::key_access::{PassphraseArgs, source};
use super::output::Output;
use super::{Failure, Outcome};
use crate::keyfile::read_partnership_key;

/// Private keys that are there. Each file is replaced whole, so an interruption leaves the old or the new one, and the same command finishes it.
#[derive(Subcommand)]
pub(crate) enum Key {
    /// Encrypt private keys by a passphrase: publishers', a ledger's whole secrets folder, a witness's folder. A partnership's key stays plain.
    Encrypt(Files),
    /// Write encrypted private keys as plain files again.
    Decrypt(Files),
    /// Give encrypted private keys another passphrase.
    Passphrase {
        #[command(flatten)]
        files: Files,
        /// The file whose only line is the new passphrase; without it, it is asked for at the terminal.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Files {
    /// Files of private keys, or folders: of a folder all *.jwk but *.public.jwk, and kek.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Key {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Encrypt(files) => {
                let (paths, passphrase) = (files.all()?, files.passphrase.source().new_one()?);
                let done = private_keys::encrypt(&paths, &passphrase)?;
                say("encrypted", &paths, &done, BEWARE_OF_COPIES, output);
            }
            Self::Decrypt(files) => {
                let (paths, passphrase) = (files.all()?, files.passphrase.source().present()?);
                let done = private_keys::decrypt(&paths, &passphrase)?;
                say("decrypted", &paths, &done, "Whoever can read these files has the keys.", output);
            }
            Self::Passphrase { files, new_passphrase_file } => {
                let paths = files.all()?;
                let old = files.passphrase.source().present()?;
                let new = new_one(&source(new_passphrase_file))?;
                let done = private_keys::change_passphrase(&paths, &old, &new)?;
                say("encrypted", &paths, &done, BEWARE_OF_OLD_COPIES, output);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

const BEWARE_OF_COPIES: &str = "Keep the passphrase in another place: without it the keys are lost. Copies from before (backups, snapshots) are still plain:\n\
                                destroy them, or renew the keys.";
const BEWARE_OF_OLD_COPIES: &str =
    "Copies from before (backups, snapshots) still open by the old passphrase.";

fn new_one(source: &PassphraseSource) -> Result<std::sync::Arc<private_keys::Passphrase>, Failure> {
    source.new_one().map_err(|error| match error {
        PassphraseError::Nowhere => Failure::new(
            "a new passphrase is needed and there is none: say which file holds it with --new-passphrase-file FILE, or run this at a terminal, which asks for it",
        ),
        error => error.into(),
    })
}

impl Files {
    fn all(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut all = Vec::new();
        for path in &self.paths {
            // What the agencies of a partnership share is read from a plain file alone, and by more than this program.
            if path.is_file() && read_partnership_key(path).is_ok() {
                return Err(Failure::new(format!(
                    "{} is a partnership's key, which is always a plain file: docs/KEYS.md says how to keep it",
                    path.display()
                )));
            }
            for file in files_of(path)? {
                if !all.contains(&file) {
                    all.push(file);
                }
            }
        }
        Ok(all)
    }
}

fn say(what: &str, paths: &[PathBuf], done: &[Replaced], advice: &str, output: &Output) {
    let of = |wanted| -> Vec<&PathBuf> {
        paths.iter().zip(done).filter(|(_, done)| **done == wanted).map(|(path, _)| path).collect()
    };
    let (anew, left) = (of(Replaced::Anew), of(Replaced::AsItWas));
    output.say(&json!({what: anew, "unchanged": left}), || {
        let mut lines: Vec<String> = anew.iter().map(|path| format!("{what}  {}", path.display())).collect();
        lines.extend(left.iter().map(|path| format!("unchanged  {}", path.display())));
        format!("{}\n\n{advice}", lines.join("\n"))
    });
}
