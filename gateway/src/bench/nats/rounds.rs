use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gt_ledger::Ledger;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::SealerTimes;

use super::super::latency::{self, Latency};
use super::super::throughput::{Rates, as_f64};
use super::super::workload::{Chain, Partnership, Sizes};
use super::super::{BenchError, Plan, processor};
use super::Report;
use super::Sealing;
use super::cost::Spent;
use super::publishers::{Answered, Publishers};
use super::replay::{Cut, Replay, Stored};
use super::single::Singles;

/// How many statements are unanswered at a time, all publishers together, as near as it divides: fewer than the sealer refuses as too many.
const IN_FLIGHT: usize = 7000;

/// No more messages of a round than so many are published for themselves again: each of them is a sync.
const SINGLES: usize = 5000;
const ONE_BY_ONE: usize = 2000;
/// How many of them are unacknowledged at a time.
const UNACKNOWLEDGED: usize = 1000;

/// The rounds, and what they have brought so far.
pub(super) struct Rounds<'m> {
    partnership: &'m mut Partnership,
    publishers: Publishers,
    replay: Replay,
    ledger: Arc<Ledger>,
    broker: Vec<u32>,
    sizes: Sizes,
    sealed: Vec<f64>,
    raw: Vec<f64>,
    raw_as_sealed: Vec<f64>,
    raw_singly: Vec<f64>,
    saturated: Latencies,
    raw_one_by_one: Latencies,
    spent: Spent,
    raw_spent: Spent,
    behind: Duration,
    sealer: SealerTimes,
}

/// Of several rounds, where nobody asked for a rate.
#[derive(Default)]
struct Latencies {
    each: Vec<Duration>,
    took: Duration,
}

impl Latencies {
    fn add(&mut self, latencies: Vec<Duration>, took: Duration) {
        self.each.extend(latencies);
        self.took += took;
    }

    fn told(&mut self) -> Latency {
        Latency::of(0, std::mem::take(&mut self.each), self.took)
    }
}

impl<'m> Rounds<'m> {
    /// Before the first round. `broker` is the processes whose time counts as the broker's.
    pub(super) fn new(
        partnership: &'m mut Partnership,
        publishers: Publishers,
        replay: Replay,
        ledger: Arc<Ledger>,
        broker: Vec<u32>,
    ) -> Self {
        Self {
            partnership,
            publishers,
            replay,
            ledger,
            broker,
            sizes: Sizes::default(),
            sealed: Vec::new(),
            raw: Vec::new(),
            raw_as_sealed: Vec::new(),
            raw_singly: Vec::new(),
            saturated: Latencies::default(),
            raw_one_by_one: Latencies::default(),
            spent: Spent::default(),
            raw_spent: Spent::default(),
            behind: Duration::ZERO,
            sealer: SealerTimes::default(),
        }
    }

    /// All rounds, and the requests at a fixed rate after them.
    pub(super) fn all(&mut self, plan: &Plan, cores: usize) -> Result<Report, BenchError> {
        let each = (plan.statements / plan.rounds / plan.publishers).max(1);
        tracing::info!("warming up: a standby steps in when a request waits for a second");
        let warm_up = self.partnership.sign((each / 10).max(1))?;
        self.saturate(warm_up)?;
        let before = self.ledger.sealer_times();
        for round in 1..=plan.rounds.get() {
            self.round(each)?;
            let (sealed, raw) = (self.sealed.last(), self.raw.last());
            tracing::info!(round, ?sealed, ?raw, "statements a second");
        }
        self.sealer = self.ledger.sealer_times() - before;
        let mut report = self.report(cores);
        if plan.rate > 0 && plan.seconds > 0 {
            report.latency = Some(self.at_rate(plan)?);
        }
        Ok(report)
    }

    /// Seals, reads back what the stream has of it, and publishes that again, in both cuts and one by one.
    fn round(&mut self, each: u32) -> Result<(), BenchError> {
        let chains = self.partnership.sign(each)?;
        self.sizes = Sizes::of(chains.iter().flatten());
        let count = chains.iter().map(Vec::len).sum::<usize>();
        let replay = self.replay.clone();
        let from = self.publishers.work(async move { replay.end().await })?.0?;
        let before = Spent::now(&self.broker);
        let answered = self.saturate(chains)?;
        self.spent.add(before, Spent::now(&self.broker), answered.processor, answered.took, count);
        self.saturated.add(answered.latencies, answered.took);
        self.sealed.push(as_f64(count) / answered.took.as_secs_f64());
        self.behind = self.behind.max(processor::until_quiet());
        self.replay(from, count)
    }

