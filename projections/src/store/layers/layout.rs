//! What of the layers sled holds besides the runs: the layout, which names them, and the journal.

use std::path::Path;
use std::sync::Arc;

use gt_core::Hash;
use sled::Tree;

use super::{Limits, State, Writing, size};
use crate::bytes::{Reader, Writer};
use crate::store::block::{Packing, Unpacking};
use crate::store::run::{self, Change, Named, Run};
use crate::store::{StoreError, damaged};

/// Not `L`: rows that were stored so are of another format, and not damaged.
pub(super) const LAYOUT: &[u8] = b"R";
pub(super) const JOURNAL: u8 = b'J';

/// The name of a row of sled's: a part of a batch of the journal.
pub(super) fn name(tag: u8, batch: u64, part: u64) -> [u8; 17] {
    let mut name = [tag; 17];
    name[1..9].copy_from_slice(&batch.to_be_bytes());
    name[9..].copy_from_slice(&part.to_be_bytes());
    name
}

/// Writes a batch to the journal.
pub(super) fn journal(tree: &Tree, number: u64, changes: &[Change]) -> Result<(), StoreError> {
    let (mut blocks, mut packing) = (Vec::new(), Packing::default());
    for (key, value) in changes {
        if !packing.add(key, value.as_deref()) {
            blocks.push(packing.take());
            packing.add(key, value.as_deref());
        }
    }
    blocks.push(packing.take());
    for (part, block) in blocks.into_iter().enumerate().rev() {
        tree.insert(name(JOURNAL, number, part as u64), block)?;
    }
    Ok(())
}

/// Reads what the journal has, removes what it has of a batch that did not come to its end, and returns the size of what was read.
pub(super) fn replay(
    tree: &Tree,
    journal: &mut std::ops::Range<u64>,
    state: &mut State,
) -> Result<usize, StoreError> {
    let mut bytes = 0;
    while tree.contains_key(name(JOURNAL, journal.end, 0))? {
        for row in tree.scan_prefix(&name(JOURNAL, journal.end, 0)[..9]) {
            let (_, block) = row?;
            let mut rows = Unpacking::new(&block);
            while let Some((key, value)) = rows.next()? {
                let change = (key.to_vec(), value.map(<[u8]>::to_vec));
                bytes += size(&change);
                state.take([change]);
            }
        }
        journal.end += 1;
    }
    remove(tree, &[JOURNAL], &name(JOURNAL, journal.start, 0))?;
    remove(tree, &name(JOURNAL, journal.end, 0), &[JOURNAL + 1])?;
    Ok(bytes)
}

/// Removes the rows of sled's from one name to below another.
pub(super) fn remove(tree: &Tree, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
    for name in tree.range(from..to).keys() {
        tree.remove(name?)?;
    }
    Ok(())
}

/// Removes runs that were being written or removed when the process ended: all that the layout does not name.
pub(super) fn remove_leftovers(
    tree: &Tree,
    folder: &Path,
    runs: &[Arc<Run>],
    writing: &Writing,
) -> Result<(), StoreError> {
    let is_named = |id: &u64| runs.iter().chain(&writing.listed).any(|run| run.id == *id);
    let leftovers: Vec<u64> = run::in_folder(folder)?.into_iter().filter(|id| !is_named(id)).collect();
    if !leftovers.is_empty() {
        // The layout that was read may not be durable yet, and one before it may name some of them.
        write_layout(tree, runs, writing)?;
        tree.flush()?;
    }
    leftovers.into_iter().try_for_each(|id| run::remove(folder, id))
}

/// The layout's hash stands before it, so that damage shows.
pub(super) fn write_layout(tree: &Tree, runs: &[Arc<Run>], writing: &Writing) -> Result<(), StoreError> {
    let layout = Writer::default()
        .number(writing.next_run)
        .number(writing.journal.start)
        .list(runs.iter(), |writer, run| run.write(writer))
        .optional(writing.listed.as_ref(), |writer, run| run.write(writer))
        .finish();
    tree.insert(LAYOUT, [Hash::of(&layout).as_bytes().as_slice(), &layout].concat())?;
    Ok(())
}

pub(super) fn read_layout(
    tree: &Tree,
    folder: &Path,
    limits: Limits,
) -> Result<(Vec<Arc<Run>>, Writing), StoreError> {
    let mut writing = Writing {
        next_run: 0,
        journal: 0..0,
        is_journalled: true,
        recent_bytes: 0,
        listed: None,
        merging: None,
        gone: Vec::new(),
        limits,
    };
    let Some(bytes) = tree.get(LAYOUT)? else { return Ok((Vec::new(), writing)) };
    let (hash, layout) = bytes.split_first_chunk::<32>().ok_or_else(damaged)?;
    if Hash::of(layout).as_bytes() != hash {
        return Err(damaged());
    }
    let mut reader = Reader::new(layout);
    let mut number = || reader.number().ok_or_else(damaged);
    let (next_run, start) = (number()?, number()?);
    let runs = reader.list(Named::read).ok_or_else(damaged)?;
    let listed = reader.optional(Named::read).ok_or_else(damaged)?;
    reader.finish(()).ok_or_else(damaged)?;
    (writing.next_run, writing.journal) = (next_run, start..start);
    let open = |named: Named| named.open(folder).map(Arc::new);
    writing.listed = listed.map(open).transpose()?;
    Ok((runs.into_iter().map(open).collect::<Result<_, _>>()?, writing))
}
