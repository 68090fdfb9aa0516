//! Alerts, as they stand and as they stood.

use std::collections::BTreeSet;

use gt_core::agency::AgencyCode;
use gt_core::time::Timestamp;

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError, Snapshot, bounds};
use crate::alerts::{Alert, AlertId, AlertStatus, Log};
use crate::history::Horizon;
use crate::key::{self, Key};
use crate::patterns::Pattern;
use crate::store::StoreError;
use crate::subject::Subject;

/// Which alerts. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Of this pattern.
    pub pattern: Option<Pattern>,
    /// About this child, under any identifier, or this person, context, agency or way between two agencies.
    pub subject: Option<Subject>,
    /// About this agency, or about a way between two agencies of which it is one.
    pub agency: Option<AgencyCode>,
    /// Where it is in its life.
    pub status: Option<StatusFilter>,
    /// Raised then or later.
    pub from: Option<Timestamp>,
    /// Raised then or earlier.
    pub to: Option<Timestamp>,
}

/// Where alerts are in their lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// Those that wait for somebody: open or assigned.
    Waiting,
    /// Exactly this one.
    Is(AlertStatus),
}

impl StatusFilter {
    /// `waiting`, or the name of a status.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "waiting" => Self::Waiting,
            "open" => Self::Is(AlertStatus::Open),
            "assigned" => Self::Is(AlertStatus::Assigned),
            "reviewed" => Self::Is(AlertStatus::Reviewed),
            "retracted" => Self::Is(AlertStatus::Retracted),
            _ => return None,
        })
    }

    fn takes(self, status: AlertStatus) -> bool {
        match self {
            Self::Waiting => matches!(status, AlertStatus::Open | AlertStatus::Assigned),
            Self::Is(wanted) => wanted == status,
        }
    }

    /// Whether only alerts that wait for somebody can be meant.
    const fn is_waiting(self) -> bool {
        matches!(self, Self::Waiting | Self::Is(AlertStatus::Open | AlertStatus::Assigned))
    }
}

impl Queries {
    /// Alerts: those that wait for somebody by when they were raised, others and all by the entry that first made them
    /// possible. With [`Page::received_until`] they are as the ledger stood then.
    pub fn alerts(&self, filter: &AlertFilter, page: &Page) -> Result<Answer<Alert>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let subjects = snapshot.subjects(filter.subject.as_ref())?;
        let waiting = filter.status.is_some_and(StatusFilter::is_waiting) && page.received_until.is_none();
        let stretch = if waiting {
            Stretch::until(key::standing(), snapshot.horizon.until)
        } else {
            Stretch::all(key::alerts())
        };
        snapshot.page(stretch, page, |(row, _)| {
            let alert = snapshot.alert(&listed(row)?)?;
            Ok(alert.filter(|alert| {
                subjects.as_ref().is_none_or(|subjects| subjects.contains(&alert.subject))
                    && filter.takes(alert)
            }))
        })
    }

    /// One alert, if it had been raised by then. The answer has one item or none.
    pub fn alert(&self, id: &AlertId, page: &Page) -> Result<Answer<Alert>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let items = snapshot.alert(id)?.into_iter().collect();
        Ok(snapshot.answer(page, items, None))
    }

    /// The alerts whose clocks ran out after `from` and by `to`, though no entry came that said so. For telling of them when it
    /// happens.
    pub fn raised_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Alert>, QueryError> {
        let page = Page { now: Some(to), ..Page::default() };
        let snapshot = self.snapshot(&page)?;
        let first = key::standing_alert(from.as_millis().saturating_add(1), &AlertId::from_bytes([0; 16]));
        let last = key::standing_alert(to.as_millis(), &AlertId::from_bytes([0xff; 16]));
        let mut alerts = Vec::new();
        for row in snapshot.store.range(first, last, false) {
            let alert = snapshot.alert(&listed(&row?.0)?)?;
            let later = |alert: &Alert| alert.raised_at > from && alert.status != AlertStatus::Retracted;
            alerts.extend(alert.filter(later));
        }
        Ok(alerts)
    }
}

impl AlertFilter {
    /// Whether it takes the alert, whatever its subject is but an agency.
    fn takes(&self, alert: &Alert) -> bool {
        let about = |agency: &AgencyCode| match &alert.subject {
            Subject::Agency(code) => code == agency.as_str(),
            Subject::Edge { from, to } => from == agency.as_str() || to == agency.as_str(),
            Subject::Child(_) | Subject::Person(_) | Subject::Context(_) => false,
        };
        self.pattern.is_none_or(|pattern| pattern == alert.pattern)
            && self.agency.as_ref().is_none_or(about)
            && self.status.is_none_or(|status| status.takes(alert.status))
            && bounds(self.from, self.to).contains(&alert.raised_at.as_millis())
    }
}

/// The alert of a row that ends with its id.
fn listed(row: &Key) -> Result<AlertId, StoreError> {
    row.last_chunk().copied().map(AlertId::from_bytes).ok_or(StoreError::Damaged { table: "alerts" })
}

impl Snapshot {
    /// The alert as far as is in sight; none if it had not been raised by then.
    pub(super) fn alert(&self, id: &AlertId) -> Result<Option<Alert>, StoreError> {
        let Horizon { size, .. } = self.horizon;
        Ok(Log::load(&self.store, id, size)?.alert(*id, self.horizon))
    }

    /// The subject under every identifier.
    fn subjects(&self, subject: Option<&Subject>) -> Result<Option<BTreeSet<Subject>>, StoreError> {
        Ok(match subject {
            None => None,
            Some(Subject::Child(owner)) => {
                Some(self.group(*owner)?.into_iter().map(Subject::Child).collect())
            }
            Some(Subject::Person(owner)) => {
                Some(self.group(*owner)?.into_iter().map(Subject::Person).collect())
            }
            Some(other) => Some(BTreeSet::from([other.clone()])),
        })
    }
}
