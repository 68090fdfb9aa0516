//! How private keys are had: from plain files, from files that a passphrase encrypts, or from a command.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gt_ledger::private_keys::{KeyAccess, PassphraseSource};
use zeroize::Zeroizing;

use super::Failure;

/// Where the passphrase of encrypted private keys is.
#[derive(Args, Clone, Default)]
pub(crate) struct PassphraseArgs {
    /// The file whose only line is the passphrase of encrypted private keys; only its owner may read it. Without it the passphrase is asked
    /// for at the terminal when it is needed.
    #[arg(long, value_name = "FILE", env = "GT_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

/// How private keys are had, if their files are not plain or not there.
#[derive(Args, Clone, Default)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// A command that prints private keys in place of their files, run without a shell; it is told the file's name, like `registrar.jwk`,
    /// and prints nothing if there is no such key.
    #[arg(long, value_name = "COMMAND", env = "GT_KEY_COMMAND")]
    key_command: Option<String>,
    /// A PKCS #11 token that holds private keys in place of their files, as data objects with the files' names for labels:
    /// `pkcs11:token=…?module-path=…&pin-source=…` (RFC 7512).
    #[arg(long, value_name = "URI", env = "GT_KEY_TOKEN", conflicts_with = "key_command")]
    key_token: Option<String>,
}

/// How a command that makes private keys writes them.
#[derive(Args, Clone, Default)]
pub(crate) struct NewKeyArgs {
    /// Encrypt the private keys by a passphrase, asked for at the terminal; with --passphrase-file they always are.
    #[arg(long)]
    encrypt: bool,
}

impl PassphraseArgs {
    pub(crate) fn source(&self) -> PassphraseSource {
        source(self.passphrase_file.clone())
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        self.passphrase_file.as_deref()
    }
}

/// A file, or whoever sits at the terminal.
pub(super) fn source(file: Option<PathBuf>) -> PassphraseSource {
    file.map_or_else(
        || {
            PassphraseSource::person(Arc::new(|question| {
                rpassword::prompt_password(question).map(Zeroizing::new)
            }))
        },
        PassphraseSource::file,
    )
}

impl KeyArgs {
    pub(crate) fn access(&self) -> Result<KeyAccess, Failure> {
        let keys = KeyAccess::default().with_passphrase(self.passphrase.source());
        match (&self.key_command, &self.key_token) {
            (Some(line), _) => Ok(keys.with_command(line)?),
            (None, Some(uri)) => Ok(keys.with_token(uri)?),
            (None, None) => Ok(keys),
        }
    }

    /// The same for a command that makes keys; what makes them is no key command, which hands over those that there are.
    pub(crate) fn access_for_new(&self, new: &NewKeyArgs) -> Result<KeyAccess, Failure> {
        if self.key_command.is_some() || self.key_token.is_some() {
            return Err(Failure::new(
                "--key-command (GT_KEY_COMMAND) and --key-token (GT_KEY_TOKEN) hand over keys that there are, and this makes new ones in files: leave them out",
            ));
        }
        Ok(new.writing(self.access()?, &self.passphrase))
    }
}

impl NewKeyArgs {
    /// Keys as these options have them written.
    pub(crate) fn writing(&self, keys: KeyAccess, passphrase: &PassphraseArgs) -> KeyAccess {
        keys.encrypting(self.encrypt || passphrase.passphrase_file.is_some())
    }
}
