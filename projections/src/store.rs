//! The rows, in sled and in files beside it; nothing else in this crate knows either.
//!
//! - **Durability**: none is needed. Whatever is lost is built again from the log. A flush happens on a schedule and
//!   at the end. sled recovers a prefix of the writes, so the position, written last, never stands before its rows; and a file is durable
//!   before sled names it.
//! - **Rebuilding**: a store that cannot be opened, has another format or a damaged position, or in which a damaged row
//!   was found, is deleted, and the caller is told. Deleted are only the folders that this module made, inside the one that
//!   it was given. That a row was damaged is noted in a file beside the rows, for sled may take no more writes then.
//! - **Panics**: sled answers some damage with one. None leaves this module; it is damage.
//! - **Layers**: rows of late are in sled's journal and in memory, all others in files ([`layers`]); a batch is there with its position, or not at all.
//! - **Concurrency**: one writer; any number of readers, who must leave out rows at or above the position.

mod block;
mod filter;
mod layers;
mod opening;
mod run;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

use crate::head::Head;
use crate::key::{self, Key};
use layers::Layers;
use opening::{
    Unusable, examined, lock, open_database, open_layers, remove_folders, remove_layers, wait_for_release,
};
use run::{Change, Span};

/// A key and its value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// The view store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another projector of this one, has the views open.
    #[error("the views are in use by another process")]
    InUse,
    /// The folder cannot be created, locked or deleted.
    #[error("the folder of the views cannot be used")]
    Folder(#[source] io::Error),
    /// A row could not be read or written.
    #[error("the view store failed")]
    Rows(#[source] sled::Error),
    /// A file with rows could not be read or written.
    #[error("a file of the views could not be read or written")]
    Run(#[source] io::Error),
    /// A row does not hold what belongs there. The next [`crate::Projector::open`] rebuilds.
    #[error("a row of {table} is damaged")]
    Damaged {
        /// What the row belongs to.
        table: &'static str,
    },
}

/// Why the views start again from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildReason {
    /// The store could not be opened.
    OpenFailed,
    /// It was written by another version of the views, or with other thresholds.
    OtherFormat,
    /// The position is damaged, or a damaged row was found.
    Damaged,
}

/// Reading rows: from the store, or from the store under a batch that is not written yet.
pub(crate) trait Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The rows whose keys start so, in order.
    fn starting_with(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreError>;
}

/// One set of rows. While the views are folded anew there are two, in trees of one database.
///
/// Fields are dropped in order: the lock must outlive whatever writes in the folder.
#[derive(Clone)]
pub(crate) struct Store {
    layers: Arc<Layers>,
    inner: Arc<Inner>,
}

/// The set of rows from which questions are answered.
#[derive(Clone)]
pub(crate) struct Current(Arc<RwLock<Store>>);

/// Fields are dropped in order: the lock must outlive the database.
struct Inner {
    db: sled::Db,
    /// Where the runs are, those of each tree in a folder.
    runs: PathBuf,
    /// Where it is noted that the rows are damaged: beside the database, which may take no more writes.
    condemned: PathBuf,
    _lock: File,
}

/// How sled is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) cache_bytes: u64,
    pub(crate) flush_every_ms: u64,
}

const FOLDER: &str = "rows.sled";
const RUNS: &str = "rows.runs";
const LOCK: &str = "rows.lock";
const CONDEMNED: &str = "rows.damaged";
const FORMAT: &[u8] = b"\0format";
const POSITION: &[u8] = b"\0position";
/// In the database's own tree: the name of the one that questions are answered from. The first, if it is not there.
const SHOWN: &[u8] = b"\0shown";
const TREES: [&str; 2] = ["rows-1", "rows-2"];
/// How many rows a range reads at first, and from then on.
const FEW: usize = 32;
const MANY: usize = 512;
/// No key is as long.
const MOST_KEY: usize = 128;

