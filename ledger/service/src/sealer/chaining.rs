//! From admitted statements to a batch that is ready to be committed, and the commit itself.

use std::collections::HashSet;

use gt_core::Hash;
use gt_core::TreeSize;
use gt_core::agency::AgencyCode;
use gt_core::checkpoint::{Checkpoint, LogSigner, SignedCheckpoint};
use gt_core::entry::Entry;
use gt_core::statement::Owner;
use gt_core::time::Timestamp;
use rayon::prelude::*;

use super::batch::{Admitted, SealError, Sealer};
use super::commit::{CommitError, CommitPort, Embedded, SealedBatch};
use super::encipher::{Enciphered, OwnerPlace, encipher};
use super::times::{Laps, Stage};
use crate::keyring::{KeyRecord, Keyring, Proposals};
use crate::log::SealedEntry;
use crate::open_ledger::{Shared, Shown};
use crate::prepare::Prepared;
use crate::state::LinkOwner;
use crate::vault::VaultSalt;

/// How many statements one core finds keys for, or encrypts, before another one is asked for the next.
const TOGETHER: usize = 16;

/// A batch whose place in the log is decided.
pub(super) struct Chained {
    batch: SealedBatch,
    /// Whose its links are.
    names: Vec<LinkOwner>,
    /// The log's size with it, and the log's origin.
    size: TreeSize,
    origin: String,
    shown: Shown,
}

impl Sealer {
    /// Makes a batch of what was admitted, of which there is something.
    pub(super) fn chain(
        &mut self,
        admitted: &mut [Admitted],
        now: Timestamp,
        laps: &mut Laps,
    ) -> Result<Chained, SealError> {
        let keys = self.give_keys(admitted)?;
        laps.end(Stage::Keys);
        let salt = VaultSalt::of(&self.state.registry.genesis());
        let texts: Vec<(&Prepared, &[OwnerPlace])> =
            admitted.iter().map(|one| (&*one.ticket.prepared, one.owners.as_slice())).collect();
        let encipher = |(prepared, owners): (&Prepared, &[OwnerPlace])| encipher(prepared, owners, &salt);
        let enciphered: Vec<Enciphered> = if texts.len() > TOGETHER {
            texts.into_par_iter().with_min_len(TOGETHER).map(encipher).collect()
        } else {
            texts.into_iter().map(encipher).collect()
        };
        laps.end(Stage::Encipher);
        let (entries, names) = self.chain_entries(admitted, enciphered, now);
        laps.end(Stage::Chain);
        let publishers = admitted.iter().map(|one| one.ticket.prepared.statement.payload().publisher);
        let publishers: HashSet<_> = publishers.collect();
        Ok(Chained {
            batch: SealedBatch { keys, entries },
            names,
            size: self.state.size(),
            origin: self.state.registry.ledger_keys().origin.clone(),
            shown: self.shared.shown_by(&self.state, publishers),
        })
    }

    /// Gives each statement a place in its owners' records, with their keys; missing ones are made, and returned.
    fn give_keys(&mut self, admitted: &mut [Admitted]) -> Result<Vec<KeyRecord>, SealError> {
        let keyring = self.shared.keyring();
        if admitted.len() > TOGETHER {
            let (admitted, keyring) = (admitted.par_iter_mut().with_min_len(TOGETHER), &*keyring);
            admitted.for_each(|one| one.take_keys(keyring));
        } else {
            for one in admitted.iter_mut() {
                one.take_keys(&keyring);
            }
        }
        let mut proposed = Proposals::default();
        for (owner, agency) in
            admitted.iter().filter(|one| one.lacks_keys()).flat_map(Admitted::owners_and_agency)
        {
            keyring.propose_for(&keyring.tag(owner), owner, agency, &mut proposed);
        }
        drop(keyring);
        let proposed = proposed.into_records();
        let keys = if proposed.is_empty() { proposed } else { self.home.share_keys(proposed)? };
        if !keys.is_empty() {
            // Readers are kept out of the keyring only here.
            for tag in self.shared.keyring_mut().accept(&keys)? {
                self.state.know(tag);
            }
            let keyring = self.shared.keyring();
            admitted.iter_mut().filter(|one| one.lacks_keys()).for_each(|one| one.take_keys(&keyring));
        }
        for one in admitted {
            assert!(!one.lacks_keys(), "what was missing was made just now");
            one.owners.iter_mut().for_each(|owner| owner.n = self.state.count(owner.tag));
        }
        Ok(keys)
    }

