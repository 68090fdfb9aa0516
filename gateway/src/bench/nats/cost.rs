use std::time::Duration;

use super::super::processor;
use super::super::throughput::as_f64;

/// What a statement costs in processor time, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// This process, without the publishers: the node with its views.
    pub node: f64,
    /// The publishers' connections.
    pub publishers: f64,
    /// The broker, all its servers together, if they are known.
    pub broker: Option<f64>,
    /// The share of all cores' time that these used.
    pub busy: f64,
}

/// Processor time at one moment, of this process and of the broker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    process: Option<Duration>,
    broker: Option<Duration>,
}

/// What several rounds took together.
#[derive(Debug, Default)]
pub(super) struct Spent {
    statements: usize,
    wall: Duration,
    process: Option<Duration>,
    publishers: Option<Duration>,
    broker: Option<Duration>,
}

impl Spent {
    /// Reads the clocks.
    pub(super) fn now(broker: &[u32]) -> Moment {
        let broker = match broker {
            [] => None,
            known => known.iter().map(|process| processor::of_process(*process)).sum(),
        };
        Moment { process: processor::of_this_process(), broker }
    }

    /// Adds a round.
    pub(super) fn add(
        &mut self,
        before: Moment,
        after: Moment,
        publishers: Option<Duration>,
        wall: Duration,
        statements: usize,
    ) {
        let add = |sum: &mut Option<Duration>, spent: Option<Duration>| {
            if let Some(spent) = spent {
                *sum.get_or_insert_default() += spent;
            }
        };
        let between =
            |before: Option<Duration>, after: Option<Duration>| Some(after?.saturating_sub(before?));
        add(&mut self.process, between(before.process, after.process));
        add(&mut self.broker, between(before.broker, after.broker));
        add(&mut self.publishers, publishers);
        self.wall += wall;
        self.statements += statements;
    }

    /// How long the rounds took.
    pub(super) const fn wall(&self) -> Duration {
        self.wall
    }

    /// A statement's share; `None` where the system does not tell.
    pub(super) fn cost(&self, cores: usize) -> Option<Cost> {
        let (process, publishers) = (self.process?, self.publishers?);
        let share = |spent: Duration| spent.as_secs_f64() * 1e6 / as_f64(self.statements);
        let all = process + self.broker.unwrap_or_default();
        Some(Cost {
            node: share(process.saturating_sub(publishers)),
            publishers: share(publishers),
            broker: self.broker.map(share),
            busy: all.as_secs_f64() / self.wall.as_secs_f64() / as_f64(cores),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers_are_not_counted_for_the_node() {
        let at = |process, broker| Moment {
            process: Some(Duration::from_millis(process)),
            broker: Some(Duration::from_millis(broker)),
        };
        let mut spent = Spent::default();
        spent.add(
            at(100, 50),
            at(400, 150),
            Some(Duration::from_millis(60)),
            Duration::from_millis(250),
            1000,
        );
        spent.add(
            at(500, 150),
            at(600, 250),
            Some(Duration::from_millis(40)),
            Duration::from_millis(250),
            1000,
        );
        let cost = spent.cost(2).unwrap();
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        assert!(close(cost.node, 150.0) && close(cost.publishers, 50.0), "{cost:?}");
        assert!(close(cost.broker.unwrap(), 100.0) && close(cost.busy, 0.6), "{cost:?}");
    }
}
