//! ML-DSA-44 keys (FIPS 204): the ledger's second signature under its checkpoints, and a witness's, which a quantum computer does
//! not forge.
//!
//! Every batch waits for such a signature, so what signs is libcrux, which takes a seventh of the time; what verifies is `RustCrypto`'s,
//! here and wherever a receipt is checked, and no signature goes out that it does not confirm.

use core::fmt;
use std::sync::Arc;

use libcrux_ml_dsa::ml_dsa_44::{self, MLDSA44SigningKey};
use ml_dsa::{
    EncodedSignature, EncodedVerifyingKey, KeyExport, Keypair, MlDsa44, Seed, Signature, SigningKey,
    VerifyingKey,
};
use zeroize::{Zeroize as _, Zeroizing};

use crate::base64url;
use crate::json::{Object, Value};
use crate::key::{BadSignature, KeyError};

/// The length of a public key, in bytes (FIPS 204, table 2).
pub const PUBLIC_KEY_LEN: usize = 1312;
/// The length of a signature, in bytes (FIPS 204, table 2).
pub const SIGNATURE_LEN: usize = 2420;

/// A public key, its matrix already expanded: cheap to clone and to check many signatures with.
#[derive(Clone)]
pub struct MlDsaPublicKey {
    bytes: Arc<[u8]>,
    key: Arc<VerifyingKey<MlDsa44>>,
}

/// A private key, with its seed. It never shows itself, and is wiped when dropped; what the libraries leave on the stack is not.
pub struct MlDsaPrivateKey {
    seed: Zeroizing<[u8; 32]>,
    signing: Box<Signing>,
    public: MlDsaPublicKey,
}

/// The same key as libcrux reads it.
struct Signing(MLDSA44SigningKey);

impl Drop for Signing {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl Signing {
    fn of(seed: &[u8; 32]) -> Box<Self> {
        let mut pair = ml_dsa_44::generate_key_pair(*seed);
        let mut signing = Box::new(Self(MLDSA44SigningKey::zero()));
        signing.0.as_mut_slice().copy_from_slice(pair.signing_key.as_slice());
        pair.signing_key.as_mut_slice().zeroize();
        signing
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        // Zeros in place of random bytes make it the deterministic variant.
        ml_dsa_44::sign(&self.0, message, &[], [0; 32]).ok().map(|signature| signature.as_slice().to_vec())
    }
}

impl MlDsaPublicKey {
    /// Takes FIPS 204's encoding. Every text of the right length is a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let encoded = EncodedVerifyingKey::<MlDsa44>::try_from(bytes).map_err(|_| KeyError::NotAPoint)?;
        Ok(Self { bytes: bytes.into(), key: Arc::new(VerifyingKey::decode(&encoded)) })
    }

    /// FIPS 204's encoding, [`PUBLIC_KEY_LEN`] bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks a signature of a message, with the empty context.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let encoded = EncodedSignature::<MlDsa44>::try_from(signature).map_err(|_| BadSignature)?;
        let signature = Signature::decode(&encoded).ok_or(BadSignature)?;
        if self.key.verify_with_context(message, &[], &signature) { Ok(()) } else { Err(BadSignature) }
    }
}

impl PartialEq for MlDsaPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for MlDsaPublicKey {}

impl fmt::Debug for MlDsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MlDsaPublicKey({}…)", base64url::encode(&self.bytes[..16]))
    }
}

impl MlDsaPrivateKey {
    /// From the 32 random bytes that FIPS 204 calls ξ.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let public = expanded(seed).verifying_key();
        let public = MlDsaPublicKey { bytes: public.to_bytes().as_slice().into(), key: Arc::new(public) };
        Self { seed: Zeroizing::new(*seed), signing: Signing::of(seed), public }
    }

    /// Reads a private JWK with exactly `kty` `AKP`, `alg` `ML-DSA-44`, `pub` and `priv`.
    pub fn from_jwk(jwk: &Object) -> Result<Self, KeyError> {
        let text = |name| jwk.get(name).and_then(Value::as_str).ok_or(KeyError::NotAJwk);
        if jwk.len() != 4 || text("kty")? != "AKP" || text("alg")? != "ML-DSA-44" {
            return Err(KeyError::NotAJwk);
        }
        let seed = Zeroizing::new(base64url::decode_array(text("priv")?).map_err(|_| KeyError::NotAJwk)?);
        let key = Self::from_seed(&seed);
        let public = base64url::encode(key.public().as_bytes());
        if public == text("pub")? { Ok(key) } else { Err(KeyError::Mismatch) }
    }

    /// The private JWK as text. Whoever holds it can sign in the ledger's name.
    pub fn to_jwk_text(&self) -> Zeroizing<String> {
        let private = Zeroizing::new(base64url::encode(self.to_seed().as_slice()));
        let public = base64url::encode(self.public().as_bytes());
        let private = private.as_str();
        Zeroizing::new(format!(r#"{{"kty":"AKP","alg":"ML-DSA-44","pub":"{public}","priv":"{private}"}}"#))
    }

    /// The seed ξ.
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        self.seed.clone()
    }

    /// The public key.
    pub fn public(&self) -> MlDsaPublicKey {
        self.public.clone()
    }

    /// Signs a message with the empty context, by FIPS 204's deterministic variant: the same bytes always get the same signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.confirmed(message, self.signing.sign(message))
    }

    /// What one library has signed, if the other one finds it right; or else what that one signs itself, slowly.
    fn confirmed(&self, message: &[u8], signature: Option<Vec<u8>>) -> Vec<u8> {
        signature.filter(|signature| self.public.verify(message, signature).is_ok()).unwrap_or_else(|| {
            let signed = expanded(&self.seed).expanded_key().sign_deterministic(message, &[]);
            signed.expect("the empty context is not too long").encode().to_vec()
        })
    }
}

