//! A consistency proof as text: what C2SP tlog-witness puts before a checkpoint.

use core::fmt::Write as _;

use base64ct::{Base64, Encoding};

use crate::checkpoint::parse_hash;
use crate::position::TreeSize;
use crate::proof::{ConsistencyProof, MAX_PATH_LEN};
use crate::tile::canonical_number;

/// Writes `old <size>`, a line of base64 for each hash, and an empty line.
pub(super) fn to_text(proof: &ConsistencyProof) -> String {
    let mut text = format!("old {}\n", proof.from);
    for hash in &proof.path {
        writeln!(text, "{}", Base64::encode_string(hash.as_bytes()))
            .expect("writing to a String cannot fail");
    }
    text.push('\n');
    text
}

/// Reads such a text, in the only spelling that [`to_text`] writes; `to` is the size that the text leaves to the checkpoint
/// behind it. `None` if it is not one.
pub(super) fn parse(text: &str, to: TreeSize) -> Option<ConsistencyProof> {
    let (first, rest) = text.split_once('\n')?;
    let from = first.strip_prefix("old ").and_then(canonical_number).map(TreeSize)?;
    let lines = rest.strip_suffix('\n')?;
    let mut path = Vec::new();
    // Each hash's line ends in a newline of its own, before that of the empty line.
    for line in lines.split_terminator('\n') {
        if path.len() == MAX_PATH_LEN {
            return None;
        }
        path.push(parse_hash(line)?);
    }
    (lines.is_empty() || lines.ends_with('\n')).then_some(ConsistencyProof { from, to, path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
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
            assert_eq!(parse(text, TreeSize(9)), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn texts_round_trip(from: u64, to: u64, path in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_PATH_LEN)) {
            let path = path.into_iter().map(Hash::from_bytes).collect();
            let proof = ConsistencyProof { from: TreeSize(from), to: TreeSize(to), path };
            prop_assert_eq!(parse(&to_text(&proof), TreeSize(to)), Some(proof));
        }
    }
}
