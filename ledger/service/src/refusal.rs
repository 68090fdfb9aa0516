//! Why a statement is not sealed.

use gt_core::Hash;
use gt_core::registry::{RegistryError, SignerError};
use gt_core::statement::StatementError;
use gt_schemas::{ConfigurationError, SchemaError};

/// Why a statement is not sealed, or has no receipt. But for [`Self::NotWitnessed`] nothing has changed; no value of the statement is repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The statement itself is not sound.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Its event breaks its type's schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// It is a configuration that does not read.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// It speaks to another ledger.
    #[error("aud names another ledger than this one, which is {origin}")]
    WrongAudience {
        /// This ledger's origin.
        origin: String,
    },
    /// It was signed in the future.
    #[error("iat is {seconds} s ahead of the ledger's clock, and at most 300 are allowed")]
    FromTheFuture {
        /// By how much.
        seconds: i64,
    },
    /// Its signer may not speak as it does.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// It breaks a rule of the registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Only the ledger itself seals this type: its registrar, or an erasure.
    #[error("only the ledger itself seals statements of this type")]
    NotRegistrar,
    /// Another statement with this `seq` is sealed. A copied key or a restored backup: an integrity alert is raised.
    #[error(
        "another statement with this seq is sealed already: the publisher's key was copied, or its system restored from a backup"
    )]
    ChainFork(ChainHead),
    /// Earlier statements are missing.
    #[error("statements before this one are missing: the next seq is {}", .0.next_seq)]
    ChainGap(ChainHead),
    /// `prev` names another statement than the one sealed before.
    #[error("prev is not the hash of this publisher's statement before, or of the genesis entry for seq 0")]
    ChainPrev(ChainHead),
    /// Too much waits already.
    #[error("the ledger has more waiting than it takes; send the same statement again")]
    Busy,
    /// Another sealer of the same ledger was first, and this one does not know better.
    #[error("another sealer of this ledger is at work; send the same statement again")]
    Superseded,
    /// What the ledger writes to takes nothing at present. Nothing was sealed.
    #[error("the ledger's store takes nothing at present; send the same statement again")]
    Unavailable,
    /// It is sealed, and too few witnesses have signed a checkpoint that covers it.
    #[error(
        "the statement is sealed, but too few witnesses have signed for it yet; send the same statement again, and the receipt comes once they have"
    )]
    NotWitnessed,
    /// What was sealed before cannot be read, or not be proven: something of the ledger's folder is damaged. Nothing was sealed, and
    /// nothing of the statement is refused.
    #[error(
        "the ledger cannot read what it has sealed before, and answers for nothing that rests on it until its operator has mended that; send the same statement again then"
    )]
    Unreadable,
    /// The sealer has stopped.
    #[error("the sealer has stopped; send the same statement again when the ledger is back")]
    Stopped,
}

/// The head of a publisher's chain as the ledger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The `seq` of the next statement.
    pub next_seq: u64,
    /// The hash of the last statement; the genesis leaf hash if there is none.
    pub head: Hash,
}

impl Refusal {
    /// The stable code of this refusal, the last part of a problem's `type`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Statement(error) => error.code(),
            Self::Schema(error) => error.code(),
            Self::Configuration(error) => error.code(),
            Self::WrongAudience { .. } => "wrong_audience",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::Signer(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::NotRegistrar => "not_registrar",
            Self::ChainFork(_) => "chain_fork",
            Self::ChainGap(_) => "chain_gap",
            Self::ChainPrev(_) => "chain_prev",
            Self::Busy => "busy",
            Self::Superseded => "superseded",
            Self::Unavailable => "unavailable",
            Self::NotWitnessed => "not_witnessed",
            Self::Unreadable => "unreadable",
            Self::Stopped => "stopped",
        }
    }

    /// The head of the publisher's chain, where the refusal is about the chain.
    pub const fn chain_head(&self) -> Option<ChainHead> {
        match self {
            Self::ChainFork(head) | Self::ChainGap(head) | Self::ChainPrev(head) => Some(*head),
            _ => None,
        }
    }
}
