use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gt_core::time::Timestamp;
use serde_json::{Value, json};

use super::erase::carry_out;
use super::keys_at::Kept;
use super::output::Output;
use super::where_at::{Reached, WhereAt};
use super::{Failure, Outcome};
use crate::control::Request;
use crate::reading::ReadingClient;
use crate::retention::{USUAL_LIMIT, now};

/// How long records are kept, by the rules in the configuration (`retention`).
#[derive(Subcommand)]
pub(crate) enum Retention {
    /// List whose periods have ended, by which rules, and what holds them back. It changes nothing.
    Due(Due),
    /// End what is due, texts before records, on an agency's authority. What is held stays.
    Run(Run),
}

#[derive(Args)]
pub(crate) struct Due {
    /// What is due at this time, like 2101-03-02T00:00:00Z; it may lie ahead. [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    as_of: Option<Timestamp>,
    /// The most people.
    #[arg(long, value_name = "NUMBER", default_value_t = USUAL_LIMIT)]
    limit: usize,
    /// Go on where an earlier list ended: its `next`.
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    at: WhereAt,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The agency that decided on it.
    #[arg(long, value_name = "CODE")]
    authority: String,
    /// The most people; run it again for the others.
    #[arg(long, value_name = "NUMBER", default_value_t = USUAL_LIMIT)]
    limit: usize,
    /// End only what was due at this time already; it must have come. [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    as_of: Option<Timestamp>,
    #[command(flatten)]
    kept: Kept,
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

impl Retention {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Due(due) => due.run(output),
            Self::Run(run) => run.run(output),
        }
    }
}

impl Due {
    fn run(self, output: &Output) -> Outcome {
        let at = self.as_of.unwrap_or_else(now).to_string();
        let (limit, cursor) = (self.limit, self.cursor);
        let answer = match self.at.reach()? {
            Reached::Folder(kept) => carry_out(&kept, &Request::RetentionDue { at, limit, cursor })?,
            Reached::Served(client) => asked(&client, &at, limit, cursor)?,
        };
        output.say(&answer, || list(&answer));
        Ok(ExitCode::SUCCESS)
    }
}

/// Page by page: a page may have few rows or none, and lead to a next one all the same.
fn asked(client: &ReadingClient, at: &str, limit: usize, cursor: Option<String>) -> Result<Value, Failure> {
    let (mut items, mut next) = (Vec::new(), cursor);
    loop {
        let left = limit.saturating_sub(items.len()).clamp(1, gt_projections::MAX_LIMIT);
        let mut query = vec![("at", at.to_owned()), ("limit", left.to_string())];
        query.extend(next.take().map(|cursor| ("cursor", cursor)));
        let mut answer = client.get("/v1/retention/due", &query)?;
        if let Value::Array(more) = answer["items"].take() {
            items.extend(more);
        }
        next = answer["next"].as_str().map(ToOwned::to_owned);
        if next.is_none() || items.len() >= limit {
            let configured = client.get("/v1/configuration", &[])?;
            let rules = configured["configuration"]["retention"]["rules"].as_array().map_or(0, Vec::len);
            return Ok(json!({"at": at, "rules": rules, "items": items, "next": next}));
        }
    }
}

