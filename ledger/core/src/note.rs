//! Signed notes (C2SP signed-note): a text, and the signatures of named keys below it.

use core::fmt;

use base64ct::{Base64, Encoding};

mod cosignature;
mod key;
mod signer;

pub use key::{KeyNameError, SignatureType, VerifierKey, VerifierKeyError};
pub use signer::NoteSigner;

/// The longest note that is read or signed, in bytes.
pub const MAX_NOTE_LEN: usize = 1 << 20;

/// The most signatures that a note may carry. C2SP asks for at least 16.
pub const MAX_SIGNATURES: usize = 64;

/// How many bytes of a signature are the key's id.
const KEY_ID_LEN: usize = 4;

/// A text and its signatures, well-formed but not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line. Name and id together say which key made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: u32,
    signature: Vec<u8>,
}

/// Why bytes are not a signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`MAX_NOTE_LEN`].
    #[error("{len} bytes; a note has at most 1048576")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A character below U+0020 that is no newline.
    #[error("a control character other than a newline")]
    ControlCharacter,
    /// No empty line stands between a text and its signatures.
    #[error("no empty line between the text and the signatures")]
    NoSeparator,
    /// Nothing follows the text, or the last line does not end in a newline.
    #[error("no signatures, or no newline at the end")]
    NoSignatures,
    /// More than [`MAX_SIGNATURES`].
    #[error("more than 64 signatures")]
    TooManySignatures,
    /// Not an em dash, a key name and the base64 of a key id and a signature.
    #[error("signature line {line} is malformed")]
    SignatureLine {
        /// Which of the signature lines, from 1.
        line: usize,
    },
}

/// Why there is no such signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteSignatureError {
    /// The name is not possible.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// Nothing follows the key's id.
    #[error("a signature has at least one byte after the key's id")]
    Empty,
}

/// Why a text cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignNoteError {
    /// The text of a note ends in a newline.
    #[error("the text does not end in a newline")]
    NoFinalNewline,
    /// A character below U+0020 that is no newline.
    #[error("a control character other than a newline")]
    ControlCharacter,
    /// The note would not be read again.
    #[error("the note would be longer than 1048576 bytes")]
    TooLong,
    /// A note has 1 to 64 signatures.
    #[error("{count} signatures; a note has 1 to 64")]
    SignatureCount {
        /// How many there would be.
        count: usize,
    },
    /// A cosigner signs the head of a log, and this is none, or its names are too long.
    #[error("a cosignature is made over a checkpoint, of names of at most 255 bytes")]
    NotACheckpoint,
    /// An Ed25519 cosignature says when it was made.
    #[error("an Ed25519 cosignature needs a time")]
    NoTime,
}

/// Why a note is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyNoteError {
    /// A key that is trusted did not make the signature that bears its name and id.
    #[error("the signature of {name}, key {key_id:08x}, does not verify")]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: u32,
    },
    /// No trusted key signed.
    #[error("no signature is of a trusted key")]
    NoTrustedSignature,
}

