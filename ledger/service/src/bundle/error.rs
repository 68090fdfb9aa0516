use gt_core::prove::ProveError;
use gt_core::{LeafIndex, TreeSize};

use crate::index::IndexError;
use crate::log::ReadError;
use crate::open::OpenLedgerError;

/// Why a bundle is not made. No value of a statement, and nothing that names a person, stands in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeBundleError {
    /// Nothing is sealed about this child, or nothing of it can be linked any more.
    #[error("the ledger holds nothing about this child, or its keys are gone")]
    UnknownChild,
    /// The child is joined to more identities than one bundle may be about.
    #[error(
        "the child is joined to more than 16 identities, and a bundle is about 16 at most; make bundles of ranges of entries instead"
    )]
    TooManySubjects,
    /// The range ends before it begins.
    #[error("the range {first}-{last} is empty: its last entry stands before its first")]
    EmptyRange {
        /// The first.
        first: LeafIndex,
        /// The last.
        last: LeafIndex,
    },
    /// An entry is asked for that is not sealed.
    #[error("there is no entry {index}: the log has {size} entries, numbered from 0")]
    NoSuchEntry {
        /// Which one.
        index: LeafIndex,
        /// How many entries the log has.
        size: TreeSize,
    },
    /// No publisher of this agency was ever registered.
    #[error("no system of this agency was ever registered; GET /v1/publishers lists those that were")]
    UnknownAgency,
    /// A member is to be withheld that no event has.
    #[error(
        "name {position} of the members to be withheld is none that any event discloses, so nothing would be withheld by it"
    )]
    UnknownMember {
        /// Which of the names, from 1.
        position: usize,
    },
    /// A checkpoint that somebody holds covers more entries than the bundle's.
    #[error(
        "a checkpoint of {known} entries is held, and this ledger has {size}: it is another ledger's, or this is an older copy"
    )]
    KnownAhead {
        /// The size of the checkpoint that is held.
        known: TreeSize,
        /// The size of the ledger's.
        size: TreeSize,
    },
    /// The bundle would exceed the limit of its format.
    #[error("{}", too_large(*.fits, *.of, *.last_fitting, *.is_range))]
    TooLarge {
        /// How many of the entries fit, in their order.
        fits: usize,
        /// How many entries were asked for.
        of: usize,
        /// The last entry that fits.
        last_fitting: Option<LeafIndex>,
        /// Whether a range of entries was asked for, which can be split.
        is_range: bool,
    },
    /// The log contradicts its own keys: `fsck` says more.
    #[error(
        "entry {index} does not hold the link that is due; `goldenthread fsck` says what is wrong with the log"
    )]
    LinkOutOfOrder {
        /// Which entry.
        index: LeafIndex,
    },
    /// Something of the ledger does not read.
    #[error(transparent)]
    Read(#[from] OpenLedgerError),
    /// A proof cannot be made.
    #[error("a proof cannot be made")]
    Prove(#[from] ProveError<ReadError>),
}

impl MakeBundleError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownChild => "unknown_child",
            Self::TooManySubjects => "too_many_subjects",
            Self::EmptyRange { .. } => "empty_range",
            Self::NoSuchEntry { .. } => "no_such_entry",
            Self::UnknownAgency => "unknown_agency",
            Self::UnknownMember { .. } => "unknown_member",
            Self::KnownAhead { .. } => "known_ahead",
            Self::TooLarge { .. } => "bundle_too_large",
            Self::LinkOutOfOrder { .. } => "link_out_of_order",
            Self::Read(_) | Self::Prove(_) => "unreadable",
        }
    }
}

impl From<ReadError> for MakeBundleError {
    fn from(error: ReadError) -> Self {
        Self::Read(OpenLedgerError::Read(error))
    }
}

impl From<IndexError> for MakeBundleError {
    fn from(error: IndexError) -> Self {
        Self::Read(OpenLedgerError::Index(error))
    }
}

fn too_large(fits: usize, of: usize, last_fitting: Option<LeafIndex>, is_range: bool) -> String {
    let (limit, less) = ("a bundle has at most 67108864 bytes", "withhold disclosures, or all of them");
    match last_fitting {
        Some(last) if is_range => format!(
            "{limit}, and only {fits} of the {of} entries fit, those up to entry {last}; make one bundle up to there and another from entry {} on, or {less}",
            last.0 + 1
        ),
        Some(last) => format!(
            "{limit}, and only {fits} of the {of} entries fit, those up to entry {last}; {less}, or make bundles of ranges of entries"
        ),
        None => format!("{limit}, and not even the first entry fits beside what every bundle holds; {less}"),
    }
}
