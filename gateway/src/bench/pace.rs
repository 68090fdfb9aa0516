//! How long a statement takes to its receipt, by how many are unanswered at a time; and the statements themselves, for another database.
//!
//! The sealer makes a batch of whatever waits, so how many are unanswered decides how large batches are. Each round goes through
//! all the numbers in turn, so that all of them meet the same neighbours on the machine. Answers are taken by threads of their own: a
//! thread that is busy with the next statement does not notice a receipt late.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use gt_ledger::Ledger;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::{Sealed, SealerTimes};

use super::latency::{Latency, verify};
use super::throughput::{Answer, Rates, as_f64, seal, submit};
use super::workload::{Chain, Partnership, Sizes};
use super::{BenchError, Plan};

/// A round has at most so many statements for each that is unanswered at a time: one by one they wait for the disk.
const AT_MOST: u32 = 2_000;
/// Of so many receipts one is checked as its holder would.
const CHECKED: usize = 16;

/// What was measured.
#[derive(Debug, Clone)]
pub struct PaceReport {
    /// How many cores this process may use.
    pub cores: usize,
    /// How many publishers signed.
    pub publishers: u32,
    /// How large the statements are.
    pub sizes: Sizes,
    /// Milliseconds to check one receipt on one thread: the median.
    pub checking: f64,
    /// The figures for each number of unanswered statements.
    pub paces: Vec<Pace>,
}

/// With one number of unanswered statements.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How many statements are unanswered at a time.
    pub in_flight: u32,
    /// Statements a second from bytes to receipt, of the rounds.
    pub sealed: Rates,
    /// Statements a batch, on average.
    pub batch: f64,
    /// From the bytes to the receipt in its holder's hands; checking comes on top.
    pub latency: Latency,
}

/// What the rounds with one number have brought so far.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    latencies: Vec<Duration>,
    took: Duration,
    batches: (u64, u64),
}

/// A receipt that is to be checked: the statement's chain and place, and the receipt.
type Kept = (usize, usize, Box<Sealed>);
/// What came of one thread's share.
type Share = (Vec<Duration>, Vec<Kept>);
/// A statement on its way: where it stands, when it was handed over, and the answer to come.
type Sent = (usize, usize, Instant, Answer);

/// Measures with each of these numbers, and writes every statement of the rounds to `export`, one a line, in the order in which they
/// are handed over. The temporary folder is removed at the end, also after an error, unless it is kept.
pub fn run(plan: &Plan, in_flight: &[NonZeroU32], export: Option<&Path>) -> Result<PaceReport, BenchError> {
    let cores = std::thread::available_parallelism()?.get();
    let mut partnership = Partnership::create(plan)?;
    let ledger = partnership.open()?;
    let each = (plan.statements / plan.rounds / plan.publishers).max(1);
    seal(&ledger, &partnership.sign((each / 10).max(1))?, cores)?;
    let mut export = export.map(File::create).transpose()?.map(BufWriter::new);
    let mut all: Vec<Rounds> = in_flight.iter().map(|_| Rounds::default()).collect();
    let (mut sizes, mut checking) = (Sizes::default(), Vec::new());
    for round in 1..=plan.rounds.get() {
        for (number, rounds) in in_flight.iter().zip(&mut all) {
            let most = number.get().saturating_mul(AT_MOST) / plan.publishers;
            let chains = partnership.sign(each.min(most).max(1))?;
            sizes = Sizes::of(chains.iter().flatten());
            if let Some(file) = &mut export {
                write(&chains, file)?;
            }
            let kept = rounds.add(&ledger, &chains, number.get() as usize, cores)?;
            checking.extend(check(&partnership, &chains, &kept)?);
            tracing::info!(round, in_flight = number, a_second = ?rounds.rates.last(), "sealed");
        }
    }
    if let Some(mut file) = export {
        file.flush()?;
    }
    ledger.close();
    let paces = in_flight.iter().zip(all).map(|(number, rounds)| rounds.pace(number.get())).collect();
    let checking = Rates::of(checking).median;
    Ok(PaceReport { cores, publishers: plan.publishers.get(), sizes, checking, paces })
}

/// One statement a line: a compact SD-JWT has no line breaks.
fn write(chains: &[Chain], file: &mut impl Write) -> std::io::Result<()> {
    let longest = chains.iter().map(Vec::len).max().unwrap_or(0);
    for position in 0..longest {
        for statement in chains.iter().filter_map(|chain| chain.get(position)) {
            file.write_all(statement)?;
            file.write_all(b"\n")?;
        }
    }
    Ok(())
}

/// Checks the receipts that were kept; returns how many milliseconds each took.
fn check(partnership: &Partnership, chains: &[Chain], kept: &[Kept]) -> Result<Vec<f64>, BenchError> {
    let (origin, keys) = partnership.pinned();
    let checked = kept.iter().map(|(chain, position, sealed)| {
        let receipt = sealed.receipt.to_string();
        let started = Instant::now();
        verify(receipt.as_bytes(), &chains[*chain][*position], origin, &keys)?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    });
    checked.collect()
}

