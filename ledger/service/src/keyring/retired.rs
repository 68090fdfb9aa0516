//! Key-encryption keys that were in force: the ledger has destroyed its own copy of each, and people must destroy theirs.
//!
//! The list stands in `keyring/retired`, one JSON object a line. It names keys by fingerprints, which say nothing about them.

use std::io;
use std::path::{Path, PathBuf};

use gt_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::switch::Switch;
use crate::disk::{Disk, read_if_there};
use crate::jetstream::NodeState;

/// A key that is no longer in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetiredKek {
    /// Its fingerprint ([`KeyEncryptionKey::epoch`](super::KeyEncryptionKey::epoch)).
    pub kek: String,
    /// When another took its place.
    pub retired_at: String,
    /// The entry of the erasure for which it was renewed; none if it was renewed for its own sake.
    pub erasure: Option<u64>,
    /// On a node of several, the number of the epoch that began with the key that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// When somebody confirmed that every copy of it is destroyed.
    pub confirmed_at: Option<String>,
}

/// Why a confirmation is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// There is no such key, or no such erasure.
    #[error("no key-encryption key with that fingerprint, or of that erasure, was retired in this ledger")]
    Unknown,
    /// The list cannot be read or written.
    #[error("keyring/retired: {0}")]
    Io(#[from] io::Error),
    /// The folder follows a stream, and its node does not run.
    #[error(
        "this folder is a node's of a NATS stream: start the node (goldenthread serve --nats), and ask it"
    )]
    FollowsStream,
    /// Nodes still have the key, or have not said that they do not.
    #[error("nodes have not confirmed yet that they have forgotten this key: {0}")]
    NodesPending(String),
    /// It cannot be asked which nodes have confirmed.
    #[error("it cannot be asked which nodes have forgotten this key: {0}")]
    Register(String),
    /// The sealer has stopped.
    #[error("the ledger has stopped; confirm again when it is back")]
    Stopped,
}

/// What is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// The copies of the key with this fingerprint.
    Kek(String),
    /// The copies of the key that was retired for the erasure in this entry.
    Erasure(u64),
}

impl Confirmed {
    /// Whether this key is meant.
    pub fn is(&self, one: &RetiredKek) -> bool {
        match self {
            Self::Kek(kek) => one.kek == *kek,
            Self::Erasure(index) => one.erasure == Some(*index),
        }
    }
}

impl RetiredKek {
    /// Whether a node has still to forget this key, or what was erased with it.
    pub fn is_pending_at(&self, node: &NodeState) -> bool {
        self.epoch.is_some_and(|epoch| node.epoch < epoch)
            || self.erasure.is_some_and(|entry| self.epoch.is_some() && node.folded <= entry)
    }
}

pub(crate) fn file() -> PathBuf {
    PathBuf::from("keyring/retired")
}

/// The list, oldest first.
pub(crate) fn load(root: &Path) -> io::Result<Vec<RetiredKek>> {
    let bytes = read_if_there(&root.join(file()))?.unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(io::Error::other)).collect()
}

/// The number of the epoch that a folder has come to by switches of its own; a folder that was made later has none.
pub(crate) fn epoch(root: &Path) -> io::Result<u64> {
    let switching = Switch::load(root)?.map(|switch| switch.epoch);
    let latest = load(root)?.into_iter().filter_map(|one| one.epoch).max();
    Ok(latest.max(switching).unwrap_or(0))
}

/// Adds a key, unless it is there. The names in the keyring's folder are durable then.
pub(crate) fn add(
    disk: &mut Disk,
    kek: &str,
    at: Timestamp,
    erasure: Option<u64>,
    epoch: Option<u64>,
) -> io::Result<()> {
    let mut list = load(disk.root())?;
    if list.iter().any(|one| one.kek == kek) {
        // A process that was killed has put it there, and neither the list nor `keyring/shards` need bear their names for good. The key is
        // destroyed next, and then they must.
        return disk.sync_folder(Path::new("keyring"));
    }
    let (kek, retired_at) = (kek.to_owned(), at.to_string());
    list.push(RetiredKek { kek, retired_at, erasure, epoch, confirmed_at: None });
    store(disk, &list)
}

/// Notes that every copy of a key is destroyed, and returns what is on the list of it. Confirming twice changes nothing.
pub(crate) fn confirm(disk: &mut Disk, what: &Confirmed, at: Timestamp) -> Result<RetiredKek, ConfirmError> {
    let mut list = load(disk.root())?;
    let found = list.iter_mut().find(|one| what.is(one)).ok_or(ConfirmError::Unknown)?;
    found.confirmed_at.get_or_insert_with(|| at.to_string());
    let confirmed = found.clone();
    store(disk, &list)?;
    Ok(confirmed)
}

fn store(disk: &mut Disk, list: &[RetiredKek]) -> io::Result<()> {
    let lines = list.iter().map(|one| serde_json::to_string(one).map(|line| line + "\n"));
    let text: String = lines.collect::<Result<_, _>>().map_err(io::Error::other)?;
    disk.replace(&file(), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_listed_once_and_confirmed_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut disk = Disk::new(folder.path(), None);
        let at = |millis| Timestamp::from_millis(millis).expect("a time");
        assert!(load(folder.path()).expect("reads").is_empty());
        for (kek, erasure) in [("a", None), ("b", Some(7)), ("a", Some(9))] {
            add(&mut disk, kek, at(1), erasure, None).expect("added");
        }
        assert_eq!(load(folder.path()).expect("reads").len(), 2);
        let unknown = confirm(&mut disk, &Confirmed::Erasure(9), at(2));
        assert!(matches!(unknown, Err(ConfirmError::Unknown)));
        let once = confirm(&mut disk, &Confirmed::Erasure(7), at(2)).expect("confirmed");
        assert_eq!(confirm(&mut disk, &Confirmed::Kek("b".into()), at(3)).expect("the same"), once);
        assert_eq!(load(folder.path()).expect("reads")[1], once);
    }
}
