//! Applying what the stream brings: whole batches that extend the log, checkpoints, and what belongs to neither.

mod contradiction;
mod place;

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use gt_core::checkpoint::Checkpoint;
use gt_core::entry::Entry;
use gt_core::statement::PublisherId;
use gt_core::tree::Frontier;
use gt_core::{TreeSize, prove};

pub(super) use contradiction::Contradiction;
use place::{BatchFault, fits, follows};

use super::batch::{Home, SealError, Sealer};
use super::commit::CommitError;
use super::switch::Skipped;
use super::turns::Turns;
use crate::jetstream::assemble::{Assembled, StreamBatch};
use crate::jetstream::{News, NextKeyring, Port};
use crate::log::SealedEntry;
use crate::state::LinkOwner;
use crate::vault::VaultRecord;

/// How many entries are applied before their checkpoint must be durable: what recovery takes for one interrupted commit.
const MAX_GROUP: usize = 1000;
/// How many checkpoints ahead of the log are remembered.
const MAX_CHECKPOINTS: usize = 4096;
/// How many batches may wait for their checkpoint.
const MAX_WAITING: usize = 4096;

/// A node's share in the stream.
pub(crate) struct Node {
    pub(super) port: Port,
    /// Batches that are not applied yet, in the stream's order.
    pub(super) waiting: VecDeque<StreamBatch>,
    /// The sequence up to which the stream has been read.
    pub(super) through: u64,
    /// How often in a row the stream's leader has said what cannot be.
    doubts: u32,
    /// From where the stream is to be read again: what came after that was not kept, while the node waited for a key.
    pub(super) skipped: Option<Skipped>,
    /// The keyring of the epoch that this node has begun itself.
    pub(super) next: Option<NextKeyring>,
    /// When this node looked last for the key that it waits for.
    pub(super) looked: Option<Instant>,
    pub(super) turns: Turns,
}

impl Node {
    pub(crate) fn new(port: Port) -> Self {
        let (through, _) = port.cursor();
        let (waiting, turns) = (VecDeque::new(), Turns::default());
        Self { port, waiting, through, doubts: 0, skipped: None, next: None, looked: None, turns }
    }
}

impl Node {
    /// Whether everything that this node knows to be sealed is in the folder.
    pub(super) fn is_level(&mut self) -> bool {
        self.waiting.is_empty() && self.port.ahead().is_empty()
    }
}

impl Sealer {
    /// Takes what the stream has brought.
    pub(super) fn take(&mut self, news: News) -> Result<(), SealError> {
        match news {
            News::Messages { assembled, from, through, pending } => {
                if self.is_kept(from)? {
                    self.take_messages(assembled, through, pending)
                } else {
                    Ok(())
                }
            }
            News::Asked { last, created, accounted } => {
                self.take_answer(last, &created, accounted)?;
                // Nothing comes. Only who sealed last knows that the receipts have gone out.
                if self.shared.is_active() {
                    self.node()?.port.announce_again();
                }
                if self.shared.waits_for_key().is_some() { self.apply_waiting() } else { Ok(()) }
            }
            News::Checkpoint { checkpoint, stored } => self.take_checkpoint(checkpoint, stored),
            News::CaughtUp => self.caught_up(),
        }
    }

    /// Says why the sealer stops, where somebody looks for it.
    pub(super) fn report_stop(&mut self, error: SealError) {
        // The writing thread has said it already.
        if !matches!(error, SealError::WritingStopped) {
            error.report(&self.shared);
        }
        match error {
            SealError::Commit(CommitError::Contradiction(reason)) => {
                self.keep_evidence(&Contradiction { reason, evidence: Vec::new() });
            }
            SealError::Contradiction(contradiction) => self.keep_evidence(&contradiction),
            _ => {}
        }
    }

    pub(super) fn node(&mut self) -> Result<&mut Node, SealError> {
        match &mut self.home {
            Home::JetStream(node) => Ok(node),
            Home::Embedded(_) | Home::Away => {
                Err(CommitError::Contradiction("an embedded ledger has no stream".into()).into())
            }
        }
    }

    fn take_messages(
        &mut self,
        assembled: Vec<Assembled>,
        through: u64,
        pending: Option<u64>,
    ) -> Result<(), SealError> {
        self.node()?.port.set_pending(pending);
        for one in assembled {
            match one {
                Assembled::Batch(batch) => {
                    let node = self.node()?;
                    // What this node has sealed itself comes back.
                    if batch.last > node.port.cursor().0 {
                        node.waiting.push_back(*batch);
                    }
                }
                Assembled::Void(void) => self.is_void(void, &void.fault.to_string()),
                Assembled::Missing { expected, found } => {
                    let reason = format!("its messages {expected} to {} are gone", found - 1);
                    return Err(Contradiction { reason, evidence: Vec::new() }.into());
                }
            }
        }
        let node = self.node()?;
        node.through = node.through.max(through);
        if node.waiting.len() > MAX_WAITING {
            tracing::warn!(batches = node.waiting.len(), "batches wait for a signed checkpoint");
        }
        self.apply_waiting()
    }

