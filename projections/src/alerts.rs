//! Alerts: what patterns find, with an id that lasts and a history that can be asked for any time.
//!
//! Stored are only the changes, raised and withdrawn, each with the entry that caused it. What an alert says at a
//! given point of the log is computed from the events that stood then.

use std::collections::BTreeMap;

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_core::{Hash, base64url};
use serde::{Serialize, Serializer};

use crate::history::{Horizon, Mark, Subject, load_event};
use crate::key;
use crate::notation::{self, moment};
use crate::patterns::{Finding, Pattern, Threshold, Thresholds};
use crate::store::{Rows, StoreError};

/// An alert's id. The same events give the same id, in whatever order they came and however often the views are
/// rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId([u8; 16]);

/// An alert: it asks a person to look, and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The pattern.
    pub pattern: Pattern,
    /// The version of the pattern's rule.
    pub version: u16,
    /// The threshold used.
    pub threshold: Threshold,
    /// The event times that it spans.
    pub window: Window,
    /// The child or the context.
    pub subject: Subject,
    /// The entries behind it, sorted.
    #[serde(serialize_with = "notation::indexes")]
    pub entries: Vec<LeafIndex>,
    /// What it says, without names.
    pub sentence: String,
    /// When the entry was received that made it fire; the last time, if it was retracted in between.
    #[serde(serialize_with = "notation::text")]
    pub raised_at: Timestamp,
    /// The entry that made it fire.
    #[serde(serialize_with = "notation::index")]
    pub raised_by: LeafIndex,
    /// Whether the reason for it still stands.
    pub status: AlertStatus,
    /// Present if it was retracted. Window, entries and sentence then say how it last stood.
    pub retraction: Option<Retraction>,
}

/// From the first to the last event time, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The first.
    #[serde(serialize_with = "notation::text")]
    pub from: Timestamp,
    /// The last.
    #[serde(serialize_with = "notation::text")]
    pub to: Timestamp,
}

/// Whether the reason for an alert still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// It stands.
    Open,
    /// A later entry took it away.
    Retracted,
}

/// How an alert lost its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Retraction {
    /// When the entry was received that took it away.
    #[serde(serialize_with = "notation::text")]
    pub at: Timestamp,
    /// That entry.
    #[serde(serialize_with = "notation::index")]
    pub by: LeafIndex,
    /// The alert that has the same events under another id since then, if there is one.
    pub replaced_by: Option<AlertId>,
}

/// What happened to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertChange {
    /// The entry that caused it.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// When that entry was received.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// What happened.
    pub change: ChangeKind,
    /// The alert, as it stood right after.
    pub alert: Alert,
}

/// What can happen to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was raised, for the first time or again.
    Raised,
    /// It says something else, usually more.
    Changed,
    /// Its reason is gone.
    Retracted,
}

impl AlertId {
    /// Parses 22 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_array(text).ok().map(Self)
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first 16 bytes of SHA-256(`gt/alert/1` ‖ 0 ‖ pattern ‖ 0 ‖ version as `u16` ‖ anchor).
    pub(crate) fn of(finding: &Finding) -> Self {
        let version = finding.pattern.version().to_be_bytes();
        let name = finding.pattern.as_str().as_bytes();
        let hash = Hash::of_parts(&[b"gt/alert/1\0", name, b"\0", &version, &finding.anchor]);
        let (start, _) = hash.as_bytes().split_first_chunk().expect("a hash has more than 16 bytes");
        Self(*start)
    }
}

impl std::fmt::Display for AlertId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl Serialize for AlertId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A stored change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusChange {
    pub(crate) mark: Mark,
    pub(crate) raised: bool,
}

/// The changes of a subject's alerts, each alert's in the order of the log.
pub(crate) type StatusChanges = BTreeMap<AlertId, Vec<StatusChange>>;

pub(crate) const RAISED: &[u8] = b"R";
pub(crate) const WITHDRAWN: &[u8] = b"W";

/// Loads the changes below `size`.
pub(crate) fn load_changes(
    rows: &impl Rows,
    subject: &Subject,
    size: u64,
) -> Result<StatusChanges, StoreError> {
    let damaged = || StoreError::Damaged { table: "alert changes" };
    let prefix = key::alert_changes(subject);
    let mut changes = StatusChanges::new();
    for (row, value) in rows.starting_with(&prefix)? {
        let (id, _) = row[prefix.len()..].split_first_chunk::<16>().ok_or_else(damaged)?;
        let index = key::last_index(&row).ok_or_else(damaged)?;
        if index < size {
            let received_at = load_event(rows, index)?.received_at;
            let change = StatusChange { mark: Mark { index, received_at }, raised: value == RAISED };
            changes.entry(AlertId(*id)).or_default().push(change);
        }
    }
    Ok(changes)
}

/// How an alert stood then: when it was raised the last time and, if since then its reason went, when that was.
pub(crate) fn standing(changes: &[StatusChange], horizon: Horizon) -> Option<(Mark, Option<Mark>)> {
    let in_sight = changes.partition_point(|change| horizon.covers(change.mark));
    let mut counted = changes[..in_sight].iter().rev();
    let last = counted.next()?;
    if last.raised {
        return Some((last.mark, None));
    }
    let raised = counted.find(|change| change.raised)?;
    Some((raised.mark, Some(last.mark)))
}

impl Alert {
    pub(crate) fn new(subject: Subject, finding: &Finding, raised: Mark, thresholds: &Thresholds) -> Self {
        Self {
            id: AlertId::of(finding),
            pattern: finding.pattern,
            version: finding.pattern.version(),
            threshold: finding.pattern.threshold(thresholds),
            window: Window { from: moment(finding.window.0), to: moment(finding.window.1) },
            subject,
            entries: finding.entries.iter().copied().map(LeafIndex).collect(),
            sentence: finding.sentence.clone(),
            raised_at: moment(raised.received_at),
            raised_by: LeafIndex(raised.index),
            status: AlertStatus::Open,
            retraction: None,
        }
    }

    /// The same alert, retracted by an entry after which the patterns find `now`.
    pub(crate) fn retracted(self, by: Mark, now: &[Finding]) -> Self {
        let shares = |finding: &&Finding| {
            finding.pattern == self.pattern
                && finding.entries.iter().any(|entry| self.entries.binary_search(&LeafIndex(*entry)).is_ok())
        };
        let replaced_by = now.iter().find(shares).map(AlertId::of);
        let retraction = Retraction { at: moment(by.received_at), by: LeafIndex(by.index), replaced_by };
        Self { status: AlertStatus::Retracted, retraction: Some(retraction), ..self }
    }
}
