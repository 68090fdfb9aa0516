use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use gt_schemas::FindingCode;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::sync::oneshot;

use super::output::Output;
use super::serve::{runtime, stop_signal};
use super::{Failure, Outcome};
use crate::demo::{self, AdviceOutcome, AlertOutcome, CaseOutcome, Folders, Listen, Progress, Report};

/// The port that is tried unless another is asked for.
const USUAL_PORT: u16 = 8620;

#[derive(Args)]
pub(crate) struct Demo {
    /// The data folder, which is kept: a new one, or one of an earlier demonstration, which is removed. [default: a temporary
    /// folder, removed at the end]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where to listen. [default: 127.0.0.1:8620, or a free port if that one is taken]
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// End after the checks, with exit status 1 if something did not verify or the alerts are not those expected.
    #[arg(long)]
    exit: bool,
}

impl Demo {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        // Declared before the runtime, so that a temporary folder goes after the ledger in it is closed.
        let folders = match &self.data {
            Some(data) => Folders::kept(data)?,
            None => Folders::temporary()?,
        };
        let runtime = runtime()?;
        let (finish, finished) = oneshot::channel::<()>();
        let interrupted = Arc::new(AtomicBool::new(false));
        let stop = {
            let (signal, interrupted) =
                (runtime.block_on(async { stop_signal() })?, Arc::clone(&interrupted));
            async move {
                tokio::select! {
                    () = signal => interrupted.store(true, Ordering::Release),
                    // Completes, by a message or because nobody is left to send one, when the demonstration is over.
                    _ = finished => {}
                }
            }
        };
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, USUAL_PORT));
        let listen = Listen { address: self.listen.unwrap_or(usual), or_another_port: self.listen.is_none() };
        let playbill = Playbill::new(output);
        let ran = demo::run(&runtime, &folders, listen, demo::BACKGROUND, stop, &|progress| {
            playbill.show(progress);
        });
        let (stage, report) = match ran {
            Err(_) if interrupted.load(Ordering::Acquire) => {
                return Err(Failure::new("stopped before the end"));
            }
            ran => ran?,
        };
        let value = serde_json::to_value(&report)?;
        output.say(&value, || describe(&report));
        if self.exit {
            // Nobody waits for it only where serving has ended by itself, which `ended` tells.
            let _ = finish.send(());
        } else {
            output.tell(&explore(&report, &folders, listen));
        }
        runtime.block_on(stage.ended())?;
        Ok(ExitCode::from(u8::from(!report.sound)))
    }
}

/// What is seen while it runs: a bar on a terminal, a line here and there otherwise, nothing with `--json`.
struct Playbill<'o> {
    output: &'o Output,
    bar: Option<ProgressBar>,
}

impl<'o> Playbill<'o> {
    fn new(output: &'o Output) -> Self {
        output.tell("Golden Thread: a demonstration. Every person, place and agency in it is made up.\n");
        let bar = (!output.is_json() && std::io::stderr().is_terminal()).then(ProgressBar::no_length);
        if let Some(bar) = &bar {
            let style = ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} statements");
            bar.set_style(style.expect("the template is well-formed"));
        }
        Self { output, bar }
    }

    fn show(&self, progress: Progress) {
        let agencies = demo::AGENCIES.len();
        match (progress, &self.bar) {
            (Progress::Publishing { statements }, Some(bar)) => {
                bar.set_length(statements);
                bar.set_message(format!("{agencies} agencies publish"));
            }
            (Progress::Sealed { statements }, Some(bar)) => bar.inc(statements),
            (Progress::Checking, Some(bar)) => bar.finish_and_clear(),
            (Progress::Publishing { statements }, None) => {
                self.output.tell(&format!("{agencies} agencies publish {statements} statements …"));
            }
            (Progress::Checking, None) => self.output.tell("Everything is sealed and is being checked …\n"),
            (Progress::Sealed { .. }, None) => {}
        }
    }
}