impl Note {
    /// Reads a note, in the only spelling that its `Display` writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_LEN {
            return Err(NoteError::TooLong { len: bytes.len() });
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError::NotUtf8)?;
        if has_control_characters(note) {
            return Err(NoteError::ControlCharacter);
        }
        // The last empty line separates: signature lines are never empty, the text's own lines may be.
        let separator = note.rfind("\n\n").ok_or(NoteError::NoSeparator)?;
        let (text, below) = note.split_at(separator + 1);
        let lines = below[1..].strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (at, line) in lines.split('\n').enumerate() {
            if at == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(NoteSignature::parse(line).ok_or(NoteError::SignatureLine { line: at + 1 })?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Signs a text, which ends in a newline, with each of the keys. What an ML-DSA key signs then holds no time.
    pub fn sign(text: String, signers: &[&NoteSigner]) -> Result<Self, SignNoteError> {
        if !text.ends_with('\n') {
            return Err(SignNoteError::NoFinalNewline);
        }
        if has_control_characters(&text) {
            return Err(SignNoteError::ControlCharacter);
        }
        let signatures = signers.iter().map(|signer| signer.sign(&text, 0)).collect::<Result<_, _>>()?;
        Self { text, signatures }.bounded()
    }

    /// A cosigner's signature of this note's text, made at `time`, in seconds since the Unix epoch (C2SP tlog-cosignature).
    pub fn cosign(&self, signer: &NoteSigner, time: u64) -> Result<NoteSignature, SignNoteError> {
        signer.sign(&self.text, time)
    }

    /// Adds the signature of another party, such as a witness. It is not verified here.
    pub fn with_signature(mut self, signature: NoteSignature) -> Result<Self, SignNoteError> {
        self.signatures.push(signature);
        self.bounded()
    }

    fn bounded(self) -> Result<Self, SignNoteError> {
        let count = self.signatures.len();
        if count == 0 || count > MAX_SIGNATURES {
            return Err(SignNoteError::SignatureCount { count });
        }
        if self.to_string().len() > MAX_NOTE_LEN { Err(SignNoteError::TooLong) } else { Ok(self) }
    }

    /// Checks the signatures of the trusted keys, and tells which of these signed. Signatures of other keys are ignored.
    ///
    /// A signature that bears a trusted key's name and id but does not verify condemns the whole note.
    pub fn verify<'k>(&self, trusted: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, VerifyNoteError> {
        let mut signed = Vec::new();
        for signature in &self.signatures {
            let mut known = trusted.iter().filter(|key| signature.is_by(key)).peekable();
            if known.peek().is_none() {
                continue;
            }
            let Some(key) = known.find(|key| key.verifies(&self.text, &signature.signature)) else {
                let (name, key_id) = (signature.name.clone(), signature.key_id);
                return Err(VerifyNoteError::BadSignature { name, key_id });
            };
            if !signed.contains(&key) {
                signed.push(key);
            }
        }
        if signed.is_empty() { Err(VerifyNoteError::NoTrustedSignature) } else { Ok(signed) }
    }

    /// Whether the key signed, and validly. `None` if no signature bears its name and id.
    pub fn is_signed_by(&self, key: &VerifierKey) -> Option<bool> {
        let mut by = self.signatures.iter().filter(|signature| signature.is_by(key)).peekable();
        by.peek()?;
        Some(by.all(|signature| key.verifies(&self.text, &signature.signature)))
    }

    /// The text, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, as they stand in the note.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            let bytes = [&signature.key_id.to_be_bytes()[..], &signature.signature].concat();
            writeln!(f, "— {} {}", signature.name, Base64::encode_string(&bytes))?;
        }
        Ok(())
    }
}

