//! What `goldenthread bench` measures, on this machine and in one run:
//!
//! - how many statements a second go through the sealer into a real data folder, as a ratio of how many signatures the
//!   same machine checks when it does nothing else ([`throughput`]);
//! - what each stage costs, and where the sealer's own threads spend their time ([`stages`]);
//! - how long it takes from request to receipt over HTTP at a fixed rate ([`latency`]), and what of it the disk takes ([`disk_alone`]);
//! - how long it takes from bytes to receipt, by how many are unanswered at a time ([`pace`]);
//! - what the views answer about a generated history, and how fast, beside the same history as rows ([`answers`]);
//! - how fast the views are rebuilt from a generated history, in how much memory, and how fast they answer ([`views`]);
//! - how fast a whole data folder is verified, as a ratio of how many signatures the same machine checks ([`verify`]);
//! - how long recorded and unrecorded reads wait beside publishing ([`reads`]);
//! - how long an erasure takes among many children, and what it leaves of the sealing rate ([`erase`]);
//! - what a folder that grows does to sealing, starting, memory and disk ([`growth`]);
//! - requests over NATS, with a node of several, and as a ratio of what the broker stores of the same bytes ([`nats`]).
//!
//! Statements are decisions to share, signed beforehand by a fictional partnership ([`workload`]). Rates depend on the
//! machine, its disk and its neighbours; the ratio and the stages say what of that is ours.

pub mod answers;
pub mod disk_alone;
pub mod erase;
pub mod growth;
pub mod latency;
pub mod nats;
pub mod pace;
mod processor;
pub mod reads;
pub mod stages;
pub mod throughput;
pub mod verify;
pub mod views;
mod within;
pub mod workload;

use std::num::NonZeroU32;
use std::process::Output;

use gt_core::note::VerifierKey;
use gt_core::statement::StatementError;
use gt_ledger::create::CreateError;
use gt_ledger::jetstream::setup::SetupError;
use gt_ledger::open::OpenLedgerError;
use gt_ledger::refusal::Refusal;
use gt_ledger::secrets::SecretsError;
use serde::de::DeserializeOwned;

use crate::draft::DraftError;
use crate::http::ServeError;
use crate::nats::ConnectError;
use crate::node::NodeError;
use latency::AtRate;
use nats::BrokerError;
use stages::Stages;
use throughput::Throughput;
pub use within::Within;
use workload::{Partnership, Sizes};

/// What to measure. Everything is bounded: a run ends by itself.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many statements go through the sealer, all rounds together.
    pub statements: u32,
    /// How many publishers sign them.
    pub publishers: NonZeroU32,
    /// How many children the statements are about.
    pub children: NonZeroU32,
    /// How many rounds the statements are divided into.
    pub rounds: NonZeroU32,
    /// Requests a second over HTTP; with 0 they are left out.
    pub rate: u32,
    /// For how many seconds requests are made.
    pub seconds: u32,
    /// Where the temporary data folder is made.
    pub within: Within,
}

#[cfg(test)]
impl Plan {
    /// A small run: three publishers, 40 children, two rounds, and nothing over HTTP.
    fn small(statements: u32, folder: &std::path::Path) -> Self {
        let number = |number| NonZeroU32::new(number).expect("not zero");
        let (publishers, children, rounds) = (number(3), number(40), number(2));
        Self { statements, publishers, children, rounds, rate: 0, seconds: 0, within: folder.into() }
    }
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many cores this process may use.
    pub cores: usize,
    /// How large the statements are.
    pub sizes: Sizes,
    /// Statements a second, and the ratio.
    pub throughput: Throughput,
    /// What each stage costs.
    pub stages: Stages,
    /// From request to receipt, if it was asked for.
    pub at_rate: Option<AtRate>,
}

