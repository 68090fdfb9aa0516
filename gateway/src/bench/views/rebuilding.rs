//! The second process: opens the folder, rebuilds the views, and asks them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gt_core::statement::{Owner, Pseudonym};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::record::OwnerId;
use gt_ledger::secrets::Secrets;
use gt_projections::{AlertFilter, Page, Queries, QueryError, StatusFilter};

use super::{Latencies, Rebuilt};
use crate::bench::{BenchError, processor};
use crate::follow::Follower;

pub(in crate::bench) const DATA: &str = "data";
pub(in crate::bench) const SECRETS: &str = "data.secrets";
const VIEWS: &str = "views";

/// The pseudonyms of children about whom the views are asked.
pub fn sample_file(folder: &Path) -> PathBuf {
    folder.join("children.json")
}

/// Rebuilds the views of the ledger below the folder, and asks `questions` of each kind. Returned with the figures is how many
/// alerts wait for somebody.
pub fn measure(folder: &Path, questions: u32) -> Result<(Rebuilt, u64), BenchError> {
    let started = Instant::now();
    let secrets = Secrets::load(&folder.join(SECRETS))?;
    let ledger = Ledger::open(&folder.join(DATA), &secrets, Box::new(SystemClock::default()), None);
    let ledger = Arc::new(ledger.map_err(Box::new)?);
    let open_seconds = started.elapsed().as_secs_f64();
    let (before, started) = (processor::of_this_process(), Instant::now());
    let mut follower = Follower::start(&ledger, &folder.join(VIEWS))?;
    let rebuild_seconds = started.elapsed().as_secs_f64();
    let processor =
        processor::of_this_process().zip(before).map(|(after, before)| after.saturating_sub(before));
    let queries = follower.queries();
    let children = children(&ledger, folder)?;
    let mut next = children.iter().cycle();
    let timeline = timed(questions, || {
        let child = next.next().expect("there is one at least");
        queries.timeline(child, None, None, &Page::default()).map(drop)
    })?;
    let waiting = AlertFilter { status: Some(StatusFilter::Waiting), ..AlertFilter::default() };
    let open_alerts = timed(questions, || queries.alerts(&waiting, &Page::default()).map(drop))?;
    let standing = count(&queries, &waiting)?;
    follower.stop();
    drop((queries, follower));
    let started = Instant::now();
    let mut follower = Follower::start(&ledger, &folder.join(VIEWS))?;
    let reopen_seconds = started.elapsed().as_secs_f64();
    follower.stop();
    let entries = f64::from(u32::try_from(ledger.log().size().0).unwrap_or(u32::MAX));
    let rebuilt = Rebuilt {
        open_seconds,
        rebuild_seconds,
        reopen_seconds,
        rebuilt_per_second: entries / rebuild_seconds,
        rebuild_microseconds: processor.map(|spent| spent.as_secs_f64() * 1e6 / entries),
        resident_mib: processor::most_resident(),
        view_bytes_an_entry: size_of(&folder.join(VIEWS))? / entries,
        timeline,
        open_alerts,
    };
    Ok((rebuilt, standing))
}

fn children(ledger: &Ledger, folder: &Path) -> Result<Vec<OwnerId>, BenchError> {
    let names: Vec<String> = serde_json::from_slice(&std::fs::read(sample_file(folder))?)
        .map_err(|error| BenchError::Process(error.to_string()))?;
    let known = names.iter().map(|name| ledger.owner_id(&Owner::Person(Pseudonym::parse(name).ok()?)));
    let known: Option<Vec<_>> = known.collect();
    known
        .filter(|known| !known.is_empty())
        .ok_or(BenchError::Nothing("the ledger does not know the children to ask about"))
}

fn timed(questions: u32, mut ask: impl FnMut() -> Result<(), QueryError>) -> Result<Latencies, BenchError> {
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..questions {
        let started = Instant::now();
        ask()?;
        took.push(started.elapsed());
    }
    Ok(Latencies::of(took))
}

fn count(queries: &Queries, filter: &AlertFilter) -> Result<u64, BenchError> {
    let (mut page, mut count) = (Page { limit: 500, ..Page::default() }, 0);
    loop {
        let answer = queries.alerts(filter, &page)?;
        count += answer.items.len() as u64;
        match answer.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(count),
        }
    }
}

pub(in crate::bench) fn size_of(folder: &Path) -> Result<f64, BenchError> {
    let mut bytes = 0.0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, metadata) = (entry.path(), entry.metadata()?);
        #[allow(clippy::cast_precision_loss)] // Sizes of files are far below 2^52.
        let size = if metadata.is_dir() { size_of(&path)? } else { metadata.len() as f64 };
        bytes += size;
    }
    Ok(bytes)
}