/// The key as `RustCrypto` reads it, which wipes itself.
fn expanded(seed: &[u8; 32]) -> SigningKey<MlDsa44> {
    SigningKey::from_seed(&Seed::from(*seed))
}

impl fmt::Debug for MlDsaPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MlDsaPrivateKey(of {:?})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use proptest::prelude::*;

    fn object(text: &str) -> Object {
        Value::parse(text.as_bytes()).expect("JSON").as_object().expect("an object").clone()
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does() {
        let key = MlDsaPrivateKey::from_seed(&[7; 32]);
        let signature = key.sign(b"a message");
        assert_eq!((key.public().as_bytes().len(), signature.len()), (PUBLIC_KEY_LEN, SIGNATURE_LEN));
        assert_eq!(signature, key.sign(b"a message"), "deterministic");
        assert_eq!(key.public().verify(b"a message", &signature), Ok(()));
        assert_eq!(key.public().verify(b"another", &signature), Err(BadSignature));
        assert_eq!(key.public().verify(b"a message", &signature[1..]), Err(BadSignature));
        let other = MlDsaPrivateKey::from_seed(&[8; 32]).public();
        assert_eq!(other.verify(b"a message", &signature), Err(BadSignature));
    }

    #[test]
    fn jwks_have_exactly_their_members_and_halves_that_belong_together() {
        let key = MlDsaPrivateKey::from_seed(&[7; 32]);
        let text = key.to_jwk_text();
        let again = MlDsaPrivateKey::from_jwk(&object(&text)).expect("its own text");
        assert_eq!((again.public(), again.to_seed()), (key.public(), key.to_seed()));
        let other = MlDsaPrivateKey::from_seed(&[8; 32]).to_jwk_text();
        let private = other.rsplit_once(r#""priv""#).expect("a private half").1;
        let mixed = format!(r#"{}"priv"{private}"#, text.rsplit_once(r#""priv""#).expect("a private half").0);
        assert_eq!(MlDsaPrivateKey::from_jwk(&object(&mixed)).err(), Some(KeyError::Mismatch));
        for (from, to) in [("AKP", "OKP"), ("ML-DSA-44", "ML-DSA-65"), ("\"priv\"", "\"d\"")] {
            let changed = object(&text.replace(from, to));
            assert_eq!(MlDsaPrivateKey::from_jwk(&changed).err(), Some(KeyError::NotAJwk), "{to}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = MlDsaPrivateKey::from_seed(&[7; 32]);
        assert!(!format!("{key:?}").contains(&base64url::encode(&[7; 32])));
    }

    #[test]
    fn a_signature_that_is_not_confirmed_is_made_by_the_other_library() {
        let key = MlDsaPrivateKey::from_seed(&[7; 32]);
        let right = key.sign(b"a message");
        assert_eq!(key.signing.sign(b"a message").as_ref(), Some(&right));
        for wrong in [None, Some(Vec::new()), Some(key.sign(b"another")), Some(vec![0; SIGNATURE_LEN])] {
            assert_eq!(key.confirmed(b"a message", wrong), right);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn both_libraries_sign_alike(seed: [u8; 32], message: Vec<u8>) {
            let key = MlDsaPrivateKey::from_seed(&seed);
            prop_assert_eq!(key.signing.sign(&message), Some(key.confirmed(&message, None)));
        }

        #[test]
        fn any_flipped_bit_is_found(at: prop::sample::Index, bit in 0_u8..8, message: [u8; 32]) {
            let key = MlDsaPrivateKey::from_seed(Hash::of(&message).as_bytes());
            let mut signature = key.sign(&message);
            let at = at.index(signature.len());
            signature[at] ^= 1 << bit;
            prop_assert!(key.public().verify(&message, &signature).is_err());
        }
    }
}
