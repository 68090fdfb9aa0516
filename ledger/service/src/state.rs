//! What the sealer knows of the log: derived from it, and rebuilt from it at every start.

use std::collections::HashMap;

use gt_core::chain::Chain;
use gt_core::entry::{Predecessor, SuccessionError};
use gt_core::link::LinkName;
use gt_core::registry::{Registry, RegistryError};
use gt_core::statement::{PublisherId, Statement, StatementError};
use gt_core::tree::{self, Frontier};
use gt_core::{Hash, LeafIndex, TreeSize};

use crate::keyring::{Keyring, OwnerTag};
use crate::layout::BUNDLE;
use crate::log::{LogReader, ReadError};
use crate::vault::{StatementBlob, VaultError, VaultRecord};

/// The sealer's own state.
pub(crate) struct State {
    pub(crate) registry: Registry,
    pub(crate) chains: HashMap<PublisherId, Chain>,
    pub(crate) predecessor: Predecessor,
    pub(crate) counts: HashMap<OwnerTag, u64>,
    pub(crate) links: HashMap<LinkName, OwnerTag>,
}

/// Why the state cannot be rebuilt: the log is not sound.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Something does not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A vault record does not read.
    #[error("the vault record of entry {index} does not read: {source}")]
    Vault {
        /// Which one.
        index: LeafIndex,
        /// Why.
        source: VaultError,
    },
    /// The entries do not chain.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// A statement of the registrar does not read.
    #[error("the registrar's statement in entry {index} does not read: {source}")]
    Registrar {
        /// Which one.
        index: LeafIndex,
        /// Why.
        source: StatementError,
    },
    /// A statement of the registrar breaks the registry's rules.
    #[error("the registrar's statement in entry {index} breaks a rule: {source}")]
    Registry {
        /// Which one.
        index: LeafIndex,
        /// Why.
        source: RegistryError,
    },
    /// The entries give another root than the checkpoint.
    #[error("the entries give the root {found}, and the checkpoint says {expected}")]
    OtherRoot {
        /// The checkpoint's root.
        expected: Hash,
        /// The root of the entries.
        found: Hash,
    },
    /// There is no entry 0.
    #[error("the log has no entry 0")]
    NoGenesis,
}

impl State {
    /// Reads the whole log. Signatures are not checked again; `fsck` does that.
    pub(crate) fn rebuild(log: &LogReader, keyring: &Keyring) -> Result<Self, StateError> {
        let published = log.published();
        let checkpoint = published.checkpoint.checkpoint();
        let mut replay = Replay {
            registry: None,
            chains: HashMap::new(),
            predecessor: Predecessor::GENESIS,
            names: HashMap::new(),
            frontier: Frontier::new(),
        };
        let mut at = 0;
        while at < checkpoint.size().0 {
            let records = log.entries_and_vault(LeafIndex(at), BUNDLE)?;
            at += records.len() as u64;
            for (entry, vault) in records {
                replay.step(&entry, &vault)?;
            }
        }
        let found = replay.frontier.root();
        if found != checkpoint.root() {
            return Err(StateError::OtherRoot { expected: checkpoint.root(), found });
        }
        replay.finish(keyring)
    }

    /// The size of the log, with what is being sealed.
    pub(crate) fn size(&self) -> TreeSize {
        TreeSize(self.predecessor.next_index.0)
    }

    /// The publisher's chain.
    pub(crate) fn chain(&mut self, publisher: &PublisherId) -> &mut Chain {
        let first = self.registry.first_prev(publisher);
        self.chains.entry(*publisher).or_insert_with(|| Chain::new(first))
    }
}

struct Replay {
    registry: Option<Registry>,
    chains: HashMap<PublisherId, Chain>,
    predecessor: Predecessor,
    names: HashMap<LinkName, LeafIndex>,
    frontier: Frontier,
}

impl Replay {
    fn step(&mut self, entry: &gt_core::entry::Entry, vault: &[u8]) -> Result<(), StateError> {
        let (index, leaf_hash) = (entry.index, tree::leaf_hash(&entry.to_bytes()));
        let (record, _) =
            VaultRecord::decode(vault, &leaf_hash).map_err(|source| StateError::Vault { index, source })?;
        let of_registrar =
            self.registry.as_ref().is_none_or(|registry| registry.registrar_id() == record.publisher);
        self.predecessor.follow(entry, leaf_hash, of_registrar)?;
        self.frontier.push(leaf_hash);
        if of_registrar {
            self.registrar(index, leaf_hash, &record)?;
        }
        let first =
            self.registry.as_ref().map_or(Hash::ZERO, |registry| registry.first_prev(&record.publisher));
        self.chains.entry(record.publisher).or_insert_with(|| Chain::new(first)).push(index, entry.statement);
        self.names.extend(entry.links.iter().map(|link| (link.name, index)));
        Ok(())
    }

    fn registrar(
        &mut self,
        index: LeafIndex,
        leaf_hash: Hash,
        record: &VaultRecord,
    ) -> Result<(), StateError> {
        let StatementBlob::Open(jws) = &record.statement else {
            return Err(StateError::Vault { index, source: VaultError::Malformed });
        };
        let text = core::str::from_utf8(jws)
            .map_err(|_| StateError::Registrar { index, source: StatementError::NotCompact })?;
        let statement =
            Statement::from_parts(text, []).map_err(|source| StateError::Registrar { index, source })?;
        let payload = statement.payload();
        match &mut self.registry {
            Some(registry) => registry.apply(index, payload),
            none => Registry::create(leaf_hash, payload).map(|registry| *none = Some(registry)),
        }
        .map_err(|source| StateError::Registry { index, source })
    }

    /// Finds, for each owner whose keys live, how many entries it has: l(0), l(1) … until one is in no entry.
    fn finish(self, keyring: &Keyring) -> Result<State, StateError> {
        let (mut counts, mut links) = (HashMap::new(), HashMap::with_capacity(self.names.len()));
        for (tag, keys) in keyring.owners() {
            let mut n = 0;
            loop {
                let name = keys.link.name(n);
                if !self.names.contains_key(&name) {
                    break;
                }
                links.insert(name, *tag);
                n += 1;
            }
            counts.insert(*tag, n);
        }
        let registry = self.registry.ok_or(StateError::NoGenesis)?;
        Ok(State { registry, chains: self.chains, predecessor: self.predecessor, counts, links })
    }
}
