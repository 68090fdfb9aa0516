//! Receipts (C2SP tlog-proof): an inclusion proof and the checkpoint that it leads to, in one text to keep.

use core::fmt;

use base64ct::{Base64, Encoding};

use crate::checkpoint::{
    Checkpoint, SignedCheckpoint, SignedCheckpointError, VerifyCheckpointError, parse_hash,
};
use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::position::LeafIndex;
use crate::proof::{InclusionError, InclusionProof, MAX_PATH_LEN};
use crate::tile::canonical_number;

/// The longest receipt that is read, in bytes.
pub const MAX_RECEIPT_LEN: usize = 1 << 20;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof that a leaf is in a log, which verifies with nothing but the log's origin and keys.
///
/// The parts are as somebody wrote them: only [`Self::verify`] makes them believable, and `extra` not even that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the application adds. Nothing in the receipt vouches for it.
    pub extra: Option<Vec<u8>>,
    /// Where the leaf stands.
    pub index: LeafIndex,
    /// The siblings from the leaf's up to the root's child.
    pub path: Vec<Hash>,
    /// The head of the log that the path leads to.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are not a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Longer than [`MAX_RECEIPT_LEN`].
    #[error("{len} bytes; a receipt has at most 1048576")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The first line is not that of a tlog-proof of version 1.
    #[error("the first line is not c2sp.org/tlog-proof@v1")]
    Header,
    /// The extra line does not hold base64.
    #[error("the extra line does not hold base64")]
    Extra,
    /// No index line, or no decimal number of 64 bits without leading zeroes in it.
    #[error("no index line with a decimal number without leading zeroes")]
    Index,
    /// A line of the path is not the base64 of 32 bytes.
    #[error("line {line} of the path is not the base64 of 32 bytes")]
    PathHash {
        /// Which of the path's lines, from 1.
        line: usize,
    },
    /// More hashes than any tree needs.
    #[error("the path has more than 63 hashes")]
    PathTooLong,
    /// No empty line ends the path.
    #[error("no empty line between the path and the checkpoint")]
    NoSeparator,
    /// What follows the path is not a signed checkpoint.
    #[error("the checkpoint is malformed")]
    Checkpoint(#[from] SignedCheckpointError),
}

/// Why a receipt does not prove that the leaf is in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyReceiptError {
    /// The checkpoint is not to be trusted.
    #[error("the receipt's checkpoint does not hold")]
    Checkpoint(#[from] VerifyCheckpointError),
    /// The path does not lead from the leaf to the checkpoint's root.
    #[error("the receipt's inclusion proof does not hold")]
    Inclusion(#[from] InclusionError),
}

impl ReceiptError {
    /// The stable code of this error, as verdicts and test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong { .. } => "receipt_too_long",
            Self::NotUtf8 => "receipt_not_utf8",
            Self::Header => "receipt_header",
            Self::Extra => "receipt_extra",
            Self::Index => "receipt_index",
            Self::PathHash { .. } | Self::PathTooLong => "receipt_path",
            Self::NoSeparator => "receipt_no_separator",
            Self::Checkpoint(SignedCheckpointError::Note(_)) => "note_malformed",
            Self::Checkpoint(SignedCheckpointError::Checkpoint(_)) => "checkpoint_malformed",
        }
    }
}

impl Receipt {
    /// Reads a receipt, in the only spelling that its `Display` writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_RECEIPT_LEN {
            return Err(ReceiptError::TooLong { len: bytes.len() });
        }
        let text = core::str::from_utf8(bytes).map_err(|_| ReceiptError::NotUtf8)?;
        let (proof, rest) = Proof::parse_prefix(text)?;
        let checkpoint = SignedCheckpoint::parse(rest.as_bytes())?;
        let Proof { extra, index, path } = proof;
        Ok(Self { extra, index, path, checkpoint })
    }

    /// The receipt up to and with the empty line before its checkpoint, which a bundle holds apart.
    pub fn proof_text(&self) -> String {
        let Self { extra, index, path, .. } = self.clone();
        Proof { extra, index, path }.to_string()
    }

    /// Checks that the log with this origin and these keys holds the leaf with this hash at the receipt's index, and
    /// returns the head of the log that says so.
    pub fn verify(
        &self,
        leaf_hash: &Hash,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<&Checkpoint, VerifyReceiptError> {
        self.checkpoint.verify(origin, keys)?;
        let checkpoint = self.checkpoint.checkpoint();
        let proof = InclusionProof { index: self.index, size: checkpoint.size(), path: self.path.clone() };
        proof.verify(leaf_hash, &checkpoint.root())?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.proof_text(), self.checkpoint)
    }
}