impl Store {
    /// Opens the store below `folder`, or starts an empty one. `format` is what its content depends on besides the
    /// log.
    pub(crate) fn open(
        folder: &Path,
        format: &[u8],
        settings: Settings,
    ) -> Result<(Self, Head, Option<RebuildReason>), StoreError> {
        let lock = lock(folder)?;
        let (rows, runs) = (folder.join(FOLDER), folder.join(RUNS));
        let config = sled::Config::new()
            .path(&rows)
            .cache_capacity(settings.cache_bytes)
            .flush_every_ms(Some(settings.flush_every_ms.max(1)));
        let condemned = folder.join(CONDEMNED);
        let store = |db, layers| {
            let inner = Inner { db, runs: runs.clone(), condemned: condemned.clone(), _lock: lock };
            Self { layers: Arc::new(layers), inner: Arc::new(inner) }
        };
        let reason = if rows.exists() {
            wait_for_release(&rows)?;
            let reason = match examined(&config, &runs, &condemned, format) {
                Ok((head, db, layers)) => return Ok((store(db, layers), head, None)),
                Err(Unusable::Rebuild(reason)) => reason,
                Err(Unusable::Failed(error)) => return Err(error),
            };
            wait_for_release(&rows)?;
            Some(reason)
        } else {
            None
        };
        remove_folders([&runs, &rows])?;
        if condemned.exists() {
            fs::remove_file(&condemned).map_err(StoreError::Folder)?;
        }
        let db = open_database(&config).map_err(StoreError::Rows)?;
        let layers = open_layers(&db, &runs, TREES[0])?;
        layers.apply(first_rows(format.to_vec(), &Head::empty()))?;
        Ok((store(db, layers), Head::empty(), reason))
    }

    /// An empty set of rows beside this one, from which nothing is answered yet.
    pub(crate) fn anew(&self, head: &Head) -> Result<Self, StoreError> {
        let other = if *self.layers.tree().name() == *TREES[0].as_bytes() { TREES[1] } else { TREES[0] };
        let Inner { db, runs, .. } = &*self.inner;
        let layers = guarded(&self.inner, || {
            remove_layers(db, runs, other)?;
            let layers = open_layers(db, runs, other)?;
            let format = self.layers.get(FORMAT)?.ok_or_else(damaged)?;
            layers.apply(first_rows(format, head))?;
            Ok(layers)
        })?;
        Ok(Self { layers: Arc::new(layers), inner: Arc::clone(&self.inner) })
    }

    /// From the next opening on these are the rows.
    pub(crate) fn show(&self) -> Result<(), StoreError> {
        self.guarded(|layers| {
            // Its rows first, so that no opening finds it without them.
            layers.settle()?;
            self.inner.db.flush()?;
            self.inner.db.insert(SHOWN, layers.tree().name())?;
            self.inner.db.flush()?;
            Ok(())
        })
    }

    /// Removes these rows for good. A question that is still on its way through them keeps what it has open.
    pub(crate) fn give_up(self) -> Result<(), StoreError> {
        self.guarded(|layers| {
            layers.stop_merging();
            self.inner.db.drop_tree(layers.tree().name())?;
            self.inner.db.flush()?;
            remove_folders([layers.folder()])
        })
    }

    /// Another head, while there are no rows.
    pub(crate) fn begin(&self, head: &Head) -> Result<(), StoreError> {
        self.write(Vec::new(), Vec::new(), head)
    }

    /// Deletes the store below `folder`.
    pub(crate) fn discard(folder: &Path) -> Result<(), StoreError> {
        let _lock = lock(folder)?;
        let rows = folder.join(FOLDER);
        wait_for_release(&rows)?;
        remove_folders([&folder.join(RUNS), &rows])
    }

    /// Writes rows and the position, and removes rows: all of it, or nothing.
    pub(crate) fn write(&self, rows: Vec<Row>, gone: Vec<Key>, head: &Head) -> Result<(), StoreError> {
        let written = rows.into_iter().map(|(key, value)| (key, Some(value)));
        let removed = gone.into_iter().map(|key| (key, None));
        let position = std::iter::once((POSITION.to_vec(), Some(head.encode())));
        let changes: Vec<Change> = written.chain(removed).chain(position).collect();
        self.guarded(|layers| layers.apply(changes))
    }

    /// Where the views stand.
    pub(crate) fn head(&self) -> Result<Head, StoreError> {
        let row = self.guarded(|layers| layers.get(POSITION))?;
        row.and_then(|bytes| Head::decode(&bytes)).ok_or(StoreError::Damaged { table: "position" })
    }

