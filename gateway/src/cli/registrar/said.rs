//! Refusals of the registrar's statements, in the words of the commands that make them.

use gt_core::registry::{RegistryError, RegistryEvent};
use gt_core::statement::Statement;
use gt_ledger::private_keys::is_token_uri;

use super::super::Failure;
use super::{Role, Signing};

/// Refuses what the ledger would refuse by the name of a member: people know the arguments.
pub(super) fn check(statement: &Statement) -> Result<(), Failure> {
    match RegistryEvent::read(statement.payload()) {
        Err(RegistryError::Member { member: "kind" }) => Err(Failure::new(
            "--kind is one word in lower case, [a-z_]{1,32}: council, police, health, school, housing, charity …",
        )),
        Err(RegistryError::Member { member: "name" }) => Err(Failure::new(
            "--name is the system's name, for people: not empty, at most 200 bytes, and all on one line",
        )),
        // Everything else is the ledger's to say.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What a refusal with this code means for who signed; none where the ledger's own sentence says it.
pub(super) fn of_refusal(code: &str, signing: &Signing) -> Option<String> {
    match code {
        "key_not_in_force" => Some(format!("{} is not this ledger's {}", signing.named(), signing.role())),
        "not_endorsed" => Some(
            "this agency has a key already: a further one needs the signature of one that is valid, which `goldenthread keygen --endorse-with KEY` adds; `goldenthread register --recovery` enrols it without, and raises an alert"
                .to_owned(),
        ),
        // The recovery key stays in force as what it is, so the registrar's key in its place is seen as a new one.
        "key_seen_before" if matches!(signing.role, Role::Recovery) => Some(format!(
            "a new key must be one that this ledger has never known; or {} is not its recovery key",
            signing.named()
        )),
        _ => None,
    }
}

/// What is to be done where the ledger at this address has not said whether it has sealed a statement.
pub(super) fn of_silence(statement: &Statement, url: &str, last: &str) -> Failure {
    let shows = match statement.payload().event_type.as_str() {
        "ledger.configured" => Some("configure --show"),
        // A running ledger does not tell its registrar's keys; what was replaced is refused the next time.
        "ledger.rotated" => None,
        _ => Some("query publishers"),
    };
    let look = shows.map_or_else(String::new, |command| {
        format!(", and look with `goldenthread {command} --url {url}` whether it has,")
    });
    Failure::new(format!(
        "the ledger gave no answer ({last}), and may still seal what was sent. Wait a minute, and until it answers again{look} before you run the same command anew: that signs another statement in the same place, which passes for a copied key if the first one is sealed"
    ))
}

impl Signing {
    /// The key by its file; what names a token may hold what should not be shown.
    fn named(&self) -> String {
        if is_token_uri(&self.file) {
            "the key on the token".to_owned()
        } else {
            self.file.display().to_string()
        }
    }

    const fn role(&self) -> &'static str {
        match self.role {
            Role::Registrar => "registrar's key",
            Role::Recovery => "recovery key",
        }
    }
}
