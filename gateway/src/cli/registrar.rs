//! The registrar's next statement: signed with the registrar's key, and sealed in a folder of this machine or by a running
//! ledger.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use gt_core::Hash;
use gt_core::key::Signer;
use gt_core::statement::{PublisherId, Statement};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::layout;
use gt_ledger::private_keys::is_token_uri;
use gt_ledger::secrets::{Secrets, file, folder_of};
use gt_ledger::witness::Witnessing;

use super::Failure;
use super::keys_at::KekArgs;
use super::witness::witnessing;
use crate::client::{Answer, LedgerClient};
use crate::http::need_ledger;
use crate::keyfile;
use crate::outbox::Pin;

/// Where the ledger is, and the registrar's key.
#[derive(Args)]
pub(super) struct Registrar {
    /// The ledger's data folder, while no server has it open.
    #[arg(long, required_unless_present = "url", conflicts_with = "url")]
    pub(super) data: Option<PathBuf>,
    /// The address of the running ledger.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// The registrar's private key, or where a token has it (`pkcs11:…`); needed with --url. [default with --data: registrar.jwk of the secrets folder]
    #[arg(long = "registrar", value_name = "KEY")]
    key_file: Option<PathBuf>,
    /// Where the ledger's keys are, with --data. [default: the data folder's name with .secrets]
    #[arg(long)]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    kek: KekArgs,
    /// With --data: the policy of the ledger's witnesses, who are asked before anything is sealed. A folder that holds less than they have seen
    /// is not written to.
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    witnesses: Option<PathBuf>,
    /// With --data: seal without asking the ledger's witnesses. A folder that was put back from a backup then gets a history of its own.
    #[arg(long, conflicts_with_all = ["url", "witnesses"])]
    without_witnesses: bool,
}

/// What the registrar's next statement must say besides its own members.
pub(super) struct Turn<'a> {
    pub(super) key: &'a dyn Signer,
    pub(super) id: PublisherId,
    pub(super) genesis: Hash,
    pub(super) origin: &'a str,
    pub(super) seq: u64,
    pub(super) prev: Hash,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(super) iat: i64,
}

impl Registrar {
    /// Has the registrar's next statement signed, and seals it. Returns its entry's index.
    pub(super) fn seal(
        &self,
        sign: impl FnOnce(&Turn<'_>) -> Result<Statement, Failure>,
    ) -> Result<u64, Failure> {
        match (&self.data, &self.url) {
            (Some(data), _) => self.seal_here(data, sign),
            (None, Some(url)) => self.seal_there(url, sign),
            (None, None) => Err(nowhere()),
        }
    }

    /// Opens the data folder.
    pub(super) fn open(&self, data: &Path, witnesses: Option<&Witnessing>) -> Result<Ledger, Failure> {
        need_ledger(data)?;
        let secrets = Secrets::load_at(&self.kek.at(data, self.secrets.clone())?)?;
        Ok(Ledger::open_watched(data, &secrets, Box::new(SystemClock::default()), None, witnesses)?)
    }

    /// Who is to be asked before something is sealed in the folder. A ledger that had witnesses is not written to behind their backs.
    fn witnesses(&self, data: &Path) -> Result<Option<Witnessing>, Failure> {
        match &self.witnesses {
            Some(file) => witnessing(file).map(Some),
            None if self.without_witnesses || !data.join(layout::cosigned()).exists() => Ok(None),
            None => Err(Failure::new(
                "this ledger has witnesses, and what they have seen may be more than this folder holds: name them with --witnesses FILE, as for serve, or start the ledger and use --url; --without-witnesses seals without asking them",
            )),
        }
    }

    fn secrets_folder(&self, data: &Path) -> PathBuf {
        self.secrets.clone().unwrap_or_else(|| folder_of(data))
    }

    fn seal_here(
        &self,
        data: &Path,
        sign: impl FnOnce(&Turn<'_>) -> Result<Statement, Failure>,
    ) -> Result<u64, Failure> {
        let key_file =
            self.key_file.clone().unwrap_or_else(|| self.secrets_folder(data).join(file::REGISTRAR));
        need_ledger(data)?;
        let key =
            keyfile::open_signer(&key_file, &self.kek.keys()?).map_err(|error| about(&key_file, &error))?;
        let witnesses = self.witnesses(data)?;
        let ledger = self.open(data, witnesses.as_ref())?;
        let registry = ledger.registry();
        let id = registry.registrar_id();
        let head = ledger.head(&id);
        let statement = sign(&Turn {
            key: key.as_ref(),
            id,
            genesis: registry.genesis(),
            origin: &registry.ledger_keys().origin,
            seq: head.next_seq,
            prev: head.head,
            iat: now(),
        })?;
        Ok(ledger.seal_blocking(statement.to_compact().as_bytes())?.index.0)
    }

    fn seal_there(
        &self,
        url: &str,
        sign: impl FnOnce(&Turn<'_>) -> Result<Statement, Failure>,
    ) -> Result<u64, Failure> {
        let key_file = self
            .key_file
            .clone()
            .ok_or_else(|| Failure::new("--url needs --registrar FILE, the registrar's private key"))?;
        let key =
            keyfile::open_signer(&key_file, &self.kek.keys()?).map_err(|error| about(&key_file, &error))?;
        let client = LedgerClient::new(url)?;
        let pin = client.describe()?.pin;
        // The registrar's id is the thumbprint of its first key; a rotated one is found by the head of that id.
        let id = key.public_key().thumbprint();
        let head = client.head(&id)?;
        let statement = sign(&Turn {
            key: key.as_ref(),
            id,
            genesis: pin.genesis,
            origin: &pin.origin,
            seq: head.next_seq,
            prev: head.head,
            iat: now(),
        })?;
        send(&client, &pin, &statement)
    }
}

/// How often a statement is sent that is sealed and waits for witnesses. The ledger itself waits each time.
const TRIES: u32 = 6;

fn send(client: &LedgerClient, pin: &Pin, statement: &Statement) -> Result<u64, Failure> {
    for _ in 0..TRIES {
        return match client.submit(&[statement.to_compact()])?.into_iter().next() {
            Some(Answer::Sealed { receipt }) => Ok(pin.check_receipt(&receipt, &statement.hash())?.0),
            Some(Answer::Refused(problem)) => Err(Failure::new(format!("the ledger refused: {problem}"))),
            // The next command would sign another statement, and this one is sealed.
            Some(Answer::Unanswered(Some(problem))) if problem.code() == "not_witnessed" => continue,
            Some(Answer::Unanswered(_)) | None => {
                Err(Failure::new("the ledger gave no answer; run the same command again"))
            }
        };
    }
    Err(Failure::new(
        "it is sealed, but too few of the ledger's witnesses have signed for it; the ledger's /readyz says why",
    ))
}

pub(super) fn nowhere() -> Failure {
    Failure::new("say where the ledger is: --data DIR or --url URL")
}

/// An error about a file, with the file's name.
pub(super) fn about(file: &Path, error: &dyn std::error::Error) -> Failure {
    if is_token_uri(file) {
        // The reference may hold what it should not, a PIN.
        return Failure::new(crate::problem::chain(error));
    }
    let (file, said) = (file.display().to_string(), crate::problem::chain(error));
    // Some errors name it themselves.
    Failure::new(if said.starts_with(&file) { said } else { format!("{file}: {said}") })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
