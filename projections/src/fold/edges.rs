//! The ways between agencies: who has met whom on which children, and on which ways nothing was ever shared.

use std::collections::BTreeSet;

use gt_ledger::record::OwnerId;

use super::alerting::Found;
use super::assess::least;
use super::{Affected, Fold};
use crate::event::ViewEvent;
use crate::history::{History, Mark};
use crate::key;
use crate::patterns::{self, Meeting};
use crate::store::{Rows as _, StoreError};
use crate::subject::Unit;

impl Fold<'_> {
    /// Notes which agencies have the affected children in common, and adds the ways between them on which nothing was shared.
    pub(super) fn meet(&mut self, affected: &mut Affected, by: Mark) -> Result<(), StoreError> {
        for (owner, said) in std::mem::take(&mut affected.meetings) {
            let (agency, time) = said.map_or((None, None), |said| (Some(said.agency), said.of));
            let group = self.group(owner, by)?;
            self.hold(&group, by)?;
            let (agencies, times) = {
                let histories = group.iter().map(|member| self.cache.history(&Unit::Child(*member)));
                let speakers = histories.flat_map(History::events).map(ViewEvent::speaker);
                let times = speakers.clone().filter(|speaker| agency.as_deref() == Some(*speaker)).count();
                let agencies: BTreeSet<&str> = speakers.collect();
                (agencies.into_iter().map(str::to_owned).collect::<BTreeSet<String>>(), times)
            };
            for (one, other) in pairs(&agencies, agency.as_deref()) {
                // Only a first word can make a meeting that was not noted. If it was, to look would cost more than to write it again.
                if agency.is_none() || times == 1 {
                    let row = [&key::in_common(one, other)[..], least(&group).as_bytes()].concat();
                    self.rows.put(row, Vec::new());
                }
                self.silent_way((one, other), time, affected, by)?;
                self.silent_way((other, one), time, affected, by)?;
            }
        }
        Ok(())
    }

    /// Adds the ways between all agencies that know somebody, where nothing was shared on them.
    pub(super) fn silent_ways(
        &mut self,
        group: &BTreeSet<OwnerId>,
        affected: &mut Affected,
        by: Mark,
    ) -> Result<(), StoreError> {
        self.hold(group, by)?;
        let histories = group.iter().map(|member| self.cache.history(&Unit::Child(*member)));
        let agencies: BTreeSet<String> =
            histories.flat_map(History::events).map(|event| event.speaker().to_owned()).collect();
        for (one, other) in pairs(&agencies, None) {
            self.silent_way((one, other), None, affected, by)?;
            self.silent_way((other, one), None, affected, by)?;
        }
        Ok(())
    }

    /// Adds the way if nothing was shared on it; not if all that is new is something that was said of this time, and lies after what the
    /// alert rests on: the first window with enough children in it. Otherwise each word about a child would cost as much as there are
    /// children in common.
    fn silent_way(
        &mut self,
        (from, to): (&str, &str),
        said_of: Option<i64>,
        affected: &mut Affected,
        by: Mark,
    ) -> Result<(), StoreError> {
        let way = self.edge(from, to, by)?;
        let is_later = way.enough_at.zip(said_of).is_some_and(|(enough_at, time)| time > enough_at);
        if way.shares == 0 && !is_later {
            affected.look_at(Unit::Edge(from.to_owned(), to.to_owned()));
        }
        Ok(())
    }

    pub(super) fn assess_edge(
        &mut self,
        from: &str,
        to: &str,
        found: &mut Found,
        by: Mark,
    ) -> Result<(), StoreError> {
        let unit = Unit::Edge(from.to_owned(), to.to_owned());
        found.looked_at(unit.clone());
        let way = self.edge(from, to, by)?;
        way.enough_at = None;
        if way.shares > 0 {
            return Ok(());
        }
        let prefix = key::in_common(from, to);
        let mut children = BTreeSet::new();
        for (row, _) in self.rows.starting_with(&prefix)? {
            let child = row.last_chunk().copied().map(OwnerId::from_bytes);
            children.insert(child.ok_or(StoreError::Damaged { table: "meetings" })?);
        }
        if children.len() < usize::try_from(self.rules.thresholds.silent_edge.count).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let (mut meetings, mut done) = (Vec::new(), BTreeSet::new());
        for child in children {
            let group = self.group(child, by)?;
            if done.insert(least(&group)) {
                self.meetings(&group, (from, to), &mut meetings, by)?;
            }
        }
        meetings.sort_unstable();
        let finding = patterns::silent_edge(from, to, &meetings, &self.rules);
        self.edge(from, to, by)?.enough_at = finding.as_ref().map(|finding| finding.window.1);
        found.add(&unit, finding);
        Ok(())
    }

    fn meetings(
        &mut self,
        group: &BTreeSet<OwnerId>,
        (from, to): (&str, &str),
        meetings: &mut Vec<Meeting>,
        by: Mark,
    ) -> Result<(), StoreError> {
        self.hold(group, by)?;
        for (time, event) in self.events(group, by) {
            let by_from = event.speaker() == from;
            if by_from || event.speaker() == to {
                meetings.push(Meeting { time, child: least(group), by_from, index: event.index });
            }
        }
        Ok(())
    }
}

/// This agency with each other one, or all pairs.
fn pairs<'a>(agencies: &'a BTreeSet<String>, one: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let others = |agency: &'a str| agencies.iter().map(String::as_str).filter(move |other| *other != agency);
    if let Some(one) = one {
        return others(one).map(|other| (one, other)).collect();
    }
    let all = agencies.iter().map(String::as_str);
    let later = |agency: &'a str| others(agency).filter(move |other| agency < *other);
    all.flat_map(|agency| later(agency).map(move |other| (agency, other))).collect()
}
