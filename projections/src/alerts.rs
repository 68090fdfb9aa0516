//! Alerts: what patterns find, with an id that lasts and a history that can be asked for any time.
//!
//! Stored are an alert's changes, each with what it said from then on and the entry that caused it. A finding that takes
//! time to become true is stored when its clock starts, with the moment at which it will have; it is an alert for those
//! who ask from that moment on. So nothing has to be written when a deadline passes, and asking about the past gives the
//! answer that was given then.

mod row;

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_core::{Hash, base64url};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::history::{Horizon, Mark};
use crate::key;
use crate::notation::{self, moment};
use crate::patterns::{Finding, Pattern};
use crate::store::{Rows, StoreError};
use crate::subject::Subject;

pub(crate) use row::{Change, Content, Handled, HandledRow};

/// An alert's id. The same events give the same id, in whatever order they came and however often the views are
/// rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId([u8; 16]);

/// An alert: it asks a person to look, and decides nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The pattern.
    pub pattern: Pattern,
    /// The version of the pattern's rule.
    pub version: u16,
    /// The thresholds used, by name.
    pub thresholds: Value,
    /// The event times that it spans.
    pub window: Window,
    /// Whom or what it is about.
    pub subject: Subject,
    /// The entries behind it, sorted.
    #[serde(serialize_with = "notation::indexes")]
    pub entries: Vec<LeafIndex>,
    /// What it says, without names.
    pub sentence: String,
    /// When it fired: when the entry was received that made it, or when a deadline passed after that. The last time, if it was
    /// retracted in between.
    #[serde(serialize_with = "notation::text")]
    pub raised_at: Timestamp,
    /// The entry that made it fire, or started the clock.
    #[serde(serialize_with = "notation::index")]
    pub raised_by: LeafIndex,
    /// Where it is in its life.
    pub status: AlertStatus,
    /// What people did about it, in the order of the log.
    pub handling: Vec<Handling>,
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

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// It stands, and nobody has taken it on.
    Open,
    /// It stands, and somebody has it.
    Assigned,
    /// It stands, and was reviewed since it last changed what it says.
    Reviewed,
    /// A later entry took its reason away.
    Retracted,
}

/// What somebody did about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handling {
    /// The entry that says so.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// When it was received.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// The agency that did it.
    pub agency: String,
    /// What was done.
    #[serde(flatten)]
    pub step: HandlingStep,
}

/// A step of handling an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum HandlingStep {
    /// It was assigned.
    Assigned {
        /// The agency that is to look, if the event names one.
        to: Option<String>,
    },
    /// It was reviewed.
    Reviewed {
        /// What came of it, as the event has it.
        outcome: &'static str,
    },
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
    /// The alert that has some of the same entries under another id since then, if there is one.
    pub replaced_by: Option<AlertId>,
}

/// What happened to an alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertChange {
    /// The entry that caused it; where a deadline passed, the first entry after that.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// When it happened: when that entry was received, or when the deadline passed.
    #[serde(rename = "received_at", serialize_with = "notation::text")]
    pub at: Timestamp,
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
    /// It says something else, usually more; or what was done about it was taken back.
    Changed,
    /// Somebody took it on.
    Assigned,
    /// Somebody reviewed it.
    Reviewed,
    /// Its reason is gone.
    Retracted,
}

impl ChangeKind {
    /// Its name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Changed => "changed",
            Self::Assigned => "assigned",
            Self::Reviewed => "reviewed",
            Self::Retracted => "retracted",
        }
    }
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

    /// The first 16 bytes of SHA-256(`gt/alert/2` ‖ 0 ‖ pattern ‖ 0 ‖ version as `u16` ‖ anchor).
    pub(crate) fn at(pattern: Pattern, anchor: &[u8]) -> Self {
        let version = pattern.version().to_be_bytes();
        let name = pattern.as_str().as_bytes();
        let hash = Hash::of_parts(&[b"gt/alert/2\0", name, b"\0", &version, anchor]);
        let (start, _) = hash.as_bytes().split_first_chunk().expect("a hash has more than 16 bytes");
        Self(*start)
    }

    pub(crate) fn of(finding: &Finding) -> Self {
        Self::at(finding.pattern, &finding.anchor)
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

/// An alert's changes and what people did about it, in the order of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) changes: Vec<(Mark, Change)>,
    pub(crate) handled: Vec<HandledRow>,
}

