//! A node on NATS, in this process, with many publishers' connections, and a real broker on this machine:
//!
//! - how many statements a second go from request to receipt when publishers send as fast as they are answered ([`Publishers`]);
//! - how many a second the broker alone stores of the very messages that the sealer made of them, published again ([`Replay`]), and the
//!   ratio of the two, round by round; and how many in messages of their own, many unacknowledged at a time or one;
//! - how long it takes from request to receipt at a fixed rate.
//!
//! Broker, node and publishers share this machine's cores. So what a statement costs each of them is said too.

mod broker;
mod cost;
mod publishers;
mod replay;
mod rounds;
mod sealing;
mod single;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gt_ledger::Ledger;
use gt_ledger::jetstream::setup::{Setup, SetupError, Wanted};
use gt_ledger::jetstream::{ALERT_STREAM, CHECKPOINT_STREAM, LEDGER_STREAM, servers};
use gt_ledger::secrets::Secrets;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

pub use broker::{BrokerError, Servers};
pub use cost::Cost;
pub use sealing::Sealing;

use super::latency::Latency;
use super::throughput::Rates;
use super::workload::{Partnership, Sizes};
use super::{BenchError, Plan};
use crate::http::{self, ServeError};
use crate::node::{NodeError, ask_servers};
use broker::Broker;
use publishers::Publishers;
use replay::Replay;
use rounds::Rounds;

/// The room that the broker keeps for each statement, and for the copies that are published again, which are up to two and, of some, four:
/// a statement takes a third of it.
const BYTES_A_STATEMENT: u64 = 16 << 10;

/// What was measured.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many cores this process may use.
    pub cores: usize,
    /// How large the statements are.
    pub sizes: Sizes,
    /// Statements a second from request to receipt.
    pub sealed: Rates,
    /// Messages a second that the broker stores, in batches as full as they can be.
    pub raw: Rates,
    /// The ratio of the two, each round for itself.
    pub ratio: Rates,
    /// Messages a second that the broker stores in batches as the sealer had them.
    pub raw_as_sealed: Rates,
    /// The ratio with that.
    pub ratio_as_sealed: Rates,
    /// From request to receipt in the rounds, when publishers send as fast as they are answered.
    pub saturated: Latency,
    /// The same messages, as many again as a round has of them but no more than some thousands, each published for itself: how many a second
    /// the broker stores with many unacknowledged.
    pub raw_singly: Rates,
    /// And with one unacknowledged at a time: how long each takes.
    pub raw_one_by_one: Latency,
    /// Processor time from request to receipt.
    pub cost: Option<Cost>,
    /// Processor time of publishing the same again in full batches; its node does nothing.
    pub raw_cost: Option<Cost>,
    /// How long the node was still busy after a round's last receipt, at most: with its views.
    pub behind: Duration,
    /// Where the sealer's threads spent their time in the rounds.
    pub sealer: Sealing,
    /// From request to receipt at a fixed rate, if it was asked for; and where the sealer's threads spent their time meanwhile.
    pub latency: Option<(Latency, Sealing)>,
}

/// A node that is served, in this process.
struct Node {
    runtime: Runtime,
    ledger: Arc<Ledger>,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), ServeError>>,
}

/// Measures. The temporary folders are removed at the end, also after an error, unless they are kept; the streams that were made on a given
/// broker in any case.
pub fn run(plan: &Plan, servers: &Servers) -> Result<Report, BenchError> {
    tracing::info!(publishers = plan.publishers, "making a ledger and enrolling its publishers");
    let mut partnership = Partnership::create(plan)?;
    let broker = Broker::find(servers, &plan.within)?;
    let publishers = Publishers::connect(&broker.node.nats, partnership.subjects())?;
    let streams = make_streams(plan, &publishers, &broker, &partnership)?;
    let measured = measure(plan, &mut partnership, publishers, &broker);
    // A broker of the measurement's own goes, or is kept, as a whole.
    let removed = if broker.is_own() { Ok(()) } else { remove_streams(&broker, &streams) };
    let report = measured?;
    removed.map(|()| report)
}

