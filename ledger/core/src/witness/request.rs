use core::fmt;

use crate::checkpoint::{CheckpointError, SignedCheckpoint, SignedCheckpointError};
use crate::hash::Hash;
use crate::position::TreeSize;
use crate::proof::{ConsistencyTextError, MAX_PATH_LEN, consistency_text, split_consistency};

/// The longest request that is read, in bytes (FORMATS section 11).
pub const MAX_REQUEST_LEN: usize = 64 << 10;

/// The most hashes in a request's consistency proof.
pub const MAX_PROOF_LEN: usize = MAX_PATH_LEN;

/// A request that a witness sign a checkpoint, with the proof that it extends what the witness signed before. Well-formed, not
/// yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the witness signed before; 0 if there is none.
    pub old: TreeSize,
    /// The consistency proof from that size, in RFC 6962's order.
    pub proof: Vec<Hash>,
    /// The checkpoint to be signed.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are not such a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddCheckpointError {
    /// Longer than [`MAX_REQUEST_LEN`].
    #[error("{len} bytes; a request has at most 65536")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The first line is not `old` and a decimal number of 64 bits without leading zeroes.
    #[error("the first line is not `old` and a decimal number without leading zeroes")]
    OldSize,
    /// A line of the proof is not the base64 of 32 bytes.
    #[error("line {line} of the proof is not the base64 of 32 bytes")]
    ProofHash {
        /// Which of the proof's lines, from 1.
        line: usize,
    },
    /// More than [`MAX_PROOF_LEN`] hashes.
    #[error("more than 63 hashes in the proof")]
    ProofTooLong,
    /// No empty line between the proof and the checkpoint.
    #[error("no empty line between the proof and the checkpoint")]
    NoSeparator,
    /// What follows is not a signed checkpoint.
    #[error("no signed checkpoint follows the proof")]
    Checkpoint(#[from] SignedCheckpointError),
}

impl AddCheckpointError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "request_too_long",
            Self::NotUtf8 => "not_utf8",
            Self::OldSize => "old_size",
            Self::ProofHash { .. } => "proof_hash",
            Self::ProofTooLong => "proof_too_long",
            Self::NoSeparator => "no_separator",
            Self::Checkpoint(SignedCheckpointError::Note(_)) => "note_malformed",
            Self::Checkpoint(SignedCheckpointError::Checkpoint(CheckpointError::EmptyTreeRoot)) => {
                "empty_tree_root"
            }
            Self::Checkpoint(SignedCheckpointError::Checkpoint(_)) => "checkpoint_malformed",
        }
    }
}

impl AddCheckpoint {
    /// Reads a request, in the only spelling that its `Display` writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, AddCheckpointError> {
        if bytes.len() > MAX_REQUEST_LEN {
            return Err(AddCheckpointError::TooLong { len: bytes.len() });
        }
        let text = core::str::from_utf8(bytes).map_err(|_| AddCheckpointError::NotUtf8)?;
        let (old, proof, rest) = split_consistency(text)?;
        let checkpoint = SignedCheckpoint::parse(rest.as_bytes())?;
        Ok(Self { old, proof, checkpoint })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", consistency_text(self.old, &self.proof), self.checkpoint)
    }
}

