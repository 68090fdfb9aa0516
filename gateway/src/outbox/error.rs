use std::io;

use super::{JournalError, ReceiptFault};
use crate::draft::DraftError;

/// What a publisher can do whose outbox and chain have parted. A chain is continued by its own outbox alone.
pub(super) const WAY_OUT: &str = "put the newest copy of the outbox back; if there is none, make a new key (`keygen --endorse-with` \
    this one), have the registrar enrol it, and hand in with it what the ledger does not have yet";

/// Why the outbox cannot go on. What is durable stays so.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The folder cannot be made.
    #[error("the outbox folder cannot be made")]
    Folder(#[source] io::Error),
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's lines are sound, but contradict each other.
    #[error("the outbox journal contradicts itself at draft {order}")]
    Contradiction {
        /// The draft's position among all that were accepted.
        order: u64,
    },
    /// A draft that was accepted can no longer be signed.
    #[error(
        "draft {order} was accepted, but can no longer be signed; was another version of the program at work?"
    )]
    Unsignable {
        /// The draft's position among all that were accepted.
        order: u64,
        /// Why.
        #[source]
        source: DraftError,
    },
    /// The ledger sealed something, but its receipt does not prove that.
    #[error("the receipt for statement {seq} does not hold; nothing more is sent")]
    Receipt {
        /// The statement's number in the chain.
        seq: u64,
        /// What is wrong with the receipt.
        #[source]
        source: ReceiptFault,
    },
    /// The ledger's chain of this publisher and the outbox have parted.
    #[error(transparent)]
    Divergence(#[from] Divergence),
}

/// How the ledger's chain of this publisher differs from the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// The ledger has statements that this outbox never made.
    #[error(
        "the ledger has {ledger} statements of this publisher, and this outbox made {outbox}: the key was copied, or the \
         outbox restored from a backup; to go on would fork the chain; {way_out}",
        way_out = WAY_OUT
    )]
    LedgerAhead {
        /// How many statements the ledger has.
        ledger: u64,
        /// How many this outbox has signed.
        outbox: u64,
    },
    /// The ledger lacks statements for which this outbox has receipts.
    #[error(
        "the ledger shows {ledger} statements of this publisher, and this outbox holds receipts for {outbox}: a node of it \
         lags behind, or the ledger was put back to an older state; then tell its operator, to whom the receipts prove it"
    )]
    LedgerBehind {
        /// How many statements the ledger shows.
        ledger: u64,
        /// How many receipts there are.
        outbox: u64,
    },
    /// The ledger's last statement is another one than this outbox made at that place.
    #[error(
        "the ledger's chain of this publisher ends in another statement than this outbox made as number {seq}: {way_out}",
        way_out = WAY_OUT
    )]
    OtherStatement {
        /// The place: the last `seq` that the ledger has, or 0 if it has none and names another genesis.
        seq: u64,
    },
}
