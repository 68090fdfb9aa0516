use std::collections::HashMap;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint, VerifyCheckpointError};
use gt_core::entry::Predecessor;
use gt_core::link::LinkName;
use gt_core::time::Timestamp;
use gt_core::verify::Pin;
use gt_core::{Hash, LeafIndex, TreeSize};

use super::bundle::{Bundle, Bundles, Leaf};
use super::report::{Fault, Report};
use super::rows::{Known, Rows};
use super::source::LogSource;

/// Goes through the log from entry 0 to its checkpoint, a bundle at a time, with every link's name (if those are wanted) and a tile
/// a level.
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
    names: Option<HashMap<LinkName, u64>>,
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
                let what = match &error {
                    VerifyCheckpointError::Origin { expected, .. } => {
                        format!("{error}: the pin that was given is of {expected}")
                    }
                    _ => error.to_string(),
                };
                report.add(Fault::new(&part.place, "checkpoint_signature", what));
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

/// The checkpoint as it is by now, if it reads.
pub(super) fn newest_checkpoint(source: &dyn LogSource) -> Option<Checkpoint> {
    let part = source.checkpoint().ok()?;
    SignedCheckpoint::parse(&part.bytes).ok().map(|signed| signed.checkpoint().clone())
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
            names: Some(HashMap::new()),
        }
    }

    /// Leaves out whether a link stands twice, for which every link's name must be kept.
    pub(super) fn without_names(self) -> Self {
        Self { names: None, ..self }
    }

    /// Checks the whole log, with nothing beside it.
    pub(super) fn run(mut self, report: &mut Report) {
        let mut bundles = Bundles::new(self.source, self.size);
        while let Some(bundle) = bundles.next(report) {
            self.take(&bundle, &vec![None; bundle.leaves.len()], report);
        }
        self.finish(report);
    }

    /// Takes the next bundle. `of_registrar` tells of each leaf whether it seals a statement of the registrar, where that can be known.
    pub(super) fn take(&mut self, bundle: &Bundle, of_registrar: &[Option<bool>], report: &mut Report) {
        let mut faults = Vec::new();
        for (leaf, of_registrar) in bundle.leaves.iter().zip(of_registrar) {
            self.follow(leaf, *of_registrar, &bundle.place, &mut faults);
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
        if bundle.gave_up {
            let number = bundle.number;
            report.note(format!("nothing was looked at beyond bundle {number}, since so many are missing"));
        }
    }

    /// Compares the roots, and returns every link's name with the entry that holds it, if those were kept.
    pub(super) fn finish(self, report: &mut Report) -> HashMap<LinkName, u64> {
        self.rows.finish(report);
        self.names.unwrap_or_default()
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
        let Some(names) = &mut self.names else { return };
        for link in leaf.entry.iter().flat_map(|entry| &entry.links) {
            if let Some(earlier) = names.insert(link.name, leaf.position) {
                let what = format!("one of its links stands in entry {earlier} already");
                faults.push(Fault::new(format!("{file}, entry {}", leaf.position), "link_repeated", what));
            }
        }
    }
}
