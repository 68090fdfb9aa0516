use std::collections::HashMap;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::entry::{Entry, Predecessor};
use gt_core::link::LinkName;
use gt_core::tile::{BundleError, FULL_WIDTH, row_extent, whole_entries};
use gt_core::time::Timestamp;
use gt_core::verify::Pin;
use gt_core::{Hash, LeafIndex, TreeSize, tree};
use rayon::prelude::*;

use super::report::{Fault, Report};
use super::rows::{Known, Rows};
use super::source::{LogSource, Part};
use crate::layout::BUNDLE;

/// After so many missing bundles in a row nothing more is asked for: a checkpoint may claim any size.
const MAX_MISSING: u32 = 16;

/// A bundle as it was read.
pub(super) struct Bundle {
    pub(super) number: u64,
    pub(super) place: String,
    /// How many entries the checkpoint covers.
    pub(super) width: u16,
    pub(super) leaves: Vec<Leaf>,
}

/// An entry's bytes, read.
pub(super) struct Leaf {
    /// Where it stands, whatever it says.
    pub(super) position: u64,
    pub(super) hash: Hash,
    /// `None` if it is no entry.
    pub(super) entry: Option<Entry>,
}

/// Looks at what the data folder holds beside a bundle, and tells of each leaf whether it seals a statement of the registrar, where
/// that can be known.
pub(super) trait Beside {
    fn bundle(&mut self, bundle: &Bundle, report: &mut Report) -> Vec<Option<bool>>;
}

/// Nothing stands beside the log.
pub(super) struct Nothing;

impl Beside for Nothing {
    fn bundle(&mut self, bundle: &Bundle, _report: &mut Report) -> Vec<Option<bool>> {
        vec![None; bundle.leaves.len()]
    }
}

/// Goes through the log from entry 0 to its checkpoint, one bundle in memory at a time, with every link's name and a tile a level.
pub(super) struct Walk<'a> {
    source: &'a dyn LogSource,
    size: TreeSize,
    rows: Rows<'a>,
    genesis: Option<Hash>,
    /// `None` after an entry that could not be read: what follows it cannot be held against it.
    before: Option<Predecessor>,
    latest: Option<Timestamp>,
    /// It is not known whether the last entry was the registrar's, so the next may count one more.
    author_unknown: bool,
    names: HashMap<LinkName, u64>,
}

/// Reads the checkpoint and holds it against what is pinned. `None` if there is nothing to go on with.
pub(super) fn read_checkpoint(
    source: &dyn LogSource,
    pin: Option<&Pin>,
    report: &mut Report,
) -> Option<Checkpoint> {
    let part = source.checkpoint().map_err(|error| report.source_error(&error)).ok()?;
    let signed = match SignedCheckpoint::parse(&part.bytes) {
        Ok(signed) => signed,
        Err(error) => {
            report.add(Fault::new(part.place, "checkpoint", format!("no checkpoint: {error}")));
            return None;
        }
    };
    report.covers(signed.checkpoint());
    match pin {
        None => report.could_not_tell("nothing is pinned, so nothing says whose log this is"),
        Some(pin) => {
            if let Err(error) = signed.verify(&pin.origin, &pin.verifier_keys) {
                report.add(Fault::new(&part.place, "checkpoint_signature", error.to_string()));
            }
            if pin.genesis.is_none() {
                report.could_not_tell(
                    "the hash of entry 0 is not pinned, so it may be another log of the same keys",
                );
            }
        }
    }
    if signed.checkpoint().size().0 == 0 {
        report.add(Fault::new(part.place, "empty", "covers no entry, and a ledger has an entry 0"));
    }
    Some(signed.checkpoint().clone())
}

