//! What is derived from a child's decisions and kept in rows of its own: shares, findings of practice, requests.
//!
//! Rows are versions: a new one is written where what it says changed, and nothing is taken away.

use std::collections::{BTreeMap, BTreeSet};

use gt_ledger::record::OwnerId;
use gt_schemas::Event;

use super::assess::least;
use super::cache::Way;
use super::{Affected, Fold, Reliance};
use crate::bytes::{Reader, Writer};
use crate::decision::{self, ChildRecord, Decided};
use crate::event::ViewEvent;
use crate::history::{History, Horizon, Mark, merged};
use crate::key;
use crate::patterns::{self, ChildScene};
use crate::share::{self, Brief, Briefs, Share, Version};
use crate::store::{Rows, StoreError};
use crate::subject::Unit;

/// What a decision comes to.
struct Derived {
    index: u64,
    agency: String,
    share: Option<Share>,
    findings: u64,
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestState {
    /// Nobody has answered.
    Open,
    /// It was answered at this time, by this entry.
    Answered(i64, u64),
    /// It was replaced, or has another due time now.
    Void,
}

impl Fold<'_> {
    /// Derives again what the event may have changed, and adds what hangs on that.
    pub(super) fn derive(
        &mut self,
        event: &ViewEvent,
        affected: &mut Affected,
        by: Mark,
    ) -> Result<(), StoreError> {
        let mut done = BTreeSet::new();
        for owner in affected.decisions.clone() {
            let group = self.group(owner, by)?;
            if done.is_superset(&group) {
                continue;
            }
            self.derive_decisions(&group, None, affected, by)?;
            self.derive_requests(&group, by)?;
            done.extend(group);
        }
        let Some(child) = event.child.filter(|child| !done.contains(child)) else { return Ok(()) };
        let decides = matches!(event.event, Event::DecisionRecorded(_));
        let answers = event.refs.request.is_some()
            || matches!(
                event.event,
                Event::RequestReceived(_) | Event::RequestAnswered(_) | Event::RequestRefused(_)
            );
        if !decides && !answers {
            return Ok(());
        }
        let group = self.group(child, by)?;
        if decides {
            self.derive_decisions(&group, Some(event.index), affected, by)?;
        }
        if answers {
            self.derive_requests(&group, by)?;
        }
        Ok(())
    }

    /// Derives a group's decisions, or one of them.
    pub(super) fn derive_decisions(
        &mut self,
        group: &BTreeSet<OwnerId>,
        only: Option<u64>,
        affected: &mut Affected,
        by: Mark,
    ) -> Result<(), StoreError> {
        self.hold(group, by)?;
        let derived = self.derived(group, only, by.index + 1);
        let mut before = BTreeMap::new();
        if only.is_none() && !affected.is_upheaval {
            // To work it out costs less than to read it.
            before.extend(self.derived(group, None, by.index).into_iter().map(|one| (one.index, one)));
        }
        for one in derived {
            let known = before.remove(&one.index);
            let (findings, share) = match known {
                Some(known) => (known.findings, known.share),
                // A decision that is new, as most are.
                None if one.index == by.index => (0, None),
                None => self.derived_before(&one, by)?,
            };
            self.write_findings(&one, findings, by);
            self.write_share(one, share.as_ref(), affected, by)?;
        }
        Ok(())
    }

    /// What a group's decisions below `size`, or one of them, come to.
    fn derived(&self, group: &BTreeSet<OwnerId>, only: Option<u64>, size: u64) -> Vec<Derived> {
        let wanted = |event: &&ViewEvent| only.is_none_or(|only| only == event.index) && event.index < size;
        let histories = || group.iter().map(|member| self.cache.history(&Unit::Child(*member)));
        let events = merged(histories(), Horizon::below(size));
        let record = ChildRecord::of(&events);
        let decisions: BTreeMap<u64, Decided<'_>> = decision::decisions(&events)
            .into_iter()
            .filter(|one| wanted(&one.event))
            .map(|one| (one.event.index, one))
            .collect();
        let recorded = histories()
            .flat_map(History::events)
            .filter(|event| matches!(event.event, Event::DecisionRecorded(_)))
            .filter(wanted);
        // One that was replaced, or says no time, comes to nothing.
        let derive = |event: &ViewEvent| {
            let stands = decisions.get(&event.index);
            Derived {
                index: event.index,
                agency: event.speaker().to_owned(),
                share: stands.and_then(Share::of),
                findings: stands.map_or(0, |one| one.finding_bits(&record, &self.rules.legal)),
            }
        };
        recorded.map(derive).collect()
    }

    /// What the rows say that a decision came to before the entry.
    fn derived_before(&self, one: &Derived, by: Mark) -> Result<(u64, Option<Share>), StoreError> {
        let prefix = key::findings_of(&one.agency);
        let findings = findings_at(&self.rows, &prefix, one.index, Horizon::below(by.index))?;
        Ok((findings, share::latest(&self.rows, &one.agency, one.index, by.index)?))
    }

