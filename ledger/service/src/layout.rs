//! Where things stand in the data folder (DESIGN section 3, `docs/FORMATS.md` section 7). Paths are relative to the folder.

use std::path::PathBuf;

use gt_core::tile::{TileKind, TilePath, index_path};

/// The folders that only a ledger's own folder has; a mirror has the open log and nothing else.
pub(crate) const OF_A_LEDGER: [&str; 4] = ["open", "vault", "keyring", "state"];

/// How many entries a bundle holds, and how many hashes a tile.
pub const BUNDLE: u64 = 256;

/// Where an index stands within its bundle, and how much of a growing bundle a tree of this size fills.
pub(crate) fn within_bundle(index: u64) -> usize {
    usize::try_from(index % BUNDLE).expect("less than 256")
}

/// The signed tree head.
pub fn checkpoint() -> PathBuf {
    PathBuf::from("checkpoint")
}

/// The next one, before it is in force, and then the one before. Only a start reads it.
pub(crate) fn new_checkpoint() -> PathBuf {
    checkpoint().with_extension("new")
}

/// The latest checkpoint that was handed out, written lazily after its name was durable. It catches a `checkpoint` put back to an older one.
pub fn handed_out() -> PathBuf {
    PathBuf::from("state/handed-out")
}

/// The lock that keeps two processes from one folder.
pub fn lock() -> PathBuf {
    PathBuf::from("state/lock")
}

/// How far the folder has followed the stream of sealed entries, if it follows one.
pub fn position() -> PathBuf {
    PathBuf::from("state/stream.json")
}

/// What showed that the stream, or a witness, contradicts this folder.
pub fn evidence(n: u64) -> PathBuf {
    PathBuf::from(format!("state/evidence/{n:03}"))
}

/// Which node of several a folder is of.
pub fn node() -> PathBuf {
    PathBuf::from("state/node")
}

/// The newest checkpoint that met the quorum of witnesses, with their cosignatures.
pub fn cosigned() -> PathBuf {
    PathBuf::from("state/cosigned")
}

/// What the sealer's state was at some size, so that a start need not read what comes before.
pub fn snapshot() -> PathBuf {
    PathBuf::from("state/snapshot")
}

/// The blocks that a snapshot rests on; a new file each time that all of them are written anew.
pub(crate) fn state_index(generation: u64) -> PathBuf {
    PathBuf::from(format!("state/index.{generation:016x}"))
}

/// Integrity alerts: forks and the like, one JSON object a line.
pub fn integrity() -> PathBuf {
    PathBuf::from("state/integrity.ndjson")
}

/// A full entry bundle.
pub fn full_entries(n: u64) -> PathBuf {
    PathBuf::from(format!("tile/entries/{}", index_path(n)))
}

/// A full hash tile.
pub fn full_tile(level: u8, n: u64) -> PathBuf {
    PathBuf::from(format!("tile/{level}/{}", index_path(n)))
}

/// A bundle or tile as a mirror keeps it, which has no growing ones (C2SP tlog-tiles): `width` is 1 to 256.
pub fn mirrored(kind: TileKind, n: u64, width: u16) -> PathBuf {
    let path = match kind {
        TileKind::Entries => TilePath::entries(n, width),
        TileKind::Hashes { level } => TilePath::hashes(level, n, width),
    };
    let invariant = "a width of 1 to 256, and a level that some tree has";
    PathBuf::from(path.expect(invariant).to_path())
}

/// Evidence of a fork that a mirror met.
pub fn fork() -> PathBuf {
    PathBuf::from("fork.json")
}

/// The lock that keeps two processes from one mirror.
pub fn mirror_lock() -> PathBuf {
    PathBuf::from("mirror.lock")
}

/// A growing entry bundle.
pub fn open_entries(n: u64) -> PathBuf {
    PathBuf::from(format!("open/entries/{}", index_path(n)))
}

/// A growing hash tile.
pub fn open_tile(level: u8, n: u64) -> PathBuf {
    PathBuf::from(format!("open/{level}/{}", index_path(n)))
}

/// The vault records of a bundle.
pub fn vault(n: u64) -> PathBuf {
    PathBuf::from(format!("vault/{}", index_path(n)))
}
