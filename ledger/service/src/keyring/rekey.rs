//! Destroying keys, and wrapping what stays anew (DESIGN section 6).
//!
//! A shard whose keys are destroyed gets a new shard key and is written beside the old one, as `keyring/<xx>.next`. Then
//! `keyring/shards` is replaced, which is one atomic step: before it the old shards are the keyring, under the key-encryption key that
//! was in force, and after it the new ones, under the next. Only then are the new shards renamed. `keyring/erasure` tells whoever opens
//! the keyring in between which of the two it is.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::packs::packed;
use super::switch::Switch;
use super::{
    KekError, KeyEncryptionKey, Keyring, KeyringError, OwnerTag, SHARDS, io_error, shard_file, shards_file,
    torn_file,
};
use crate::disk::Disk;
use crate::erasure::{Journal, NotPrepared};
use crate::random;

/// An owner whose keys are to be destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    pub(crate) tag: OwnerTag,
    /// Under which tag the record keys and the link key go on; `None` if they are destroyed as well. Of the same shard.
    pub(crate) goes_on: Option<OwnerTag>,
}

/// New shard keys, durable; the keyring in memory has still the old ones.
pub(crate) struct Rekeyed(Vec<Zeroizing<[u8; 32]>>);

/// Why the key-encryption key was not renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// The next key is not to be had. Nothing has changed.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The ledger was opened with a key that was given in memory.
    #[error("the key-encryption key was given in memory, and has no place where a new one could be kept")]
    NoSource,
    /// The folder follows a stream, and its node does not run.
    #[error(
        "this folder is a node's of a NATS stream, and its node does not run: start it (goldenthread serve --nats), and ask it"
    )]
    FollowsStream,
    /// This node only follows.
    #[error("this node only follows: ask one that seals")]
    OnlyFollows,
    /// There is no next key, or no bucket for it.
    #[error("{0}")]
    NotPrepared(NotPrepared),
    /// Another sealer was first again and again.
    #[error("other nodes sealed first again and again, and nothing has changed: try again")]
    Superseded,
    /// The sealer stopped in the middle. The next start completes what was begun, or takes it back.
    #[error(
        "the ledger stopped while the key-encryption key was renewed; start it again, which completes or takes back what was begun"
    )]
    Interrupted,
}

pub(crate) fn journal_file() -> PathBuf {
    PathBuf::from("keyring/erasure")
}

pub(super) fn next_shard_file(shard: usize) -> PathBuf {
    PathBuf::from(format!("keyring/{shard:02x}.next"))
}

/// Which files are the shards.
pub(super) struct Names {
    rekeyed: bool,
}

impl Names {
    /// For a keyring that opens under this key.
    pub(super) fn under(root: &Path, kek: &KeyEncryptionKey) -> io::Result<Self> {
        let (journal, switch) = (Journal::load(root)?, Switch::load(root)?);
        let next = journal.map(|journal| journal.next_kek).or(switch.map(|switch| switch.next_kek));
        Ok(Self { rekeyed: next.is_some_and(|next| next == kek.epoch()) })
    }

    pub(super) fn of(&self, root: &Path, shard: usize) -> PathBuf {
        let next = next_shard_file(shard);
        if self.rekeyed && root.join(&next).exists() { next } else { shard_file(shard) }
    }
}

impl Keyring {
    /// Makes durable that these owners' keys are gone, and wraps everything under another key-encryption key. The journal of new keys
    /// must have been folded. A crash leaves the keyring as it was, or as it is to be.
    pub(crate) fn destroy(
        &self,
        disk: &mut Disk,
        removals: &[Removal],
        kek: &KeyEncryptionKey,
    ) -> Result<Rekeyed, KeyringError> {
        let shards: BTreeSet<u8> = removals.iter().map(|removal| removal.tag[0]).collect();
        let mut shard_keys = self.shard_keys.clone();
        for shard in &shards {
            shard_keys[usize::from(*shard)] = random::key();
        }
        for shard in shards {
            let at = usize::from(shard);
            let file = next_shard_file(at);
            let bytes = packed(&self.shards[at], shard, &shard_keys[at], removals);
            disk.replace(&file, &bytes).map_err(io_error(&file))?;
        }
        let wrapped = self.wrapped(kek, &shard_keys);
        // From here on the keys are gone.
        disk.replace(&shards_file(), &wrapped).map_err(io_error(&shards_file()))?;
        Self::finish_destroying(disk)?;
        Ok(Rekeyed(shard_keys))
    }

    /// Gives the new shards their names, and removes what could still hold old keys.
    pub(crate) fn finish_destroying(disk: &mut Disk) -> Result<(), KeyringError> {
        let folder = Path::new("keyring");
        for shard in 0..SHARDS {
            let file = next_shard_file(shard);
            if disk.root().join(&file).exists() {
                disk.rename(&file, &shard_file(shard)).map_err(io_error(&file))?;
            }
        }
        let torn = torn_file();
        if disk.root().join(&torn).exists() {
            disk.remove(&torn).map_err(io_error(&torn))?;
        }
        disk.sync_folder(folder).map_err(io_error(folder))
    }

    /// Removes what interrupted writes have left, which may hold keys; and the new shards of an erasure that was not decided on.
    pub(crate) fn remove_leftovers(disk: &mut Disk, is_erasing: bool) -> Result<(), KeyringError> {
        let folder = Path::new("keyring");
        let listed = fs::read_dir(disk.root().join(folder)).map_err(io_error(folder))?;
        let mut left = Vec::new();
        for entry in listed {
            let name = PathBuf::from(entry.map_err(io_error(folder))?.file_name());
            let extension = name.extension();
            if extension.is_some_and(|one| one == "new" || (one == "next" && !is_erasing)) {
                left.push(folder.join(name));
            }
        }
        for file in &left {
            disk.remove(file).map_err(io_error(file))?;
        }
        if left.is_empty() { Ok(()) } else { disk.sync_folder(folder).map_err(io_error(folder)) }
    }

    /// Forgets the owners' keys, and goes on with the new shard keys.
    pub(crate) fn forget(&mut self, removals: &[Removal], Rekeyed(shard_keys): Rekeyed) {
        self.shard_keys = shard_keys;
        for removal in removals {
            self.shards[usize::from(removal.tag[0])].forget(&removal.tag, removal.goes_on);
        }
    }

    /// Wraps the shard keys under another key-encryption key. A crash leaves them under the one or the other.
    pub(crate) fn rewrap(&self, disk: &mut Disk, kek: &KeyEncryptionKey) -> Result<(), KeyringError> {
        let wrapped = self.wrapped(kek, &self.shard_keys);
        disk.replace(&shards_file(), &wrapped).map_err(io_error(&shards_file()))
    }
}
