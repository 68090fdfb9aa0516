//! Beginning another epoch of the key-encryption key on a node of several, to erase or for its own sake. Up to the acknowledgement of the
//! batch nothing has changed anywhere; what has changed from then on is for `switch.rs`, as on every other node.

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_core::time::Timestamp;

use super::Checked;
use super::admit::{Admission, admit};
use super::answer::{Answers, Due, DueWith};
use super::batch::{SealError, Sealer};
use super::chaining::check_with_witnesses;
use super::custody::{fault, kek_gone};
use super::encipher::encipher;
use super::intake::Ticket;
use super::service::own_refused;
use crate::erasure::{EraseError, Erasing, ErasureReceipt, NotPrepared, Renewing};
use crate::keyring::{RetiredKek, RotateError, retired};
use crate::log::SealedEntry;
use crate::refusal::Refusal;
use crate::vault::VaultSalt;

/// What an epoch that was not begun leaves behind: nothing that anybody can read.
enum NotBegun {
    /// Somebody else sealed first.
    Superseded,
    NotPrepared(NotPrepared),
}

impl Sealer {
    /// The inner error says that nothing was begun, the outer one stops the sealer.
    pub(super) fn erase_on_stream(
        &mut self,
        erasing: &Erasing,
        renewing: &mut Renewing,
    ) -> Result<Result<ErasureReceipt, EraseError>, SealError> {
        if erasing.owners.iter().any(|owner| self.state.entries_of(&owner.tag) != owner.entries) {
            return Ok(Err(EraseError::Busy));
        }
        let now = self.watch.received_at()?;
        let statement = match self.statement_of(erasing, now.as_seconds()) {
            Ok(statement) => statement,
            Err(error) => return Ok(Err(error)),
        };
        let (checked, answer) = self.own_ticket(statement);
        let (ticket, entry) = match self.chain_one(checked, now) {
            Ok(chained) => chained,
            // The service's chain has gone on in the meantime.
            Err(Refusal::ChainGap(_) | Refusal::ChainFork(_) | Refusal::Superseded) => {
                return Ok(Err(EraseError::Superseded));
            }
            Err(refusal) => return Err(own_refused(refusal)),
        };
        let (index, bytes) = (self.state.predecessor.next_index, entry.bytes.clone());
        if let Err(not_begun) = self.begin_epoch(vec![entry], renewing)? {
            return Ok(Err(match not_begun {
                NotBegun::Superseded => EraseError::Superseded,
                NotBegun::NotPrepared(error) => EraseError::NotPrepared(error),
            }));
        }
        self.answer_one(ticket, index, bytes);
        let sealed = answer.get()?;
        let retired = self.retired_by(renewing)?;
        Ok(Ok(erasing.receipt(sealed, renewing.next.epoch(), retired)))
    }

    /// The entry that a statement without owners would have if it were sealed next. The state stays as it was.
    fn chain_one(&mut self, checked: Checked, now: Timestamp) -> Result<(Ticket, SealedEntry), Refusal> {
        self.state.begin();
        let admitted = admit(&mut self.state, &checked, now);
        let chained = match admitted {
            Err(refusal) => Err(refusal),
            Ok(Admission::Taken(_)) => Err(Refusal::Superseded),
            Ok(Admission::Next) => {
                let one = self.place(checked.ticket);
                let enciphered =
                    encipher(&one.ticket.prepared, &[], &VaultSalt::of(&self.state.registry.genesis()));
                let (mut entries, _) = self.chain_entries(std::slice::from_ref(&one), vec![enciphered], now);
                Ok((one.ticket, entries.remove(0)))
            }
        };
        self.state.roll_back();
        chained
    }

    /// Answers one ticket, whose entry is durable.
    fn answer_one(&self, ticket: Ticket, index: LeafIndex, bytes: Vec<u8>) {
        let due = vec![Due { ticket, index, what: DueWith::Entry(bytes) }];
        Answers { refused: Vec::new(), due }.give(&self.shared);
    }

    pub(super) fn rotate_on_stream(
        &mut self,
        renewing: &mut Renewing,
    ) -> Result<Result<RetiredKek, RotateError>, SealError> {
        match self.begin_epoch(Vec::new(), renewing)? {
            Ok(()) => self.retired_by(renewing).map(Ok),
            Err(NotBegun::Superseded) => Ok(Err(RotateError::Superseded)),
            Err(NotBegun::NotPrepared(error)) => Ok(Err(RotateError::NotPrepared(error))),
        }
    }

    fn statement_of(&mut self, erasing: &Erasing, iat: i64) -> Result<Statement, EraseError> {
        let (publisher, key) = self.service()?;
        self.sign_erasure(publisher, &key, &erasing.request, &erasing.owners, iat)
    }

    /// Commits the batch that begins an epoch, and takes it as every node does. Up to the acknowledgement nothing has changed anywhere;
    /// from it on it will be completed, by whoever reads the stream.
    fn begin_epoch(
        &mut self,
        entries: Vec<SealedEntry>,
        renewing: &mut Renewing,
    ) -> Result<Result<(), NotBegun>, SealError> {
        if !self.node()?.is_level() {
            return Ok(Err(NotBegun::Superseded));
        }
        if let Some((_, kek)) = self.shared.waits_for_key() {
            return Ok(Err(NotBegun::NotPrepared(NotPrepared::Waits { kek })));
        }
        // Another renewal was first. Whoever asked for this one begins it anew, with the keyring that there is now.
        if !renewing.renewal.replaces(&self.shared.keyring()) {
            return Ok(Err(NotBegun::Superseded));
        }
        // Keys that were made since it was written down.
        let parts = renewing.renewal.parts(&self.shared.keyring());
        let port = &mut self.node()?.port;
        if let Err(reason) = port.write_keyring(renewing, parts) {
            return Ok(Err(NotBegun::NotPrepared(NotPrepared::NotWritten { reason })));
        }
        let next = match renewing.ready.take() {
            Some(next) => Some(next),
            None => port.read_keyring(&renewing.next, renewing.renewal.shards(), renewing.parts),
        };
        let Some(next) = next else {
            let reason = "what was written does not read back".to_owned();
            return Ok(Err(NotBegun::NotPrepared(NotPrepared::NotWritten { reason })));
        };
        let batch = match port.begin_epoch(entries, &next) {
            Ok(batch) => batch,
            Err(error) if error.is_nothing_committed() => {
                tracing::warn!(%error, "another epoch of the key-encryption key was not begun");
                renewing.ready = Some(next);
                return Ok(Err(NotBegun::Superseded));
            }
            Err(error) => return Err(error.into()),
        };
        check_with_witnesses(&self.shared, batch.closing.head.size(), batch.closing.head.root())?;
        self.take_own(batch, next)?;
        self.shared.set_active(true);
        self.home.port()?.settle()?;
        Ok(Ok(()))
    }

    fn retired_by(&mut self, renewing: &Renewing) -> Result<RetiredKek, SealError> {
        let root = self.any_disk()?.root().to_owned();
        let listed = retired::load(&root).map_err(fault)?;
        listed.into_iter().next_back().ok_or_else(|| kek_gone(&renewing.next.epoch()))
    }
}
