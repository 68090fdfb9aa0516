//! A consistency proof as text: what C2SP tlog-witness puts before a checkpoint.

use base64ct::{Base64, Encoding};

use super::MAX_PATH_LEN;
use crate::checkpoint::parse_hash;
use crate::hash::Hash;
use crate::position::TreeSize;
use crate::tile::canonical_number;

/// Why a text does not begin with a consistency proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsistencyTextError {
    /// The first line is not `old` and a decimal number of 64 bits without leading zeroes.
    OldSize,
    /// A line of the proof, from 1, is not the base64 of 32 bytes.
    Hash { line: usize },
    /// More than [`MAX_PATH_LEN`] hashes.
    TooLong,
    /// No empty line ends the proof.
    NoSeparator,
}

/// Writes `old` and the smaller size, a line of base64 for each hash, and an empty line.
pub fn consistency_text(from: TreeSize, path: &[Hash]) -> String {
    let mut text = format!("old {from}\n");
    for hash in path {
        text.push_str(&Base64::encode_string(hash.as_bytes()));
        text.push('\n');
    }
    text.push('\n');
    text
}

/// Reads [`consistency_text`]: the smaller size and the hashes, at most 63. `None` in any other spelling.
pub fn parse_consistency(text: &str) -> Option<(TreeSize, Vec<Hash>)> {
    let (from, path, rest) = split_consistency(text).ok()?;
    rest.is_empty().then_some((from, path))
}

/// Splits such a text from what follows it.
pub(crate) fn split_consistency(text: &str) -> Result<(TreeSize, Vec<Hash>, &str), ConsistencyTextError> {
    let (first, mut rest) = text.split_once('\n').ok_or(ConsistencyTextError::OldSize)?;
    let from = first.strip_prefix("old ").and_then(canonical_number).ok_or(ConsistencyTextError::OldSize)?;
    let mut path = Vec::new();
    loop {
        let (line, below) = rest.split_once('\n').ok_or(ConsistencyTextError::NoSeparator)?;
        rest = below;
        if line.is_empty() {
            return Ok((TreeSize(from), path, rest));
        }
        if path.len() == MAX_PATH_LEN {
            return Err(ConsistencyTextError::TooLong);
        }
        path.push(parse_hash(line).ok_or(ConsistencyTextError::Hash { line: path.len() + 1 })?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nearly_right_texts_are_refused() {
        let hash = Base64::encode_string(&[7; 32]);
        let many = format!("old 3\n{}\n", format!("{hash}\n").repeat(MAX_PATH_LEN + 1));
        for text in [
            "",
            "\n",
            "old 3",
            "old 3\n",
            "old 03\n\n",
            "old\n\n",
            "new 3\n\n",
            "old 3\n\n\n",
            &format!("old 3\n{hash}\n"),
            &format!("old 3\n{hash}"),
            &format!("old 3\n\n{hash}\n\n"),
            &format!("old 3\n{}\n\n", &hash[..42]),
            &format!("old 3\n{hash} \n\n"),
            &many,
        ] {
            assert_eq!(parse_consistency(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn texts_round_trip(from: u64, path in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_PATH_LEN)) {
            let path: Vec<Hash> = path.into_iter().map(Hash::from_bytes).collect();
            let text = consistency_text(TreeSize(from), &path);
            prop_assert_eq!(parse_consistency(&text), Some((TreeSize(from), path)));
        }
    }
}
