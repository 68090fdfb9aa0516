//! The demonstration: a fictional partnership of fifteen agencies publishes to a ledger of its own, as agencies would, and what comes
//! of it is checked.
//!
//! Nothing in it is simulated but the people: keys, chains, HTTP, sealing, views, alerts and checks are those of the program. Start
//! reading at [`run`]; the stories are in `gateway/demo/cases/`.

mod background;
mod cases;
mod check;
mod folders;
mod notation;
mod outcomes;
mod partnership;
mod plan;
mod publisher;
mod stage;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gt_core::statement::SignError;
use gt_ledger::audit::{self, Verdict};
use gt_ledger::create::CreateError;
use gt_ledger::secrets::{SecretsError, file};
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Runtime;

pub use cases::{Case, ForetoldAdvice, ForetoldAlert, ForetoldFinding};
pub use check::Receipts;
pub use folders::{FolderError, Folders};
pub use outcomes::{AdviceOutcome, AlertOutcome, CaseOutcome, FindingsOutcome, Outcomes};
pub use partnership::{AGENCIES, Agency, ORIGIN};
pub use plan::{CasePlace, Plan, PlannedDraft};
pub use stage::{Listen, Stage};

use crate::access::token::TokenError;
use crate::client::{ClientError, LedgerClient, Problem};
use crate::draft::DraftError;
use crate::http::ServeError;
use crate::keyfile::KeyFileError;
use crate::outbox::{Pin, PinError, ReceiptFault};
use crate::reading::{ReadingClient, ReadingError};
use publisher::Acknowledged;

/// How many background statements there are, unless told otherwise.
pub const BACKGROUND: usize = 3000;

/// How far the demonstration has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The ledger is served and the agencies are enrolled; so many statements are to be published.
    Publishing {
        /// How many.
        statements: u64,
    },
    /// So many more are sealed, and their receipts are there.
    Sealed {
        /// How many.
        statements: u64,
    },
    /// Everything is being checked.
    Checking,
}

/// Is told of progress, from several threads.
pub type Watcher<'a> = &'a (dyn Fn(Progress) + Sync);

/// What came of it all.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether everything verifies, and exactly that came of the cases which they foretell.
    pub sound: bool,
    /// The ledger's address.
    pub url: String,
    /// Its data folder.
    pub data: PathBuf,
    /// Its keys.
    pub secrets: PathBuf,
    /// The file with the token for reading.
    pub token_file: PathBuf,
    /// Whether these folders are removed at the end.
    pub temporary: bool,
    /// Each agency, and how many statements it published.
    pub agencies: Vec<AgencyShare>,
    /// How many statements were published.
    pub statements: u64,
    /// How many seconds that took, signing included, until the last receipt.
    pub seconds: f64,
    /// Their receipts.
    pub receipts: Receipts,
    /// The data folder, with the checkpoint's size and root.
    pub audit: audit::Report,
    /// What came of the cases.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Alerts about publishers' chains. There must be none.
    pub integrity: Vec<Value>,
}

/// An agency's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgencyShare {
    /// Its code.
    pub agency: &'static str,
    /// Its name.
    pub name: &'static str,
    /// How many statements it published.
    pub statements: u64,
}

/// Why the demonstration cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The ledger cannot be made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// Its token cannot be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It cannot be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Its pin does not read.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// Its keys do not read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// An agency's key cannot be written or read.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A registration cannot be signed.
    #[error(transparent)]
    Registration(#[from] SignError),
    /// A registration's receipt proves nothing.
    #[error(transparent)]
    Receipt(#[from] ReceiptFault),
    /// An agency gets no answer from the ledger.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A draft is none.
    #[error("a draft of {agency} is refused")]
    Draft {
        /// The agency's name.
        agency: &'static str,
        /// Why.
        #[source]
        source: DraftError,
    },
    /// The ledger refused a statement.
    #[error("the ledger refused a statement of {agency}: {problem}")]
    Refused {
        /// The agency's name.
        agency: &'static str,
        /// Why.
        problem: Problem,
    },
    /// The ledger did not come to a statement.
    #[error("the ledger was busy for too long")]
    Busy,
    /// The views do not catch up.
    #[error("the views did not catch up with the log")]
    ViewsBehind,
    /// A view gives no answer.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// A view's answer is not what it must be.
    #[error("the ledger's answer is no {0}")]
    Answer(&'static str),
}

/// Makes a ledger in these folders, serves it until `stop` completes, enrols the agencies, lets them publish the cases and so many
/// background statements, and checks what came of it. Returned with the report is the ledger, which is still served.
pub fn run(
    runtime: &Runtime,
    folders: &Folders,
    listen: Listen,
    background: usize,
    stop: impl Future<Output = ()> + Send + 'static,
    watch: Watcher<'_>,
) -> Result<(Stage, Report), DemoError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let stage = Stage::set(runtime, folders, listen, stop)?;
    let pin = Pin::read(&folders.secrets().join(file::PIN))?;
    let client = LedgerClient::new(&stage.url())?;
    let publishers = publisher::enrol(&client, &pin, folders, now.as_secs().cast_signed())?;
    let plan = Plan::new(i64::try_from(now.as_millis()).unwrap_or(i64::MAX), background);
    watch(Progress::Publishing { statements: plan.statements() });
    let began = Instant::now();
    let sealed = publisher::publish_all(publishers, &plan, watch)?;
    let took = began.elapsed();
    watch(Progress::Checking);
    let report = checked(&stage, folders, &pin, &plan, &sealed, took)?;
    Ok((stage, report))
}

fn checked(
    stage: &Stage,
    folders: &Folders,
    pin: &Pin,
    plan: &Plan,
    sealed: &[Vec<Acknowledged>],
    took: Duration,
) -> Result<Report, DemoError> {
    let reader = ReadingClient::new(&stage.url(), Some(&folders.token()))?;
    stage.wait_for_views(&reader)?;
    let (receipts, entries) = check::receipts(pin, sealed.iter().flatten());
    let outcomes = outcomes::outcomes(&reader, plan, &entries)?;
    let Value::Array(integrity) = reader.get("/v1/integrity", &[])?["items"].take() else {
        return Err(DemoError::Answer("list of integrity alerts"));
    };
    let audit = check::folder(folders, pin)?;
    let shares = AGENCIES.iter().zip(sealed).map(|(agency, sealed)| AgencyShare {
        agency: agency.code,
        name: agency.name,
        statements: sealed.len() as u64,
    });
    Ok(Report {
        sound: receipts.are_sound()
            && outcomes.are_exact()
            && integrity.is_empty()
            && audit.verdict() == Verdict::Sound
            && audit.size == Some(stage.size()),
        url: stage.url(),
        data: folders.data().to_owned(),
        secrets: folders.secrets().to_owned(),
        token_file: folders.token(),
        temporary: folders.is_temporary(),
        agencies: shares.collect(),
        statements: receipts.checked,
        seconds: took.as_secs_f64(),
        receipts,
        audit,
        outcomes,
        integrity,
    })
}

#[cfg(test)]
mod tests;