impl From<ConsistencyTextError> for AddCheckpointError {
    fn from(error: ConsistencyTextError) -> Self {
        match error {
            ConsistencyTextError::OldSize => Self::OldSize,
            ConsistencyTextError::Hash { line } => Self::ProofHash { line },
            ConsistencyTextError::TooLong => Self::ProofTooLong,
            ConsistencyTextError::NoSeparator => Self::NoSeparator,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::note::NoteSigner;
    use base64ct::{Base64, Encoding};
    use proptest::prelude::*;

    fn signed(size: u64) -> SignedCheckpoint {
        let signer = NoteSigner::new("log.example/thread", &[7; 32]).expect("a good name");
        let checkpoint = Checkpoint::new("log.example/thread", TreeSize(size), Hash::of(b"root"));
        SignedCheckpoint::sign(checkpoint.expect("sound"), &[&signer]).expect("sound")
    }

    #[test]
    fn malformed_requests_are_refused_for_their_reason() {
        let note = signed(5).to_string();
        let hash = Base64::encode_string(&[1; 32]);
        let many = format!("{hash}\n").repeat(MAX_PROOF_LEN);
        let cases = [
            (String::new(), AddCheckpointError::OldSize),
            (format!("old 01\n\n{note}"), AddCheckpointError::OldSize),
            (format!("old +1\n\n{note}"), AddCheckpointError::OldSize),
            (format!("old  1\n\n{note}"), AddCheckpointError::OldSize),
            (format!("Old 1\n\n{note}"), AddCheckpointError::OldSize),
            (format!("old 18446744073709551616\n\n{note}"), AddCheckpointError::OldSize),
            (note.clone(), AddCheckpointError::OldSize),
            ("old 1\n".to_owned(), AddCheckpointError::NoSeparator),
            (format!("old 1\n{hash}\n"), AddCheckpointError::NoSeparator),
            (format!("old 1\r\n\n{note}"), AddCheckpointError::OldSize),
            (format!("old 1\n{hash}\nAAAA\n\n{note}"), AddCheckpointError::ProofHash { line: 2 }),
            (format!("old 1\n {hash}\n\n{note}"), AddCheckpointError::ProofHash { line: 1 }),
            (format!("old 1\n{many}{hash}\n\n{note}"), AddCheckpointError::ProofTooLong),
        ];
        for (text, error) in cases {
            assert_eq!(AddCheckpoint::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        let read = |text: String| AddCheckpoint::parse(text.as_bytes());
        assert!(read(format!("old 1\n{many}\n{note}")).is_ok(), "63 hashes are allowed");
        assert!(matches!(read("old 1\n\n".to_owned()), Err(AddCheckpointError::Checkpoint(_))));
        assert!(matches!(read(format!("old 1\n\n\n{note}")), Err(AddCheckpointError::Checkpoint(_))));
        assert_eq!(AddCheckpoint::parse(b"old \xFF"), Err(AddCheckpointError::NotUtf8));
        let long = vec![b'a'; MAX_REQUEST_LEN + 1];
        assert_eq!(
            AddCheckpoint::parse(&long),
            Err(AddCheckpointError::TooLong { len: MAX_REQUEST_LEN + 1 })
        );
    }

    #[test]
    fn an_empty_tree_with_a_root_has_a_code_of_its_own() {
        let signer = NoteSigner::new("log.example", &[7; 32]).expect("a good name");
        let text = format!("log.example\n0\n{}\n", Base64::encode_string(&[1; 32]));
        let note = crate::note::Note::sign(text, &[&signer]).expect("signable");
        let refused =
            AddCheckpoint::parse(format!("old 0\n\n{note}").as_bytes()).expect_err("it has no entries");
        assert_eq!(refused.code(), "empty_tree_root");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn requests_round_trip(
            old in any::<u64>(), size in 1_u64.., proof in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_PROOF_LEN),
        ) {
            let proof = proof.into_iter().map(Hash::from_bytes).collect();
            let request = AddCheckpoint { old: TreeSize(old), proof, checkpoint: signed(size) };
            prop_assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request));
        }

        #[test]
        fn what_reads_is_written_as_it_was(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>()) {
            let mut text = AddCheckpoint { old: TreeSize(3), proof: vec![Hash::ZERO; 2], checkpoint: signed(5) }.to_string().into_bytes();
            let place = at.index(text.len());
            text.splice(place..(place + 1).min(text.len()), bytes);
            if let Ok(request) = AddCheckpoint::parse(&text) {
                prop_assert_eq!(request.to_string().into_bytes(), text);
            }
        }
    }
}
