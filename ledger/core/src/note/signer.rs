//! The private keys of signed notes.

use core::fmt;

use super::key::{KeyNameError, SignatureType, VerifierKey};
use super::{NoteSignature, SignNoteError, cosignature};
use crate::key::PrivateKey;
use crate::ml_dsa::MlDsaPrivateKey;

/// A private key that signs notes under a name. It never shows itself, and is wiped when dropped.
pub struct NoteSigner {
    key: Key,
    verifier: VerifierKey,
}

enum Key {
    Ed25519(Box<PrivateKey>),
    MlDsa44(MlDsaPrivateKey),
}

impl NoteSigner {
    /// A log's Ed25519 key (type 0x01), from the 32 random bytes of RFC 8032's private key. The caller wipes its own copy of them.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyNameError> {
        let key = PrivateKey::from_seed(seed);
        let verifier = VerifierKey::new(name, key.public())?;
        Ok(Self { key: Key::Ed25519(Box::new(key)), verifier })
    }

    /// A witness's Ed25519 key (type 0x04). C2SP: the same key serves no two cosigners, for what it signs does not name it.
    pub fn cosigner(name: &str, seed: &[u8; 32]) -> Result<Self, KeyNameError> {
        let key = PrivateKey::from_seed(seed);
        let verifier = VerifierKey::cosigner(name, key.public())?;
        Ok(Self { key: Key::Ed25519(Box::new(key)), verifier })
    }

    /// An ML-DSA-44 key (type 0x06), a log's own or a witness's, from the 32 random bytes that FIPS 204 calls ξ.
    pub fn ml_dsa(name: &str, seed: &[u8; 32]) -> Result<Self, KeyNameError> {
        let key = MlDsaPrivateKey::from_seed(seed);
        let verifier = VerifierKey::ml_dsa(name, key.public())?;
        Ok(Self { key: Key::MlDsa44(key), verifier })
    }

    /// The key that its signatures are checked with.
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs the text of a note at a time in seconds since the Unix epoch, which signatures of type 0x01 do not hold. A time of 0
    /// makes no statement about which tree was the largest.
    pub(super) fn sign(&self, text: &str, time: u64) -> Result<NoteSignature, SignNoteError> {
        let signature = match (&self.key, self.verifier.signature_type()) {
            (Key::Ed25519(key), SignatureType::Ed25519) => key.sign(text.as_bytes()).to_vec(),
            (Key::Ed25519(_), _) if time == 0 => return Err(SignNoteError::NoTime),
            (Key::Ed25519(key), _) => {
                cosignature::join(time, &key.sign(cosignature::ed25519_message(time, text).as_bytes()))
            }
            (Key::MlDsa44(key), _) => {
                let message = cosignature::ml_dsa_message(self.verifier.name(), time, text);
                cosignature::join(time, &key.sign(&message.ok_or(SignNoteError::NotACheckpoint)?))
            }
        };
        let (name, key_id) = (self.verifier.name().to_owned(), self.verifier.id());
        Ok(NoteSignature { name, key_id, signature })
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    #[test]
    fn debug_shows_no_secret() {
        for make in [NoteSigner::new, NoteSigner::cosigner, NoteSigner::ml_dsa] {
            let shown = format!("{:?}", make("log.example", &[7; 32]).expect("a good name"));
            assert!(shown.contains("log.example+"));
            assert!(!shown.contains(&base64url::encode(&[7; 32])) && !shown.contains("BwcHBwcHBwcH"));
        }
    }
}
