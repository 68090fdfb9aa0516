//! The public keys of signed notes, as C2SP vkeys.

use core::fmt;

use base64ct::{Base64, Encoding};

use super::cosignature;
use crate::hash::Hash;
use crate::key::{KeyError, PublicKey};
use crate::ml_dsa::{self, MlDsaPublicKey};

/// Longer texts are no verifier key of a type that is accepted here: an ML-DSA-44 key has 1,752 characters of base64.
const MAX_VKEY_LEN: usize = 4096;

/// What C2SP's signature type says of a key: its algorithm, and what it signs of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureType {
    /// 0x01: Ed25519 over the note's text.
    Ed25519,
    /// 0x04: Ed25519 over a time and a checkpoint's text (C2SP tlog-cosignature, `cosignature/v1`).
    Ed25519Cosignature,
    /// 0x06: ML-DSA-44 over a name, a time and a checkpoint's head (C2SP tlog-cosignature, `subtree/v1`).
    MlDsa44Cosignature,
}

/// A public key that notes are checked with. Its text form is C2SP's vkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519(PublicKey),
    Ed25519Cosigner(PublicKey),
    MlDsa44(MlDsaPublicKey),
}

/// A key name is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key name is not empty and has no spaces, plus signs or control characters")]
pub struct KeyNameError;

/// Why a text is not a verifier key that is accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierKeyError {
    /// Longer than 4096 bytes.
    #[error("{len} bytes; a verifier key has at most 4096")]
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
    /// The key is of a type that is not known here.
    #[error("signature type {signature_type:#04x}; accepted are Ed25519, 0x01 and 0x04, and ML-DSA-44, 0x06")]
    UnsupportedType {
        /// C2SP's signature type identifier.
        signature_type: u8,
    },
    /// The key has not as many bytes as keys of its type.
    #[error("the key has {len} bytes, and keys of its type have {expected}")]
    KeyLength {
        /// How many bytes follow the type.
        len: usize,
        /// How many should.
        expected: usize,
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

impl SignatureType {
    /// C2SP's identifier of the type.
    pub const fn identifier(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Ed25519Cosignature => 0x04,
            Self::MlDsa44Cosignature => 0x06,
        }
    }

    /// Whether a log signs its own checkpoints with keys of this type (FORMATS section 10).
    pub const fn is_of_logs(self) -> bool {
        matches!(self, Self::Ed25519 | Self::MlDsa44Cosignature)
    }

    /// Whether witnesses sign with keys of this type (C2SP tlog-cosignature).
    pub const fn is_of_witnesses(self) -> bool {
        matches!(self, Self::Ed25519Cosignature | Self::MlDsa44Cosignature)
    }
}

impl fmt::Display for SignatureType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519",
            Self::Ed25519Cosignature => "Ed25519 cosignature",
            Self::MlDsa44Cosignature => "ML-DSA-44",
        })
    }
}

impl VerifierKey {
    /// A log's Ed25519 key under a name, type 0x01.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, KeyNameError> {
        Self::of(name, Material::Ed25519(key))
    }

    /// A witness's Ed25519 key under a name, type 0x04.
    pub fn cosigner(name: &str, key: PublicKey) -> Result<Self, KeyNameError> {
        Self::of(name, Material::Ed25519Cosigner(key))
    }

    /// An ML-DSA-44 key under a name, type 0x06: a log's own or a witness's.
    pub fn ml_dsa(name: &str, key: MlDsaPublicKey) -> Result<Self, KeyNameError> {
        Self::of(name, Material::MlDsa44(key))
    }

    fn of(name: &str, material: Material) -> Result<Self, KeyNameError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, &material), material })
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
        let verifier = Self::of(name, Material::parse(*signature_type, key)?)?;
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

    /// The type of its signatures.
    pub const fn signature_type(&self) -> SignatureType {
        self.material.signature_type()
    }

    /// The public key itself, without type or name.
    pub fn public_key(&self) -> &[u8] {
        self.material.bytes()
    }

    /// Whether this key made the signature of a note's text.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(key) => {
                signature.try_into().is_ok_and(|signature| key.verify(text.as_bytes(), signature).is_ok())
            }
            Material::Ed25519Cosigner(key) => {
                cosignature::split(signature).is_some_and(|(time, signature)| {
                    let message = cosignature::ed25519_message(time, text);
                    signature
                        .try_into()
                        .is_ok_and(|signature| key.verify(message.as_bytes(), signature).is_ok())
                })
            }
            Material::MlDsa44(key) => cosignature::split(signature).is_some_and(|(time, signature)| {
                cosignature::ml_dsa_message(&self.name, time, text)
                    .is_some_and(|message| key.verify(&message, signature).is_ok())
            }),
        }
    }
}