impl NoteSignature {
    /// A signature by the key with this name and id.
    pub fn new(name: &str, key_id: u32, signature: Vec<u8>) -> Result<Self, NoteSignatureError> {
        key::check_name(name)?;
        if signature.is_empty() {
            return Err(NoteSignatureError::Empty);
        }
        Ok(Self { name: name.to_owned(), key_id, signature })
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = Base64::decode_vec(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<KEY_ID_LEN>()?;
        Self::new(name, u32::from_be_bytes(*key_id), signature.to_vec()).ok()
    }

    fn is_by(&self, key: &VerifierKey) -> bool {
        self.key_id == key.id() && self.name == key.name()
    }

    /// The name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key.
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The time in a cosignature, in seconds since the Unix epoch; of no meaning in a signature of type 0x01.
    pub fn cosigned_at(&self) -> Option<u64> {
        cosignature::split(&self.signature).map(|(time, _)| time)
    }

    /// The signature itself, without the key's id; its form depends on the key's type.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

fn has_control_characters(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signer(name: &str, seed: u8) -> NoteSigner {
        NoteSigner::new(name, &[seed; 32]).expect("a good name")
    }

    fn signed(text: &str, signers: &[&NoteSigner]) -> Note {
        Note::sign(text.to_owned(), signers).expect("a signable text")
    }

    #[test]
    fn trusted_keys_are_checked_and_others_ignored() {
        let (log, witness, stranger) =
            (signer("log.example", 1), signer("witness.example", 2), signer("a.example", 3));
        let note = signed("text\n", &[&stranger, &log, &witness]);
        let trusted = [witness.verifier_key().clone(), log.verifier_key().clone()];
        assert_eq!(note.verify(&trusted), Ok(vec![log.verifier_key(), witness.verifier_key()]));
        assert_eq!(note.verify(&trusted[..1]), Ok(vec![witness.verifier_key()]));
        assert_eq!(note.verify(&[]), Err(VerifyNoteError::NoTrustedSignature));
        // The same key under another name, and another key under the same name, are strangers.
        for other in [signer("log.example", 9), signer("other.example", 1)] {
            let refused = note.verify(std::slice::from_ref(other.verifier_key()));
            assert_eq!(refused, Err(VerifyNoteError::NoTrustedSignature));
        }
    }

    #[test]
    fn one_bad_signature_of_a_trusted_key_condemns_the_note() {
        let (log, witness) = (signer("log.example", 1), signer("witness.example", 2));
        let (name, key_id) = (witness.verifier_key().name(), witness.verifier_key().id());
        let trusted = [log.verifier_key().clone(), witness.verifier_key().clone()];
        for signature in [vec![0], vec![0; 64], vec![0; 65]] {
            let forged = NoteSignature::new(name, key_id, signature).expect("a good name");
            let note = signed("text\n", &[&log]).with_signature(forged).expect("room");
            let bad = VerifyNoteError::BadSignature { name: name.to_owned(), key_id };
            assert_eq!(note.verify(&trusted), Err(bad));
            assert_eq!(note.verify(&trusted[..1]), Ok(vec![log.verifier_key()]));
        }
        let twice = signed("text\n", &[&log, &log]);
        assert_eq!(twice.verify(&trusted), Ok(vec![log.verifier_key()]));
    }

    #[test]
    fn malformed_notes_are_refused_for_their_reason() {
        let line = "— a.example AAAAAAA=\n";
        let many = format!("text\n\n{}", line.repeat(65));
        let cases = [
            (String::new(), NoteError::NoSeparator),
            ("text\n".to_owned(), NoteError::NoSeparator),
            (format!("text\n{line}"), NoteError::NoSeparator),
            ("text\n\n".to_owned(), NoteError::NoSignatures),
            (format!("text\n\n{}", line.trim_end()), NoteError::NoSignatures),
            (format!("text\r\n\n{line}"), NoteError::ControlCharacter),
            (format!("te\0xt\n\n{line}"), NoteError::ControlCharacter),
            (many, NoteError::TooManySignatures),
            (format!("text\n\n{line}— a.example\n"), NoteError::SignatureLine { line: 2 }),
            ("text\n\n- a.example AAAAAAA=\n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n—  AAAAAAA=\n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n— a+b AAAAAAA=\n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n— a\u{2003}b AAAAAAA=\n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n— a AAAAAAA= \n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n— a AAAAAAA\n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n— a AAAAAAB=\n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n— a AAAA\n".to_owned(), NoteError::SignatureLine { line: 1 }),
            ("text\n\n— a AAAAAA==\n".to_owned(), NoteError::SignatureLine { line: 1 }),
        ];
        for (note, error) in cases {
            assert_eq!(Note::parse(note.as_bytes()), Err(error), "{note:?}");
        }
        assert_eq!(Note::parse(b"text\xFF\n\n"), Err(NoteError::NotUtf8));
        let long = vec![b'\n'; MAX_NOTE_LEN + 1];
        assert_eq!(Note::parse(&long), Err(NoteError::TooLong { len: MAX_NOTE_LEN + 1 }));
    }

    #[test]
    fn texts_that_would_not_be_read_again_are_not_signed() {
        let log = signer("log.example", 1);
        let sign = |text: &str, count| Note::sign(text.to_owned(), &vec![&log; count]).map(|_| ());
        assert_eq!(sign("text", 1), Err(SignNoteError::NoFinalNewline));
        assert_eq!(sign("", 1), Err(SignNoteError::NoFinalNewline));
        assert_eq!(sign("te\txt\n", 1), Err(SignNoteError::ControlCharacter));
        assert_eq!(sign("text\n", 0), Err(SignNoteError::SignatureCount { count: 0 }));
        assert_eq!(sign("text\n", 65), Err(SignNoteError::SignatureCount { count: 65 }));
        assert_eq!(sign(&"text\n".repeat(MAX_NOTE_LEN / 5), 1), Err(SignNoteError::TooLong));
        assert_eq!(sign("text\n", 64), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn notes_round_trip(lines in prop::collection::vec("[^\\x00-\\x1f]{0,12}", 0..6), count in 1_usize..4) {
            let log = signer("log.example", 1);
            let note = signed(&format!("{}\n", lines.join("\n")), &vec![&log; count]);
            prop_assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note.clone()));
            prop_assert_eq!(note.verify(std::slice::from_ref(log.verifier_key())), Ok(vec![log.verifier_key()]));
        }

        #[test]
        fn any_flipped_bit_is_found(at: prop::sample::Index, bit in 0_u8..8) {
            let log = signer("log.example", 1);
            let mut bytes = signed("some text\n\nof several lines\n", &[&log]).to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let verified = Note::parse(&bytes).is_ok_and(|note| note.verify(&[log.verifier_key().clone()]).is_ok());
            prop_assert!(!verified);
        }

        #[test]
        fn nothing_makes_the_parser_panic_and_there_is_one_spelling(
            note in "[a\n]{0,6}\n\n(— [a+ ]{1,3} [A-D=]{6,9}\n){0,3}", bytes: Vec<u8>,
        ) {
            for bytes in [note.into_bytes(), bytes] {
                if let Ok(note) = Note::parse(&bytes) {
                    prop_assert_eq!(note.to_string().into_bytes(), bytes);
                }
            }
        }
    }
}