    /// Publishes again what was sealed after this sequence of the stream.
    fn replay(&mut self, from: u64, count: usize) -> Result<(), BenchError> {
        let replay = self.replay.clone();
        let messages = self.publishers.work(async move { replay.read_after(from).await })?.0?;
        if messages.len() != count {
            return Err(BenchError::Stage("replay"));
        }
        let messages: Arc<[Stored]> = messages.into();
        for cut in [Cut::Full, Cut::AsSealed] {
            let (replay, messages) = (self.replay.clone(), Arc::clone(&messages));
            let before = Spent::now(&self.broker);
            let (published, processor) =
                self.publishers.work(async move { replay.publish(&messages, cut).await })?;
            let (replay, took) = published?;
            self.replay = replay;
            let rate = as_f64(count) / took.as_secs_f64();
            match cut {
                Cut::Full => {
                    self.raw_spent.add(before, Spent::now(&self.broker), processor, took, count);
                    self.raw.push(rate);
                }
                Cut::AsSealed => self.raw_as_sealed.push(rate),
            }
        }
        let many = self.publish_singly(&messages, SINGLES, UNACKNOWLEDGED)?;
        self.raw_singly.push(as_f64(many.latencies.len()) / many.took.as_secs_f64());
        let one_by_one = self.publish_singly(&messages, ONE_BY_ONE, 1)?;
        self.raw_one_by_one.add(one_by_one.latencies, one_by_one.took);
        Ok(())
    }

    fn publish_singly(
        &mut self,
        messages: &Arc<[Stored]>,
        most: usize,
        unacknowledged: usize,
    ) -> Result<Singles, BenchError> {
        let (replay, messages) = (self.replay.clone(), Arc::clone(messages));
        let count = messages.len().min(most);
        let publishing = async move { replay.publish_singly(&messages[..count], unacknowledged).await };
        let (replay, singles) = self.publishers.work(publishing)?.0?;
        self.replay = replay;
        Ok(singles)
    }

    /// Sends the statements as fast as they are answered.
    fn saturate(&mut self, chains: Vec<Chain>) -> Result<Answered, BenchError> {
        let last = last_of(&chains);
        let in_flight = (IN_FLIGHT / chains.len().max(1)).max(1);
        let answered = self.publishers.saturate(chains.into_iter().map(ready).collect(), in_flight);
        let answered = answered.map_err(|error| self.cause(error))?;
        self.verify(&answered, &last)?;
        Ok(answered)
    }

    fn at_rate(&mut self, plan: &Plan) -> Result<(Latency, Sealing), BenchError> {
        tracing::info!(rate = plan.rate, seconds = plan.seconds, "measuring from request to receipt");
        let chains = self.partnership.sign((plan.rate * plan.seconds / plan.publishers).max(1))?;
        processor::until_quiet();
        let last = last_of(&chains);
        let before = self.ledger.sealer_times();
        let answered = self.publishers.at_rate(chains.into_iter().map(ready).collect(), plan.rate);
        let answered = answered.map_err(|error| self.cause(error))?;
        let times = self.ledger.sealer_times() - before;
        self.verify(&answered, &last)?;
        let sealing = Sealing { times, wall: answered.took };
        Ok((Latency::of(plan.rate, answered.latencies, answered.took), sealing))
    }

    /// A sealer that has stopped is why no reply came; its log says why it stopped.
    fn cause(&self, error: BenchError) -> BenchError {
        if self.ledger.is_stopped() { Refusal::Stopped.into() } else { error }
    }

    /// Checks the last receipt of each publisher as its holder would.
    fn verify(&self, answered: &Answered, statements: &[Vec<u8>]) -> Result<(), BenchError> {
        let (origin, keys) = self.partnership.pinned();
        let receipts = answered.last.iter().flatten();
        receipts
            .zip(statements)
            .try_for_each(|(receipt, statement)| latency::verify(receipt, statement, origin, &keys))
    }

    fn report(&mut self, cores: usize) -> Report {
        let ratio =
            |raw: &[f64]| Rates::of(self.sealed.iter().zip(raw).map(|(sealed, raw)| sealed / raw).collect());
        Report {
            cores,
            sizes: self.sizes,
            sealed: Rates::of(self.sealed.clone()),
            raw: Rates::of(self.raw.clone()),
            ratio: ratio(&self.raw),
            raw_as_sealed: Rates::of(self.raw_as_sealed.clone()),
            ratio_as_sealed: ratio(&self.raw_as_sealed),
            saturated: self.saturated.told(),
            raw_singly: Rates::of(self.raw_singly.clone()),
            raw_one_by_one: self.raw_one_by_one.told(),
            cost: self.spent.cost(cores),
            raw_cost: self.raw_spent.cost(cores),
            behind: self.behind,
            sealer: Sealing { times: self.sealer, wall: self.spent.wall() },
            latency: None,
        }
    }
}

fn last_of(chains: &[Chain]) -> Vec<Vec<u8>> {
    chains.iter().filter_map(|chain| chain.last().cloned()).collect()
}

fn ready(chain: Chain) -> Vec<Bytes> {
    chain.into_iter().map(Bytes::from).collect()
}
