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
use tokio::sync::oneshot::error::TryRecvError;

use super::workload::{Chain, Partnership, Sizes};
use super::{BenchError, Plan, processor};

/// How many statements wait for their receipts at a time, all threads together: a few batches, and fewer than the ledger refuses as too
/// many.
const IN_FLIGHT: usize = 7000;
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
    /// The ratio of the two, each round for itself.
    pub ratio: Rates,
    /// Processor time that this process used, where the system tells.
    pub processor: Option<ProcessorTime>,
}

/// Processor time over all rounds. Other processes on the machine take cores away, but no processor time, so this is what a quiet
/// machine would be limited by.
#[derive(Debug, Clone, Copy)]
pub struct ProcessorTime {
    /// Microseconds a statement from bytes to receipt.
    pub sealing: f64,
    /// Microseconds a signature alone.
    pub verifying: f64,
    /// The share of all cores' time that was used while sealing.
    pub busy: f64,
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
    let (mut sealed, mut verified) = (Vec::new(), Vec::new());
    let (mut sealing, mut verifying) = (Spent::default(), Spent::default());
    let mut chains = warm_up;
    for round in 1..=plan.rounds.get() {
        chains = partnership.sign(each)?;
        let count = chains.iter().map(Vec::len).sum::<usize>();
        sealed.push(sealing.during(count, || seal(ledger, &chains, cores))?);
        let parsed = parse(&chains, &keys)?;
        verified.push(verifying.during(count, || verify(&parsed))?);
        let (sealed, verified) = (sealed.last().copied(), verified.last().copied());
        tracing::info!(round, ?sealed, ?verified, "statements a second");
    }
    let sizes = Sizes::of(chains.iter().flatten());
    let named = chains.into_iter().zip(keys);
    let sample = named.flat_map(|(chain, key)| chain.into_iter().map(move |bytes| (bytes, key.clone())));
    let ratios: Vec<f64> = sealed.iter().zip(&verified).map(|(sealed, verified)| sealed / verified).collect();
    let (sealed, verified) = (Rates::of(sealed), Rates::of(verified));
    Ok(Measured {
        throughput: Throughput {
            sealed,
            verified,
            ratio: Rates::of(ratios),
            processor: ProcessorTime::of(&sealing, &verifying, cores),
        },
        sizes,
        sample: sample.take(SAMPLE).collect(),
        times: ledger.sealer_times() - before,
    })
}

/// Seals every chain, each thread its share of the chains.
pub(super) fn seal(ledger: &Ledger, chains: &[Chain], threads: usize) -> Result<(), BenchError> {
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
    let mut waiting: VecDeque<Answer> = VecDeque::with_capacity(in_flight);
    for position in 0..longest {
        for chain in chains {
            let Some(bytes) = chain.get(position) else { continue };
            if waiting.len() >= in_flight
                && let Some(oldest) = waiting.pop_front()
            {
                std::hint::black_box(oldest.receive()?);
            }
            waiting.push_back(submit(ledger, bytes)?);
        }
    }
    waiting
        .into_iter()
        .try_for_each(|answer| answer.receive().map(|sealed| drop(std::hint::black_box(sealed))))
}

/// The ledger's answer to a statement that it has taken.
pub(super) enum Answer {
    /// It came at once: this thread had to wait for a core meanwhile.
    Here(Box<Sealed>),
    /// It has not come yet.
    ToCome(Receiver<Result<Sealed, Refusal>>),
}

impl Answer {
    /// Waits for it.
    pub(super) fn receive(self) -> Result<Sealed, BenchError> {
        match self {
            Self::Here(sealed) => Ok(*sealed),
            Self::ToCome(answer) => Ok(answer.blocking_recv().map_err(|_| Refusal::Stopped)??),
        }
    }
}

/// Hands a statement over, again if the ledger is busy: the next one of its chain must not overtake it.
pub(super) fn submit(ledger: &Ledger, bytes: &[u8]) -> Result<Answer, BenchError> {
    loop {
        let mut answer = ledger.submit(Prepared::new(bytes)?);
        match answer.try_recv() {
            Ok(Err(Refusal::Busy)) => std::thread::sleep(PATIENCE),
            Ok(Err(refusal)) => return Err(refusal.into()),
            Ok(Ok(sealed)) => return Ok(Answer::Here(Box::new(sealed))),
            Err(TryRecvError::Closed) => return Err(Refusal::Stopped.into()),
            Err(TryRecvError::Empty) => return Ok(Answer::ToCome(answer)),
        }
    }
}

pub(super) fn received(answer: Receiver<Result<Sealed, Refusal>>) -> Result<(), BenchError> {
    Answer::ToCome(answer).receive().map(|sealed| drop(std::hint::black_box(sealed)))
}

fn parse<'k>(chains: &[Chain], keys: &'k [PublicKey]) -> Result<Vec<(Statement, &'k PublicKey)>, BenchError> {
    let named = chains.iter().zip(keys).collect::<Vec<_>>();
    let of_chain = |(chain, key): &(&Chain, &'k PublicKey)| {
        let key = *key;
        chain
            .iter()
            .map(move |bytes| Ok((Statement::parse(bytes)?, key)))
            .collect::<Result<Vec<_>, BenchError>>()
    };
    Ok(named.par_iter().map(of_chain).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Checks the signatures, and nothing else, with all cores.
fn verify(parsed: &[(Statement, &PublicKey)]) -> Result<(), BenchError> {
    Ok(parsed.par_iter().try_for_each(|(statement, key)| statement.verify(key))?)
}

/// Wall and processor time of the rounds, and how many statements they had.
#[derive(Default)]
struct Spent {
    statements: usize,
    wall: Duration,
    processor: Option<Duration>,
}

impl Spent {
    /// Adds what this round takes; returns its statements a second.
    fn during(
        &mut self,
        statements: usize,
        round: impl FnOnce() -> Result<(), BenchError>,
    ) -> Result<f64, BenchError> {
        let (before, started) = (processor::of_this_process(), Instant::now());
        round()?;
        let wall = started.elapsed();
        self.statements += statements;
        self.wall += wall;
        if let (Some(before), Some(after)) = (before, processor::of_this_process()) {
            *self.processor.get_or_insert_default() += after.saturating_sub(before);
        }
        Ok(as_f64(statements) / wall.as_secs_f64())
    }

    fn microseconds(&self) -> Option<f64> {
        Some(self.processor?.as_secs_f64() * 1e6 / as_f64(self.statements))
    }
}

impl ProcessorTime {
    fn of(sealing: &Spent, verifying: &Spent, cores: usize) -> Option<Self> {
        Some(Self {
            sealing: sealing.microseconds()?,
            verifying: verifying.microseconds()?,
            busy: sealing.processor?.as_secs_f64() / sealing.wall.as_secs_f64() / as_f64(cores),
        })
    }
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

#[allow(clippy::cast_precision_loss)] // Counts of a measurement are far below 2^52.
pub(super) fn as_f64(count: usize) -> f64 {
    count as f64
}
