use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use gt_core::agency::AgencyCode;
use gt_core::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use gt_core::entry::Entry;
use gt_core::link::{LinkKey, LinkName};
use gt_core::note::{NoteSigner, SignNoteError};
use gt_core::statement::Owner;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, TreeSize};
use rayon::prelude::*;

use super::admit::{Admission, admit};
use super::answer::{Due, DueWith, answer};
use super::commit::{CommitError, CommitPort, SealedBatch};
use super::encipher::{Enciphered, OwnerPlace, encipher};
use super::times::{Laps, Stage};
use super::{Checked, StoppedByPanic, Ticket};
use crate::clock::{ClockDrift, Watch};
use crate::keyring::{AgencyKeys, Keyring, OwnerTag};
use crate::ledger::Shared;
use crate::log::SealedEntry;
use crate::state::State;
use crate::vault::VaultRecord;

/// The writing half of the sealer.
pub(crate) struct Sealer {
    pub(crate) state: State,
    pub(crate) port: Box<dyn CommitPort>,
    pub(crate) signer: NoteSigner,
    pub(crate) watch: Watch,
    pub(crate) shared: Arc<Shared>,
}

/// A statement that is being sealed.
struct Admitted {
    ticket: Ticket,
    index: LeafIndex,
    registry: u64,
    owners: Vec<OwnerPlace>,
}

/// Why the sealer stops: it does not know what is durable, or may not go on.
#[derive(Debug, thiserror::Error)]
enum SealError {
    #[error(transparent)]
    Clock(#[from] ClockDrift),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Sign(#[from] SignNoteError),
    #[error("the commit made a tree of {committed}, and {chained} entries were chained")]
    OtherSize { committed: TreeSize, chained: TreeSize },
}

impl Sealer {
    /// Seals batches until there are no more, or something goes wrong. Then it refuses everything: a sealer that does not know
    /// what is durable must not go on.
    pub(crate) fn run(mut self, batches: &Receiver<Vec<Checked>>) {
        let shared = Arc::clone(&self.shared);
        let _guard = StoppedByPanic(&shared);
        let mut laps = Laps::start();
        while let Ok(batch) = batches.recv() {
            laps.end(Stage::AwaitBatch);
            if let Err(error) = self.seal(batch, &mut laps) {
                tracing::error!(error = %error, "the sealer has stopped");
                shared.set_stopped();
                break;
            }
            shared.times_mut(|times| {
                times.batches += 1;
                times.add(&laps.take());
            });
        }
        // Dropping a ticket says that the sealer has stopped.
        batches.iter().for_each(drop);
    }

    fn seal(&mut self, batch: Vec<Checked>, laps: &mut Laps) -> Result<(), SealError> {
        let now = self.watch.received_at()?;
        let mut keys = Vec::new();
        let (mut admitted, mut taken) = (Vec::new(), Vec::new());
        for checked in batch {
            match admit(&mut self.state, &checked, now) {
                Err(refusal) => checked.ticket.reply.give(Err(refusal)),
                Ok(Admission::Taken(index)) => {
                    taken.push(Due { ticket: checked.ticket, index, what: DueWith::Taken(checked.signer) });
                }
                Ok(Admission::Next) => admitted.push(self.place(checked.ticket, &mut keys)),
            }
        }
        laps.end(Stage::Admit);
        let genesis = self.state.registry.genesis();
        let encipher = |one: &Admitted| encipher(&one.ticket.prepared, &one.owners, &genesis);
        let enciphered: Vec<Enciphered> = if admitted.len() > 1 {
            admitted.par_iter().map(encipher).collect()
        } else {
            admitted.iter().map(encipher).collect()
        };
        laps.end(Stage::Encipher);
        let (entries, names) = self.chain_entries(&admitted, enciphered, now);
        laps.end(Stage::Chain);
        let batch = SealedBatch { keys, entries };
        if !admitted.is_empty() {
            // Said before the waiting tickets are dropped, so that whoever hears `Stopped` finds the sealer stopped.
            self.commit(&batch, names, laps).inspect_err(|_| self.shared.set_stopped())?;
            let publishers = admitted.iter().map(|one| one.ticket.prepared.statement.payload().publisher);
            self.shared.sealed(&self.state, publishers.collect::<HashSet<_>>());
        }
        let sealed = admitted.into_iter().zip(batch.entries);
        let mut due: Vec<Due> = sealed
            .map(|(one, entry)| Due {
                ticket: one.ticket,
                index: one.index,
                what: DueWith::Entry(entry.bytes),
            })
            .collect();
        due.extend(taken);
        answer(&self.shared, due);
        laps.end(Stage::Answer);
        self.port.settle()?;
        laps.end(Stage::Settle);
        Ok(())
    }

