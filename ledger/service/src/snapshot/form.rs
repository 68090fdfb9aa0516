//! What a snapshot says, as bytes: `docs/FORMATS.md` section 7.

use std::collections::HashMap;

use gt_core::chain::Chain;
use gt_core::entry::Predecessor;
use gt_core::statement::PublisherId;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, TreeSize};

use crate::bytes::{Reader, put_count, put_u64};
use crate::index::{Generation, Index, Planned, Rows};
use crate::state::{Resumed, State};

/// A snapshot, read.
pub(super) struct Snapshot {
    pub(super) genesis: Hash,
    pub(super) size: TreeSize,
    pub(super) root: Hash,
    pub(super) generation: Generation,
    /// Where the blocks end of which it knows.
    pub(super) end: u64,
    pub(super) resumed: Resumed,
    pub(super) index: Index,
}

/// What a snapshot says, before it is put together: the sealer's thread is not to wait while all owners are copied.
pub(super) struct Parts {
    head: Vec<u8>,
    owners: Rows,
    rest: Vec<u8>,
}

impl Parts {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let Self { head: mut out, owners, rest } = self;
        // What sealing adds is no reason to move it all.
        out.reserve_exact(8 + 64 * owners.len() + rest.len() + 128);
        owners.encode(&mut out);
        out.extend_from_slice(&rest);
        out
    }
}

/// What a snapshot says of a state: of the log's head at that moment, and of blocks once these have been written.
pub(super) fn encode(
    state: &State,
    root: Hash,
    (generation, end): (Generation, u64),
    index: &Index,
    planned: &[Planned],
) -> Parts {
    let mut out = Vec::new();
    let predecessor = state.predecessor;
    out.extend_from_slice(state.registry.genesis().as_bytes());
    put_u64(&mut out, predecessor.next_index.0);
    out.extend_from_slice(root.as_bytes());
    out.extend_from_slice(predecessor.leaf_hash.as_bytes());
    let received_at = predecessor.received_at.map_or(0, Timestamp::as_millis);
    out.extend_from_slice(&received_at.to_be_bytes());
    put_u64(&mut out, predecessor.registry);
    put_u64(&mut out, state.erased_at.map_or(0, |index| index.0 + 1));
    out.extend_from_slice(&generation);
    put_u64(&mut out, end);
    let chains: Vec<(&PublisherId, &Chain)> =
        state.chains.iter().filter(|(_, chain)| chain.next_seq() > 0).collect();
    put_count(&mut out, chains.len());
    for (publisher, chain) in chains {
        let (first, kept) = chain.kept();
        out.extend_from_slice(publisher.as_bytes());
        out.extend_from_slice(chain.head().as_bytes());
        put_u64(&mut out, first);
        put_count(&mut out, kept.len());
        for index in kept {
            put_u64(&mut out, index.0);
        }
    }
    let (owners, rest) = index.encode(planned);
    Parts { head: out, owners, rest }
}

/// `None` if it is not what [`encode`] writes.
pub(super) fn decode(bytes: &[u8]) -> Option<Snapshot> {
    let reader = &mut Reader(bytes);
    let genesis = Hash::from_bytes(reader.array()?);
    let size = TreeSize(reader.u64()?);
    let root = Hash::from_bytes(reader.array()?);
    let leaf_hash = Hash::from_bytes(reader.array()?);
    let received_at = Some(Timestamp::from_millis(reader.u64()?.cast_signed())?);
    let registry = reader.u64()?;
    let erased_at = reader.u64()?.checked_sub(1).map(LeafIndex);
    let (generation, end) = (reader.array()?, reader.u64()?);
    let count = reader.count(80)?;
    let mut chains = HashMap::with_capacity(count);
    for _ in 0..count {
        let publisher = PublisherId::from_bytes(reader.array()?);
        let (head, elsewhere) = (Hash::from_bytes(reader.array()?), reader.u64()?);
        let kept = (0..reader.count(8)?).map(|_| reader.u64().map(LeafIndex)).collect::<Option<Vec<_>>>()?;
        chains.insert(publisher, Chain::resumed(elsewhere, kept, head));
    }
    let index = Index::decode(reader)?;
    let predecessor = Predecessor { next_index: LeafIndex(size.0), leaf_hash, received_at, registry };
    let resumed = Resumed { chains, predecessor, erased_at };
    reader.is_done().then_some(Snapshot { genesis, size, root, generation, end, resumed, index })
}