/// A receipt without its checkpoint, whose text ends with the empty line between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What the application adds. Nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// Where the leaf stands.
    pub index: LeafIndex,
    /// The siblings from the leaf's up to the root's child.
    pub path: Vec<Hash>,
}

impl Proof {
    /// Reads a proof, in the only spelling that its `Display` writes: nothing follows the empty line.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > MAX_RECEIPT_LEN {
            return Err(ReceiptError::TooLong { len: text.len() });
        }
        let (proof, rest) = Self::parse_prefix(text)?;
        if rest.is_empty() { Ok(proof) } else { Err(ReceiptError::NoSeparator) }
    }

    fn parse_prefix(text: &str) -> Result<(Self, &str), ReceiptError> {
        let (header, rest) = text.split_once('\n').ok_or(ReceiptError::Header)?;
        if header != HEADER {
            return Err(ReceiptError::Header);
        }
        let (extra, rest) = parse_extra(rest)?;
        let (line, rest) = rest.split_once('\n').ok_or(ReceiptError::Index)?;
        let index = line.strip_prefix("index ").and_then(canonical_number).ok_or(ReceiptError::Index)?;
        let (path, rest) = parse_path(rest)?;
        Ok((Self { extra, index: LeafIndex(index), path }, rest))
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", Base64::encode_string(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", Base64::encode_string(hash.as_bytes()))?;
        }
        writeln!(f)
    }
}

/// Splits off the extra line, if there is one.
fn parse_extra(text: &str) -> Result<(Option<Vec<u8>>, &str), ReceiptError> {
    let Some(rest) = text.strip_prefix("extra ") else { return Ok((None, text)) };
    let (encoded, rest) = rest.split_once('\n').ok_or(ReceiptError::Extra)?;
    let extra = Base64::decode_vec(encoded).map_err(|_| ReceiptError::Extra)?;
    Ok((Some(extra), rest))
}

