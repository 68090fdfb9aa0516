use std::time::Duration;

use gt_ledger::sealer::SealerTimes;

use super::super::stages::a_batch;

/// Where the sealer's threads spent their time in a phase.
#[derive(Debug, Clone, Copy)]
pub struct Sealing {
    /// As the sealer tells. What it waited includes the pauses before and within the phase.
    pub times: SealerTimes,
    /// How long the phase took without pauses.
    pub wall: Duration,
}

/// The stages in which the checking thread and the sealing thread wait for work.
const WAITING: [&str; 2] = ["await statements", "await a batch"];

impl Sealing {
    /// Name and wall time a batch. What a thread waited is what its other stages leave of the phase.
    pub fn a_batch(&self) -> Vec<(&'static str, Duration)> {
        let batches = u32::try_from(self.times.batches.max(1)).unwrap_or(u32::MAX);
        without_pauses(a_batch(&self.times), self.wall / batches)
    }
}

/// Each thread's stages begin with the one in which it waits.
fn without_pauses(
    mut stages: Vec<(&'static str, Duration)>,
    wall: Duration,
) -> Vec<(&'static str, Duration)> {
    let mut left = wall;
    for (name, spent) in stages.iter_mut().rev() {
        if WAITING.contains(name) {
            *spent = std::mem::replace(&mut left, wall);
        } else {
            left = left.saturating_sub(*spent);
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_what_is_left_of_the_phase_for_each_thread() {
        let millis = Duration::from_millis;
        let stages = vec![
            ("await statements", millis(900)),
            ("check", millis(4)),
            ("await a batch", millis(800)),
            ("admit", millis(1)),
            ("write", millis(7)),
        ];
        let spent: Vec<_> = without_pauses(stages, millis(10)).into_iter().map(|(_, spent)| spent).collect();
        assert_eq!(spent, [6, 4, 2, 1, 7].map(millis));
    }
}
