//! How long readers wait over HTTP while others publish, and how much of that is the record: a read about people is sealed before its answer
//! goes out.
//!
//! Three kinds of reads take turns at one rate, so all meet the same machine: an entry with its texts, which is recorded; the same entry
//! without a token, which says nothing of people; and an answer that takes a token and is not recorded. Reads have fixed times from the start,
//! and latency counts from those, as in [`super::latency`].

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use gt_schemas::{AccessPurpose, AccessRole};
use tokio::sync::oneshot;
use ureq::Agent;

use super::latency::{agent, post, publish, ranks};
use super::throughput::as_f64;
use super::workload::Partnership;
use super::{BenchError, Plan};
use crate::access::now_seconds;
use crate::access::reader::Reader;
use crate::access::token::TokenAuthority;
use crate::http::{self, Front, Rates, ServeError};

/// How many read at a time.
const READERS: u32 = 16;
/// How long before the first read's time everybody is ready.
const LEAD: Duration = Duration::from_millis(200);

/// What is read.
pub const KINDS: [&str; 3] =
    ["an entry with its texts: recorded", "the same entry without a token", "with a token, not recorded"];

/// Latencies of one kind, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct ReadLatency {
    /// What was read.
    pub kind: &'static str,
    /// How many reads.
    pub reads: usize,
    /// Half were faster.
    pub p50: f64,
    /// 99 of 100 were faster.
    pub p99: f64,
    /// 999 of 1,000 were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct ReadsReport {
    /// Reads a second that were asked for, all kinds together.
    pub rate: u32,
    /// Reads a second that were answered.
    pub answered_per_second: f64,
    /// Statements a second that were published beside it.
    pub publishing: u32,
    /// Each kind.
    pub kinds: Vec<ReadLatency>,
}

/// Makes so many reads of each kind, `rate` of all kinds a second, while `plan.rate` statements a second are published; with 0 none are.
pub fn run(plan: &Plan, reads: u32, rate: u32) -> Result<ReadsReport, BenchError> {
    let all = reads * 3;
    let seconds = all.div_ceil(rate.max(1)).max(1);
    let plan = Plan { seconds, ..plan.clone() };
    let mut partnership = Partnership::create(&plan)?;
    let first = partnership.sign(1)?;
    let chains = partnership.sign(1 + plan.rate * seconds / plan.publishers)?;
    let token = token(&partnership.secrets_folder())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let front = Front { rates: Rates { reads: u32::MAX, statements: u32::MAX }, ..Front::from(any_port) };
    let server =
        runtime.block_on(http::bind(&partnership.data(), &partnership.secrets_folder(), front, None))?;
    let (url, entry) = (format!("http://{}", server.address()), server.ledger().log().size().0);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(server.run(async move {
        let _ = stopped.await;
    }));
    let statements = format!("{url}/v1/statements");
    let measured = std::thread::scope(|threads| {
        for chain in &first {
            post(&agent(), &statements, &chain[0])?;
        }
        until_seen(&url, entry)?;
        let publishing =
            (plan.rate > 0).then(|| threads.spawn(|| publish(&plan, &chains, &statements).map(drop)));
        let read = read_all(&url, entry, &token, all, rate);
        if let Some(publishing) = publishing {
            publishing.join().map_err(|_| std::io::Error::other("a publishing thread panicked"))??;
        }
        read
    });
    let _ = stop.send(());
    let ended = runtime.block_on(serving).map_err(|error| ServeError::Serve(std::io::Error::other(error)))?;
    let (answers, took) = measured?;
    ended?;
    let kinds = (0..).zip(KINDS).map(|(number, kind)| {
        let of_kind = answers.iter().filter(|(one, _)| *one == number).map(|(_, latency)| *latency);
        ReadLatency::of(kind, of_kind.collect())
    });
    let answered_per_second = as_f64(answers.len()) / took.as_secs_f64();
    Ok(ReadsReport { rate, answered_per_second, publishing: plan.rate, kinds: kinds.collect() })
}

