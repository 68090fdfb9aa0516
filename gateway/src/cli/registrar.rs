//! The registrar's next statement: signed with the registrar's key, or with the recovery key, and sealed in a folder of this
//! machine or by a running ledger.

mod asked;
mod replace;
mod said;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::json::Value;
use gt_core::key::Signer;
use gt_core::statement::{Draft, DraftMember, EventType, PublisherId, SignError, Statement, sign};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::open::need_ledger;
use gt_ledger::private_keys::is_token_uri;
use gt_ledger::secrets::{Secrets, file, folder_of};
use gt_ledger::witness::Witnessing;

use super::Failure;
use super::keys_at::KekArgs;
use super::opening::does_not_open;
use super::witness::{need_no_witness, witnessing};
use crate::client::{Answer, ClientError, LedgerClient};
use crate::keyfile;
use crate::outbox::Pin;
use crate::problem::chain;
use crate::reading::ReadingClient;
pub(super) use asked::Enrolled;
use asked::{Asked, registrar_of};
pub(crate) use replace::RegistrarCommand;

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
    /// Who knows what is registered.
    pub(super) asked: Asked<'a>,
}

/// As what a key signs in the registrar's chain.
#[derive(Clone, Copy)]
enum Role {
    Registrar,
    /// It signs what replaces the registrar's key, and nothing else.
    Recovery,
}

/// A key that signs, and where it came from.
struct Signing {
    key: Box<dyn Signer>,
    file: PathBuf,
    role: Role,
}

impl Turn<'_> {
    /// Signs a statement with these members.
    pub(super) fn statement(
        &self,
        event_type: &str,
        members: Vec<(&str, Value)>,
    ) -> Result<Statement, SignError> {
        let clear = |(name, value): (&str, Value)| (name.to_owned(), DraftMember::Clear(value));
        let draft = Draft {
            iss: AgencyCode::registrar(),
            aud: self.origin.to_owned(),
            iat: self.iat,
            publisher: self.id,
            on_behalf_of: None,
            seq: self.seq,
            prev: self.prev,
            event_type: EventType::parse(event_type).expect("a type of the ledger's own"),
            version: 1,
            members: members.into_iter().map(clear).collect(),
            kept: Vec::new(),
        };
        // Nothing in it is disclosed by itself, so no salt is asked for.
        sign(&draft, self.key, || [0; 16]).map(|signed| signed.statement)
    }
}

