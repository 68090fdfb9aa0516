//! Places, other contexts and persons of concern, each with the children who are linked to it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use gt_core::agency::AgencyCode;
use gt_core::time::Timestamp;
use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::{ContextRisk, Event};
use serde::Serialize;

use super::units::Units;
use super::{Answer, Page, Queries, QueryError, Snapshot, bounds};
use crate::event::ViewEvent;
use crate::history::History;
use crate::key;
use crate::notation::{self, moment};
use crate::store::StoreError;
use crate::subject::Unit;

/// Which contexts, or which persons of concern. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkedFilter {
    /// Contexts of this kind, by at least one link: `Place`, `OnlineAccount`, `Group`, `Vehicle` or `Event`. Persons have no kind.
    pub kind: Option<String>,
    /// With this risk, by at least one link: `CSE`, `CCE`, `Violence` or `Other`.
    pub risk: Option<String>,
    /// With at least one link by this agency.
    pub agency: Option<AgencyCode>,
    /// With at least so many different children.
    pub children: Option<usize>,
    /// Links of that time or later count.
    pub from: Option<Timestamp>,
    /// Links of that time or earlier count.
    pub to: Option<Timestamp>,
}

/// The order of contexts or persons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkedSort {
    /// Those with the most children first; then the one that was linked last.
    #[default]
    Children,
    /// The one that was linked last first.
    Last,
    /// By their opaque ids: an order that says nothing and does not change, for reading all of them page by page.
    Reference,
}

/// A place or another context, and what its links say. Links that were replaced do not count; links that have ended do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextRow {
    /// The context, by its opaque id.
    #[serde(serialize_with = "notation::text")]
    pub context: ContextId,
    /// How many different children.
    pub children: usize,
    /// How many links.
    pub links: usize,
    /// What kinds of context agencies say it is.
    pub kinds: BTreeSet<&'static str>,
    /// The risks.
    pub risks: BTreeSet<&'static str>,
    /// Who said so.
    pub agencies: BTreeSet<String>,
    /// The time of the first link.
    #[serde(serialize_with = "notation::text")]
    pub first_at: Timestamp,
    /// The time of the last link.
    #[serde(serialize_with = "notation::text")]
    pub last_at: Timestamp,
}

/// A person of concern, and what is said of the person. What was replaced does not count; links that have ended do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    /// The person: of one with several identifiers, the least of the opaque ids.
    #[serde(serialize_with = "notation::text")]
    pub person: OwnerId,
    /// How many different children are linked.
    pub children: usize,
    /// How many links.
    pub links: usize,
    /// How many decisions name the person.
    pub decisions: usize,
    /// The risks.
    pub risks: BTreeSet<&'static str>,
    /// Who said so.
    pub agencies: BTreeSet<String>,
    /// The time of the first link or decision.
    #[serde(serialize_with = "notation::text")]
    pub first_at: Timestamp,
    /// The time of the last link or decision.
    #[serde(serialize_with = "notation::text")]
    pub last_at: Timestamp,
}

/// What is counted: what the filter takes, of children whom the reader sees.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    filter: &'a LinkedFilter,
    is_hidden: &'a dyn Fn(&OwnerId) -> bool,
}

/// What the events of one context or person come to.
#[derive(Default)]
struct Tally {
    children: BTreeSet<OwnerId>,
    links: usize,
    decisions: usize,
    kinds: BTreeSet<&'static str>,
    risks: BTreeSet<&'static str>,
    agencies: BTreeSet<String>,
    times: Option<(i64, i64)>,
}

impl Queries {
    /// Contexts with the children linked to them. By their children, the links are read of those on the page and before it, and of those
    /// that the filter leaves out on the way; by [`LinkedSort::Last`], or from the other end, all links are. What is said of a child who
    /// is hidden counts nowhere.
    pub fn contexts(
        &self,
        filter: &LinkedFilter,
        sort: LinkedSort,
        is_hidden: &dyn Fn(&OwnerId) -> bool,
        page: &Page,
    ) -> Result<Answer<ContextRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let wanted = Wanted { filter, is_hidden };
        if sort == LinkedSort::Children && !page.newest_first {
            return snapshot.page_of(snapshot.with_most_children(wanted, page.needed()?)?, page);
        }
        let make = |unit: &Unit, _: &key::Key| {
            let Unit::Context(context) = unit else { return Ok((None, 0)) };
            snapshot.context_row(*context, wanted)
        };
        if sort == LinkedSort::Reference {
            return snapshot.page_of_units(&Units::contexts(), page, make);
        }
        let mut rows = snapshot.all_units(&Units::contexts(), make)?;
        rows.sort_by_key(|row| sort.rank(row.children, row.last_at));
        snapshot.page_of(rows, page)
    }

    /// Persons of concern with the children linked to them. Unless they are sorted by [`LinkedSort::Reference`], all links are read for a
    /// page. What is said of a child who is hidden counts nowhere.
    pub fn persons(
        &self,
        filter: &LinkedFilter,
        sort: LinkedSort,
        is_hidden: &dyn Fn(&OwnerId) -> bool,
        page: &Page,
    ) -> Result<Answer<PersonRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let wanted = Wanted { filter, is_hidden };
        let make = |unit: &Unit, _: &key::Key| {
            let Unit::Person(person) = unit else { return Ok((None, 0)) };
            let group = snapshot.group(*person)?;
            let histories = snapshot.histories(*person, Unit::Person)?;
            // A person with several identifiers stands in the list once: at the first under which something is said.
            let named = group.iter().zip(&histories).find(|(_, history)| history.len() > 0);
            if named.is_none_or(|(first, _)| first != person) {
                return Ok((None, 1));
            }
            let cost = histories.iter().map(History::len).sum();
            let tally = snapshot.tally(&histories, wanted)?;
            let person = snapshot.least(*person)?;
            Ok((tally.map(|tally| tally.person(person)), cost))
        };
        if sort == LinkedSort::Reference {
            return snapshot.page_of_units(&Units::persons(), page, make);
        }
        let mut rows = snapshot.all_units(&Units::persons(), make)?;
        rows.sort_by_key(|row| sort.rank(row.children, row.last_at));
        snapshot.page_of(rows, page)
    }
}

