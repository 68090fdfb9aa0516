//! Erasure without breaking the chain (DESIGN section 6, `docs/ERASURE.md`).
//!
//! Everything that could identify a person is encrypted under keys of that person's own. To erase is to destroy those keys, and every
//! copy of them that a backup or a disk may still hold: their shards get new keys, and the shard keys are wrapped under a new
//! key-encryption key. Entries, tree and receipts hold hashes only and stay as they are.
//!
//! 1. [`Subject`](subject::Subject) finds out whom it is about: the identifiers that are joined to the one that was named, and the
//!    holds and restrictions that forbid it. Sealing goes on meanwhile.
//! 2. The sealer's own thread destroys (`sealer/custody.rs`), in this order, each step durable before the next: the next key-encryption
//!    key in its source; the journal `keyring/erasure`; the new shards and shard keys; `subject.erased`; the old key-encryption
//!    key's end. From the journal on the erasure will be completed, by a later start if need be; before it, it has not been begun.
//!
//! In one folder keys are destroyed before `subject.erased` is sealed, on several nodes before each one shows it; so whoever sees that
//! entry there can no longer read what it ended.

mod asking;
mod journal;
mod renewals;
mod subject;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use gt_core::agency::AgencyCode;
use gt_core::erasure::Scope;
use gt_core::key::PrivateKey;
use gt_core::receipt::Receipt;
use gt_core::statement::{Pseudonym, SignError};
use gt_core::{LeafIndex, TreeSize};

use crate::jetstream::NextKeyring;
use crate::keyring::renewal::Renewal;
use crate::keyring::{
    ConfirmError, Confirmed, KekError, KekSource, KeyEncryptionKey, KeyringError, OwnerTag, RetiredKek,
    RotateError,
};
use crate::record::OwnerId;
use crate::refusal::Refusal;

pub(crate) use journal::Journal;
pub use renewals::NodesError;
pub(crate) use renewals::Renewals;
pub(crate) use subject::{Erasing, Known, Subject};

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseRequest {
    /// About whom.
    pub whom: Whom,
    /// What.
    pub scope: Scope,
    /// The agency that decided on it.
    pub authority: AgencyCode,
    /// Why, one of [`gt_core::erasure::GROUNDS`].
    pub ground: &'static str,
    /// The size of the log from which it was concluded, if it was: what has been said about the person since may speak against it, and
    /// refuses it.
    pub known: Option<TreeSize>,
}

/// How somebody is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// By a pseudonym.
    Pseudonym(Pseudonym),
    /// By an opaque id: the only way once what was disclosed is erased.
    Owner(OwnerId),
    /// Several people together, each by one opaque id or more: at most 64 identifiers in all. One that is unknown or held refuses all.
    Persons(Vec<OwnerId>),
}

/// What an erasure has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureReceipt {
    /// The proof that `subject.erased` is sealed.
    pub receipt: Receipt,
    /// Where it stands.
    pub index: LeafIndex,
    /// Whose keys were destroyed: all identifiers of whom it was asked for.
    pub owners: Vec<OwnerId>,
    /// How many links of theirs the log has.
    pub entries: u64,
    /// What was destroyed.
    pub scope: Scope,
    /// The fingerprint of the key-encryption key in force from now on.
    pub kek: String,
    /// The key that was in force, every copy of which people must still destroy: until that is confirmed, a backup from before and that
    /// key together reveal what was erased.
    pub retired: RetiredKek,
}

/// A hold, a restriction, or what else forbids an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The entry that placed it.
    pub index: LeafIndex,
    /// The event that ends it.
    pub ended_by: &'static str,
}

/// What a renewal of the key-encryption key on several nodes needs first (`docs/ERASURE.md`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPrepared {
    /// No next key.
    #[error(
        "there is no next key-encryption key at {at}: make one and its bucket with `goldenthread nats keys prepare`, and give every node a copy (docs/ERASURE.md)"
    )]
    NoKey {
        /// Where it should be.
        at: String,
    },
    /// No bucket.
    #[error(
        "the servers have no bucket for the next key-encryption key {kek}: make it with `goldenthread nats keys prepare`"
    )]
    NoBucket {
        /// The key's fingerprint.
        kek: String,
    },
    /// No register.
    #[error(
        "the register of nodes cannot be read, so nobody would know whose keys are still there ({reason}): make it with `goldenthread nats keys prepare`"
    )]
    NoRegister {
        /// Why.
        reason: String,
    },
    /// The bucket does not take what is written to it.
    #[error("the keyring for the next key-encryption key cannot be written: {reason}")]
    NotWritten {
        /// Why.
        reason: String,
    },
    /// This node waits itself for a key.
    #[error("this node waits for the key-encryption key {kek} itself")]
    Waits {
        /// The key's fingerprint.
        kek: String,
    },
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// Nobody is known by that name.
    #[error(
        "the ledger knows nobody by that reference: it was never sealed, or is erased already, and then `goldenthread erase status` lists it"
    )]
    Unknown,
    /// What was disclosed about the owner is erased.
    #[error("what was disclosed about this owner is erased already; --records ends the records too")]
    AlreadyErased,
    /// Nobody speaks for that agency.
    #[error("no publisher of this ledger speaks for {0}, so it can decide on no erasure here")]
    UnknownAuthority(AgencyCode),
    /// Holds or restrictions are in force.
    #[error("{}", held(.0))]
    Held(Vec<Hold>),
    /// More identifiers are joined than one person has.
    #[error(
        "more than 64 identifiers are joined to this one: unlink those that are not the same person's first"
    )]
    TooManyIdentifiers,
    /// The key of the ledger's own service publisher is not among the secrets, or no longer in force.
    #[error(
        "the key of the ledger's own service publisher (service.jwk of the secrets) is missing or not in force, and it has to sign for the erasure"
    )]
    NoServiceKey,
    /// The ledger was opened with a key-encryption key that was given in memory.
    #[error("the key-encryption key was given in memory, and has no place where a new one could be kept")]
    NoSource,
    /// The folder follows a stream, and its node does not run.
    #[error(
        "this folder is a node's of a NATS stream, and its node does not run: start it (goldenthread serve --nats), and ask it; nothing was erased"
    )]
    FollowsStream,
    /// This node only follows.
    #[error("this node only follows: ask one that seals; nothing was erased")]
    OnlyFollows,
    /// There is no next key, or no bucket for it, or the nodes are not known.
    #[error("{0}; nothing was erased")]
    NotPrepared(NotPrepared),
    /// Another sealer was first again and again.
    #[error("other nodes sealed first again and again; nothing was erased: try again")]
    Superseded,
    /// The next key-encryption key is not to be had.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The log cannot be read.
    #[error("what the log says of this person cannot be read: {0}")]
    Read(#[source] Box<crate::open::OpenLedgerError>),
    /// The keyring or its journal cannot be written, and nothing was destroyed.
    #[error("{0}; nothing was erased")]
    Io(#[from] io::Error),
    /// The statement cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Something was said about the person since.
    #[error("something was said about this person since that was concluded; nothing was erased: look again")]
    Changed,
    /// Statements about this person kept coming in.
    #[error("statements about this person keep coming in; try again")]
    Busy,
    /// The sealer stopped in the middle.
    #[error(
        "the ledger stopped during the erasure. Start it again: it completes what was begun, or takes it back; `goldenthread erase status` says which"
    )]
    Interrupted,
}

