//! Another epoch of the key-encryption key on a node of several (`docs/FORMATS.md` section 8): every node, the sealer that began it
//! included, takes the keyring that goes with it when the stream brings the batch. So there is one way, and a start after a crash goes it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gt_core::erasure::Erasure;
use gt_core::link::LinkName;
use gt_core::statement::Statement;

use super::batch::{SealError, Sealer};
use super::custody::{Unfinished, fault};
use crate::erasure::CustodyFault;
use crate::jetstream::NextKeyring;
use crate::jetstream::assemble::StreamBatch;
use crate::jetstream::message::KeyEpoch;
use crate::keyring::switch::Switch;
use crate::keyring::{KeyEncryptionKey, KeyringError, retired, shards_file};
use crate::record::OwnerId;
use crate::vault::{StatementBlob, VaultRecord};

/// How often a node that waits for a key looks whether it is there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many batches are kept while the node waits for a key.
const MAX_KEPT: usize = 64;

/// From where the stream is to be read again.
pub(super) struct Skipped {
    from: u64,
    asked_again: bool,
}

impl Sealer {
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

    /// Whether what was read from there on is kept. A node that waits for a key keeps so much and no more, and has the rest read again.
    pub(super) fn is_kept(&mut self, from: u64) -> Result<bool, SealError> {
        let waits = self.shared.waits_for_key().is_some();
        let node = self.node()?;
        if node.skipped.as_ref().is_some_and(|skipped| skipped.asked_again && skipped.from == from) {
            node.skipped = None;
        }
        if node.skipped.is_none() && waits && node.waiting.len() >= MAX_KEPT {
            let from = node.port.pending().unwrap_or(node.through + 1);
            node.skipped = Some(Skipped { from, asked_again: false });
        }
        Ok(node.skipped.is_none())
    }

    /// Has the rest read, once and as soon as the node has its key: checkpoints for what it kept may be among it.
    pub(super) fn read_again(&mut self) -> Result<(), SealError> {
        if self.shared.waits_for_key().is_some() {
            return Ok(());
        }
        let node = self.node()?;
        if let Some(skipped) = node.skipped.as_mut().filter(|skipped| !skipped.asked_again) {
            skipped.asked_again = true;
            node.port.read_again(skipped.from);
        }
        Ok(())
    }

    /// Holds a batch that begins an epoch against the folder, where that has the epoch's keyring already, or a later one: a switch was
    /// interrupted, or the folder was made since. Under one key there is one keyring, and in none of them is whom it ends.
    pub(super) fn check_epoch_in_force(&mut self, batch: &StreamBatch) -> Result<(), SealError> {
        let Some(KeyEpoch { kek, begins: Some(shards), .. }) = &batch.closing.epoch else { return Ok(()) };
        if self.node()?.port.kek() == kek {
            let file = self.any_disk()?.root().join(shards_file());
            if std::fs::read(file).map_err(fault)? != *shards {
                return Err(SealError::Custody(CustodyFault::OtherKeyring));
            }
        }
        let keyring = self.shared.keyring();
        let is_held = |id: &LinkName| {
            let tag = self.shared.index.tag_of_id(id);
            tag.and_then(|tag| keyring.owner(&tag)).is_some_and(|held| !held.is_ended())
        };
        if erasure_of(batch).is_some_and(|(_, says)| says.owners.iter().any(is_held)) {
            return Err(SealError::Custody(CustodyFault::KeysRemain));
        }
        Ok(())
    }

    /// Puts the keyring of a later epoch in the place of the folder's. `batch` begins that epoch, or an earlier one.
    pub(super) fn switch_to(&mut self, next: NextKeyring, batch: &StreamBatch) -> Result<(), SealError> {
        let erasure = erasure_of(batch);
        let keyring = self.shared.keyring();
        let removals = keyring.removed_by(&next.keyring);
        if next.ordinal == batch.closing.ordinal() {
            let named: BTreeSet<OwnerId> = erasure
                .iter()
                .flat_map(|(_, says)| &says.owners)
                .map(|id| OwnerId::from_bytes(*id))
                .collect();
            let mut ended = removals.iter().filter(|removal| self.state.entries_of(&removal.tag) > 0);
            let is_named = |tag| {
                let id = keyring.owner(tag).map(|held| OwnerId::from_bytes(held.link.name(0)));
                id.is_some_and(|id| named.contains(&id))
            };
            if !ended.all(|removal| is_named(&removal.tag)) {
                return Err(SealError::Custody(CustodyFault::KeysMissing));
            }
        }
        let new: Vec<_> =
            next.keyring.owners().map(|(tag, _)| *tag).filter(|tag| keyring.owner(tag).is_none()).collect();
        drop(keyring);
        let port = &mut self.node()?.port;
        let switch = Switch {
            old_kek: port.kek().to_owned(),
            next_kek: next.kek.clone(),
            epoch: next.ordinal,
            erasure: erasure.map(|(index, _)| index),
        };
        let custody = |error: KeyringError| SealError::Custody(error.into());
        // Each step durable before the next. Before `replace` has replaced `keyring/shards` a start is as if nothing had begun.
        let shared = std::sync::Arc::clone(&self.shared);
        shared.keyring().fold_journal(self.any_disk()?).map_err(custody)?;
        switch.store(self.any_disk()?).map_err(fault)?;
        next.keyring.replace(self.any_disk()?, &next.shards).map_err(custody)?;
        let keyring = self.node()?.port.enter(next);
        *self.shared.keyring_mut() = keyring;
        self.forget(&removals);
        for tag in new {
            self.state.know(tag);
        }
        self.finish_switch(&switch)
    }

    /// Everything is under the next key-encryption key: lists the one before, and has it destroyed. Each step may have been taken.
    fn finish_switch(&mut self, switch: &Switch) -> Result<(), SealError> {
        let at = self.watch.received_at()?;
        let disk = self.any_disk()?;
        retired::add(disk, &switch.old_kek, at, switch.erasure, Some(switch.epoch)).map_err(fault)?;
        self.put_in_force(&switch.next_kek)?;
        self.say_epoch()?;
        Switch::remove(self.any_disk()?).map_err(fault)
    }

    /// A sealer says in the bucket which epoch it is of, and every node in the register.
    fn say_epoch(&mut self) -> Result<(), SealError> {
        let Some(custody) = self.custody.as_ref() else { return Ok(()) };
        let seals = self.signer.is_some();
        let keks = custody.source.load().map_err(|error| SealError::Custody(error.into()))?;
        let kek: Option<&KeyEncryptionKey> = keks.all().find(|key| key.epoch() == custody.kek);
        let shards = std::fs::read(self.any_disk()?.root().join(shards_file()));
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
