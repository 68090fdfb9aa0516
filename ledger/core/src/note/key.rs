//! The keys of signed notes: Ed25519, C2SP's type 0x01, and no other.

use core::fmt;

use base64ct::{Base64, Encoding};

use super::NoteSignature;
use crate::hash::Hash;
use crate::key::{KeyError, PrivateKey, PublicKey};

/// C2SP's signature type of Ed25519 over the note's text.
const ED25519: u8 = 0x01;

/// Longer texts are no verifier key of type 0x01 that anybody would use.
const MAX_VKEY_LEN: usize = 1024;

/// A public key that notes are checked with. Its text form is C2SP's vkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: PublicKey,
}

/// A private key that signs notes under a name. It never shows itself, and is wiped when dropped.
pub struct NoteSigner {
    key: PrivateKey,
    verifier: VerifierKey,
}

/// A key name is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key name is not empty and has no spaces, plus signs or control characters")]
pub struct KeyNameError;

/// Why a text is not a verifier key that is accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierKeyError {
    /// Longer than 1024 bytes.
    #[error("{len} bytes; a verifier key has at most 1024")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// Not a name, an id and a key with plus signs between them.
    #[error("not of the form name+id+key")]
    Form,
    /// The name is not possible.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// The id is not eight lower-case hexadecimal digits.
    #[error("the key id is not eight lower-case hexadecimal digits")]
    Id,
    /// The key is not base64 of at least a type.
    #[error("the key is not base64")]
    NotBase64,
    /// The key is of a type other than 0x01.
    #[error("signature type {signature_type:#04x}; only Ed25519, 0x01, is accepted")]
    UnsupportedType {
        /// C2SP's signature type identifier.
        signature_type: u8,
    },
    /// The key has not 32 bytes.
    #[error("an Ed25519 key has 32 bytes, not {len}")]
    KeyLength {
        /// How many bytes follow the type.
        len: usize,
    },
    /// The key is no point, or a weak one.
    #[error("the public key is refused")]
    Key(#[source] KeyError),
    /// The id is not that of this name and key.
    #[error("the key id is {stated:08x}, but name and key give {computed:08x}")]
    IdMismatch {
        /// The id in the text.
        stated: u32,
        /// The id by C2SP's rule.
        computed: u32,
    },
}

impl VerifierKey {
    /// The key under a name.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, KeyNameError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, key.as_bytes()), key })
    }

    /// Reads a vkey: `<name>+<id>+<base64 of type and key>`.
    pub fn parse(text: &str) -> Result<Self, VerifierKeyError> {
        if text.len() > MAX_VKEY_LEN {
            return Err(VerifierKeyError::TooLong { len: text.len() });
        }
        let (name, rest) = text.split_once('+').ok_or(VerifierKeyError::Form)?;
        let (id, encoded) = rest.split_once('+').ok_or(VerifierKeyError::Form)?;
        let stated = parse_id(id).ok_or(VerifierKeyError::Id)?;
        let typed = Base64::decode_vec(encoded).map_err(|_| VerifierKeyError::NotBase64)?;
        let (signature_type, key) = typed.split_first().ok_or(VerifierKeyError::NotBase64)?;
        if *signature_type != ED25519 {
            return Err(VerifierKeyError::UnsupportedType { signature_type: *signature_type });
        }
        let key = key.try_into().map_err(|_| VerifierKeyError::KeyLength { len: key.len() })?;
        let verifier = Self::new(name, PublicKey::from_bytes(key).map_err(VerifierKeyError::Key)?)?;
        if verifier.id != stated {
            return Err(VerifierKeyError::IdMismatch { stated, computed: verifier.id });
        }
        Ok(verifier)
    }

    /// The name under which the key signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id: the first four bytes of SHA-256 over name, newline, type and key.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The public key itself.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether this key made the signature of a note's text.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        signature.try_into().is_ok_and(|signature| self.key.verify(text.as_bytes(), signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519][..], self.key.as_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, Base64::encode_string(&typed))
    }
}

