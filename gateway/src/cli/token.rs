use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use gt_core::agency::AgencyCode;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_ledger::secrets::folder_of;
use gt_schemas::AccessPurpose;
use serde_json::{Value, json};

use super::key_access::{KeyArgs, NewKeyArgs};
use super::output::{Output, table};
use super::{Failure, Outcome};
use crate::access::now_seconds;
use crate::access::reader::{ROLES, Reader, role_name, role_named};
use crate::access::token::TokenAuthority;

/// Tokens for reading.
#[derive(Subcommand)]
pub(crate) enum Token {
    /// Issue a token. It is shown once and kept nowhere.
    #[command(after_help = "\
Examples:
  goldenthread token issue --data ledger --role manager --subject 'K. Adeyemi' --agency gias:999001
  goldenthread token issue --data ledger --role panel-reviewer --subject 'Review 12' --child REF --expires 30d")]
    Issue(Issue),
    /// Take a token back, by its id. Running ledgers know at once.
    Revoke(Revoke),
    /// List the tokens that were issued: to whom, as what, until when.
    List(List),
}

/// Where the key is that signs tokens.
#[derive(Args)]
struct Place {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// Where the keys are. [default: the data folder's name with .secrets]
    #[arg(long)]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
}

#[derive(Args)]
pub(crate) struct Issue {
    #[command(flatten)]
    place: Place,
    /// As what the holder reads.
    #[arg(long, value_parser = PossibleValuesParser::new(ROLES.map(|(_, name)| name)))]
    role: String,
    /// The holder's name; it is sealed with each read.
    #[arg(long)]
    subject: String,
    /// The agency of a practitioner or a manager, like police:32. A data protection officer with one erases on its authority alone.
    #[arg(long, value_parser = |text: &str| AgencyCode::parse(text))]
    agency: Option<AgencyCode>,
    /// A practitioner's case, or a child whom a review panel reviews, by its opaque reference. May be given up to 64 times.
    #[arg(long = "child", value_name = "REF", value_parser = child, allow_hyphen_values = true)]
    children: Vec<OwnerId>,
    /// What the token may be used for. May be given several times; with one, readers need not say it each time.
    #[arg(long = "purpose", value_parser = PossibleValuesParser::new(AccessPurpose::CODES))]
    purposes: Vec<String>,
    /// For how long: 30m, 8h, 14d. At most 366 days, for a review panel 90.
    #[arg(long, default_value = "8h", value_parser = seconds)]
    expires: i64,
    #[command(flatten)]
    new: NewKeyArgs,
}

#[derive(Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    place: Place,
    /// The token's id.
    #[arg(allow_hyphen_values = true)]
    id: String,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
}

fn child(text: &str) -> Result<OwnerId, &'static str> {
    OwnerId::parse(text)
        .ok_or("a child is named by the opaque reference that POST /v1/subjects gives, 22 characters")
}

/// A span of time in seconds: a whole number and `m`, `h` or `d`.
fn seconds(text: &str) -> Result<i64, &'static str> {
    let expected = "a span is a whole number and m, h or d, like 8h";
    let unit = match text.as_bytes().last() {
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => 24 * 3600,
        _ => return Err(expected),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| expected)?;
    if number == 0 {
        return Err("a token lasts for a minute at least");
    }
    Ok(i64::from(number) * unit)
}

impl Token {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Issue(command) => command.run(output),
            Self::Revoke(command) => command.run(output),
            Self::List(command) => command.run(output),
        }
    }
}

impl Place {
    fn secrets(&self) -> PathBuf {
        self.secrets.clone().unwrap_or_else(|| folder_of(&self.data))
    }

    fn authority(&self) -> Result<TokenAuthority, Failure> {
        Ok(TokenAuthority::load_with(&self.secrets(), &self.keys.access()?)?)
    }
}

impl Issue {
    fn run(self, output: &Output) -> Outcome {
        let secrets = self.place.secrets();
        // A ledger that was made before there were such tokens has no key for them yet.
        let keys = self.place.keys.access()?;
        let authority = match TokenAuthority::load_if_there(&secrets, &keys)? {
            Some(authority) => authority,
            None => TokenAuthority::create_with(&secrets, &self.place.keys.access_for_new(&self.new)?)?,
        };
        let now = now_seconds();
        let reader = Reader {
            subject: self.subject,
            role: role_named(&self.role).ok_or_else(|| Failure::new("there is no such role"))?,
            agency: self.agency,
            children: self.children.into_iter().collect::<BTreeSet<_>>(),
            purposes: self.purposes.iter().filter_map(|code| AccessPurpose::parse(code)).collect(),
            issued_at: now,
            expires_at: now.saturating_add(self.expires),
            token: String::new(),
        };
        let (reader, token) = authority.issue(reader)?;
        let mut value = described(&reader);
        value["token"] = json!(token.as_str());
        output.say(&value, || {
            Output::aside(&format!(
                "id {}, until {}; it is shown this once",
                reader.token,
                time(reader.expires_at)
            ));
            token.to_string()
        });
        Ok(ExitCode::SUCCESS)
    }
}

impl Revoke {
    fn run(self, output: &Output) -> Outcome {
        self.place.authority()?.revoke(&self.id)?;
        output.say(&json!({"revoked": self.id}), || {
            "The token is revoked. Copy tokens.revoked to the secrets folders of the ledger's other nodes."
                .to_owned()
        });
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self, output: &Output) -> Outcome {
        let authority = self.place.authority()?;
        let now = now_seconds();
        let state = |reader: &Reader| match authority.still_good(&reader.token) {
            Err(_) => "revoked",
            Ok(()) if reader.expires_at <= now => "expired",
            Ok(()) => "good",
        };
        let issued = authority.issued()?;
        let items: Vec<Value> = issued
            .iter()
            .map(|reader| {
                let mut value = described(reader);
                value["state"] = json!(state(reader));
                value
            })
            .collect();
        output.say(&json!({"items": items}), || {
            let row = |reader: &Reader| {
                let agency = reader.agency.as_ref().map_or("", AgencyCode::as_str);
                let cells = [&reader.token, role_name(reader.role), &reader.subject, agency, state(reader)];
                let mut row: Vec<String> = cells.map(str::to_owned).to_vec();
                row.push(time(reader.expires_at));
                row
            };
            table(
                &["id", "role", "subject", "agency", "state", "until"],
                &issued.iter().map(row).collect::<Vec<_>>(),
            )
        });
        Ok(ExitCode::SUCCESS)
    }
}

fn described(reader: &Reader) -> Value {
    json!({
        "id": reader.token,
        "subject": reader.subject,
        "role": role_name(reader.role),
        "agency": reader.agency.as_ref().map(AgencyCode::as_str),
        "children": reader.children.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "purposes": reader.purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>(),
        "issued_at": time(reader.issued_at),
        "expires_at": time(reader.expires_at),
    })
}

fn time(seconds: i64) -> String {
    Timestamp::from_millis(seconds.saturating_mul(1000)).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_unit() {
        assert_eq!((seconds("30m"), seconds("8h"), seconds("14d")), (Ok(1800), Ok(28_800), Ok(1_209_600)));
        for wrong in ["", "8", "h", "-8h", "8 h", "8w", "9999999999d", "é", "0h", "00m"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
