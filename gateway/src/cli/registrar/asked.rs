//! What is registered, as the folder or the running ledger has it.

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::note::VerifierKey;
use gt_core::registry::{LedgerKeys, Registry};
use gt_core::statement::PublisherId;
use serde_json::Value;

use super::super::Failure;
use crate::outbox::Pin;
use crate::reading::{ReadingClient, ReadingError};

/// Who knows what is registered.
pub(in crate::cli) enum Asked<'a> {
    /// The folder of this machine.
    Here(&'a Registry),
    /// A running ledger, and how it described itself.
    There { reader: &'a ReadingClient, pin: &'a Pin },
}

/// A publisher as it is registered.
pub(in crate::cli) struct Enrolled {
    pub(in crate::cli) agency: String,
    pub(in crate::cli) name: String,
    /// The entry that revoked it.
    pub(in crate::cli) revoked_at: Option<u64>,
}

impl Asked<'_> {
    /// A publisher; none if it is not registered. The registrar is none.
    pub(in crate::cli) fn publisher(&self, id: &PublisherId) -> Result<Option<Enrolled>, Failure> {
        match self {
            Self::Here(registry) => Ok(registry.publisher(id).map(|publisher| Enrolled {
                agency: publisher.agency.to_string(),
                name: publisher.name.clone(),
                revoked_at: publisher.revoked.map(|(index, _)| index.0),
            })),
            Self::There { reader, .. } => match reader.get(&format!("/v1/publishers/{id}"), &[]) {
                Ok(described) => Enrolled::read(&described)
                    .map(Some)
                    .ok_or_else(|| Failure::new("the ledger's answer is no description of a publisher")),
                Err(ReadingError::Refused { status: 404, .. }) => Ok(None),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// The keys that sign the ledger's checkpoints.
    pub(super) fn verifier_keys(&self) -> &[VerifierKey] {
        match self {
            Self::Here(registry) => &registry.ledger_keys().verifier_keys,
            Self::There { pin, .. } => &pin.verifier_keys,
        }
    }

    /// The registrar's and the recovery key. A running ledger does not tell them.
    pub(super) fn ledger_keys(&self) -> Option<&LedgerKeys> {
        match self {
            Self::Here(registry) => Some(registry.ledger_keys()),
            Self::There { .. } => None,
        }
    }
}

impl Enrolled {
    fn read(described: &Value) -> Option<Self> {
        let text = |member: &str| Some(described.get(member)?.as_str()?.to_owned());
        let revoked_at = match described.get("revoked") {
            None | Some(Value::Null) => None,
            Some(revoked) => Some(revoked.get("at_entry")?.as_u64()?),
        };
        Some(Self { agency: text("agency")?, name: text("name")?, revoked_at })
    }

    /// Whether it signs what the ledger itself says.
    pub(in crate::cli) fn is_ledgers_own(&self) -> bool {
        self.agency == AgencyCode::service().as_str()
    }
}

/// The registrar's id, as a running ledger has it.
pub(super) fn registrar_of(reader: &ReadingClient) -> Result<PublisherId, Failure> {
    let described = reader.get("/v1/ledger", &[])?;
    let id = described.get("registrar").and_then(Value::as_str).and_then(|text| Hash::parse(text).ok());
    id.ok_or_else(|| Failure::new("the ledger does not say who its registrar is; is it a ledger's address?"))
}
