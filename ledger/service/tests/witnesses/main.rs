//! A ledger and its witnesses, in one process: everything but HTTP is real.

#[path = "../partnership/mod.rs"]
mod partnership;

mod network;
mod receipts;
mod restored;
mod signing;
