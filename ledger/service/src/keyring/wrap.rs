use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use gt_core::json::{Object, Value};
use gt_core::{Hash, base64url};
use zeroize::Zeroizing;

use super::MAX_RECORD;
use crate::random;

const NONCE: usize = 24;

/// The key that wraps the shards' keys. It lives outside the data folder; without it everything in the vault is lost.
pub struct KeyEncryptionKey(Zeroizing<[u8; 32]>);

impl KeyEncryptionKey {
    /// Makes a new one.
    pub fn generate() -> Self {
        Self(random::key())
    }

    /// Takes 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The bytes, to be written where only the ledger's operator can read them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Names this key's epoch of a shared keyring, in 16 hexadecimal digits. It says nothing about the key.
    pub fn epoch(&self) -> String {
        first_digits(&Hash::of_parts(&[b"gt/key-epoch/1\0", self.0.as_slice()]))
    }

    pub(super) fn key(&self) -> &Zeroizing<[u8; 32]> {
        &self.0
    }
}

/// The first 8 bytes of a hash in hexadecimal digits: enough to tell things apart that nobody makes alike on purpose.
pub(super) fn first_digits(hash: &Hash) -> String {
    let first = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*first))
}

/// The JWK of kind `oct` (RFC 7518 section 6.4) of a key that stands in a plain file; `None` if none does.
pub(crate) fn kek_to_jwk(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = str::from_utf8(text.trim_ascii()).ok()?;
    let key = Zeroizing::new(base64url::decode_array::<32>(text).ok()?);
    let key = Zeroizing::new(base64url::encode(key.as_slice()));
    Some(Zeroizing::new(format!(r#"{{"kty":"oct","k":"{}"}}"#, key.as_str()).into_bytes()))
}

/// The key in such a JWK, which has exactly `kty` and `k`.
pub(crate) fn kek_from_jwk(jwk: &[u8]) -> Option<KeyEncryptionKey> {
    let json = Zeroizing::new(Value::parse(jwk.trim_ascii()).ok()?);
    let members: &Object = json.as_object()?;
    let text = |name| members.get(name).and_then(Value::as_str);
    if members.len() != 2 || text("kty")? != "oct" {
        return None;
    }
    let key = Zeroizing::new(base64url::decode_array::<32>(text("k")?).ok()?);
    Some(KeyEncryptionKey::from_bytes(&key))
}

/// A nonce and what was encrypted under it.
pub(super) struct WrappedBytes(pub(super) Vec<u8>);

/// A framed record: `u32` length ‖ shard ‖ nonce ‖ ciphertext.
pub(crate) struct Wrapped<'a> {
    pub(crate) shard: u8,
    pub(super) sealed: &'a [u8],
    pub(crate) bytes: &'a [u8],
}

pub(super) fn wrap(key: &Zeroizing<[u8; 32]>, place: &[u8], plain: &[u8]) -> WrappedBytes {
    let mut nonce = [0; NONCE];
    random::fill(&mut nonce);
    let sealed = XChaCha20Poly1305::new((&**key).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place })
        .expect("keys are far below the cipher's limit");
    WrappedBytes([nonce.as_slice(), &sealed].concat())
}

pub(super) fn unwrap(key: &Zeroizing<[u8; 32]>, place: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
    XChaCha20Poly1305::new((&**key).into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place })
        .ok()
        .map(Zeroizing::new)
}

impl WrappedBytes {
    pub(super) fn frame(&self, shard: u8, out: &mut Vec<u8>) {
        let length = u32::try_from(self.0.len() + 1).expect("records are small");
        out.extend_from_slice(&length.to_be_bytes());
        out.push(shard);
        out.extend_from_slice(&self.0);
    }
}

impl<'a> Wrapped<'a> {
    /// The whole records at the start of `bytes`, each with its offset. Stops where a record is cut off or impossible.
    pub(crate) fn split(bytes: &'a [u8]) -> impl Iterator<Item = (usize, Self)> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let rest = bytes.get(at..)?;
            let (length, body) = rest.split_first_chunk::<4>()?;
            let length = u32::from_be_bytes(*length) as usize;
            if length > MAX_RECORD {
                return None;
            }
            let (shard, sealed) = body.get(..length)?.split_first()?;
            let start = at;
            at += 4 + length;
            Some((start, Self { shard: *shard, sealed, bytes: &rest[..4 + length] }))
        })
    }
}
