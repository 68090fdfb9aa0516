//! A partnership replaces the rules in force (`ledger.configured`).
//!
//! From that entry on the new rules hold, for all that the log has: everything is looked at once more, so that no alert
//! depends on when somebody was last heard of. What stood before, and under which thresholds, is still there for those who
//! ask about that time.

use std::sync::Arc;

use gt_ledger::record::OwnerId;
use gt_schemas::Configuration;
use serde_json::{Map, Value};

use super::{Affected, Fold, thresholds_of};
use crate::bytes::Writer;
use crate::history::Mark;
use crate::key::{self, Key, after};
use crate::store::StoreError;
use crate::subject::Unit;

impl Fold<'_> {
    pub(super) fn configured(&mut self, members: Map<String, Value>, by: Mark) -> Result<(), StoreError> {
        let members = Value::Object(members);
        let Ok(rules) = Configuration::read(&members) else {
            // The sealer refuses what this program cannot read; a later one may know more.
            self.unread.count_type("ledger.configured");
            return Ok(());
        };
        let row = Writer::default().signed(by.received_at).text(&members.to_string()).finish();
        self.rows.put(key::configuration(by.index), row);
        self.rules_from = Some(by.index);
        if rules == *self.rules {
            return Ok(());
        }
        self.thresholds = thresholds_of(&rules);
        self.rules = Arc::new(rules);
        self.look_at_everything(by)
    }

    fn look_at_everything(&mut self, by: Mark) -> Result<(), StoreError> {
        for prefix in [&b"sc"[..], b"sp", b"sx", b"sg", b"ya"] {
            let mut from: Key = prefix.to_vec();
            while let Some(row) = self.rows.first_from(&from, prefix)? {
                let (unit, _) = Unit::split(&row[1..]).ok_or(StoreError::Damaged { table: "events" })?;
                from = after(&[&row[..1], &unit.to_bytes()].concat());
                self.look_at(unit, by)?;
            }
        }
        let prefix = b"p";
        let mut from: Key = prefix.to_vec();
        while let Some(row) = self.rows.first_from(&from, prefix)? {
            let damaged = || StoreError::Damaged { table: "meetings" };
            let pair = row[1..].len().checked_sub(16).ok_or_else(damaged)?;
            let edge = [b"e", &row[1..=pair]].concat();
            let (Unit::Edge(one, other), _) = Unit::split(&edge).ok_or_else(damaged)? else {
                return Err(damaged());
            };
            from = after(&key::in_common(&one, &other));
            self.look_at(Unit::Edge(one.clone(), other.clone()), by)?;
            self.look_at(Unit::Edge(other, one), by)?;
        }
        Ok(())
    }

    /// Whether somebody comes earlier in the list who is the same person: then all was looked at together.
    fn was_looked_at(&mut self, unit: &Unit, by: Mark) -> Result<bool, StoreError> {
        let (owner, as_unit): (OwnerId, fn(OwnerId) -> Unit) = match unit {
            Unit::Child(child) => (*child, Unit::Child),
            Unit::Person(person) => (*person, Unit::Person),
            _ => return Ok(false),
        };
        for member in self.group(owner, by)?.into_iter().take_while(|member| *member < owner) {
            let history = key::history(&as_unit(member));
            if self.rows.first_from(&history, &history)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn look_at(&mut self, unit: Unit, by: Mark) -> Result<(), StoreError> {
        if self.was_looked_at(&unit, by)? {
            return Ok(());
        }
        let mut affected = Affected { is_upheaval: true, ..Affected::default() };
        if let Unit::Child(child) = unit {
            let group = self.group(child, by)?;
            self.derive_decisions(&group, None, &mut affected, by)?;
            self.derive_requests(&group, by)?;
        }
        affected.look_at(unit);
        self.assess(&affected, by)?;
        self.cache.turn();
        Ok(())
    }
}