    /// Builds the entries one after the other, since each names the hash of the one before.
    pub(super) fn chain_entries(
        &mut self,
        admitted: &[Admitted],
        enciphered: Vec<Enciphered>,
        now: Timestamp,
    ) -> (Vec<SealedEntry>, Vec<LinkOwner>) {
        let mut names = Vec::with_capacity(enciphered.iter().map(|one| one.links.len()).sum());
        let entries = admitted.iter().zip(enciphered).map(|(one, Enciphered { links, record })| {
            let linked = one.owners.iter().zip(&links);
            names.extend(linked.map(|(owner, link)| (link.name, owner.tag, one.index)));
            let entry = Entry {
                index: one.index,
                prev: self.state.predecessor.leaf_hash,
                received_at: now,
                registry: one.registry,
                links,
                statement: one.ticket.prepared.statement.hash(),
            };
            let bytes = entry.to_bytes();
            let leaf_hash = gt_core::tree::leaf_hash(&bytes);
            self.state.predecessor.leaf_hash = leaf_hash;
            self.state.predecessor.received_at = Some(now);
            SealedEntry { bytes, leaf_hash, vault: record.finish(&leaf_hash) }
        });
        let entries = entries.collect();
        (entries, names)
    }
}

impl Admitted {
    /// Looks its owners' keys up; takes none if one is missing. How many entries each owner has is not looked up: it depends on the
    /// statements before this one.
    fn take_keys(&mut self, keyring: &Keyring) {
        // It has room for all from the beginning, and nothing is moved out of it: keys are wiped where they lie.
        let mut owners = Vec::with_capacity(self.ticket.prepared.owners().len());
        for (owner, agency) in self.owners_and_agency() {
            let tag = keyring.tag(owner);
            let Some((link, keys)) = keyring.keys_for(&tag, agency) else { return };
            owners.push(OwnerPlace { owner: owner.clone(), tag, n: 0, link, keys });
        }
        self.owners = owners;
    }

    fn lacks_keys(&self) -> bool {
        self.owners.len() < self.ticket.prepared.owners().len()
    }

    fn owners_and_agency(&self) -> impl Iterator<Item = (&Owner, &AgencyCode)> {
        let prepared = &self.ticket.prepared;
        prepared.owners().iter().map(|owner| (owner, &prepared.statement.payload().iss))
    }
}

impl Chained {
    /// Commits the batch, shows it to readers once its checkpoint is durable, and returns its entries' bytes.
    pub(super) fn commit(
        self,
        port: &mut dyn CommitPort,
        signer: &LogSigner,
        shared: &Shared,
        laps: &mut Laps,
    ) -> Result<Vec<Vec<u8>>, SealError> {
        let (committed, root) = port.commit(&self.batch)?;
        laps.end(Stage::Write);
        let checkpoint = self.sign(committed, root, signer, shared)?;
        self.publish(shared, laps, || port.announce(checkpoint))
    }

    /// The same for the data folder alone: the checkpoint is signed before the disk is waited for, once for all of it. Nobody sees it before
    /// the batch is durable, and nobody ever does if a witness contradicts it meanwhile.
    pub(super) fn commit_to_folder(
        self,
        port: &mut Embedded,
        signer: &LogSigner,
        shared: &Shared,
        laps: &mut Laps,
    ) -> Result<Vec<Vec<u8>>, SealError> {
        let sign = |committed, root| self.sign(committed, root, signer, shared);
        let checkpoint = port.commit_with(&self.batch.keys, &self.batch.entries, sign)?;
        laps.end(Stage::Write);
        let head = checkpoint.checkpoint();
        if let Err(error) = check_with_witnesses(shared, head.size(), head.root()) {
            if let Err(error) = port.withdraw() {
                tracing::error!(%error, "the checkpoint that a witness contradicts is still in checkpoint.new; remove it before the next start");
            }
            return Err(error);
        }
        self.publish(shared, laps, || port.announce_ready(checkpoint))
    }

    /// Signs the checkpoint of the tree that this batch was to make.
    fn sign(
        &self,
        committed: TreeSize,
        root: Hash,
        signer: &LogSigner,
        shared: &Shared,
    ) -> Result<SignedCheckpoint, SealError> {
        if committed != self.size {
            return Err(SealError::OtherSize { committed, chained: self.size });
        }
        check_with_witnesses(shared, committed, root)?;
        Ok(signer.sign(Checkpoint::new(&self.origin, committed, root)?)?)
    }

    /// Announces the checkpoint, and shows the batch to readers.
    fn publish(
        self,
        shared: &Shared,
        laps: &mut Laps,
        announce: impl FnOnce() -> Result<(), CommitError>,
    ) -> Result<Vec<Vec<u8>>, SealError> {
        // Before the checkpoint shows the entries: a reader that finds no owner for a link takes the record for erased.
        shared.index.add(&self.names);
        announce()?;
        shared.set_active(true);
        laps.end(Stage::Publish);
        shared.show(self.shown);
        Ok(self.batch.entries.into_iter().map(|entry| entry.bytes).collect())
    }
}

/// Signs nothing that a witness contradicts: one that has said so while the batch was committed, or, for a sealer that takes over,
/// one that is asked now.
pub(super) fn check_with_witnesses(
    shared: &Shared,
    committed: TreeSize,
    root: Hash,
) -> Result<(), SealError> {
    let Some(witnesses) = shared.witnesses.get() else { return Ok(()) };
    if shared.is_stopped() {
        return Err(SealError::Contradicted);
    }
    if !shared.is_active() {
        witnesses.check_take_over(shared, committed, root)?;
    }
    Ok(())
}