    fn commit(
        &mut self,
        batch: &SealedBatch,
        names: Vec<(LinkName, OwnerTag)>,
        laps: &mut Laps,
    ) -> Result<(), SealError> {
        let (committed, root) = self.port.commit(batch)?;
        laps.end(Stage::Write);
        let chained = self.state.size();
        if committed != chained {
            return Err(SealError::OtherSize { committed, chained });
        }
        let checkpoint = Checkpoint::new(&self.state.registry.ledger_keys().origin, committed, root)?;
        let signed = SignedCheckpoint::sign(checkpoint, &[&self.signer])?;
        // Before the checkpoint shows the entries: a reader that finds no owner for a link takes the record for erased.
        self.shared.add_links(names);
        self.port.announce(signed)?;
        laps.end(Stage::Publish);
        Ok(())
    }

    /// Gives a statement its place in its publisher's chain, in the log, and in each owner's record.
    fn place(&mut self, ticket: Ticket, new_keys: &mut Vec<u8>) -> Admitted {
        let statement = &ticket.prepared.statement;
        let payload = statement.payload();
        let index = self.state.predecessor.next_index;
        let registry = self.state.predecessor.registry;
        // The entry's own hash is not known yet; `chain_entries` completes the predecessor.
        self.state.predecessor.next_index = LeafIndex(index.0 + 1);
        self.state.predecessor.registry += u64::from(payload.publisher == self.state.registry.registrar_id());
        self.state.chain(&payload.publisher).push(index, statement.hash());
        let mut owners = Vec::new();
        for owner in ticket.prepared.ownership.iter().flat_map(|ownership| &ownership.distinct) {
            let (tag, link, keys) = self.keys_of(owner, &payload.iss, new_keys);
            let n = self.state.counts.entry(tag).or_insert(0);
            owners.push(OwnerPlace { owner: owner.clone(), tag, n: *n, link, keys });
            *n += 1;
        }
        Admitted { ticket, index, registry, owners }
    }

    /// An owner's keys for an agency, made if they are missing. Readers are kept out of the keyring only then.
    fn keys_of(
        &self,
        owner: &Owner,
        agency: &AgencyCode,
        new_keys: &mut Vec<u8>,
    ) -> (OwnerTag, LinkKey, AgencyKeys) {
        let held = |keyring: &Keyring, tag: OwnerTag| {
            let keys = keyring.owner(&tag)?;
            Some((tag, keys.link.clone(), keys.agency(agency)?.clone()))
        };
        let keyring = self.shared.keyring();
        let there = held(&keyring, keyring.tag(owner));
        drop(keyring);
        there.unwrap_or_else(|| {
            let mut keyring = self.shared.keyring_mut();
            let tag = keyring.ensure(owner, agency, new_keys);
            held(&keyring, tag).expect("the keys were made just now")
        })
    }

    /// Builds the entries one after the other, since each names the hash of the one before; then frames their vault records in parallel.
    fn chain_entries(
        &mut self,
        admitted: &[Admitted],
        enciphered: Vec<Enciphered>,
        now: Timestamp,
    ) -> (Vec<SealedEntry>, Vec<(LinkName, OwnerTag)>) {
        let mut names = Vec::new();
        let chained = admitted.iter().zip(enciphered).map(|(one, Enciphered { links, record })| {
            names.extend(one.owners.iter().zip(&links).map(|(owner, link)| (link.name, owner.tag)));
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
            (bytes, leaf_hash, record)
        });
        let chained: Vec<(Vec<u8>, Hash, VaultRecord)> = chained.collect();
        let frame = |(bytes, leaf_hash, record): (Vec<u8>, Hash, VaultRecord)| {
            let vault = record.encode(&leaf_hash);
            SealedEntry { bytes, leaf_hash, vault }
        };
        let entries = if chained.len() > 1 {
            chained.into_par_iter().map(frame).collect()
        } else {
            chained.into_iter().map(frame).collect()
        };
        (entries, names)
    }
}