impl Registrar {
    /// Has the registrar's next statement signed, and seals it. Returns its entry's index.
    pub(super) fn seal(
        &self,
        sign: impl FnOnce(&Turn<'_>) -> Result<Statement, Failure>,
    ) -> Result<u64, Failure> {
        self.seal_as(Role::Registrar, self.key_file.as_deref(), sign)
    }

    /// The same, signed as whom.
    fn seal_as(
        &self,
        role: Role,
        key_file: Option<&Path>,
        sign: impl FnOnce(&Turn<'_>) -> Result<Statement, Failure>,
    ) -> Result<u64, Failure> {
        match (&self.data, &self.url) {
            (Some(data), _) => {
                let of_folder = || self.secrets_folder(data).join(file::REGISTRAR);
                let key_file = key_file.map_or_else(of_folder, Path::to_owned);
                need_ledger(data)?;
                self.seal_here(data, &self.signing(role, key_file)?, sign)
            }
            (None, Some(url)) => {
                let Some(key_file) = key_file else {
                    return Err(Failure::new("--url needs --registrar FILE, the registrar's private key"));
                };
                seal_there(url, &self.signing(role, key_file.to_owned())?, sign)
            }
            (None, None) => Err(nowhere()),
        }
    }

    fn signing(&self, role: Role, file: PathBuf) -> Result<Signing, Failure> {
        let key = keyfile::open_signer(&file, &self.kek.keys()?).map_err(|error| about(&file, &error))?;
        Ok(Signing { key, file, role })
    }

    /// Opens the data folder.
    pub(super) fn open(&self, data: &Path, witnesses: Option<&Witnessing>) -> Result<Ledger, Failure> {
        need_ledger(data)?;
        let at = self.kek.at(data, self.secrets.clone())?;
        let secrets = Secrets::load_at(&at)?;
        let ledger = Ledger::open_watched(data, &secrets, Box::new(SystemClock::default()), None, witnesses);
        ledger.map_err(|error| does_not_open(data, &at.folder, &error))
    }

    /// Who is to be asked before something is sealed in the folder. A ledger that had witnesses is not written to behind their backs.
    fn witnesses(&self, data: &Path) -> Result<Option<Witnessing>, Failure> {
        let Some(file) = &self.witnesses else {
            if !self.without_witnesses {
                need_no_witness(
                    data,
                    "name them with --witnesses FILE, as for serve, or start the ledger and use --url; --without-witnesses seals without asking them",
                )?;
            }
            return Ok(None);
        };
        witnessing(file).map(Some)
    }

    fn secrets_folder(&self, data: &Path) -> PathBuf {
        self.secrets.clone().unwrap_or_else(|| folder_of(data))
    }

    fn seal_here(
        &self,
        data: &Path,
        signing: &Signing,
        sign: impl FnOnce(&Turn<'_>) -> Result<Statement, Failure>,
    ) -> Result<u64, Failure> {
        let witnesses = self.witnesses(data)?;
        let ledger = self.open(data, witnesses.as_ref())?;
        let registry = ledger.registry();
        let id = registry.registrar_id();
        let head = ledger.head(&id);
        let statement = sign(&Turn {
            key: signing.key.as_ref(),
            id,
            genesis: registry.genesis(),
            origin: &registry.ledger_keys().origin,
            seq: head.next_seq,
            prev: head.head,
            iat: now(),
            asked: Asked::Here(&registry),
        })?;
        said::check(&statement)?;
        match ledger.seal_blocking(statement.to_compact().as_bytes()) {
            Ok(sealed) => Ok(sealed.index.0),
            Err(refusal) => Err(Failure::new(
                said::of_refusal(refusal.code(), signing).unwrap_or_else(|| chain(&refusal)),
            )),
        }
    }
}

fn seal_there(
    url: &str,
    signing: &Signing,
    sign: impl FnOnce(&Turn<'_>) -> Result<Statement, Failure>,
) -> Result<u64, Failure> {
    let client = LedgerClient::new(url)?;
    let pin = client.describe()?.pin;
    let reader = ReadingClient::without_token(url);
    // It is the thumbprint of the registrar's first key, and stays so when that is replaced.
    let id = registrar_of(&reader)?;
    let head = client.head(&id)?;
    let statement = sign(&Turn {
        key: signing.key.as_ref(),
        id,
        genesis: pin.genesis,
        origin: &pin.origin,
        seq: head.next_seq,
        prev: head.head,
        iat: now(),
        asked: Asked::There { reader: &reader, pin: &pin },
    })?;
    said::check(&statement)?;
    send(&client, &pin, &statement, signing, PAUSE)
}

/// How often a statement is sent that has no definite answer. The ledger itself may wait each time, for witnesses or for its store.
const TRIES: u32 = 6;

/// How long between two of these.
const PAUSE: Duration = Duration::from_secs(2);

/// Sends the same bytes until there is a definite answer: this statement may be sealed, and the next command would sign another one in its
/// place, which is a fork.
fn send(
    client: &LedgerClient,
    pin: &Pin,
    statement: &Statement,
    signing: &Signing,
    pause: Duration,
) -> Result<u64, Failure> {
    let compact = [statement.to_compact()];
    let (mut is_sealed, mut last) = (false, String::new());
    for attempt in 0..TRIES {
        if attempt > 0 {
            thread::sleep(pause);
        }
        last = match client.submit(&compact).map(|answers| answers.into_iter().next()) {
            Ok(Some(Answer::Sealed { receipt })) => {
                return Ok(pin.check_receipt(&receipt, &statement.hash())?.0);
            }
            Ok(Some(Answer::Refused(problem))) => {
                let known = said::of_refusal(problem.code(), signing);
                let said = known
                    .map_or_else(|| problem.to_string(), |known| format!("{known} ({})", problem.code()));
                return Err(Failure::new(format!("the ledger refused: {said}")));
            }
            Ok(Some(Answer::Unanswered(Some(problem)))) => {
                is_sealed |= problem.code() == "not_witnessed";
                problem.to_string()
            }
            Ok(Some(Answer::Unanswered(None)) | None) => "it was cut off".to_owned(),
            Err(error) if attempt > 0 || is_no_answer(&error) => chain(&error),
            Err(error) => return Err(error.into()),
        };
    }
    if is_sealed {
        return Err(Failure::new(
            "it is sealed, but too few of the ledger's witnesses have signed for it; the ledger's /readyz says why",
        ));
    }
    Err(said::of_silence(statement, &client.address(), &last))
}

/// Whether the statement may have been taken all the same, or be taken the next time.
fn is_no_answer(error: &ClientError) -> bool {
    match error {
        ClientError::Problem { status, .. } | ClientError::Status { status, .. } => {
            matches!(status, 408 | 425 | 429 | 500..=599)
        }
        ClientError::Url | ClientError::Runtime(_) => false,
        _ => true,
    }
}

pub(super) fn nowhere() -> Failure {
    Failure::new("say where the ledger is: --data DIR or --url URL")
}

/// An error about a file, with the file's name.
pub(super) fn about(file: &Path, error: &dyn std::error::Error) -> Failure {
    if is_token_uri(file) {
        // The reference may hold what it should not, a PIN.
        return Failure::new(chain(error));
    }
    let (file, said) = (file.display().to_string(), chain(error));
    // Some errors name it themselves.
    Failure::new(if said.starts_with(&file) { said } else { format!("{file}: {said}") })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
