use std::io;

use gt_core::checkpoint::{SignedCheckpointError, VerifyCheckpointError};
use gt_core::entry::{EntryError, SuccessionError};
use gt_core::verify::ReceiptFault;
use gt_core::{Hash, TreeSize};

use crate::audit::SourceError;

/// What is wrong with a log, be it the mirror's or the one that is served.
#[derive(Debug, thiserror::Error)]
pub enum LogFault {
    /// A piece of it cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its checkpoint is none.
    #[error("{place} is no checkpoint: {source}")]
    Checkpoint {
        /// Where it came from.
        place: String,
        /// Why.
        #[source]
        source: SignedCheckpointError,
    },
    /// Its checkpoint is not the pinned ledger's.
    #[error("{place} is not the pinned ledger's: {source}")]
    NotPinned {
        /// Where it came from.
        place: String,
        /// Why.
        #[source]
        source: VerifyCheckpointError,
    },
    /// Its checkpoint covers nothing.
    #[error("{place} covers no entry, and a ledger has an entry 0")]
    Empty {
        /// Where it came from.
        place: String,
    },
    /// It begins with another entry 0 than the pinned one.
    #[error("{place}: the log begins with another entry 0 than the one that is pinned")]
    OtherGenesis {
        /// Where entry 0 stands.
        place: String,
    },
    /// A tile has not the length that it must have.
    #[error("{place} holds {found} bytes, and {expected} belong there")]
    TileLength {
        /// Where it stands.
        place: String,
        /// Its length in bytes.
        found: usize,
        /// What it must be.
        expected: usize,
    },
    /// A tile's hashes are not those of the entries.
    #[error("{place} does not hold the hashes of the log's entries")]
    TileHash {
        /// Where it stands.
        place: String,
    },
    /// A bundle has not the entries that it must have.
    #[error("{place} does not hold {expected} entries and nothing else")]
    Bundle {
        /// Where it stands.
        place: String,
        /// How many belong there.
        expected: u16,
    },
    /// An entry does not read.
    #[error("{place}, entry {index}: {source}")]
    Entry {
        /// The bundle.
        place: String,
        /// Its place in the log.
        index: u64,
        /// Why.
        #[source]
        source: EntryError,
    },
    /// An entry does not follow the one before.
    #[error("{place}: {source}")]
    Succession {
        /// The bundle.
        place: String,
        /// Why.
        #[source]
        source: SuccessionError,
    },
    /// The root is not the checkpoint's.
    #[error(
        "its tiles and entries give the root {found} for {size} entries, and its checkpoint says {stated}"
    )]
    OtherRoot {
        /// The checkpoint's size.
        size: TreeSize,
        /// The root as it was worked out.
        found: Hash,
        /// The root in the checkpoint.
        stated: Hash,
    },
    /// The tiles do not prove that the log grew from the size that is asked about.
    #[error("its tiles do not show how the log of {size} entries began: they contradict each other")]
    NotOneTree {
        /// The checkpoint's size.
        size: TreeSize,
    },
}

/// Why a mirror could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// Another process is at work on the mirror.
    #[error("another process is copying to this folder")]
    Locked,
    /// Something stands in the folder that no mirror holds.
    #[error("the folder holds {name:?}, which is no part of a mirror. Give a folder of its own")]
    NotAMirror {
        /// What was found first.
        name: String,
    },
    /// The folder cannot be read or written.
    #[error("{place}: {source}")]
    Io {
        /// Which file or folder.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another ledger's log is served.
    #[error("the folder mirrors {held:?}, and {served:?} is served there")]
    OtherOrigin {
        /// The mirror's origin.
        held: String,
        /// The origin that is served.
        served: String,
    },
    /// The mirror itself is damaged.
    #[error("the mirror's own files do not hold, and nothing was changed: {0}")]
    Held(#[source] LogFault),
    /// What is served is not a log that holds.
    #[error("what is served there does not hold, and the mirror's checkpoint stays as it is: {0}")]
    Served(#[source] LogFault),
}

impl LogFault {
    /// The stable code of this fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(SourceError::NoLedger { .. }) => "no_ledger",
            Self::Source(SourceError::Missing { .. }) => "missing",
            Self::Source(SourceError::TooLong { .. }) => "too_long",
            Self::Source(SourceError::NoFile { .. }) => "unknown",
            Self::Source(SourceError::Unreachable { .. }) => "unreachable",
            Self::Checkpoint { .. } => "checkpoint_malformed",
            Self::NotPinned { source, .. } => ReceiptFault::Checkpoint(source.clone()).code(),
            Self::Empty { .. } => "empty",
            Self::OtherGenesis { .. } => "other_genesis",
            Self::TileLength { .. } => "tile_length",
            Self::TileHash { .. } => "tile_hash",
            Self::Bundle { .. } => "bundle_width",
            Self::Entry { source, .. } => source.code(),
            Self::Succession { source, .. } => source.code(),
            Self::OtherRoot { .. } => "other_root",
            Self::NotOneTree { .. } => "tiles_contradict",
        }
    }

    /// Whether nothing is known to be wrong: it could not be reached, and may be in order.
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Source(SourceError::Unreachable { .. }))
    }

    /// Whether nothing of a log is there: it is another place.
    pub const fn is_no_ledger(&self) -> bool {
        matches!(self, Self::Source(SourceError::NoLedger { .. }))
    }

    /// Whether a part is missing. A log that grows may drop partial tiles, so that need not mean anything.
    pub(super) const fn is_missing(&self) -> bool {
        matches!(self, Self::Source(SourceError::Missing { .. }))
    }
}

impl MirrorError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::NotAMirror { .. } => "not_a_mirror",
            Self::Io { .. } => "io",
            Self::OtherOrigin { .. } => "other_origin",
            Self::Held(fault) | Self::Served(fault) => fault.code(),
        }
    }
}
