//! An encrypted private key: a JWE in compact serialisation (RFC 7516) whose content is a JWK (RFC 7517 section 7), opened by a passphrase
//! (RFC 7518 section 4.8, PBES2-HS512+A256KW) and encrypted with A256GCM (FORMATS section 14).
//!
//! One algorithm of each kind is read, so a file cannot choose a weaker one. Everything is bounded before it is worked on; above all the
//! number of iterations, by which a file says how long the reader must compute.

use std::num::NonZeroU32;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use aes_kw::KwAes256;
use gt_core::base64url;
use gt_core::json::{Object, Value};
use ring::pbkdf2;
use zeroize::Zeroizing;

use super::Passphrase;
use crate::random;

/// The longest file, in bytes: a private ML-DSA-44 JWK, encrypted, has about 2,800.
pub const MAX_LENGTH: usize = 4096;
/// How often the passphrase is hashed for a new file. OWASP (Password Storage Cheat Sheet) asks for at least 220,000 with HMAC-SHA-512.
pub const ITERATIONS: u32 = 250_000;
/// The fewest iterations that are read, RFC 7518 section 4.8.1.2.
pub const FEWEST_ITERATIONS: u32 = 1000;
/// The most iterations that are read: some seconds of work.
pub const MOST_ITERATIONS: u32 = 5_000_000;

const ALGORITHM: &str = "PBES2-HS512+A256KW";
const ENCRYPTION: &str = "A256GCM";
const CONTENT: &str = "jwk+json";
/// The longest header, in base64url characters.
const MAX_HEADER: usize = 1024;
const SALT: usize = 16;
const SALTS: std::ops::RangeInclusive<usize> = 8..=64;

/// Why a text is no encrypted key that can be opened. Nothing of it is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// It is not five parts of base64url of the right lengths.
    #[error("it is no JWE in compact serialisation: it is cut short, or was never one")]
    Form,
    /// The header is none, or says more than it should.
    #[error("its JWE header must be an object with exactly alg, enc, cty, p2s and p2c")]
    Header,
    /// Another algorithm.
    #[error("its {member} is not {expected}, and nothing else is read")]
    Algorithm {
        /// The header's member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Too few or too many iterations.
    #[error("its p2c is not between {FEWEST_ITERATIONS} and {MOST_ITERATIONS} iterations")]
    Iterations,
    /// The content-encryption key does not unwrap.
    #[error("the passphrase is wrong (or its salt, iterations or wrapped key are damaged)")]
    Passphrase,
    /// The passphrase is right, and what it protects was changed.
    #[error("the passphrase is right, but the file was changed or damaged: put it back from a copy")]
    Damaged,
}

/// Whether a file's content is meant to be encrypted: a private JWK begins with a brace, and a JWE with its header, which does so in base64url.
pub fn is_encrypted(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"eyJ")
}

/// Encrypts a JWK.
pub(super) fn encrypt(jwk: &[u8], passphrase: &Passphrase, iterations: u32) -> String {
    let salt = random::bytes::<SALT>();
    let header = format!(
        r#"{{"alg":"{ALGORITHM}","enc":"{ENCRYPTION}","cty":"{CONTENT}","p2s":"{}","p2c":{iterations}}}"#,
        base64url::encode(&salt)
    );
    let (header, content_key, iv) =
        (base64url::encode(header.as_bytes()), random::key(), random::bytes::<12>());
    let mut wrapped = [0; 40];
    wrapping_key(passphrase, &salt, iterations)
        .wrap_key(content_key.as_slice(), &mut wrapped)
        .expect("32 bytes wrap into 40");
    let cipher = Aes256Gcm::new((&*content_key).into());
    let mut sealed = cipher
        .encrypt((&iv).into(), Payload { msg: jwk, aad: header.as_bytes() })
        .expect("a key is shorter than 64 GiB");
    let tag = sealed.split_off(jwk.len());
    let parts = [&wrapped[..], &iv, &sealed, &tag].map(base64url::encode);
    format!("{header}.{}", parts.join("."))
}

