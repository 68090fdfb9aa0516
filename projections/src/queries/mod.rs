//! Asking the views.
//!
//! A query takes the position first and then sees only rows of entries below it, so an answer is exactly about the
//! tree that it names even while a batch is being written. Each query's work is bounded: a page has at most
//! [`MAX_LIMIT`] items, and a search that finds little stops after [`MAX_SCANNED`] rows with a cursor to go on from.

mod alerts;
mod contexts;
mod decisions;
mod page;
mod timeline;

use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use serde::Serialize;

pub use alerts::AlertFilter;
pub use contexts::ContextLink;
pub use decisions::{DecisionFilter, DecisionRow};
pub use page::{Answer, MAX_LIMIT, Page};
pub use timeline::TimelineEvent;

use crate::head::{AsOf, Unread};
use crate::history::{History, Horizon, Subject};
use crate::missing::{self, Episode};
use crate::patterns::Thresholds;
use crate::store::{Store, StoreError};

/// How many rows a query looks at before it returns what it has found so far.
const MAX_SCANNED: usize = 20_000;

/// A handle for asking the views, from any number of threads.
#[derive(Clone)]
pub struct Queries {
    store: Store,
    thresholds: Thresholds,
}

/// A query that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The cursor is none of this query's.
    #[error("the cursor does not belong to this query")]
    Cursor,
    /// The view store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where the views stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The log that they reflect.
    pub as_of: AsOf,
    /// What they left out.
    pub unread: Unread,
    /// The thresholds in force.
    pub thresholds: Thresholds,
}

/// What one query sees.
struct Snapshot<'q> {
    store: &'q Store,
    as_of: AsOf,
    horizon: Horizon,
}

impl Queries {
    pub(crate) fn new(store: Store, thresholds: Thresholds) -> Self {
        Self { store, thresholds }
    }

    /// Where the views stand.
    pub fn status(&self) -> Result<Status, StoreError> {
        let head = self.store.head()?;
        Ok(Status { as_of: head.as_of, unread: head.unread, thresholds: self.thresholds })
    }

    /// A child's missing episodes, by when they began. Only [`Page::received_until`] and [`Page::newest_first`] are
    /// used: a child's episodes are one whole, and come on one page.
    pub fn missing_episodes(&self, child: &OwnerId, page: &Page) -> Result<Answer<Episode>, QueryError> {
        let snapshot = self.snapshot(page.received_until)?;
        let history = History::load(&self.store, &Subject::Child(*child), snapshot.horizon.size)?;
        let mut items = missing::episodes(history.standing(snapshot.horizon));
        if page.newest_first {
            items.reverse();
        }
        Ok(Answer { as_of: snapshot.as_of, received_until: page.received_until, items, next: None })
    }

    fn snapshot(&self, received_until: Option<Timestamp>) -> Result<Snapshot<'_>, StoreError> {
        let as_of = self.store.head()?.as_of;
        let until = received_until.map_or(i64::MAX, Timestamp::as_millis);
        Ok(Snapshot { store: &self.store, as_of, horizon: Horizon { size: as_of.tree_size.0, until } })
    }
}