impl Snapshot {
    /// What a context comes to, if the filter takes it, and how many events that took.
    fn context_row(
        &self,
        context: ContextId,
        wanted: Wanted<'_>,
    ) -> Result<(Option<ContextRow>, usize), QueryError> {
        let history = [History::load(&self.store, &Unit::Context(context), self.horizon.size)?];
        let tally = self.tally(&history, wanted)?.filter(|tally| tally.links > 0);
        Ok((tally.map(|tally| tally.context(context)), history[0].len()))
    }

    /// The first contexts by their children: none that the list still has can come before them.
    /// With children who are hidden a context has fewer than the key says, and comes later.
    fn with_most_children(&self, wanted: Wanted<'_>, most: usize) -> Result<Vec<ContextRow>, QueryError> {
        let damaged = || StoreError::Damaged { table: "contexts" };
        let (start, mut seen, mut first) = (key::contexts_by_children(), HashSet::new(), BTreeMap::new());
        for row in self.store.range(start.clone(), key::after(&start), false) {
            let (children, last, context) = key::read_context_by_children(&row?.0).ok_or_else(damaged)?;
            let children = usize::try_from(children).unwrap_or(usize::MAX);
            let at_best = (Reverse(children), Reverse(moment(last)), context);
            let is_full =
                first.len() >= most && first.last_key_value().is_some_and(|(worst, _)| *worst < at_best);
            if is_full || wanted.filter.children.is_some_and(|least| children < least) {
                break;
            }
            if seen.insert(context)
                && let Some(row) = self.context_row(context, wanted)?.0
            {
                first.insert((Reverse(row.children), Reverse(row.last_at), context), row);
                if first.len() > most {
                    first.pop_last();
                }
            }
        }
        Ok(first.into_values().collect())
    }

    /// What stands in these histories, if the filter takes it.
    fn tally(
        &self,
        histories: &[History],
        Wanted { filter, is_hidden }: Wanted<'_>,
    ) -> Result<Option<Tally>, QueryError> {
        let is_hidden = |event: &ViewEvent| event.child.as_ref().is_some_and(is_hidden);
        let span = bounds(filter.from, filter.to);
        let mut tally = Tally::default();
        for event in histories.iter().flat_map(History::events) {
            let counts = event.stands(self.horizon) && span.contains(&event.listed_at());
            if counts && !is_hidden(event) && tally.add(event) {
                tally.children.extend(linked_child(event).map(|child| self.least(child)).transpose()?);
            }
        }
        let says = |wanted: &Option<String>, said: &BTreeSet<&str>| {
            wanted.as_ref().is_none_or(|wanted| said.contains(wanted.as_str()))
        };
        let taken = tally.times.is_some()
            && says(&filter.kind, &tally.kinds)
            && says(&filter.risk, &tally.risks)
            && filter.agency.as_ref().is_none_or(|agency| tally.agencies.contains(agency.as_str()))
            && filter.children.is_none_or(|least| tally.children.len() >= least);
        Ok(taken.then_some(tally))
    }
}

/// The child whom a link is about.
fn linked_child(event: &ViewEvent) -> Option<OwnerId> {
    event.child.filter(|_| matches!(event.event, Event::ContextLinked(_) | Event::PersonLinked(_)))
}

impl LinkedSort {
    /// What comes first has the least rank.
    fn rank(self, children: usize, last: Timestamp) -> (Reverse<usize>, Reverse<Timestamp>) {
        (Reverse(if self == Self::Children { children } else { 0 }), Reverse(last))
    }
}

impl Tally {
    /// Adds an event, if it is one that counts.
    fn add(&mut self, event: &ViewEvent) -> bool {
        match &event.event {
            Event::ContextLinked(link) => {
                self.links += 1;
                self.kinds.insert(link.kind.as_str());
                self.risks.insert(link.risk.as_str());
            }
            Event::PersonLinked(link) => {
                self.links += 1;
                self.risks.insert(ContextRisk::as_str(link.risk));
            }
            Event::DecisionRecorded(_) => self.decisions += 1,
            _ => return false,
        }
        self.agencies.insert(event.speaker().to_owned());
        let time = event.listed_at();
        let (first, last) = self.times.unwrap_or((time, time));
        self.times = Some((first.min(time), last.max(time)));
        true
    }

    fn context(self, context: ContextId) -> ContextRow {
        let (first, last) = self.times.unwrap_or_default();
        ContextRow {
            context,
            children: self.children.len(),
            links: self.links,
            kinds: self.kinds,
            risks: self.risks,
            agencies: self.agencies,
            first_at: moment(first),
            last_at: moment(last),
        }
    }

    fn person(self, person: OwnerId) -> PersonRow {
        let (first, last) = self.times.unwrap_or_default();
        PersonRow {
            person,
            children: self.children.len(),
            links: self.links,
            decisions: self.decisions,
            risks: self.risks,
            agencies: self.agencies,
            first_at: moment(first),
            last_at: moment(last),
        }
    }
}
