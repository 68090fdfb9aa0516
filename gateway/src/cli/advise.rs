use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gt_core::json;
use gt_schemas::Configuration;
use serde_json::{Value, json};

use super::output::Output;
use super::registrar::about;
use super::{Failure, Outcome};
use crate::draft::to_serde;
use crate::http::advice_on;
use crate::reading::ReadingClient;

/// The largest question, in bytes.
const MAX_QUESTION_BYTES: u64 = 64 * 1024;

/// Asks what the rules say of a decision before it is taken. Nothing of it is recorded.
#[derive(Args)]
pub(crate) struct Advise {
    /// A file with the decision's data as in its draft, or the whole draft; any member of the data may be missing. `-` or nothing reads
    /// standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// The address of the running ledger, whose configuration counts.
    #[arg(long, env = "GOLDENTHREAD_URL", default_value = "http://127.0.0.1:8620")]
    url: String,
    /// Ask no ledger: the standard configuration counts, and nothing leaves this machine.
    #[arg(long)]
    offline: bool,
    /// The agency that is about to decide; rules that depend on who asks find nothing without it.
    #[arg(long, value_name = "CODE")]
    agency: Option<String>,
}

impl Advise {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let mut question = json!({"data": data(&self.file)?});
        if let Some(agency) = &self.agency {
            question["agency"] = json!(agency);
        }
        let answer = if self.offline {
            let standard = Configuration::standard();
            advice_on(question.to_string().as_bytes(), &standard.legal, None)
                .map_err(|problem| Failure::new(problem.detail()))?
        } else {
            ReadingClient::without_token(&self.url).post("/v1/advice", &question)?
        };
        output.say(&answer, || show(&answer));
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads the data of a draft, or the draft that holds it.
fn data(file: &Path) -> Result<Value, Failure> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(MAX_QUESTION_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|opened| opened.take(MAX_QUESTION_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| about(file, &error))?;
    if bytes.len() as u64 > MAX_QUESTION_BYTES {
        return Err(Failure::new(format!("{}: longer than 64 KiB, which no question is", file.display())));
    }
    let value = to_serde(&json::Value::parse(&bytes).map_err(|error| about(file, &error))?);
    // No decision has a member of this name.
    Ok(value.get("data").cloned().unwrap_or(value))
}

fn show(answer: &Value) -> String {
    let mut lines = vec![outcome(&answer["flow"])];
    lines.extend(findings(&answer["findings"]));
    let missing = answer["missing"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !missing.is_empty() {
        lines.push("\nStill missing for a complete record:".to_owned());
        lines.extend(
            missing.iter().map(|one| format!("  {}  {}", word(&one["path"]), word(&one["required"]))),
        );
    }
    lines.push(String::new());
    lines.extend(golden_rules(&answer["golden_rules"]));
    lines.push(match answer["configuration"].as_u64() {
        Some(entry) => format!("\nUnder the configuration that entry {entry} sealed."),
        None => "\nUnder the standard configuration.".to_owned(),
    });
    lines.join("\n")
}

/// Where the flowchart leads, as a sentence.
pub(super) fn outcome(flow: &Value) -> String {
    let version = &flow["version"];
    let said = match flow["outcome"].as_str() {
        Some("MayShare") => {
            "May share. Settle first: how much; fact from opinion; the right person; securely; tell the individual unless that adds risk."
                .to_owned()
        }
        Some("DoNotShare") => {
            let escalate = if flow["escalate"] == true {
                " The concern must go to children's social care or the police all the same."
            } else {
                ""
            };
            format!("Do not share: {}.{escalate}", word(&flow["ground"]))
        }
        Some("SeekAdvice") => {
            format!("Seek advice: nobody has answered {}.", word(&flow["unanswered"]))
        }
        _ => return "The flowchart leads nowhere: the decision contradicts itself.".to_owned(),
    };
    format!("{said} (flowchart {version})")
}

/// Each finding with its source.
pub(super) fn findings(findings: &Value) -> Vec<String> {
    let findings = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |finding: &Value| {
        let items: Vec<String> =
            finding["items"].as_array().into_iter().flatten().map(ToString::to_string).collect();
        let items = if items.is_empty() { String::new() } else { format!(" Items {}.", items.join(", ")) };
        format!(
            "\n{}  {}{items}\n    [{}]",
            word(&finding["code"]),
            word(&finding["sentence"]),
            word(&finding["source"])
        )
    };
    findings.iter().map(line).collect()
}

/// Each golden rule with what evidences it.
pub(super) fn golden_rules(rules: &Value) -> Vec<String> {
    let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |rule: &Value| {
        let evidence = rule["evidence"].as_array().into_iter().flatten();
        let said: Vec<String> =
            evidence.map(|one| format!("{} {}", word(&one["member"]), state(&one["state"]))).collect();
        format!("{}. {}: {}", rule["number"], word(&rule["title"]), said.join(", "))
    };
    rules.iter().map(line).collect()
}

fn state(state: &Value) -> &str {
    match state.as_str() {
        Some("Present") => "is there",
        Some("KeptAtHome") => "is kept at home",
        Some("NotReadable") => "cannot be read",
        Some("NotCalledFor") => "is not called for",
        _ => "is missing",
    }
}

/// A text of an answer.
pub(super) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
