//! What the sealer knows of the log: derived from it, by a snapshot or anew, and carried on entry by entry.

mod error;
mod registrar;
mod tips;

use std::collections::HashMap;
use std::sync::Arc;

use gt_core::chain::{Chain, Place};
use gt_core::entry::{Entry, Predecessor};
use gt_core::erasure;
use gt_core::link::LinkName;
use gt_core::registry::{Registry, RegistryError};
use gt_core::statement::{Payload, PublisherId};
use gt_core::tree::Frontier;
use gt_core::{Hash, LeafIndex, TreeSize};

use crate::configured::Configured;
use crate::index::{Index, IndexError};
use crate::keyring::{Keyring, OwnerTag};
use crate::layout::BUNDLE;
use crate::log::LogReader;
pub use error::StateError;
use registrar::{PublishedTree, record, registrar_statement};
use tips::Tips;

/// More owners than some batches that are on their way have.
const MANY_AHEAD: usize = 16_384;

/// The sealer's own state.
pub(crate) struct State {
    pub(crate) registry: Registry,
    pub(crate) chains: HashMap<PublisherId, Chain>,
    pub(crate) predecessor: Predecessor,
    pub(crate) configured: Configured,
    /// The entry that sealed the latest erasure.
    pub(crate) erased_at: Option<LeafIndex>,
    /// Of what is durable: what grows with the log.
    index: Arc<Index>,
    /// How many entries those owners have who have more than the index knows.
    ahead: HashMap<OwnerTag, u64>,
    /// How many of them are worth looking through.
    many_ahead: usize,
    /// Only while entries are followed that somebody else sealed: a sealer that only seals never needs it.
    tips: Option<Tips>,
    undo: Option<Undo>,
}

/// What a snapshot says of the state, beside the index; the registry it does not say, which is folded from the registrar's statements.
pub(crate) struct Resumed {
    pub(crate) chains: HashMap<PublisherId, Chain>,
    pub(crate) predecessor: Predecessor,
    pub(crate) erased_at: Option<LeafIndex>,
}

/// What a batch has changed, so that it can be taken back if its commit comes to nothing.
struct Undo {
    predecessor: Predecessor,
    /// What the registrar's statements change.
    registry: Option<(Registry, Configured)>,
    chains: HashMap<PublisherId, (u64, Hash)>,
    counts: HashMap<OwnerTag, u64>,
}

/// A link, whose it is, and its entry.
pub(crate) type LinkOwner = (LinkName, OwnerTag, LeafIndex);

impl State {
    /// Reads the whole log. Signatures are not checked again; `fsck` does that. The index gets whose links the entries have.
    ///
    /// `each` is called now and then, between entries.
    pub(crate) fn rebuild(
        log: &LogReader,
        keyring: &Keyring,
        index: Arc<Index>,
        each: impl FnMut(&mut Self),
    ) -> Result<Self, StateError> {
        let mut state = Self::before(log, index)?;
        state.catch_up(Frontier::new(), log, keyring, each)?;
        Ok(state)
    }

    /// The state that a snapshot tells of. Reads the registrar's statements.
    pub(crate) fn resume(resumed: Resumed, log: &LogReader, index: Arc<Index>) -> Result<Self, StateError> {
        let mut state = Self::before(log, index)?;
        let Resumed { chains, predecessor, erased_at } = resumed;
        (state.chains, state.predecessor, state.erased_at) = (chains, predecessor, erased_at);
        let registrar = state.registry.registrar_id();
        let statements = state.chains.get(&registrar).map_or(0, Chain::next_seq);
        let mut tree = PublishedTree::of(log);
        for seq in 1..statements {
            let Place::Taken(at) = state.place(&registrar, seq, &Hash::ZERO)? else { continue };
            let (entry, vault) = log.entries_and_vault(at, 1)?.pop().ok_or(StateError::NoGenesis)?;
            let leaf_hash = entry.leaf_hash();
            tree.check_has(at, &leaf_hash)?;
            let statement = registrar_statement(&entry, &record(at, &vault, &leaf_hash)?)?;
            state
                .apply_registrar(at, statement.payload())
                .map_err(|source| StateError::Registry { index: at, source })?;
        }
        state.lighten();
        Ok(state)
    }

