use core::fmt;
use std::error::Error;

use super::{PrivateKey, PublicKey};

/// Whoever signs as the holder of an Ed25519 key: a [`PrivateKey`] in memory, or something that never gives its key away, such as a
/// token. What it needs besides is its own affair; this crate asks it for signatures and nothing else.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The key with which its signatures are checked.
    fn public_key(&self) -> PublicKey;

    /// Signs a message as RFC 8032 says (pure Ed25519). The same bytes get the same signature, wherever the key is.
    fn try_sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError>;
}

/// A signer has not signed. Nothing was changed by asking it, and it may be asked again.
#[derive(Debug, thiserror::Error)]
#[error("the key did not sign")]
pub struct SignerError(#[source] Box<dyn Error + Send + Sync>);

impl SignerError {
    /// What the signer says of it.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl From<PrivateKey> for Box<dyn Signer> {
    fn from(key: PrivateKey) -> Self {
        Box::new(key)
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> PublicKey {
        self.public()
    }

    fn try_sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError> {
        Ok(self.sign(message))
    }
}
