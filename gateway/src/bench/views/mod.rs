//! The views of a large history: how fast they are rebuilt, in how much memory, and how fast they answer.
//!
//! A generated history of a fictional partnership (`tests/history`) is signed and sealed into a real data folder, at the times at
//! which it says that the ledger received it. Then a process of its own opens the folder, rebuilds the views from the first
//! entry, and asks them: so the memory that it tells of is that of a node, and not that of who made the history.

pub(super) mod making;
pub(super) mod rebuilding;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gt_history::Planted;
use serde::{Deserialize, Serialize};

use super::latency::ranks;
use super::{BenchError, Within, said};

pub use rebuilding::{measure, sample_file};

/// What to measure.
#[derive(Debug, Clone)]
pub struct ViewsPlan {
    /// How many events the history has.
    pub events: u32,
    /// How often each kind of question is asked.
    pub questions: u32,
    /// Where the temporary data folder is made.
    pub within: Within,
}

/// What was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ViewsReport {
    /// How many entries the log has, registrations included.
    pub entries: u64,
    /// How many alerts were planted in the history.
    pub planted: u64,
    /// How many alerts stand at the end.
    pub standing: u64,
    /// Entries a second that were signed and sealed while the history was made.
    pub sealed_per_second: f64,
    /// What the second process measured.
    #[serde(flatten)]
    pub rebuilt: Rebuilt,
}

/// What the second process measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rebuilt {
    /// Seconds to open the ledger, before the views.
    pub open_seconds: f64,
    /// Seconds to rebuild the views.
    pub rebuild_seconds: f64,
    /// Seconds to open them again once they reflect the whole log.
    pub reopen_seconds: f64,
    /// Entries a second.
    pub rebuilt_per_second: f64,
    /// Processor time to rebuild the views, in microseconds an entry, where the system tells: what a busy machine does not change.
    pub rebuild_microseconds: Option<f64>,
    /// The most memory that the process had resident, in MiB, where the system tells.
    pub resident_mib: Option<f64>,
    /// Bytes on disk an entry, of the views alone.
    pub view_bytes_an_entry: f64,
    /// A child's timeline, in milliseconds.
    pub timeline: Latencies,
    /// The first page of the alerts that wait for somebody, in milliseconds.
    pub open_alerts: Latencies,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Latencies {
    /// How often it was asked.
    pub questions: u64,
    /// Half of them were answered within.
    pub p50: f64,
    /// 99 of 100 were answered within.
    pub p99: f64,
    /// All of them were.
    pub max: f64,
}

/// Makes the history, and has a process of its own rebuild its views. The temporary folder is removed at the end, also after an
/// error, unless it is kept.
pub fn run(plan: &ViewsPlan, program: &Path) -> Result<ViewsReport, BenchError> {
    let folder = plan.within.make("goldenthread-bench.")?;
    let outline = gt_history::outline(&history(plan.events));
    let made = making::make(folder.path(), &outline, |_, _| ())?;
    tracing::info!(entries = made.entries, "the history is sealed; rebuilding its views");
    let output = Command::new(program)
        .args(["--json", "bench", "--questions", &plan.questions.to_string(), "--rebuild-views-of"])
        .arg(folder.path())
        .output()?;
    let (rebuilt, standing): (Rebuilt, u64) = said(&output, output.status.success())?;
    Ok(ViewsReport {
        entries: made.entries,
        planted: outline.alerts().len() as u64,
        standing,
        sealed_per_second: made.per_second,
        rebuilt,
    })
}

/// A history of so many events: the more there are, the more agencies and children they are about.
pub(super) fn history(events: u32) -> gt_history::Plan {
    let events = usize::try_from(events).unwrap_or(usize::MAX);
    gt_history::Plan {
        seed: 1,
        events,
        agencies: (events / 2_000).clamp(6, 150),
        children: (events / 15).max(60),
        years: 3,
        planted: Planted::each((events / 10_000).clamp(1, 40)),
    }
}

impl Latencies {
    pub(super) fn of(took: Vec<Duration>) -> Self {
        let questions = took.len() as u64;
        let at = ranks(took);
        Self { questions, p50: at(500), p99: at(990), max: at(1000) }
    }
}
