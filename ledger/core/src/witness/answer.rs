use base64ct::{Base64, Encoding};

use crate::checkpoint::{SignedCheckpoint, SignedCheckpointError};
use crate::note::{Note, NoteError, NoteSignature, VerifierKey, VerifyNoteError};
use crate::position::TreeSize;
use crate::tile::canonical_number;

/// The longest answer of a witness that is read, in bytes.
pub const MAX_ANSWER_LEN: usize = 64 << 10;

/// Why an answer is not a witness's signature of the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignaturesError {
    /// Longer than [`MAX_ANSWER_LEN`].
    #[error("{len} bytes; an answer has at most 65536")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// Not signature lines.
    #[error("not a list of signatures: {0}")]
    Lines(#[source] NoteError),
    /// A signature in the name of one of the keys does not verify, or none of them signed.
    #[error(transparent)]
    Signature(#[from] VerifyNoteError),
    /// A witness says when it signed.
    #[error("a cosignature of a witness without its time")]
    NoTime,
}

impl CosignaturesError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "answer_too_long",
            Self::Lines(_) => "note_malformed",
            Self::Signature(VerifyNoteError::BadSignature { .. }) => "cosignature_bad",
            Self::Signature(VerifyNoteError::NoTrustedSignature) => "not_cosigned",
            Self::NoTime => "cosignature_without_time",
        }
    }
}

/// Reads a witness's answer to a request about this checkpoint: the signatures of these keys, all valid, at least one. Those of
/// other keys are left out.
pub fn read_cosignatures(
    answer: &[u8],
    checkpoint: &SignedCheckpoint,
    keys: &[VerifierKey],
) -> Result<Vec<NoteSignature>, CosignaturesError> {
    if answer.len() > MAX_ANSWER_LEN {
        return Err(CosignaturesError::TooLong { len: answer.len() });
    }
    // An empty line within would move the end of the text, and so what the signatures are checked against.
    if answer.first() == Some(&b'\n') || answer.windows(2).any(|two| two == b"\n\n") {
        return Err(CosignaturesError::Lines(NoteError::NoSignatures));
    }
    let text = checkpoint.note().text();
    let note = Note::parse(&[text.as_bytes(), b"\n", answer].concat()).map_err(CosignaturesError::Lines)?;
    note.verify(keys)?;
    let of_keys = |signature: &&NoteSignature| {
        keys.iter().any(|key| signature.name() == key.name() && signature.key_id() == key.id())
    };
    let signatures: Vec<NoteSignature> = note.signatures().iter().filter(of_keys).cloned().collect();
    let timed = signatures.iter().all(|signature| signature.cosigned_at().is_some_and(|time| time > 0));
    if timed { Ok(signatures) } else { Err(CosignaturesError::NoTime) }
}

/// Reads the size in an answer of status 409.
pub fn read_size(answer: &[u8]) -> Option<TreeSize> {
    let text = core::str::from_utf8(answer).ok()?;
    canonical_number(text.strip_suffix('\n')?).map(TreeSize)
}

/// Signatures as lines of a note, as a witness answers with them.
pub fn signature_lines(signatures: &[NoteSignature]) -> String {
    let line = |signature: &NoteSignature| {
        let bytes = [&signature.key_id().to_be_bytes()[..], signature.signature()].concat();
        format!("— {} {}\n", signature.name(), Base64::encode_string(&bytes))
    };
    signatures.iter().map(line).collect()
}

