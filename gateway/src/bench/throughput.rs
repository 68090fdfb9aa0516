//! Statements a second: through the sealer, and signatures alone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use gt_core::key::PublicKey;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::prepare::Prepared;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::{Sealed, SealerTimes};
use rayon::prelude::*;
use tokio::sync::oneshot::Receiver;

use super::workload::{Chain, Partnership, Sizes};
use super::{BenchError, Plan};

/// How many statements wait for their receipts at a time, all threads together: a few batches, and fewer than the ledger refuses as too
/// many.
const IN_FLIGHT: usize = 3500;
/// How long a thread waits after the ledger said that it is busy.
const PATIENCE: Duration = Duration::from_millis(1);
/// How many statements the stages are measured with.
const SAMPLE: usize = 2000;

/// Rates of the rounds, in statements a second.
#[derive(Debug, Clone)]
pub struct Throughput {
    /// From bytes to receipts, through the sealer.
    pub sealed: Rates,
    /// Signatures alone, with all cores.
    pub verified: Rates,
    /// The ratio of the medians; the least and the most of any round.
    pub ratio: Rates,
    /// The share of all cores' time that this process used while it sealed, where the system tells.
    pub busy: Option<f64>,
}

/// Median, least and most.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// The median.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

/// The throughput, and what the measurement of the stages goes on with.
pub struct Measured {
    /// The rates.
    pub throughput: Throughput,
    /// Mean sizes.
    pub sizes: Sizes,
    /// Statements of the last round, each with its signer's key.
    pub sample: Vec<(Vec<u8>, PublicKey)>,
    /// Where the sealer's threads spent their time in all rounds.
    pub times: SealerTimes,
}

/// Runs the rounds: each seals its share of the statements and then checks the signatures of the same ones alone, so that both meet the
/// same neighbours on the machine.
pub fn measure(
    plan: &Plan,
    cores: usize,
    partnership: &mut Partnership,
    ledger: &Ledger,
) -> Result<Measured, BenchError> {
    let keys = partnership.keys();
    let each = (plan.statements / plan.rounds / plan.publishers).max(1);
    let warm_up = partnership.sign((each / 10).max(1))?;
    seal(ledger, &warm_up, cores)?;
    let before = ledger.sealer_times();
    let (mut sealed, mut verified, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    let mut chains = warm_up;
    for round in 1..=plan.rounds.get() {
        chains = partnership.sign(each)?;
        let count = chains.iter().map(Vec::len).sum::<usize>();
        let (cpu, started) = (processor_time(), Instant::now());
        seal(ledger, &chains, cores)?;
        let took = started.elapsed();
        sealed.push(per_second(count, took));
        if let (Some(before), Some(after)) = (cpu, processor_time()) {
            busy.push((after.saturating_sub(before)).as_secs_f64() / took.as_secs_f64() / as_f64(cores));
        }
        verified.push(per_second(count, verify(&chains, &keys)?));
        let (sealed, verified) = (sealed.last().copied(), verified.last().copied());
        tracing::info!(round, ?sealed, ?verified, "statements a second");
    }
    let sizes = Sizes::of(chains.iter().flatten());
    let named = chains.into_iter().zip(keys);
    let sample = named.flat_map(|(chain, key)| chain.into_iter().map(move |bytes| (bytes, key.clone())));
    let ratios: Vec<f64> = sealed.iter().zip(&verified).map(|(sealed, verified)| sealed / verified).collect();
    let (sealed, verified) = (Rates::of(sealed), Rates::of(verified));
    let ratio = Rates { median: sealed.median / verified.median, ..Rates::of(ratios) };
    let busy = (!busy.is_empty()).then(|| Rates::of(busy).median);
    Ok(Measured {
        throughput: Throughput { sealed, verified, ratio, busy },
        sizes,
        sample: sample.take(SAMPLE).collect(),
        times: ledger.sealer_times() - before,
    })
}

/// Seals every chain, each thread its share of the chains.
fn seal(ledger: &Ledger, chains: &[Chain], threads: usize) -> Result<(), BenchError> {
    std::thread::scope(|scope| {
        let share = |thread: usize| chains.iter().skip(thread).step_by(threads).collect::<Vec<_>>();
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || seal_share(ledger, &share(thread), IN_FLIGHT / threads)))
            .collect();
        running.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| std::io::Error::other("a sealing thread panicked"))?
        })
    })
}

/// Seals these chains, a statement of each in turn, with up to `in_flight` of them unanswered.
fn seal_share(ledger: &Ledger, chains: &[&Chain], in_flight: usize) -> Result<(), BenchError> {
    let longest = chains.iter().map(|chain| chain.len()).max().unwrap_or(0);
    let mut waiting = VecDeque::with_capacity(in_flight);
    for position in 0..longest {
        for chain in chains {
            let Some(bytes) = chain.get(position) else { continue };
            if waiting.len() >= in_flight
                && let Some(oldest) = waiting.pop_front()
            {
                received(oldest)?;
            }
            waiting.push_back(submit(ledger, bytes)?);
        }
    }
    waiting.into_iter().try_for_each(received)
}

type Answer = Receiver<Result<Sealed, Refusal>>;

/// Hands a statement over, again if the ledger is busy: the next one of its chain must not overtake it.
fn submit(ledger: &Ledger, bytes: &[u8]) -> Result<Answer, BenchError> {
    loop {
        let mut answer = ledger.submit(Prepared::new(bytes)?);
        match answer.try_recv() {
            Ok(Err(Refusal::Busy)) => std::thread::sleep(PATIENCE),
            Ok(Err(refusal)) => return Err(refusal.into()),
            _ => return Ok(answer),
        }
    }
}

fn received(answer: Answer) -> Result<(), BenchError> {
    match answer.blocking_recv() {
        Ok(Ok(sealed)) => {
            drop(std::hint::black_box(sealed));
            Ok(())
        }
        Ok(Err(refusal)) => Err(refusal.into()),
        Err(_) => Err(Refusal::Stopped.into()),
    }
}

/// How long all cores together take to check the signatures of these statements, which are parsed already.
fn verify(chains: &[Chain], keys: &[PublicKey]) -> Result<Duration, BenchError> {
    let named = chains.iter().zip(keys).collect::<Vec<_>>();
    let parsed = named
        .par_iter()
        .flat_map(|(chain, key)| chain.par_iter().map(move |bytes| Ok((Statement::parse(bytes)?, *key))))
        .collect::<Result<Vec<_>, BenchError>>()?;
    let started = Instant::now();
    parsed.par_iter().try_for_each(|(statement, key)| statement.verify(key))?;
    Ok(started.elapsed())
}

impl Rates {
    /// Of one value or more.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |position: usize| values.get(position).copied().unwrap_or(f64::NAN);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle - 1), at(middle)) };
        Self { median, least: at(0), most: at(values.len() - 1) }
    }
}

fn per_second(count: usize, took: Duration) -> f64 {
    as_f64(count) / took.as_secs_f64()
}

#[allow(clippy::cast_precision_loss)] // Counts of a measurement are far below 2^52.
pub(super) fn as_f64(count: usize) -> f64 {
    count as f64
}

/// The processor time that this process has used, in user and kernel mode, where `/proc` tells. Its unit there is 10 ms.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The process's name comes second, in brackets, and may hold spaces.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}