    /// Has a child's histories in memory.
    pub(super) fn hold(&mut self, group: &BTreeSet<OwnerId>, by: Mark) -> Result<(), StoreError> {
        for member in group {
            self.load(&Unit::Child(*member), by.index + 1)?;
        }
        Ok(())
    }

    /// What stands about a child whose histories are held, below and including the entry that is folded.
    pub(super) fn events(&self, group: &BTreeSet<OwnerId>, by: Mark) -> Vec<(i64, &ViewEvent)> {
        let histories = group.iter().map(|member| self.cache.history(&Unit::Child(*member)));
        merged(histories, Horizon::below(by.index + 1))
    }

    /// The same, as patterns see it.
    pub(super) fn scene(&self, group: &BTreeSet<OwnerId>, by: Mark) -> ChildScene<'_> {
        let horizon = Horizon::below(by.index + 1);
        let events =
            group.iter().flat_map(|member| self.cache.history(&Unit::Child(*member)).events().iter());
        let replaced_requests = events.filter(|event| {
            matches!(event.event, Event::RequestReceived(_))
                && horizon.covers(event.mark())
                && !event.stands(horizon)
        });
        ChildScene::new(least(group), self.events(group, by), replaced_requests.collect())
    }

    fn write_findings(&mut self, one: &Derived, before: u64, by: Mark) {
        if before != one.findings {
            let row = Writer::default().signed(by.received_at).number(one.findings).finish();
            self.rows.put(key::marked(&key::findings_of(&one.agency), one.index, by.index), row);
        }
    }

    fn write_share(
        &mut self,
        one: Derived,
        before: Option<&Share>,
        affected: &mut Affected,
        by: Mark,
    ) -> Result<(), StoreError> {
        let after = one.share;
        if before == after.as_ref() {
            return Ok(());
        }
        self.count(&one.agency, before, after.as_ref(), affected, by)?;
        let prefixes =
            |share: Option<&Share>| share.into_iter().flat_map(Share::prefixes).collect::<BTreeSet<_>>();
        let (old, new) = (prefixes(before), prefixes(after.as_ref()));
        let version = |share: Option<Share>| Version { received_at: by.received_at, share }.to_row();
        for prefix in old.difference(&new) {
            self.rows.put(key::marked(prefix, one.index, by.index), version(None));
        }
        for prefix in &new {
            self.rows.put(key::marked(prefix, one.index, by.index), version(after.clone()));
        }
        // Corrections leave what a decision refers to alone: the agreement is the same before and after.
        if let Some(Share { agreement: Some(agreement), statement, .. }) = after.as_ref().or(before) {
            let (agreement, decision) = (*agreement, *statement);
            affected.reliances.push(Reliance { agreement, decision, share: after });
        }
        Ok(())
    }

    /// Keeps count of an agency's shares and of the ways on which something was shared.
    fn count(
        &mut self,
        agency: &str,
        before: Option<&Share>,
        after: Option<&Share>,
        affected: &mut Affected,
        by: Mark,
    ) -> Result<(), StoreError> {
        self.briefs(agency, by)?;
        let briefs = self.cache.shares.entry(agency.to_owned()).or_default();
        if let Some(share) = before {
            briefs.remove(&Brief::of(share));
            briefs.quiet = false;
        }
        if let Some(share) = after {
            briefs.add(Brief::of(share));
            briefs.quiet &= !patterns::is_reached_by_consent(briefs, share.shared_at, &self.rules);
        }
        if !briefs.quiet {
            affected.look_at(Unit::Agency(agency.to_owned()));
        }
        let recipients = |share: Option<&Share>| {
            share.map(|share| share.recipients.iter().cloned().collect::<BTreeSet<_>>()).unwrap_or_default()
        };
        let (old, new) = (recipients(before), recipients(after));
        for (to, comes) in
            old.difference(&new).map(|to| (to, false)).chain(new.difference(&old).map(|to| (to, true)))
        {
            let way = self.edge(agency, to, by)?;
            let now = if comes { way.shares + 1 } else { way.shares.saturating_sub(1) };
            let turned = (way.shares == 0) != (now == 0);
            way.shares = now;
            if turned {
                affected.look_at(Unit::Edge(agency.to_owned(), to.clone()));
            }
        }
        Ok(())
    }

    /// Has the agency's shares in memory, as they stood before the entry.
    pub(super) fn briefs(&mut self, agency: &str, by: Mark) -> Result<(), StoreError> {
        if !self.cache.shares.contains_key(agency) {
            let prefix = key::shares(&Unit::Agency(agency.to_owned()));
            let shares = share::load(&self.rows, &prefix, Horizon::below(by.index))?;
            let briefs = Briefs::of(shares.values().map(Brief::of));
            self.cache.shares.insert(agency.to_owned(), briefs);
        }
        Ok(())
    }

    /// The way from one agency to another, with the shares that stood on it before the entry.
    pub(super) fn edge(&mut self, from: &str, to: &str, by: Mark) -> Result<&mut Way, StoreError> {
        if self.cache.edges.get(from).is_none_or(|ways| !ways.contains_key(to)) {
            let shares = share::load(&self.rows, &key::shared(from, to), Horizon::below(by.index))?;
            let way = Way { shares: shares.len(), enough_at: None };
            self.cache.edges.entry(from.to_owned()).or_default().insert(to.to_owned(), way);
        }
        let ways = self.cache.edges.get_mut(from).expect("it was just put there");
        Ok(ways.get_mut(to).expect("it was just put there"))
    }

    /// Writes how a group's requests stand, where that has changed.
    pub(super) fn derive_requests(&mut self, group: &BTreeSet<OwnerId>, by: Mark) -> Result<(), StoreError> {
        self.hold(group, by)?;
        let mut states: BTreeMap<u64, (i64, RequestState)> = BTreeMap::new();
        for request in patterns::requests(&self.scene(group, by), &self.rules) {
            let state = request
                .answer
                .map_or(RequestState::Open, |(time, event)| RequestState::Answered(time, event.index));
            states.insert(request.event.index, (request.due, state));
        }
        let mut received = Vec::new();
        for member in group {
            let events = self.cache.history(&Unit::Child(*member)).events();
            let requests = events.iter().filter(|event| matches!(event.event, Event::RequestReceived(_)));
            received.extend(requests.map(|event| event.index));
        }
        for index in received {
            let before = if index == by.index {
                BTreeMap::new()
            } else {
                request_at(&self.rows, index, Horizon::below(by.index))?
            };
            let now = states.get(&index).copied();
            for (due, state) in &before {
                let replaced = now.is_none_or(|(now, _)| now != *due);
                if replaced && *state != RequestState::Void {
                    self.write_request(*due, index, RequestState::Void, by);
                }
            }
            if let Some((due, state)) = now
                && before.get(&due) != Some(&state)
            {
                self.write_request(due, index, state, by);
            }
        }
        Ok(())
    }

    fn write_request(&mut self, due: i64, index: u64, state: RequestState, by: Mark) {
        let row = Writer::default().signed(by.received_at).signed(due);
        let row = match state {
            RequestState::Open => row.number(0),
            RequestState::Answered(time, by) => row.number(1).signed(time).number(by),
            RequestState::Void => row.number(2),
        };
        let row = row.finish();
        self.rows.put(key::marked(&key::request_by_due(due), index, by.index), row.clone());
        self.rows.put(key::marked(&key::request_by_entry(), index, by.index), row);
    }
}

