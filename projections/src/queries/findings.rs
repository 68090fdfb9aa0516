//! What the rules of practice say of decisions (DOMAIN section 2), by agency.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use gt_core::agency::AgencyCode;
use gt_core::time::Timestamp;
use gt_schemas::FindingCode;
use serde::Serialize;

use super::page::Stretch;
use super::units::{Units, finding};
use super::{Answer, DecisionFilter, DecisionRow, Page, Queries, QueryError, Snapshot, bounds};
use crate::decision::codes_of;
use crate::fold::{findings_at, read_findings};
use crate::history::{Mark, load_event};
use crate::key;
use crate::store::{Rows as _, StoreError};
use crate::subject::Unit;

/// Which findings. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Of decisions by this agency, or in its name.
    pub agency: Option<AgencyCode>,
    /// This one.
    pub code: Option<FindingCode>,
    /// Of decisions of that time or later.
    pub from: Option<Timestamp>,
    /// Of decisions of that time or earlier.
    pub to: Option<Timestamp>,
}

/// The order of counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FindingSort {
    /// By agency, and by code within one.
    #[default]
    Agency,
    /// By code, and by agency within one.
    Code,
    /// The most decisions first.
    Decisions,
}

/// How many of an agency's decisions have a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingCount {
    /// The agency.
    pub agency: String,
    /// The finding.
    pub code: &'static str,
    /// Whether it is about what the law asks for (E); the others warn (W).
    pub breach: bool,
    /// How many decisions.
    pub decisions: usize,
    /// What the rule is, in words.
    pub sentence: &'static str,
}

impl Queries {
    /// Decisions with findings, by agency, and by entry within one. [`Queries::decisions`] has those with one finding by event time.
    pub fn findings(&self, filter: &FindingFilter, page: &Page) -> Result<Answer<DecisionRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let prefix =
            filter.agency.as_ref().map_or_else(key::findings, |agency| key::findings_of(agency.as_str()));
        snapshot.page(Stretch::all(prefix), page, |(row, _)| {
            let damaged = || StoreError::Damaged { table: "findings" };
            let (Unit::Agency(agency), _) = finding(row).ok_or_else(damaged)? else {
                return Err(damaged().into());
            };
            let (index, mark) = key::last_two(row).ok_or_else(damaged)?;
            // A decision stands in the list where its last version stands.
            if snapshot.last_finding(&agency, index)? != Some(mark) {
                return Ok(None);
            }
            if !snapshot.is_found(&agency, index, filter)? {
                return Ok(None);
            }
            snapshot.decision(&load_event(&snapshot.store, index)?, &DecisionFilter::default())
        })
    }

    /// How many decisions have each finding, by agency. All findings are read for a page.
    pub fn findings_by_agency(
        &self,
        filter: &FindingFilter,
        sort: FindingSort,
        page: &Page,
    ) -> Result<Answer<FindingCount>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let counts = snapshot.all_units(&Units::with_findings(), |unit, _| {
            let Unit::Agency(agency) = unit else { return Ok((None, 0)) };
            if filter.agency.as_ref().is_some_and(|wanted| wanted.as_str() != agency) {
                return Ok((None, 0));
            }
            Ok((Some(snapshot.count(agency, filter)?), 0))
        })?;
        let mut counts: Vec<FindingCount> = counts.into_iter().flatten().collect();
        match sort {
            FindingSort::Agency => {}
            FindingSort::Code => counts.sort_by_key(|count| position(count.code)),
            FindingSort::Decisions => counts.sort_by_key(|count| Reverse(count.decisions)),
        }
        snapshot.page_of(counts, page)
    }
}

impl Snapshot {
    /// The entry since which the findings of a decision are as they were then.
    fn last_finding(&self, agency: &str, index: u64) -> Result<Option<u64>, StoreError> {
        let damaged = || StoreError::Damaged { table: "findings" };
        let mut last = None;
        let prefix = key::indexed(&key::findings_of(agency), index);
        for (row, value) in self.store.starting_with(&prefix)? {
            let mark = key::last_index(&row).ok_or_else(damaged)?;
            let (received_at, _) = read_findings(&value).ok_or_else(damaged)?;
            if self.horizon.covers(Mark { index: mark, received_at }) {
                last = Some(mark);
            }
        }
        Ok(last)
    }

    fn is_found(&self, agency: &str, index: u64, filter: &FindingFilter) -> Result<bool, QueryError> {
        let bits = findings_at(&self.store, &key::findings_of(agency), index, self.horizon)?;
        let found = codes_of(bits).any(|code| filter.code.is_none_or(|wanted| wanted == code));
        Ok(found && self.is_within(index, filter)?)
    }

    fn is_within(&self, index: u64, filter: &FindingFilter) -> Result<bool, StoreError> {
        if filter.from.is_none() && filter.to.is_none() {
            return Ok(true);
        }
        let time = load_event(&self.store, index)?.listed_at();
        Ok(bounds(filter.from, filter.to).contains(&time))
    }

    /// An agency's findings, counted.
    fn count(&self, agency: &str, filter: &FindingFilter) -> Result<Vec<FindingCount>, QueryError> {
        let damaged = || StoreError::Damaged { table: "findings" };
        let mut found: BTreeMap<u64, u64> = BTreeMap::new();
        for (row, value) in self.store.starting_with(&key::findings_of(agency))? {
            let (index, mark) = key::last_two(&row).ok_or_else(damaged)?;
            let (received_at, bits) = read_findings(&value).ok_or_else(damaged)?;
            if self.horizon.covers(Mark { index: mark, received_at }) {
                found.insert(index, bits);
            }
        }
        let mut counts: BTreeMap<usize, (FindingCode, usize)> = BTreeMap::new();
        for (index, bits) in found {
            if !self.is_within(index, filter)? {
                continue;
            }
            for code in codes_of(bits).filter(|code| filter.code.is_none_or(|wanted| wanted == *code)) {
                counts.entry(position(code.as_str())).or_insert((code, 0)).1 += 1;
            }
        }
        let count = |(code, decisions): (FindingCode, usize)| FindingCount {
            agency: agency.to_owned(),
            code: code.as_str(),
            breach: code.is_breach(),
            decisions,
            sentence: code.sentence(),
        };
        Ok(counts.into_values().map(count).collect())
    }
}

/// Where a code stands in the list of codes: `E10` after `E9`.
fn position(code: &str) -> usize {
    FindingCode::CODES.iter().position(|known| *known == code).unwrap_or(usize::MAX)
}
