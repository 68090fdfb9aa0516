//! The writer of the views.

use std::path::Path;
use std::sync::Arc;

use gt_core::Hash;
use gt_core::position::{LeafIndex, TreeSize};
use gt_ledger::record::Record;
use gt_schemas::Configuration;

use crate::alerts::AlertChange;
use crate::event::{ContextNaming, ReadRecord, Readings};
use crate::fold::{Cache, Fold};
use crate::head::{AsOf, Head};
use crate::open;
use crate::queries::Queries;
use crate::store::{Current, RebuildReason, Settings, Store, StoreError};

/// How the views are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// sled's cache, in bytes.
    pub cache_bytes: u64,
    /// How often rows are written out, in milliseconds. What a crash loses is folded again.
    pub flush_every_ms: u64,
    /// The rules until the log says others. Views that were made with others are built again.
    pub rules: Arc<Configuration>,
}

impl Default for Options {
    /// 128 MB of cache (DESIGN section 7), a flush every two seconds, the standard configuration.
    fn default() -> Self {
        let rules = Arc::new(Configuration::standard());
        Self { cache_bytes: 128 * 1024 * 1024, flush_every_ms: 2000, rules }
    }
}

/// Folds the log into the views. There is one for a folder.
pub struct Projector {
    store: Store,
    /// What the handles for asking answer from: these rows, unless they are still being folded anew.
    current: Current,
    /// Rows that nobody is to ask any more; a question may still be on its way through them.
    retired: Option<Store>,
    head: Head,
    /// In force.
    rules: Arc<Configuration>,
    /// In force until the log said others.
    default_rules: Arc<Configuration>,
    /// Taken while a batch is folded; lost with one that failed, and then read again.
    cache: Option<Cache>,
}

/// The views, opened.
pub struct Opened {
    /// The projector, at its position.
    pub projector: Projector,
    /// Whether what was there had to be thrown away. The position is then 0, and the caller applies the log from its
    /// start.
    pub rebuilt: Option<RebuildReason>,
}

/// Records could not be applied. Nothing is lost: the position is where it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A record is missing, or they are out of order.
    #[error("entry {found} was given where entry {expected} belongs")]
    Gap {
        /// The index that belongs here.
        expected: LeafIndex,
        /// The index found.
        found: LeafIndex,
    },
    /// The head is not the one to which the records lead.
    #[error("the records lead to a tree of size {expected}, and the head has size {found}")]
    Head {
        /// The size to which the records lead.
        expected: TreeSize,
        /// The head's size.
        found: TreeSize,
    },
    /// An erasure ended what these views may have read: they are to be folded anew ([`Projector::anew`]).
    #[error("entry {by} ended what the views have read, so they have to be folded anew")]
    Erased {
        /// The entry that sealed it.
        by: LeafIndex,
    },
    /// The view store failed. After [`StoreError::Damaged`] the next opening rebuilds.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The version of the rows. Any change of what is stored, or of what is read from a record, needs another one.
const FORMAT: &str = "gt/views/10";

