use std::ops::Sub;
use std::time::{Duration, Instant};

/// Where the sealer's threads spent their time since the ledger was opened: wall time, so waiting for the disk counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SealerTimes {
    /// How many batches were sealed.
    pub batches: u64,
    /// How many statements were checked, whatever became of them.
    pub statements: u64,
    spent: [Duration; Stage::ALL.len()],
}

/// What the sealer's threads do, in the order in which they do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The checking thread waits for statements.
    AwaitStatements,
    /// It checks signatures.
    Check,
    /// It waits for the sealing thread to take the batch.
    HandOver,
    /// The sealing thread waits for a batch.
    AwaitBatch,
    /// It decides on each statement.
    Admit,
    /// It finds the owners' keys, and agrees with other sealers on new ones.
    Keys,
    /// It makes links, encrypts and frames vault records.
    Encipher,
    /// It makes entries, hashes them and gives each vault record its place.
    Chain,
    /// It waits until the batch before is written.
    AwaitWriter,
    /// The writing thread, where there is one, writes keys, entries and vault records, and waits for the disk.
    Write,
    /// It signs the checkpoint, replaces it, and waits for the disk.
    Publish,
    /// It waits until the batch before is answered.
    AwaitAnswerer,
    /// It moves full files to their places.
    Settle,
    /// The answering thread, where there is one, makes receipts and answers.
    Answer,
}

impl Stage {
    const ALL: [(Self, &'static str); 14] = [
        (Self::AwaitStatements, "await statements"),
        (Self::Check, "check signatures"),
        (Self::HandOver, "hand over"),
        (Self::AwaitBatch, "await a batch"),
        (Self::Admit, "admit"),
        (Self::Keys, "find keys"),
        (Self::Encipher, "link and encrypt"),
        (Self::Chain, "chain entries"),
        (Self::AwaitWriter, "await the writer"),
        (Self::Write, "write and sync"),
        (Self::Publish, "publish checkpoint"),
        (Self::AwaitAnswerer, "await the answerer"),
        (Self::Settle, "settle files"),
        (Self::Answer, "answer"),
    ];
}

impl SealerTimes {
    /// What the threads did, in order, each with its name and the time that it took. The first three are the checking thread's.
    pub fn stages(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        Stage::ALL.iter().zip(self.spent).map(|((_, name), spent)| (*name, spent))
    }

    pub(crate) fn add(&mut self, laps: &Laps) {
        for (sum, spent) in self.spent.iter_mut().zip(laps.spent) {
            *sum += spent;
        }
    }
}

impl Sub for SealerTimes {
    type Output = Self;

    /// What was added since `earlier`.
    fn sub(mut self, earlier: Self) -> Self {
        self.batches -= earlier.batches;
        self.statements -= earlier.statements;
        for (later, earlier) in self.spent.iter_mut().zip(earlier.spent) {
            *later = later.saturating_sub(earlier);
        }
        self
    }
}

/// A stopwatch of one thread.
pub(crate) struct Laps {
    last: Instant,
    spent: [Duration; Stage::ALL.len()],
}

impl Laps {
    pub(crate) fn start() -> Self {
        Self { last: Instant::now(), spent: Default::default() }
    }

    /// What was done since the last lap was this.
    pub(crate) fn end(&mut self, stage: Stage) {
        let now = Instant::now();
        self.spent[stage as usize] += now - self.last;
        self.last = now;
    }

    /// The laps so far; the next ones count from zero.
    pub(crate) fn take(&mut self) -> Self {
        Self { last: self.last, spent: std::mem::take(&mut self.spent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_stands_at_its_own_place() {
        for (place, (stage, _)) in Stage::ALL.iter().enumerate() {
            assert_eq!(*stage as usize, place);
        }
    }

    #[test]
    fn laps_add_up_by_stage() {
        let second = Duration::from_secs(1);
        let mut laps = Laps::start();
        laps.last = laps.last.checked_sub(second).expect("the clock started long ago");
        laps.end(Stage::Write);
        let taken = laps.take();
        let mut times = SealerTimes::default();
        times.add(&taken);
        let once = times;
        times.add(&taken);
        let (write, others): (Vec<_>, Vec<_>) =
            (times - once).stages().partition(|(name, _)| *name == "write and sync");
        assert!(write.len() == 1 && write[0].1 >= second);
        assert!(others.iter().all(|(_, spent)| spent.is_zero()));
        assert!(laps.take().spent.iter().all(Duration::is_zero));
    }
}
