//! The event types of the ledger: what a safeguarding decision and the events around it say, how that is checked, and
//! the JSON Schemas that say the same to other people's tools.
//!
//! This crate is pure: it knows no clock, no file, no network and no runtime, and nothing of signatures. Its rules are
//! DOMAIN sections 1–4 and FORMATS sections 2 and 3.
//!
//! # Two shapes
//!
//! An agency's system writes a **draft**, plain JSON with all members. What is **signed** has the members in the clear
//! as they are, and digests for the disclosable ones; the core opens the disclosures and hands over both. One struct a
//! type serves both: its disclosable members are `Option` (one disclosure) or `Vec` (one per element).
//!
//! | reader | function | missing required members |
//! |---|---|---|
//! | who signs | [`validate_draft`] | refused |
//! | the sealer | [`validate_opened`] | refused, unless kept at home |
//! | a view, a panel | [`read_opened`] | absent |
//!
//! # Structure, not practice
//!
//! A ledger records what happened, also when it was badly done. What is refused here is what cannot be read: a missing
//! decision, an unknown code, a date that is none, items that contradict the decision. A share with no lawful basis is
//! accepted.
//!
//! What such a share breaks is a finding: [`findings`] runs the rules of practice over a decision that was recorded, and
//! [`advise`] over one that is not yet taken, with the flowchart ([`Flow`]) and the seven golden rules
//! ([`golden_rules`]). What the law is at a time, and whom it binds, is data: the [`Catalogue`].
//!
//! # Adding a type
//!
//! 1. A module with its codes (`codes!`), its objects (`record!`) and its members (`event!`), and `impl Rules` for what
//!    is required under a condition. [`MissingEnded`]'s is the shortest.
//! 2. One line in the registry in `event.rs`, and an export here.
//! 3. `schemas/examples/<type>.json`, and refused examples in `schemas/examples/refused.json`.
//! 4. `GT_BLESS=1 cargo test -p gt-schemas` writes its schemas into `schemas/json/`. What was once released changes no
//!    more: statements are signed against it.

pub mod advice;
mod catalogue;
pub mod configuration;
mod context_linked;
mod decision_recorded;
mod definition;
mod error;
mod event;
mod findings;
mod flowchart;
mod golden_rules;
mod json_schema;
mod lawful_basis;
mod member;
mod missing_ended;
mod missing_started;
mod notation;
mod people;
mod reading;
mod time;
mod words;

pub use advice::advise;
pub use catalogue::*;
pub use configuration::{Calendar, Configuration, ConfigurationError, Thresholds};
pub use context_linked::*;
pub use decision_recorded::*;
pub use error::{Expected, Fault, SchemaError};
pub use event::{Event, EventType, members, read_opened, validate_draft, validate_opened};
pub use findings::{ConsentSeen, FindingCode, Known, PracticeFinding, Sharing, findings};
pub use flowchart::{Flow, FlowAnswers, FlowOutcome, FlowQuestion, HowToShare};
pub use golden_rules::{Evidence, EvidenceState, GoldenRule, golden_rules};
pub use json_schema::{Shape, json_schema};
pub use lawful_basis::*;
pub use member::{Member, Owner, Place, Requirement};
pub use missing_ended::*;
pub use missing_started::*;
pub use people::*;
pub use reading::NonEmpty;
pub use time::{NotATime, Time};
pub use words::{AgencyCode, Label, Pseudonym, Text};

/// A day, as [`Calendar`] counts it.
pub use jiff::civil::Date;
