//! What the views answer about a generated history, timed, and the same history as rows: so that another database can be asked the
//! same questions, and its answers be compared with these.
//!
//! The rows are in the clear, which the ledger never is; the people in them are fictional, as all of the history.

mod asking;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::secrets::Secrets;
use serde::Serialize;
use serde_json::Value;

use super::views::rebuilding::{DATA, SECRETS};
use super::views::{Latencies, history, making};
use super::{BenchError, Within};
use crate::follow::Follower;

/// The history, one event a line, in the order of the log.
pub const ROWS: &str = "events.ndjson";

/// What to measure.
#[derive(Debug, Clone)]
pub struct AnswersPlan {
    /// How many events the history has.
    pub events: u32,
    /// How often each question is asked at most.
    pub questions: u32,
    /// Where the temporary data folder is made.
    pub within: Within,
    /// The folder into which the rows are written.
    pub rows: PathBuf,
}

/// The answers.
#[derive(Debug, Clone, Serialize)]
pub struct AnswersReport {
    /// How many entries the log has, registrations included.
    pub entries: u64,
    /// How many events of the history are among them.
    pub events: u64,
    /// Seconds to build the views of them.
    pub views_seconds: f64,
    /// What was asked.
    pub questions: Vec<Asked>,
}

/// One question, asked about different things or again and again.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    /// Which one: `timeline`, `place`, `places`, `repeat-missing` or `shared-location`.
    pub question: &'static str,
    /// How long the answers took, in milliseconds.
    pub latency: Latencies,
    /// The answers, each once.
    pub answers: Vec<Answered>,
}

/// An answer, in terms that another database knows.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// What it is about: a pseudonym, or the reference of a place; nothing where the question is about all of the history.
    pub about: Option<String>,
    /// Its items, in the order of the answer.
    pub items: Vec<Value>,
}

/// Makes the history, writes its rows, and asks its views. The temporary folder is removed at the end, also after an error, unless it is
/// kept; the rows stay.
pub fn run(plan: &AnswersPlan) -> Result<AnswersReport, BenchError> {
    let folder = plan.within.make("goldenthread-bench.")?;
    let outline = gt_history::outline(&history(plan.events));
    making::make(folder.path(), &outline, |_, _| ())?;
    let secrets = Secrets::load(&folder.path().join(SECRETS))?;
    let ledger = open(&folder.path().join(DATA), &secrets)?;
    std::fs::create_dir_all(&plan.rows)?;
    tracing::info!("writing the history's rows");
    let about = rows::write(&ledger, &outline, &plan.rows.join(ROWS))?;
    tracing::info!("building the views");
    let started = Instant::now();
    let mut follower = Follower::start(&ledger, &folder.path().join("views"))?;
    let views_seconds = started.elapsed().as_secs_f64();
    tracing::info!("asking the views");
    let questions = asking::ask(&follower.queries(), &ledger, &about, plan.questions);
    follower.stop();
    let (entries, events) = (ledger.log().size().0, outline.len() as u64);
    ledger.close();
    Ok(AnswersReport { entries, events, views_seconds, questions: questions? })
}

fn open(data: &Path, secrets: &Secrets) -> Result<Arc<Ledger>, BenchError> {
    let ledger = Ledger::open(data, secrets, Box::new(SystemClock::default()), None);
    Ok(Arc::new(ledger.map_err(Box::new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_has_answers_and_the_rows_have_every_event() {
        let folder = tempfile::tempdir().unwrap();
        let rows = folder.path().join("rows");
        let plan =
            AnswersPlan { events: 2_000, questions: 20, within: folder.path().into(), rows: rows.clone() };
        let report = run(&plan).unwrap();
        let written = std::fs::read_to_string(rows.join(ROWS)).unwrap();
        assert_eq!(written.lines().count() as u64, report.events);
        let last: Value = serde_json::from_str(written.lines().last().unwrap()).unwrap();
        assert_eq!(last["entry"], report.entries - 1, "{last}");
        let names: Vec<_> = report.questions.iter().map(|asked| asked.question).collect();
        assert_eq!(names, ["timeline", "place", "places", "repeat-missing", "shared-location"]);
        for asked in &report.questions {
            assert!(asked.latency.questions > 0, "{asked:?}");
            assert!(asked.answers.iter().any(|answer| !answer.items.is_empty()), "{}", asked.question);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the rows stay");
    }
}
