//! Evidence bundles out of ledgers that generated histories have filled: whatever is made must verify.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

#[path = "../partnership/mod.rs"]
mod partnership;

mod asking;
mod ended;
mod filled;
mod privacy;
mod refused;