/// Why nothing, or not all, could be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The temporary folder, or a thread or runtime, cannot be had.
    #[error("the measurement cannot be set up: {0}")]
    Io(#[from] std::io::Error),
    /// The ledger cannot be made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// Its secrets cannot be read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Its list of tokens cannot be made.
    #[error(transparent)]
    Tokens(#[from] crate::access::token::TokenError),
    /// It does not open.
    #[error(transparent)]
    Open(#[from] Box<OpenLedgerError>),
    /// It cannot be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// There is no broker to measure with.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The publishers cannot connect to it.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A node does not start with it.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Its streams cannot be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A draft of the measurement is refused.
    #[error("the measurement's own draft is refused: {0}")]
    Draft(#[from] DraftError),
    /// A statement of the measurement does not read, or does not verify.
    #[error("the measurement's own statement is refused: {0}")]
    Statement(#[from] StatementError),
    /// The ledger does not erase whom the measurement would have erased.
    #[error("the ledger refuses the measurement's own erasure: {0}")]
    Erase(#[from] gt_ledger::erasure::EraseError),
    /// The ledger refuses a statement of the measurement.
    #[error("the ledger refuses the measurement's own statement: {0}")]
    Refused(#[from] Box<Refusal>),
    /// No answer came, or not a receipt.
    #[error("a request was not answered with a receipt: {0}")]
    Request(String),
    /// A receipt does not verify.
    #[error("a receipt does not verify: {0}")]
    Receipt(String),
    /// The views cannot be brought up to the log.
    #[error(transparent)]
    Views(#[from] crate::follow::FollowError),
    /// They cannot be asked.
    #[error(transparent)]
    Query(#[from] gt_projections::QueryError),
    /// The part of the measurement that runs in a process of its own did not end well, or said something else than figures.
    #[error("the measurement's second process failed: {0}")]
    Process(String),
    /// The folder that was made is not found sound.
    #[error("the folder of the measurement is not found sound: {0}")]
    NotSound(String),
    /// A stage's result is not what the sealer's is.
    #[error("the {0} stage does not do what the sealer does")]
    Stage(&'static str),
    /// A figure would be one of nothing.
    #[error("there is nothing to measure: {0}")]
    Nothing(&'static str),
}

/// What a process of the measurement's own said, if it ended as it was told to; else what it complained of.
fn said<T: DeserializeOwned>(output: &Output, as_told: bool) -> Result<T, BenchError> {
    let complaint = || BenchError::Process(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    if as_told { serde_json::from_slice(&output.stdout).map_err(|_| complaint()) } else { Err(complaint()) }
}

impl From<Refusal> for BenchError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Measures. The temporary folder is removed at the end, also after an error, unless it is kept.
pub fn run(plan: &Plan) -> Result<Report, BenchError> {
    let cores = std::thread::available_parallelism()?.get();
    tracing::info!(publishers = plan.publishers, "making a ledger and enrolling its publishers");
    let mut partnership = Partnership::create(plan)?;
    let (throughput, stages, sizes) = {
        let ledger = partnership.open()?;
        let mut measured = throughput::measure(plan, cores, &mut partnership, &ledger)?;
        tracing::info!("measuring the stages one by one");
        let stages = stages::measure(&partnership, &ledger, &measured.sample, measured.times)?;
        (measured.throughput, stages, std::mem::take(&mut measured.sizes))
    };
    let at_rate = (plan.rate > 0 && plan.seconds > 0)
        .then(|| {
            tracing::info!(rate = plan.rate, seconds = plan.seconds, "measuring from request to receipt");
            // A ledger of its own: a server would first bring its views up to everything that was sealed above.
            latency::measure(plan, &mut Partnership::create(plan)?)
        })
        .transpose()?;
    Ok(Report { cores, sizes, throughput, stages, at_rate })
}

/// The keys by which receipts are checked.
pub(crate) type Keys = Vec<VerifierKey>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_measures_everything_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { rate: 30, seconds: 1, ..Plan::small(60, folder.path()) };
        let report = run(&plan).unwrap();
        assert!(report.sizes.statement > 2000 && report.sizes.disclosures > 1000, "{:?}", report.sizes);
        assert!(report.throughput.ratio.least > 0.0, "{:?}", report.throughput);
        assert!(report.stages.alone.iter().all(|(_, micros)| *micros > 0.0), "{:?}", report.stages);
        assert_eq!(report.stages.sealer.statements, 60, "the warm-up is not counted");
        let at_rate = report.at_rate.unwrap();
        assert_eq!(at_rate.receipts.requests, 30);
        // Each of three publishers has one more, with which it connects.
        assert!((1..=33).contains(&at_rate.disk_alone.requests), "a statement a batch or more: {at_rate:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
