//! That a node's keyring is being replaced by that of a later epoch: `keyring/switch`, for whoever opens the folder in between.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{Disk, read_if_there};

/// The longest such file, in bytes.
const MAX: usize = 4096;

/// A switch that has begun. It has taken place once the keyring opens under the next key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    /// The fingerprint of the key-encryption key that is retired.
    pub(crate) old_kek: String,
    /// The fingerprint of the one that takes its place.
    pub(crate) next_kek: String,
    /// The number of the epoch that begins with it.
    pub(crate) epoch: u64,
    /// The entry of the erasure for which it is renewed.
    pub(crate) erasure: Option<u64>,
}

pub(crate) fn file() -> PathBuf {
    PathBuf::from("keyring/switch")
}

impl Switch {
    /// Reads what a folder is in the middle of, if it is.
    pub(crate) fn load(root: &Path) -> io::Result<Option<Self>> {
        let Some(bytes) = read_if_there(&root.join(file()))? else { return Ok(None) };
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "keyring/switch is not what it should be");
        if bytes.len() > MAX {
            return Err(bad());
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|_| bad())
    }

    /// Makes it durable, before the first shard of the other keyring is written.
    pub(crate) fn store(&self, disk: &mut Disk) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).expect("texts and numbers serialise");
        disk.replace(&file(), &bytes)
    }

    /// The switch is done, or has not taken place.
    pub(crate) fn remove(disk: &mut Disk) -> io::Result<()> {
        let file = file();
        if !disk.root().join(&file).exists() {
            return Ok(());
        }
        disk.remove_durably(&file)
    }
}
