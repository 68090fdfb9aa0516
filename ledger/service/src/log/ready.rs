//! A checkpoint that was durable before it bore its name: receipts rest on it, and a crash may have left the older one in its place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::entry::Entry;
use gt_core::tree::leaf_hash;
use gt_core::{Hash, TreeSize};

use super::recover::{MAX_TAIL, RecoverError, io_error, whole_prefix};
use crate::disk::{Disk, read_if_there};
use crate::layout::{self, BUNDLE};
use crate::vault::{VaultRecord, frame_len};

/// A file, and what it holds.
type Held = (PathBuf, Vec<u8>);

/// The newer of a folder's two checkpoints, put in force durably. Both are signed by the ledger; `beside` is what lies beside the one
/// in force, which is older than that, or covers one batch more. It counts only if every entry that it covers beyond the other is there, with its
/// vault record, whole: a batch's checkpoint is made durable together with the batch, and a crash may have left the one without the other.
pub fn newest(
    disk: &mut Disk,
    in_force: SignedCheckpoint,
    beside: Option<SignedCheckpoint>,
) -> Result<SignedCheckpoint, RecoverError> {
    let checkpoint = layout::checkpoint();
    let ready = beside.map(|beside| Ok((files_if_newer(disk.root(), &in_force, &beside)?, beside)));
    let Some((Some(files), beside)) = ready.transpose()? else {
        // A process that was killed between renaming the checkpoint and making that durable left one that a power cut can still take
        // back. Receipts are going to rest on it.
        disk.sync(&checkpoint)
            .and_then(|()| disk.sync_folder(Path::new("")))
            .map_err(io_error(&checkpoint))?;
        return Ok(in_force);
    };
    // What was read need not be on the disk, and after an `fsync` that failed, another one of the same file proves nothing. So the
    // same bytes are written once more, in their places.
    for (file, bytes) in &files {
        disk.overwrite(file, bytes).map_err(io_error(file))?;
    }
    let folders: BTreeSet<&Path> = files.iter().flat_map(|(file, _)| file.ancestors().skip(1)).collect();
    let folders: Vec<PathBuf> = folders.into_iter().map(Path::to_owned).collect();
    disk.sync_together(&[], &folders)
        .and_then(|()| disk.replace(&checkpoint, beside.to_string().as_bytes()))
        .map_err(io_error(&checkpoint))?;
    Ok(beside)
}

/// What holds that which a checkpoint covers beyond the one in force, if it is newer by a batch and all of it is there.
fn files_if_newer(
    root: &Path,
    in_force: &SignedCheckpoint,
    beside: &SignedCheckpoint,
) -> Result<Option<Vec<Held>>, RecoverError> {
    let (from, to) = (in_force.checkpoint().size(), beside.checkpoint().size());
    if to <= from || to.0 - from.0 > MAX_TAIL {
        return Ok(None);
    }
    files_of(root, from, to)
}

/// The growing files that hold these entries and their vault records, with what they hold; `None` if something of it is missing or torn.
///
/// The chain of entries is followed from the first one that has another before it in these files; that all of them give the checkpoint's
/// root is held against it by [`recover`](super::recover).
fn files_of(root: &Path, from: TreeSize, to: TreeSize) -> Result<Option<Vec<Held>>, RecoverError> {
    let (mut files, mut before) = (Vec::new(), None);
    for bundle in from.0 / BUNDLE..=(to.0 - 1) / BUNDLE {
        for file in [layout::open_entries(bundle), layout::vault(bundle)] {
            let Some(bytes) = read_if_there(&root.join(&file)).map_err(io_error(&file))? else {
                return Ok(None);
            };
            files.push((file, bytes));
        }
        let [.., (_, entries), (_, records)] = &files[..] else { return Ok(None) };
        before = read_bundle(entries, records, bundle, (from, to), before);
        if before.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(files))
}

/// Looks at a bundle's entries below `to`, and returns the last one's leaf hash; `None` if one from `from` on is not whole.
fn read_bundle(
    entries: &[u8],
    mut records: &[u8],
    bundle: u64,
    (from, to): (TreeSize, TreeSize),
    mut before: Option<Hash>,
) -> Option<Hash> {
    let whole = whole_prefix(entries)?;
    let end = to.0.min((bundle + 1) * BUNDLE);
    let mut whole = whole.into_iter();
    for index in bundle * BUNDLE..end {
        let bytes = whole.next()?;
        let leaf = leaf_hash(bytes);
        let length = if index < from.0 {
            frame_len(records).ok()?
        } else {
            let entry = Entry::parse(bytes).ok()?;
            let follows = before.is_none_or(|before| entry.prev == before);
            if entry.index.0 != index || !follows {
                return None;
            }
            VaultRecord::decode(records, &leaf).ok()?.1
        };
        records = &records[length..];
        before = Some(leaf);
    }
    before
}