    /// Rows from the key `from` to the key `to`, both included, from either side.
    pub(crate) fn range(
        &self,
        from: Key,
        to: Key,
        backwards: bool,
    ) -> impl Iterator<Item = Result<Row, StoreError>> + use<'_> {
        // No range has its ends in the wrong order.
        let mut rest = (from <= to).then_some((from, to));
        let (mut rows, mut most, mut last) = (VecDeque::new(), FEW, None);
        std::iter::from_fn(move || {
            loop {
                if let Some(row) = rows.pop_front() {
                    return Some(Ok(row));
                }
                let (from, to) = rest.take()?;
                let span = Span { from: &from, to: &to, most, backwards };
                match self.guarded(|layers| layers.span(span)) {
                    Ok((found, end)) => {
                        // It goes on with the row that ended it.
                        let fresh = |(key, _): &Row| last.as_ref() != Some(key);
                        rows.extend(found.into_iter().filter(fresh));
                        rest = end.clone().map(|end| if backwards { (from, end) } else { (end, to) });
                        (most, last) = (MANY, end);
                    }
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    /// The first key from this one on.
    pub(crate) fn first_from(&self, from: &[u8]) -> Result<Option<Key>, StoreError> {
        let row = self.range(from.to_vec(), vec![0xff; MOST_KEY], false).next().transpose()?;
        Ok(row.map(|(key, _)| key))
    }

    /// Removes rows that say nothing any more.
    pub(crate) fn remove(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), StoreError> {
        let changes: Vec<Change> = keys.into_iter().map(|key| (key, None)).collect();
        if changes.is_empty() { Ok(()) } else { self.guarded(|layers| layers.apply(changes)) }
    }

    /// Makes the next opening rebuild, after a damaged row was found.
    pub(crate) fn condemn(&self) -> Result<(), StoreError> {
        File::create(&self.inner.condemned).map(drop).map_err(StoreError::Folder)
    }

    /// Asks these rows something.
    fn guarded<T>(&self, ask: impl FnOnce(&Layers) -> Result<T, StoreError>) -> Result<T, StoreError> {
        guarded(&self.inner, || ask(&self.layers))
    }

    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.settle()?;
        self.guarded(|_| Ok(self.inner.db.flush().map(drop)?))
    }

    /// Hands everything to sled, which writes it out on its schedule, and when it is closed, and to files.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        self.guarded(Layers::settle)
    }

    /// All rows, each with its lengths before it: the same for the same log.
    pub(crate) fn dump(&self) -> Result<Vec<u8>, StoreError> {
        let mut dump = Vec::new();
        for row in self.range(Vec::new(), vec![0xff; MOST_KEY], false) {
            let (key, value) = row?;
            for part in [key, value] {
                dump.extend_from_slice(&(part.len() as u64).to_be_bytes());
                dump.extend_from_slice(&part);
            }
        }
        Ok(dump)
    }
}

/// What is in a new set of rows.
fn first_rows(format: Vec<u8>, head: &Head) -> Vec<Change> {
    vec![(FORMAT.to_vec(), Some(format)), (POSITION.to_vec(), Some(head.encode()))]
}

const fn damaged() -> StoreError {
    StoreError::Damaged { table: "rows" }
}

/// sled says that its file is damaged, or that it has met what it holds to be impossible.
impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => damaged(),
            other => Self::Rows(other),
        }
    }
}

impl From<block::Damaged> for StoreError {
    fn from(_: block::Damaged) -> Self {
        damaged()
    }
}

/// Asks sled something. It answers some damage with a panic instead of an error; none escapes.
fn guarded<T>(inner: &Inner, ask: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let answer = panic::catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| Err(damaged()));
    if let Err(StoreError::Damaged { .. }) = &answer {
        File::create(&inner.condemned).map_err(StoreError::Folder)?;
    }
    answer
}

impl Current {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(RwLock::new(store)))
    }

    /// The rows to answer a whole question from, whatever is shown meanwhile.
    pub(crate) fn store(&self) -> Store {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers from other rows from now on, and returns those from before.
    pub(crate) fn replace(&self, store: Store) -> Store {
        std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), store)
    }
}

impl Rows for Store {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.guarded(|layers| layers.get(key))
    }

    fn starting_with(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreError> {
        let after = key::after(prefix);
        let span = Span { from: prefix, to: &after, most: usize::MAX, backwards: false };
        self.guarded(|layers| layers.span(span)).map(|(rows, _)| rows)
    }
}
