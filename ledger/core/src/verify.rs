//! What anybody can check who holds a receipt or a statement and trusts nothing but what they pinned beforehand.
//!
//! These functions compose the others of this crate, in the order of `docs/FORMATS.md` section 5, and add no rule of
//! their own but one: where a pinned genesis hash can be compared, it is.

use crate::checkpoint::{Checkpoint, VerifyCheckpointError};
use crate::entry::{Entry, EntryError};
use crate::hash::Hash;
use crate::key::{PublicKey, SignatureBatch, Signed};
use crate::note::{SignatureType, VerifierKey, VerifyNoteError};
use crate::position::LeafIndex;
use crate::proof::{InclusionError, InclusionProof};
use crate::receipt::Receipt;
use crate::registry::{Registry, SignerError};
use crate::statement::{Statement, StatementError};
use crate::tree;

/// What a verifier knows of a ledger from outside it (DESIGN section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The ledger's origin: the first line of its checkpoints.
    pub origin: String,
    /// The keys that sign its checkpoints: of each signature type among them, one must have signed.
    pub verifier_keys: Vec<VerifierKey>,
    /// The leaf hash of entry 0. A receipt shows it only if it is for entry 0 or 1.
    pub genesis: Option<Hash>,
}

/// Why keys pin no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinnedKeysError {
    /// A key bears another name than the ledger.
    #[error("verifier key {position} bears the name {name}, and not the ledger's, {origin}")]
    Name {
        /// Which, from 1.
        position: usize,
        /// Its name.
        name: String,
        /// The ledger's origin.
        origin: String,
    },
    /// No ledger signs with keys of this type.
    #[error("verifier key {position} is a witness's (type {:#04x}); a ledger's own are of type 0x01 or 0x06", .kind.identifier())]
    Type {
        /// Which, from 1.
        position: usize,
        /// Its type.
        kind: SignatureType,
    },
    /// Every ledger signs with a key that all tools can check.
    #[error("there is no verifier key of type 0x01 (Ed25519), and every ledger has one")]
    NoEd25519,
}

/// What a receipt that holds has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptVerdict {
    /// The sealed entry.
    pub entry: Entry,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// The head of the log that holds it.
    pub checkpoint: Checkpoint,
    /// The pinned keys that signed that head.
    pub signed_by: Vec<VerifierKey>,
    /// Whether the entry was compared with a statement. Without one, the receipt shows that *something* was sealed.
    pub statement_compared: bool,
}

/// Why a receipt does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// There is no `extra` line, so the receipt says nothing about any statement.
    #[error("the receipt carries no entry")]
    NoEntry,
    /// The `extra` line does not hold an entry.
    #[error("the receipt's entry is refused: {0}")]
    Entry(#[from] EntryError),
    /// The entry says that it stands elsewhere.
    #[error("the receipt is for index {receipt}, but its entry has index {entry}")]
    Index {
        /// The receipt's index.
        receipt: LeafIndex,
        /// The entry's index.
        entry: LeafIndex,
    },
    /// The checkpoint is of another log, or no pinned key signed it.
    #[error("the receipt's checkpoint is not to be trusted: {0}")]
    Checkpoint(#[from] VerifyCheckpointError),
    /// The path does not lead from the entry to the checkpoint's root.
    #[error("the receipt's inclusion proof does not hold: {0}")]
    Inclusion(#[from] InclusionError),
    /// The log begins with another entry 0 than the pinned one.
    #[error("the log begins with another entry 0 than the one that is pinned")]
    OtherGenesis,
    /// The entry seals another statement.
    #[error("the entry seals statement {sealed}, not {held}")]
    OtherStatement {
        /// The hash in the entry.
        sealed: Hash,
        /// The hash of the statement that its holder signed.
        held: Hash,
    },
}

/// Why a statement does not speak for its agency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorshipFault {
    /// It speaks to another ledger.
    #[error("aud names another ledger than {origin}")]
    WrongAudience {
        /// The origin of the ledger whose registry was asked.
        origin: String,
    },
    /// Its signer may not speak as it does.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// Its signature does not hold.
    #[error(transparent)]
    Signature(#[from] StatementError),
}

/// Statements whose signatures are checked together, some thousands at a time (see [`SignatureBatch`]).
#[derive(Debug, Default)]
pub struct AuthorshipBatch(SignatureBatch);

impl ReceiptFault {
    /// The stable code of this fault, as verdicts and test vectors name it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoEntry => "entry_absent",
            Self::Entry(source) => source.code(),
            Self::Index { .. } => "index_differs",
            Self::Checkpoint(VerifyCheckpointError::Origin { .. }) => "other_origin",
            Self::Checkpoint(VerifyCheckpointError::Note(source)) => match source {
                VerifyNoteError::BadSignature { .. } => "checkpoint_bad_signature",
                VerifyNoteError::NoTrustedSignature => "checkpoint_not_signed",
            },
            Self::Checkpoint(VerifyCheckpointError::Downgraded { .. }) => "checkpoint_downgraded",
            Self::Inclusion(InclusionError::IndexOutsideTree { .. }) => "index_outside_tree",
            Self::Inclusion(InclusionError::PathLength { .. }) => "inclusion_path_length",
            Self::Inclusion(InclusionError::RootMismatch { .. }) => "not_included",
            Self::OtherGenesis => "other_genesis",
            Self::OtherStatement { .. } => "other_statement",
        }
    }
}

