use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use gt_core::entry::{Entry, EntryError};
use gt_core::hash::Hash;
use gt_core::note::{VerifierKey, VerifierKeyError};
use gt_core::position::LeafIndex;
use gt_core::receipt::{Receipt, ReceiptError, VerifyReceiptError};
use gt_core::tree;
use gt_core::verify::{PinnedKeysError, check_pinned_keys};
use serde::{Deserialize, Serialize};

/// The longest pin file that is read, in bytes.
pub const MAX_PIN_BYTES: usize = 16 * 1024;

/// What a publisher knows of its ledger from outside, and holds every receipt against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The ledger's origin.
    pub origin: String,
    /// The leaf hash of its entry 0.
    pub genesis: Hash,
    /// The keys that may sign its checkpoints, one at least.
    pub verifier_keys: Vec<VerifierKey>,
}

/// Why a pin cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The file cannot be read.
    #[error("the pin file cannot be read")]
    Io(#[from] io::Error),
    /// The file is too long to be a pin.
    #[error("the pin file has more than 16384 bytes")]
    TooLong,
    /// Not a JSON object with the expected members.
    #[error("a pin is a JSON object with origin, genesis and verifier_keys")]
    Form(#[source] serde_json::Error),
    /// The origin is empty or the genesis hash is none.
    #[error("the pin's {member} is not what it must be")]
    Member {
        /// Which member.
        member: &'static str,
    },
    /// A verifier key is none.
    #[error("verifier key {position} of the pin is no C2SP verifier key")]
    Key {
        /// Which, from 1.
        position: usize,
        /// What is wrong with it.
        #[source]
        source: VerifierKeyError,
    },
    /// The keys are not such as a ledger is known by.
    #[error("the pin pins no ledger")]
    Keys(#[from] PinnedKeysError),
}

/// Why a receipt is no proof that the ledger sealed a statement.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFault {
    /// It is no receipt.
    #[error("the ledger's answer is no receipt")]
    Form(#[from] ReceiptError),
    /// It carries no entry.
    #[error("the receipt carries no entry")]
    NoEntry,
    /// Its entry is none.
    #[error("the receipt's entry is malformed")]
    Entry(#[from] EntryError),
    /// Its entry belongs elsewhere than the proof says.
    #[error("the receipt proves entry {proved}, but carries entry {carried}")]
    OtherEntry {
        /// The index in the proof.
        proved: LeafIndex,
        /// The index in the entry.
        carried: LeafIndex,
    },
    /// It is the receipt of another statement.
    #[error("the receipt is another statement's")]
    OtherStatement,
    /// The proof or the signature does not hold.
    #[error("the receipt does not verify against the pinned ledger")]
    Proof(#[from] VerifyReceiptError),
}

#[derive(Serialize, Deserialize)]
struct PinText {
    origin: String,
    genesis: String,
    verifier_keys: Vec<String>,
}

impl Pin {
    /// Reads a pin from a file: a JSON object with `origin`, `genesis` and `verifier_keys`; other members are ignored, so
    /// that the ledger's own description can be kept as it came.
    pub fn read(path: &Path) -> Result<Self, PinError> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_PIN_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_PIN_BYTES { Err(PinError::TooLong) } else { Self::parse(&bytes) }
    }

    /// Reads a pin from its JSON text, whose length the caller has bounded.
    pub fn parse(bytes: &[u8]) -> Result<Self, PinError> {
        let text: PinText = serde_json::from_slice(bytes).map_err(PinError::Form)?;
        if text.origin.is_empty() {
            return Err(PinError::Member { member: "origin" });
        }
        if text.verifier_keys.is_empty() {
            return Err(PinError::Member { member: "verifier_keys" });
        }
        let key = |(at, key): (usize, &String)| {
            VerifierKey::parse(key).map_err(|source| PinError::Key { position: at + 1, source })
        };
        let verifier_keys = text.verifier_keys.iter().enumerate().map(key).collect::<Result<Vec<_>, _>>()?;
        let genesis = Hash::parse(&text.genesis).map_err(|_| PinError::Member { member: "genesis" })?;
        check_pinned_keys(&text.origin, &verifier_keys)?;
        Ok(Self { origin: text.origin, genesis, verifier_keys })
    }

    /// The pin's JSON text.
    pub fn to_json(&self) -> String {
        let text = PinText {
            origin: self.origin.clone(),
            genesis: self.genesis.to_string(),
            verifier_keys: self.verifier_keys.iter().map(ToString::to_string).collect(),
        };
        serde_json::to_string(&text).expect("strings serialise")
    }

    /// Whether both name the same ledger, whatever keys it has by now.
    pub fn is_same_ledger(&self, other: &Self) -> bool {
        self.origin == other.origin && self.genesis == other.genesis
    }

    /// What to call this ledger and another one where both are spoken of: by their origins, and if those are the same, by their
    /// genesis hashes too.
    pub fn told_apart(&self, other: &Self) -> (String, String) {
        let name = |pin: &Self| {
            if self.origin == other.origin {
                format!("{} with genesis {}", pin.origin, pin.genesis)
            } else {
                pin.origin.clone()
            }
        };
        (name(self), name(other))
    }

    /// Checks that this receipt proves that the pinned ledger sealed this statement (FORMATS section 5), and says where.
    pub fn check_receipt(&self, receipt: &str, statement: &Hash) -> Result<LeafIndex, ReceiptFault> {
        let receipt = Receipt::parse(receipt.as_bytes())?;
        let bytes = receipt.extra.as_deref().ok_or(ReceiptFault::NoEntry)?;
        let entry = Entry::parse(bytes)?;
        if entry.index != receipt.index {
            return Err(ReceiptFault::OtherEntry { proved: receipt.index, carried: entry.index });
        }
        if entry.statement != *statement {
            return Err(ReceiptFault::OtherStatement);
        }
        receipt.verify(&tree::leaf_hash(bytes), &self.origin, &self.verifier_keys)?;
        Ok(receipt.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::note::NoteSigner;

    fn signer() -> NoteSigner {
        NoteSigner::new("log.example/thread", &[1; 32]).unwrap()
    }

    fn pin() -> Pin {
        Pin {
            origin: "log.example/thread".into(),
            genesis: Hash::of(b"genesis"),
            verifier_keys: vec![signer().verifier_key().clone()],
        }
    }

    #[test]
    fn ledgers_of_one_name_are_told_apart_by_their_genesis() {
        let other = Pin { origin: "log.example/other".into(), ..pin() };
        assert_eq!(pin().told_apart(&other), ("log.example/thread".into(), "log.example/other".into()));
        let again = Pin { genesis: Hash::of(b"another"), ..pin() };
        let (one, two) = pin().told_apart(&again);
        assert_ne!(one, two);
        assert!(one.ends_with(&pin().genesis.to_string()), "{one}");
    }

    #[test]
    fn a_pin_round_trips_and_needs_every_member() {
        let (signer, pin) = (signer(), pin());
        let text = pin.to_json();
        assert_eq!(Pin::parse(text.as_bytes()).unwrap(), pin);
        assert!(matches!(Pin::parse(b"{}"), Err(PinError::Form(_))));
        let keyless = text.replace(&signer.verifier_key().to_string(), "x");
        assert!(matches!(Pin::parse(keyless.as_bytes()), Err(PinError::Key { position: 1, .. })));
        let none = text.replace(&format!("\"{}\"", signer.verifier_key()), "");
        assert!(matches!(Pin::parse(none.as_bytes()), Err(PinError::Member { member: "verifier_keys" })));
        let others = text.replacen("log.example/thread", "log.example/other", 1);
        assert!(matches!(Pin::parse(others.as_bytes()), Err(PinError::Keys(PinnedKeysError::Name { .. }))));
    }
}