/// Splits off the path and the empty line that ends it.
fn parse_path(text: &str) -> Result<(Vec<Hash>, &str), ReceiptError> {
    let mut path = Vec::new();
    let mut text = text;
    loop {
        let (line, rest) = text.split_once('\n').ok_or(ReceiptError::NoSeparator)?;
        if line.is_empty() {
            return Ok((path, rest));
        }
        if path.len() == MAX_PATH_LEN {
            return Err(ReceiptError::PathTooLong);
        }
        path.push(parse_hash(line).ok_or(ReceiptError::PathHash { line: path.len() + 1 })?);
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{NoteError, NoteSigner, VerifyNoteError};
    use crate::position::TreeSize;
    use crate::prove::{self, MemoryTiles};
    use crate::tree::leaf_hash;
    use proptest::prelude::*;

    const ORIGIN: &str = "log.example/thread";

    fn signer() -> NoteSigner {
        NoteSigner::new(ORIGIN, &[1; 32]).expect("a good name")
    }

    fn keys() -> [VerifierKey; 1] {
        [signer().verifier_key().clone()]
    }

    fn receipt(index: u64, size: u64, extra: Option<Vec<u8>>) -> Receipt {
        let mut tiles = MemoryTiles::new();
        (0..size).for_each(|i| tiles.push(leaf_hash(&i.to_be_bytes())));
        let root = prove::root(&tiles, TreeSize(size)).expect("in memory");
        let checkpoint = Checkpoint::new(ORIGIN, TreeSize(size), root).expect("sound");
        let checkpoint = SignedCheckpoint::sign(checkpoint, &[&signer()]).expect("sound");
        let proof = prove::inclusion(&tiles, LeafIndex(index), TreeSize(size)).expect("in memory");
        Receipt { extra, index: LeafIndex(index), path: proof.path, checkpoint }
    }

    #[test]
    fn a_receipt_holds_for_its_leaf_its_log_and_its_key() {
        let receipt = receipt(5, 11, Some(b"the entry".to_vec()));
        let leaf = leaf_hash(&5_u64.to_be_bytes());
        assert_eq!(receipt.verify(&leaf, ORIGIN, &keys()).map(Checkpoint::size), Ok(TreeSize(11)));
        let other = receipt.verify(&leaf_hash(b""), ORIGIN, &keys());
        assert!(matches!(other, Err(VerifyReceiptError::Inclusion(InclusionError::RootMismatch { .. }))));
        let elsewhere = receipt.verify(&leaf, "log.example", &keys());
        let origin = VerifyCheckpointError::Origin { expected: "log.example".into(), actual: ORIGIN.into() };
        assert_eq!(elsewhere, Err(VerifyReceiptError::Checkpoint(origin)));
        let untrusted = VerifyCheckpointError::Note(VerifyNoteError::NoTrustedSignature);
        assert_eq!(receipt.verify(&leaf, ORIGIN, &[]), Err(VerifyReceiptError::Checkpoint(untrusted)));
        let moved = Receipt { index: LeafIndex(4), ..receipt };
        assert!(moved.verify(&leaf, ORIGIN, &keys()).is_err());
    }

    #[test]
    fn malformed_receipts_are_refused_for_their_reason() {
        let good = receipt(5, 11, Some(b"the entry".to_vec())).to_string();
        let hash = good.lines().nth(3).expect("a path");
        let many = good.replacen(hash, &[hash; 64].join("\n"), 1);
        let no_signatures = SignedCheckpointError::Note(NoteError::NoSeparator);
        let cases = [
            (String::new(), ReceiptError::Header),
            (good.replace("@v1", "@v2"), ReceiptError::Header),
            (format!(" {good}"), ReceiptError::Header),
            (good.replace("extra d", "extra =d"), ReceiptError::Extra),
            (good.replace("extra ", "extra"), ReceiptError::Index),
            (good.replace("index 5", "index 05"), ReceiptError::Index),
            (good.replace("index 5", "index -5"), ReceiptError::Index),
            (good.replace("index 5\n", ""), ReceiptError::Index),
            (good.replace("index 5", "extra \nindex 5"), ReceiptError::Index),
            (good.replacen(hash, &hash[1..], 1), ReceiptError::PathHash { line: 1 }),
            (many, ReceiptError::PathTooLong),
            (format!("{HEADER}\nindex 5\n{hash}\n"), ReceiptError::NoSeparator),
            (format!("{HEADER}\nindex 5\n\n"), ReceiptError::Checkpoint(no_signatures)),
        ];
        for (text, error) in cases {
            assert_eq!(Receipt::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        assert!(matches!(
            Receipt::parse(&[good.as_bytes(), b"\n"].concat()),
            Err(ReceiptError::Checkpoint(_))
        ));
        assert_eq!(Receipt::parse(b"\xFF"), Err(ReceiptError::NotUtf8));
        let long = vec![b'a'; MAX_RECEIPT_LEN + 1];
        assert_eq!(Receipt::parse(&long), Err(ReceiptError::TooLong { len: MAX_RECEIPT_LEN + 1 }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn receipts_round_trip(index: prop::sample::Index, size in 1_u64..300, extra: Option<Vec<u8>>) {
            let index = index.index(usize::try_from(size).expect("small")) as u64;
            let receipt = receipt(index, size, extra);
            prop_assert_eq!(Receipt::parse(receipt.to_string().as_bytes()), Ok(receipt.clone()));
            let proof = Proof::parse(&receipt.proof_text()).expect("its own text");
            prop_assert_eq!((&proof.extra, proof.index, &proof.path), (&receipt.extra, receipt.index, &receipt.path));
            prop_assert_eq!(Proof::parse(&receipt.to_string()), Err(ReceiptError::NoSeparator));
            let verified = receipt.verify(&leaf_hash(&index.to_be_bytes()), ORIGIN, &keys());
            prop_assert_eq!(verified, Ok(receipt.checkpoint.checkpoint()));
        }

        #[test]
        fn any_flipped_bit_is_found(at: prop::sample::Index, bit in 0_u8..8) {
            let mut bytes = receipt(5, 11, None).to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let leaf = leaf_hash(&5_u64.to_be_bytes());
            let believed = Receipt::parse(&bytes).is_ok_and(|receipt| receipt.verify(&leaf, ORIGIN, &keys()).is_ok());
            prop_assert!(!believed);
        }

        #[test]
        fn nothing_makes_the_parser_panic(bytes: Vec<u8>, cut: prop::sample::Index, put in "[ -~\n]{0,4}") {
            prop_assert!(Receipt::parse(&bytes).is_err());
            let mut text = receipt(5, 11, Some(vec![1])).to_string();
            let mut cut = cut.index(text.len());
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            text.insert_str(cut, &put);
            if let Ok(receipt) = Receipt::parse(text.as_bytes()) {
                prop_assert_eq!(receipt.to_string(), text);
            }
        }
    }
}
