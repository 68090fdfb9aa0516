//! What this crate promises to others: the schemas in the repository, the examples, and that schema and code agree.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod agreement;
mod configuration;
mod corrections;
mod domain;
mod examples;
mod goldens;
mod opened;
mod pseudonyms;
mod robustness;
mod versions;
