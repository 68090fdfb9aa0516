use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gt_ledger::clock::SystemClock;
use gt_ledger::create::create_with;
use gt_ledger::private_keys::KeyAccess;
use gt_ledger::secrets::folder_of;
use serde_json::json;

use super::Outcome;
use super::key_access::{NewKeyArgs, PassphraseArgs};
use super::output::Output;
use crate::access::token::issue_first_with;

#[derive(Args)]
pub(crate) struct Init {
    /// The data folder to make; it must not exist, or be empty.
    #[arg(long)]
    data: PathBuf,
    /// The ledger's name for ever, like ledger.example.org/first: no spaces, no plus sign.
    #[arg(long)]
    origin: String,
    /// Where to put the keys; not inside the data folder. [default: the data folder's name with .secrets]
    #[arg(long)]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    new: NewKeyArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Init {
    /// The command that serves what was made.
    fn serving(&self) -> String {
        let mut command = format!("goldenthread serve --data {}", self.data.display());
        for (option, file) in
            [("--secrets", self.secrets.as_deref()), ("--passphrase-file", self.passphrase.file())]
        {
            if let Some(file) = file {
                command = format!("{command} {option} {}", file.display());
            }
        }
        command
    }

    pub(crate) fn run(self, output: &Output) -> Outcome {
        let next = self.serving();
        let folder = self.secrets.unwrap_or_else(|| folder_of(&self.data));
        let keys = KeyAccess::default().with_passphrase(self.passphrase.source());
        let keys = self.new.writing(keys, &self.passphrase);
        let created =
            create_with(&self.data, &folder, &self.origin, Box::new(SystemClock::default()), &keys)?;
        let token = issue_first_with(&folder, "first", &keys)?;
        let value = json!({
            "data": self.data,
            "secrets": created.secrets,
            "origin": created.pin.origin,
            "genesis": created.pin.genesis,
            "verifier_keys": created.pin.verifier_keys,
            "token": token.as_str(),
        });
        output.say(&value, || {
            format!(
                "The ledger {origin} is made.\n\
                 \n\
                 data     {data}\n\
                 secrets  {secrets}\n\
                 genesis  {genesis}\n\
                 key      {key}\n\
                 token    {token}\n\
                 \n\
                 The token is an analyst's, for 30 days; it is shown this once. `goldenthread token issue` makes others. Give {secrets}/ledger.json to whoever is to\n\
                 verify this ledger: it holds no secret. Keep copies of the secrets folder in another place than the data:\n\
                 without `kek` nothing in the vault can ever be read. Move `recovery.jwk` offline.\n\
                 \n\
                 Next: {next}",
                origin = created.pin.origin,
                data = self.data.display(),
                secrets = created.secrets.display(),
                genesis = created.pin.genesis,
                key = created.pin.verifier_keys.join(" "),
                token = token.as_str(),
            )
        });
        Ok(ExitCode::SUCCESS)
    }
}