fn describe(report: &Report) -> String {
    let mut lines = vec![sealed(report)];
    lines.extend(
        report
            .agencies
            .iter()
            .map(|share| format!("  {:>5}  {}, {}", share.statements, share.name, share.agency)),
    );
    let (near, cases): (Vec<_>, Vec<_>) = report.outcomes.cases.iter().partition(|case| case.near_miss);
    lines.push(
        "\nThe cases. An alert or a finding asks a person to look; nothing is decided by them.".to_owned(),
    );
    lines.extend(cases.into_iter().map(case));
    lines.push("\nNear misses, which rightly raise nothing:".to_owned());
    lines.extend(near.into_iter().map(case));
    let unexpected = &report.outcomes.unexpected_alerts;
    lines.extend(unexpected.iter().map(|alert| format!("  UNEXPECTED  {}", sentence(alert))));
    lines.extend(report.outcomes.unexpected_findings.iter().map(|decision| {
        format!("  UNEXPECTED  {} found in entry {}", decision["findings"], decision["index"])
    }));
    lines.push(String::new());
    lines.push(verified(report));
    lines.join("\n")
}

fn sealed(report: &Report) -> String {
    let rate = f64::from(u32::try_from(report.statements).unwrap_or(u32::MAX)) / report.seconds.max(0.001);
    format!(
        "Sealed: {} statements in {:.1} s, {rate:.0} a second, each signed by its agency and answered with a receipt.",
        report.statements, report.seconds,
    )
}

/// A case: its story, and below it what came of it.
fn case(case: &CaseOutcome) -> String {
    let mut lines = vec![format!("  {:>2}  {}", case.case, case.story)];
    lines.extend(case.alerts.iter().map(alerted));
    let mut found: BTreeMap<(&BTreeSet<String>, &BTreeSet<String>), Vec<u64>> = BTreeMap::new();
    for decision in &case.findings {
        found.entry((&decision.found, &decision.foretold)).or_default().extend(decision.entry);
    }
    lines.extend(found.into_iter().map(|((found, foretold), entries)| finding(found, foretold, &entries)));
    if lines.len() == 1 && !case.near_miss {
        lines.push("no alert and no finding".to_owned());
    }
    lines.extend(case.advice.iter().map(advised));
    lines.join("\n      → ")
}

fn alerted(outcome: &AlertOutcome) -> String {
    let (pattern, entries) = (outcome.pattern, entries(&outcome.entries));
    match &outcome.alert {
        None => format!("{pattern} DID NOT FIRE as expected on {entries}"),
        Some(alert) if outcome.retracted => {
            let by = &alert["retraction"]["by"];
            format!("{pattern}, taken back by entry {by}: {} ({entries})", sentence(alert))
        }
        Some(alert) => format!("{pattern}: {} ({entries})", sentence(alert)),
    }
}

fn finding(found: &BTreeSet<String>, foretold: &BTreeSet<String>, decisions: &[u64]) -> String {
    let list = |codes: &BTreeSet<String>| codes.iter().cloned().collect::<Vec<_>>().join(", ");
    let entries = entries(decisions);
    if found != foretold {
        return format!("findings: [{}] and NOT [{}] as expected ({entries})", list(found), list(foretold));
    }
    let sentence = |code: &String| FindingCode::parse(code).map_or("", FindingCode::sentence);
    let sentences: Vec<&str> = found.iter().map(sentence).collect();
    format!("{}: {} ({entries})", list(found), sentences.join(" "))
}