impl Run {
    fn run(self, output: &Output) -> Outcome {
        let at = self.as_of.map(|at| at.to_string());
        let request = Request::RetentionRun { at, authority: self.authority, limit: self.limit };
        let done = carry_out(&self.kept, &request)?;
        output.say(&done, || ended(&done));
        Ok(ExitCode::SUCCESS)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn held_by(row: &Value) -> String {
    let each = |hold: &Value| format!("entry {} (until {})", hold["entry"], text(&hold["ended_by"]));
    elements(&row["held_by"]).map(each).collect::<Vec<_>>().join(", ")
}

fn list(answer: &Value) -> String {
    let mut lines: Vec<String> = elements(&answer["items"]).map(row).collect();
    if answer["rules"] == 0 {
        lines.push(
            "The configuration has no rules of retention, so everything is kept and nothing is ever due. `goldenthread configure` seals rules."
                .to_owned(),
        );
    } else if lines.is_empty() {
        lines.push(format!("Nothing is due at {}.", text(&answer["at"])));
    }
    if let Some(cursor) = answer["next"].as_str() {
        lines.push(format!("more: --cursor {cursor}"));
    }
    lines.join("\n")
}

fn row(row: &Value) -> String {
    let classes: Vec<&str> = elements(&row["classes"]).map(text).collect();
    let what = if row["ends"] == "records" { "records" } else { "texts" };
    let (child, classes, since) = (text(&row["child"]), classes.join(" "), text(&row["due_since"]));
    let mut lines = format!("{child}  {classes}  {what} due since {since}");
    for one in elements(&row["controllers"]) {
        let (agency, rule, class) = (text(&one["agency"]), &one["rule"], text(&one["class"]));
        let (first, last) = (text(&one["first_entry"]), text(&one["last_entry"]));
        // Writing to a text does not fail.
        let _ = write!(lines, "\n    {agency}: rule {rule} ({class}), entries {first} to {last}");
    }
    let held = held_by(row);
    if held.is_empty() { lines } else { format!("{lines}\n    held by {held}") }
}

fn ended(done: &Value) -> String {
    let mut lines = Vec::new();
    for one in elements(&done["erasures"]) {
        let what = if one["scope"] == "records" { "texts and records" } else { "texts" };
        lines.push(format!(
            "Entry {}: the {what} of {} identifiers in {} entries. Every copy of the key {} is still to be destroyed.",
            one["index"],
            elements(&one["owners"]).count(),
            one["entries"],
            text(&one["retired"]["kek"])
        ));
    }
    lines.extend(
        elements(&done["held"]).map(|one| format!("{}  held by {}", text(&one["child"]), held_by(one))),
    );
    let changed = elements(&done["changed"]).count();
    if changed > 0 {
        lines.push(format!("{changed} identifiers are left: something was said about them meanwhile."));
    }
    let persons = &done["persons"];
    lines.push(format!("{persons} people ended, {} held.", elements(&done["held"]).count()));
    if done["more"] == true {
        lines.push("More is due: run it again.".to_owned());
    }
    if persons != &json!(0) {
        lines.push(
            "Put the key in force into escrow (goldenthread kek escrow), destroy the copies of the old ones, and confirm each entry (goldenthread erase confirm)."
                .to_owned(),
        );
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_who_is_due_why_and_what_holds_it_back() {
        let said = list(&json!({"at": "t", "next": "c", "items": [{
            "child": "A", "classes": ["CIN", "CLA"], "ends": "data", "due_since": "2101-03-02T00:00:00Z",
            "controllers": [{"agency": "police:99", "rule": 1, "class": "CLA", "first_entry": "f", "last_entry": "l"}],
            "held_by": [{"entry": 7, "ended_by": "hold.lifted"}],
        }]}));
        for part in [
            "A  CIN CLA  texts due since 2101",
            "police:99: rule 1 (CLA)",
            "entry 7 (until hold.lifted)",
            "--cursor c",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let nothing = list(&json!({"at": "t", "rules": 2, "items": [], "next": null}));
        assert!(nothing.contains("Nothing is due at t"), "{nothing}");
        let no_rules = list(&json!({"at": "t", "rules": 0, "items": [], "next": null}));
        assert!(
            no_rules.contains("no rules of retention") && no_rules.contains("everything is kept"),
            "{no_rules}"
        );
        let said = ended(&json!({
            "persons": 2, "more": true, "held": [], "changed": ["c"],
            "erasures": [{"index": 9, "scope": "data", "owners": ["a", "b"], "entries": 5, "retired": {"kek": "old"}}],
        }));
        assert!(said.contains("Entry 9: the texts of 2 identifiers in 5 entries"), "{said}");
        assert!(said.contains("1 identifiers are left") && said.contains("run it again"), "{said}");
    }
}
