//! A proof of a bundle: that an entry stands under its checkpoint.

use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::hash::Hash;
use crate::proof::InclusionProof;
use crate::receipt::{Proof, ReceiptError};
use crate::tree;
use crate::verify::ReceiptFault;

/// An entry that stands under the checkpoint.
pub(super) struct Proven {
    pub(super) entry: Entry,
    pub(super) leaf_hash: Hash,
}

impl Proven {
    /// Reads a proof and follows it to the checkpoint's root; otherwise the code of the first rule that it breaks.
    pub(super) fn read(text: &str, head: &Checkpoint) -> Result<Self, &'static str> {
        let Proof { extra, index, path } = Proof::parse(text).map_err(ReceiptError::code)?;
        let bytes = extra.ok_or_else(|| ReceiptFault::NoEntry.code())?;
        let entry = Entry::parse(&bytes).map_err(|error| error.code())?;
        if entry.index != index {
            return Err(ReceiptFault::Index { receipt: index, entry: entry.index }.code());
        }
        // An entry is its own only spelling, so these bytes are the leaf's data.
        let leaf_hash = tree::leaf_hash(&bytes);
        InclusionProof { index, size: head.size(), path }
            .verify(&leaf_hash, &head.root())
            .map_err(|error| ReceiptFault::Inclusion(error).code())?;
        Ok(Self { entry, leaf_hash })
    }
}
