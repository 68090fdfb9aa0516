//! The end of a publisher.

use std::process::ExitCode;

use clap::Args;
use gt_core::Hash;
use gt_core::json::Value;
use gt_core::statement::PublisherId;
use gt_core::time::Timestamp;
use serde_json::json;

use super::output::Output;
use super::registrar::{Enrolled, Registrar, Turn};
use super::{Failure, Outcome};

#[derive(Args)]
#[command(after_help = "\
Example:
  goldenthread revoke --url https://ledger.example --registrar registrar.jwk --publisher ID --reason key_compromise --suspect-from 2026-03-01T00:00:00Z")]
pub(crate) struct Revoke {
    #[command(flatten)]
    registrar: Registrar,
    // An id may begin with a hyphen, as base64url may.
    /// The publisher's id, as `register` printed it and `query publishers` lists it.
    #[arg(long, value_name = "ID", value_parser = publisher_id, allow_hyphen_values = true)]
    publisher: PublisherId,
    /// Why, in a word: `key_compromise`, `key_lost`, `replaced`, `left` …
    #[arg(long, value_name = "WORD", value_parser = reason)]
    reason: String,
    /// Since when what the ledger received from it is in doubt, like 2026-03-01T20:15:00Z; this raises an alert, and cannot be added later.
    #[arg(long, value_name = "TIME", value_parser = time)]
    suspect_from: Option<Timestamp>,
}

fn publisher_id(text: &str) -> Result<PublisherId, String> {
    Hash::parse(text).map_err(|_| "a publisher's id is 43 characters of base64url".to_owned())
}

fn reason(text: &str) -> Result<String, String> {
    let is_word =
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { Ok(text.to_owned()) } else { Err("one word in lower case, [a-z_]{1,32}".to_owned()) }
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

impl Revoke {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let mut publisher = None;
        let index = self.registrar.seal(|turn| {
            publisher = Some(self.to_be_revoked(turn)?);
            Ok(turn.statement("publisher.revoked", self.members())?)
        })?;
        let Enrolled { agency, name, .. } = publisher.expect("what is sealed was signed");
        let id = self.publisher.to_string();
        output.say(&json!({"publisher": id, "agency": agency, "index": index}), || {
            let doubt = self.suspect_from.map_or_else(String::new, |since| {
                format!("\nWhat the ledger received from it since {since} is in doubt.")
            });
            format!(
                "{name} of {agency} is revoked by entry {index}, and not heard from the entry after it.{doubt}\npublisher  {id}"
            )
        });
        Ok(ExitCode::SUCCESS)
    }

    /// The publisher, if it can be revoked. A revocation is final, so what is a mistake is refused before anything is signed.
    fn to_be_revoked(&self, turn: &Turn<'_>) -> Result<Enrolled, Failure> {
        let id = self.publisher;
        if id == turn.id {
            return Err(Failure::new(
                "this is the registrar itself; `goldenthread registrar replace` replaces its key",
            ));
        }
        let Some(publisher) = turn.asked.publisher(&id)? else {
            return Err(Failure::new(format!(
                "no publisher {id} is registered here; `goldenthread query publishers` lists those that are"
            )));
        };
        let (name, agency) = (&publisher.name, &publisher.agency);
        if let Some(index) = publisher.revoked_at {
            return Err(Failure::new(format!(
                "{name} of {agency} is revoked already, by entry {index}, and a revocation is final"
            )));
        }
        // Nobody can be registered in its place (`reserved_agency`).
        if publisher.is_ledgers_own() {
            return Err(Failure::new(
                "this is the ledger's own publisher, without which it can neither erase nor let anybody read, and there is no second one",
            ));
        }
        if self.suspect_from.is_some_and(|since| since.as_seconds() > turn.iat) {
            return Err(Failure::new("--suspect-from lies ahead, and a revocation is final"));
        }
        Ok(publisher)
    }

    fn members(&self) -> Vec<(&'static str, Value)> {
        let mut members = vec![
            ("publisher", Value::String(self.publisher.to_string())),
            ("reason", Value::from(self.reason.as_str())),
        ];
        members.extend(self.suspect_from.map(|since| ("suspect_from", Value::String(since.to_string()))));
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_word_as_the_registry_reads_it() {
        for word in ["left", "key_compromise", "_", "abcdefghijklmnopqrstuvwxyzabcdef"] {
            assert_eq!(reason(word), Ok(word.to_owned()));
        }
        for other in ["", "Left", "key lost", "key-lost", "key2", "abcdefghijklmnopqrstuvwxyzabcdefg"] {
            assert!(reason(other).is_err_and(|said| said.contains("[a-z_]{1,32}")), "{other}");
        }
    }
}
