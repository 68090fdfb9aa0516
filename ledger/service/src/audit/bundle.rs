use gt_core::entry::Entry;
use gt_core::tile::{BundleError, FULL_WIDTH, row_extent, whole_entries};
use gt_core::{Hash, TreeSize, tree};
use rayon::prelude::*;

use super::report::{Fault, Report};
use super::source::{LogSource, Part};
use crate::layout::BUNDLE;

/// So many entries or records are worth another core's waking up.
pub(super) const AT_A_TIME: usize = 64;
/// After so many missing bundles in a row nothing more is asked for: a checkpoint may claim any size.
const MAX_MISSING: u32 = 16;

/// A bundle as it was read.
pub(super) struct Bundle {
    pub(super) number: u64,
    pub(super) place: String,
    /// How many entries the checkpoint covers.
    pub(super) width: u16,
    pub(super) leaves: Vec<Leaf>,
    /// So many were missing before it that none after it is asked for.
    pub(super) gave_up: bool,
}

/// An entry's bytes, read.
pub(super) struct Leaf {
    /// Where it stands, whatever it says.
    pub(super) position: u64,
    pub(super) hash: Hash,
    /// `None` if it is no entry.
    pub(super) entry: Option<Entry>,
}

/// A log's bundles, one after the other.
pub(super) struct Bundles<'s, S: ?Sized> {
    source: &'s S,
    size: TreeSize,
    next: u64,
    missing: u32,
}

impl<'s, S: LogSource + ?Sized> Bundles<'s, S> {
    pub(super) const fn new(source: &'s S, size: TreeSize) -> Self {
        Self { source, size, next: 0, missing: 0 }
    }

    /// The next bundle, without leaves if it is not to be had.
    pub(super) fn next(&mut self, report: &mut Report) -> Option<Bundle> {
        if self.next == self.size.0.div_ceil(BUNDLE) || self.missing == MAX_MISSING {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let width = row_extent(self.size, 0).width_of(number);
        match self.source.bundle(number, width) {
            Ok(part) => {
                self.missing = 0;
                Some(Bundle::read(part, number, width, report))
            }
            Err(error) => {
                report.source_error(&error);
                self.missing += 1;
                let gave_up = self.missing == MAX_MISSING;
                Some(Bundle { number, place: String::new(), width, leaves: Vec::new(), gave_up })
            }
        }
    }
}

impl Bundle {
    fn read(part: Part, number: u64, width: u16, report: &mut Report) -> Self {
        let Part { place, bytes } = part;
        let whole = match whole_entries(&bytes) {
            Err(BundleError::TooManyEntries { offset }) => {
                report.add(Fault::new(
                    &place,
                    "bundle_surplus",
                    format!("bytes follow the 256th entry, from byte {offset} on"),
                ));
                whole_entries(&bytes[..offset])
            }
            whole => whole,
        };
        let (entries, end) = whole.map_or((Vec::new(), 0), |whole| (whole.entries, whole.end));
        let first = number * BUNDLE;
        if end < bytes.len() {
            let what = format!(
                "cut off or damaged from byte {end} on, within entry {}",
                first + entries.len() as u64
            );
            report.add(Fault::new(&place, "bundle_torn", what));
        } else if entries.len() != usize::from(width) {
            let what = format!("holds {} entries, and the checkpoint covers {width} of it", entries.len());
            report.add(Fault::new(&place, "bundle_width", what));
        }
        let covered = &entries[..entries.len().min(usize::from(width))];
        let reading = covered.par_iter().with_min_len(AT_A_TIME);
        let read: Vec<_> = reading.map(|bytes| (tree::leaf_hash(bytes), Entry::parse(bytes))).collect();
        let mut faults = Vec::new();
        let mut leaves = Vec::with_capacity(read.len());
        for ((hash, entry), position) in read.into_iter().zip(first..) {
            if let Err(error) = &entry {
                faults.push(Fault::new(
                    format!("{place}, entry {position}"),
                    "entry_unreadable",
                    error.to_string(),
                ));
            }
            leaves.push(Leaf { position, hash, entry: entry.ok() });
        }
        report.add_alike(&place, faults);
        debug_assert!(leaves.len() <= usize::from(FULL_WIDTH));
        Self { number, place, width, leaves, gave_up: false }
    }
}
