//! The part in a process of its own: grows the folder, or starts from it.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::{Duration, Instant};

use gt_core::{LeafIndex, prove};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::secrets::Secrets;
use serde_json::{Value, json};

use super::{Errand, Grown, Started};
use crate::bench::throughput::{as_f64, seal};
use crate::bench::workload::Partnership;
use crate::bench::{BenchError, processor};

/// How many statements are signed before they are sealed: they are held in memory meanwhile.
const AT_A_TIME: u32 = 4_000;
/// One statement in so many is a decision; the others are a third as long, so that ten million fit on 40 GB of disk. Every child still has
/// decisions, and so all whom they name.
const DECISION_EVERY: u32 = 10;
/// At the end of the growing, so many are sealed to see how fast that goes at this size.
const MEASURED: u64 = 20_000;
/// How many are sealed before the process is killed, which the start after it reads again.
const BEFORE_THE_KILL: u64 = 12_000;
/// How often an entry is proven, and a sealed statement sent again.
const LOOKS: u64 = 500;

/// Runs the errand. `say` is given the figures; after it the process may be killed.
pub fn measure(
    root: &Path,
    errand: Errand,
    (publishers, children): (NonZeroU32, NonZeroU32),
    say: impl FnOnce(&Value),
) -> Result<(), BenchError> {
    let (before, started) = (processor::of_this_process(), Instant::now());
    let secrets = Secrets::load(&root.join("data.secrets"))?;
    let ledger = Ledger::open(&root.join("data"), &secrets, Box::new(SystemClock::default()), None);
    let ledger = ledger.map_err(Box::new)?;
    let seconds = started.elapsed().as_secs_f64();
    let mut partnership = Partnership::resume(root, &ledger, publishers, children)?;
    partnership.set_decision_every(DECISION_EVERY);
    if let Errand::GrowTo(size) = errand {
        let figures = grow(&ledger, &mut partnership, size)?;
        say(&json!(figures));
        return Ok(());
    }
    let (resident_mib, most_resident_mib) = (processor::resident(), processor::most_resident());
    let processor_seconds = spent_since(before).map(|spent| spent.as_secs_f64());
    let size = ledger.log().size();
    let figures = Started {
        seconds,
        processor_seconds,
        read_again: size.0 - ledger.state_start().from.0,
        resident_mib,
        most_resident_mib,
        proof_microseconds: mean_micros(size.0, |index| {
            let proof = prove::inclusion(ledger.log(), index, size);
            proof.map(drop).map_err(|error| BenchError::Request(error.to_string()))
        })?,
        receipt_microseconds: send_again(&ledger)?,
    };
    say(&json!(figures));
    if errand == Errand::StartAndBeKilled {
        seal_on(&ledger, &mut partnership, size.0 + BEFORE_THE_KILL)?;
        // Nothing is dropped, flushed or closed: what the system has been given is all that is left.
        std::process::abort();
    }
    ledger.close();
    Ok(())
}

fn grow(ledger: &Ledger, partnership: &mut Partnership, size: u64) -> Result<Grown, BenchError> {
    seal_on(ledger, partnership, size.saturating_sub(MEASURED))?;
    let from = ledger.log().size().0;
    processor::forget_most_resident();
    let (took, spent) = seal_on(ledger, partnership, size.max(from + 1))?;
    let entries = ledger.log().size().0;
    let count = as_f64(usize::try_from(entries - from).unwrap_or(usize::MAX));
    let (most_resident_mib, owners) = (processor::most_resident(), ledger.owners() as u64);
    let stopping = Instant::now();
    ledger.close();
    Ok(Grown {
        entries,
        owners,
        sealed_per_second: count / took.as_secs_f64(),
        microseconds: spent.map(|spent| spent.as_secs_f64() * 1e6 / count),
        most_resident_mib,
        stop_seconds: stopping.elapsed().as_secs_f64(),
    })
}

/// Seals until the log has this size. Returns how long that took, and how much processor time, the signing left out.
fn seal_on(
    ledger: &Ledger,
    partnership: &mut Partnership,
    size: u64,
) -> Result<(Duration, Option<Duration>), BenchError> {
    let threads = std::thread::available_parallelism()?.get();
    let (mut took, mut spent) = (Duration::ZERO, Some(Duration::ZERO));
    while ledger.log().size().0 < size {
        let chains = partnership.sign((AT_A_TIME / partnership.publishers()).max(1))?;
        let (before, started) = (processor::of_this_process(), Instant::now());
        seal(ledger, &chains, threads)?;
        took += started.elapsed();
        spent = spent.zip(spent_since(before)).map(|(sum, more)| sum + more);
    }
    Ok((took, spent))
}

fn spent_since(before: Option<Duration>) -> Option<Duration> {
    processor::of_this_process().zip(before).map(|(after, before)| after.saturating_sub(before))
}

/// Sends statements again that were sealed, of all ages.
fn send_again(ledger: &Ledger) -> Result<f64, BenchError> {
    let mut took = Duration::ZERO;
    mean_micros(ledger.log().size().0, |index| {
        let text = ledger.presentation(index).map_err(Box::new)?;
        let text = text.ok_or_else(|| BenchError::Receipt("nothing was erased, and it is gone".into()))?;
        let started = Instant::now();
        let again = ledger.seal_blocking(text.as_bytes())?;
        took += started.elapsed();
        if again.duplicate { Ok(()) } else { Err(BenchError::Receipt("it was sealed twice".into())) }
    })?;
    Ok(took.as_secs_f64() * 1e6 / as_f64(usize::try_from(LOOKS).unwrap_or(usize::MAX)))
}

/// The mean over indexes that are spread over a log.
fn mean_micros(
    size: u64,
    mut look: impl FnMut(LeafIndex) -> Result<(), BenchError>,
) -> Result<f64, BenchError> {
    let started = Instant::now();
    for n in 0..LOOKS {
        look(LeafIndex(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size.max(1)))?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / as_f64(usize::try_from(LOOKS).unwrap_or(usize::MAX)))
}
