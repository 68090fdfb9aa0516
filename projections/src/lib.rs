//! Views over the ledger, and the patterns that raise alerts (DESIGN section 7).
//!
//! A view is a pure fold of the log. Everything here can be deleted and built again from the ledger's records, and
//! comes out the same to the byte: this crate knows no clock, no network and no key. What it is given: [`Record`]s in
//! the log's order, the tree head that they lead to, and a [`ContextNaming`] for places.
//!
//! Views hold opaque ids, codes, times and entry indexes; never a pseudonym and never text. So an erasure need not
//! rewrite them.
//!
//! - [`Projector`] folds records, in order, and returns the alerts that changed.
//! - [`Queries`] answers, from many threads, while the projector goes on. An answer shows exactly the entries below
//!   the tree size that it names, also in the middle of a batch: every row carries the index of its entry, and rows
//!   at or above the position are not seen.
//! - Patterns (`patterns/`) and the pairing of missing episodes (`missing/`) are pure functions of the events of one
//!   child or context. Their results do not depend on the order in which the events came.
//!
//! [`Record`]: gt_ledger::record::Record

mod alerts;
mod event;
mod fold;
mod head;
mod history;
mod key;
mod missing;
mod notation;
mod patterns;
mod projector;
mod queries;
mod store;

pub use alerts::{Alert, AlertChange, AlertId, AlertStatus, ChangeKind, Retraction, Window};
pub use event::ContextNaming;
pub use head::{AsOf, Unread};
pub use history::Subject;
pub use missing::{Episode, EpisodeState};
pub use patterns::{Pattern, Threshold, Thresholds};
pub use projector::{ApplyError, Opened, Options, Projector};
pub use queries::{
    AlertFilter, Answer, ContextLink, DecisionFilter, DecisionRow, MAX_LIMIT, Page, Queries, QueryError,
    Status, TimelineEvent,
};
pub use store::{RebuildReason, StoreError};
