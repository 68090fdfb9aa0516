//! How a vault record ends: what tells damage, and a record in another's place, without keys.

use gt_core::Hash;
use twox_hash::XxHash3_128;

/// The version in which records are written.
pub(super) const VERSION: u8 = 2;
/// The version whose records end with SHA-256. They are read.
pub(super) const WITH_SHA_256: u8 = 1;
/// Bytes of a checksum in the version that is written.
pub(super) const CHECKSUM: usize = 16;
/// Bytes of the longest checksum of any version.
pub(super) const LONGEST: usize = 32;

/// Bytes of the checksum of a record in this version; none if there is no such version.
pub(super) const fn len_in(version: u8) -> Option<usize> {
    match version {
        VERSION => Some(CHECKSUM),
        WITH_SHA_256 => Some(LONGEST),
        _ => None,
    }
}

/// Whether a record with this body, which has a version, ends so in the place of the entry with this leaf hash.
pub(super) fn fits(leaf_hash: &Hash, body: &[u8], sum: &[u8]) -> bool {
    if body.first() == Some(&WITH_SHA_256) {
        let whole = Hash::of_parts(&[b"gt/vault-record/1\0", leaf_hash.as_bytes(), body]);
        return whole.as_bytes() == sum;
    }
    in_place(leaf_hash, of_body(body)) == sum
}

/// What a checksum says of a body.
///
/// It finds damage, and needs no more: whoever changes a record on purpose can work out any checksum anew. That is found by the keys, under
/// which each text is authenticated; and by the entry, which has the hash of a statement that is open. A hash for which this does not
/// matter takes a tenth of the time.
pub(super) fn of_body(body: &[u8]) -> u128 {
    XxHash3_128::oneshot(body)
}

/// The checksum of a record in the place of the entry with this leaf hash.
pub(super) fn in_place(leaf_hash: &Hash, of_body: u128) -> [u8; CHECKSUM] {
    let (place, _) = leaf_hash.as_bytes().split_first_chunk().expect("a hash is longer");
    (of_body ^ u128::from_be_bytes(*place)).to_be_bytes()
}
