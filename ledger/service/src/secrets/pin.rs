//! The pin: what others know of a ledger from outside.

use std::fs;
use std::path::Path;

use gt_core::Hash;
use gt_core::note::{VerifierKey, VerifierKeyError};
use gt_core::verify::{Pin, PinnedKeysError, check_pinned_keys};
use serde::{Deserialize, Serialize};

use super::SecretsError;

/// What pins a ledger from outside: without it a verifier can say "consistent", but not "this ledger's". Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinFile {
    /// The ledger's origin.
    pub origin: String,
    /// The leaf hash of entry 0, base64url.
    pub genesis: String,
    /// The keys that sign checkpoints, as C2SP vkeys.
    pub verifier_keys: Vec<String>,
}

/// Why a pin pins no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinFileError {
    /// The genesis hash is none.
    #[error("its genesis is no hash of 43 characters")]
    Genesis,
    /// A verifier key does not read.
    #[error("verifier key {position} does not read: {source}")]
    Key {
        /// Which, from 1.
        position: usize,
        /// Why.
        source: VerifierKeyError,
    },
    /// The keys are not such as a ledger is known by.
    #[error(transparent)]
    Keys(#[from] PinnedKeysError),
}

impl PinFile {
    /// Reads a pin's file. Whether it can pin a ledger is for [`Self::pinned`] to say.
    pub fn load(path: &Path) -> Result<Self, SecretsError> {
        let text =
            fs::read_to_string(path).map_err(|source| SecretsError::Io { file: path.to_owned(), source })?;
        serde_json::from_str(&text).map_err(|_| SecretsError::Malformed { file: path.to_owned() })
    }

    /// What it pins (FORMATS section 10).
    pub fn pinned(&self) -> Result<Pin, PinFileError> {
        let genesis = Hash::parse(&self.genesis).map_err(|_| PinFileError::Genesis)?;
        let key = |(position, text): (usize, &String)| {
            VerifierKey::parse(text).map_err(|source| PinFileError::Key { position, source })
        };
        let verifier_keys = (1..).zip(&self.verifier_keys).map(key).collect::<Result<Vec<_>, _>>()?;
        check_pinned_keys(&self.origin, &verifier_keys)?;
        Ok(Pin { origin: self.origin.clone(), verifier_keys, genesis: Some(genesis) })
    }

    /// The keys and the genesis hash that it pins; `None` if it pins no ledger.
    pub fn parse(&self) -> Option<(Vec<VerifierKey>, Hash)> {
        let Pin { verifier_keys, genesis, .. } = self.pinned().ok()?;
        Some((verifier_keys, genesis?))
    }
}

#[cfg(test)]
mod tests {
    use gt_core::note::NoteSigner;

    use super::*;

    const ORIGIN: &str = "ledger.example/first";

    fn pin(signers: &[&NoteSigner]) -> PinFile {
        PinFile {
            origin: ORIGIN.to_owned(),
            genesis: Hash::of(b"genesis").to_string(),
            verifier_keys: signers.iter().map(|signer| signer.verifier_key().to_string()).collect(),
        }
    }

    #[test]
    fn only_what_signs_a_ledgers_checkpoints_pins_one() {
        let ed25519 = NoteSigner::new(ORIGIN, &[1; 32]).expect("a good name");
        let ml_dsa = NoteSigner::ml_dsa(ORIGIN, &[2; 32]).expect("a good name");
        let sound = pin(&[&ed25519, &ml_dsa]);
        let pinned = sound.pinned().expect("a pin");
        assert_eq!((pinned.origin.as_str(), pinned.verifier_keys.len()), (ORIGIN, 2));
        assert_eq!(sound.parse(), pinned.genesis.map(|genesis| (pinned.verifier_keys, genesis)));
        let why = |pin: &PinFile| {
            assert_eq!(pin.parse(), None);
            pin.pinned().expect_err("no pin").to_string()
        };
        let other = NoteSigner::new("ledger.example/other", &[1; 32]).expect("a good name");
        let witness = NoteSigner::cosigner(ORIGIN, &[3; 32]).expect("a good name");
        for (pin, words) in [
            (pin(&[&ed25519, &other]), "verifier key 2 bears the name ledger.example/other"),
            (pin(&[&ed25519, &witness]), "verifier key 2 is a witness's (type 0x04)"),
            (pin(&[&ml_dsa]), "no verifier key of type 0x01"),
            (pin(&[]), "no verifier key of type 0x01"),
            (
                PinFile { verifier_keys: vec!["x".to_owned()], ..sound.clone() },
                "verifier key 1 does not read",
            ),
            (PinFile { genesis: "x".to_owned(), ..sound.clone() }, "genesis"),
        ] {
            assert!(why(&pin).contains(words), "{}", why(&pin));
        }
    }
}