/// How an alert stood.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Standing<'l> {
    /// It stands, with what it says since the mark.
    Stands { since: Mark, content: &'l Content },
    /// It is retracted, and said this before.
    Retracted { by: Mark, replaced_by: Option<AlertId>, content: &'l Content },
}

impl Log {
    /// Loads what lies below `size`.
    pub(crate) fn load(rows: &impl Rows, id: &AlertId, size: u64) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged { table: "alerts" };
        let mut log = Self::default();
        for (row, value) in rows.starting_with(&key::alert_changes(id))? {
            let (index, (received_at, change)) = row
                .split_last()
                .and_then(|(_, row)| key::last_index(row))
                .zip(Change::from_row(&value))
                .ok_or_else(damaged)?;
            if index < size {
                log.changes.push((Mark { index, received_at }, change));
            }
        }
        for (row, value) in rows.starting_with(&key::alert_handling(id))? {
            let index = key::last_index(&row).ok_or_else(damaged)?;
            if index < size {
                let mut row = HandledRow::from_row(index, &value).ok_or_else(damaged)?;
                row.taken_back = row.taken_back.filter(|by| by.index < size);
                log.handled.push(row);
            }
        }
        Ok(log)
    }

    /// What the last change below the horizon's size left: what stands, raised or not yet.
    pub(crate) fn latest(&self) -> Option<&(Mark, Change)> {
        self.changes.last()
    }

    /// Whether somebody has reviewed what it says since then.
    pub(crate) fn is_reviewed(&self, since: Mark, said: &Content) -> bool {
        let handled: Vec<&HandledRow> = self.handled.iter().filter(|row| row.taken_back.is_none()).collect();
        status(&handled, since, said) == AlertStatus::Reviewed
    }

    /// How the alert stood then; none if it had not been raised.
    pub(crate) fn standing(&self, horizon: Horizon) -> Option<Standing<'_>> {
        let mut dropped = false;
        for (mark, change) in self.changes.iter().rev().filter(|(mark, _)| horizon.covers(*mark)) {
            match change {
                Change::Stands(content) if !dropped && content.raised_at <= horizon.until => {
                    return Some(Standing::Stands { since: *mark, content });
                }
                Change::Withdrawn { content, raised: true, replaced_by } => {
                    return Some(Standing::Retracted { by: *mark, replaced_by: *replaced_by, content });
                }
                // A clock that has not run out, and what it was before it was set anew or stopped.
                Change::Stands(_) | Change::Withdrawn { raised: false, .. } => dropped = true,
            }
        }
        None
    }

    /// The alert as it stood then; none if it had not been raised.
    pub(crate) fn alert(&self, id: AlertId, horizon: Horizon) -> Option<Alert> {
        let covered = |row: &&HandledRow| {
            horizon.covers(row.mark) && !row.taken_back.is_some_and(|by| horizon.covers(by))
        };
        let handled: Vec<&HandledRow> = self.handled.iter().filter(covered).collect();
        let (content, status, retraction) = match self.standing(horizon)? {
            Standing::Stands { since, content } => (content, status(&handled, since, content), None),
            Standing::Retracted { by, replaced_by, content } => {
                let retraction =
                    Retraction { at: moment(by.received_at), by: LeafIndex(by.index), replaced_by };
                (content, AlertStatus::Retracted, Some(retraction))
            }
        };
        Some(Alert {
            id,
            pattern: content.pattern,
            version: content.pattern.version(),
            thresholds: serde_json::from_str(&content.thresholds).unwrap_or(Value::Null),
            window: Window { from: moment(content.window.0), to: moment(content.window.1) },
            subject: content.about.clone(),
            entries: content.entries.iter().copied().map(LeafIndex).collect(),
            sentence: content.sentence.clone(),
            raised_at: moment(content.raised_at),
            raised_by: LeafIndex(content.raised_by),
            status,
            handling: handled.into_iter().map(HandledRow::to_handling).collect(),
            retraction,
        })
    }
}

/// A review is of what the alert said then: when it says something else, it is to be looked at again. What was done before
/// it was retracted and raised again is over.
fn status(handled: &[&HandledRow], since: Mark, said: &Content) -> AlertStatus {
    let of_this_time = handled.iter().rfind(|row| row.mark.index > said.raised_by);
    match of_this_time.map(|row| (&row.what, row.mark.index)) {
        Some((Handled::Reviewed(_), index)) if index > since.index => AlertStatus::Reviewed,
        Some((Handled::Assigned(_), _)) => AlertStatus::Assigned,
        _ => AlertStatus::Open,
    }
}
