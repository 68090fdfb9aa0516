use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use gt_core::agency::AgencyCode;
use gt_core::checkpoint::{Checkpoint, CheckpointError, LogSigner};
use gt_core::entry::Entry;
use gt_core::note::SignNoteError;
use gt_core::statement::Owner;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, TreeSize};
use rayon::prelude::*;

use super::admit::{Admission, admit};
use super::answer::{Due, DueWith, answer};
use super::commit::{CommitError, CommitPort, Embedded, SealedBatch};
use super::encipher::{Enciphered, OwnerPlace, encipher};
use super::follow::{Contradiction, Node};
use super::times::{Laps, Stage};
use super::waiting::{CheckedQueue, Next, Waiting};
use super::{Checked, StoppedByPanic, Ticket, Work};
use crate::clock::{ClockDrift, Watch};
use crate::erasure::{Custody, CustodyFault};
use crate::index::IndexError;
use crate::keyring::{KeyRecord, KeyringError, Proposals};
use crate::log::SealedEntry;
use crate::open_ledger::Shared;
use crate::prepare::Prepared;
use crate::refusal::Refusal;
use crate::snapshot::Snapshots;
use crate::state::{LinkOwner, State};
use crate::vault::VaultRecord;
use crate::witness::WitnessContradiction;

/// The writing half of the sealer.
pub(crate) struct Sealer {
    pub(crate) state: State,
    pub(crate) home: Home,
    /// `None` on a node that only follows: it seals nothing.
    pub(crate) signer: Option<LogSigner>,
    pub(crate) watch: Watch,
    pub(crate) shared: Arc<Shared>,
    /// What renewing the key-encryption key and erasing need.
    pub(crate) custody: Option<Custody>,
    pub(crate) snapshots: Snapshots,
}

/// Where batches are committed: one of the two homes that a ledger can have.
pub(crate) enum Home {
    /// The data folder alone.
    Embedded(Box<Embedded>),
    /// The stream that several nodes share, and each node's data folder after it.
    JetStream(Box<Node>),
}

impl Home {
    pub(super) fn port(&mut self) -> &mut dyn CommitPort {
        match self {
            Self::Embedded(port) => port.as_mut(),
            Self::JetStream(node) => &mut node.port,
        }
    }
}

/// A statement that is being sealed.
struct Admitted {
    ticket: Ticket,
    index: LeafIndex,
    registry: u64,
    owners: Vec<OwnerPlace>,
}

/// A batch, sorted by what is to be done with each statement.
#[derive(Default)]
struct Sorted {
    admitted: Vec<Admitted>,
    taken: Vec<Due>,
    refused: Vec<(Ticket, Refusal)>,
}

