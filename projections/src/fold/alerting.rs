//! From what the patterns find to alerts: compared with what stood, and written as changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cache::Said;
use super::{Fold, leaf};
use crate::alerts::{AlertChange, AlertId, Change, ChangeKind, Content, Handled, HandledRow, Log};
use crate::event::{StatementRef, ViewEvent};
use crate::history::{Horizon, Mark};
use crate::key;
use crate::notation::moment;
use crate::patterns::{Finding, Pattern, Patterns};
use crate::store::{Rows as _, StoreError};
use crate::subject::Unit;

/// What the patterns find now in some units.
#[derive(Default)]
pub(super) struct Found {
    /// The units that were looked at, and by which patterns: all other alerts are left alone.
    pub(super) units: BTreeMap<Unit, Patterns>,
    /// Alerts of these units that were looked at one by one.
    pub(super) alerts: BTreeSet<AlertId>,
    /// The statement that is folded. An alert that is anchored to it cannot have been there before, so nothing is read of it.
    pub(super) new: Option<StatementRef>,
    /// Each finding, with its unit.
    pub(super) findings: BTreeMap<AlertId, (Unit, Finding)>,
}

/// What stood of an alert before the entry.
enum Before<'s> {
    /// Nothing: the entry is the first that makes it possible.
    New,
    /// Nothing; it may have stood earlier.
    Nothing,
    Stood(&'s Said),
}

impl Found {
    /// Notes that a unit was looked at by all patterns that look at such units.
    pub(super) fn looked_at(&mut self, unit: Unit) {
        self.units.insert(unit, Patterns::ALL);
    }

    pub(super) fn add(&mut self, unit: &Unit, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.findings.insert(AlertId::of(&finding), (unit.clone(), finding));
        }
    }

    fn is_new(&self, finding: &Finding) -> bool {
        self.new.is_some_and(|statement| finding.anchor.starts_with(&statement.0))
    }

    /// Whether it was looked whether this alert, which says so, still stands.
    fn covers(&self, id: &AlertId, said: &Content) -> bool {
        let one_by_one = || self.alerts.contains(id) || self.findings.contains_key(id);
        self.units.get(&said.unit).is_some_and(|by| by.contains(said.pattern) || one_by_one())
    }
}