    /// Steps past what the log has beyond this state. `frontier` is the tree up to here.
    pub(crate) fn catch_up(
        &mut self,
        mut frontier: Frontier,
        log: &LogReader,
        keyring: &Keyring,
        mut each: impl FnMut(&mut Self),
    ) -> Result<(), StateError> {
        let published = log.published();
        let checkpoint = published.checkpoint.checkpoint();
        let mut links = Vec::new();
        while self.size() < checkpoint.size() {
            let records = log.entries_and_vault(self.predecessor.next_index, BUNDLE)?;
            if records.is_empty() {
                return Err(StateError::NoGenesis);
            }
            for (entry, vault) in records {
                let leaf_hash = entry.leaf_hash();
                self.follow(&entry, leaf_hash, &vault, keyring, &mut links)?;
                frontier.push(leaf_hash);
            }
            self.index.add(&links);
            links.clear();
            each(self);
        }
        let found = frontier.root();
        if found == checkpoint.root() {
            Ok(())
        } else {
            Err(StateError::OtherRoot { expected: checkpoint.root(), found })
        }
    }

    /// The state before entry 0, which says what the registry begins with.
    fn before(log: &LogReader, index: Arc<Index>) -> Result<Self, StateError> {
        let (genesis, vault) = log.entries_and_vault(LeafIndex(0), 1)?.pop().ok_or(StateError::NoGenesis)?;
        let leaf_hash = genesis.leaf_hash();
        let at = genesis.index;
        let record = record(at, &vault, &leaf_hash)?;
        let created = registrar_statement(&genesis, &record)?;
        let registry = Registry::create(leaf_hash, created.payload())
            .map_err(|source| StateError::Registry { index: at, source })?;
        Ok(Self {
            registry,
            chains: HashMap::new(),
            predecessor: Predecessor::GENESIS,
            configured: Configured::standard(),
            erased_at: None,
            index,
            ahead: HashMap::new(),
            many_ahead: MANY_AHEAD,
            tips: None,
            undo: None,
        })
    }

    /// Steps past an entry that is sealed. `links` gets its links, as far as their owners' keys are there.
    ///
    /// After an error the state is no state of any log; [`Self::roll_back`] takes back what was done since [`Self::begin`].
    pub(crate) fn follow(
        &mut self,
        entry: &Entry,
        leaf_hash: Hash,
        vault: &[u8],
        keyring: &Keyring,
        links: &mut Vec<LinkOwner>,
    ) -> Result<(), StateError> {
        let index = entry.index;
        let record = record(index, vault, &leaf_hash)?;
        let of_registrar = self.registry.registrar_id() == record.publisher;
        let is_genesis = self.predecessor == Predecessor::GENESIS;
        self.predecessor.follow(entry, leaf_hash, of_registrar || is_genesis)?;
        if of_registrar && !is_genesis {
            let statement = registrar_statement(entry, &record)?;
            self.apply_registrar(index, statement.payload())
                .map_err(|source| StateError::Registry { index, source })?;
        }
        self.push(&record.publisher, index, entry.statement);
        if record.event_type.as_str() == erasure::TYPE {
            self.erased_at = Some(index);
        }
        for link in &entry.links {
            let Some(tag) = self.tips(keyring).take(&link.name) else { continue };
            self.count(tag);
            links.push((link.name, tag, index));
        }
        Ok(())
    }

    /// From here on, what is done can be taken back.
    pub(crate) fn begin(&mut self) {
        let predecessor = self.predecessor;
        self.undo =
            Some(Undo { predecessor, registry: None, chains: HashMap::new(), counts: HashMap::new() });
    }

    /// What was done stays done.
    pub(crate) fn keep(&mut self) {
        self.undo = None;
    }

    /// Takes back what was done since [`Self::begin`].
    pub(crate) fn roll_back(&mut self) {
        let Some(undo) = self.undo.take() else { return };
        self.predecessor = undo.predecessor;
        if let Some((registry, configured)) = undo.registry {
            self.registry = registry;
            self.configured = configured;
        }
        for (publisher, (next_seq, head)) in undo.chains {
            if let Some(chain) = self.chains.get_mut(&publisher) {
                chain.step_back(next_seq, head);
            }
        }
        for (tag, count) in undo.counts {
            self.ahead.insert(tag, count);
            self.know(tag);
        }
    }

