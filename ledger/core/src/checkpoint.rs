//! Checkpoints (C2SP tlog-checkpoint): the signed head of the log.

use core::fmt;
use std::sync::Arc;

use base64ct::{Base64, Encoding};

use crate::hash::Hash;
use crate::note::{
    KeyNameError, Note, NoteError, NoteSignature, NoteSigner, SignNoteError, SignatureType, VerifierKey,
    VerifyNoteError,
};
use crate::position::TreeSize;
use crate::tile::canonical_number;
use crate::tree::EMPTY_ROOT;

/// Which log, how many entries it has, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: TreeSize,
    root: Hash,
}

/// A checkpoint and the note that carries it, well-formed but not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    /// Thousands of receipts carry the same one, and a signature of ML-DSA has kilobytes.
    note: Arc<Note>,
}

/// The keys by which a log signs its checkpoints: Ed25519, which every tool can check, and ML-DSA-44, which a quantum computer does
/// not forge. A log that was made with the first alone goes on with it.
#[derive(Debug)]
pub struct LogSigner {
    ed25519: NoteSigner,
    ml_dsa: Option<NoteSigner>,
}

/// Why a text is not a checkpoint of such a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines, or no newline at the end.
    #[error("not three lines, each ended by a newline")]
    MissingLine,
    /// The origin is empty or holds a control character.
    #[error("the origin is empty or holds a control character")]
    Origin,
    /// The second line is no decimal number of 64 bits, without leading zeroes.
    #[error("the tree size is not a decimal number without leading zeroes")]
    Size,
    /// The third line is not the base64 of 32 bytes.
    #[error("the root is not the base64 of 32 bytes")]
    Root,
    /// The tree without entries has one root only.
    #[error("the root of size 0 is not that of the empty tree")]
    EmptyTreeRoot,
    /// More than three lines: this log uses no extension lines, since nobody can audit them.
    #[error("an extension line")]
    ExtensionLine,
}

/// Why bytes are not a signed checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedCheckpointError {
    /// Not a signed note.
    #[error("not a signed note")]
    Note(#[from] NoteError),
    /// The note's text is not a checkpoint.
    #[error("the note holds no checkpoint")]
    Checkpoint(#[from] CheckpointError),
}

/// Why a checkpoint is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyCheckpointError {
    /// The checkpoint of another log.
    #[error("the checkpoint is of {actual:?}, not of {expected:?}")]
    Origin {
        /// The origin that is pinned.
        expected: String,
        /// The origin in the checkpoint.
        actual: String,
    },
    /// Not signed by a pinned key, or not validly.
    #[error("the checkpoint's signatures do not hold: {0}")]
    Note(#[from] VerifyNoteError),
    /// Keys of this type are pinned, and none of them signed.
    #[error("the checkpoint lacks its {missing} signature, which it had when it was made")]
    Downgraded {
        /// The type.
        missing: SignatureType,
    },
}

impl Checkpoint {
    /// The head of the log with this origin.
    pub fn new(origin: &str, size: TreeSize, root: Hash) -> Result<Self, CheckpointError> {
        if origin.is_empty() || origin.bytes().any(|byte| byte < 0x20) {
            return Err(CheckpointError::Origin);
        }
        if size.0 == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::EmptyTreeRoot);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads the text of a checkpoint's note, in the only spelling that its `Display` writes.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let (origin, rest) = text.split_once('\n').ok_or(CheckpointError::MissingLine)?;
        let (size, rest) = rest.split_once('\n').ok_or(CheckpointError::MissingLine)?;
        let (root, rest) = rest.split_once('\n').ok_or(CheckpointError::MissingLine)?;
        if !rest.is_empty() {
            return Err(CheckpointError::ExtensionLine);
        }
        let size = canonical_number(size).map(TreeSize).ok_or(CheckpointError::Size)?;
        Self::new(origin, size, parse_hash(root).ok_or(CheckpointError::Root)?)
    }

    /// Which log this is the head of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries the log has.
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// The root of the Merkle tree over them.
    pub const fn root(&self) -> Hash {
        self.root
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, Base64::encode_string(self.root.as_bytes()))
    }
}

impl LogSigner {
    /// The keys of the log with this origin, from 32 random bytes each. The caller wipes its own copies.
    pub fn new(origin: &str, ed25519: &[u8; 32], ml_dsa: Option<&[u8; 32]>) -> Result<Self, KeyNameError> {
        Ok(Self {
            ed25519: NoteSigner::new(origin, ed25519)?,
            ml_dsa: ml_dsa.map(|seed| NoteSigner::ml_dsa(origin, seed)).transpose()?,
        })
    }

    /// Signs a checkpoint with all of them. The same checkpoint always gets the same bytes, whoever of several sealers signs.
    pub fn sign(&self, checkpoint: Checkpoint) -> Result<SignedCheckpoint, SignNoteError> {
        let signers: Vec<&NoteSigner> = std::iter::once(&self.ed25519).chain(&self.ml_dsa).collect();
        SignedCheckpoint::sign(checkpoint, &signers)
    }

