//! From request to receipt, over HTTP on the loopback address, at a fixed rate.
//!
//! Requests have fixed times from the start, whether or not earlier ones are answered, and latency counts from those times: a server that
//! falls behind cannot hide it by being asked less. Each publisher has one connection and sends one statement after the other, since the
//! next one of a chain is refused before the one it follows is there.

use std::net::SocketAddr;
use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant};

use gt_core::note::VerifierKey;
use gt_core::receipt::Receipt;
use gt_core::statement::Statement;
use gt_core::tree::leaf_hash;
use tokio::sync::oneshot;
use ureq::Agent;

use super::disk_alone::Waits;
use super::workload::{Chain, Partnership};
use super::{BenchError, Plan};
use crate::http::{self, ServeError};

/// How long one request may take before the measurement fails.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long before the first request's time everybody is ready.
const LEAD: Duration = Duration::from_millis(200);

/// Latencies, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// Requests a second that were asked for.
    pub rate: u32,
    /// How many were answered with a receipt.
    pub requests: usize,
    /// How many a second were answered.
    pub answered_per_second: f64,
    /// Half were faster.
    pub p50: f64,
    /// 90 of 100 were faster.
    pub p90: f64,
    /// 99 of 100 were faster.
    pub p99: f64,
    /// 999 of 1,000 were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

/// What was measured at a fixed rate.
#[derive(Debug, Clone, Copy)]
pub struct AtRate {
    /// From request to receipt.
    pub receipts: Latency,
    /// The disk's part, right after, with nobody but it.
    pub disk_alone: Latency,
}

/// Serves the partnership's ledger in this process, publishes to it, and stops it; then has the disk do its part again alone.
pub fn measure(plan: &Plan, partnership: &mut Partnership) -> Result<AtRate, BenchError> {
    let each = (plan.rate * plan.seconds / plan.publishers).max(1);
    // One more, with which each publisher opens its connection.
    let chains = partnership.sign(each + 1)?;
    let (origin, keys) = partnership.pinned();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let server =
        runtime.block_on(http::bind(&partnership.data(), &partnership.secrets_folder(), any_port, None))?;
    let url = format!("http://{}/v1/statements", server.address());
    let ledger = server.ledger();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(server.run(async move {
        let _ = stopped.await;
    }));
    let before = ledger.sealer_times();
    let measured = publish(plan, &chains, &url);
    let batches = (ledger.sealer_times() - before).batches;
    drop(ledger);
    let _ = stop.send(());
    let ended = runtime.block_on(serving).map_err(|error| ServeError::Serve(std::io::Error::other(error)))?;
    let (latencies, took) = measured.and_then(|(answers, took)| {
        ended?;
        let verified = answers.iter().zip(&chains).try_for_each(|(answers, chain)| {
            let (Some(receipt), Some(statement)) = (&answers.last, chain.last()) else { return Ok(()) };
            verify(receipt, statement, origin, &keys)
        });
        verified
            .map(|()| (answers.into_iter().flat_map(|answers| answers.latencies).collect::<Vec<_>>(), took))
    })?;
    let waits = Waits::of(&partnership.data(), batches, took)?;
    let beside = partnership.root().join("disk-alone");
    std::fs::create_dir(&beside)?;
    Ok(AtRate { receipts: Latency::of(plan.rate, latencies, took), disk_alone: waits.again(&beside)? })
}

/// What one publisher got.
pub(super) struct Answers {
    latencies: Vec<Duration>,
    last: Option<Vec<u8>>,
}

