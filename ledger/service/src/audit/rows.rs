use gt_core::checkpoint::Checkpoint;
use gt_core::tile::{FULL_WIDTH, HASH_LEN, HashTile, index_path};
use gt_core::tree::Frontier;
use gt_core::{Hash, TreeSize};

use super::report::{Fault, Report};
use super::source::{LogSource, Part};

/// The tree as the entries give it: its rows of hash tiles, compared with those of the log as they fill, and its root, compared
/// with each checkpoint that is known. Holds one tile a level.
pub(super) struct Rows<'a> {
    source: &'a dyn LogSource,
    levels: Vec<Row>,
    frontier: Frontier,
    /// Every leaf so far is known, so the frontier is the log's.
    whole: bool,
    size: TreeSize,
    known: Vec<Known>,
}

/// A checkpoint that the log must lead to, and where it came from.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) checkpoint: Checkpoint,
    pub(super) place: String,
}

/// The growing tile of one level. A hash is unknown where an entry is missing, or where the tile below it has a fault of its own.
#[derive(Default)]
struct Row {
    index: u64,
    tile: HashTile,
    known: Vec<bool>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(source: &'a dyn LogSource, size: TreeSize, known: Vec<Known>) -> Self {
        Self { source, levels: Vec::new(), frontier: Frontier::new(), whole: true, size, known }
    }

    /// Takes the next leaf; `None` if it is not to be had.
    pub(super) fn push(&mut self, leaf_hash: Option<Hash>, report: &mut Report) {
        self.whole &= leaf_hash.is_some();
        if let Some(hash) = leaf_hash
            && self.whole
        {
            self.frontier.push(hash);
            self.compare_known(report);
        }
        self.append(0, leaf_hash, report);
    }

    /// Compares what has not filled a tile, and the root.
    pub(super) fn finish(mut self, report: &mut Report) {
        for (level, row) in std::mem::take(&mut self.levels).into_iter().enumerate() {
            if !row.tile.is_empty() {
                self.compare(u8::try_from(level).unwrap_or(u8::MAX), &row, report);
            }
        }
        if !self.whole {
            report.note("the root was not compared, since entries are missing or damaged");
        }
    }

    fn compare_known(&self, report: &mut Report) {
        let size = self.frontier.size();
        for Known { checkpoint, place } in self.known.iter().filter(|known| known.checkpoint.size() == size) {
            let found = self.frontier.root();
            if found != checkpoint.root() {
                let what = format!(
                    "the first {size} entries give the root {found}, and it says {}",
                    checkpoint.root()
                );
                report.add(Fault::new(place, "other_root", what));
            }
        }
    }

    fn append(&mut self, level: usize, hash: Option<Hash>, report: &mut Report) {
        if self.levels.len() == level {
            self.levels.push(Row::default());
        }
        let row = &mut self.levels[level];
        row.known.push(hash.is_some());
        row.tile.push(hash.unwrap_or(Hash::ZERO)).expect("a row is begun anew when its tile is full");
        if row.tile.is_full() {
            let full = std::mem::take(row);
            row.index = full.index + 1;
            let sound = self.compare(u8::try_from(level).unwrap_or(u8::MAX), &full, report);
            self.append(level + 1, full.tile.root().filter(|_| sound), report);
        }
    }

    /// Compares a tile with the log's. False if they differ, or if not all of it is known.
    fn compare(&self, level: u8, row: &Row, report: &mut Report) -> bool {
        let width = row.tile.len();
        let part = match self.source.tile(level, row.index, width) {
            Ok(part) => part,
            Err(error) => {
                report.source_error(&error);
                return false;
            }
        };
        if part.bytes.len() != usize::from(width) * HASH_LEN {
            let held = part.bytes.len();
            let what = format!("holds {held} bytes, and {} belong there", usize::from(width) * HASH_LEN);
            report.add(Fault::new(part.place, "tile_length", what));
            return false;
        }
        let known = row.known.iter().zip(0..width).filter(|(known, _)| **known).map(|(_, offset)| offset);
        let differ = |offset: &u16| {
            let at = usize::from(*offset) * HASH_LEN;
            row.tile.hash(*offset).is_none_or(|hash| part.bytes[at..at + HASH_LEN] != *hash.as_bytes())
        };
        let differing: Vec<u16> = known.filter(differ).collect();
        if let Some(first) = differing.first() {
            report.add(self.difference(level, row, &part, *first, differing.len()));
        }
        differing.is_empty() && row.known.iter().all(|known| *known)
    }

    fn difference(&self, level: u8, row: &Row, part: &Part, first: u16, count: usize) -> Fault {
        let position = row.index * u64::from(FULL_WIDTH) + u64::from(first);
        let below = if level == 0 {
            format!(
                "(entry {position}) is not the leaf hash of the entry in bundle {}",
                index_path(row.index)
            )
        } else {
            format!("is not the root of tile {} of level {}", index_path(position), level - 1)
        };
        let more =
            if count > 1 { format!("; {} more of its hashes differ", count - 1) } else { String::new() };
        debug_assert!(position < self.size.0 || level > 0);
        Fault::new(&part.place, "tile_hash", format!("hash {first} {below}{more}"))
    }
}
