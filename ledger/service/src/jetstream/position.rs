//! How far a data folder has followed the stream, and that it does: a folder that follows a stream is never written to otherwise.

use std::io;
use std::path::Path;

use gt_core::TreeSize;
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, read_if_there};
use crate::layout;

/// A folder's place in the stream. It moves on without waiting for the disk, so it may lie behind what the folder holds, and never ahead.
/// That there is one is durable: without it the folder would be written to alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// When the stream was made, in the server's words: another stream of the same name has other sequences.
    pub(crate) created: String,
    /// The sequence up to which every message is accounted for.
    pub(crate) sequence: u64,
    /// The size of the tree there.
    pub(crate) size: u64,
    /// The shared keyring's sequence up to which every record is in the folder.
    pub(crate) keys: u64,
    /// The fingerprint of the key-encryption key whose keyring that is. None was written before there were epochs: that of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kek: Option<String>,
    /// The number of that key's epoch.
    #[serde(default)]
    pub(crate) epoch: u64,
}

impl Position {
    /// Before the first message of a stream.
    pub(crate) fn start(created: &str) -> Self {
        Self { created: created.to_owned(), sequence: 0, size: 0, keys: 0, kek: None, epoch: 0 }
    }

    /// Whether the folder follows a stream.
    pub(crate) fn is_there(root: &Path) -> bool {
        root.join(layout::position()).exists()
    }

    /// Reads the folder's position. One that a power cut left unreadable is the start: everything is compared again.
    pub(crate) fn read(root: &Path, created: &str) -> io::Result<Self> {
        let bytes = read_if_there(&root.join(layout::position()))?;
        let read: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(read.filter(|position| position.created == created).unwrap_or_else(|| Self::start(created)))
    }

    /// A position beyond the folder or the stream is that of a copy which was put back, of the one or the other: everything is compared
    /// again.
    pub(crate) fn must_lie_within(&mut self, end: u64, folder: TreeSize) {
        if self.sequence > end || self.size > folder.0 {
            (self.sequence, self.size) = (0, 0);
        }
    }

    /// Which key-encryption key opens the keyring is the durable fact. A position that counts another one's records counts none.
    pub(crate) fn must_count_records_of(&mut self, kek: &str, epoch: u64) {
        if self.kek.as_deref().map_or(epoch > 0, |of| of != kek) {
            self.keys = 0;
        }
        (self.kek, self.epoch) = (Some(kek.to_owned()), epoch);
    }

    /// Writes it durably: from here on the folder follows a stream.
    pub(crate) fn begin(&self, disk: &mut Disk) -> io::Result<()> {
        disk.replace(&layout::position(), &self.text()?)
    }

    /// Writes it without waiting for the disk, unless it is the folder's first.
    pub(crate) fn move_on(&self, disk: &mut Disk) -> io::Result<()> {
        if Self::is_there(disk.root()) {
            disk.replace_lazily(&layout::position(), &self.text()?)
        } else {
            self.begin(disk)
        }
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(io::Error::other)
    }
}
