//! What is said of a ledger that does not open, whichever command opens it.

use std::path::Path;

use gt_core::checkpoint::VerifyCheckpointError;
use gt_ledger::open::OpenLedgerError;

use super::Failure;
use crate::problem::chain;

/// The error; if data and secrets are of two ledgers, that they are, and of a damaged folder with what to do about it.
pub(super) fn does_not_open(data: &Path, secrets: &Path, error: &OpenLedgerError) -> Failure {
    let (data, secrets) = (data.display(), secrets.display());
    Failure::new(match error {
        OpenLedgerError::Signature(VerifyCheckpointError::Origin { expected, actual }) => {
            format!(
                "{secrets} is of another ledger ({expected}) than {data} ({actual}); name the right one with --secrets"
            )
        }
        damaged if damaged.is_damage() => {
            format!(
                "{}. `goldenthread fsck --data {data} --secrets {secrets}` tells everything that is wrong with {data}; keep it as it is, and put a backup in its place",
                chain(damaged)
            )
        }
        other => chain(other),
    })
}