/// All publishers at once; also returns how long it took from the first request's time to the last answer.
pub(super) fn publish(
    plan: &Plan,
    chains: &[Chain],
    url: &str,
) -> Result<(Vec<Answers>, Duration), BenchError> {
    let between = Duration::from_secs(1) * plan.publishers.get() / plan.rate;
    let (begun, all_ready) = (OnceLock::new(), Barrier::new(chains.len()));
    let (begun, all_ready) = (&begun, &all_ready);
    let answers: Result<Vec<Answers>, BenchError> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(chains)
            .map(|(number, chain)| {
                scope.spawn(move || {
                    let agent = agent();
                    // With the first one each opens its connection, and its thread gets the memory that it works with.
                    let opened = post(&agent, url, &chain[0]);
                    all_ready.wait();
                    let start = *begun.get_or_init(|| Instant::now() + LEAD);
                    opened?;
                    let first = start + between * number / plan.publishers.get();
                    publish_one(&agent, url, &chain[1..], first, between)
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| {
            thread.join().map_err(|_| std::io::Error::other("a publishing thread panicked"))?
        });
        joined.collect()
    });
    let took = begun.get().map_or(Duration::ZERO, Instant::elapsed);
    Ok((answers?, took))
}

fn publish_one(
    agent: &Agent,
    url: &str,
    statements: &[Vec<u8>],
    first: Instant,
    between: Duration,
) -> Result<Answers, BenchError> {
    let mut answers = Answers { latencies: Vec::with_capacity(statements.len()), last: None };
    for (number, statement) in (0..).zip(statements) {
        let due = first + between * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        answers.last = Some(post(agent, url, statement)?);
        answers.latencies.push(due.elapsed());
    }
    Ok(answers)
}

/// A limit for the whole would have a thread made for each request, which looks up a name that is none.
pub(super) fn agent() -> Agent {
    let limit = Some(TIMEOUT);
    let config = Agent::config_builder()
        .timeout_connect(limit)
        .timeout_send_request(limit)
        .timeout_send_body(limit)
        .timeout_recv_response(limit)
        .timeout_recv_body(limit)
        .http_status_as_error(false)
        .proxy(None);
    config.build().into()
}

pub(super) fn post(agent: &Agent, url: &str, statement: &[u8]) -> Result<Vec<u8>, BenchError> {
    let failed = |error: ureq::Error| BenchError::Request(error.to_string());
    let request = agent.post(url).header("content-type", "application/sd-jwt");
    let mut response = request.send(statement).map_err(failed)?;
    let receipt = response.body_mut().read_to_vec().map_err(failed)?;
    let status = response.status();
    if status == 201 { Ok(receipt) } else { Err(BenchError::Request(status.to_string())) }
}

/// Checks a receipt as its holder would, so that what was measured is known to be receipts.
pub(super) fn verify(
    receipt: &[u8],
    statement: &[u8],
    origin: &str,
    keys: &[VerifierKey],
) -> Result<(), BenchError> {
    let refused = |reason: String| BenchError::Receipt(reason);
    let receipt = Receipt::parse(receipt).map_err(|error| refused(error.to_string()))?;
    let entry = receipt.extra.as_deref().unwrap_or_default();
    receipt.verify(&leaf_hash(entry), origin, keys).map_err(|error| refused(error.to_string()))?;
    let entry = gt_core::entry::Entry::parse(entry).map_err(|error| refused(error.to_string()))?;
    let same = entry.statement == Statement::parse(statement)?.hash();
    if same { Ok(()) } else { Err(refused("it is for another statement".to_owned())) }
}

/// The nearest rank of so many in a thousand, in milliseconds.
pub(super) fn ranks(mut latencies: Vec<Duration>) -> impl Fn(usize) -> f64 {
    latencies.sort_unstable();
    move |per_thousand| {
        let position = (latencies.len() * per_thousand).div_ceil(1000).saturating_sub(1);
        latencies.get(position).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }
}

impl Latency {
    pub(super) fn of(rate: u32, latencies: Vec<Duration>, took: Duration) -> Self {
        let requests = latencies.len();
        let at = ranks(latencies);
        Self {
            rate,
            requests,
            answered_per_second: super::throughput::as_f64(requests) / took.as_secs_f64(),
            p50: at(500),
            p90: at(900),
            p99: at(990),
            p999: at(999),
            max: at(1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let latencies: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let latency = Latency::of(500, latencies, Duration::from_secs(1));
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        assert!(close(latency.p50, 100.0) && close(latency.p90, 180.0), "{latency:?}");
        assert!(close(latency.p99, 198.0) && close(latency.p999, 200.0), "{latency:?}");
        assert!(close(latency.max, 200.0) && close(latency.answered_per_second, 200.0), "{latency:?}");
    }
}
