use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gt_core::agency::AgencyCode;
use gt_core::{Hash, base64url};
use gt_ledger::create::{NewPublisher, registration};
use gt_schemas::{AgencyStanding, IdentifierError};
use serde_json::json;

use super::key_access::{KeyArgs, NewKeyArgs};
use super::output::Output;
use super::registrar::{Registrar, about};
use super::{Failure, Outcome};
use crate::client::LedgerClient;
use crate::keyfile::{self, PublicKeyFile};
use crate::outbox::Pin;

#[derive(Args)]
pub(crate) struct Keygen {
    /// The file for the private key, which never leaves this machine. Never overwritten.
    #[arg(long)]
    out: PathBuf,
    /// Use the key that is in --out already, or that a token has (`pkcs11:…`), and only write its public key file.
    #[arg(long)]
    existing: bool,
    /// The file for the public key. [default: --out with .public.jwk]
    #[arg(long)]
    public: Option<PathBuf>,
    /// The agency for which the key is to speak, like gss:E06000999. With it and --pin or --url, the public key file holds the
    /// proof that the registrar needs.
    #[arg(long, value_parser = agency)]
    agency: Option<AgencyCode>,
    /// The ledger's pin file, ledger.json.
    #[arg(long, conflicts_with = "url")]
    pin: Option<PathBuf>,
    /// The ledger's address, where no pin file has reached you; its answer is trusted for now.
    #[arg(long)]
    url: Option<String>,
    /// A valid key of the same agency, which vouches for this one. An agency's second key needs it.
    #[arg(long, value_name = "KEY")]
    endorse_with: Option<PathBuf>,
    #[command(flatten)]
    new: NewKeyArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

#[derive(Args)]
pub(crate) struct Register {
    #[command(flatten)]
    registrar: Registrar,
    /// The agency, like gss:E06000999, ods:RX1, police:32, gias:123456.
    #[arg(long, value_parser = agency)]
    agency: AgencyCode,
    /// The system's name, for people.
    #[arg(long)]
    name: String,
    /// What it is, in a word: council, police, health, school, housing, charity …
    #[arg(long)]
    kind: String,
    /// The public key file that `keygen --agency` wrote.
    #[arg(long)]
    key: PathBuf,
    /// Enrol a further key of the agency without the signature of one of its keys; this raises an alert.
    #[arg(long)]
    recovery: bool,
}

/// The code of an agency that is to be enrolled: one that its scheme's list could have (DOMAIN section 6).
fn agency(text: &str) -> Result<AgencyCode, String> {
    let agency = AgencyCode::parse(text).map_err(|error| error.to_string())?;
    standing(&agency).map_err(|error| format!("the agency's code {error}"))?;
    Ok(agency)
}

fn standing(agency: &AgencyCode) -> Result<AgencyStanding, IdentifierError> {
    gt_schemas::AgencyCode::parse(agency.as_str()).ok_or(IdentifierError::UnknownScheme)?.check()
}

fn warn_of_a_district(agency: &AgencyCode) {
    if standing(agency) == Ok(AgencyStanding::District) {
        tracing::warn!(%agency, "this is a district council; its county runs children's services (E10…)");
    }
}

impl Keygen {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let genesis = self.genesis()?;
        if self.agency.is_some() != genesis.is_some() {
            return Err(Failure::new(
                "a proof needs both --agency and the ledger, by --pin FILE or --url URL; without any of them a bare key is made",
            ));
        }
        let keys = if self.existing {
            self.keys.access()?
        } else {
            let keys = self.keys.access_for_new(&self.new)?;
            keyfile::generate_with(&self.out, &keys).map_err(|error| about(&self.out, &error))?;
            keys
        };
        let key = keyfile::open_signer(&self.out, &keys).map_err(|error| about(&self.out, &error))?;
        self.agency.iter().for_each(warn_of_a_district);
        let id = key.public_key().thumbprint();
        let mut public = PublicKeyFile { key: key.public_key(), proof: None, endorsement: None };
        if let (Some(agency), Some(genesis)) = (&self.agency, genesis) {
            public.proof = Some(keyfile::prove_with(key.as_ref(), genesis, &id, agency)?);
            if let Some(file) = &self.endorse_with {
                let endorser = keyfile::open_signer(file, &keys).map_err(|error| about(file, &error))?;
                public.endorsement = Some(keyfile::endorse(endorser.as_ref(), &genesis, &id, &id, agency)?);
            }
        }
        let file = self.public.clone().unwrap_or_else(|| self.out.with_extension("public.jwk"));
        keyfile::write_public(&file, &public).map_err(|error| about(&file, &error))?;
        let value = json!({"publisher": id.to_string(), "private": self.out, "public": file, "proof": public.proof.is_some()});
        output.say(&value, || {
            let next = if public.proof.is_some() {
                format!("Send {} to the ledger's registrar, who enrols it with `goldenthread register`.", file.display())
            } else {
                format!("To have it enrolled: goldenthread keygen --existing --out {} --public NEW.jwk --agency CODE --pin ledger.json", self.out.display())
            };
            format!("publisher  {id}\nprivate    {}\npublic     {}\n\n{next}", self.out.display(), file.display())
        });
        Ok(ExitCode::SUCCESS)
    }