impl Projector {
    /// Opens the views in a folder, which is created if need be. Views that cannot be opened, that another version
    /// wrote or whose position is damaged are thrown away: the log has everything that they had.
    pub fn open(folder: &Path, options: Options) -> Result<Opened, StoreError> {
        let settings = Settings { cache_bytes: options.cache_bytes, flush_every_ms: options.flush_every_ms };
        let rules = serde_json::to_string(&*options.rules).expect("a configuration serialises");
        let format = format!("{FORMAT} {}", Hash::of(rules.as_bytes()));
        let (store, head, rebuilt) = Store::open(folder, format.as_bytes(), settings)?;
        match open::restore(&store, &head, &options.rules) {
            Ok((cache, rules)) => {
                if let Some(reason) = rebuilt {
                    tracing::warn!(?reason, "the views start again from the first entry");
                }
                let projector = Self {
                    current: Current::new(store.clone()),
                    retired: None,
                    store,
                    head,
                    rules,
                    default_rules: options.rules,
                    cache: Some(cache),
                };
                Ok(Opened { projector, rebuilt })
            }
            Err(StoreError::Damaged { table }) if rebuilt.is_none() => {
                tracing::warn!(table, "a row of the views is damaged");
                store.condemn()?;
                drop(store);
                // Finds it condemned, and starts with nothing.
                Self::open(folder, options)
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes the views in a folder, so that the next opening begins with the first entry. Nothing else in it is touched.
    pub fn discard(folder: &Path) -> Result<(), StoreError> {
        Store::discard(folder)
    }

    /// The latest erasure that was sealed when the folding of these views began.
    pub fn erased_at(&self) -> Option<LeafIndex> {
        self.head.erased_at.map(LeafIndex)
    }

    /// Says, before the first record, that all records are read without what the erasures up to this entry ended.
    pub fn begin(&mut self, erased_at: Option<LeafIndex>) -> Result<(), StoreError> {
        if self.position() == TreeSize(0) {
            self.head.erased_at = erased_at.map(|index| index.0);
            self.store.begin(&self.head)?;
        }
        Ok(())
    }

    /// Views from the first record on, beside these, which go on to answer until [`Self::show`]. After an erasure: what it ended cannot be
    /// read any more, so what comes out is what a rebuild gives.
    pub fn anew(&self, erased_at: Option<LeafIndex>) -> Result<Self, StoreError> {
        let head = Head { erased_at: erased_at.map(|index| index.0), ..Head::empty() };
        let store = self.store.anew(&head)?;
        let (cache, rules) = open::restore(&store, &head, &self.default_rules)?;
        Ok(Self {
            store,
            current: self.current.clone(),
            retired: None,
            head,
            rules,
            default_rules: Arc::clone(&self.default_rules),
            cache: Some(cache),
        })
    }

    /// Has all handles answer from these views, and the ones from before deleted.
    pub fn show(&mut self) -> Result<(), StoreError> {
        self.store.show()?;
        self.retired = Some(self.current.replace(self.store.clone()));
        Ok(())
    }

    /// Deletes the views that [`Self::show`] has put out of use, now and not with the next record: what was erased is in them.
    pub fn remove_retired(&mut self) -> Result<(), StoreError> {
        self.retired.take().map_or(Ok(()), Store::give_up)
    }

    /// How many entries the views reflect; the index of the next record to apply.
    pub fn position(&self) -> TreeSize {
        self.head.as_of.tree_size
    }

    /// Reads records and applies them, as [`Self::apply_readings`] does.
    pub fn apply(
        &mut self,
        records: &[Record],
        head: AsOf,
        naming: &dyn ContextNaming,
    ) -> Result<Vec<AlertChange>, ApplyError> {
        self.apply_readings(Readings::of(records, naming), head)
    }

    /// Applies the records that follow the position. Records below it are passed over, so applying some twice changes
    /// nothing.
    ///
    /// `head` is the tree after the last record; if all records lie below the position it is not looked at. Answers
    /// change at once, when the whole batch is in. Returned are the alerts that changed, in the order of the entries
    /// that caused it.
    pub fn apply_readings(
        &mut self,
        Readings(mut records): Readings,
        head: AsOf,
    ) -> Result<Vec<AlertChange>, ApplyError> {
        let position = self.position();
        let known = records.iter().take_while(|record| position.contains(record.index)).count();
        let fresh = records.split_off(known);
        let Some(last) = fresh.last() else { return Ok(Vec::new()) };
        self.remove_retired()?;
        for (record, expected) in fresh.iter().zip(position.0..) {
            let (expected, found) = (LeafIndex(expected), record.index);
            if found != expected {
                return Err(ApplyError::Gap { expected, found });
            }
        }
        let newer = |index: LeafIndex| self.erased_at().is_none_or(|known| index > known);
        if let Some(erasure) = fresh.iter().rev().find(|record| record.erases && newer(record.index)) {
            return Err(ApplyError::Erased { by: erasure.index });
        }
        let expected = last.index.size_through();
        if head.tree_size != expected {
            return Err(ApplyError::Head { expected, found: head.tree_size });
        }
        let applied = self.fold(fresh, head);
        if let Err(StoreError::Damaged { .. }) = &applied {
            self.store.condemn()?;
        }
        Ok(applied?)
    }

    /// A handle for asking. It can be cloned, and used while this projector goes on.
    pub fn queries(&self) -> Queries {
        Queries::new(self.current.clone(), Arc::clone(&self.default_rules))
    }

    /// Hands to sled, or to files, what is only held in memory, so that a process that is killed loses as little as if its entries had come one by one. After
    /// catching up.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.store.settle()
    }

    /// Writes everything out. What is not written out because the projector was dropped without this, or the process killed, is folded
    /// again after the next opening: the latest 8 MB of rows at most, and of a few entries that came one by one nothing.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.remove_retired()?;
        self.store.flush()
    }

    /// All rows as bytes: the same for the same log and options, however it was cut into batches. For comparing
    /// views.
    pub fn dump(&self) -> Result<Vec<u8>, StoreError> {
        self.store.dump()
    }

    fn fold(&mut self, records: Vec<ReadRecord>, as_of: AsOf) -> Result<Vec<AlertChange>, StoreError> {
        // Taken out first: after a failure it is read again from what was written.
        let cache = match self.cache.take() {
            Some(cache) => cache,
            None => open::restore(&self.store, &self.head, &self.default_rules)?.0,
        };
        let rules = (Arc::clone(&self.rules), self.head.rules_from);
        let mut fold = Fold::new(&self.store, rules, self.head.unread.clone(), cache);
        for record in records {
            fold.record(record)?;
        }
        let folded = fold.finish();
        let (rules_from, erased_at) = (folded.rules_from, self.head.erased_at);
        let head = Head { as_of, unread: folded.unread, rules_from, erased_at };
        self.store.write(folded.rows, folded.gone, &head)?;
        (self.head, self.rules, self.cache) = (head, folded.rules, Some(folded.cache));
        Ok(folded.changes)
    }
}