/// Opens what [`encrypt`] or another program made. Returns the JWK and how many iterations its maker thought enough.
pub(super) fn decrypt(text: &[u8], passphrase: &Passphrase) -> Result<(Zeroizing<Vec<u8>>, u32), JweError> {
    if text.len() > MAX_LENGTH {
        return Err(JweError::Form);
    }
    let text = str::from_utf8(text.trim_ascii()).map_err(|_| JweError::Form)?;
    let mut parts = text.split('.');
    let mut part = || parts.next().ok_or(JweError::Form);
    let (encoded, wrapped, iv, sealed, tag) = (part()?, part()?, part()?, part()?, part()?);
    if parts.next().is_some() || encoded.len() > MAX_HEADER {
        return Err(JweError::Form);
    }
    // First of all: with another algorithm the other parts have other lengths.
    let (salt, iterations) = read_header(encoded)?;
    let wrapped: [u8; 40] = array(wrapped)?;
    let (iv, tag): ([u8; 12], [u8; 16]) = (array(iv)?, array(tag)?);
    let mut sealed = base64url::decode(sealed).map_err(|_| JweError::Form)?;
    let mut content_key = Zeroizing::new([0; 32]);
    wrapping_key(passphrase, &salt, iterations)
        .unwrap_key(&wrapped, content_key.as_mut_slice())
        .map_err(|_| JweError::Passphrase)?;
    sealed.extend_from_slice(&tag);
    let cipher = Aes256Gcm::new((&*content_key).into());
    let jwk = cipher.decrypt((&iv).into(), Payload { msg: &sealed, aad: encoded.as_bytes() });
    Ok((Zeroizing::new(jwk.map_err(|_| JweError::Damaged)?), iterations))
}

fn array<const N: usize>(text: &str) -> Result<[u8; N], JweError> {
    base64url::decode_public(text).map_err(|_| JweError::Form)
}

fn read_header(encoded: &str) -> Result<(Vec<u8>, u32), JweError> {
    let bytes = base64url::decode(encoded).map_err(|_| JweError::Form)?;
    let Ok(Value::Object(header)) = Value::parse(&bytes) else { return Err(JweError::Header) };
    let header: Object = header;
    let text = |name| header.get(name).and_then(Value::as_str);
    for (member, expected) in [("alg", ALGORITHM), ("enc", ENCRYPTION), ("cty", CONTENT)] {
        if text(member).ok_or(JweError::Header)? != expected {
            return Err(JweError::Algorithm { member, expected });
        }
    }
    let salt = text("p2s").and_then(|salt| base64url::decode(salt).ok()).ok_or(JweError::Header)?;
    let iterations = header.get("p2c").and_then(Value::as_integer).ok_or(JweError::Header)?;
    if header.len() != 5 || !SALTS.contains(&salt.len()) {
        return Err(JweError::Header);
    }
    let iterations = u32::try_from(iterations).map_err(|_| JweError::Iterations)?;
    if (FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations) {
        Ok((salt, iterations))
    } else {
        Err(JweError::Iterations)
    }
}

