//! Destroying and renewing keys, on the sealer's own thread: nothing is sealed in between, and what waits is sealed right after.

use gt_core::chain::Place;
use gt_core::entry::Entry;
use gt_core::erasure::{Erasure, Scope};
use gt_core::statement::Statement;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};

use super::Sealed;
use super::batch::{Home, SealError, Sealer};
use super::times::Laps;
use crate::disk::Disk;
use crate::erasure::{
    Custody, CustodyFault, CustodyWork, EraseError, Erasing, ErasureReceipt, Journal, Owned,
};
use crate::keyring::rekey::Removal;
use crate::keyring::switch::Switch;
use crate::keyring::{Keks, KeyEncryptionKey, RetiredKek, RotateError, retired};
use crate::random;
use crate::record::OwnerId;

/// What a folder was found in the middle of, when it was opened.
pub(crate) struct Unfinished {
    pub(crate) journal: Option<Journal>,
    /// The keys as the source had them then.
    pub(crate) old_kek: Option<String>,
    /// The keyring opened under the next key-encryption key.
    pub(crate) under_next: bool,
    /// The fingerprint of the key that it opened under.
    pub(crate) kek: String,
    /// A switch to another epoch's keyring.
    pub(crate) switch: Option<Switch>,
}

impl Unfinished {
    /// Whether new shards beside the others may be the keyring's.
    pub(crate) fn keeps_next_shards(&self) -> bool {
        self.journal.is_some() || self.has_next_shards()
    }

    /// Whether they are.
    pub(crate) fn has_next_shards(&self) -> bool {
        let switched = self.switch.as_ref().is_some_and(|switch| switch.next_kek == self.kek);
        switched || (self.journal.is_some() && self.under_next)
    }

    /// A switch that has not taken place begins anew, when the stream brings it.
    pub(crate) fn forget_switch(&mut self, disk: &mut Disk) -> std::io::Result<()> {
        match self.switch.take_if(|switch| switch.next_kek != self.kek) {
            Some(_) => Switch::remove(disk),
            None => Ok(()),
        }
    }
}

/// An erasure that is ready to begin.
struct Ready {
    journal: Journal,
    statement: Statement,
    next: KeyEncryptionKey,
}

impl Sealer {
    pub(super) fn take_custody(&mut self, work: CustodyWork, laps: &mut Laps) -> Result<(), SealError> {
        // Who asked may have gone; what was done is done all the same.
        match work {
            CustodyWork::Erase(erasing, reply) => drop(reply.send(self.erase(&erasing, laps)?)),
            CustodyWork::Rotate(reply) => drop(reply.send(self.rotate()?)),
            CustodyWork::EraseOnStream(erasing, mut renewing, reply) => {
                let done = self.erase_on_stream(&erasing, &mut renewing)?;
                drop(reply.send((done, renewing)));
            }
            CustodyWork::RotateOnStream(mut renewing, reply) => {
                let done = self.rotate_on_stream(&mut renewing)?;
                drop(reply.send((done, renewing)));
            }
            CustodyWork::Confirm(what, reply) => {
                let at = self.watch.received_at()?;
                drop(reply.send(retired::confirm(self.any_disk()?, &what, at)));
            }
        }
        Ok(())
    }

    /// The inner error says that nothing was begun, the outer one stops the sealer.
    fn erase(
        &mut self,
        erasing: &Erasing,
        laps: &mut Laps,
    ) -> Result<Result<ErasureReceipt, EraseError>, SealError> {
        let Ready { journal, statement, next } = match self.prepare_erasure(erasing) {
            Ok(ready) => ready,
            Err(error) => return Ok(Err(error)),
        };
        // An error here leaves open whether the journal is there.
        journal.store(self.disk()?).map_err(fault)?;
        let removals = removals(&erasing.owners, erasing.request.scope);
        self.destroy(&removals, &next).map_err(SealError::Custody)?;
        let sealed = self.seal_erasure(statement, laps)?;
        let retired = self.finish_erasure(&journal, sealed.index)?;
        Ok(Ok(erasing.receipt(sealed, journal.next_kek, retired)))
    }

    /// Everything that can be refused, before anything is destroyed.
    fn prepare_erasure(&mut self, erasing: &Erasing) -> Result<Ready, EraseError> {
        if !matches!(self.home, Home::Embedded(_)) {
            return Err(EraseError::FollowsStream);
        }
        let custody = self.custody.as_ref().ok_or(EraseError::NoSource)?;
        if erasing.owners.iter().any(|owner| self.state.entries_of(&owner.tag) != owner.entries) {
            return Err(EraseError::Busy);
        }
        let (source, old_kek) = (custody.source.clone(), custody.kek.clone());
        let (publisher, key) = self.service()?;
        let now = self.watch.received_at().map_err(|_| EraseError::Interrupted)?;
        let statement =
            self.sign_erasure(publisher, &key, &erasing.request, &erasing.owners, now.as_seconds())?;
        let next = source.prepare_next()?;
        let journal = Journal { old_kek, next_kek: next.epoch(), statement: statement.jws().to_owned() };
        Ok(Ready { journal, statement, next })
    }

