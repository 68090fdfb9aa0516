use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::entry::Entry;
use gt_core::link::{Link, LinkKey, LinkName};
use gt_core::note::NoteSigner;
use gt_core::statement::Owner;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};
use rayon::prelude::*;

use super::admit::{Admission, admit};
use super::commit::{CommitPort, SealedBatch};
use super::answer::{Due, DueWith, answer};
use super::{Checked, Ticket, refuse};
use crate::clock::Watch;
use crate::keyring::{AgencyKeys, OwnerTag};
use crate::ledger::Shared;
use crate::log::SealedEntry;
use crate::refusal::Refusal;
use crate::state::State;
use crate::vault::{self, DisclosureBlob, StatementBlob, VaultRecord};

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

/// One owner of a statement, with what sealing its share needs.
struct OwnerPlace {
    owner: Owner,
    tag: OwnerTag,
    n: u64,
    link: LinkKey,
    keys: AgencyKeys,
}

/// A vault record and the links of its entry, made in parallel; the vault record is framed once the leaf hash is known.
struct Enciphered {
    links: Vec<Link>,
    record: VaultRecord,
}

impl Sealer {
    /// Seals batches until there are no more, or something goes wrong. Then it refuses everything: a sealer that does not know
    /// what is durable must not go on.
    pub(crate) fn run(mut self, batches: &Receiver<Vec<Checked>>) {
        while let Ok(batch) = batches.recv() {
            if let Err(error) = self.seal(batch) {
                tracing::error!(error = %error, "the sealer has stopped");
                self.shared.set_stopped();
                break;
            }
        }
        for checked in batches.iter().flatten() {
            refuse(checked.ticket.reply, Refusal::Stopped);
        }
    }

    fn seal(&mut self, batch: Vec<Checked>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let now = self.watch.received_at()?;
        let mut keys = Vec::new();
        let (mut admitted, mut taken) = (Vec::new(), Vec::new());
        for checked in batch {
            match admit(&mut self.state, &checked, now) {
                Err(refusal) => refuse(checked.ticket.reply, refusal),
                Ok(Admission::Taken(index)) => {
                    taken.push(Due { ticket: checked.ticket, index, what: DueWith::Taken(checked.signer) });
                }
                Ok(Admission::Next) => admitted.push(self.place(checked.ticket, &mut keys)),
            }
        }
        let genesis = self.state.registry.genesis();
        let enciphered: Vec<Enciphered> = if admitted.len() > 1 {
            admitted.par_iter().map(|one| encipher(one, &genesis)).collect()
        } else {
            admitted.iter().map(|one| encipher(one, &genesis)).collect()
        };
        let (entries, names) = self.chain_entries(&admitted, enciphered, now);
        let batch = SealedBatch { keys, entries };
        if !admitted.is_empty() {
            self.commit(&batch)?;
            self.shared.sealed(&self.state, names);
        }
        let sealed = admitted.into_iter().zip(batch.entries);
        let mut due: Vec<Due> = sealed
            .map(|(one, entry)| Due { ticket: one.ticket, index: one.index, what: DueWith::Entry(entry.bytes) })
            .collect();
        due.extend(taken);
        answer(&self.shared, due);
        self.port.settle()?;
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
        if let Some(ownership) = &ticket.prepared.ownership {
            let mut keyring = self.shared.keyring_mut();
            for owner in &ownership.distinct {
                let tag = keyring.ensure(owner, &payload.iss, new_keys);
                let n = self.state.counts.entry(tag).or_insert(0);
                let held = keyring.owner(&tag).and_then(|held| Some((held.link.clone(), held.agency(&payload.iss)?.clone())));
                let (link, keys) = held.expect("the keys were made just now");
                owners.push(OwnerPlace { owner: owner.clone(), tag, n: *n, link, keys });
                *n += 1;
            }
        }
        Admitted { ticket, index, registry, owners }
    }

    /// Builds the entries one after the other, since each names the hash of the one before.
    fn chain_entries(
        &mut self,
        admitted: &[Admitted],
        enciphered: Vec<Enciphered>,
        now: Timestamp,
    ) -> (Vec<SealedEntry>, Vec<(LinkName, OwnerTag)>) {
        let mut names = Vec::new();
        let entries = admitted.iter().zip(enciphered).map(|(one, Enciphered { links, record })| {
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
            SealedEntry { bytes, leaf_hash, vault: record.encode(&leaf_hash) }
        });
        let entries = entries.collect();
        (entries, names)
    }

    fn commit(&mut self, batch: &SealedBatch) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let (size, root) = self.port.commit(batch)?;
        debug_assert_eq!(size, self.state.size());
        let checkpoint = Checkpoint::new(&self.state.registry.ledger_keys().origin, size, root)?;
        self.port.announce(SignedCheckpoint::sign(checkpoint, &[&self.signer])?)?;
        Ok(())
    }
}

/// Makes a statement's links and encrypts its texts.
fn encipher(admitted: &Admitted, genesis: &Hash) -> Enciphered {
    let statement = &admitted.ticket.prepared.statement;
    let payload = statement.payload();
    let links: Vec<Link> = admitted.owners.iter().map(|owner| owner.link.link(owner.n)).collect();
    let by_owner: HashMap<&Owner, (usize, &OwnerPlace)> =
        admitted.owners.iter().enumerate().map(|(position, place)| (&place.owner, (position, place))).collect();
    let hash = statement.hash();
    let jws = statement.jws().as_bytes();
    let (statement_blob, disclosures) = match &admitted.ticket.prepared.ownership {
        None => (StatementBlob::Open(jws.to_vec()), Vec::new()),
        Some(ownership) => {
            let (position, primary) = by_owner[&ownership.primary];
            let bytes = vault::seal(&primary.keys.record, genesis, &vault::place(&hash, None), jws);
            let blob =
                StatementBlob::Sealed { owner: links[position].name, agency: payload.iss.clone(), bytes };
            let disclosures = statement.disclosures().iter().zip(&ownership.of_disclosures).map(|(disclosure, owner)| {
                let (position, place) = by_owner[owner];
                let digest = disclosure.digest();
                let at = vault::place(&hash, Some(&digest));
                let bytes = vault::seal(&place.keys.data, genesis, &at, disclosure.text().as_bytes());
                DisclosureBlob { owner: links[position].name, digest, bytes }
            });
            (blob, disclosures.collect())
        }
    };
    let record = VaultRecord {
        publisher: payload.publisher,
        seq: payload.seq,
        event_type: payload.event_type.clone(),
        statement: statement_blob,
        disclosures,
    };
    Enciphered { links, record }
}