/// The checkpoint with these signatures instead of its own. They are not verified here.
pub fn with_only(
    checkpoint: &SignedCheckpoint,
    signatures: &[NoteSignature],
) -> Result<SignedCheckpoint, SignedCheckpointError> {
    let note = format!("{}\n{}", checkpoint.note().text(), signature_lines(signatures));
    SignedCheckpoint::parse(note.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::hash::Hash;
    use crate::note::NoteSigner;

    const TIME: u64 = 1_790_000_000;

    fn checkpoint() -> SignedCheckpoint {
        let log = NoteSigner::new("log.example", &[1; 32]).expect("a good name");
        let checkpoint = Checkpoint::new("log.example", TreeSize(5), Hash::ZERO).expect("sound");
        SignedCheckpoint::sign(checkpoint, &[&log]).expect("sound")
    }

    fn witnesses() -> [NoteSigner; 2] {
        let name = "witness.example/w1";
        [NoteSigner::cosigner(name, &[2; 32]), NoteSigner::ml_dsa(name, &[3; 32])]
            .map(|made| made.expect("a good name"))
    }

    fn signatures(checkpoint: &SignedCheckpoint, time: u64) -> Vec<NoteSignature> {
        witnesses().iter().map(|one| checkpoint.note().cosign(one, time).expect("a checkpoint")).collect()
    }

    #[test]
    fn signatures_of_the_keys_that_are_known_are_taken_and_others_left() {
        let (checkpoint, [first, second]) = (checkpoint(), witnesses());
        let keys = [first.verifier_key().clone(), second.verifier_key().clone()];
        let made = signatures(&checkpoint, TIME);
        let answer = signature_lines(&made);
        let read =
            |answer: &str, keys: &[VerifierKey]| read_cosignatures(answer.as_bytes(), &checkpoint, keys);
        assert_eq!(read(&answer, &keys), Ok(made.clone()));
        assert_eq!(read(&answer, &keys[1..]), Ok(vec![made[1].clone()]));
        let stranger = NoteSigner::cosigner("witness.example/w9", &[9; 32]).expect("a good name");
        let nobody = read(&answer, std::slice::from_ref(stranger.verifier_key()));
        assert_eq!(nobody, Err(CosignaturesError::Signature(VerifyNoteError::NoTrustedSignature)));
        // Of another checkpoint.
        let other = Checkpoint::new("log.example", TreeSize(6), Hash::ZERO).expect("sound");
        let log = NoteSigner::new("log.example", &[1; 32]).expect("a good name");
        let other = SignedCheckpoint::sign(other, &[&log]).expect("sound");
        let refused = read_cosignatures(answer.as_bytes(), &other, &keys);
        assert!(matches!(refused, Err(CosignaturesError::Signature(VerifyNoteError::BadSignature { .. }))));
    }

    #[test]
    fn what_is_no_list_of_timed_signatures_is_refused() {
        let (checkpoint, [_, second]) = (checkpoint(), witnesses());
        let keys = [second.verifier_key().clone()];
        let good = signature_lines(&signatures(&checkpoint, TIME));
        let read = |answer: &[u8]| read_cosignatures(answer, &checkpoint, &keys);
        let untimed = checkpoint.note().cosign(&second, 0).expect("an ML-DSA key may leave the time out");
        assert_eq!(read(signature_lines(&[untimed]).as_bytes()), Err(CosignaturesError::NoTime));
        for bad in [
            String::new(),
            format!("\n{good}"),
            format!("text\n\n{good}"),
            format!("{good}\n{good}"),
            good[..good.len() - 1].to_owned(),
        ] {
            assert!(matches!(read(bad.as_bytes()), Err(CosignaturesError::Lines(_))), "{bad:?}");
        }
        assert!(matches!(read(&vec![b'a'; MAX_ANSWER_LEN + 1]), Err(CosignaturesError::TooLong { .. })));
    }

    #[test]
    fn sizes_are_decimal_and_end_in_a_newline() {
        assert_eq!(read_size(b"20852014\n"), Some(TreeSize(20_852_014)));
        assert_eq!(read_size(b"0\n"), Some(TreeSize(0)));
        for bad in [&b""[..], b"\n", b"7", b"07\n", b"7\n\n", b" 7\n", b"-7\n", b"\xFF\n"] {
            assert_eq!(read_size(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn signatures_can_be_put_in_the_place_of_others() {
        let checkpoint = checkpoint();
        let made = signatures(&checkpoint, TIME);
        let cosigned = with_only(&checkpoint, &made).expect("a note");
        assert_eq!(
            (cosigned.checkpoint(), cosigned.note().signatures()),
            (checkpoint.checkpoint(), &made[..])
        );
        assert!(with_only(&checkpoint, &[]).is_err(), "a note has a signature");
    }
}
