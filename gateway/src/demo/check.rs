//! Whether what was published is all there: every receipt, and the whole data folder.

use std::collections::BTreeMap;

use gt_ledger::audit::{self, fsck};
use gt_ledger::secrets::Secrets;
use rayon::prelude::*;
use serde::Serialize;

use super::DemoError;
use super::folders::Folders;
use super::plan::CasePlace;
use super::publisher::Acknowledged;
use crate::outbox::Pin;

/// What checking the receipts came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipts {
    /// How many were checked.
    pub checked: u64,
    /// How many of them prove, under the pin, that the ledger sealed the statement that was sent.
    pub sound: u64,
    /// Why the first unsound one is none.
    pub first_fault: Option<String>,
}

/// Checks every receipt against the pin. Returned besides are the cases' entries, by their receipts.
pub(super) fn receipts<'a>(
    pin: &Pin,
    acknowledged: impl Iterator<Item = &'a Acknowledged>,
) -> (Receipts, BTreeMap<CasePlace, u64>) {
    let all: Vec<&Acknowledged> = acknowledged.collect();
    let checked: Vec<_> = all.par_iter().map(|one| pin.check_receipt(&one.receipt, &one.statement)).collect();
    let first_fault =
        checked.iter().find_map(|result| result.as_ref().err().map(|error| crate::problem::chain(error)));
    let sound = checked.iter().filter(|result| result.is_ok()).count() as u64;
    let of_cases = checked
        .into_iter()
        .zip(&all)
        .filter_map(|(result, acknowledged)| Some((acknowledged.place?, result.ok()?.0)));
    (Receipts { checked: all.len() as u64, sound, first_fault }, of_cases.collect())
}

/// Works the whole data folder out again from its entries, with its keys, and compares.
pub(super) fn folder(folders: &Folders, pin: &Pin) -> Result<audit::Report, DemoError> {
    let secrets = Secrets::load(folders.secrets())?;
    let pin = gt_core::verify::Pin {
        origin: pin.origin.clone(),
        verifier_keys: pin.verifier_keys.clone(),
        genesis: Some(pin.genesis),
    };
    Ok(fsck(folders.data(), Some(&secrets), Some(&pin)))
}

impl Receipts {
    /// Whether there were some, and all are sound.
    pub const fn are_sound(&self) -> bool {
        self.checked > 0 && self.sound == self.checked
    }
}
