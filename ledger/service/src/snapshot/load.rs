//! Reading a snapshot, and what is looked at before it is believed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use gt_core::link::LinkName;
use gt_core::prove::{self, ProveError};
use gt_core::tree::Frontier;
use gt_core::{Hash, TreeSize};

use super::form::{self, Snapshot};
use super::{PLACE, VERSION};
use crate::index::{BlockFile, Generation, Index, StateKey};
use crate::keyring::{KeyEncryptionKey, Keyring, OwnerTag};
use crate::layout;
use crate::log::{LogReader, ReadError};
use crate::state::{State, StateError};

/// The longest snapshot, in bytes: that of some ten million owners.
const MAX_SNAPSHOT: u64 = 1 << 30;

/// A snapshot that is believed.
pub(super) struct Loaded {
    pub(super) state: State,
    pub(super) index: Arc<Index>,
    pub(super) frontier: Frontier,
    pub(super) generation: Generation,
    pub(super) end: u64,
}

/// Why a snapshot is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotFault {
    #[error("{file} cannot be read: {source}")]
    Io { file: String, source: io::Error },
    #[error("it is longer than a snapshot can be")]
    TooLong,
    #[error("it is empty")]
    Empty,
    #[error(
        "it was written by another version of this program (its form is {0}, and this version writes {VERSION})"
    )]
    Version(u8),
    #[error(
        "it does not open: it is damaged, or another ledger's, or from before the key-encryption key was renewed"
    )]
    DoesNotOpen,
    #[error("it does not read, though it was sealed by this ledger")]
    Malformed,
    #[error("it belongs to another ledger")]
    OtherLedger,
    #[error("it covers {covers} entries, and the checkpoint {size}: the log was restored from an older copy")]
    Ahead { covers: TreeSize, size: TreeSize },
    #[error("the log's root at {size} entries is {found}, and it says {expected}: it is of another history")]
    OtherRoot { size: TreeSize, expected: Hash, found: Hash },
    #[error("the log's root at its size cannot be worked out: {0}")]
    Root(#[from] ProveError<ReadError>),
    #[error("the file of its blocks ends at byte {found}, and it knows of {expected}")]
    BlocksMissing { expected: u64, found: u64 },
    #[error("{0} owners are in it whose keys the keyring does not have, or has otherwise")]
    OtherOwners(usize),
    #[error("the registrar's statements do not lead to it: {0}")]
    Registrar(#[source] StateError),
    #[error("the registrar has {found} statements, and it counts {expected}")]
    RegistrarCount { expected: u64, found: u64 },
}

/// What a folder's snapshot says, which nobody has looked at yet.
pub(crate) struct Unchecked {
    key: Arc<StateKey>,
    /// `None` if there is none.
    says: Result<Option<Snapshot>, SnapshotFault>,
}

impl Unchecked {
    /// Reads it under this key. It needs nothing else of the folder, and takes as long as opening the keyring.
    pub(crate) fn read(root: &Path, kek: &KeyEncryptionKey) -> Self {
        let key = Arc::new(StateKey::of(kek));
        let says = read(root).and_then(|bytes| bytes.map(|bytes| open(bytes, &key)).transpose());
        Self { key, says }
    }

    pub(crate) fn is_under(&self, kek: &KeyEncryptionKey) -> bool {
        StateKey::of(kek).is(&self.key)
    }

    pub(super) const fn key(&self) -> &Arc<StateKey> {
        &self.key
    }
}

/// The snapshot in a folder, held against the rest of it; `None` if there is none.
pub(super) fn check(
    unchecked: Unchecked,
    log: &LogReader,
    keyring: &Keyring,
) -> Result<Option<Loaded>, SnapshotFault> {
    let (root, Unchecked { key, says }) = (log.root(), unchecked);
    let Some(says) = says? else { return Ok(None) };
    let Snapshot { genesis, size, root: expected, generation, end, resumed, index } = says;
    let there = log.size();
    if size > there {
        return Err(SnapshotFault::Ahead { covers: size, size: there });
    }
    let frontier = prove::frontier(log, size)?;
    let found = frontier.root();
    if found != expected {
        return Err(SnapshotFault::OtherRoot { size, expected, found });
    }
    let file = layout::state_index(u64::from_be_bytes(generation)).display().to_string();
    let io = |source| SnapshotFault::Io { file: file.clone(), source };
    let blocks = BlockFile::open(root, generation, key).map_err(io)?;
    let found = blocks.len().map_err(io)?;
    if found < end {
        return Err(SnapshotFault::BlocksMissing { expected: end, found });
    }
    index.attach(blocks);
    check_owners(&index, keyring)?;
    let (index, counted) = (Arc::new(index), resumed.predecessor.registry);
    let state = State::resume(resumed, log, Arc::clone(&index)).map_err(SnapshotFault::Registrar)?;
    if state.registry.genesis() != genesis {
        return Err(SnapshotFault::OtherLedger);
    }
    if state.registry.statements() != counted {
        return Err(SnapshotFault::RegistrarCount { expected: counted, found: state.registry.statements() });
    }
    Ok(Some(Loaded { state, index, frontier, generation, end }))
}

fn read(root: &Path) -> Result<Option<Vec<u8>>, SnapshotFault> {
    let name = layout::snapshot();
    let io = |source| SnapshotFault::Io { file: name.display().to_string(), source };
    let file = match File::open(root.join(&name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io(source)),
    };
    let len = file.metadata().map_err(io)?.len();
    if len > MAX_SNAPSHOT {
        return Err(SnapshotFault::TooLong);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(MAX_SNAPSHOT).read_to_end(&mut bytes).map_err(io)?;
    Ok(Some(bytes))
}

fn open(mut bytes: Vec<u8>, key: &StateKey) -> Result<Snapshot, SnapshotFault> {
    match bytes.split_first_mut() {
        None => Err(SnapshotFault::Empty),
        Some((&mut VERSION, sealed)) => {
            let plain = key.open_in_place(PLACE, sealed).ok_or(SnapshotFault::DoesNotOpen)?;
            form::decode(plain).ok_or(SnapshotFault::Malformed)
        }
        Some((version, _)) => Err(SnapshotFault::Version(*version)),
    }
}

/// An owner's links are counted on from the snapshot: with another link key than it was made with, they would begin in the middle.
fn check_owners(index: &Index, keyring: &Keyring) -> Result<(), SnapshotFault> {
    let is_other =
        |tag: &OwnerTag, id: &LinkName| keyring.owner(tag).is_none_or(|held| held.link.name(0) != *id);
    match index.count_owners(is_other) {
        0 => Ok(()),
        others => Err(SnapshotFault::OtherOwners(others)),
    }
}