    /// Applies what can be applied: on a full node everything, on a follower what a signed checkpoint covers.
    fn apply_waiting(&mut self) -> Result<(), SealError> {
        self.take_carried_checkpoints()?;
        while let Some(group) = self.next_group()? {
            if !self.apply(group)? {
                return Ok(());
            }
        }
        self.read_again()?;
        let size = self.state.size().0;
        let node = self.node()?;
        if node.waiting.is_empty() && node.port.cursor().0 < node.through {
            // Void messages, or the beginning of a batch: the fence is the stream's last sequence all the same.
            let through = node.through;
            node.port.account(through, size);
        }
        Ok(())
    }

    /// The checkpoints that batches carry: of the heads before them.
    fn take_carried_checkpoints(&mut self) -> Result<(), SealError> {
        let carried: Vec<_> =
            self.node()?.waiting.iter_mut().filter_map(|batch| batch.closing.checkpoint.take()).collect();
        carried.into_iter().try_for_each(|checkpoint| self.check_checkpoint(checkpoint).map(|_| ()))
    }

    /// The next batches to be applied together.
    fn next_group(&mut self) -> Result<Option<Vec<StreamBatch>>, SealError> {
        let mut tree = match self.signer {
            Some(_) => None,
            None => Some(self.tree(self.state.size())?),
        };
        let (origin, registrar) =
            (self.state.registry.ledger_keys().origin.clone(), self.state.registry.registrar_id());
        let mut predecessor = self.state.predecessor;
        let node = self.node()?;
        let (mut end, mut entries) = (0, 0);
        for (at, batch) in node.waiting.iter().enumerate() {
            entries += batch.entries.len();
            // What comes before is in the folder before its keyring is another.
            if at > 0 && (entries > MAX_GROUP || batch.closing.ordinal() > node.port.epoch()) {
                break;
            }
            let covered = match &mut tree {
                None => true,
                Some(tree) => {
                    let mut after = tree.clone();
                    let adds = fits(batch, &origin, &mut after).is_ok()
                        && follows(batch, &registrar, &mut predecessor);
                    if adds {
                        *tree = after;
                    }
                    // What adds nothing needs no checkpoint.
                    if adds && !batch.entries.is_empty() {
                        node.port.ahead().contains_key(&tree.size().0)
                    } else {
                        end == at
                    }
                }
            };
            if covered {
                end = at + 1;
            }
        }
        Ok((end > 0).then(|| node.waiting.drain(..end).collect()))
    }

    /// False if the node waits for a key.
    fn apply(&mut self, group: Vec<StreamBatch>) -> Result<bool, SealError> {
        let (mut entries, mut links, mut publishers) = (Vec::new(), Vec::new(), HashSet::new());
        let (mut tree, mut last) = (self.tree(self.state.size())?, None);
        let origin = self.state.registry.ledger_keys().origin.clone();
        for batch in group {
            let (cursor, size) = (self.node()?.port.cursor().1, self.state.size().0);
            let (sequence, after) = (batch.last, batch.closing.head.size().0);
            if cursor < size && entries.is_empty() {
                let adds = !batch.entries.is_empty() && self.compare(&batch)?;
                let there = if adds { after } else { cursor };
                self.node()?.port.account(sequence, there);
                continue;
            }
            let before = tree.clone();
            let extended = match fits(&batch, &origin, &mut tree) {
                // For the keys of a batch that is void nobody waits: it may name what never was.
                Ok(()) if self.begins_later_epoch(&batch)? => {
                    let Some(next) = self.keyring_for(&batch)? else {
                        self.node()?.waiting.push_front(batch);
                        return Ok(false);
                    };
                    let extended = self.extend(&batch, &mut entries, &mut links, &mut publishers);
                    if extended.is_ok() {
                        self.switch_to(next, &batch)?;
                    }
                    extended
                }
                Ok(()) => {
                    self.check_epoch_in_force(&batch)?;
                    self.take_keys(&batch)?;
                    self.extend(&batch, &mut entries, &mut links, &mut publishers)
                }
                Err(fault) => Err(fault),
            };
            match extended {
                Ok(()) => self.check_known(&batch.closing.head, &entries)?,
                Err(fault) => {
                    tree = before;
                    self.is_void_batch(&batch, &fault);
                }
            }
            last = Some(sequence);
        }
        let Some(last) = last else { return Ok(true) };
        if !entries.is_empty() {
            self.write(&entries, &links, publishers)?;
        }
        let size = self.state.size().0;
        let node = self.node()?;
        node.port.account(last, size);
        node.port.tidy()?;
        Ok(true)
    }

