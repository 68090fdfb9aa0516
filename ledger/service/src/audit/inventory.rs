use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use gt_core::TreeSize;
use gt_core::tile::{FULL_WIDTH, HASH_LEN, MAX_LEVEL, parse_index_path, row_extent};

use super::folder::DataFolder;
use super::report::Fault;
use super::source::{MAX_BUNDLE, Surplus, leading_entries};
use crate::keyring::rekey::journal_file;
use crate::keyring::switch;
use crate::layout;

/// What bytes behind the last record that the checkpoint covers may be.
pub(super) const BEYOND: &str = "beyond the checkpoint: an interrupted write, which start-up removes or completes, or an older checkpoint was put back";
pub(super) const UNKNOWN: &str = "does not belong in the data folder";

/// What a file below `tile/` or `open/` holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Held {
    Entries(u64),
    Hashes(u8, u64),
}

/// A file that was found, by its path in the folder.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) len: u64,
}

/// What stands in `tile/` or `open/` without belonging to a log of this size.
pub(super) fn of_log(folder: &DataFolder, size: TreeSize) -> Surplus {
    let mut surplus = Surplus::default();
    // A full file is moved from open/ to tile/, so in this order none is seen twice that is there once.
    let full = files(folder, "tile", |name| held(name).is_some(), &mut surplus);
    let open = files(folder, "open", |name| held(name).is_some(), &mut surplus);
    let mut in_tile = HashSet::new();
    for found in full {
        let Some(held) = found.path.strip_prefix("tile/").and_then(held) else { continue };
        in_tile.insert(held);
        if covered(size, held) < FULL_WIDTH && !folder.is_running() {
            let what = "a full file beyond the checkpoint: an older checkpoint was put back";
            surplus.faults.push(Fault::new(found.path, "beyond_checkpoint", what));
        }
    }
    for found in open {
        let Some(held) = found.path.strip_prefix("open/").and_then(held) else { continue };
        if in_tile.contains(&held) {
            surplus.faults.push(Fault::new(found.path, "twice", "in tile/ as well"));
        } else {
            growing(folder, size, held, found, &mut surplus);
        }
    }
    if folder.is_running() {
        let note = "a ledger is running; what it is writing beyond the checkpoint was not checked";
        surplus.notes.push(note.to_owned());
    }
    surplus
}

/// A file in `open/` holds what the checkpoint covers and no more.
fn growing(folder: &DataFolder, size: TreeSize, held: Held, found: Found, surplus: &mut Surplus) {
    let width = covered(size, held);
    if width == FULL_WIDTH {
        let note =
            format!("{} is full and covered by the checkpoint; start-up moves it to tile/", found.path);
        surplus.notes.push(note);
    } else if !folder.is_running() {
        let covered = match held {
            Held::Hashes(..) => u64::from(width) * HASH_LEN as u64,
            Held::Entries(n) => match folder.part(&layout::open_entries(n), MAX_BUNDLE) {
                Ok(Some(part)) => leading_entries(&part.bytes, width) as u64,
                _ => return, // Reading the log says why.
            },
        };
        let beyond = found.len.saturating_sub(covered);
        if beyond > 0 || width == 0 {
            surplus.faults.push(Fault::new(
                found.path,
                "beyond_checkpoint",
                format!("{beyond} bytes {BEYOND}"),
            ));
        }
    }
}

/// What stands in `vault/` without belonging to a log of this size, or in `keyring/` without belonging there.
pub(super) fn of_vault_and_keyring(folder: &DataFolder, size: TreeSize) -> Surplus {
    let mut surplus = Surplus::default();
    let entries = row_extent(size, 0);
    for Found { path, .. } in files(folder, "vault", |name| parse_index_path(name).is_ok(), &mut surplus) {
        let n = path.strip_prefix("vault/").and_then(|name| parse_index_path(name).ok());
        if !folder.is_running() && n.is_some_and(|n| entries.width_of(n) == 0) {
            surplus.faults.push(Fault::new(path, "beyond_checkpoint", BEYOND));
        }
    }
    let erasing = [journal_file(), switch::file()].iter().any(|file| folder.root().join(file).exists());
    for Found { path, len } in files(folder, "keyring", |_| true, &mut surplus) {
        let name = path.strip_prefix("keyring/").unwrap_or(&path);
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let known = ["shards", "journal", "erasure", "switch", "retired"].contains(&name)
            || (name.len() == 2 && name.bytes().all(hex));
        let extension = Path::new(name).extension();
        let unfinished =
            extension.is_some_and(|extension| extension == "new" || (extension == "next" && !erasing));
        let known = known || extension.is_some_and(|extension| extension == "next");
        if name == "torn" {
            let note = format!("{path} holds {len} bytes of an interrupted write, set aside at start-up");
            surplus.notes.push(note);
        } else if unfinished && !folder.is_running() {
            let what =
                "left by an interrupted write; nothing reads it, and after an erasure it must not stay";
            surplus.faults.push(Fault::new(path, "left_over", what));
        } else if !known && !unfinished {
            surplus.faults.push(Fault::new(path, "unknown", UNKNOWN));
        }
    }
    surplus
}