fn advised(outcome: &AdviceOutcome) -> String {
    let flow = outcome.flow.as_ref().unwrap_or(&Value::Null);
    let member = |name: &str| flow[name].as_str().unwrap_or_default();
    let leads = match member("outcome") {
        "SeekAdvice" => format!("SeekAdvice, for nobody can say: {}", member("unanswered")),
        "DoNotShare" => format!("DoNotShare: {}", member("ground")),
        other => other.to_owned(),
    };
    let escalate = if flow["escalate"] == true { ", and Escalate" } else { "" };
    let with = if outcome.findings.is_empty() { "" } else { ", with " };
    let findings = outcome.findings.join(", ");
    let as_foretold = if outcome.is_exact() { "" } else { " NOT AS EXPECTED" };
    format!(
        "advice before {}: {leads}{escalate}{with}{findings}{as_foretold}",
        entries(outcome.entry.as_slice())
    )
}

fn sentence(alert: &Value) -> &str {
    alert["sentence"].as_str().unwrap_or("an alert without a sentence")
}

fn entries(entries: &[u64]) -> String {
    let numbers: Vec<String> = entries.iter().map(u64::to_string).collect();
    let noun = if entries.len() == 1 { "entry" } else { "entries" };
    format!("{noun} {}", numbers.join(", "))
}

fn verified(report: &Report) -> String {
    let (receipts, audit, counts) = (&report.receipts, &report.audit, &report.audit.counts);
    let mut lines = vec![if report.sound { "Verified: sound." } else { "NOT AS IT MUST BE." }.to_owned()];
    lines.push(format!("  receipts  {} of {} hold under the ledger's pin", receipts.sound, receipts.checked));
    lines.extend(receipts.first_fault.iter().map(|fault| format!("            {fault}")));
    lines.push(format!(
        "  fsck      {} entries, {} statements and {} disclosures read and worked out again: {} faults",
        counts.entries,
        counts.statements_read,
        counts.disclosures_read,
        audit.faults.len() as u64 + audit.more_faults,
    ));
    lines.extend(
        audit.faults.iter().take(3).map(|fault| format!("            {}: {}", fault.place, fault.what)),
    );
    lines.extend(audit.could_not_tell.iter().take(3).map(|why| format!("            could not tell: {why}")));
    if !report.integrity.is_empty() {
        lines.push(format!("  chains    {} integrity alerts", report.integrity.len()));
    }
    let (size, root) = (audit.size.unwrap_or(0), audit.root.as_deref().unwrap_or("-"));
    lines.push(format!("  checkpoint of {size} entries, root {root}"));
    lines.join("\n")
}

fn explore(report: &Report, folders: &Folders, listen: Listen) -> String {
    let reference = |kind: &str| {
        let outcomes = report.outcomes.cases.iter().flat_map(|case| &case.alerts);
        let alerts = outcomes.filter_map(|outcome| outcome.alert.as_ref());
        let subject = alerts.map(|alert| &alert["subject"]).find(|subject| subject["kind"] == kind);
        subject.and_then(|subject| subject["id"].as_str()).unwrap_or("REF").to_owned()
    };
    let chosen = if listen.or_another_port && !report.url.ends_with(&format!(":{}", listen.address.port())) {
        format!(" (port {} is taken)", listen.address.port())
    } else {
        String::new()
    };
    let kept = if folders.is_temporary() { "removed at the end; --data DIR keeps one" } else { "kept" };
    format!(
        "\n\
         Served at {url}{chosen} until Ctrl-C. Data: {data} ({kept}).\n\
         \x20 export GOLDENTHREAD_URL={url} S={secrets}\n\
         \x20 goldenthread alerts --token-file $S/token\n\
         \x20 goldenthread query episodes --child={child} --token-file $S/token\n\
         \x20 goldenthread query location --location={place} --token-file $S/token\n\
         \x20 goldenthread query decisions --decision Withhold --token-file $S/token\n\
         \x20 curl -s -H @$S/header $GOLDENTHREAD_URL/v1/alerts\n\
         \x20 curl -s $GOLDENTHREAD_URL/checkpoint",
        url = report.url,
        data = folders.data().display(),
        secrets = folders.secrets().display(),
        child = reference("child"),
        place = reference("context"),
    )
}
