//! Reading what the registrar has said. Who may sign, and for how long what is kept, follows from it, so it is believed only if it is what was
//! sealed: the files of the vault could be altered by who has no key.

use gt_core::entry::Entry;
use gt_core::prove::Prover;
use gt_core::statement::{Statement, StatementError};
use gt_core::{Hash, LeafIndex};

use super::StateError;
use crate::log::LogReader;
use crate::vault::{StatementBlob, VaultError, VaultRecord};

pub(super) fn record(index: LeafIndex, vault: &[u8], leaf_hash: &Hash) -> Result<VaultRecord, StateError> {
    let decoded = VaultRecord::decode(vault, leaf_hash);
    decoded.map(|(record, _)| record).map_err(|source| StateError::Vault { index, source })
}

/// The registrar's statement of an entry.
pub(super) fn registrar_statement(entry: &Entry, record: &VaultRecord) -> Result<Statement, StateError> {
    let index = entry.index;
    let StatementBlob::Open(jws) = &record.statement else {
        return Err(StateError::Vault { index, source: VaultError::Malformed });
    };
    let text = core::str::from_utf8(jws)
        .map_err(|_| StateError::Registrar { index, source: StatementError::NotCompact })?;
    let statement =
        Statement::from_parts(text, []).map_err(|source| StateError::Registrar { index, source })?;
    if statement.hash() == entry.statement {
        Ok(statement)
    } else {
        Err(StateError::OtherStatement { index })
    }
}

/// The published tree, against which entries are held that are read one by one.
pub(super) struct PublishedTree<'l> {
    root: Hash,
    prover: Prover<'l, LogReader>,
}

impl<'l> PublishedTree<'l> {
    pub(super) fn of(log: &'l LogReader) -> Self {
        let published = log.published();
        let head = published.checkpoint.checkpoint();
        Self { root: head.root(), prover: Prover::new(log, head.size()) }
    }

    pub(super) fn check_has(&mut self, index: LeafIndex, leaf_hash: &Hash) -> Result<(), StateError> {
        let proof = self.prover.inclusion(index)?;
        proof.verify(leaf_hash, &self.root).map_err(|source| StateError::OtherEntry { index, source })
    }
}
