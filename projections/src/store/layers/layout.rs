//! What of the layers sled holds besides the runs: the layout, which names them, and the journal.

use std::sync::Arc;

use gt_core::Hash;
use sled::Tree;

use super::{Limits, State, Writing, size};
use crate::bytes::{Reader, Writer};
use crate::store::block::{Packing, Unpacking};
use crate::store::run::{Change, PARTS, Run, name};
use crate::store::{StoreError, damaged};

pub(super) const LAYOUT: &[u8] = b"L";
pub(super) const JOURNAL: u8 = b'J';

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

/// Removes runs that were being written or removed when the process ended: all but those with these numbers.
pub(super) fn remove_leftovers(tree: &Tree, named: &[u64]) -> Result<(), StoreError> {
    for tag in PARTS {
        let mut from = name(tag, 0, 0);
        while let Some((found, _)) = tree.range(&from[..]..).next().transpose()? {
            let id = found.get(1..9).and_then(|id| id.try_into().ok()).map(u64::from_be_bytes);
            let Some(id) = id.filter(|_| found[0] == tag) else { break };
            let end = name(tag, id.checked_add(1).ok_or_else(damaged)?, 0);
            if !named.contains(&id) {
                remove(tree, &name(tag, id, 0), &end)?;
            }
            from = end;
        }
    }
    Ok(())
}

/// The layout's hash stands before it, so that damage shows.
pub(super) fn write_layout(tree: &Tree, runs: &[Arc<Run>], writing: &Writing) -> Result<(), StoreError> {
    let layout = Writer::default()
        .number(writing.next_run)
        .number(writing.journal.start)
        .list(runs.iter(), |writer, run| Run::write(writer, run))
        .optional(writing.listed.as_deref(), Run::write)
        .finish();
    tree.insert(LAYOUT, [Hash::of(&layout).as_bytes().as_slice(), &layout].concat())?;
    Ok(())
}

pub(super) fn read_layout(tree: &Tree, limits: Limits) -> Result<(Vec<Arc<Run>>, Writing), StoreError> {
    let mut writing =
        Writing { next_run: 0, journal: 0..0, is_journalled: true, recent_bytes: 0, listed: None, limits };
    let Some(bytes) = tree.get(LAYOUT)? else { return Ok((Vec::new(), writing)) };
    let (hash, layout) = bytes.split_first_chunk::<32>().ok_or_else(damaged)?;
    if Hash::of(layout).as_bytes() != hash {
        return Err(damaged());
    }
    let mut reader = Reader::new(layout);
    let mut number = || reader.number().ok_or_else(damaged);
    let (next_run, start, count) = (number()?, number()?, number()?);
    (writing.next_run, writing.journal) = (next_run, start..start);
    let runs = (0..count).map(|_| Run::read(tree, &mut reader).map(Arc::new)).collect::<Result<_, _>>()?;
    if reader.flag().ok_or_else(damaged)? {
        writing.listed = Some(Arc::new(Run::read(tree, &mut reader)?));
    }
    reader.finish(()).ok_or_else(damaged)?;
    Ok((runs, writing))
}
