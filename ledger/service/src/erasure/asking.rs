use std::sync::mpsc::{SyncSender, sync_channel};

use super::{CustodyWork, EraseError, EraseRequest, ErasureReceipt, Subject};
use crate::Ledger;
use crate::keyring::{ConfirmError, Confirmed, RetiredKek, RotateError, retired};
use crate::record::OwnerId;
use crate::sealer::Work;

/// How often an erasure is worked out anew because statements about the same person came in between.
const MOST_ATTEMPTS: usize = 8;

impl Ledger {
    /// Destroys somebody's keys, renews the key-encryption key, and seals `subject.erased`. All of it is done when this returns, or
    /// nothing; after [`EraseError::Interrupted`] the next start says which. Sealing goes on but for the moment of the destruction.
    ///
    /// Blocks; not to be called on a thread of the runtime.
    pub fn erase(&self, request: &EraseRequest) -> Result<ErasureReceipt, EraseError> {
        if self.outgoing().is_some() || self.only_follows() {
            return Err(EraseError::FollowsStream);
        }
        for _ in 0..MOST_ATTEMPTS {
            let erasing = Subject::of(self.shared(), request.clone())?;
            match self.ask(|reply| CustodyWork::Erase(erasing, reply)).ok_or(EraseError::Interrupted)? {
                Err(EraseError::Busy) => {}
                done => return done,
            }
        }
        Err(EraseError::Busy)
    }

    /// Whose keys an erasure would destroy now: all identifiers of whom it names, or why it would be refused. It changes nothing. Blocks.
    pub fn would_erase(&self, request: &EraseRequest) -> Result<Vec<OwnerId>, EraseError> {
        let erasing = Subject::of(self.shared(), request.clone())?;
        Ok(erasing.owners.iter().map(|owner| owner.id).collect())
    }

    /// Puts another key-encryption key in force: the next one of its source, or a new one. Nothing that is encrypted changes but the
    /// shard keys' wrapping, so sealing and reading go on. Blocks.
    pub fn rotate_kek(&self) -> Result<RetiredKek, RotateError> {
        self.ask(CustodyWork::Rotate).unwrap_or(Err(RotateError::Interrupted))
    }

    /// Notes that every copy of a retired key-encryption key is destroyed: in escrow, in backups, at other nodes. Blocks.
    pub fn confirm_destroyed(&self, what: &Confirmed) -> Result<RetiredKek, ConfirmError> {
        self.ask(|reply| CustodyWork::Confirm(what.clone(), reply)).unwrap_or(Err(ConfirmError::Stopped))
    }

    /// The key-encryption keys that were in force, oldest first.
    pub fn retired_keks(&self) -> Result<Vec<RetiredKek>, ConfirmError> {
        Ok(retired::load(self.log().root())?)
    }

    /// Asks the sealer's thread. `None` if it has stopped, or stops over the work.
    fn ask<A>(&self, work: impl FnOnce(SyncSender<A>) -> CustodyWork) -> Option<A> {
        let (reply, answer) = sync_channel(1);
        self.works()?.send(Work::Custody(work(reply))).ok()?;
        answer.recv().ok()
    }
}