    fn genesis(&self) -> Result<Option<Hash>, Failure> {
        if let Some(file) = &self.pin {
            return Ok(Some(Pin::read(file).map_err(|error| about(file, &error))?.genesis));
        }
        let Some(url) = &self.url else { return Ok(None) };
        Ok(Some(LedgerClient::new(url)?.describe()?.pin.genesis))
    }
}

impl Register {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        warn_of_a_district(&self.agency);
        let public = keyfile::read_public(&self.key).map_err(|error| about(&self.key, &error))?;
        let Some(proof) = &public.proof else {
            return Err(Failure::new(format!(
                "{} holds a bare key. Its owner adds the proof that it is held: goldenthread keygen --existing --out PRIVATE.jwk --public NEW.jwk --agency {} --pin ledger.json",
                self.key.display(),
                self.agency
            )));
        };
        if proof.agency != self.agency {
            return Err(Failure::new(format!(
                "the key was made for {}, not for {}",
                proof.agency, self.agency
            )));
        }
        let id = public.key.thumbprint();
        let new = NewPublisher {
            agency: &self.agency,
            name: &self.name,
            kind: &self.kind,
            key: public.key.to_jwk(),
            publisher: id,
            proof: base64url::encode(&proof.signature),
            endorsement: public.endorsement.as_ref().map(|e| (e.kid, base64url::encode(&e.signature))),
            recovery: self.recovery,
        };
        let index = self.registrar.seal(|turn| {
            same_ledger(proof.genesis, turn.genesis)?;
            Ok(registration(turn.key, turn.id, turn.origin, turn.seq, turn.prev, turn.iat, &new)?)
        })?;
        let value = json!({"publisher": id.to_string(), "agency": self.agency.as_str(), "index": index});
        output.say(&value, || {
            format!("{} is enrolled for {} by entry {index}.\npublisher  {id}", self.name, self.agency)
        });
        Ok(ExitCode::SUCCESS)
    }
}

fn same_ledger(proven: Hash, asked: Hash) -> Result<(), Failure> {
    if proven == asked {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the key was proven for the ledger with genesis {proven}, and this one has {asked}: prove it for this one, with `goldenthread keygen --existing --out KEY --agency CODE --pin ledger.json --public NEW.public.jwk`, and register that file"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agencies_are_enrolled_under_codes_that_their_lists_could_have() {
        let codes =
            ["gss:E06000999", "gss:E07000999", "gias:999001", "ods:RX1", "police:32", "charity:999001"];
        for code in codes {
            assert_eq!(agency(code).map(|agency| agency.to_string()), Ok(code.to_owned()));
        }
        for (code, rule) in [
            ("gss:E12000001", "no authority that runs children's services"),
            ("gias:12345", "wrong length"),
            ("ods:rx1", "normal form"),
            ("ledger:service", "unknown scheme"),
            ("RX1", "not an agency code"),
        ] {
            assert!(agency(code).is_err_and(|said| said.contains(rule)), "{code}");
        }
    }
}