/// The findings of a decision as they stood then, as a set.
pub(crate) fn findings_at(
    rows: &impl Rows,
    prefix: &[u8],
    index: u64,
    horizon: Horizon,
) -> Result<u64, StoreError> {
    let mut bits = 0;
    for (row, value) in rows.starting_with(&key::indexed(prefix, index))? {
        let mark = key::last_index(&row).ok_or(StoreError::Damaged { table: "findings" })?;
        let (received_at, found) = read_findings(&value).ok_or(StoreError::Damaged { table: "findings" })?;
        if horizon.covers(Mark { index: mark, received_at }) {
            bits = found;
        }
    }
    Ok(bits)
}

/// When the entry was received that caused the version, and the findings as a set.
pub(crate) fn read_findings(value: &[u8]) -> Option<(i64, u64)> {
    let mut reader = Reader::new(value);
    let version = (reader.signed()?, reader.number()?);
    reader.finish(version)
}

/// How a request stood then, by the due times that it had.
pub(crate) fn request_at(
    rows: &impl Rows,
    index: u64,
    horizon: Horizon,
) -> Result<BTreeMap<i64, RequestState>, StoreError> {
    let damaged = || StoreError::Damaged { table: "requests" };
    let mut states = BTreeMap::new();
    for (row, value) in rows.starting_with(&key::indexed(&key::request_by_entry(), index))? {
        let mark = key::last_index(&row).ok_or_else(damaged)?;
        let (received_at, due, state) = read_request(&value).ok_or_else(damaged)?;
        if horizon.covers(Mark { index: mark, received_at }) {
            states.insert(due, state);
        }
    }
    Ok(states)
}

/// How a request stood then that was due at this time, and the entry since which it did.
pub(crate) fn request_due(
    rows: &impl Rows,
    due: i64,
    index: u64,
    horizon: Horizon,
) -> Result<Option<(u64, RequestState)>, StoreError> {
    let damaged = || StoreError::Damaged { table: "requests" };
    let mut latest = None;
    for (row, value) in rows.starting_with(&key::indexed(&key::request_by_due(due), index))? {
        let mark = key::last_index(&row).ok_or_else(damaged)?;
        let (received_at, _, state) = read_request(&value).ok_or_else(damaged)?;
        if horizon.covers(Mark { index: mark, received_at }) {
            latest = Some((mark, state));
        }
    }
    Ok(latest)
}

/// When the entry was received that caused the version, when the request is due, and how it stands.
pub(crate) fn read_request(value: &[u8]) -> Option<(i64, i64, RequestState)> {
    let mut reader = Reader::new(value);
    let (received_at, due) = (reader.signed()?, reader.signed()?);
    let state = match reader.number()? {
        0 => RequestState::Open,
        1 => RequestState::Answered(reader.signed()?, reader.number()?),
        2 => RequestState::Void,
        _ => return None,
    };
    reader.finish((received_at, due, state))
}
