//! Another key for the registrar, and another recovery key.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use gt_core::json::Value;
use gt_core::key::PublicKey;
use gt_core::registry::LedgerKeys;
use gt_core::statement::Statement;
use serde_json::json;

use super::super::output::Output;
use super::super::{Failure, Outcome};
use super::{Asked, Registrar, Role, Turn, about};
use crate::keyfile::{self, Proof, PublicKeyFile};
use crate::outbox::Pin;

#[derive(Subcommand)]
pub(crate) enum RegistrarCommand {
    /// Replace the registrar's key by the recovery key, or either of the two by the registrar's own key.
    Replace(Replace),
}

#[derive(Args)]
#[command(
    group = ArgGroup::new("new").required(true).multiple(true).args(["new_registrar", "new_recovery"]),
    after_help = "\
Examples:
  goldenthread keygen --out registrar-2.jwk
  goldenthread registrar replace --url https://ledger.example --pin ledger.json --recovery recovery.jwk --new-registrar registrar-2.public.jwk
  goldenthread registrar replace --data ledger --new-recovery recovery-2.public.jwk"
)]
pub(crate) struct Replace {
    #[command(flatten)]
    registrar: Registrar,
    /// The recovery key, a private key or where a token has it, which signs in place of the registrar's.
    #[arg(long, value_name = "KEY", conflicts_with = "key_file")]
    recovery: Option<PathBuf>,
    /// The public key file of the registrar's next key, as `keygen` writes it.
    #[arg(long, value_name = "FILE")]
    new_registrar: Option<PathBuf>,
    /// The public key file of the next recovery key.
    #[arg(long, value_name = "FILE")]
    new_recovery: Option<PathBuf>,
    /// The ledger's pin file, ledger.json; needed with --url. What is signed names the keys of checkpoints again, and they are not taken from whoever
    /// answers there.
    #[arg(long, value_name = "FILE", required_unless_present = "data", conflicts_with = "data")]
    pin: Option<PathBuf>,
}

/// What is to be in force.
struct Next {
    registrar: PublicKey,
    recovery: PublicKey,
}

impl RegistrarCommand {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        match self {
            Self::Replace(command) => command.run(output),
        }
    }
}

impl Replace {
    fn run(self, output: &Output) -> Outcome {
        let mut kids = None;
        let sign = |turn: &Turn<'_>| {
            let next = self.next(turn)?;
            let in_force =
                |now: &LedgerKeys| now.registrar == next.registrar && now.recovery == next.recovery;
            if turn.asked.ledger_keys().is_some_and(in_force) {
                return Err(Failure::new("these keys are in force already, and nothing was sealed"));
            }
            kids = Some((next.registrar.thumbprint(), next.recovery.thumbprint()));
            self.statement(turn, &next)
        };
        let index = match &self.recovery {
            Some(file) => self.registrar.seal_as(Role::Recovery, Some(file), sign)?,
            None if self.registrar.url.is_some() && self.registrar.key_file.is_none() => {
                return Err(Failure::new(
                    "--url needs the private key that signs: --recovery FILE, or --registrar FILE",
                ));
            }
            None => self.registrar.seal(sign)?,
        };
        let (registrar, recovery) = kids.expect("what is sealed was signed");
        let value = json!({
            "index": index, "registrar_key": registrar.to_string(), "recovery_key": recovery.to_string(),
        });
        let news = |file: Option<&PathBuf>| if file.is_some() { "new" } else { "as before" };
        output.say(&value, || {
            format!(
                "Sealed by entry {index}. From the next entry on these are the keys, and none before them:\nregistrar  {registrar}  {}\nrecovery   {recovery}  {}",
                news(self.new_registrar.as_ref()),
                news(self.new_recovery.as_ref()),
            )
        });
        Ok(ExitCode::SUCCESS)
    }

    /// The keys as they are to be. Whoever signs stays, unless it is replaced.
    fn next(&self, turn: &Turn<'_>) -> Result<Next, Failure> {
        let by_recovery = self.recovery.is_some();
        let now = turn.asked.ledger_keys();
        let registrar = match &self.new_registrar {
            Some(file) => Some(read(file)?),
            None if by_recovery => now.map(|keys| keys.registrar.clone()),
            None => Some(turn.key.public_key()),
        };
        let recovery = match &self.new_recovery {
            Some(file) => Some(read(file)?),
            None if by_recovery => Some(turn.key.public_key()),
            None => now.map(|keys| keys.recovery.clone()),
        };
        let registrar = registrar.ok_or_else(|| unknown("--new-registrar"))?;
        let recovery = recovery.ok_or_else(|| unknown("--new-recovery"))?;
        if registrar == recovery {
            return Err(Failure::new(
                "the registrar's and the recovery key would be one key, which could not be replaced if it were stolen",
            ));
        }
        Ok(Next { registrar, recovery })
    }

    fn statement(&self, turn: &Turn<'_>, next: &Next) -> Result<Statement, Failure> {
        if let (Some(file), Asked::There { pin, .. }) = (&self.pin, &turn.asked) {
            same_keys(&Pin::read(file).map_err(|error| about(file, &error))?, pin)?;
        }
        let checkpoints = turn.asked.verifier_keys().iter().map(|key| Value::String(key.to_string()));
        let members = vec![
            ("origin", Value::from(turn.origin)),
            ("verifier_keys", Value::Array(checkpoints.collect())),
            ("registrar", next.registrar.to_jwk()),
            ("recovery", next.recovery.to_jwk()),
        ];
        Ok(turn.statement("ledger.rotated", members)?)
    }
}

/// A key that was made to be a publisher's is taken by mistake: what it signs elsewhere would then be signed by the registrar.
fn read(file: &Path) -> Result<PublicKey, Failure> {
    let PublicKeyFile { key, proof, endorsement: _ } =
        keyfile::read_public(file).map_err(|error| about(file, &error))?;
    match proof {
        None => Ok(key),
        Some(Proof { agency, .. }) => Err(Failure::new(format!(
            "{} is of a key that was made to be a publisher's of {agency}; make one for this with `goldenthread keygen --out FILE`, without --agency",
            file.display()
        ))),
    }
}

fn unknown(argument: &str) -> Failure {
    Failure::new(format!(
        "a running ledger does not tell which key stays, and the statement names both: give {argument} too, or use --data while no server has the folder open"
    ))
}

fn same_keys(pinned: &Pin, described: &Pin) -> Result<(), Failure> {
    if !pinned.is_same_ledger(described) {
        return Err(Failure::new("another ledger answers there than the one that the pin file names"));
    }
    if pinned.verifier_keys == described.verifier_keys {
        return Ok(());
    }
    Err(Failure::new(
        "what answers there names other keys of checkpoints than the pin file, and nothing was signed",
    ))
}