impl Rounds {
    /// Seals the chains with so many unanswered; returns the receipts to be checked.
    fn add(
        &mut self,
        ledger: &Ledger,
        chains: &[Chain],
        in_flight: usize,
        cores: usize,
    ) -> Result<Vec<Kept>, BenchError> {
        let threads = cores.min(in_flight).min(chains.len()).max(1);
        let (before, started) = (ledger.sealer_times(), Instant::now());
        let shares: Result<Vec<Share>, BenchError> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|thread| {
                    // The first ones take what does not divide.
                    let unanswered = in_flight / threads + usize::from(thread < in_flight % threads);
                    scope.spawn(move || seal_share(ledger, chains, (thread, threads), unanswered))
                })
                .collect();
            let joined = running.into_iter().map(|thread| {
                thread.join().map_err(|_| std::io::Error::other("a sealing thread panicked"))?
            });
            joined.collect()
        });
        let took = started.elapsed();
        let (latencies, kept): (Vec<_>, Vec<_>) = shares?.into_iter().unzip();
        let times: SealerTimes = ledger.sealer_times() - before;
        self.batches = (self.batches.0 + times.batches, self.batches.1 + times.statements);
        self.rates.push(as_f64(chains.iter().map(Vec::len).sum()) / took.as_secs_f64());
        self.latencies.extend(latencies.into_iter().flatten());
        self.took += took;
        Ok(kept.into_iter().flatten().collect())
    }

    fn pace(self, in_flight: u32) -> Pace {
        let (batches, statements) = self.batches;
        #[allow(clippy::cast_precision_loss)] // Counts of a measurement are far below 2^52.
        let batch = statements as f64 / batches.max(1) as f64;
        // Nobody asked for a rate: the next statement goes out when one is answered.
        let latency = Latency::of(0, self.latencies, self.took);
        Pace { in_flight, sealed: Rates::of(self.rates), batch, latency }
    }
}

/// Seals every chain of this thread's share, a statement of each in turn, and takes the answers on a thread of its own.
fn seal_share(
    ledger: &Ledger,
    chains: &[Chain],
    (thread, threads): (usize, usize),
    in_flight: usize,
) -> Result<Share, BenchError> {
    let (sent, arriving) = channel();
    let (credit, credits) = channel();
    for _ in 0..in_flight {
        let _ = credit.send(());
    }
    std::thread::scope(|scope| {
        let receiving = scope.spawn(move || receive(&arriving, &credit));
        let sending = send(ledger, chains, (thread, threads), &sent, &credits);
        drop(sent);
        let received = receiving.join().map_err(|_| std::io::Error::other("a receiving thread panicked"))?;
        // Whoever receives knows what was refused; who sends then only knows that nobody listens.
        let received = received?;
        sending.map(|()| received)
    })
}

fn send(
    ledger: &Ledger,
    chains: &[Chain],
    (thread, threads): (usize, usize),
    sent: &Sender<Sent>,
    credits: &Receiver<()>,
) -> Result<(), BenchError> {
    let longest = chains.iter().map(Vec::len).max().unwrap_or(0);
    for position in 0..longest {
        for (number, chain) in chains.iter().enumerate().skip(thread).step_by(threads) {
            let Some(bytes) = chain.get(position) else { continue };
            let stopped = |_| BenchError::from(Refusal::Stopped);
            credits.recv().map_err(stopped)?;
            let started = Instant::now();
            let answer = submit(ledger, bytes)?;
            sent.send((number, position, started, answer)).map_err(|_| Refusal::Stopped)?;
        }
    }
    Ok(())
}

fn receive(arriving: &Receiver<Sent>, credit: &Sender<()>) -> Result<Share, BenchError> {
    let (mut latencies, mut kept) = (Vec::new(), Vec::new());
    for (chain, position, started, answer) in arriving {
        let sealed = answer.receive()?;
        latencies.push(started.elapsed());
        // The sender may be through.
        let _ = credit.send(());
        if latencies.len() % CHECKED == 1 {
            kept.push((chain, position, Box::new(sealed)));
        }
    }
    Ok((latencies, kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_timed_and_exported_as_it_was_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let number = |number| NonZeroU32::new(number).unwrap();
        let plan = Plan::small(120, folder.path());
        let export = folder.path().join("statements");
        let report = run(&plan, &[number(1), number(50)], Some(&export)).unwrap();
        assert_eq!(report.paces.iter().map(|pace| pace.latency.requests).collect::<Vec<_>>(), [120, 120]);
        let [alone, many] = &report.paces[..] else { panic!("two numbers") };
        assert!((alone.batch - 1.0).abs() < 1e-9 && many.batch >= 1.0, "{report:?}");
        assert!(many.latency.p50 <= many.latency.p999 && report.checking > 0.0, "{report:?}");
        let exported = std::fs::read(&export).unwrap();
        let lines: Vec<_> = exported.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 240);
        assert!(lines.iter().all(|line| gt_core::statement::Statement::parse(line).is_ok()));
        std::fs::remove_file(&export).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
