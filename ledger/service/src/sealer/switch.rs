//! Another epoch of the key-encryption key on a node of several (`docs/FORMATS.md` section 8): every node, the sealer that began it
//! included, takes the keyring that goes with it when the stream brings the batch. So there is one way, and a start after a crash goes it.

use std::collections::BTreeSet;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use gt_core::erasure::Erasure;
use gt_core::statement::Statement;

use super::admit::check_signer;
use super::batch::{SealError, Sealer};
use super::custody::{Unfinished, fault, kek_gone};
use super::intake::Reply;
use super::{Checked, Sealed, Ticket};
use crate::erasure::{CustodyFault, EraseError, Erasing, ErasureReceipt, NotPrepared, Renewing};
use crate::jetstream::NextKeyring;
use crate::jetstream::assemble::StreamBatch;
use crate::jetstream::message::KeyEpoch;
use crate::keyring::switch::Switch;
use crate::keyring::{KeyEncryptionKey, RetiredKek, RotateError, retired};
use crate::log::SealedEntry;
use crate::prepare::Prepared;
use crate::record::OwnerId;
use crate::refusal::Refusal;
use crate::vault::{StatementBlob, VaultRecord};

/// How often a node that waits for a key looks whether it is there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
        let signer = check_signer(&self.state.registry, &statement);
        let (sender, answer) = sync_channel(1);
        let reply = Reply::of_sealer(Box::new(move |answer| drop(sender.send(answer))));
        let ticket = Ticket { prepared: Prepared::of_erasure(statement), reply };
        let (ticket, entry) = match self.chain_one(Checked { ticket, signer }, now) {
            Ok(chained) => chained,
            // The service's chain has gone on in the meantime.
            Err(Refusal::ChainGap(_) | Refusal::ChainFork(_) | Refusal::Superseded) => return Ok(Err(EraseError::Superseded)),
            Err(refusal) => return Err(SealError::Custody(CustodyFault::Refused(Box::new(refusal)))),
        };
        let (index, bytes) = (self.state.predecessor.next_index, entry.bytes.clone());
        if let Err(not_begun) = self.begin_epoch(vec![entry], renewing)? {
            return Ok(Err(match not_begun {
                NotBegun::Superseded => EraseError::Superseded,
                NotBegun::NotPrepared(error) => EraseError::NotPrepared(error),
            }));
        }
        self.answer_one(ticket, index, bytes);
        let refused = |refusal| SealError::Custody(CustodyFault::Refused(Box::new(refusal)));
        let Sealed { index, receipt, .. } =
            answer.recv().unwrap_or(Err(Refusal::Stopped)).map_err(refused)?;
        let retired = self.retired_by(renewing)?;
        Ok(Ok(ErasureReceipt {
            index,
            receipt,
            owners: erasing.owners.iter().map(|owner| owner.id).collect(),
            entries: erasing.owners.iter().map(|owner| owner.entries).sum(),
            scope: erasing.request.scope,
            kek: renewing.next.epoch(),
            retired,
        }))
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
        let custody = self.custody.as_ref().ok_or(EraseError::NoSource)?;
        let key = custody.service.clone().ok_or(EraseError::NoServiceKey)?;
        let publisher = self.service_publisher(&key).ok_or(EraseError::NoServiceKey)?;
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
        // Keys that were made since it was written down.
        let parts = renewing.renewal.parts(&self.shared.keyring());
        let kek = renewing.next.epoch();
        let port = &mut self.node()?.port;
        if let Err(reason) = port.write_keyring(&renewing.renewal, parts, &kek, &mut renewing.parts) {
            return Ok(Err(NotBegun::NotPrepared(NotPrepared::NotWritten { reason })));
        }
        let Some(next) = port.read_keyring(&renewing.next, renewing.renewal.shards()) else {
            let reason = "what was written does not read back".to_owned();
            return Ok(Err(NotBegun::NotPrepared(NotPrepared::NotWritten { reason })));
        };
        let batch = match port.begin_epoch(entries, &next) {
            Ok(batch) => batch,
            Err(error) if error.is_nothing_committed() => {
                tracing::warn!(%error, "another epoch of the key-encryption key was not begun");
                return Ok(Err(NotBegun::Superseded));
            }
            Err(error) => return Err(error.into()),
        };
        self.check_with_witnesses(batch.closing.head.size(), batch.closing.head.root())?;
        self.take_own(batch, next)?;
        self.shared.set_active(true);
        self.home.port().settle()?;
        Ok(Ok(()))
    }

    fn retired_by(&mut self, renewing: &Renewing) -> Result<RetiredKek, SealError> {
        let root = self.any_disk().root().to_owned();
        let listed = retired::load(&root).map_err(fault)?;
        listed.into_iter().next_back().ok_or_else(|| kek_gone(&renewing.next.epoch()))
    }

    /// The keyring with which an epoch goes on. `None` if this node does not have its key yet, or it cannot be read yet: then the node
    /// waits, and says so.
    pub(super) fn keyring_for(&mut self, batch: &StreamBatch) -> Result<Option<NextKeyring>, SealError> {
        let Some(epoch) = &batch.closing.epoch else { return Ok(None) };
        let node = self.node()?;
        if let Some(next) = node.next.take().filter(|next| next.kek == epoch.kek) {
            return Ok(Some(next));
        }
        if node.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return Ok(None);
        }
        node.looked = Some(Instant::now());
        let found = match self.custody.as_ref().map(|custody| custody.source.load()) {
            Some(Ok(keks)) => self.node()?.port.find_keyring(epoch, batch.closing.keys, &keks),
            Some(Err(error)) => {
                tracing::error!(%error, "the next key-encryption key cannot be had");
                None
            }
            None => None,
        };
        self.waits(found.is_none().then(|| epoch.clone()))?;
        Ok(found)
    }

    fn waits(&mut self, epoch: Option<KeyEpoch>) -> Result<(), SealError> {
        let (before, node) = (self.shared.waits_for_key(), self.node()?);
        node.port.set_waits(epoch.is_some());
        if epoch.is_none() {
            node.looked = None;
        }
        if let Some(epoch) = epoch.as_ref().filter(|_| before.is_none()) {
            tracing::warn!(
                kek = epoch.kek,
                "this node waits for the key-encryption key of the next epoch: put a copy beside the one in force, or behind the key command"
            );
        }
        self.shared.set_waits_for_key(epoch.map(|epoch| (epoch.ordinal, epoch.kek)));
        Ok(())
    }

    /// Puts the keyring of a later epoch in the place of the folder's. `batch` begins that epoch, or an earlier one.
    pub(super) fn switch_to(&mut self, next: NextKeyring, batch: &StreamBatch) -> Result<(), SealError> {
        let erasure = erasure_of(batch);
        let keyring = self.shared.keyring();
        let removals = keyring.removed_by(&next.keyring);
        if next.ordinal == batch.closing.ordinal() {
            let named: BTreeSet<OwnerId> =
                erasure.iter().flat_map(|(_, says)| &says.owners).map(|id| OwnerId::from_bytes(*id)).collect();
            let mut ended = removals.iter().filter(|removal| self.state.entries_of(&removal.tag) > 0);
            let is_named = |tag| {
                let id = keyring.owner(tag).map(|held| OwnerId::from_bytes(held.link.name(0)));
                id.is_some_and(|id| named.contains(&id))
            };
            if !ended.all(|removal| is_named(&removal.tag)) {
                return Err(SealError::Custody(CustodyFault::KeysMissing));
            }
        }
        let linked: Vec<Vec<_>> = removals
            .iter()
            .map(|removal| {
                let entries = 0..self.state.entries_of(&removal.tag);
                let held = keyring.owner(&removal.tag);
                held.map(|held| entries.map(|n| held.link.name(n)).collect()).unwrap_or_default()
            })
            .collect();
        let new: Vec<_> = next.keyring.owners().map(|(tag, _)| *tag).filter(|tag| keyring.owner(tag).is_none()).collect();
        drop(keyring);
        let port = &mut self.node()?.port;
        let switch = Switch {
            old_kek: port.kek().to_owned(),
            next_kek: next.kek.clone(),
            epoch: next.ordinal,
            erasure: erasure.map(|(index, _)| index),
        };
        let custody = |error: crate::keyring::KeyringError| SealError::Custody(error.into());
        // Each step durable before the next. Before `replace` has replaced `keyring/shards` a start is as if nothing had begun.
        let shared = std::sync::Arc::clone(&self.shared);
        shared.keyring().fold_journal(self.any_disk()).map_err(custody)?;
        switch.store(self.any_disk()).map_err(fault)?;
        next.keyring.replace(self.any_disk(), &next.shards).map_err(custody)?;
        let keyring = self.node()?.port.enter(next);
        *self.shared.keyring_mut() = keyring;
        for (removal, names) in removals.iter().zip(linked) {
            self.shared.forget_links(&removal.tag, &names, removal.goes_on);
            self.state.forget(&removal.tag, removal.goes_on);
        }
        new.into_iter().for_each(|tag| self.state.know(tag));
        self.finish_switch(&switch)
    }

    /// Everything is under the next key-encryption key: lists the one before, and has it destroyed. Each step may have been taken.
    fn finish_switch(&mut self, switch: &Switch) -> Result<(), SealError> {
        let at = self.watch.received_at()?;
        let disk = self.any_disk();
        retired::add(disk, &switch.old_kek, at, switch.erasure, Some(switch.epoch)).map_err(fault)?;
        let custody = self.custody.as_mut().ok_or_else(|| kek_gone(&switch.next_kek))?;
        let load = |source: &crate::keyring::KekSource| {
            source.load().map_err(|error| SealError::Custody(error.into()))
        };
        let keks = load(&custody.source)?;
        if keks.next().is_some_and(|key| key.epoch() == switch.next_kek) {
            custody.source.promote().map_err(|error| SealError::Custody(error.into()))?;
        }
        switch.next_kek.clone_into(&mut custody.kek);
        self.say_epoch()?;
        Switch::remove(self.any_disk()).map_err(fault)
    }

    /// A sealer says in the bucket which epoch it is of, and every node in the register.
    fn say_epoch(&mut self) -> Result<(), SealError> {
        let Some(custody) = self.custody.as_ref() else { return Ok(()) };
        let seals = self.signer.is_some();
        let keks = custody.source.load().map_err(|error| SealError::Custody(error.into()))?;
        let kek: Option<&KeyEncryptionKey> = keks.all().find(|key| key.epoch() == custody.kek);
        let shards = std::fs::read(self.any_disk().root().join(crate::keyring::shards_file()));
        let shards = shards.map_err(fault)?;
        if let Some(kek) = kek {
            let port = &mut self.node()?.port;
            if seals {
                port.say_epoch(kek, &shards);
            }
            port.came_to_epoch(kek);
        }
        Ok(())
    }

    /// Completes a switch that an earlier process has left in the middle.
    pub(super) fn resume_switch(&mut self, unfinished: Unfinished) -> Result<(), SealError> {
        let Unfinished { old_kek, under_next, kek, switch, .. } = unfinished;
        match (switch, old_kek) {
            (Some(switch), _) => {
                tracing::warn!("a switch to another key-encryption key was interrupted; it is completed");
                self.finish_switch(&switch)
            }
            // A folder that was made from the stream under the next key.
            (None, Some(old_kek)) if under_next => {
                let epoch = self.node()?.port.epoch();
                self.finish_switch(&Switch { old_kek, next_kek: kek, epoch, erasure: None })
            }
            (None, None) if under_next => self.promote(),
            (None, _) => self.say_epoch(),
        }
    }
}

/// The erasure that a batch seals, and its entry.
fn erasure_of(batch: &StreamBatch) -> Option<(u64, Erasure)> {
    let [entry] = batch.entries.as_slice() else { return None };
    let (record, _) = VaultRecord::decode(&entry.vault, &entry.leaf_hash).ok()?;
    let StatementBlob::Open(jws) = &record.statement else { return None };
    let statement = Statement::from_parts(str::from_utf8(jws).ok()?, []).ok()?;
    let says = Erasure::read(statement.payload())?.ok()?;
    Some((batch.closing.head.size().0.checked_sub(1)?, says))
}