impl EraseError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_owner",
            Self::AlreadyErased => "already_erased",
            Self::UnknownAuthority(_) => "unknown_authority",
            Self::Held(_) => "held",
            Self::TooManyIdentifiers => "too_many_identifiers",
            Self::NoServiceKey => "no_service_key",
            Self::NoSource => "no_kek_source",
            Self::FollowsStream => "follows_stream",
            Self::OnlyFollows => "only_follows",
            Self::NotPrepared(_) => "not_prepared",
            Self::Kek(_) => "kek",
            Self::Read(_) => "unreadable",
            Self::Io(_) => "io",
            Self::Sign(_) => "sign",
            Self::Changed => "changed",
            Self::Busy | Self::Superseded => "busy",
            Self::Interrupted => "interrupted",
        }
    }
}

fn held(holds: &[Hold]) -> String {
    let each = |hold: &Hold| format!("entry {} (until {})", hold.index, hold.ended_by);
    let holds: Vec<String> = holds.iter().map(each).collect();
    format!("nothing was erased: the record is held by {}", holds.join(", "))
}

/// What the sealer's thread needs to renew the key-encryption key and to erase.
pub(crate) struct Custody {
    pub(crate) source: KekSource,
    /// The fingerprint of the key in force.
    pub(crate) kek: String,
    /// The key of the ledger's own service publisher.
    pub(crate) service: Option<Arc<PrivateKey>>,
}

/// What the sealer's thread is asked to do with keys.
pub(crate) enum CustodyWork {
    /// Destroy somebody's keys.
    Erase(Erasing, SyncSender<Result<ErasureReceipt, EraseError>>),
    /// The same on a node of several: the keyring that takes the place of the one in force is written down, but for the latest keys.
    EraseOnStream(Erasing, Box<Renewing>, SyncSender<(Result<ErasureReceipt, EraseError>, Box<Renewing>)>),
    /// Put another key-encryption key in force on all nodes.
    RotateOnStream(Box<Renewing>, SyncSender<(Result<RetiredKek, RotateError>, Box<Renewing>)>),
    /// Put another key-encryption key in force.
    Rotate(SyncSender<Result<RetiredKek, RotateError>>),
    /// Note that copies of a retired key are destroyed.
    Confirm(Confirmed, SyncSender<Result<RetiredKek, ConfirmError>>),
}

/// A keyring that nodes are to take in the place of theirs.
pub(crate) struct Renewing {
    pub(crate) renewal: Renewal,
    /// How many parts of it are written down.
    pub(crate) parts: u64,
    pub(crate) next: KeyEncryptionKey,
    /// All of it, read back. Kept while no key is added, so that another attempt is no slower than any batch.
    pub(crate) ready: Option<NextKeyring>,
}

/// What stops the sealer during an erasure. The next start completes it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CustodyFault {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Kek(#[from] KekError),
    #[error("keyring: {0}")]
    Io(#[from] io::Error),
    #[error("subject.erased is refused: {0}")]
    Refused(Box<Refusal>),
    #[error("another statement stands where subject.erased belongs")]
    OtherStatement,
    #[error("the next key-encryption key, {0}, is not in its source any more")]
    KekGone(String),
    #[error("the journal of the erasure names owners that the keyring does not have")]
    OtherOwners,
    #[error("the keyring of the next epoch lacks keys that no erasure has ended")]
    KeysMissing,
    #[error(
        "the stream begins an epoch of the key-encryption key under which the folder has another keyring"
    )]
    OtherKeyring,
    #[error(
        "the stream has an erasure whose epoch has begun, and the folder still has the keys that it ends"
    )]
    KeysRemain,
}

/// An owner whose keys are to be destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) tag: OwnerTag,
    pub(crate) id: OwnerId,
    /// How many entries the owner has.
    pub(crate) entries: u64,
}
