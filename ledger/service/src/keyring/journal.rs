//! The journal's framing: one batch of records a commit, `u32` length ‖ SHA-256 of the records ‖ the records.

use gt_core::Hash;

/// The whole batches at the start of a journal.
pub(super) struct Batches<'a> {
    /// The records of each.
    pub(super) records: Vec<&'a [u8]>,
    /// Where the whole batches end.
    pub(super) end: usize,
    /// A broken batch is followed by more, so it is damage and no torn tail.
    pub(super) damaged: bool,
}

pub(super) fn frame(records: &[u8]) -> Vec<u8> {
    let length = u32::try_from(records.len()).expect("a batch's keys are far below 4 GiB");
    [&length.to_be_bytes(), Hash::of(records).as_bytes().as_slice(), records].concat()
}

pub(super) fn read(bytes: &[u8]) -> Batches<'_> {
    let mut batches = Batches { records: Vec::new(), end: 0, damaged: false };
    while let Some((length, rest)) = bytes[batches.end..].split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (Some(sum), Some(records)) = (rest.get(..32), rest.get(32..32 + length)) else { break };
        if Hash::of(records).as_bytes().as_slice() != sum {
            batches.damaged = batches.end + 36 + length < bytes.len();
            break;
        }
        batches.records.push(records);
        batches.end += 36 + length;
    }
    batches
}