    /// Destroys keys, on disk and in memory. A crash leaves the keyring as it was, or as it is to be.
    fn destroy(&mut self, removals: &[Removal], next: &KeyEncryptionKey) -> Result<(), CustodyFault> {
        let keyring = self.shared.keyring();
        let Home::Embedded(port) = &mut self.home else { return Err(CustodyFault::OtherOwners) };
        keyring.fold_journal(port.disk())?;
        let rekeyed = keyring.destroy(port.disk(), removals, next)?;
        drop(keyring);
        self.shared.keyring_mut().forget(removals, rekeyed);
        self.forget(removals);
        Ok(())
    }

    /// Forgets whose entries those were, once the keyring has forgotten it.
    pub(super) fn forget(&mut self, removals: &[Removal]) {
        for removal in removals {
            self.shared.index.forget(&removal.tag, removal.goes_on);
            self.state.forget(&removal.tag, removal.goes_on);
        }
    }

    fn seal_erasure(&mut self, statement: Statement, laps: &mut Laps) -> Result<Sealed, SealError> {
        let (checked, answer) = self.own_ticket(statement);
        // Shown together with the entry.
        self.state.erased_at = Some(self.state.predecessor.next_index);
        self.seal(vec![checked], laps)?;
        answer.get()
    }

    /// Puts the next key-encryption key in force and ends the erasure. Each step may have been taken already.
    fn finish_erasure(&mut self, journal: &Journal, index: LeafIndex) -> Result<RetiredKek, SealError> {
        let retired = self.retire(&journal.old_kek, &journal.next_kek, Some(index.0))?;
        Journal::remove(self.disk()?).map_err(fault)?;
        Ok(retired)
    }

    /// Everything is wrapped under the next key-encryption key: lists the one before, and has it destroyed.
    fn retire(&mut self, old: &str, next: &str, erasure: Option<u64>) -> Result<RetiredKek, SealError> {
        let at = self.watch.received_at()?;
        let disk = self.disk()?;
        retired::add(disk, old, at, erasure, None).map_err(fault)?;
        let listed = retired::load(disk.root()).map_err(fault)?;
        self.put_in_force(next)?;
        listed.into_iter().find(|one| one.kek == old).ok_or_else(|| kek_gone(old))
    }

    /// Has the source put the next key-encryption key in force, unless it has, and the one before destroyed.
    pub(super) fn put_in_force(&mut self, next: &str) -> Result<(), SealError> {
        let custody = self.custody.as_mut().ok_or_else(|| kek_gone(next))?;
        let keks = custody.source.load().map_err(|error| SealError::Custody(error.into()))?;
        if keks.next().is_some_and(|key| key.epoch() == next) {
            custody.source.promote().map_err(|error| SealError::Custody(error.into()))?;
        }
        next.clone_into(&mut custody.kek);
        if let Some(key) = keks.all().find(|key| key.epoch() == next) {
            self.snapshots.renew(key, &mut self.state);
        }
        Ok(())
    }

    fn rotate(&mut self) -> Result<Result<RetiredKek, RotateError>, SealError> {
        let Home::Embedded(port) = &mut self.home else { return Ok(Err(RotateError::FollowsStream)) };
        let Some(custody) = &self.custody else { return Ok(Err(RotateError::NoSource)) };
        let (old, next) = match custody.source.prepare_next() {
            Ok(next) => (custody.kek.clone(), next),
            Err(error) => return Ok(Err(error.into())),
        };
        let rewrapped = self.shared.keyring().rewrap(port.disk(), &next);
        rewrapped.map_err(|error| SealError::Custody(error.into()))?;
        self.retire(&old, &next.epoch(), None).map(Ok)
    }

    /// Completes what an earlier process has left in the middle.
    pub(crate) fn resume(&mut self, unfinished: Unfinished) -> Result<(), SealError> {
        if matches!(self.home, Home::JetStream(_)) {
            return self.resume_switch(unfinished);
        }
        let Unfinished { journal, old_kek, under_next, .. } = unfinished;
        match journal {
            Some(journal) => self.resume_erasure(&journal),
            None if under_next => {
                let Some(kek) = self.custody.as_ref().map(|custody| custody.kek.clone()) else {
                    return Ok(());
                };
                tracing::warn!("a renewal of the key-encryption key was interrupted; it is completed");
                match old_kek {
                    Some(old) => self.retire(&old, &kek, None).map(drop),
                    // The old one is spoilt already, so it is listed.
                    None => self.promote(),
                }
            }
            None => Ok(()),
        }
    }

