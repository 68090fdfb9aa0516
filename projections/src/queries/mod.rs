//! Asking the views.
//!
//! A query takes the position first and then sees only rows of entries below it, so an answer is exactly about the
//! tree that it names even while a batch is being written. A page has at most [`MAX_LIMIT`] items, and a search that finds
//! little stops after [`MAX_SCANNED`] rows with a cursor to go on from. What is about one child or one context is made in
//! memory from that child's or context's events; what is sorted by a count reads all that it counts, and says so.

mod access;
mod agreements;
mod alerts;
mod codes;
mod contexts;
mod decision_page;
mod decisions;
mod episodes;
mod findings;
mod identities;
mod links;
mod page;
mod persons;
mod requests;
mod retention;
mod sharing;
mod timeline;
mod units;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::{Configuration, Thresholds};
use serde::Serialize;

pub use access::{AccessRow, Approval, EntrySubject};
pub use agreements::{AgreementFilter, AgreementRow, AgreementSort};
pub use alerts::{AlertFilter, StatusFilter};
pub use contexts::ContextLink;
pub use decision_page::{DecisionCorrection, DecisionFinding, DecisionPage, DecisionReview};
pub use decisions::{DecisionFilter, DecisionRow};
pub use episodes::{ChildEpisode, EpisodeFilter};
pub use findings::{FindingCount, FindingFilter, FindingSort};
pub use identities::{Identity, IdentityLink};
pub use links::{ContextRow, LinkedFilter, LinkedSort, PersonRow};
pub use page::{Answer, MAX_LIMIT, Page};
pub use persons::PersonLink;
pub use requests::{RequestFilter, RequestRow, RequestStatus, RequestsWanted};
pub use retention::{ControllerPeriod, Held, RetentionDue, RetentionRow, RetentionTally};
pub use sharing::{AgencySharing, ShareCounts, SharingFilter, SharingSort, SharingWay};
pub use timeline::TimelineEvent;

use crate::event::ViewEvent;
use crate::head::{AsOf, Head, Unread};
use crate::history::{History, Horizon, merged};
use crate::identity;
use crate::open;
use crate::store::{Current, Store, StoreError};
use crate::subject::Unit;

/// How many rows a query looks at before it returns what it has found so far.
const MAX_SCANNED: usize = 20_000;

/// A handle for asking the views, from any number of threads.
#[derive(Clone)]
pub struct Queries {
    current: Current,
    default_rules: Arc<Configuration>,
    /// The rules that were read last, and the entry that sealed them.
    rules: Arc<Mutex<Option<Sealed>>>,
}

/// Rules, and the entry that sealed them.
type Sealed = (u64, Arc<Configuration>);

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
struct Snapshot {
    store: Store,
    as_of: AsOf,
    horizon: Horizon,
    /// Who stands for whom, as far as was asked.
    known: RefCell<HashMap<OwnerId, OwnerId>>,
}

impl Queries {
    pub(crate) fn new(current: Current, default_rules: Arc<Configuration>) -> Self {
        Self { current, default_rules, rules: Arc::default() }
    }

    /// Where the views stand.
    pub fn status(&self) -> Result<Status, StoreError> {
        let store = self.current.store();
        let head = store.head()?;
        let thresholds = self.rules(&store, &head)?.thresholds;
        Ok(Status { as_of: head.as_of, unread: head.unread, thresholds })
    }

    /// Asks, and where a damaged row is met on the way has the next opening build the views again.
    pub fn ask<T>(&self, question: impl FnOnce(&Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        let answer = question(self);
        if let Err(QueryError::Store(StoreError::Damaged { table })) = &answer {
            tracing::error!(table, "a row of the views is damaged; the next start builds them again");
            self.current.store().condemn()?;
        }
        answer
    }

    /// The rules that were in force then.
    fn rules_of(&self, page: &Page, snapshot: &Snapshot) -> Result<Arc<Configuration>, StoreError> {
        match page.received_until {
            Some(_) => open::rules_then(&snapshot.store, snapshot.horizon, &self.default_rules),
            None => self.rules(&snapshot.store, &snapshot.store.head()?),
        }
    }

    /// The rules in force.
    fn rules(&self, store: &Store, head: &Head) -> Result<Arc<Configuration>, StoreError> {
        let Some(from) = head.rules_from else { return Ok(Arc::clone(&self.default_rules)) };
        let mut known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((index, rules)) = &*known
            && *index == from
        {
            return Ok(Arc::clone(rules));
        }
        let rules = open::rules(store, head, &self.default_rules)?;
        *known = Some((from, Arc::clone(&rules)));
        Ok(rules)
    }

    fn snapshot(&self, page: &Page) -> Result<Snapshot, StoreError> {
        let store = self.current.store();
        let now = store.head()?.as_of;
        let earlier = page.place().map(|place| place.as_of).filter(|first| first.tree_size < now.tree_size);
        let as_of = earlier.unwrap_or(now);
        let last = as_of.received_at;
        // The clock of who asks may be behind that of the ledger.
        let until = page.received_until.or(page.now.max(last)).map_or(i64::MAX, Timestamp::as_millis);
        let horizon = Horizon { size: as_of.tree_size.0, until };
        Ok(Snapshot { store, as_of, horizon, known: RefCell::default() })
    }
}

impl Snapshot {
    /// Everybody who was the same person then.
    fn group(&self, owner: OwnerId) -> Result<BTreeSet<OwnerId>, StoreError> {
        identity::group(&self.store, owner, self.horizon)
    }

    /// The one who stands for the person: the least of the opaque ids.
    fn least(&self, owner: OwnerId) -> Result<OwnerId, StoreError> {
        if let Some(known) = self.known.borrow().get(&owner) {
            return Ok(*known);
        }
        let group = self.group(owner)?;
        let least = *group.first().unwrap_or(&owner);
        self.known.borrow_mut().extend(group.into_iter().map(|member| (member, least)));
        Ok(least)
    }

    /// The histories of a person, or of a child, under every identifier.
    fn histories(&self, owner: OwnerId, unit: fn(OwnerId) -> Unit) -> Result<Vec<History>, StoreError> {
        let group = self.group(owner)?;
        group.into_iter().map(|member| History::load(&self.store, &unit(member), self.horizon.size)).collect()
    }

    /// What stood of them, by time.
    fn standing<'h>(&self, histories: &'h [History]) -> Vec<(i64, &'h ViewEvent)> {
        merged(histories.iter(), self.horizon)
    }

    fn answer<T>(&self, page: &Page, items: Vec<T>, next: Option<String>) -> Answer<T> {
        Answer { as_of: self.as_of, received_until: page.received_until, items, next }
    }
}

/// From one time to another, both included, in milliseconds.
fn bounds(from: Option<Timestamp>, to: Option<Timestamp>) -> RangeInclusive<i64> {
    from.map_or(i64::MIN, Timestamp::as_millis)..=to.map_or(i64::MAX, Timestamp::as_millis)
}
