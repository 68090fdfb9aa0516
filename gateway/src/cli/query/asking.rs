//! Where the ledger is, which part of a list is wanted, and in which form.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::super::Failure;
use super::super::output::Output;
use super::super::reference::said_or_read;
use crate::reading::ReadingClient;

/// A time span of events.
#[derive(Args)]
pub(super) struct Span {
    /// From this time on, like 2026-03-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Up to this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

/// Where the ledger is.
#[derive(Args)]
#[command(next_help_heading = "Where the ledger is")]
pub(super) struct Place {
    /// The address of the running ledger.
    #[arg(long, env = "GOLDENTHREAD_URL", default_value = "http://127.0.0.1:8620")]
    url: String,
    /// A file that holds the token. [default: the environment's `GOLDENTHREAD_TOKEN`]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// What you read for, where the token does not say it; it is recorded.
    #[arg(long, env = "GOLDENTHREAD_PURPOSE", value_name = "PURPOSE", value_parser = codes(gt_schemas::AccessPurpose::CODES))]
    read_for: Option<String>,
}

/// Which part of a list.
#[derive(Args)]
#[command(next_help_heading = "Which part, and in which form")]
pub(super) struct Asking {
    /// Answer as the ledger stood at this time (of receipt), like 2026-03-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// The most rows: 1 to 500. [default: 100]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// Go on where an earlier answer ended: its `next`.
    #[arg(long)]
    cursor: Option<String>,
    /// From the other end of the list: the latest first, where it is by time.
    #[arg(long)]
    newest_first: bool,
    /// The form of the answer. [default: table; with --json, json]
    #[arg(long)]
    format: Option<Format>,
    #[command(flatten)]
    place: Place,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for a person to read; the most telling ones.
    Table,
    /// One JSON value, with what the answer reflects.
    Json,
    /// All columns, comma-separated with a header row, for spreadsheets.
    Csv,
    /// One JSON value a line and row.
    Ndjson,
}

/// What is asked.
pub(super) struct Question {
    pub(super) path: String,
    pub(super) parameters: Vec<(&'static str, Option<String>)>,
    /// The columns of the table.
    pub(super) columns: &'static [&'static str],
}

impl Question {
    /// A part of a list.
    pub(super) fn list(path: impl Into<String>, columns: &'static [&'static str]) -> Self {
        Self { path: path.into(), parameters: Vec::new(), columns }
    }

    /// Narrows it, where a value is given.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.parameters.push((name, value.map(|value| value.to_string())));
        self
    }

    /// Narrows it to a span of time.
    pub(super) fn within(self, span: &Span) -> Self {
        self.with("from", span.from.as_ref()).with("to", span.to.as_ref())
    }
}

impl Place {
    pub(super) fn client(&self) -> Result<ReadingClient, Failure> {
        Ok(ReadingClient::new(&self.url, self.token_file.as_deref())?.with_purpose(self.read_for.clone()))
    }
}

impl Asking {
    pub(super) fn client(&self) -> Result<ReadingClient, Failure> {
        self.place.client()
    }

    /// The opaque reference of a child or another person, if one is named.
    pub(super) fn person(&self, text: Option<&str>) -> Result<Option<String>, Failure> {
        text.map(|text| self.reference(text, "pseudonym", |text| text.contains(':'))).transpose()
    }

    /// The opaque reference of a place or another context, if one is named.
    pub(super) fn context(&self, text: Option<&str>) -> Result<Option<String>, Failure> {
        text.map(|text| self.reference(text, "context", |text| text.contains(':'))).transpose()
    }

    /// The opaque reference of an agreement, if one is named.
    pub(super) fn agreement(&self, text: Option<&str>) -> Result<Option<String>, Failure> {
        let is_named = |text: &str| gt_ledger::record::ContextId::parse(text).is_none();
        text.map(|text| self.reference(text, "agreement", is_named)).transpose()
    }

    /// Pseudonyms and references of places have a colon; the opaque references of answers have none. `-` is read from standard input.
    fn reference(&self, text: &str, member: &str, is_named: fn(&str) -> bool) -> Result<String, Failure> {
        let text = said_or_read(text)?;
        if !is_named(&text) {
            return Ok(text);
        }
        let answer = self.client()?.post("/v1/subjects", &json!({member: text}))?;
        let reference = answer["ref"].as_str().map(ToOwned::to_owned);
        reference.ok_or_else(|| Failure::new("the ledger gave no reference"))
    }

