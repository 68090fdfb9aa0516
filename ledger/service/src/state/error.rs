use gt_core::entry::SuccessionError;
use gt_core::proof::InclusionError;
use gt_core::prove::ProveError;
use gt_core::registry::RegistryError;
use gt_core::statement::StatementError;
use gt_core::{Hash, LeafIndex};

use crate::index::IndexError;
use crate::log::ReadError;
use crate::vault::VaultError;

/// Why the state cannot be rebuilt: the log is not sound.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Something does not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A vault record does not read.
    #[error("the vault record of entry {index} does not read: {source}")]
    Vault {
        /// Which one.
        index: LeafIndex,
        /// Why.
        source: VaultError,
    },
    /// The entries do not chain.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// A statement of the registrar does not read.
    #[error("the registrar's statement in entry {index} does not read: {source}")]
    Registrar {
        /// Which one.
        index: LeafIndex,
        /// Why.
        source: StatementError,
    },
    /// A statement of the registrar is not the one that was sealed.
    #[error("the registrar's statement in entry {index} is not the one that was sealed")]
    OtherStatement {
        /// Which one.
        index: LeafIndex,
    },
    /// An entry of the registrar is not the one that was sealed.
    #[error("entry {index} is not what the log's tree has: {source}")]
    OtherEntry {
        /// Which one.
        index: LeafIndex,
        /// Why.
        source: InclusionError,
    },
    /// An entry of the registrar cannot be held against the tree.
    #[error(transparent)]
    Prove(#[from] ProveError<ReadError>),
    /// A statement of the registrar breaks the registry's rules.
    #[error("the registrar's statement in entry {index} breaks a rule: {source}")]
    Registry {
        /// Which one.
        index: LeafIndex,
        /// Why.
        source: RegistryError,
    },
    /// The entries give another root than the checkpoint.
    #[error("the entries give the root {found}, and the checkpoint says {expected}")]
    OtherRoot {
        /// The checkpoint's root.
        expected: Hash,
        /// The root of the entries.
        found: Hash,
    },
    /// There is no entry 0.
    #[error("the log has no entry 0")]
    NoGenesis,
    /// What is kept of the state beside the log cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}
