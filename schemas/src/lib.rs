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
//! | reader | function | missing required members | an older version |
//! |---|---|---|---|
//! | who signs | [`validate_draft`] | refused | by its own rules, then as the current one |
//! | the sealer | [`validate_opened`] | refused, unless kept at home | the same |
//! | a view, a panel | [`read_opened`] | absent | the same |
//!
//! # Structure, not practice
//!
//! A ledger records what happened, also when it was badly done. What is refused here is what cannot be read: a missing
//! decision, an unknown code, a date that is none, items that contradict the decision. A share with no lawful basis is
//! accepted.
//!
//! What such a share breaks is a finding: [`findings`] runs the rules of practice over a decision that was recorded, and
//! [`advise`] over one that is not yet taken, with the flowchart ([`Flow`]) and the seven golden rules
//! ([`golden_rules`]). What the law is at a time, and whom it binds, is data: the [`Catalogue`]. By when what an event
//! calls for is due, says [`Event::due_at`].
//!
//! # People and places by name
//!
//! Events name people and places by pseudonyms. [`Identifier`] reads what an agency knows them by, an NHS number or a
//! postcode, checks and normalises it (DOMAIN section 6), and [`PartnershipKey`] makes the pseudonym. Neither shows what
//! it holds.
//!
//! # Adding a type
//!
//! 1. In the module of its family its codes (`codes!`), its objects (`record!`; `times!` and `refs!` for the two that
//!    almost every type has) and its members (`event!`; `events!` for several types with the same ones), and `impl Rules`
//!    for what is required under a condition or contradicts itself. [`MissingEnded`]'s is a short one.
//! 2. One line in the registry in `event.rs`, and an export here.
//! 3. `schemas/examples/<type>.json`, and refused examples in `schemas/examples/refused.json`.
//! 4. `GT_BLESS=1 cargo test -p gt-schemas` writes its schemas into `schemas/json/`. What was once released changes no
//!    more: statements are signed against it.
//!
//! # A new version
//!
//! Statements are never rewritten, so what changes a type's members or asks for more of them is a new version, and the
//! old one stays readable. A new condition says since which version it holds (`Condition::since`). Where the members
//! differ, the old definition moves into a module of its own (`missing_ended/v1.rs`), and `From` leads from it to the
//! current one. The line in the registry names the old version, and an example `<type>.v1.json` shows it.

mod access;
pub mod advice;
mod agreements;
mod alerts;
mod catalogue;
pub mod configuration;
mod consents;
mod contexts;
mod corrections;
mod count;
mod data_subjects;
mod deadlines;
mod decision_recorded;
mod definition;
mod disclosures;
mod erasures;
mod error;
mod event;
mod findings;
mod flowchart;
mod golden_rules;
mod harm;
mod identifier_links;
mod identifiers;
mod json;
mod json_schema;
mod lawful_basis;
mod meetings;
mod member;
mod missing_ended;
mod missing_started;
mod moves;
mod notation;
mod packed;
mod people;
mod persons;
mod pseudonym;
mod reading;
mod referrals;
mod requests;
mod restrictions;
mod return_interviews;
mod reviews;
mod time;
mod words;

pub use access::*;
pub use advice::advise;
pub use agreements::*;
pub use alerts::*;
pub use catalogue::*;
pub use configuration::{
    Calendar, Configuration, ConfigurationError, CountsFrom, Retention, RetentionClass, RetentionRule,
    Thresholds,
};
pub use consents::*;
pub use contexts::*;
pub use corrections::*;
pub use count::Count;
pub use data_subjects::*;
pub use decision_recorded::*;
pub use disclosures::*;
pub use erasures::*;
pub use error::{Expected, Fault, SchemaError, is_member_name};
pub use event::{Event, EventType, members, members_at, read_opened, validate_draft, validate_opened};
pub use findings::{ConsentSeen, FindingCode, Known, PracticeFinding, Sharing, findings};
pub use flowchart::{Flow, FlowAnswers, FlowOutcome, FlowQuestion, HowToShare};
pub use golden_rules::{Evidence, EvidenceState, GoldenRule, golden_rules};
pub use harm::*;
pub use identifier_links::*;
pub use identifiers::{
    AgencyStanding, CharityNumber, ContextLabel, GssCode, HousingProviderCode, Identifier, IdentifierError,
    LaChildId, NhsNumber, OdsCode, OfstedUrn, PoliceForceCode, Postcode, Scheme, SchoolUrn, StaffLabel, Upn,
    Uprn,
};
pub use json::{Json, JsonObject, SignedData};
pub use json_schema::{Shape, json_schema, json_schema_at};
pub use lawful_basis::*;
pub use meetings::*;
pub use member::{Member, Owner, Place, Requirement};
pub use missing_ended::*;
pub use missing_started::*;
pub use moves::*;
pub use people::*;
pub use persons::*;
pub use pseudonym::PartnershipKey;
pub use reading::NonEmpty;
pub use referrals::*;
pub use requests::*;
pub use restrictions::*;
pub use return_interviews::*;
pub use reviews::*;
pub use time::{NotATime, Time};
pub use words::{AgencyCode, AlertId, Label, Pseudonym, Text};

/// A day, as [`Calendar`] counts it.
pub use jiff::civil::Date;