    pub(super) fn promote(&mut self) -> Result<(), SealError> {
        let Some(custody) = &self.custody else { return Ok(()) };
        custody.source.promote().map_err(|error| SealError::Custody(error.into()))
    }

    fn resume_erasure(&mut self, journal: &Journal) -> Result<(), SealError> {
        tracing::warn!(
            "an erasure was interrupted; it is completed, and `goldenthread erase status` names its entry and the key that people must still destroy"
        );
        let (statement, says) =
            journal.statement().ok_or(SealError::Custody(CustodyFault::OtherStatement))?;
        let custody = self.custody.as_ref().ok_or_else(|| kek_gone(&journal.next_kek))?;
        if custody.kek != journal.next_kek {
            let keks = custody.source.load().map_err(|error| SealError::Custody(error.into()))?;
            let next = next_key(&keks, &journal.next_kek)?;
            let removals = self.removals_of(&says).map_err(SealError::Custody)?;
            self.destroy(&removals, &next).map_err(SealError::Custody)?;
        }
        // The clock may have been set back since, and the statement must not come from the future.
        if let Some(signed) = Timestamp::from_millis(statement.payload().iat.saturating_mul(1000)) {
            self.watch.not_before(signed);
        }
        let index = match self.place_of(&statement)? {
            Place::Taken(index) => index,
            Place::Next => self.seal_erasure(statement.clone(), &mut Laps::start())?.index,
            Place::TakenEarlier | Place::Gap | Place::OtherPredecessor => {
                return Err(SealError::Custody(CustodyFault::OtherStatement));
            }
        };
        if self.statement_at(index) != Some(statement.hash()) {
            return Err(SealError::Custody(CustodyFault::OtherStatement));
        }
        self.finish_erasure(journal, index).map(drop)
    }

    fn removals_of(&self, says: &Erasure) -> Result<Vec<Removal>, CustodyFault> {
        let keyring = self.shared.keyring();
        let ids = says.owners.iter().map(|id| OwnerId::from_bytes(*id));
        let owned = |id: OwnerId| {
            let mut owners = keyring.owners();
            let (tag, _) = owners.find(|(_, held)| held.link.name(0) == *id.as_bytes())?;
            Some(Owned { tag: *tag, id, entries: self.state.entries_of(tag) })
        };
        let owners: Option<Vec<Owned>> = ids.map(owned).collect();
        Ok(removals(&owners.ok_or(CustodyFault::OtherOwners)?, says.scope))
    }

    fn place_of(&mut self, statement: &Statement) -> Result<Place, SealError> {
        let payload = statement.payload();
        Ok(self.state.place(&payload.publisher, payload.seq, &payload.prev)?)
    }

    fn statement_at(&self, index: LeafIndex) -> Option<Hash> {
        let bytes = self.shared.log.entry_bytes(index).ok()?;
        Entry::parse(&bytes).ok().map(|entry| entry.statement)
    }

    pub(super) fn any_disk(&mut self) -> Result<&mut Disk, SealError> {
        match &mut self.home {
            Home::Embedded(port) => Ok(port.disk()),
            Home::JetStream(node) => Ok(node.port.local_disk()),
            Home::Away => Err(SealError::WritingStopped),
        }
    }

    fn disk(&mut self) -> Result<&mut Disk, SealError> {
        match &mut self.home {
            Home::Embedded(port) => Ok(port.disk()),
            Home::JetStream(_) | Home::Away => Err(SealError::OnlyFollows),
        }
    }
}

/// What becomes of the owners' keys. The new tags are of the same shards, and made from nothing.
pub(crate) fn removals(owners: &[Owned], scope: Scope) -> Vec<Removal> {
    let goes_on = |owner: &Owned| {
        let mut tag = *random::key();
        tag[0] = owner.tag[0];
        tag
    };
    let removal =
        |owner: &Owned| Removal { tag: owner.tag, goes_on: (scope == Scope::Data).then(|| goes_on(owner)) };
    owners.iter().map(removal).collect()
}

fn next_key(keks: &Keks, epoch: &str) -> Result<KeyEncryptionKey, SealError> {
    let next = keks.all().find(|key| key.epoch() == epoch).ok_or_else(|| kek_gone(epoch))?;
    Ok(KeyEncryptionKey::from_bytes(next.as_bytes()))
}

pub(super) fn kek_gone(epoch: &str) -> SealError {
    SealError::Custody(CustodyFault::KekGone(epoch.to_owned()))
}

pub(super) fn fault(error: std::io::Error) -> SealError {
    SealError::Custody(error.into())
}

impl Custody {
    /// What the sealer needs, if the key-encryption key has a place where a new one can be kept.
    pub(crate) fn of(secrets: &crate::secrets::Secrets, kek: String) -> Option<Self> {
        let source = secrets.kek_source()?.clone();
        Some(Self { source, kek, service: secrets.service() })
    }
}