impl Material {
    fn parse(signature_type: u8, key: &[u8]) -> Result<Self, VerifierKeyError> {
        let length = |expected| VerifierKeyError::KeyLength { len: key.len(), expected };
        let ed25519 = || {
            let bytes = key.try_into().map_err(|_| length(32))?;
            PublicKey::from_bytes(bytes).map_err(VerifierKeyError::Key)
        };
        match signature_type {
            0x01 => Ok(Self::Ed25519(ed25519()?)),
            0x04 => Ok(Self::Ed25519Cosigner(ed25519()?)),
            0x06 => Ok(Self::MlDsa44(
                MlDsaPublicKey::from_bytes(key).map_err(|_| length(ml_dsa::PUBLIC_KEY_LEN))?,
            )),
            signature_type => Err(VerifierKeyError::UnsupportedType { signature_type }),
        }
    }

    const fn signature_type(&self) -> SignatureType {
        match self {
            Self::Ed25519(_) => SignatureType::Ed25519,
            Self::Ed25519Cosigner(_) => SignatureType::Ed25519Cosignature,
            Self::MlDsa44(_) => SignatureType::MlDsa44Cosignature,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) | Self::Ed25519Cosigner(key) => key.as_bytes(),
            Self::MlDsa44(key) => key.as_bytes(),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[self.signature_type().identifier()][..], self.public_key()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, Base64::encode_string(&typed))
    }
}

/// C2SP's rule for key names. Control characters could not stand in a note.
pub(super) fn check_name(name: &str) -> Result<(), KeyNameError> {
    let refused = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    if name.is_empty() || name.contains(refused) { Err(KeyNameError) } else { Ok(()) }
}

fn key_id(name: &str, material: &Material) -> u32 {
    let signature_type = [material.signature_type().identifier()];
    let hash = Hash::of_parts(&[name.as_bytes(), b"\n", &signature_type, material.bytes()]);
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
    use crate::note::NoteSigner;
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
            (&vkey(&[0x02; 33]), VerifierKeyError::UnsupportedType { signature_type: 2 }),
            (&vkey(&[0x06; 33]), VerifierKeyError::KeyLength { len: 32, expected: 1312 }),
            (&vkey(&[0x04; 32]), VerifierKeyError::KeyLength { len: 31, expected: 32 }),
            (&vkey(&[0x01; 32]), VerifierKeyError::KeyLength { len: 31, expected: 32 }),
            (&vkey(&weak), VerifierKeyError::Key(KeyError::Weak)),
            (&EXAMPLE.replace("example.com/foo", ""), VerifierKeyError::Name(KeyNameError)),
            (&EXAMPLE.replace("/foo", " foo"), VerifierKeyError::Name(KeyNameError)),
            (&EXAMPLE.replace("/foo", "\u{1}"), VerifierKeyError::Name(KeyNameError)),
            (&"a".repeat(4097), VerifierKeyError::TooLong { len: 4097 }),
        ];
        for (text, error) in cases {
            assert_eq!(VerifierKey::parse(text), Err(error), "{text:?}");
        }
        let other = VerifierKey::parse(&EXAMPLE.replace("/foo", "/bar"));
        assert!(matches!(other, Err(VerifierKeyError::IdMismatch { stated: 0x530d_903a, .. })));
    }

    proptest! {
        #[test]
        fn keys_round_trip(name in "[a-z][a-z./0-9é]{0,20}", seed: [u8; 32]) {
            let signers = [NoteSigner::new(&name, &seed), NoteSigner::cosigner(&name, &seed), NoteSigner::ml_dsa(&name, &seed)];
            for signer in signers.map(|signer| signer.expect("a good name")) {
                let text = signer.verifier_key().to_string();
                prop_assert_eq!(&VerifierKey::parse(&text).expect("its own text"), signer.verifier_key());
            }
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
