//! Steps 2 and 3: the checkpoint, whose it is, and who has seen it.

use super::finding::{Findings, Whom};
use super::registrar::RegistrarChain;
use crate::checkpoint::SignedCheckpoint;
use crate::note::VerifierKey;
use crate::policy::Policy;
use crate::receipt::ReceiptError;
use crate::verify::{Pin, ReceiptFault};

pub(super) const PLACE: &str = "/checkpoint";

/// Reads the signed note. Without one there is nothing that the rest could lead to.
pub(super) fn read(text: &str, findings: &mut Findings) -> Option<SignedCheckpoint> {
    match SignedCheckpoint::parse(text.as_bytes()) {
        Ok(signed) => Some(signed),
        Err(error) => {
            findings.fault(ReceiptError::Checkpoint(error).code(), PLACE, Whom::Bundle);
            None
        }
    }
}

/// Holds the checkpoint against the pin, and gives the keys that signed. A pin without a genesis does not say which ledger it is.
pub(super) fn check_pin(
    signed: &SignedCheckpoint,
    pin: Option<&Pin>,
    findings: &mut Findings,
) -> Vec<VerifierKey> {
    if pin.is_none_or(|pin| pin.genesis.is_none()) {
        findings.unknown("nothing_pinned", PLACE, Whom::Bundle);
    }
    pin.map_or_else(Vec::new, |pin| check(signed, &pin.origin, &pin.verifier_keys, findings))
}

/// Without a pin: holds the checkpoint against the keys that the registrar's chain names in the end.
pub(super) fn check_named_keys(
    signed: &SignedCheckpoint,
    chain: &RegistrarChain,
    findings: &mut Findings,
) -> Vec<VerifierKey> {
    let keys = chain.registry().ledger_keys();
    check(signed, &keys.origin, &keys.verifier_keys, findings)
}

/// Holds the checkpoint against a policy, and gives the names of the policy's witnesses that cosigned.
pub(super) fn check_policy(
    signed: &SignedCheckpoint,
    policy: Option<&Policy>,
    findings: &mut Findings,
) -> Vec<String> {
    let Some(policy) = policy else { return Vec::new() };
    match policy.check(signed) {
        Ok(witnesses) => witnesses.into_iter().map(|witness| witness.name.clone()).collect(),
        Err(fault) => {
            findings.fault(fault.code(), PLACE, Whom::Bundle);
            Vec::new()
        }
    }
}

fn check(
    signed: &SignedCheckpoint,
    origin: &str,
    keys: &[VerifierKey],
    findings: &mut Findings,
) -> Vec<VerifierKey> {
    match signed.verify(origin, keys) {
        Ok(signed_by) => signed_by.into_iter().cloned().collect(),
        Err(error) => {
            findings.fault(ReceiptFault::Checkpoint(error).code(), PLACE, Whom::Bundle);
            Vec::new()
        }
    }
}