fn measure(
    plan: &Plan,
    partnership: &mut Partnership,
    publishers: Publishers,
    broker: &Broker,
) -> Result<Report, BenchError> {
    let cores = std::thread::available_parallelism()?.get();
    let node = Node::start(partnership, broker)?;
    let options = broker.node.nats.clone();
    let replay = publishers.work(async move { Replay::create(options.connect().await?).await })?.0?;
    let (ledger, processes) = (Arc::clone(&node.ledger), broker.processes.clone());
    let mut rounds = Rounds::new(partnership, publishers, replay, ledger, processes);
    let report = rounds.all(plan, cores);
    drop(rounds);
    let stopped = node.stop();
    let report = report?;
    stopped.map(|()| report)
}

/// Makes the streams and fills them from the partnership's folder; returns their names.
fn make_streams(
    plan: &Plan,
    publishers: &Publishers,
    broker: &Broker,
    partnership: &Partnership,
) -> Result<Vec<String>, BenchError> {
    let (node, data) = (broker.node.clone(), partnership.data());
    let secrets = Secrets::load(&partnership.secrets_folder())?;
    let max_bytes = BYTES_A_STATEMENT * (2 * u64::from(plan.statements) + 20_000);
    let making = async move {
        let client = node.nats.connect().await?;
        let reports = ask_servers(&client, &node.system_subject, &node.monitors, 0).await?;
        servers::check(&reports, &[]).map_err(SetupError::from)?;
        let setup = Setup { client, prefix: node.prefix };
        let wanted = Wanted { replicas: if reports.len() >= 3 { 3 } else { 1 }, max_bytes };
        let epoch = secrets.kek().epoch();
        let differences = setup.differences(&epoch, Some(wanted)).await.map_err(SetupError::from)?;
        for stream in [LEDGER_STREAM, CHECKPOINT_STREAM, ALERT_STREAM] {
            if !differences.iter().any(|one| one.member.is_none() && one.stream == stream) {
                return Err(BrokerError::InUse { stream: stream.to_owned() }.into());
            }
        }
        let made = setup.create(&epoch, wanted).await?;
        setup.fill(&data, &secrets).await?;
        Ok::<_, BenchError>(made)
    };
    publishers.work(making)?.0
}

fn remove_streams(broker: &Broker, streams: &[String]) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = broker.node.nats.connect().await?;
        for stream in streams.iter().map(String::as_str).chain([replay::STREAM]) {
            replay::remove(&client, stream).await?;
        }
        Ok(())
    })
}

impl Node {
    fn start(partnership: &Partnership, broker: &Broker) -> Result<Self, BenchError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let (data, secrets) = (partnership.data(), partnership.secrets_folder());
        let node = Some(broker.node.clone());
        let server = runtime.block_on(http::bind(&data, &secrets, any_port, node))?;
        let ledger = server.ledger();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(server.run(async move {
            let _ = stopped.await;
        }));
        Ok(Self { runtime, ledger, stop, serving })
    }

    fn stop(self) -> Result<(), BenchError> {
        let _ = self.stop.send(());
        let ended = self.runtime.block_on(self.serving);
        Ok(ended.map_err(|error| NodeError::Thread(error.to_string()))??)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    /// Where `deploy/nats/install` puts it in this checkout; else as the program finds it.
    fn installed() -> Option<PathBuf> {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
        let places = ["nats/nats-server", "venv/bin/nats-server"].map(|place| target.join(place));
        let named = std::env::var_os("GT_NATS_SERVER").is_some();
        places.into_iter().find(|program| !named && program.is_file())
    }

    #[test]
    fn a_small_run_measures_everything_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { rate: 30, seconds: 1, ..Plan::small(120, folder.path()) };
        let report = run(&plan, &Servers::Own(installed())).unwrap();
        assert!(report.sizes.statement > 2000 && report.sizes.disclosures > 1000, "{:?}", report.sizes);
        assert!(report.ratio.least > 0.0 && report.ratio_as_sealed.least > 0.0, "{report:?}");
        assert_eq!(report.sealer.times.statements, 120, "the warm-up is not counted");
        assert!(
            report.saturated.requests == 120 && report.saturated.p50 <= report.saturated.max,
            "{report:?}"
        );
        assert!(report.raw_singly.least > 0.0 && report.raw_one_by_one.requests == 120, "{report:?}");
        assert!(report.latency.is_some_and(|(latency, _)| latency.requests == 30));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
