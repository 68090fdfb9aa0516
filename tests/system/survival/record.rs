//! What was done to the ledgers and what came of it: told as it happens, and written down as Markdown and JSON.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// As much as is kept of what a broken promise says; some say a whole answer.
const MOST_OF_A_FAILURE: usize = 1_000;

/// All faults so far.
pub(crate) struct Record {
    began: Instant,
    /// How long to go on; for as long as there is something to do, if it is not said.
    lasts: Option<Duration>,
    /// Where to write it, without an extension.
    file: Option<PathBuf>,
    faults: Vec<Fault>,
    failures: Vec<String>,
    left_out: Vec<String>,
    receipts: usize,
    finished: bool,
}

struct Fault {
    at: Duration,
    took: Duration,
    ledger: &'static str,
    what: String,
    outcome: Option<String>,
}

impl Default for Record {
    fn default() -> Self {
        let (faults, failures, left_out) = (Vec::new(), Vec::new(), Vec::new());
        let (lasts, file) = (None, None);
        Self { began: Instant::now(), lasts, file, faults, failures, left_out, receipts: 0, finished: false }
    }
}

impl Record {
    /// A record that is written to these files (their extensions are added).
    pub(crate) fn lasting(lasts: Duration, file: Option<PathBuf>) -> Self {
        Self { lasts: Some(lasts), file, ..Self::default() }
    }

    /// Whether there is time for more.
    pub(crate) fn goes_on(&self) -> bool {
        self.lasts.is_none_or(|lasts| self.began.elapsed() < lasts)
    }

    /// A fault that happens now.
    pub(crate) fn begin(&mut self, ledger: &'static str, what: String) {
        let at = self.began.elapsed();
        eprint!("{:6.1} s  {ledger:<6}  {what}: ", at.as_secs_f64());
        self.faults.push(Fault { at, took: Duration::ZERO, ledger, what, outcome: None });
    }

    /// What came of the last one, after everything was checked.
    pub(crate) fn end(&mut self, outcome: String) {
        let (now, fault) = (self.began.elapsed(), self.faults.last_mut().expect("it was begun"));
        fault.took = now.saturating_sub(fault.at);
        eprintln!("{outcome} ({:.1} s)", fault.took.as_secs_f64());
        fault.outcome = Some(outcome);
        self.write();
    }

    /// A kind of fault that cannot be had on this machine.
    pub(crate) fn leave_out(&mut self, why: &str) {
        if !self.left_out.iter().any(|known| known == why) {
            eprintln!("left out: {why}");
            self.left_out.push(why.to_owned());
        }
    }

    /// A promise that was broken.
    pub(crate) fn fail(&mut self, why: &str) {
        let why: String = why.chars().take(MOST_OF_A_FAILURE).collect();
        eprintln!("FAILED: {why}");
        self.failures.push(why);
        self.write();
    }

    /// So many more receipts were compared with the log at the end of a ledger's life.
    pub(crate) fn count(&mut self, receipts: usize) {
        self.receipts += receipts;
    }

    /// The end. It panics if a promise was broken.
    pub(crate) fn finish(mut self) {
        self.finished = true;
        self.write();
        eprintln!(
            "{} faults, {} receipts, {} failures",
            self.faults.len(),
            self.receipts,
            self.failures.len()
        );
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
    }

    fn verdict(&self) -> &'static str {
        match (self.failures.is_empty(), self.finished) {
            (false, _) => "failed",
            (true, false) => "not finished",
            (true, true) => "survived",
        }
    }

    fn write(&self) {
        let Some(file) = &self.file else { return };
        let write = |kind: &str, text: String| {
            std::fs::write(file.with_extension(kind), text).expect("the result can be written");
        };
        write("json", format!("{:#}\n", self.to_json()));
        write("md", self.to_markdown());
    }

    fn to_json(&self) -> Value {
        let seconds = |duration: Duration| (duration.as_secs_f64() * 10.0).round() / 10.0;
        let fault = |fault: &Fault| {
            json!({
                "at_seconds": seconds(fault.at),
                "took_seconds": seconds(fault.took),
                "ledger": fault.ledger,
                "fault": fault.what,
                "outcome": fault.outcome,
            })
        };
        json!({
            "verdict": self.verdict(),
            "seed": std::env::var("GT_SEED").ok(),
            "seconds": seconds(self.began.elapsed()),
            "receipts": self.receipts,
            "failures": self.failures,
            "left_out": self.left_out,
            "faults": self.faults.iter().map(fault).collect::<Vec<_>>(),
        })
    }

    fn to_markdown(&self) -> String {
        let mut text = format!(
            "# Survival\n\nVerdict: **{}**. {} faults in {:.0} minutes, {} receipts compared with the log, seed `{}`.\n\n",
            self.verdict(),
            self.faults.len(),
            self.began.elapsed().as_secs_f64() / 60.0,
            self.receipts,
            std::env::var("GT_SEED").unwrap_or_default(),
        );
        for failure in &self.failures {
            let _ = writeln!(text, "- **Failed**: {}", failure.replace('\n', " "));
        }
        for why in &self.left_out {
            let _ = writeln!(text, "- Left out: {}", why.replace('\n', " "));
        }
        text.push_str(
            "\n| at | ledger | fault | what came of it | checked after |\n|---:|---|---|---|---:|\n",
        );
        for Fault { at, took, ledger, what, outcome } in &self.faults {
            let outcome = outcome.as_deref().unwrap_or("**not survived**").replace('|', "\\|");
            let (at, took) = (at.as_secs(), took.as_secs_f64());
            let _ = writeln!(text, "| {at} s | {ledger} | {what} | {outcome} | {took:.1} s |");
        }
        text
    }
}