impl NoteSigner {
    /// From the 32 random bytes of RFC 8032's private key. The caller wipes its own copy of them.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyNameError> {
        let key = PrivateKey::from_seed(seed);
        let verifier = VerifierKey::new(name, key.public())?;
        Ok(Self { key, verifier })
    }

    /// The key that its signatures are checked with.
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs the text of a note.
    pub(super) fn sign(&self, text: &str) -> NoteSignature {
        let signature = self.key.sign(text.as_bytes()).to_vec();
        NoteSignature { name: self.verifier.name.clone(), key_id: self.verifier.id, signature }
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

/// C2SP's rule for key names. Control characters could not stand in a note.
pub(super) fn check_name(name: &str) -> Result<(), KeyNameError> {
    let refused = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    if name.is_empty() || name.contains(refused) { Err(KeyNameError) } else { Ok(()) }
}

fn key_id(name: &str, key: &[u8; 32]) -> u32 {
    let hash = Hash::of_parts(&[name.as_bytes(), b"\n", &[ED25519], key]);
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

fn parse_id(text: &str) -> Option<u32> {
    let lower_case = text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if lower_case { u32::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    fn vkey(key: &[u8]) -> String {
        format!("a.example+00000000+{}", Base64::encode_string(key))
    }

    #[test]
    fn malformed_keys_are_refused_for_their_reason() {
        let weak = [&[1, 1][..], &[0; 31]].concat();
        let cases = [
            ("", VerifierKeyError::Form),
            ("a.example+530d903a", VerifierKeyError::Form),
            (&EXAMPLE.replace("530d", "530D"), VerifierKeyError::Id),
            (&EXAMPLE.replace("530d", "0530d"), VerifierKeyError::Id),
            (&EXAMPLE.replace("530d", "+30d"), VerifierKeyError::Id),
            (&EXAMPLE.replace("AekyeR", "Aeky R"), VerifierKeyError::NotBase64),
            (&format!("{EXAMPLE}\n"), VerifierKeyError::NotBase64),
            ("a.example+00000000+", VerifierKeyError::NotBase64),
            (&vkey(&[0x04; 33]), VerifierKeyError::UnsupportedType { signature_type: 4 }),
            (&vkey(&[0x01; 32]), VerifierKeyError::KeyLength { len: 31 }),
            (&vkey(&weak), VerifierKeyError::Key(KeyError::Weak)),
            (&EXAMPLE.replace("example.com/foo", ""), VerifierKeyError::Name(KeyNameError)),
            (&EXAMPLE.replace("/foo", " foo"), VerifierKeyError::Name(KeyNameError)),
            (&EXAMPLE.replace("/foo", "\u{1}"), VerifierKeyError::Name(KeyNameError)),
            (&"a".repeat(1025), VerifierKeyError::TooLong { len: 1025 }),
        ];
        for (text, error) in cases {
            assert_eq!(VerifierKey::parse(text), Err(error), "{text:?}");
        }
        let other = VerifierKey::parse(&EXAMPLE.replace("/foo", "/bar"));
        assert!(matches!(other, Err(VerifierKeyError::IdMismatch { stated: 0x530d_903a, .. })));
    }

    #[test]
    fn debug_shows_no_secret() {
        let signer = NoteSigner::new("log.example", &[7; 32]).expect("a good name");
        let shown = format!("{signer:?}");
        assert!(shown.contains("log.example+"));
        assert!(!shown.contains(&Base64::encode_string(&[7; 32])) && !shown.contains("7, 7"));
    }

    proptest! {
        #[test]
        fn keys_round_trip(name in "[a-z][a-z./0-9é]{0,20}", seed: [u8; 32]) {
            let signer = NoteSigner::new(&name, &seed).expect("a good name");
            let text = signer.verifier_key().to_string();
            prop_assert_eq!(&VerifierKey::parse(&text).expect("its own text"), signer.verifier_key());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String, at: prop::sample::Index, other: char) {
            prop_assert!(VerifierKey::parse(&text).is_err());
            let mut changed: Vec<char> = EXAMPLE.chars().collect();
            let at = at.index(changed.len());
            prop_assume!(changed[at] != other);
            changed[at] = other;
            prop_assert!(VerifierKey::parse(&changed.into_iter().collect::<String>()).is_err());
        }
    }
}
