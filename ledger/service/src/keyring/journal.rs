//! The journal's framing: one batch of records a commit, `u32` length ‖ SHA-256 of the records ‖ the records.

use gt_core::Hash;

use super::MAX_RECORD;

/// The length and the sum before a batch's records.
const HEADER: usize = 36;

/// The whole batches at the start of a journal.
pub(crate) struct Batches<'a> {
    /// The records of each.
    pub(super) records: Vec<&'a [u8]>,
    /// Where the whole batches end.
    pub(crate) end: usize,
    /// A broken batch is followed by a whole one, so it is damage and no torn tail.
    pub(crate) damaged: bool,
}

pub(super) fn frame(records: &[u8]) -> Vec<u8> {
    let length = u32::try_from(records.len()).expect("a batch's keys are far below 4 GiB");
    [&length.to_be_bytes(), Hash::of(records).as_bytes().as_slice(), records].concat()
}

pub(crate) fn read(bytes: &[u8]) -> Batches<'_> {
    let mut batches = Batches { records: Vec::new(), end: 0, damaged: false };
    while let Some(records) = whole_batch(&bytes[batches.end..]) {
        batches.records.push(records);
        batches.end += HEADER + records.len();
    }
    // A commit waits for its batch, so only the last one can be torn: cut short, or with zeros where sectors were lost, its length
    // included. Whatever a whole batch follows was durable once.
    let after = bytes.len().min(batches.end + 1);
    batches.damaged = (after..bytes.len()).any(|at| whole_batch(&bytes[at..]).is_some());
    batches
}

/// The records of the batch at the start of `bytes`, if it is whole.
fn whole_batch(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<32>()?;
    let records = rest.get(..u32::from_be_bytes(*length) as usize)?;
    // Most of what is no batch ends here, so that looking for one does not hash half the journal at every byte.
    let first = u32::from_be_bytes(*records.first_chunk::<4>()?) as usize;
    (first <= MAX_RECORD && Hash::of(records).as_bytes() == sum).then_some(records)
}