    /// The keys that its signatures are checked with.
    pub fn verifier_keys(&self) -> Vec<VerifierKey> {
        std::iter::once(&self.ed25519)
            .chain(&self.ml_dsa)
            .map(|signer| signer.verifier_key().clone())
            .collect()
    }
}

impl SignedCheckpoint {
    /// Signs a checkpoint with each of these keys.
    pub fn sign(checkpoint: Checkpoint, signers: &[&NoteSigner]) -> Result<Self, SignNoteError> {
        let note = Note::sign(checkpoint.to_string(), signers)?;
        Ok(Self { checkpoint, note: Arc::new(note) })
    }

    /// Reads a signed checkpoint; [`Self::verify`] says whether to believe it.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignedCheckpointError> {
        Self::from_note(Note::parse(bytes)?).map_err(SignedCheckpointError::Checkpoint)
    }

    /// Takes a note that carries a checkpoint, such as one that a witness has added its signature to.
    pub fn from_note(note: Note) -> Result<Self, CheckpointError> {
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note: Arc::new(note) })
    }

    /// Checks that the checkpoint is of the pinned log and signed by a pinned key of each type that is pinned, and tells by which
    /// (FORMATS section 10). So a forger of one algorithm cannot leave the other's signature out.
    pub fn verify<'k>(
        &self,
        origin: &str,
        keys: &'k [VerifierKey],
    ) -> Result<Vec<&'k VerifierKey>, VerifyCheckpointError> {
        let actual = self.checkpoint.origin();
        if actual != origin {
            return Err(VerifyCheckpointError::Origin {
                expected: origin.to_owned(),
                actual: actual.to_owned(),
            });
        }
        let signed = self.note.verify(keys)?;
        let lacks = |key: &&VerifierKey| !signed.iter().any(|by| by.signature_type() == key.signature_type());
        match keys.iter().find(lacks) {
            Some(key) => Err(VerifyCheckpointError::Downgraded { missing: key.signature_type() }),
            None => Ok(signed),
        }
    }

    /// The same checkpoint with the signature of another party, such as a witness. It is not verified here.
    pub fn with_signature(self, signature: NoteSignature) -> Result<Self, SignNoteError> {
        let note = Arc::unwrap_or_clone(self.note).with_signature(signature)?;
        Ok(Self { checkpoint: self.checkpoint, note: Arc::new(note) })
    }

    /// What the note says.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note itself.
    pub fn note(&self) -> &Note {
        &self.note
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// A hash in C2SP's base64, in its one spelling.
pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    let mut bytes = [0; 32];
    let decoded = Base64::decode(text, &mut bytes).ok()?;
    if decoded.len() == bytes.len() { Some(Hash::from_bytes(bytes)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn signer(seed: u8) -> NoteSigner {
        NoteSigner::new("log.example/thread", &[seed; 32]).expect("a good name")
    }

    #[test]
    fn malformed_checkpoints_are_refused_for_their_reason() {
        let short = format!("{}==", &ROOT[..42]);
        let cases = [
            (String::new(), CheckpointError::MissingLine),
            ("log.example\n7\n".to_owned(), CheckpointError::MissingLine),
            (format!("log.example\n7\n{ROOT}"), CheckpointError::MissingLine),
            (format!("\n7\n{ROOT}\n"), CheckpointError::Origin),
            (format!("log\t.example\n7\n{ROOT}\n"), CheckpointError::Origin),
            (format!("log.example\n07\n{ROOT}\n"), CheckpointError::Size),
            (format!("log.example\n+7\n{ROOT}\n"), CheckpointError::Size),
            (format!("log.example\n\n{ROOT}\n"), CheckpointError::Size),
            (format!("log.example\n18446744073709551616\n{ROOT}\n"), CheckpointError::Size),
            (format!("log.example\n7\n{}B=\n", &ROOT[..42]), CheckpointError::Root),
            (format!("log.example\n7\n{short}\n"), CheckpointError::Root),
            (format!("log.example\n7\n{ROOT}AAAA\n"), CheckpointError::Root),
            (format!("log.example\n7\n{ROOT} \n"), CheckpointError::Root),
            ("log.example\n7\n\n".to_owned(), CheckpointError::Root),
            (format!("log.example\n0\n{ROOT}\n"), CheckpointError::EmptyTreeRoot),
            (format!("log.example\n7\n{ROOT}\nextension\n"), CheckpointError::ExtensionLine),
            (format!("log.example\n7\n{ROOT}\n\n"), CheckpointError::ExtensionLine),
        ];
        for (text, error) in cases {
            assert_eq!(Checkpoint::parse(&text), Err(error), "{text:?}");
        }
        assert_eq!(Checkpoint::new("a\nb", TreeSize(1), Hash::ZERO), Err(CheckpointError::Origin));
    }

    #[test]
    fn origin_and_key_are_both_pinned() {
        let (ours, other) = (signer(1), signer(2));
        let checkpoint = Checkpoint::new("log.example/thread", TreeSize(3), Hash::ZERO).expect("sound");
        let signed = SignedCheckpoint::sign(checkpoint, &[&ours]).expect("sound");
        let keys = [ours.verifier_key().clone()];
        assert_eq!(signed.verify("log.example/thread", &keys), Ok(vec![&keys[0]]));
        let elsewhere = signed.verify("log.example", &keys);
        assert!(matches!(elsewhere, Err(VerifyCheckpointError::Origin { .. })));
        let refused = signed.verify("log.example/thread", std::slice::from_ref(other.verifier_key()));
        assert_eq!(refused, Err(VerifyCheckpointError::Note(VerifyNoteError::NoTrustedSignature)));
    }

    #[test]
    fn each_pinned_algorithm_must_have_signed() {
        const ORIGIN: &str = "log.example/thread";
        let (classic, quantum) = (signer(1), NoteSigner::ml_dsa(ORIGIN, &[2; 32]).expect("a good name"));
        let checkpoint = Checkpoint::new(ORIGIN, TreeSize(3), Hash::ZERO).expect("sound");
        let both = SignedCheckpoint::sign(checkpoint.clone(), &[&classic, &quantum]).expect("sound");
        let (old, new) = (classic.verifier_key().clone(), quantum.verifier_key().clone());
        let pinned = [old.clone(), new.clone()];
        assert_eq!(both.verify(ORIGIN, &pinned), Ok(vec![&old, &new]));
        // Whoever knows but one of the keys is content with it.
        assert_eq!(both.verify(ORIGIN, &pinned[..1]), Ok(vec![&old]));
        assert_eq!(both.verify(ORIGIN, &pinned[1..]), Ok(vec![&new]));
        for (left, missing) in
            [(&classic, SignatureType::MlDsa44Cosignature), (&quantum, SignatureType::Ed25519)]
        {
            let one = SignedCheckpoint::sign(checkpoint.clone(), &[left]).expect("sound");
            assert_eq!(one.verify(ORIGIN, &pinned), Err(VerifyCheckpointError::Downgraded { missing }));
        }
    }

    #[test]
    fn cosignatures_name_their_time_and_hold_for_it_alone() {
        let log = signer(1);
        let checkpoint = Checkpoint::new("log.example/thread", TreeSize(3), Hash::ZERO).expect("sound");
        let signed = SignedCheckpoint::sign(checkpoint, &[&log]).expect("sound");
        for make in [NoteSigner::cosigner, NoteSigner::ml_dsa] {
            let witness = make("witness.example/w1", &[3; 32]).expect("a good name");
            let cosignature = signed.note().cosign(&witness, 1_790_000_000).expect("a checkpoint");
            assert_eq!(cosignature.cosigned_at(), Some(1_790_000_000));
            let cosigned = signed.clone().with_signature(cosignature.clone()).expect("room");
            assert_eq!(cosigned.note().is_signed_by(witness.verifier_key()), Some(true));
            assert_eq!(signed.note().is_signed_by(witness.verifier_key()), None);
            let mut later = cosignature.signature().to_vec();
            later[7] ^= 1;
            let later = NoteSignature::new(cosignature.name(), cosignature.key_id(), later).expect("a name");
            let moved = signed.clone().with_signature(later).expect("room");
            assert_eq!(moved.note().is_signed_by(witness.verifier_key()), Some(false));
        }
        let witness = NoteSigner::cosigner("witness.example/w1", &[3; 32]).expect("a good name");
        assert_eq!(signed.note().cosign(&witness, 0), Err(SignNoteError::NoTime));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn checkpoints_round_trip(origin in "[^\\x00-\\x1f]{1,20}", size in 1_u64.., root: [u8; 32]) {
            let checkpoint = Checkpoint::new(&origin, TreeSize(size), Hash::from_bytes(root)).expect("sound");
            prop_assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint.clone()));
            let signed = SignedCheckpoint::sign(checkpoint, &[&signer(1)]).expect("sound");
            prop_assert_eq!(SignedCheckpoint::parse(signed.to_string().as_bytes()), Ok(signed));
        }

        #[test]
        fn any_flipped_bit_is_found(at: prop::sample::Index, bit in 0_u8..8) {
            let checkpoint = Checkpoint::new("log.example/thread", TreeSize(3), Hash::ZERO).expect("sound");
            let ours = signer(1);
            let signed = SignedCheckpoint::sign(checkpoint, &[&ours]).expect("sound");
            let mut bytes = signed.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let keys = [ours.verifier_key().clone()];
            let believed = SignedCheckpoint::parse(&bytes).is_ok_and(|signed| signed.verify("log.example/thread", &keys).is_ok());
            prop_assert!(!believed);
        }

        #[test]
        fn nothing_makes_the_parser_panic_and_there_is_one_spelling(
            text in "[a.]{0,3}\n[0-9]{0,21}\n[A-B]{42}[A-E=]{1,2}\n[a\n]{0,2}", wild: String,
        ) {
            for text in [text, wild] {
                if let Ok(checkpoint) = Checkpoint::parse(&text) {
                    prop_assert_eq!(checkpoint.to_string(), text);
                }
            }
        }
    }
}
