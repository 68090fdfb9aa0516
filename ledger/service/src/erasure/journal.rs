//! What an erasure has set out to do, durable before anything is destroyed: whoever opens the folder after a crash completes it.

use std::io;
use std::path::Path;

use gt_core::erasure::Erasure;
use gt_core::statement::Statement;
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, read_if_there};
use crate::keyring::rekey::journal_file;

/// The longest journal, in bytes: a statement with 64 owners is far shorter.
const MAX_JOURNAL: usize = 64 * 1024;

/// An erasure that has been decided on. Whose keys are destroyed, its statement says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    /// The fingerprint of the key-encryption key that is retired.
    pub(crate) old_kek: String,
    /// The fingerprint of the one under which everything is wrapped anew.
    pub(crate) next_kek: String,
    /// The `subject.erased` that is to be sealed, `H.P.S`.
    pub(crate) statement: String,
}

impl Journal {
    /// Reads the journal of a folder; `None` if no erasure is under way.
    pub(crate) fn load(root: &Path) -> io::Result<Option<Self>> {
        let Some(bytes) = read_if_there(&root.join(journal_file()))? else { return Ok(None) };
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "no journal of an erasure");
        let journal: Option<Self> = Some(bytes)
            .filter(|bytes| bytes.len() <= MAX_JOURNAL)
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        journal.filter(|journal| journal.statement().is_some()).map(Some).ok_or_else(bad)
    }

    /// Makes the journal durable. From then on the erasure will be completed.
    pub(crate) fn store(&self, disk: &mut Disk) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).expect("texts serialise");
        disk.replace(&journal_file(), &bytes)
    }

    /// The erasure is done.
    pub(crate) fn remove(disk: &mut Disk) -> io::Result<()> {
        disk.remove_durably(&journal_file())
    }

    /// The statement that is to be sealed, and what it says.
    pub(crate) fn statement(&self) -> Option<(Statement, Erasure)> {
        let statement = Statement::from_parts(&self.statement, []).ok()?;
        let erasure = Erasure::read(statement.payload())?.ok()?;
        Some((statement, erasure))
    }
}
