//! A ledger on several nodes that share NATS servers. Nodes and servers are killed, frozen, cut off and started again under load; at the
//! end every receipt's statement stands in the log once, and all nodes have the same, byte for byte.
//!
//! These tests need `nats-server` (see [`cluster`]). They take turns: each runs a handful of processes already.

mod broker;
mod cluster;
mod ledger;
mod load;
mod nodes;
mod outboxes;

mod erasing;
mod followers;
mod foreign;
mod outbox;
mod quiet;
mod reading;
mod refused;
mod sealers;
mod servers;
mod storage;
mod surviving;
mod witnessed;

pub(crate) use cluster::free_port;
pub(crate) use ledger::entries;
pub(crate) use load::{Kept, Load, Receipts};
pub(crate) use surviving::{Hit, chapter};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other of these tests runs.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // One that failed does not keep the others from running.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
