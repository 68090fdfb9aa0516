use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use gt_core::erasure::GROUNDS;
use gt_ledger::erasure::EraseError;
use gt_ledger::keyring::{ConfirmError, RotateError};
use gt_ledger::layout;
use gt_ledger::open::need_ledger;
use gt_projections::Projector;
use serde_json::{Value, json};

use super::keys_at::Kept;
use super::output::Output;
use super::reference::said_or_read;
use super::where_at::{Reached, WhereAt};
use super::witness::{SERVE_IT, need_no_witness};
use super::{Failure, Outcome};
use crate::control::{self, Request};
use crate::follow::with_views;

/// Destroy the keys of what is sealed about somebody. The log goes on proving what it proved; docs/ERASURE.md says what is left.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  goldenthread erase --child - --authority gss:E06000999 --ground EnteredInError --data ledger
  goldenthread erase --child REF --authority gss:E06000999 --ground CourtOrder --url https://ledger.example --token-file token
  goldenthread erase status --url https://ledger.example --token-file token"
)]
pub(crate) struct Erase {
    #[command(subcommand)]
    command: Option<After>,
    /// Whom: the opaque id that the views show, a pseudonym, or - to read it from standard input, where no list of processes shows it.
    /// Identifiers that are joined to it are erased with it.
    #[arg(long, allow_hyphen_values = true, value_name = "REF", required = true)]
    child: Option<String>,
    /// The agency that decided on it.
    #[arg(long, value_name = "CODE", required = true)]
    authority: Option<String>,
    /// Why.
    #[arg(long, value_name = "CODE", required = true, value_parser = PossibleValuesParser::new(GROUNDS))]
    ground: Option<String>,
    /// End the signed statements about the person too, and with them the knowledge which entries they are.
    #[arg(long)]
    records: bool,
    #[command(flatten)]
    at: WhereAt,
}

#[derive(Subcommand)]
enum After {
    /// Say that every copy of a retired key-encryption key is destroyed: in escrow, and wherever else there was one.
    Confirm {
        /// The fingerprint of the key, or the entry of its erasure.
        #[arg(value_name = "KEY|ENTRY")]
        what: String,
        #[command(flatten)]
        at: WhereAt,
    },
    /// List the key-encryption keys that were retired, and which of them are confirmed destroyed.
    Status {
        #[command(flatten)]
        at: WhereAt,
    },
}

