//! The evidence bundle: what a panel takes away and checks years later, trusting nobody (`docs/FORMATS.md` section 12).
//!
//! [`Bundle::parse`] reads one and checks its form only; its `Display` writes it. What it holds is as its maker wrote it until
//! [`verify_bundle`] has said what may be believed.

mod form;
mod text;
mod verify;

use crate::agency::AgencyCode;
use crate::hash::Hash;
use crate::json::JsonError;
use crate::link::{LinkName, LinkOpening};
use crate::position::LeafIndex;
#[cfg(doc)]
use crate::receipt::Receipt;
use crate::statement::Pseudonym;
use crate::time::Timestamp;

pub use verify::{
    BundleInputs, BundleVerdict, Finding, OpenLog, OpenLogError, Shown, ShownEntry, ShownPublisher,
    ShownStatement, Verdict, verify_bundle,
};

/// The `format` of these bundles.
pub const FORMAT: &str = "gt/bundle/1";

/// Their media type.
pub const MEDIA_TYPE: &str = "application/vnd.golden-thread.bundle+json";

/// The longest bundle that is read, in bytes.
pub const MAX_BUNDLE_BYTES: usize = 64 << 20;

/// The most pseudonyms that one bundle about a child may be about.
pub const MAX_SUBJECTS: usize = 16;

/// The most consistency proofs that one bundle has.
pub const MAX_CONSISTENCY: usize = 64;

/// An evidence bundle. Texts that have formats of their own (checkpoint, proofs, statements, disclosures) are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What it is about.
    pub manifest: Manifest,
    /// The signed note that everything else leads to.
    pub checkpoint: String,
    /// Consistency proofs from earlier sizes, at most [`MAX_CONSISTENCY`], each as [`consistency_text`](crate::proof::consistency_text) writes it.
    pub consistency: Vec<String>,
    /// The registrar's whole chain under the checkpoint, from `ledger.created` on. At least one record.
    pub registrar: Vec<StatedRecord>,
    /// The proof of the log's last entry, which shows that no statement of the registrar is missing.
    pub tip: String,
    /// The records by rising index, none of them the registrar's.
    pub records: Vec<BundleRecord>,
    /// The links of each subject, in the order of [`About::Child`]'s. Empty if the bundle is not about a child.
    pub completeness: Vec<SubjectLinks>,
}

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What it is about.
    pub about: About,
    /// When it was made. Nothing vouches for it.
    pub made_at: Timestamp,
    /// The indexes of its records, rising.
    pub entries: Vec<LeafIndex>,
}

/// What a bundle is about, and so what it claims to hold all of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// All entries from the first to the last, the registrar's included.
    Entries {
        /// The first.
        first: LeafIndex,
        /// The last.
        last: LeafIndex,
    },
    /// Every entry that the ledger sealed about a child.
    Child {
        /// The pseudonyms that the child has, 1–16, distinct.
        subjects: Vec<Pseudonym>,
    },
    /// Every statement that an agency signed.
    Agency {
        /// The agency.
        agency: AgencyCode,
    },
    /// The entries that an alert rests on. Nothing is claimed of their number.
    Alert {
        /// The alert's id, 1–64 characters of `A-Za-z0-9_-`.
        alert: String,
        /// The pattern's name, 1–32 characters of `a-z-`.
        pattern: String,
    },
}

/// An entry, with its statement or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleRecord {
    /// The statement is here.
    Stated(StatedRecord),
    /// The entry is shown, its statement is not.
    Absent {
        /// The entry's proof, as [`Receipt::proof_text`] writes it.
        proof: String,
        /// Why the statement is not here, as the maker says.
        why: Why,
    },
}

/// An entry with its statement, and what is here of the disclosures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedRecord {
    /// The entry's proof, as [`Receipt::proof_text`] writes it.
    pub proof: String,
    /// The `H.P.S`.
    pub statement: String,
    /// The texts of the disclosures that are here.
    pub disclosures: Vec<String>,
    /// The digests of members that are not kept whose disclosures are not here.
    pub left_out: Vec<LeftOut>,
}

/// A disclosure that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Its digest, as the statement has it.
    pub digest: Hash,
    /// Why it is not here, as the maker says.
    pub why: Why,
}

/// Why something is not in a bundle, as its maker says. Nothing vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Withheld from this copy.
    Withheld,
    /// Its keys are gone.
    Ended,
}

/// All links of one subject, opened (DESIGN section 3), and never its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectLinks {
    /// The subject.
    pub subject: Pseudonym,
    /// Its links 0…k.
    pub links: Vec<LinkOpening>,
    /// l(k+1), which must stand in no entry.
    pub next: LinkName,
}

/// Why a text is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Longer than [`MAX_BUNDLE_BYTES`].
    #[error("{bytes} bytes; a bundle has at most 67108864")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not strict JSON.
    #[error("not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// JSON of another format, or of a later version.
    #[error("its format is not {FORMAT}")]
    Format,
    /// A member is missing, unknown, or not of its form.
    #[error("at {place:?}: {expected}")]
    Member {
        /// Where: a JSON pointer.
        place: String,
        /// What belongs there.
        expected: &'static str,
    },
}

impl BundleError {
    /// The stable code of this error, as verdicts and test vectors name it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "bundle_too_long",
            Self::Json(source) => source.fault.code(),
            Self::Format => "bundle_format",
            Self::Member { .. } => "bundle_member",
        }
    }

    /// Where it was noticed: a JSON pointer into the bundle.
    pub fn place(&self) -> &str {
        match self {
            Self::TooLong { .. } | Self::Json(_) => "",
            Self::Format => "/format",
            Self::Member { place, .. } => place,
        }
    }
}

impl BundleRecord {
    /// The entry's proof.
    pub fn proof(&self) -> &str {
        match self {
            Self::Stated(record) => &record.proof,
            Self::Absent { proof, .. } => proof,
        }
    }
}

impl Why {
    /// The word that stands in a bundle.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Withheld => "withheld",
            Self::Ended => "ended",
        }
    }
}

impl About {
    /// The word that stands in `kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Entries { .. } => "entries",
            Self::Child { .. } => "child",
            Self::Agency { .. } => "agency",
            Self::Alert { .. } => "alert",
        }
    }
}
