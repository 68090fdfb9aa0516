//! Where a ledger is that is asked to do something: its data folder here, or a running one elsewhere.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use gt_schemas::AccessPurpose;

use super::Failure;
use super::keys_at::{KekArgs, Kept};
use crate::reading::ReadingClient;

/// The data folder, or the address.
#[derive(Args, Clone)]
#[command(next_help_heading = "Where the ledger is")]
pub(super) struct WhereAt {
    /// The data folder. A ledger that runs on it is asked; otherwise the folder is opened.
    #[arg(long, required_unless_present = "url", conflicts_with = "url")]
    data: Option<PathBuf>,
    /// Where the keys are. [default: the data folder's name with .secrets]
    #[arg(long, conflicts_with = "url")]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    kek: KekArgs,
    /// The address of a running ledger, for a data protection officer with a token.
    #[arg(long)]
    url: Option<String>,
    /// A file that holds the token. [default: the environment's `GOLDENTHREAD_TOKEN`]
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    token_file: Option<PathBuf>,
    /// What it is for, where the token does not say it; it is recorded.
    #[arg(
        long, env = "GOLDENTHREAD_PURPOSE", value_name = "PURPOSE",
        value_parser = PossibleValuesParser::new(AccessPurpose::CODES)
    )]
    read_for: Option<String>,
}

/// Where it is.
pub(super) enum Reached {
    /// Here.
    Folder(Kept),
    /// There.
    Served(ReadingClient),
}

impl WhereAt {
    pub(super) fn reach(self) -> Result<Reached, Failure> {
        match (self.data, self.url) {
            (Some(data), None) => Ok(Reached::Folder(Kept { data, secrets: self.secrets, kek: self.kek })),
            (None, Some(url)) => {
                let client = ReadingClient::new(&url, self.token_file.as_deref())?;
                Ok(Reached::Served(client.with_purpose(self.read_for)))
            }
            _ => {
                Err(Failure::new("say where the ledger is: --data DIR, or --url URL with --token-file FILE"))
            }
        }
    }
}