impl Erase {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self.command {
            Some(After::Confirm { what, at }) => {
                let done = ask(at, &Request::Confirm { what })?;
                output.say(&done, || {
                    format!(
                        "Confirmed: every copy of the key-encryption key {} is destroyed.",
                        text(&done["kek"])
                    )
                });
            }
            Some(After::Status { at }) => {
                let done = ask(at, &Request::Retired)?;
                output.say(&done, || status(&done));
            }
            None => {
                let (at, request) = self.request()?;
                let done = ask(at, &request)?;
                output.say(&done, || sentences(&done));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn request(self) -> Result<(WhereAt, Request), Failure> {
        let (Some(child), Some(authority), Some(ground)) = (self.child, self.authority, self.ground) else {
            return Err(Failure::new("say whom to erase, and who decided on it: goldenthread erase --help"));
        };
        let whom = said_or_read(&child)?;
        let scope = if self.records { "records" } else { "data" }.to_owned();
        Ok((self.at, Request::Erase { whom, scope, authority, ground }))
    }
}

/// Has it done where the ledger is. The answer is the same whichever way it is asked.
fn ask(at: WhereAt, request: &Request) -> Result<Value, Failure> {
    let client = match at.reach()? {
        Reached::Folder(kept) => return carry_out(&kept, request),
        Reached::Served(client) => client,
    };
    Ok(match request {
        Request::Erase { whom, scope, authority, ground } => {
            let body = json!({"child": whom, "authority": authority, "ground": ground, "scope": scope});
            client.post("/v1/erasures", &body)?
        }
        Request::Confirm { what } if what.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            client.post(&format!("/v1/erasures/{what}/confirmations"), &json!({}))?
        }
        Request::Confirm { .. } => return Err(ConfirmError::Unknown.into()),
        Request::Retired => client.get("/v1/erasures", &[])?["items"].take(),
        Request::RotateKek
        | Request::RecordReading(_)
        | Request::RetentionDue { .. }
        | Request::RetentionRun { .. } => {
            return Err(Failure::new(
                "this is done on the ledger's own machine: name the folder with --data",
            ));
        }
    })
}

/// Has the ledger that runs on the folder do it, or opens the folder.
pub(super) fn carry_out(kept: &Kept, request: &Request) -> Result<Value, Failure> {
    need_ledger(&kept.data)?;
    if let Some(answer) = control::ask(&kept.data, request)? {
        return Ok(answer?);
    }
    if kept.data.join(layout::position()).exists() {
        return Err(match request {
            Request::RotateKek => RotateError::FollowsStream.into(),
            Request::Confirm { .. } | Request::Retired => ConfirmError::FollowsStream.into(),
            Request::Erase { .. }
            | Request::RecordReading(_)
            | Request::RetentionDue { .. }
            | Request::RetentionRun { .. } => EraseError::FollowsStream.into(),
        });
    }
    if request.erases() {
        need_no_witness(&kept.data, SERVE_IT)?;
    }
    let ledger = kept.open()?;
    let done = if request.asks_views() {
        with_views(&ledger, |views| request.carry_out(&ledger, Some(views)))??
    } else {
        request.carry_out(&ledger, None)?
    };
    if request.erases() {
        // They hold no text and no pseudonym, but what was derived. The next start folds them anew.
        Projector::discard(&kept.data.join("views"))?;
    }
    Ok(done)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn sentences(done: &Value) -> String {
    let owners: Vec<&str> = done["owners"].as_array().into_iter().flatten().map(text).collect();
    let what = if done["scope"] == "records" { "data and records" } else { "data" };
    format!(
        "Erased: the {what} of {} in {} entries. Sealed in entry {}.\n\
         \n\
         Still to be destroyed by people: every copy of the key-encryption key {old} (escrow, other machines). Until then a\n\
         backup from before this erasure, together with that key, reveals what was erased. The key in force is {new}: put it\n\
         into escrow (goldenthread kek escrow). Then:\n\
         \n\
         goldenthread erase confirm {index} --data …",
        owners.join(", "),
        done["entries"],
        done["index"],
        old = text(&done["retired"]["kek"]),
        new = text(&done["kek"]),
        index = done["index"],
    )
}

fn status(list: &Value) -> String {
    let lines: Vec<String> = list.as_array().into_iter().flatten().map(line).collect();
    if lines.is_empty() { "No key-encryption key was retired.".to_owned() } else { lines.join("\n") }
}

fn line(one: &Value) -> String {
    let why = match &one["erasure"] {
        Value::Null => "renewed".to_owned(),
        index => format!("erasure in entry {index}"),
    };
    let nodes: Vec<String> = one["pending_nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| format!("{} ({})", text(&node["node"]), text(&node["name"])))
        .collect();
    let state = match &one["confirmed_at"] {
        _ if !nodes.is_empty() => format!("pending: not confirmed by {}", nodes.join(", ")),
        Value::Null => "pending: copies may exist".to_owned(),
        at => format!("destroyed, confirmed {}", text(at)),
    };
    format!("{}  retired {}  {why}  {state}", text(&one["kek"]), text(&one["retired_at"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_must_still_do_is_said() {
        let said = sentences(&json!({
            "owners": ["a", "b"], "entries": 3, "index": 9, "scope": "data", "kek": "new", "retired": {"kek": "old"}
        }));
        for part in ["a, b in 3 entries", "key-encryption key old", "is new", "erase confirm 9"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(status(&json!([{"kek": "k", "retired_at": "t", "erasure": 4}])).contains("entry 4  pending"));
        let waits = json!([{"kek": "k", "retired_at": "t", "confirmed_at": "t", "pending_nodes": [{"node": "n", "name": "gt-2:data"}]}]);
        assert!(status(&waits).ends_with("pending: not confirmed by n (gt-2:data)"));
    }
}