impl Fold<'_> {
    /// Raises the alerts whose clocks have run out by `until`: to those who are told, for the rows have it already. `size` says
    /// whether the entry itself counts: before it is folded, a torn batch may have left what it will change.
    pub(super) fn raise_due(&mut self, by: Mark, until: i64, size: u64) -> Result<(), StoreError> {
        while let Some((raised_at, id)) = self.cache.clocks.first().copied() {
            if raised_at > until {
                break;
            }
            self.cache.clocks.pop_first();
            self.tell_as_of(size, ChangeKind::Raised, id, by, raised_at)?;
        }
        Ok(())
    }

    /// Compares what is found with the alerts that stand, and writes what changed.
    pub(super) fn compare(&mut self, found: &mut Found, by: Mark) -> Result<(), StoreError> {
        let mut known = BTreeMap::new();
        for id in self.known(found)? {
            if let Some(said) = self.said(id, by)?.filter(|(_, said)| found.covers(&id, said)) {
                known.insert(id, said);
            }
        }
        for (id, (mark, content)) in &known {
            if !found.findings.contains_key(id) {
                let successor = successor(content, *id, &found.findings);
                self.withdraw(*id, *mark, content, successor, by, 0)?;
            }
        }
        for (id, (unit, finding)) in std::mem::take(&mut found.findings) {
            let before = match known.get(&id) {
                Some(said) => Before::Stood(said),
                None if found.is_new(&finding) => Before::New,
                None => Before::Nothing,
            };
            self.stand(id, unit, finding, &before, by)?;
        }
        Ok(())
    }

    /// What an alert said before the entry, if it stood.
    fn said(&mut self, id: AlertId, by: Mark) -> Result<Option<Said>, StoreError> {
        if let Some(said) = self.cache.said(&id) {
            return Ok(said);
        }
        let log = Log::load(&self.rows, &id, by.index)?;
        let said = match log.latest() {
            Some((mark, Change::Stands(content))) => Some((*mark, Arc::new(content.clone()))),
            _ => None,
        };
        self.cache.insert_said(id, said.clone());
        Ok(said)
    }

    /// The alerts that a unit has had.
    fn alerts_of(&mut self, unit: &Unit) -> Result<&mut BTreeSet<AlertId>, StoreError> {
        if self.cache.alerts(unit).is_none() {
            let mut ids = BTreeSet::new();
            for (row, _) in self.rows.starting_with(&key::alerts_of(unit))? {
                let id = row.last_chunk().copied().map(AlertId::from_bytes);
                ids.insert(id.ok_or(StoreError::Damaged { table: "alerts" })?);
            }
            self.cache.insert_alerts(unit.clone(), ids);
        }
        Ok(self.cache.alerts(unit).expect("it was just put there"))
    }

    /// The alerts that the units have had, those that were looked at, and those that were found.
    fn known(&mut self, found: &Found) -> Result<BTreeSet<AlertId>, StoreError> {
        let earlier = found.findings.iter().filter(|(_, (_, finding))| !found.is_new(finding));
        let mut ids: BTreeSet<AlertId> = earlier.map(|(id, _)| id).chain(&found.alerts).copied().collect();
        for (unit, by) in &found.units {
            if *by != Patterns::NONE {
                ids.extend(self.alerts_of(unit)?.iter());
            }
        }
        Ok(ids)
    }

    fn stand(
        &mut self,
        id: AlertId,
        unit: Unit,
        finding: Finding,
        before: &Before<'_>,
        by: Mark,
    ) -> Result<(), StoreError> {
        let thresholds = self.thresholds[&finding.pattern].clone();
        let due = finding.due.unwrap_or(by.received_at).max(by.received_at);
        let mut content = Content {
            pattern: finding.pattern,
            about: finding.about,
            unit,
            thresholds,
            window: finding.window,
            entries: finding.entries,
            sentence: finding.sentence,
            raised_at: due,
            raised_by: by.index,
        };
        let (mark, said) = match before {
            Before::New => {
                self.list_new(id, &content.unit, by);
                return self.write_standing(id, content, ChangeKind::Raised, by, 0);
            }
            Before::Nothing => {
                self.list(id, &content.unit, by)?;
                return self.write_standing(id, content, ChangeKind::Raised, by, 0);
            }
            Before::Stood(said) => said,
        };
        let (fired, due_now) =
            (self.has_fired(*mark, said, by), finding.due.is_none_or(|due| due <= by.received_at));
        let same_clock = finding.due.is_some_and(|due| due == said.raised_at);
        if (fired && due_now) || same_clock {
            (content.raised_at, content.raised_by) = (said.raised_at, said.raised_by);
        }
        if content == **said {
            return Ok(());
        }
        // It may have another unit, if the child turned out to have another identifier.
        self.list(id, &content.unit, by)?;
        if fired && !due_now && !same_clock {
            // It had become true, and by what is known now it has not yet.
            self.withdraw(id, *mark, said, None, by, 0)?;
            return self.write_standing(id, content, ChangeKind::Raised, by, 1);
        }
        self.rows.remove(key::standing_alert(said.raised_at, &id));
        self.cache.clocks.remove(&(said.raised_at, id));
        let kind = if fired { ChangeKind::Changed } else { ChangeKind::Raised };
        self.write_standing(id, content, kind, by, 0)
    }

    /// Whether an alert had been raised before this entry came.
    fn has_fired(&self, mark: Mark, said: &Content, by: Mark) -> bool {
        said.raised_at < by.received_at
            || said.raised_at <= mark.received_at
            || self.cache.last_received.is_some_and(|last| said.raised_at <= last)
    }

    /// Whether an earlier entry has made the alert possible. What a torn batch has left of this one, or of later ones, does not count.
    fn is_known(&self, id: &AlertId, by: Mark) -> Result<bool, StoreError> {
        let damaged = || StoreError::Damaged { table: "alerts" };
        let rows = self.rows.starting_with(&key::alert_changes(id))?;
        let Some((first, _)) = rows.first() else { return Ok(false) };
        let index = first.split_last().and_then(|(_, row)| key::last_index(row)).ok_or_else(damaged)?;
        Ok(index < by.index)
    }

    /// Lists an alert that may have been there before, unless it is listed.
    fn list(&mut self, id: AlertId, unit: &Unit, by: Mark) -> Result<(), StoreError> {
        if self.alerts_of(unit)?.insert(id) {
            self.rows.put([&key::alerts_of(unit)[..], id.as_bytes()].concat(), Vec::new());
        }
        if !self.is_known(&id, by)? {
            self.rows.put(key::alert(by.index, &id), Vec::new());
        }
        Ok(())
    }

    /// Lists an alert that cannot have been there before.
    fn list_new(&mut self, id: AlertId, unit: &Unit, by: Mark) {
        if let Some(ids) = self.cache.alerts(unit) {
            ids.insert(id);
        }
        self.rows.put([&key::alerts_of(unit)[..], id.as_bytes()].concat(), Vec::new());
        self.rows.put(key::alert(by.index, &id), Vec::new());
    }

    fn write_standing(
        &mut self,
        id: AlertId,
        content: Content,
        kind: ChangeKind,
        by: Mark,
        part: u8,
    ) -> Result<(), StoreError> {
        let (raised_at, content) = (content.raised_at, Arc::new(content));
        self.cache.insert_said(id, Some((by, Arc::clone(&content))));
        self.rows.put(key::alert_change(&id, by.index, part), content.to_row(by.received_at));
        self.rows.put(key::standing_alert(raised_at, &id), Vec::new());
        if raised_at > by.received_at {
            self.cache.clocks.insert((raised_at, id));
            return Ok(());
        }
        self.tell(kind, id, by, by.received_at)
    }

    fn withdraw(
        &mut self,
        id: AlertId,
        mark: Mark,
        said: &Content,
        replaced_by: Option<AlertId>,
        by: Mark,
        part: u8,
    ) -> Result<(), StoreError> {
        let raised = self.has_fired(mark, said, by);
        self.rows.remove(key::standing_alert(said.raised_at, &id));
        self.cache.clocks.remove(&(said.raised_at, id));
        self.cache.insert_said(id, None);
        let change = Change::Withdrawn { content: said.clone(), raised, replaced_by };
        self.rows.put(key::alert_change(&id, by.index, part), change.to_row(by.received_at));
        if raised { self.tell(ChangeKind::Retracted, id, by, by.received_at) } else { Ok(()) }
    }

    /// Somebody took an alert on, or reviewed it: then it no longer waits for anybody, until it says something else or is assigned
    /// once more. About an alert that is not there, or no longer, nothing can be done.
    pub(super) fn handled(&mut self, id: AlertId, row: HandledRow) -> Result<(), StoreError> {
        let by = row.mark;
        let mut log = Log::load(&self.rows, &id, by.index)?;
        if !self.is_raised(&log, by) {
            return Ok(());
        }
        self.rows.put(key::indexed(&key::alert_handling(&id), by.index), row.to_row());
        let change = match row.what {
            Handled::Assigned(_) => ChangeKind::Assigned,
            Handled::Reviewed(_) => ChangeKind::Reviewed,
        };
        log.handled.push(row);
        self.list_waiting(&id, &log);
        self.tell(change, id, by, by.received_at)
    }

    /// What somebody did about an alert was replaced by another statement: then it waits as if that had not been done.
    pub(super) fn take_back_handling(&mut self, replaced: &ViewEvent, by: Mark) -> Result<(), StoreError> {
        let Some(id) = replaced.refs.alert.map(AlertId::from_bytes) else { return Ok(()) };
        let mut log = Log::load(&self.rows, &id, by.index)?;
        let Some(row) = log.handled.iter_mut().find(|row| row.mark.index == replaced.index) else {
            return Ok(());
        };
        row.taken_back = Some(by);
        self.rows.put(key::indexed(&key::alert_handling(&id), replaced.index), row.to_row());
        if !self.is_raised(&log, by) {
            return Ok(());
        }
        self.list_waiting(&id, &log);
        self.tell(ChangeKind::Changed, id, by, by.received_at)
    }

    /// Whether the alert stands, and had been raised before this entry came.
    fn is_raised(&self, log: &Log, by: Mark) -> bool {
        matches!(log.latest(), Some((mark, Change::Stands(said))) if self.has_fired(*mark, said, by))
    }

    /// Has an alert that stands among those that wait for somebody, unless what was done about it ends that.
    fn list_waiting(&mut self, id: &AlertId, log: &Log) {
        let Some((mark, Change::Stands(said))) = log.latest() else { return };
        let listed = key::standing_alert(said.raised_at, id);
        if log.is_reviewed(*mark, said) {
            self.rows.remove(listed);
        } else {
            self.rows.put(listed, Vec::new());
        }
    }

    fn tell(&mut self, change: ChangeKind, id: AlertId, by: Mark, at: i64) -> Result<(), StoreError> {
        self.tell_as_of(by.index + 1, change, id, by, at)
    }

    fn tell_as_of(
        &mut self,
        size: u64,
        change: ChangeKind,
        id: AlertId,
        by: Mark,
        at: i64,
    ) -> Result<(), StoreError> {
        let log = Log::load(&self.rows, &id, size)?;
        let horizon = Horizon { size, until: at.max(by.received_at) };
        if let Some(alert) = log.alert(id, horizon) {
            self.changes.push(AlertChange { index: leaf(by), at: moment(at), change, alert });
        }
        Ok(())
    }
}

/// The alert that has some of the same entries under another id. One about a way between agencies has none: another id is another way.
fn successor(
    content: &Content,
    id: AlertId,
    findings: &BTreeMap<AlertId, (Unit, Finding)>,
) -> Option<AlertId> {
    let shares = |finding: &Finding| {
        finding.pattern == content.pattern
            && finding.pattern != Pattern::SilentEdge
            && finding.entries.iter().any(|entry| content.entries.binary_search(entry).is_ok())
    };
    findings.iter().find(|(other, (_, finding))| **other != id && shares(finding)).map(|(other, _)| *other)
}