    /// Asks, and says the answer: `show` is for a person.
    pub(super) fn answer(
        &self,
        output: &Output,
        question: &Question,
        show: impl FnOnce(&Value) -> String,
    ) -> Result<(), Failure> {
        let format = match (self.format, output.is_json()) {
            (None, false) => Format::Table,
            (None | Some(Format::Json), true) => Format::Json,
            (Some(format), false) => format,
            (Some(_), true) => return Err(two_forms()),
        };
        let client = self.client()?;
        let parameters = self.parameters(question, format);
        match format {
            Format::Table | Format::Json => {
                let get = |parameters: &[_]| Ok(client.get(&question.path, parameters)?);
                let answer = filled(parameters, self.limit.unwrap_or(USUAL_LIMIT), get)?;
                let output = if format == Format::Json { &Output::new(true) } else { output };
                output.say(&answer, || show(&answer));
            }
            Format::Csv | Format::Ndjson => {
                let (text, next) = client.get_text(&question.path, &parameters)?;
                Output::text(&text);
                if let Some(cursor) = next {
                    Output::aside(&format!("more: --cursor {cursor}"));
                }
            }
        }
        Ok(())
    }

    fn parameters(&self, question: &Question, format: Format) -> Vec<(&'static str, String)> {
        let form = match format {
            Format::Table | Format::Json => None,
            Format::Csv => Some("csv".to_owned()),
            Format::Ndjson => Some("ndjson".to_owned()),
        };
        let part = [
            ("as_of", self.as_of.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
            ("newest_first", self.newest_first.then(|| "true".to_owned())),
            ("format", form),
        ];
        let given = part.into_iter().chain(question.parameters.iter().cloned());
        given.filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// `--json` beside a `--format` that is none.
pub(super) fn two_forms() -> Failure {
    Failure::new("--json and --format say different things; leave one of them out")
}

/// How many rows the ledger gives if nobody says.
const USUAL_LIMIT: usize = 100;
/// A ledger looks at some ten thousand rows for a page, so this is more than any has.
const MOST_PAGES: usize = 10_000;

/// A page with as many rows as were wanted. The ledger ends a long search early, with few rows or none and a cursor to go on from; a
/// person who reads "nothing found" must be able to rely on it.
fn filled(
    mut parameters: Vec<(&'static str, String)>,
    wanted: usize,
    mut get: impl FnMut(&[(&'static str, String)]) -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    let mut answer = get(&parameters)?;
    for _ in 0..MOST_PAGES {
        let (Some(found), Some(next)) = (answer["items"].as_array(), answer["next"].as_str()) else { break };
        if found.len() >= wanted {
            break;
        }
        let (left, cursor) = (wanted - found.len(), next.to_owned());
        parameters.retain(|(name, _)| !["limit", "cursor"].contains(name));
        parameters.extend([("limit", left.to_string()), ("cursor", cursor)]);
        let mut more = get(&parameters)?;
        if let (Some(items), Value::Array(further)) = (answer["items"].as_array_mut(), more["items"].take()) {
            items.extend(further);
        }
        answer["next"] = more["next"].take();
    }
    Ok(answer)
}

/// Takes these codes and no others, and lists them in the help.
pub(super) fn codes(codes: &'static [&'static str]) -> PossibleValuesParser {
    PossibleValuesParser::new(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages as a ledger gives them, and what each was asked with.
    fn ask(wanted: usize, pages: Vec<Value>) -> (Value, Vec<Vec<(&'static str, String)>>) {
        let (mut pages, mut asked) = (pages.into_iter(), Vec::new());
        let get = |parameters: &[(&'static str, String)]| {
            asked.push(parameters.to_vec());
            pages.next().ok_or_else(|| Failure::new("asked too often"))
        };
        let answer = filled(vec![("as_of", "then".to_owned())], wanted, get);
        (answer.unwrap_or_else(|_| panic!("asked too often")), asked)
    }

    #[test]
    fn a_search_that_ended_early_goes_on_until_the_page_is_full() {
        let pages = vec![
            json!({"as_of": 1, "items": [], "next": "a"}),
            json!({"as_of": 2, "items": [1, 2], "next": "b"}),
            json!({"as_of": 3, "items": [3], "next": "c"}),
        ];
        let (answer, asked) = ask(3, pages);
        assert_eq!(answer, json!({"as_of": 1, "items": [1, 2, 3], "next": "c"}));
        let text = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        assert_eq!(asked[1], text(&[("as_of", "then"), ("limit", "3"), ("cursor", "a")]));
        assert_eq!(asked[2], text(&[("as_of", "then"), ("limit", "1"), ("cursor", "b")]));
    }

    #[test]
    fn a_full_page_and_the_end_of_a_list_are_asked_for_once() {
        for page in
            [json!({"items": [1, 2], "next": "a"}), json!({"items": [1], "next": null}), json!({"size": 7})]
        {
            let (answer, asked) = ask(2, vec![page.clone()]);
            assert_eq!((answer, asked.len()), (page, 1));
        }
    }
}
