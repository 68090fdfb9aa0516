//! Where a ledger's keys are.

use std::path::{Path, PathBuf};

use clap::Args;
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::keyring::KekSource;
use gt_ledger::private_keys::KeyAccess;
use gt_ledger::secrets::{Secrets, SecretsAt, folder_of};

use super::Failure;
use super::key_access::KeyArgs;
use super::opening::does_not_open;

/// Where the key-encryption key is, if not in the secrets folder, and how private keys are had.
#[derive(Args, Clone, Default)]
pub(crate) struct KekArgs {
    /// The file that holds the key-encryption key. [default: kek of the secrets folder]
    #[arg(long, value_name = "FILE", env = "GT_KEK_FILE")]
    kek: Option<PathBuf>,
    /// A command that prints the key-encryption key, run without a shell; it is told `current`, `next`, `make-next` or `promote`.
    #[arg(long, value_name = "COMMAND", env = "GT_KEK_COMMAND", conflicts_with = "kek")]
    kek_command: Option<String>,
    #[command(flatten)]
    keys: KeyArgs,
}

impl KekArgs {
    /// How private keys are had.
    pub(crate) fn keys(&self) -> Result<KeyAccess, Failure> {
        self.keys.access()
    }

    /// The secrets of a data folder, in their folder or the one beside it.
    pub(crate) fn at(&self, data: &Path, secrets: Option<PathBuf>) -> Result<SecretsAt, Failure> {
        let folder = secrets.unwrap_or_else(|| folder_of(data));
        let kek = match (&self.kek, &self.kek_command) {
            (Some(file), _) => Some(KekSource::file(file)),
            (None, Some(line)) => Some(KekSource::command(line)?),
            (None, None) => None,
        };
        Ok(SecretsAt { folder, kek, keys: self.keys()? })
    }
}

/// A data folder and its keys.
#[derive(Args, Clone)]
pub(crate) struct Kept {
    /// The data folder. A ledger that runs on it is asked; otherwise the folder is opened.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Where the keys are. [default: the data folder's name with .secrets]
    #[arg(long)]
    pub(super) secrets: Option<PathBuf>,
    #[command(flatten)]
    pub(super) kek: KekArgs,
}

impl Kept {
    pub(crate) fn at(&self) -> Result<SecretsAt, Failure> {
        self.kek.at(&self.data, self.secrets.clone())
    }

    /// The same folders, for a command that is shown.
    pub(super) fn options(&self) -> String {
        let secrets = self.secrets.as_ref().map(|folder| format!(" --secrets {}", folder.display()));
        format!("--data {}{}", self.data.display(), secrets.unwrap_or_default())
    }

    /// Opens the folder.
    pub(super) fn open(&self) -> Result<Ledger, Failure> {
        let at = self.at()?;
        let secrets = Secrets::load_at(&at)?;
        let ledger = Ledger::open(&self.data, &secrets, Box::new(SystemClock::default()), None);
        ledger.map_err(|error| does_not_open(&self.data, &at.folder, &error))
    }
}
