//! What stands in a mirror without belonging to it.
//!
//! A partial tile that the mirror has outgrown does belong: whoever has read an earlier checkpoint may still ask for it, and a log may let
//! it go only once the full tile is there (C2SP tlog-tiles). So of the one tile that grows on each level there are 255 partial ones at most.

use std::fs;
use std::path::PathBuf;

use gt_core::TreeSize;
use gt_core::tile::{FULL_WIDTH, HASH_LEN, TileKind, TilePath, row_extent};

use super::folder::DataFolder;
use super::inventory::{UNKNOWN, files};
use super::report::Fault;
use super::source::{LogSource, Part, SourceError, Surplus, leading_entries};
use crate::layout;

/// What a stray file of a mirror is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stray {
    /// An interrupted copy left it, and the next one removes it.
    LeftOver,
    /// A partial tile of an earlier size, whose full one is not there yet: it stays if it is the beginning of what is there.
    Outgrown,
    /// A full file that the checkpoint does not cover: an interrupted copy goes on from it.
    Beyond,
}

/// What a mirror of a log of this size holds besides its parts.
pub(super) fn surplus(folder: &DataFolder, size: TreeSize) -> Surplus {
    let (strays, mut surplus) = strays(folder, size);
    surplus.notes.insert(0, "this is a mirror: it has no vault, so no statement was read".to_owned());
    for (path, stray) in strays.into_iter().filter(|_| !folder.is_running()) {
        surplus.faults.push(match stray {
            Stray::LeftOver => {
                let what = "left by an interrupted copy; nothing reads it, and the next copy removes it";
                Fault::new(path, "left_over", what)
            }
            Stray::Outgrown => {
                let what = "a partial tile of an earlier size that is not how the tile there begins; the next copy removes it";
                Fault::new(path, "left_over", what)
            }
            Stray::Beyond => {
                let what = "beyond the checkpoint: an interrupted copy, which the next one goes on from, or an older checkpoint was put back";
                Fault::new(path, "beyond_checkpoint", what)
            }
        });
    }
    if folder.is_running() {
        let note = "a copy is being made; what it is writing beyond the checkpoint was not checked";
        surplus.notes.push(note.to_owned());
    }
    surplus
}

/// The files that an interrupted copy left in a mirror of a log of this size, and the partial tiles that it needs no longer. Paths are
/// relative to it.
pub(crate) fn left_over(folder: &DataFolder, size: TreeSize) -> Vec<PathBuf> {
    let (strays, _) = strays(folder, size);
    strays
        .into_iter()
        .filter(|(_, stray)| *stray != Stray::Beyond)
        .map(|(path, _)| PathBuf::from(path))
        .collect()
}

fn strays(folder: &DataFolder, size: TreeSize) -> (Vec<(String, Stray)>, Surplus) {
    let mut surplus = Surplus::default();
    let mut found = beside_the_log(folder, &mut surplus);
    let belongs = |name: &str| unfinished(name) || TilePath::parse(&format!("tile/{name}")).is_ok();
    let in_tile = files(folder, "tile", belongs, &mut surplus);
    let in_tile = in_tile.into_iter().filter_map(|found| Some((stray(size, &found.path)?, found.path)));
    found.extend(
        in_tile
            .filter(|(stray, path)| *stray != Stray::Outgrown || !begins(folder, size, path))
            .map(|(stray, path)| (path, stray)),
    );
    (found, surplus)
}

/// Whether an outgrown partial tile is the beginning of the tile that is there by now.
fn begins(folder: &DataFolder, size: TreeSize, path: &str) -> bool {
    let Ok(tile) = TilePath::parse(path) else { return false };
    let of = |width| -> Result<Part, SourceError> {
        match tile.kind() {
            TileKind::Entries => folder.bundle(tile.index(), width),
            TileKind::Hashes { level } => folder.tile(level, tile.index(), width),
        }
    };
    match (of(tile.width()), of(covered(size, &tile))) {
        (Ok(outgrown), Ok(now)) => outgrown.bytes == cut(&tile, &now.bytes),
        // Reading the log says what is wrong with the tile that is due.
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    }
}

/// As much of a tile or bundle as a partial one holds.
fn cut<'b>(tile: &TilePath, bytes: &'b [u8]) -> &'b [u8] {
    let width = tile.width();
    let len = match tile.kind() {
        TileKind::Entries => leading_entries(bytes, width),
        TileKind::Hashes { .. } => usize::from(width) * HASH_LEN,
    };
    &bytes[..len.min(bytes.len())]
}

/// How much of a tile a log of this size has.
fn covered(size: TreeSize, tile: &TilePath) -> u16 {
    let level = if let TileKind::Hashes { level } = tile.kind() { level } else { 0 };
    row_extent(size, level).width_of(tile.index())
}

/// What stands at the mirror's top.
fn beside_the_log(folder: &DataFolder, surplus: &mut Surplus) -> Vec<(String, Stray)> {
    let mut found = Vec::new();
    let (fork, lock) = (layout::fork(), layout::mirror_lock());
    for entry in fs::read_dir(folder.root()).into_iter().flatten().flatten() {
        let name = PathBuf::from(entry.file_name());
        if name == fork {
            let note = "fork.json is evidence that the ledger's keys signed another history than this one: give it, and the ledger's pin, to a verifier";
            surplus.notes.push(note.to_owned());
        } else if [&layout::checkpoint(), &fork].iter().any(|file| name == file.with_extension("new")) {
            found.push((name.display().to_string(), Stray::LeftOver));
        } else if name != layout::checkpoint() && name != lock && name.as_os_str() != "tile" {
            surplus.faults.push(Fault::new(name.display().to_string(), "unknown", UNKNOWN));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// Whether a file is one that was being written.
fn unfinished(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "new")
}

/// What a file below `tile/` is, if it does not belong to a log of this size.
fn stray(size: TreeSize, path: &str) -> Option<Stray> {
    let Ok(tile) = TilePath::parse(path) else { return Some(Stray::LeftOver) };
    let covered = covered(size, &tile);
    match tile.width() {
        width if width == covered => None,
        FULL_WIDTH => Some(Stray::Beyond),
        width if width < covered && covered < FULL_WIDTH => Some(Stray::Outgrown),
        _ => Some(Stray::LeftOver),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_one_size_or_to_none() {
        let size = TreeSize(300);
        for (path, expected) in [
            ("tile/entries/000", None),
            ("tile/entries/001.p/44", None),
            ("tile/0/001.p/44", None),
            ("tile/1/000.p/1", None),
            ("tile/0/001.p/43", Some(Stray::Outgrown)),
            ("tile/entries/001.p/1", Some(Stray::Outgrown)),
            ("tile/0/001.p/45", Some(Stray::LeftOver)),
            ("tile/0/000.p/44", Some(Stray::LeftOver)),
            ("tile/0/002.p/1", Some(Stray::LeftOver)),
            ("tile/0/001.p/44.new", Some(Stray::LeftOver)),
            ("tile/0/001", Some(Stray::Beyond)),
            ("tile/entries/001", Some(Stray::Beyond)),
            ("tile/2/000", Some(Stray::Beyond)),
        ] {
            assert_eq!(stray(size, path), expected, "{path}");
        }
    }
}