    /// The size of the log, with what is being sealed.
    pub(crate) fn size(&self) -> TreeSize {
        TreeSize(self.predecessor.next_index.0)
    }

    /// The publisher's chain.
    pub(crate) fn chain(&mut self, publisher: &PublisherId) -> &Chain {
        let first = self.registry.first_prev(publisher);
        self.chains.entry(*publisher).or_insert_with(|| Chain::new(first))
    }

    /// Where a statement belongs in its publisher's chain: never [`Place::TakenEarlier`].
    pub(crate) fn place(
        &mut self,
        publisher: &PublisherId,
        seq: u64,
        prev: &Hash,
    ) -> Result<Place, IndexError> {
        match self.chain(publisher).place(seq, prev) {
            Place::TakenEarlier => self.index.entry_of(publisher, seq).map(Place::Taken),
            place => Ok(place),
        }
    }

    /// The entries of earlier statements are in the index's file by now, and no longer needed here.
    pub(crate) fn lighten(&mut self) {
        for (publisher, chain) in &mut self.chains {
            chain.keep_elsewhere(self.index.written_of(publisher));
        }
    }

    /// Adds a statement to its publisher's chain.
    pub(crate) fn push(&mut self, publisher: &PublisherId, index: LeafIndex, statement: Hash) {
        let first = self.registry.first_prev(publisher);
        let chain = self.chains.entry(*publisher).or_insert_with(|| Chain::new(first));
        if let Some(undo) = &mut self.undo {
            undo.chains.entry(*publisher).or_insert((chain.next_seq(), chain.head()));
        }
        chain.push(index, statement);
    }

    /// Changes the registry, and the configuration in force, as the registrar says.
    pub(crate) fn apply_registrar(
        &mut self,
        index: LeafIndex,
        payload: &Payload,
    ) -> Result<(), RegistryError> {
        if let Some(undo) = &mut self.undo
            && undo.registry.is_none()
        {
            undo.registry = Some((self.registry.clone(), self.configured.clone()));
        }
        self.registry.apply(index, payload)?;
        if let Some(configured) = Configured::after(index, payload) {
            self.configured = configured;
        }
        Ok(())
    }

    /// How many entries an owner has so far; the next one is counted from here on.
    pub(crate) fn count(&mut self, tag: OwnerTag) -> u64 {
        let before = self.entries_of(&tag);
        self.ahead.insert(tag, before + 1);
        if self.ahead.len() >= self.many_ahead {
            let index = &self.index;
            self.ahead.retain(|tag, count| index.count_of(tag) != *count);
            self.many_ahead = MANY_AHEAD + 2 * self.ahead.len();
        }
        if let Some(undo) = &mut self.undo {
            undo.counts.entry(tag).or_insert(before);
        }
        self.know(tag);
        before
    }

    /// How many entries an owner has so far.
    pub(crate) fn entries_of(&self, tag: &OwnerTag) -> u64 {
        self.ahead.get(tag).copied().unwrap_or_else(|| self.index.count_of(tag))
    }

    /// An owner's keys are destroyed; what is left of them goes on under another tag, if anything is.
    pub(crate) fn forget(&mut self, tag: &OwnerTag, goes_on: Option<OwnerTag>) {
        if let Some(tips) = &mut self.tips {
            tips.forget(tag);
        }
        let ahead = self.ahead.remove(tag);
        if let Some(new) = goes_on {
            if let Some(count) = ahead {
                self.ahead.insert(new, count);
            }
            self.know(new);
        }
    }

    /// Looks out for the entries of an owner whose keys have come in.
    pub(crate) fn know(&mut self, tag: OwnerTag) {
        if let Some(tips) = &mut self.tips {
            tips.look_again(tag);
        }
    }

    /// From here on this state is only added to, until an entry is to be followed again.
    pub(crate) fn follows_no_more(&mut self) {
        self.tips = None;
    }

    /// The next link of every owner whose keys are there.
    fn tips(&mut self, keyring: &Keyring) -> &mut Tips {
        let (ahead, index) = (&self.ahead, &self.index);
        let next = |tag: &OwnerTag| ahead.get(tag).copied().unwrap_or_else(|| index.count_of(tag));
        let tips = self.tips.get_or_insert_with(|| Tips::of(keyring, next));
        tips.refresh(keyring, next);
        tips
    }
}