/// Why the sealer stops: it does not know what is durable, or may not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Clock(#[from] ClockDrift),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Sign(#[from] SignNoteError),
    #[error("the commit made a tree of {committed}, and {chained} entries were chained")]
    OtherSize { committed: TreeSize, chained: TreeSize },
    #[error("this node only follows")]
    OnlyFollows,
    #[error("what an erasure or a renewal of the key-encryption key has begun: {0}")]
    Custody(#[source] CustodyFault),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    #[error(transparent)]
    Witness(#[from] WitnessContradiction),
    #[error("what a witness has seen contradicts this folder")]
    Contradicted,
}

impl Sealer {
    /// Works until there is nothing more, or something goes wrong. Then it refuses everything: a sealer that does not know what is
    /// durable must not go on.
    pub(super) fn run(mut self, works: &Receiver<Work>, checked: CheckedQueue) {
        let shared = Arc::clone(&self.shared);
        // In this order: whoever hears `Stopped` finds the sealer stopped.
        let mut waiting = Waiting::new(works, checked);
        let _guard = StoppedByPanic(&shared);
        let mut laps = Laps::start();
        while let Some(work) = waiting.next() {
            laps.end(Stage::AwaitBatch);
            let done = match work {
                // A witness has contradicted the folder meanwhile.
                _ if shared.is_stopped() => Err(SealError::Contradicted),
                Next::Seal(batch) => self.seal(batch, &mut laps),
                Next::Stream(news) => self.take(news),
                Next::Custody(work) => self.take_custody(work, &mut laps),
            };
            if let Err(error) = done {
                self.report_stop(error);
                shared.set_stopped();
                break;
            }
            self.snapshots.after_work(&mut self.state);
            shared.times_mut(|times| times.add(&laps.take()));
        }
        // Dropping a ticket says that the sealer has stopped.
        drop(waiting);
        if !shared.is_stopped() {
            self.snapshots.close(&mut self.state);
        }
        works.iter().for_each(drop);
    }

    pub(super) fn seal(&mut self, batch: Vec<Checked>, laps: &mut Laps) -> Result<(), SealError> {
        let now = self.watch.received_at()?;
        let before = self.state.size();
        self.state.begin();
        let mut sorted = self.sort(batch, now);
        laps.end(Stage::Admit);
        match self.seal_sorted(&mut sorted, now, laps) {
            Ok(entries) => {
                self.state.keep();
                self.answer_sealed(sorted, entries);
            }
            Err(SealError::Commit(error)) if error.is_nothing_committed() => {
                self.state.roll_back();
                tracing::warn!(%error, "a batch was not committed");
                self.answer_unsealed(sorted, before, &error);
            }
            Err(error) => {
                // Said before the waiting tickets are dropped, so that whoever hears `Stopped` finds the sealer stopped.
                self.shared.set_stopped();
                return Err(error);
            }
        }
        laps.end(Stage::Answer);
        self.home.port().settle()?;
        laps.end(Stage::Settle);
        self.shared.times_mut(|times| times.batches += 1);
        Ok(())
    }

    fn sort(&mut self, batch: Vec<Checked>, now: Timestamp) -> Sorted {
        let mut sorted = Sorted::default();
        for checked in batch {
            match admit(&mut self.state, &checked, now) {
                Err(refusal) => sorted.refused.push((checked.ticket, refusal)),
                Ok(Admission::Taken(index)) => {
                    let what = DueWith::Taken(checked.signer);
                    sorted.taken.push(Due { ticket: checked.ticket, index, what });
                }
                Ok(Admission::Next) => sorted.admitted.push(self.place(checked.ticket)),
            }
        }
        sorted
    }

    /// Commits what was admitted, and returns its entries' bytes.
    fn seal_sorted(
        &mut self,
        sorted: &mut Sorted,
        now: Timestamp,
        laps: &mut Laps,
    ) -> Result<Vec<Vec<u8>>, SealError> {
        if sorted.admitted.is_empty() {
            // A refusal that rests on an old state would be wrong.
            if !sorted.refused.is_empty() && !self.home.port().is_current()? {
                return Err(CommitError::Superseded.into());
            }
            return Ok(Vec::new());
        }
        let keys = self.give_keys(&mut sorted.admitted)?;
        laps.end(Stage::Keys);
        let genesis = self.state.registry.genesis();
        let texts: Vec<(&Prepared, &[OwnerPlace])> =
            sorted.admitted.iter().map(|one| (&one.ticket.prepared, one.owners.as_slice())).collect();
        let encipher = |(prepared, owners): (&Prepared, &[OwnerPlace])| encipher(prepared, owners, &genesis);
        let enciphered: Vec<Enciphered> = if texts.len() > 1 {
            texts.into_par_iter().map(encipher).collect()
        } else {
            texts.into_iter().map(encipher).collect()
        };
        laps.end(Stage::Encipher);
        let (entries, names) = self.chain_entries(&sorted.admitted, enciphered, now);
        laps.end(Stage::Chain);
        let batch = SealedBatch { keys, entries };
        self.commit(&batch, &names, laps)?;
        let publishers = sorted.admitted.iter().map(|one| one.ticket.prepared.statement.payload().publisher);
        self.shared.sealed(&self.state, publishers.collect::<HashSet<_>>());
        Ok(batch.entries.into_iter().map(|entry| entry.bytes).collect())
    }

    fn answer_sealed(&self, sorted: Sorted, entries: Vec<Vec<u8>>) {
        for (ticket, refusal) in sorted.refused {
            ticket.reply.give(Err(refusal));
        }
        let sealed = sorted.admitted.into_iter().zip(entries);
        let mut due: Vec<Due> = sealed
            .map(|(one, bytes)| Due { ticket: one.ticket, index: one.index, what: DueWith::Entry(bytes) })
            .collect();
        due.extend(sorted.taken);
        answer(&self.shared, due);
    }

    /// Nothing of the batch is committed: only what was sealed before can be answered for.
    fn answer_unsealed(&self, sorted: Sorted, before: TreeSize, error: &CommitError) {
        let (known, unsealed): (Vec<Due>, Vec<Due>) =
            sorted.taken.into_iter().partition(|due| before.contains(due.index));
        answer(&self.shared, known);
        let admitted = sorted.admitted.into_iter().map(|one| one.ticket);
        let refused = sorted.refused.into_iter().map(|(ticket, _)| ticket);
        for ticket in admitted.chain(unsealed.into_iter().map(|due| due.ticket)).chain(refused) {
            ticket.reply.give(Err(match error {
                CommitError::Superseded => Refusal::Superseded,
                _ => Refusal::Unavailable,
            }));
        }
        self.shared.set_active(false);
    }

    fn commit(&mut self, batch: &SealedBatch, names: &[LinkOwner], laps: &mut Laps) -> Result<(), SealError> {
        let signer = self.signer.as_ref().ok_or(SealError::OnlyFollows)?;
        let (committed, root) = self.home.port().commit(batch)?;
        laps.end(Stage::Write);
        let chained = self.state.size();
        if committed != chained {
            return Err(SealError::OtherSize { committed, chained });
        }
        self.check_with_witnesses(committed, root)?;
        let checkpoint = Checkpoint::new(&self.state.registry.ledger_keys().origin, committed, root)?;
        let checkpoint = signer.sign(checkpoint)?;
        // Before the checkpoint shows the entries: a reader that finds no owner for a link takes the record for erased.
        self.shared.index.add(names);
        self.home.port().announce(checkpoint)?;
        self.shared.set_active(true);
        laps.end(Stage::Publish);
        Ok(())
    }

    /// Signs nothing that a witness contradicts: one that has said so while the batch was committed, or, for a sealer that takes over,
    /// one that is asked now.
    fn check_with_witnesses(&self, committed: TreeSize, root: Hash) -> Result<(), SealError> {
        let Some(witnesses) = self.shared.witnesses.get() else { return Ok(()) };
        if self.shared.is_stopped() {
            return Err(SealError::Contradicted);
        }
        if !self.shared.is_active() {
            witnesses.check_take_over(&self.shared, committed, root)?;
        }
        Ok(())
    }

    /// Gives a statement its place in its publisher's chain and in the log.
    fn place(&mut self, ticket: Ticket) -> Admitted {
        let statement = &ticket.prepared.statement;
        let publisher = statement.payload().publisher;
        let index = self.state.predecessor.next_index;
        let registry = self.state.predecessor.registry;
        // The entry's own hash is not known yet; `chain_entries` completes the predecessor.
        self.state.predecessor.next_index = LeafIndex(index.0 + 1);
        self.state.predecessor.registry += u64::from(publisher == self.state.registry.registrar_id());
        self.state.push(&publisher, index, statement.hash());
        Admitted { ticket, index, registry, owners: Vec::new() }
    }

    /// Gives each statement a place in its owners' records, with their keys; missing ones are made, and returned.
    fn give_keys(&mut self, admitted: &mut [Admitted]) -> Result<Vec<KeyRecord>, SealError> {
        let mut proposed = Proposals::default();
        let keyring = self.shared.keyring();
        for (owner, agency) in admitted.iter().flat_map(Admitted::owners_and_agency) {
            keyring.propose(owner, agency, &mut proposed);
        }
        drop(keyring);
        let proposed = proposed.into_records();
        let keys = if proposed.is_empty() { proposed } else { self.home.port().share_keys(proposed)? };
        if !keys.is_empty() {
            // Readers are kept out of the keyring only here.
            for tag in self.shared.keyring_mut().accept(&keys)? {
                self.state.know(tag);
            }
        }
        let keyring = self.shared.keyring();
        for one in admitted {
            let places = one.owners_and_agency().map(|(owner, agency)| {
                let tag = keyring.tag(owner);
                let held = keyring.owner(&tag).and_then(|held| Some((held, held.agency(agency)?)));
                let (held, keys) = held.expect("what was missing was made just now");
                (owner.clone(), tag, held.link.clone(), keys.clone())
            });
            let places: Vec<_> = places.collect();
            one.owners = places
                .into_iter()
                .map(|(owner, tag, link, keys)| OwnerPlace {
                    owner,
                    tag,
                    n: self.state.count(tag),
                    link,
                    keys,
                })
                .collect();
        }
        Ok(keys)
    }

    /// Builds the entries one after the other, since each names the hash of the one before; then frames their vault records in parallel.
    fn chain_entries(
        &mut self,
        admitted: &[Admitted],
        enciphered: Vec<Enciphered>,
        now: Timestamp,
    ) -> (Vec<SealedEntry>, Vec<LinkOwner>) {
        let mut names = Vec::new();
        let chained = admitted.iter().zip(enciphered).map(|(one, Enciphered { links, record })| {
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

impl Admitted {
    fn owners_and_agency(&self) -> impl Iterator<Item = (&Owner, &AgencyCode)> {
        let prepared = &self.ticket.prepared;
        prepared.owners().iter().map(|owner| (owner, &prepared.statement.payload().iss))
    }
}
