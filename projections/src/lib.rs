//! Views over the ledger, and the patterns that raise alerts (DESIGN section 7).
//!
//! A view is a pure fold of the log. Everything here can be deleted and built again from the ledger's records, and
//! comes out the same to the byte: this crate knows no clock, no network and no key. What it is given: [`Record`]s in
//! the log's order, the tree head that they lead to, and a [`ContextNaming`] for places.
//!
//! Views hold opaque ids, codes, times and entry indexes; never a pseudonym and never text: the files, and what
//! is left in them of deleted rows, identify nobody. After an erasure the views are folded anew, beside those that answer,
//! and take their place: what was derived from what was erased is gone, as it is from a rebuild.
//!
//! - [`Projector`] folds records, in order, and returns the alerts that changed. [`Readings`] are what it folds, read ahead where
//!   there is a thread to spare.
//! - [`Queries`] answers, from many threads, while the projector goes on. An answer shows exactly the entries below
//!   the tree size that it names, also in the middle of a batch: every row carries the index of its entry, and rows
//!   at or above the position are not seen.
//! - Patterns (`patterns/`) and the pairing of missing episodes (`missing/`) are pure functions of the events of one
//!   child or context. Their results do not depend on the order in which the events came.
//!
//! [`Record`]: gt_ledger::record::Record

mod alerts;
mod bytes;
mod decision;
mod event;
mod fold;
mod head;
mod history;
mod identity;
mod key;
mod missing;
mod notation;
mod open;
mod patterns;
mod projector;
mod queries;
mod share;
mod store;
mod subject;

pub use alerts::{
    Alert, AlertChange, AlertId, AlertStatus, ChangeKind, Handling, HandlingStep, Retraction, Window,
};
pub use event::{ContextNaming, Readings, is_read};
pub use head::{AsOf, Unread};
pub use missing::{Episode, EpisodeState};
pub use patterns::Pattern;
pub use projector::{ApplyError, Opened, Options, Projector};
pub use queries::*;
pub use store::{RebuildReason, StoreError};
pub use subject::Subject;
