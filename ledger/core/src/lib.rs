//! The pure core of the ledger: what an agency signs, how it is sealed, and how anybody checks it.
//!
//! This crate knows no clock, no file, no network and no runtime: every function takes its inputs and the time from its
//! caller, so a verifier of a later day, on another machine, comes to the same answer. Its formats are fixed by DESIGN
//! sections 2–4 and `docs/FORMATS.md`; `tests/vectors/` at the workspace's root runs their rules in any language.
//!
//! Where to start reading:
//!
//! - [`statement`]: a signed statement, from [`json`] (the one strict reading) up; [`key`] and [`agency`] say who signs;
//! - [`registry`]: which key speaks for which agency, folded from the registrar's own statements; [`chain`]: where a
//!   publisher's next statement belongs;
//! - [`entry`] and [`link`]: what the ledger seals of a statement, and how a child's record is provably complete;
//! - [`erasure`]: what it seals when the keys of a data subject are destroyed;
//! - [`tree`], [`tile`], [`prove`], [`proof`], [`note`], [`checkpoint`], [`receipt`]: the C2SP transparency log;
//! - [`witness`]: what a log asks of those who watch that it shows one history;
//! - [`verify`]: these together, as somebody uses them who trusts nobody; [`fork`]: what proves that a ledger told two
//!   histories;
//! - [`bundle`]: the evidence that somebody takes away, and how it is checked.
//!
//! Everything is parsed once, strictly and within bounds, into types that cannot hold what was refused. Errors name the
//! rule and the place and never a value, since values may be about a person; each has a stable `code`.

pub mod agency;
pub mod base64url;
pub mod bundle;
pub mod chain;
pub mod checkpoint;
pub mod entry;
pub mod erasure;
pub mod fork;
pub mod hash;
pub mod key;
pub mod link;
pub mod ml_dsa;
pub mod note;
pub mod policy;
pub mod position;
pub mod proof;
pub mod prove;
pub mod receipt;
pub mod registry;
pub mod statement;
pub mod tile;
pub mod time;
pub mod tree;
pub mod verify;
pub mod witness;

/// Strict JSON, which the event types read too.
pub use gt_json as json;
pub use hash::Hash;
pub use position::{LeafIndex, TreeSize};