/// A token of the hub's, for case work.
fn token(secrets: &Path) -> Result<String, BenchError> {
    let now = now_seconds();
    let reader = Reader {
        subject: "A. Whitfield".to_owned(),
        role: AccessRole::Mash,
        agency: None,
        children: std::iter::empty().collect(),
        purposes: vec![AccessPurpose::CaseWork],
        issued_at: now,
        expires_at: now + 24 * 3600,
        token: String::new(),
    };
    Ok(TokenAuthority::create(secrets)?.issue(reader)?.1.to_string())
}

/// Waits until the views have the entry: whether a reader may have its texts is theirs to say.
fn until_seen(url: &str, entry: u64) -> Result<(), BenchError> {
    let (agent, since) = (agent(), Instant::now());
    while since.elapsed() < Duration::from_mins(1) {
        let text = get(&agent, &format!("{url}/readyz"), None)?;
        let ready: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        if ready["projected"].as_u64() > Some(entry) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(BenchError::Request("the views do not come up to the log".to_owned()))
}

fn get(agent: &Agent, url: &str, token: Option<&str>) -> Result<Vec<u8>, BenchError> {
    let failed = |error: ureq::Error| BenchError::Request(error.to_string());
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().map_err(failed)?;
    let body = response.body_mut().read_to_vec().map_err(failed)?;
    let status = response.status();
    if status == 200 { Ok(body) } else { Err(BenchError::Request(format!("a read: {status}"))) }
}

/// Each read's kind and latency; and how long it took from the first read's time to the last answer.
type Answers = (Vec<(u32, Duration)>, Duration);

fn read_all(url: &str, entry: u64, token: &str, all: u32, rate: u32) -> Result<Answers, BenchError> {
    let targets = [
        (format!("{url}/v1/entries/{entry}"), Some(token)),
        (format!("{url}/v1/entries/{entry}"), None),
        (format!("{url}/v1/integrity"), Some(token)),
    ];
    let (start, between) = (Instant::now() + LEAD, Duration::from_secs(1) / rate.max(1));
    let answers: Result<Vec<Vec<(u32, Duration)>>, BenchError> = std::thread::scope(|threads| {
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let targets = &targets;
                threads.spawn(move || {
                    let agent = agent();
                    let mut answers = Vec::new();
                    // The number of readers is no multiple of the number of kinds, so each reader reads all of them.
                    for number in (reader..all).step_by(READERS as usize) {
                        let due = start + between * number;
                        let (target, token) = &targets[(number % 3) as usize];
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        get(&agent, target, *token)?;
                        answers.push((number % 3, due.elapsed()));
                    }
                    Ok(answers)
                })
            })
            .collect();
        let joined = readers
            .into_iter()
            .map(|reader| reader.join().map_err(|_| std::io::Error::other("a reading thread panicked"))?);
        joined.collect()
    });
    Ok((answers?.into_iter().flatten().collect(), start.elapsed()))
}

impl ReadLatency {
    fn of(kind: &'static str, latencies: Vec<Duration>) -> Self {
        let reads = latencies.len();
        let at = ranks(latencies);
        Self { kind, reads, p50: at(500), p99: at(990), p999: at(999), max: at(1000) }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn a_small_run_reads_all_kinds_beside_publishing_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let number = |number| NonZeroU32::new(number).expect("not zero");
        let plan = Plan {
            statements: 0,
            publishers: number(2),
            children: number(10),
            rounds: number(1),
            rate: 20,
            seconds: 0,
            within: folder.path().into(),
        };
        let report = run(&plan, 10, 30).expect("measured");
        assert_eq!(report.kinds.iter().map(|kind| kind.reads).collect::<Vec<_>>(), [10; 3]);
        assert!(report.kinds.iter().all(|kind| kind.p50 > 0.0 && kind.p999 <= kind.max), "{report:?}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn the_thousandth_is_told() {
        let latencies = (1..=2000).map(Duration::from_millis).collect();
        let of = ReadLatency::of("", latencies);
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        assert!(close(of.p50, 1000.0) && close(of.p99, 1980.0) && close(of.p999, 1998.0), "{of:?}");
    }
}
