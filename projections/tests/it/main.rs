//! The views from outside: what is folded, asked, broken and built again.

// Clippy excuses `unwrap` in test functions, but not in the fixture that they share.
#![allow(clippy::unwrap_used)]

mod configuration;
mod erasing;
mod fixture;
mod histories;
mod life;
mod order;
mod patterns;
mod queries;
mod rebuilding;
mod runs;
mod views;
