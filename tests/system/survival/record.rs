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
    answers: usize,
    finished: bool,
}

/// What came of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It happened, and this was seen.
    Struck(String),
    /// It was tried and did not happen: no call failed, say.
    Missed(String),
    /// It cannot be had here.
    LeftOut(String),
}

struct Fault {
    at: Duration,
    took: Duration,
    ledger: &'static str,
    what: String,
    /// None before its checks have ended.
    end: Option<End>,
}

impl Default for Record {
    fn default() -> Self {
        let (faults, failures, left_out) = (Vec::new(), Vec::new(), Vec::new());
        let (lasts, file) = (None, None);
        let (receipts, answers, finished) = (0, 0, false);
        Self { began: Instant::now(), lasts, file, faults, failures, left_out, receipts, answers, finished }
    }
}

impl End {
    /// The same with something more that was seen.
    pub(crate) fn and(mut self, more: &str) -> Self {
        let (Self::Struck(text) | Self::Missed(text) | Self::LeftOut(text)) = &mut self;
        text.push_str(more);
        self
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Struck(_) => "struck",
            Self::Missed(_) => "did not strike",
            Self::LeftOut(_) => "left out",
        }
    }

    fn text(&self) -> &str {
        let (Self::Struck(text) | Self::Missed(text) | Self::LeftOut(text)) = self;
        text
    }

    /// For who reads one alone: what did not happen must not look as if it had.
    fn to_text(&self) -> String {
        match self {
            Self::Struck(text) => text.clone(),
            Self::Missed(text) | Self::LeftOut(text) => format!("({}) {text}", self.kind()),
        }
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
        self.faults.push(Fault { at, took: Duration::ZERO, ledger, what, end: None });
    }

    /// What came of the last one, after everything was checked.
    pub(crate) fn end(&mut self, end: End) {
        let (now, fault) = (self.began.elapsed(), self.faults.last_mut().expect("it was begun"));
        fault.took = now.saturating_sub(fault.at);
        eprintln!("{} ({:.1} s)", end.to_text(), fault.took.as_secs_f64());
        fault.end = Some(end);
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

    /// So many more reads were answered with what was asked for.
    pub(crate) fn count_answers(&mut self, answers: usize) {
        self.answers += answers;
    }

    /// The end. It panics if a promise was broken, or if there was nothing to break one.
    pub(crate) fn finish(mut self) {
        if self.ended("struck") == 0 {
            self.fail("no fault struck, so none was survived");
        }
        self.finished = true;
        self.write();
        let (receipts, failures) = (self.receipts, self.failures.len());
        eprintln!("{}, {receipts} receipts, {failures} failures", self.tally());
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
    }

    fn verdict(&self) -> &'static str {
        match (self.failures.is_empty(), self.finished) {
            (false, _) => "failed",
            (true, false) => "not finished",
            (true, true) => "survived",
        }
    }

    /// How many faults there were that ended so.
    fn ended(&self, kind: &str) -> usize {
        self.faults.iter().filter(|fault| fault.end.as_ref().is_some_and(|end| end.kind() == kind)).count()
    }

    /// What was tried and did not happen is told beside what did, and is no fault that was survived.
    fn tally(&self) -> String {
        let [struck, missed, left_out] =
            ["struck", "did not strike", "left out"].map(|kind| self.ended(kind));
        format!("{struck} faults ({missed} more did not strike, {left_out} were left out)")
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
                "end": fault.end.as_ref().map(End::kind),
                "outcome": fault.end.as_ref().map(End::text),
            })
        };
        json!({
            "verdict": self.verdict(),
            "seed": std::env::var("GT_SEED").ok(),
            "seconds": seconds(self.began.elapsed()),
            "struck": self.ended("struck"),
            "did_not_strike": self.ended("did not strike"),
            "not_had": self.ended("left out"),
            "receipts": self.receipts,
            "answers_to_readers": self.answers,
            "failures": self.failures,
            "left_out": self.left_out,
            "faults": self.faults.iter().map(fault).collect::<Vec<_>>(),
        })
    }

    fn to_markdown(&self) -> String {
        let mut text = format!(
            "# Survival\n\nVerdict: **{}**. {} in {:.0} minutes, {} receipts compared with the log, {} answers to readers, seed `{}`.\n\n",
            self.verdict(),
            self.tally(),
            self.began.elapsed().as_secs_f64() / 60.0,
            self.receipts,
            self.answers,
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
        for Fault { at, took, ledger, what, end } in &self.faults {
            let outcome = end.as_ref().map_or_else(|| "**not survived**".to_owned(), End::to_text);
            let outcome = outcome.replace('|', "\\|");
            let (at, took) = (at.as_secs(), took.as_secs_f64());
            let _ = writeln!(text, "| {at} s | {ledger} | {what} | {outcome} | {took:.1} s |");
        }
        text
    }
}
