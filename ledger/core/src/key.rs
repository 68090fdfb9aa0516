//! Ed25519 keys as JWKs (RFC 8037) and their thumbprints (RFC 7638).

mod batch;
mod prepared;
mod signer;

pub use batch::SignatureBatch;
pub use prepared::{KeyMultiples, PreparedKeys, Signed};
pub use signer::{Signer, SignerError};

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::base64url;
use crate::hash::Hash;
use crate::json::{Object, Value};

/// The thumbprint of a public key: SHA-256 of its canonical JWK (RFC 7638). A publisher's id is that of its first key.
pub type Thumbprint = Hash;

/// A public key that signatures may be checked with: canonically encoded and not of small order.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    thumbprint: Thumbprint,
}

/// A private key. It never shows itself, and is wiped when dropped.
pub struct PrivateKey(SigningKey);

/// Why a public or private key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a JWK with exactly the members `kty`, `crv`, `x` (and `d`, if private).
    #[error("not a JWK of kind OKP, curve Ed25519, with exactly the expected members")]
    NotAJwk,
    /// The 32 bytes are no canonically encoded point of the curve.
    #[error("not a canonically encoded Ed25519 public key")]
    NotAPoint,
    /// A key of small order verifies signatures that nobody made.
    #[error("a weak key: its order is small")]
    Weak,
    /// The public half of a private JWK is not that of its private half.
    #[error("the public and the private half of the key do not belong together")]
    Mismatch,
}

impl KeyError {
    /// The stable code of this error, as problems and test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Weak => "weak_key",
            Self::NotAJwk | Self::NotAPoint | Self::Mismatch => "bad_key",
        }
    }
}

/// A signature does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl PublicKey {
    /// Takes the 32 bytes of RFC 8032's encoding.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::NotAPoint);
        }
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self { key, thumbprint: thumbprint(bytes) })
    }

    /// Reads a JWK with exactly `kty`, `crv` and `x`.
    pub fn from_jwk(jwk: &Object) -> Result<Self, KeyError> {
        if jwk.len() != 3 {
            return Err(KeyError::NotAJwk);
        }
        Self::from_bytes(&jwk_bytes(jwk, "x")?)
    }

    /// The 32 bytes of RFC 8032's encoding.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The JWK, members in RFC 7638's order.
    pub fn to_jwk(&self) -> Value {
        let member = |name: &str, text: &str| (name.to_owned(), Value::from(text));
        let x = base64url::encode(self.as_bytes());
        Value::Object([member("crv", "Ed25519"), member("kty", "OKP"), member("x", &x)].into_iter().collect())
    }

    /// The RFC 7638 thumbprint.
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// Checks a signature as RFC 8032 demands, and refuses an R of small order besides.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.thumbprint)
    }
}

impl PrivateKey {
    /// From the 32 random bytes of RFC 8032's private key.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads a private JWK with exactly `kty`, `crv`, `x` and `d`.
    pub fn from_jwk(jwk: &Object) -> Result<Self, KeyError> {
        if jwk.len() != 4 {
            return Err(KeyError::NotAJwk);
        }
        let seed = Zeroizing::new(jwk_bytes(jwk, "d")?);
        let key = Self::from_seed(&seed);
        if key.public().as_bytes() == &jwk_bytes(jwk, "x")? { Ok(key) } else { Err(KeyError::Mismatch) }
    }

    /// The private JWK as text. Whoever holds it can sign in the publisher's name.
    pub fn to_jwk_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.0.to_bytes());
        let d = Zeroizing::new(base64url::encode(seed.as_slice()));
        let x = base64url::encode(self.public().as_bytes());
        Zeroizing::new(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"{}"}}"#, d.as_str()))
    }

    /// The private key's 32 bytes.
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        let key = self.0.verifying_key();
        PublicKey { thumbprint: thumbprint(key.as_bytes()), key }
    }

    /// Signs a message. Ed25519 is deterministic: the same bytes always get the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public().thumbprint)
    }
}

fn thumbprint(public: &[u8; 32]) -> Thumbprint {
    let x = base64url::encode(public);
    Hash::of_parts(&[br#"{"crv":"Ed25519","kty":"OKP","x":""#, x.as_bytes(), br#""}"#])
}

fn jwk_bytes(jwk: &Object, name: &str) -> Result<[u8; 32], KeyError> {
    let text = |name| jwk.get(name).and_then(Value::as_str).ok_or(KeyError::NotAJwk);
    if text("kty")? != "OKP" || text("crv")? != "Ed25519" {
        return Err(KeyError::NotAJwk);
    }
    base64url::decode_array(text(name)?).map_err(|_| KeyError::NotAJwk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        Value::parse(text.as_bytes()).expect("JSON").as_object().expect("an object").clone()
    }

    /// RFC 8037 appendix A.
    const RFC8037: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn the_published_thumbprint_comes_out() {
        let key = PrivateKey::from_jwk(&object(RFC8037)).expect("a sound key");
        assert_eq!(key.public().thumbprint().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let again = PrivateKey::from_jwk(&object(&key.to_jwk_text())).expect("its own text");
        assert_eq!(again.public(), key.public());
    }

    #[test]
    fn keys_that_verify_anything_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(KeyError::Weak));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(KeyError::Weak));
        // y = p + 1 is the identity again, in an encoding that RFC 8032 does not allow.
        let mut spare = [0xFF; 32];
        spare[0] = 0xEE;
        spare[31] = 0x7F;
        assert_eq!(PublicKey::from_bytes(&spare), Err(KeyError::NotAPoint));
    }

    #[test]
    fn jwks_have_exactly_their_members() {
        assert_eq!(PublicKey::from_jwk(&object(RFC8037)), Err(KeyError::NotAJwk));
        let short = r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#;
        assert_eq!(PublicKey::from_jwk(&object(short)), Err(KeyError::NotAJwk));
        let other = r#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(PublicKey::from_jwk(&object(other)), Err(KeyError::NotAJwk));
        let halves = RFC8037.replace("11qY", "22qY");
        assert_eq!(PrivateKey::from_jwk(&object(&halves)).err(), Some(KeyError::Mismatch));
    }

    /// Holds while this compiles: a library without its feature `zeroize` would not do it.
    #[test]
    fn private_keys_are_wiped_when_dropped() {
        const fn wiped<K: zeroize::ZeroizeOnDrop>() {}
        wiped::<SigningKey>();
        wiped::<ml_dsa::SigningKey<ml_dsa::MlDsa44>>();
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = PrivateKey::from_seed(&[7; 32]);
        assert!(!format!("{key:?}").contains(&base64url::encode(&[7; 32])));
    }
}
