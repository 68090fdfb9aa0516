//! What a folder that grows does to sealing, starting, memory and disk: nothing of it may grow faster than the logarithm, but for disk.
//!
//! One folder is grown from size to size. Processes of their own grow it and start from it, one after a clean stop and one after a kill,
//! so that the memory that they tell of is that of a ledger, and every start is a cold one but for the system's own cache.

mod process;

use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::throughput::as_f64;
use super::views::rebuilding::size_of;
use super::workload::Partnership;
use super::{BenchError, Plan, Within, said};

pub use process::measure;

/// Tells the process of the measurement to be killed after it has said its figures.
const BE_KILLED: &str = "--then-be-killed";

/// What to measure.
#[derive(Debug, Clone)]
pub struct GrowthPlan {
    /// The sizes, in entries, rising.
    pub sizes: Vec<u64>,
    /// How many publishers sign.
    pub publishers: NonZeroU32,
    /// How many children the statements are about.
    pub children: NonZeroU32,
    /// Where the temporary data folder is made.
    pub within: Within,
}

impl GrowthPlan {
    /// Sizes in their order, and as many children as a log of the largest would be about, unless somebody says how many.
    pub fn new(
        mut sizes: Vec<u64>,
        publishers: NonZeroU32,
        children: Option<NonZeroU32>,
        within: Within,
    ) -> Self {
        sizes.sort_unstable();
        sizes.dedup();
        let many = u32::try_from(sizes.last().map_or(1, |largest| largest / 30)).unwrap_or(u32::MAX);
        let children = children.or(NonZeroU32::new(many)).unwrap_or(NonZeroU32::MIN);
        Self { sizes, publishers, children, within }
    }
}

/// What was measured at one size.
#[derive(Debug, Clone, Serialize)]
pub struct AtSize {
    /// The growing.
    pub grown: Grown,
    /// Bytes on disk an entry, by kind.
    pub disk: Disk,
    /// A start after a clean stop.
    pub after_stop: Started,
    /// A start after a kill.
    pub after_kill: Started,
}

/// What the process that grew the folder measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grown {
    /// How many entries the log has.
    pub entries: u64,
    /// How many people and agencies have keys of their own.
    pub owners: u64,
    /// Statements a second, from bytes to receipt, of the last ones.
    pub sealed_per_second: f64,
    /// Processor time of sealing one of them, in microseconds, where the system tells.
    pub microseconds: Option<f64>,
    /// The most that was resident meanwhile, in MiB: the ledger's, with the statements that were signed before, some thousand at a time.
    pub most_resident_mib: Option<f64>,
    /// Seconds that the clean stop took.
    pub stop_seconds: f64,
}

/// What a process that started from the folder measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Started {
    /// Seconds until it was ready to seal.
    pub seconds: f64,
    /// Processor time of that, in seconds, where the system tells.
    pub processor_seconds: Option<f64>,
    /// How many entries it read again.
    pub read_again: u64,
    /// What was resident then, in MiB, and the most that was so until then.
    pub resident_mib: Option<f64>,
    /// The most that was resident until then.
    pub most_resident_mib: Option<f64>,
    /// Microseconds to prove that an entry is in the log.
    pub proof_microseconds: f64,
    /// Microseconds until a statement that was sealed before has its receipt again.
    pub receipt_microseconds: f64,
}

/// Bytes an entry.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Disk {
    /// Entries and hash tiles, growing ones included.
    pub log: f64,
    /// Statements, encrypted.
    pub vault: f64,
    /// Keys.
    pub keyring: f64,
    /// The snapshot, and what it rests on.
    pub state: f64,
}

/// What a process of its own is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// Seal up to a size, and stop cleanly.
    GrowTo(u64),
    /// Start, and look; then seal on and be killed.
    StartAndBeKilled,
    /// Start, look, and stop cleanly.
    Start,
}

/// Grows a folder from size to size. It is removed at the end, also after an error, unless it is kept.
pub fn run(plan: &GrowthPlan, program: &Path) -> Result<Vec<AtSize>, BenchError> {
    let one = NonZeroU32::MIN;
    let made = Partnership::create(&Plan {
        statements: 0,
        publishers: plan.publishers,
        children: plan.children,
        rounds: one,
        rate: 0,
        seconds: 0,
        within: plan.within.clone(),
    })?;
    let process = Process { plan, program, root: made.root() };
    let mut measured = Vec::new();
    for size in &plan.sizes {
        let grown: Grown = process.run(&["--grow-to", &size.to_string()])?;
        let disk = Disk::of(&made.data(), grown.entries)?;
        let after_stop: Started = process.run(&[BE_KILLED])?;
        let after_kill: Started = process.run(&[])?;
        if after_kill.read_again == 0 {
            return Err(BenchError::Nothing("the start after a kill read no entry again"));
        }
        tracing::info!(entries = grown.entries, ?after_stop, ?after_kill, "measured at this size");
        measured.push(AtSize { grown, disk, after_stop, after_kill });
    }
    Ok(measured)
}

struct Process<'a> {
    plan: &'a GrowthPlan,
    program: &'a Path,
    root: &'a Path,
}

impl Process<'_> {
    /// What the process said before it ended, or was killed, whichever it was told to be.
    fn run<T: DeserializeOwned>(&self, errand: &[&str]) -> Result<T, BenchError> {
        let (publishers, children) = (self.plan.publishers.to_string(), self.plan.children.to_string());
        let output = Command::new(self.program)
            .args(["--json", "bench", "--publishers", &publishers, "--children", &children])
            .arg("--growth-of")
            .arg(self.root)
            .args(errand)
            .output()?;
        // An abort is no exit.
        let is_as_told = if errand.contains(&BE_KILLED) {
            output.status.code().is_none()
        } else {
            output.status.success()
        };
        said(&output, is_as_told)
    }
}

impl Disk {
    fn of(data: &Path, entries: u64) -> Result<Self, BenchError> {
        let an_entry = |folder: &str| -> Result<f64, BenchError> {
            Ok(size_of(&data.join(folder))? / as_f64(usize::try_from(entries.max(1)).unwrap_or(usize::MAX)))
        };
        Ok(Self {
            log: an_entry("tile")? + an_entry("open")?,
            vault: an_entry("vault")?,
            keyring: an_entry("keyring")?,
            state: an_entry("state")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_rise_and_the_largest_says_how_many_children() {
        let publishers = NonZeroU32::MIN;
        let plan = GrowthPlan::new(vec![9_000, 3_000, 9_000], publishers, None, Path::new("").into());
        assert_eq!((plan.sizes, plan.children.get()), (vec![3_000, 9_000], 300));
    }
}
