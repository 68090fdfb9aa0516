//! Seconds an erasure takes in a ledger of many children, and what it costs those who publish meanwhile.
//!
//! The ledger is filled with a statement about each child. Then as many statements are sealed twice: once alone, and once while children are
//! erased one after another. The rate of the second time is also told as a ratio of the first, since both met the same machine.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use gt_core::erasure::{GROUNDS, Scope};
use gt_core::statement::Pseudonym;
use gt_ledger::Ledger;
use gt_ledger::erasure::{EraseRequest, Whom};

use super::throughput::{Rates, as_f64, seal};
use super::workload::{Partnership, child, publisher_agency};
use super::{BenchError, Plan};

/// What was measured.
#[derive(Debug, Clone)]
pub struct EraseReport {
    /// How many children the ledger knows.
    pub children: u32,
    /// How many entries it had before the first erasure.
    pub entries: u64,
    /// Seconds an erasure, one for each.
    pub seconds: Rates,
    /// How many there were.
    pub erasures: usize,
    /// Statements sealed a second with nothing beside.
    pub alone_per_second: f64,
    /// Statements sealed a second while children were erased.
    pub beside_per_second: f64,
}

impl EraseReport {
    /// The share of the rate that is left while children are erased.
    pub fn ratio(&self) -> f64 {
        self.beside_per_second / self.alone_per_second
    }
}

/// Measures in a ledger of `plan.children`. The temporary folder is removed at the end, also after an error, unless it is kept.
///
/// Of the plan's statements each half is sealed once, as far as there are children who can be left out of them: those are erased.
pub fn run(plan: &Plan) -> Result<EraseReport, BenchError> {
    let cores = std::thread::available_parallelism()?.get();
    let publishers = plan.publishers.get();
    // Each publisher begins with children of its own, so that together they name each child once.
    let each = (plan.children.get() / publishers).max(2);
    let children = NonZeroU32::new(each * publishers).expect("two or more each");
    let mut partnership = Partnership::create(&Plan { children, ..plan.clone() })?;
    partnership.set_share(each);
    let ledger = partnership.open()?;
    tracing::info!(children, "filling the ledger");
    seal(&ledger, &partnership.sign(each)?, cores)?;
    // The first half of each publisher's children comes again, and the second is there to be erased.
    let again = (plan.statements / 2 / publishers).clamp(1, (each / 4).max(1));
    let entries = ledger.log().size().0;
    let (alone, beside) = (partnership.sign(again)?, partnership.sign(again)?);
    let count = as_f64(alone.iter().map(Vec::len).sum());
    let started = Instant::now();
    seal(&ledger, &alone, cores)?;
    let alone_per_second = count / started.elapsed().as_secs_f64();
    tracing::info!(alone_per_second, "erasing");
    let numbers = (0..each / 2).flat_map(|back| (0..publishers).map(move |one| (one + 1) * each - 1 - back));
    let (sealed_in, seconds) = std::thread::scope(|threads| {
        let sealing = threads.spawn(|| {
            let started = Instant::now();
            seal(&ledger, &beside, cores).map(|()| started.elapsed())
        });
        let mut seconds = Vec::new();
        for number in numbers {
            seconds.push(erase(&ledger, number)?.as_secs_f64());
            if sealing.is_finished() {
                break;
            }
        }
        let sealed = sealing.join().map_err(|_| std::io::Error::other("a sealing thread panicked"))?;
        Ok::<_, BenchError>((sealed?, seconds))
    })?;
    ledger.close();
    Ok(EraseReport {
        children: children.get(),
        entries,
        erasures: seconds.len(),
        seconds: Rates::of(seconds),
        alone_per_second,
        beside_per_second: count / sealed_in.as_secs_f64(),
    })
}

fn erase(ledger: &Ledger, number: u32) -> Result<Duration, BenchError> {
    let pseudonym = Pseudonym::parse(&child(number.into())).expect("the measurement's own pseudonym");
    let request = EraseRequest {
        whom: Whom::Pseudonym(pseudonym),
        scope: Scope::Data,
        authority: publisher_agency(0),
        ground: GROUNDS[0],
        known: None,
    };
    let started = Instant::now();
    ledger.erase(&request)?;
    Ok(started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_erases_while_it_seals_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let number = |number| NonZeroU32::new(number).expect("not zero");
        let plan = Plan {
            statements: 40,
            publishers: number(3),
            children: number(30),
            rounds: number(1),
            rate: 0,
            seconds: 0,
            within: folder.path().into(),
        };
        let report = run(&plan).expect("measured");
        assert_eq!(report.children, 30);
        assert!(report.entries > 30, "{report:?}");
        assert!(report.erasures >= 1 && report.seconds.least > 0.0, "{report:?}");
        assert!(report.ratio() > 0.0, "{report:?}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
