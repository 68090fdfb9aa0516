//! Alerts, as they stand and as they stood.

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError, Snapshot};
use crate::alerts::{Alert, AlertId, AlertStatus, load_changes, standing};
use crate::history::{History, Horizon, Subject};
use crate::key;
use crate::patterns::{self, Pattern, Thresholds};
use crate::store::{Row, Rows as _, StoreError};

/// Which alerts. Members that are `None` do not narrow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Of this pattern.
    pub pattern: Option<Pattern>,
    /// About this child or context.
    pub subject: Option<Subject>,
    /// Open, or retracted.
    pub status: Option<AlertStatus>,
}

impl Queries {
    /// Alerts, by the entry that first raised them. With [`Page::received_until`] they are as the ledger stood then.
    pub fn alerts(&self, filter: &AlertFilter, page: &Page) -> Result<Answer<Alert>, QueryError> {
        let snapshot = self.snapshot(page.received_until)?;
        snapshot.page(Stretch::all(key::alerts()), page, |row| {
            let listed = Listed::read(row)?;
            let wanted = filter.pattern.is_none_or(|pattern| pattern == listed.pattern)
                && filter.subject.is_none_or(|subject| subject == listed.subject);
            if !wanted {
                return Ok(None);
            }
            snapshot.alert(&listed, filter.status, &self.thresholds)
        })
    }

    /// One alert, if it had been raised by then. The answer has one item or none.
    pub fn alert(&self, id: &AlertId, page: &Page) -> Result<Answer<Alert>, QueryError> {
        let snapshot = self.snapshot(page.received_until)?;
        let damaged = || StoreError::Damaged { table: "alerts" };
        let mut items = Vec::new();
        if let Some(value) = self.store.get(&key::alert_by_id(id))? {
            let row_key = key::alert(key::number(&value).ok_or_else(damaged)?, id);
            // Rows are written in no promised order: in the middle of a batch the one may be there without the other.
            if let Some(value) = self.store.get(&row_key)? {
                items.extend(snapshot.alert(&Listed::read(&(row_key, value))?, None, &self.thresholds)?);
            }
        }
        Ok(Answer { as_of: snapshot.as_of, received_until: page.received_until, items, next: None })
    }
}

/// A row of the list of alerts.
struct Listed {
    id: AlertId,
    subject: Subject,
    pattern: Pattern,
}

impl Listed {
    fn read((key, value): &Row) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged { table: "alerts" };
        let id = key.last_chunk().copied().map(AlertId::from_bytes).ok_or_else(damaged)?;
        let (subject, pattern) = value.split_at_checked(17).ok_or_else(damaged)?;
        let subject = Subject::from_bytes(subject).ok_or_else(damaged)?;
        let pattern = std::str::from_utf8(pattern).ok().and_then(Pattern::parse).ok_or_else(damaged)?;
        Ok(Self { id, subject, pattern })
    }
}

impl Snapshot<'_> {
    /// The alert as far as is in sight; none if it had not been raised by then, or has another status.
    fn alert(
        &self,
        listed: &Listed,
        wanted: Option<AlertStatus>,
        thresholds: &Thresholds,
    ) -> Result<Option<Alert>, QueryError> {
        let Listed { id, subject, .. } = listed;
        let changes = load_changes(self.store, subject, self.horizon.size)?;
        let Some((raised, withdrawn)) = changes.get(id).and_then(|changes| standing(changes, self.horizon))
        else {
            return Ok(None);
        };
        let status = if withdrawn.is_some() { AlertStatus::Retracted } else { AlertStatus::Open };
        if wanted.is_some_and(|wanted| wanted != status) {
            return Ok(None);
        }
        let history = History::load(self.store, subject, self.horizon.size)?;
        // A retracted alert says what it said right before the entry that took its reason away.
        let said_at = withdrawn.map_or(self.horizon, |by| self.horizon.before(by.index));
        let findings = patterns::evaluate(subject, &history, said_at, thresholds);
        let finding = findings.iter().find(|finding| AlertId::of(finding) == *id);
        let finding = finding.ok_or(StoreError::Damaged { table: "alerts" })?;
        let alert = Alert::new(*subject, finding, raised, thresholds);
        Ok(Some(match withdrawn {
            None => alert,
            Some(by) => {
                let after = Horizon { size: self.horizon.size.min(by.index + 1), ..self.horizon };
                alert.retracted(by, &patterns::evaluate(subject, &history, after, thresholds))
            }
        }))
    }
}
