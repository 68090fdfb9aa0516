use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use gt_schemas::AccessPurpose;
use serde_json::Value;

use super::Outcome;
use super::advise::{findings, golden_rules, outcome, word};
use super::output::Output;
use crate::reading::ReadingClient;

/// Shows one decision: what it says, what the rules say of it, and what became of it.
#[derive(Args)]
pub(crate) struct Decision {
    /// The entry that recorded it, as lists and alerts name it.
    index: u64,
    /// The address of the running ledger.
    #[arg(long, env = "GOLDENTHREAD_URL", default_value = "http://127.0.0.1:8620")]
    url: String,
    /// A file that holds the token. [default: the environment's `GOLDENTHREAD_TOKEN`]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// What you read for, where the token does not say it; it is recorded.
    #[arg(
        long, env = "GOLDENTHREAD_PURPOSE", value_name = "PURPOSE",
        value_parser = PossibleValuesParser::new(AccessPurpose::CODES)
    )]
    read_for: Option<String>,
    /// Answer as the ledger stood at this time (of receipt), like 2026-03-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
}

impl Decision {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let client = ReadingClient::new(&self.url, self.token_file.as_deref())?.with_purpose(self.read_for);
        let query: Vec<(&str, String)> = self.as_of.map(|time| ("as_of", time)).into_iter().collect();
        let page = client.get(&format!("/v1/decisions/{}", self.index), &query)?;
        output.say(&page, || show(&page));
        Ok(ExitCode::SUCCESS)
    }
}

fn show(page: &Value) -> String {
    let decision = &page["decision"];
    let mut lines = vec![
        format!(
            "Entry {}: {} by {}, {}, harm level {}, for {}.",
            decision["index"],
            word(&decision["decision"]),
            word(&decision["agency"]),
            word(&decision["occurred_at"]),
            word(&decision["harm_level"]),
            words(&decision["recipients"]),
        ),
        format!("Lawful basis {}; consent {}.", words(&decision["lawful_basis"]), word(&decision["consent"])),
    ];
    if let Some(entry) = decision["superseded_by"].as_u64() {
        lines.push(format!("It was replaced by entry {entry}."));
    }
    if page["record"] == "ended" {
        lines.push("The record has ended: what it disclosed can no longer be read.".to_owned());
    }
    lines.push(outcome(&page["flow"]));
    lines.extend(findings(&page["findings"]));
    lines.push(String::new());
    lines.extend(golden_rules(&page["golden_rules"]));
    let all = |member: &str| page[member].as_array().map(Vec::as_slice).unwrap_or_default();
    lines.extend(all("corrections").iter().map(|one| {
        format!(
            "\nCorrected by entry {}, {}: {}",
            one["index"],
            word(&one["received_at"]),
            words(&one["fields"])
        )
    }));
    lines.extend(all("reviews").iter().map(|one| {
        format!("\nReviewed by entry {}, {}: {}", one["index"], word(&one["agency"]), word(&one["outcome"]))
    }));
    lines.extend(all("alerts").iter().map(|alert| {
        format!(
            "\nAlert {}  {}  {}\n  {}",
            word(&alert["id"]),
            word(&alert["pattern"]),
            word(&alert["status"]),
            word(&alert["sentence"])
        )
    }));
    let as_of = &page["as_of"];
    lines.push(format!(
        "\nas of {} entries, the last received at {}",
        as_of["tree_size"],
        word(&as_of["received_at"])
    ));
    lines.join("\n")
}

fn words(list: &Value) -> String {
    let words: Vec<&str> = list.as_array().into_iter().flatten().map(word).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}