/// Which of the checkpoints that are known from elsewhere the log must lead to.
pub(super) fn comparable(checkpoint: &Checkpoint, known: Known, report: &mut Report) -> Option<Known> {
    let Known { checkpoint: earlier, place } = &known;
    if earlier == checkpoint {
        return None;
    }
    if earlier.origin() != checkpoint.origin() {
        let what = format!("the log is of {:?}, not of {:?}", checkpoint.origin(), earlier.origin());
        report.add(Fault::new(place, "other_origin", what));
        return None;
    }
    if earlier.size() > checkpoint.size() {
        let what = format!(
            "covers {} entries, but a checkpoint of {} is known ({place}): an older checkpoint was put back",
            checkpoint.size(),
            earlier.size()
        );
        report.add(Fault::new("checkpoint", "checkpoint_older", what));
        return None;
    }
    Some(known)
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        source: &'a dyn LogSource,
        checkpoint: &Checkpoint,
        pin: Option<&Pin>,
        mut known: Vec<Known>,
    ) -> Self {
        known.push(Known { checkpoint: checkpoint.clone(), place: "checkpoint".to_owned() });
        Self {
            source,
            size: checkpoint.size(),
            rows: Rows::new(source, checkpoint.size(), known),
            genesis: pin.and_then(|pin| pin.genesis),
            before: Some(Predecessor::GENESIS),
            latest: None,
            author_unknown: false,
            names: HashMap::new(),
        }
    }

    /// Checks everything, and returns every link's name with the entry that holds it.
    pub(super) fn run(mut self, beside: &mut dyn Beside, report: &mut Report) -> HashMap<LinkName, u64> {
        let mut missing = 0;
        for number in 0..self.size.0.div_ceil(BUNDLE) {
            let width = row_extent(self.size, 0).width_of(number);
            let bundle = match self.source.bundle(number, width) {
                Ok(part) => {
                    missing = 0;
                    Bundle::read(part, number, width, report)
                }
                Err(error) => {
                    report.source_error(&error);
                    missing += 1;
                    Bundle { number, place: String::new(), width, leaves: Vec::new() }
                }
            };
            self.bundle(&bundle, beside, report);
            if missing == MAX_MISSING {
                report
                    .note(format!("nothing was looked at beyond bundle {number}, since so many are missing"));
                break;
            }
        }
        self.rows.finish(report);
        self.names
    }

    fn bundle(&mut self, bundle: &Bundle, beside: &mut dyn Beside, report: &mut Report) {
        let of_registrar = beside.bundle(bundle, report);
        let mut faults = Vec::new();
        for (leaf, of_registrar) in bundle.leaves.iter().zip(of_registrar) {
            self.follow(leaf, of_registrar, &bundle.place, &mut faults);
            self.take_links(leaf, &bundle.place, &mut faults);
            report.counts.entries += u64::from(leaf.entry.is_some());
            report.counts.links += leaf.entry.as_ref().map_or(0, |entry| entry.links.len() as u64);
        }
        report.add_alike(&bundle.place, faults);
        for leaf in &bundle.leaves {
            self.rows.push(Some(leaf.hash), report);
        }
        for _ in bundle.leaves.len()..usize::from(bundle.width) {
            self.before = None;
            self.rows.push(None, report);
        }
    }

    fn follow(&mut self, leaf: &Leaf, of_registrar: Option<bool>, file: &str, faults: &mut Vec<Fault>) {
        let place = || format!("{file}, entry {}", leaf.position);
        if leaf.position == 0 && self.genesis.is_some_and(|pinned| pinned != leaf.hash) {
            let what = format!("its hash is {}, and another is pinned: this is another log", leaf.hash);
            faults.push(Fault::new(place(), "other_genesis", what));
        }
        let Some(entry) = &leaf.entry else {
            self.before = None;
            return;
        };
        let mut before = self.before.unwrap_or(Predecessor {
            next_index: LeafIndex(leaf.position),
            leaf_hash: entry.prev,
            received_at: self.latest,
            registry: entry.registry,
        });
        if self.author_unknown && entry.registry == before.registry + 1 {
            before.registry = entry.registry;
        }
        // Entry 0 is the registrar's: it makes the registrar.
        let author = of_registrar.or((leaf.position == 0).then_some(true));
        if let Err(error) = before.follow(entry, leaf.hash, author == Some(true)) {
            faults.push(Fault::new(place(), error.code(), error.to_string()));
            before = Predecessor {
                next_index: LeafIndex(leaf.position + 1),
                leaf_hash: leaf.hash,
                received_at: before.received_at.max(Some(entry.received_at)),
                registry: before.registry + u64::from(author == Some(true)),
            };
        }
        self.latest = before.received_at;
        self.author_unknown = author.is_none();
        self.before = Some(before);
    }

    fn take_links(&mut self, leaf: &Leaf, file: &str, faults: &mut Vec<Fault>) {
        for link in leaf.entry.iter().flat_map(|entry| &entry.links) {
            if let Some(earlier) = self.names.insert(link.name, leaf.position) {
                let what = format!("one of its links stands in entry {earlier} already");
                faults.push(Fault::new(format!("{file}, entry {}", leaf.position), "link_repeated", what));
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
        let read: Vec<_> =
            covered.par_iter().map(|bytes| (tree::leaf_hash(bytes), Entry::parse(bytes))).collect();
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
        Self { number, place, width, leaves }
    }
}
