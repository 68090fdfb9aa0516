//! Ledgers and their witnesses, each a process of its own.

mod contradictions;
mod quorum;
mod requests;
pub(crate) mod watching;