impl AuthorshipFault {
    /// The stable code of this fault, as problems, verdicts and test vectors name it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongAudience { .. } => "wrong_audience",
            Self::Signer(source) => source.code(),
            Self::Signature(source) => source.code(),
        }
    }
}

/// Checks that these can be the keys by which a ledger is known (`docs/FORMATS.md` section 10). The first that cannot is named.
pub fn check_pinned_keys(origin: &str, keys: &[VerifierKey]) -> Result<(), PinnedKeysError> {
    for (position, key) in (1..).zip(keys) {
        let kind = key.signature_type();
        if key.name() != origin {
            let (name, origin) = (key.name().to_owned(), origin.to_owned());
            return Err(PinnedKeysError::Name { position, name, origin });
        }
        if !kind.is_of_logs() {
            return Err(PinnedKeysError::Type { position, kind });
        }
    }
    if keys.iter().any(|key| key.signature_type() == SignatureType::Ed25519) {
        Ok(())
    } else {
        Err(PinnedKeysError::NoEd25519)
    }
}

/// Checks a receipt against what is pinned and, if its holder has it, against the statement that was signed
/// (`docs/FORMATS.md` section 5).
pub fn verify_receipt(
    receipt: &Receipt,
    statement_hash: Option<Hash>,
    pin: &Pin,
) -> Result<ReceiptVerdict, ReceiptFault> {
    check_receipt(receipt, statement_hash, Some(pin))
}

/// Checks what a receipt shows to somebody who pins nothing: not whose it is, but whether it agrees with itself and with the statement.
/// What is not asked is whose signatures are under its checkpoint.
pub fn check_unpinned_receipt(receipt: &Receipt, statement_hash: Option<Hash>) -> Result<(), ReceiptFault> {
    check_receipt(receipt, statement_hash, None).map(drop)
}

fn check_receipt(
    receipt: &Receipt,
    statement_hash: Option<Hash>,
    pin: Option<&Pin>,
) -> Result<ReceiptVerdict, ReceiptFault> {
    let bytes = receipt.extra.as_deref().ok_or(ReceiptFault::NoEntry)?;
    let entry = Entry::parse(bytes)?;
    if entry.index != receipt.index {
        return Err(ReceiptFault::Index { receipt: receipt.index, entry: entry.index });
    }
    let signed_by = match pin {
        Some(pin) => receipt.checkpoint.verify(&pin.origin, &pin.verifier_keys)?,
        None => Vec::new(),
    };
    let checkpoint = receipt.checkpoint.checkpoint();
    // An entry is its own only spelling, so these bytes are the leaf's data.
    let leaf_hash = tree::leaf_hash(bytes);
    let proof = InclusionProof { index: entry.index, size: checkpoint.size(), path: receipt.path.clone() };
    proof.verify(&leaf_hash, &checkpoint.root())?;
    let pinned = pin.and_then(|pin| pin.genesis);
    if pinned.is_some_and(|genesis| shown_genesis(&entry, leaf_hash).is_some_and(|shown| shown != genesis)) {
        return Err(ReceiptFault::OtherGenesis);
    }
    if let Some(held) = statement_hash
        && held != entry.statement
    {
        return Err(ReceiptFault::OtherStatement { sealed: entry.statement, held });
    }
    Ok(ReceiptVerdict {
        leaf_hash,
        checkpoint: checkpoint.clone(),
        signed_by: signed_by.into_iter().cloned().collect(),
        statement_compared: statement_hash.is_some(),
        entry,
    })
}

/// Checks that a statement is addressed to this ledger and signed by the key that the registry, as it stood before the
/// statement's index, gives to its publisher.
///
/// Its structure was checked when it was parsed; its place in the publisher's chain is [`crate::chain`]'s to say.
pub fn verify_authorship(statement: &Statement, registry: &Registry) -> Result<(), AuthorshipFault> {
    Ok(statement.verify(author_key(statement, registry)?)?)
}

impl AuthorshipBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks all but the signature, as [`verify_authorship`] does, and takes that. `None` if the statement speaks for its agency just if
    /// its batch holds; what can be told at once is told.
    pub fn add(&mut self, statement: &Statement, registry: &Registry) -> Option<Result<(), AuthorshipFault>> {
        let key = match author_key(statement, registry) {
            Ok(key) => key,
            Err(fault) => return Some(Err(fault)),
        };
        if let Err(fault) = statement.names(key) {
            return Some(Err(fault.into()));
        }
        let (message, signature) = statement.signed();
        let verdict = self.0.add(&Signed { key, message: message.as_bytes(), signature })?;
        Some(verdict.map_err(|_| StatementError::BadSignature.into()))
    }

    /// Whether all that the batch took hold; the next one begins a new batch. After false nothing is known, and each must be checked by
    /// itself. For `random` see [`SignatureBatch::close`].
    pub fn close(&mut self, random: &mut dyn FnMut(&mut [u8])) -> bool {
        self.0.close(random)
    }
}

fn author_key<'r>(statement: &Statement, registry: &'r Registry) -> Result<&'r PublicKey, AuthorshipFault> {
    let origin = &registry.ledger_keys().origin;
    if statement.payload().aud != *origin {
        return Err(AuthorshipFault::WrongAudience { origin: origin.clone() });
    }
    Ok(registry.signer(statement)?)
}

/// The leaf hash of entry 0, where an entry tells it: entry 0 is it, and entry 1 names it.
fn shown_genesis(entry: &Entry, leaf_hash: Hash) -> Option<Hash> {
    match entry.index.0 {
        0 => Some(leaf_hash),
        1 => Some(entry.prev),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
