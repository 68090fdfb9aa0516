//! What a node needs to begin another epoch of the key-encryption key, before its sealer's thread has anything to do with it.

use tokio::runtime::Handle;

use super::{EraseError, NotPrepared, Renewing};
use crate::jetstream::{Buckets, NodeState, Register, StreamError};
use crate::keyring::rekey::Removal;
use crate::keyring::renewal::Renewal;
use crate::keyring::{KekError, KekSource, Keks, KeyEncryptionKey, RotateError};
use crate::open_ledger::Shared;

/// Where keys and buckets are had.
#[derive(Clone)]
pub(crate) struct Renewals {
    pub(crate) source: Option<KekSource>,
    pub(crate) buckets: Buckets,
    pub(crate) runtime: Handle,
}

/// Why no renewal is begun.
pub(crate) enum BeginError {
    NoSource,
    Kek(KekError),
    NotPrepared(NotPrepared),
}

impl From<BeginError> for EraseError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::NoSource => Self::NoSource,
            BeginError::Kek(error) => error.into(),
            BeginError::NotPrepared(error) => Self::NotPrepared(error),
        }
    }
}

impl From<BeginError> for RotateError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::NoSource => Self::NoSource,
            BeginError::Kek(error) => error.into(),
            BeginError::NotPrepared(error) => Self::NotPrepared(error),
        }
    }
}

/// Why the register of nodes cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodesError {
    /// The servers cannot be asked.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The key in force is not to be had.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The ledger was opened with a key that was given in memory.
    #[error("the key-encryption key was given in memory")]
    NoSource,
}

impl Renewals {
    /// The nodes, as their register has them.
    pub(crate) fn nodes(&self) -> Result<Vec<NodeState>, NodesError> {
        let keks = self.source.as_ref().ok_or(NodesError::NoSource)?.load()?;
        Ok(self.nodes_under(&keks)?)
    }

    fn nodes_under(&self, keks: &Keks) -> Result<Vec<NodeState>, StreamError> {
        self.runtime.block_on(Register::of(self.buckets.clone()).nodes(keks.key()))
    }

    /// Writes down the keyring that is to be taken, but for what is removed. It can be read once the renewal has taken place, and never
    /// if it does not.
    pub(crate) fn begin(&self, shared: &Shared, removals: Vec<Removal>) -> Result<Box<Renewing>, BeginError> {
        let source = self.source.as_ref().ok_or(BeginError::NoSource)?;
        let keks = source.load().map_err(BeginError::Kek)?;
        let no_key = || BeginError::NotPrepared(NotPrepared::NoKey { at: source.to_string() });
        let next = KeyEncryptionKey::from_bytes(keks.next().ok_or_else(no_key)?.as_bytes());
        let kek = next.epoch();
        if !self.runtime.block_on(self.buckets.is_ready(&kek)) {
            return Err(BeginError::NotPrepared(NotPrepared::NoBucket { kek }));
        }
        if let Err(error) = self.nodes_under(&keks) {
            return Err(BeginError::NotPrepared(NotPrepared::NoRegister { reason: error.to_string() }));
        }
        // Sealing needs the keyring too: it is let go of before anything is sent.
        let (renewal, parts) = {
            let keyring = shared.keyring();
            let mut renewal = Renewal::new(&keyring, removals, &next);
            let parts = renewal.parts(&keyring);
            (renewal, parts)
        };
        let mut renewing = Renewing { renewal, parts: 0, next, ready: None };
        let writing = self.buckets.write(&mut renewing, parts);
        let not_written = |reason| BeginError::NotPrepared(NotPrepared::NotWritten { reason });
        self.runtime.block_on(writing).map_err(not_written)?;
        Ok(Box::new(renewing))
    }
}
