use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::output::{Output, table};
use super::{Failure, Outcome};
use crate::reading::ReadingClient;

/// Where the ledger is, and which part of a list is wanted.
#[derive(Args)]
struct Asking {
    /// The address of the running ledger.
    #[arg(long, env = "GOLDENTHREAD_URL", default_value = "http://127.0.0.1:8620")]
    url: String,
    /// A file that holds the token. [default: the environment's `GOLDENTHREAD_TOKEN`]
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Answer as the ledger stood at this time (of receipt), like 2026-03-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// The most rows.
    #[arg(long)]
    limit: Option<usize>,
    /// Go on where an earlier answer ended: its `next`.
    #[arg(long)]
    cursor: Option<String>,
    /// The latest first.
    #[arg(long)]
    newest_first: bool,
}

/// What can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// Decisions to share or withhold.
    Decisions,
    /// Everything about one child, in the order in which it happened.
    Timeline,
    /// One child's missing episodes.
    Episodes,
    /// The children linked to one place or other context.
    Location,
    /// The systems that may sign, and those that no longer may.
    Publishers,
    /// Forks of publishers' chains and the like.
    Integrity,
}

#[derive(Args)]
pub(crate) struct Query {
    /// What to ask for.
    view: View,
    /// A child: its pseudonym, or its reference in another answer.
    #[arg(long)]
    child: Option<String>,
    /// A place or another context: as agencies write it (uprn.1:…), or its reference in another answer.
    #[arg(long)]
    location: Option<String>,
    /// Decisions of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Decisions with this outcome: `Share`, `SharePart`, `Withhold`.
    #[arg(long)]
    decision: Option<String>,
    /// Decisions with this harm level.
    #[arg(long)]
    harm_level: Option<String>,
    /// Decisions about sharing with this agency.
    #[arg(long)]
    recipient: Option<String>,
    /// From this time on.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Up to this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct Alerts {
    /// Alerts of this pattern: repeat-missing, shared-location.
    #[arg(long)]
    pattern: Option<String>,
    /// Alerts about this child: its pseudonym, or its reference in another answer.
    #[arg(long)]
    child: Option<String>,
    /// Alerts with this status: open, retracted.
    #[arg(long)]
    status: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

impl Asking {
    fn client(&self) -> Result<ReadingClient, Failure> {
        Ok(ReadingClient::new(&self.url, self.token_file.as_deref())?)
    }

    fn part(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("as_of", self.as_of.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
            ("newest_first", self.newest_first.then(|| "true".to_owned())),
        ]
    }
}

fn given(parameters: Vec<(&str, Option<String>)>) -> Vec<(&str, String)> {
    parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Pseudonyms and place references have a colon; the opaque references of answers have none.
fn reference(client: &ReadingClient, text: &str, member: &str) -> Result<String, Failure> {
    if !text.contains(':') {
        return Ok(text.to_owned());
    }
    let answer = client.post("/v1/subjects", &json!({member: text}))?;
    answer["ref"].as_str().map(ToOwned::to_owned).ok_or_else(|| Failure::new("the ledger gave no reference"))
}

impl Query {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let client = self.asking.client()?;
        let need = |value: &Option<String>, name: &str| {
            value.clone().ok_or_else(|| Failure::new(format!("this view needs --{name}")))
        };
        let mut parameters = self.asking.part();
        let path = match self.view {
            View::Decisions => {
                let child =
                    self.child.as_deref().map(|child| reference(&client, child, "pseudonym")).transpose()?;
                parameters.extend([
                    ("child", child),
                    ("agency", self.agency.clone()),
                    ("decision", self.decision.clone()),
                    ("harm_level", self.harm_level.clone()),
                    ("recipient", self.recipient.clone()),
                ]);
                "/v1/decisions".to_owned()
            }
            View::Timeline | View::Episodes => {
                let child = reference(&client, &need(&self.child, "child")?, "pseudonym")?;
                let part = if self.view == View::Timeline { "timeline" } else { "episodes" };
                format!("/v1/children/{child}/{part}")
            }
            View::Location => {
                format!(
                    "/v1/locations/{}",
                    reference(&client, &need(&self.location, "location")?, "context")?
                )
            }
            View::Publishers => "/v1/publishers".to_owned(),
            View::Integrity => "/v1/integrity".to_owned(),
        };
        if matches!(self.view, View::Publishers | View::Integrity) {
            parameters.clear();
        } else {
            parameters.extend([("from", self.from.clone()), ("to", self.to.clone())]);
        }
        let answer = client.get(&path, &given(parameters))?;
        output.say(&answer, || show(&answer, columns(self.view)));
        Ok(ExitCode::SUCCESS)
    }
}

impl Alerts {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let client = self.asking.client()?;
        let child = self.child.as_deref().map(|child| reference(&client, child, "pseudonym")).transpose()?;
        let mut parameters = self.asking.part();
        parameters.extend([
            ("pattern", self.pattern.clone()),
            ("child", child),
            ("status", self.status.clone()),
        ]);
        let answer = client.get("/v1/alerts", &given(parameters))?;
        output.say(&answer, || show_alerts(&answer));
        Ok(ExitCode::SUCCESS)
    }
}

const fn columns(view: View) -> &'static [&'static str] {
    match view {
        View::Decisions => {
            &["index", "occurred_at", "agency", "decision", "harm_level", "recipients", "child"]
        }
        View::Timeline => &["index", "occurred_at", "received_at", "agency", "type", "codes"],
        View::Episodes => &["started_at", "ended_at", "kind", "state", "risk", "agencies", "entries"],
        View::Location => &["index", "occurred_at", "agency", "kind", "risk", "child"],
        View::Publishers => &["publisher", "agency", "kind", "name", "revoked"],
        View::Integrity => {
            &["pattern", "publisher", "agency", "entry", "suspect_from", "seq", "sealed", "refused"]
        }
    }
}

fn show(answer: &Value, columns: &[&str]) -> String {
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Vec<String>> =
        items.iter().map(|item| columns.iter().map(|column| cell(&item[*column])).collect()).collect();
    let body = if rows.is_empty() { "Nothing found.".to_owned() } else { table(columns, &rows) };
    format!("{body}\n\n{}", footing(answer))
}

/// Alerts as sentences: a person is asked to look, so a person can read them.
pub(crate) fn show_alerts(answer: &Value) -> String {
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<String> = items
        .iter()
        .map(|alert| {
            format!(
                "{}  {}  {}\n  {}\n  entries {}  about {} {}",
                cell(&alert["id"]),
                cell(&alert["pattern"]),
                cell(&alert["status"]),
                cell(&alert["sentence"]),
                cell(&alert["entries"]),
                cell(&alert["subject"]["kind"]),
                cell(&alert["subject"]["id"]),
            )
        })
        .collect();
    if lines.is_empty() {
        lines.push("No alerts.".to_owned());
    }
    lines.push(footing(answer));
    lines.join("\n\n")
}

fn footing(answer: &Value) -> String {
    let as_of = &answer["as_of"];
    let reflects = if as_of.is_null() {
        String::new()
    } else {
        format!(
            "as of {} entries, the last received at {}",
            cell(&as_of["tree_size"]),
            cell(&as_of["received_at"])
        )
    };
    let more = answer["next"].as_str().map(|next| format!("\nmore: --cursor {next}")).unwrap_or_default();
    reflects + &more
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name}={}", cell(value)))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}