/// RFC 7518 section 4.8.1.1: the salt is the algorithm's name, a zero byte, and what the header says.
fn wrapping_key(passphrase: &Passphrase, salt: &[u8], iterations: u32) -> KwAes256 {
    let salt = [ALGORITHM.as_bytes(), &[0], salt].concat();
    let mut key = Zeroizing::new([0; 32]);
    let iterations = NonZeroU32::new(iterations).expect("at least the fewest that are read");
    // ring's, since it is fast in a build for tests too.
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, iterations, &salt, passphrase.as_bytes(), key.as_mut_slice());
    KwAes256::new((&*key).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWK: &[u8] = br#"{"kty":"OKP","crv":"Ed25519","x":"x","d":"d"}"#;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).expect("a passphrase")
    }

    fn sealed() -> (String, Passphrase) {
        let passphrase = passphrase("correct horse battery staple");
        (encrypt(JWK, &passphrase, FEWEST_ITERATIONS), passphrase)
    }

    fn refused(text: &str) -> JweError {
        decrypt(text.as_bytes(), &passphrase("correct horse battery staple")).expect_err("refused")
    }

    /// The same text with another header, and the rest as it was.
    fn with_header(text: &str, change: impl FnOnce(&str) -> String) -> String {
        let (header, rest) = text.split_once('.').expect("five parts");
        let header = String::from_utf8(base64url::decode(header).expect("base64url")).expect("JSON");
        format!("{}.{rest}", base64url::encode(change(&header).as_bytes()))
    }

    #[test]
    fn what_is_encrypted_opens_again_and_never_looks_the_same() {
        let (text, passphrase) = sealed();
        let (jwk, iterations) = decrypt(format!("{text}\n").as_bytes(), &passphrase).expect("opens");
        assert_eq!((jwk.as_slice(), iterations), (JWK, FEWEST_ITERATIONS));
        assert!(is_encrypted(text.as_bytes()) && !is_encrypted(JWK));
        let again = encrypt(JWK, &passphrase, FEWEST_ITERATIONS);
        assert!(text.split('.').zip(again.split('.')).all(|(one, other)| one != other));
    }

    #[test]
    fn a_wrong_passphrase_and_a_damaged_file_are_told_apart() {
        let (text, _) = sealed();
        let wrong = decrypt(text.as_bytes(), &passphrase("correct horse battery stapler"));
        assert_eq!(wrong.expect_err("refused"), JweError::Passphrase);
        let parts: Vec<&str> = text.split('.').collect();
        for at in 0..parts.len() {
            let mut changed: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
            let mut bytes = base64url::decode(parts[at]).expect("base64url");
            *bytes.last_mut().expect("not empty") ^= 1;
            changed[at] = base64url::encode(&bytes);
            let expected = [JweError::Header, JweError::Passphrase, JweError::Damaged][at.min(2)].clone();
            assert_eq!(refused(&changed.join(".")), expected, "part {at}");
        }
        for cut in [0, 1, 3] {
            assert_eq!(refused(&parts[..parts.len() - 1 - cut].join(".")), JweError::Form);
        }
        assert_eq!(refused(&format!("{text}.AA")), JweError::Form);
        assert_eq!(refused(&"eyJ".repeat(MAX_LENGTH)), JweError::Form);
    }

    #[test]
    fn the_header_chooses_nothing_and_is_authenticated() {
        let (text, _) = sealed();
        for (from, to, member) in [
            ("PBES2-HS512+A256KW", "PBES2-HS256+A128KW", "alg"),
            ("PBES2-HS512+A256KW", "none", "alg"),
            ("A256GCM", "A128CBC-HS256", "enc"),
            ("jwk+json", "jwt", "cty"),
        ] {
            let error = refused(&with_header(&text, |header| header.replace(from, to)));
            assert!(matches!(error, JweError::Algorithm { member: found, .. } if found == member), "{to}");
        }
        for (p2c, expected) in [
            ("999", JweError::Iterations),
            ("5000001", JweError::Iterations),
            ("9007199254740991", JweError::Iterations),
            ("-1000", JweError::Iterations),
            ("\"1000\"", JweError::Header),
            ("1001", JweError::Passphrase),
            ("1000,\"zip\":\"DEF\"", JweError::Header),
            ("1000,\"crit\":[\"exp\"]", JweError::Header),
        ] {
            let changed =
                with_header(&text, |header| header.replace("\"p2c\":1000", &format!("\"p2c\":{p2c}")));
            assert_eq!(refused(&changed), expected, "{p2c}");
        }
        // The same members in another order: whoever wrote it did not write this file.
        let reordered = with_header(&text, |header| {
            header.replace(r#","p2c":1000}"#, "}").replacen('{', r#"{"p2c":1000,"#, 1)
        });
        assert_eq!(refused(&reordered), JweError::Damaged);
    }
}