    fn begins_later_epoch(&mut self, batch: &StreamBatch) -> Result<bool, SealError> {
        let port = &mut self.node()?.port;
        Ok(batch.closing.ordinal() > port.epoch() && !port.is_of(batch.closing.epoch.as_ref()))
    }

    /// Takes a batch that this node has committed itself, as it takes every other.
    pub(super) fn take_own(&mut self, batch: StreamBatch, next: NextKeyring) -> Result<(), SealError> {
        let node = self.node()?;
        node.through = node.through.max(batch.last);
        node.next = Some(next);
        node.waiting.push_back(batch);
        self.apply_waiting()
    }

    /// The tree that this folder's log has at a size.
    fn tree(&mut self, size: TreeSize) -> Result<Frontier, SealError> {
        let tree = prove::frontier(self.node()?.port.log(), size);
        Ok(tree.map_err(|error| {
            CommitError::Contradiction(format!("the tree at {size} cannot be worked out: {error}"))
        })?)
    }

    /// Takes the keys on which a batch rests. Those of an earlier epoch than the keyring's are in it, as far as they have not ended.
    fn take_keys(&mut self, batch: &StreamBatch) -> Result<(), SealError> {
        let port = &mut self.node()?.port;
        if batch.closing.ordinal() < port.epoch() {
            return Ok(());
        }
        let records = port.keys_through(batch.closing.keys)?;
        if !records.is_empty() {
            for tag in self.shared.keyring_mut().accept(&records)? {
                self.state.know(tag);
            }
        }
        Ok(())
    }

    /// Carries the state on by a batch, or leaves it as it was.
    fn extend(
        &mut self,
        batch: &StreamBatch,
        entries: &mut Vec<SealedEntry>,
        links: &mut Vec<LinkOwner>,
        publishers: &mut HashSet<PublisherId>,
    ) -> Result<(), BatchFault> {
        let (had_entries, had_links) = (entries.len(), links.len());
        self.state.begin();
        entries.extend(batch.entries.iter().cloned());
        let extended = self.extend_state(batch, links, publishers);
        if extended.is_err() {
            self.state.roll_back();
            entries.truncate(had_entries);
            links.truncate(had_links);
        } else {
            self.state.keep();
        }
        extended
    }

    fn extend_state(
        &mut self,
        batch: &StreamBatch,
        links: &mut Vec<LinkOwner>,
        publishers: &mut HashSet<PublisherId>,
    ) -> Result<(), BatchFault> {
        let keyring = self.shared.keyring();
        for sealed in &batch.entries {
            let entry = Entry::parse(&sealed.bytes)?;
            self.state.follow(&entry, sealed.leaf_hash, &sealed.vault, &keyring, links)?;
            if let Ok((record, _)) = VaultRecord::decode(&sealed.vault, &sealed.leaf_hash) {
                publishers.insert(record.publisher);
            }
        }
        Ok(())
    }

    /// Writes entries that extend the log to the folder, with their checkpoint.
    fn write(
        &mut self,
        entries: &[SealedEntry],
        links: &[LinkOwner],
        publishers: HashSet<PublisherId>,
    ) -> Result<(), SealError> {
        let (size, root) = self.node()?.port.head_after(entries);
        let known = self.node()?.port.ahead().remove(&size.0);
        if let Some(known) = &known
            && known.checkpoint().root() != root
        {
            return Err(Self::other_root(known, root, Some(entries)).into());
        }
        let signed = match (&self.signer, known) {
            (Some(signer), _) => {
                let checkpoint = Checkpoint::new(&self.state.registry.ledger_keys().origin, size, root)?;
                signer.sign(checkpoint)?
            }
            (None, Some(known)) => known,
            (None, None) => return Err(SealError::OnlyFollows),
        };
        if let Some(received_at) = self.state.predecessor.received_at {
            self.watch.not_before(received_at);
        }
        self.shared.set_active(false);
        let node = self.node()?;
        node.port.append_with(entries, &signed)?;
        self.shared.index.add(links);
        self.node()?.port.announce_ready(signed)?;
        self.shared.sealed(&self.state, publishers);
        // Checkpoints that were passed by on the way.
        let ahead = self.node()?.port.ahead();
        let beyond = ahead.split_off(&(size.0 + 1));
        let passed = std::mem::replace(ahead, beyond);
        passed.into_values().try_for_each(|checkpoint| self.check_checkpoint(checkpoint).map(|_| ()))
    }
}