/// The files below a folder; what has no place there is a fault. Only folders whose names can lead to a file of the ledger are
/// entered, so nobody's folders are gone through.
pub(super) fn files(
    folder: &DataFolder,
    top: &str,
    belongs: fn(&str) -> bool,
    surplus: &mut Surplus,
) -> Vec<Found> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        let entries = match fs::read_dir(folder.root().join(top).join(&below)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                surplus.faults.push(Fault::new(format!("{top}/{below}"), "unreadable", error.to_string()));
                continue;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let (inner, path) = (format!("{below}{name}"), format!("{top}/{below}{name}"));
            // What is gone since the folder was listed, a running ledger has moved.
            let Ok(about) = entry.metadata() else { continue };
            if about.is_file() && belongs(&inner) {
                found.push(Found { path, len: about.len() });
            } else if about.is_dir() && is_row(top, folder.is_mirror(), &inner) {
                folders.push(inner + "/");
            } else {
                surplus.faults.push(Fault::new(path, "unknown", UNKNOWN));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What the file with this name below `tile/` or `open/` holds.
pub(super) fn held(name: &str) -> Option<Held> {
    let (row, index) = name.split_once('/')?;
    let index = parse_index_path(index).ok()?;
    if row == "entries" {
        Some(Held::Entries(index))
    } else {
        level(row).map(|level| Held::Hashes(level, index))
    }
}

fn level(text: &str) -> Option<u8> {
    text.parse().ok().filter(|level: &u8| *level <= MAX_LEVEL && level.to_string() == text)
}

/// Whether files of the ledger stand below a folder of this name. In a mirror partial ones have folders of their own.
fn is_row(folder: &str, mirror: bool, name: &str) -> bool {
    if mirror && let Some(of) = name.strip_suffix(".p") {
        return held(of).is_some();
    }
    let mut parts = name.split('/');
    let rows = ["tile", "open"].contains(&folder);
    let first = !rows || parts.next().is_some_and(|row| row == "entries" || level(row).is_some());
    let thousand = |part: &str| {
        part.len() == 4 && part.starts_with('x') && part[1..].bytes().all(|b| b.is_ascii_digit())
    };
    folder != "keyring" && first && name.split('/').count() <= 8 && parts.all(thousand)
}

/// How much of a file a checkpoint of this size covers, in entries or hashes.
pub(super) fn covered(size: TreeSize, held: Held) -> u16 {
    match held {
        Held::Entries(n) => row_extent(size, 0).width_of(n),
        Held::Hashes(level, n) => row_extent(size, level).width_of(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ledgers_own_names_are_known() {
        assert_eq!(held("entries/x001/000"), Some(Held::Entries(1000)));
        assert_eq!(held("1/000"), Some(Held::Hashes(1, 0)));
        for name in
            ["entries", "entries/0", "01/000", "64/000", "+1/000", "entries/000.p", "x/000", "0/x000/001"]
        {
            assert_eq!(held(name), None, "{name}");
        }
        for (name, of_a_mirror) in
            [("0/001.p", true), ("entries/x001/000.p", true), ("0/1.p", false), (".p", false)]
        {
            assert_eq!(
                (is_row("tile", true, name), is_row("tile", false, name)),
                (of_a_mirror, false),
                "{name}"
            );
        }
        for (folder, name, known) in [
            ("tile", "entries", true),
            ("tile", "0/x001", true),
            ("tile", "x001", false),
            ("open", "64", false),
            ("vault", "x001/x002", true),
            ("vault", "0", false),
            ("keyring", "x001", false),
            ("vault", "xé1", false),
        ] {
            assert_eq!(is_row(folder, false, name), known, "{folder}/{name}");
        }
    }
}
