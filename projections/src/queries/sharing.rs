//! Who shares with whom: a matrix of agencies, and each agency's own totals.
//!
//! Counted are decisions to share, in whole or in part, as they stand after their corrections, each once for every agency outside its
//! own that received something. The delay is from knowing to sharing (`aware_at` to `shared_at`), over the shares that
//! say both; median and 90th percentile are by nearest rank: the least delay that half, or nine tenths, of them do not exceed.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use gt_core::agency::AgencyCode;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use serde::Serialize;

use super::units::Units;
use super::{Answer, Page, Queries, QueryError, Snapshot, bounds};
use crate::key::Key;
use crate::notation::{self, moment};
use crate::share::{self, Share};
use crate::subject::Unit;

/// Which shares. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharingFilter {
    /// By this agency.
    pub from: Option<AgencyCode>,
    /// With this agency.
    pub to: Option<AgencyCode>,
    /// Shared then or later.
    pub since: Option<Timestamp>,
    /// Shared then or earlier.
    pub until: Option<Timestamp>,
}

/// The order of ways, or of agencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SharingSort {
    /// By agencies' codes.
    #[default]
    Agency,
    /// Those with the most shares first.
    Shares,
    /// Those with the longest median delay first; those without any last.
    Median,
    /// The one on which something was shared last first.
    Last,
}

/// What one agency shared with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharingWay {
    /// Who shared.
    pub from: String,
    /// With whom.
    pub to: String,
    /// The shares.
    #[serde(flatten)]
    pub counts: ShareCounts,
}

/// What one agency shared, with whomever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgencySharing {
    /// Who shared.
    pub agency: String,
    /// With how many other agencies.
    pub recipients: usize,
    /// The shares.
    #[serde(flatten)]
    pub counts: ShareCounts,
}

/// Shares, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShareCounts {
    /// How many.
    pub shares: usize,
    /// About how many different children.
    pub children: usize,
    /// How many of them rely on consent: Article 6(1)(a).
    pub by_consent: usize,
    /// How many name an information sharing agreement.
    pub under_agreement: usize,
    /// How many say when the agency became aware: those that median and percentile are about.
    pub timed: usize,
    /// The median delay in milliseconds.
    pub median_ms: Option<i64>,
    /// The 90th percentile of the delay in milliseconds.
    pub p90_ms: Option<i64>,
    /// When the first was shared.
    #[serde(serialize_with = "notation::text")]
    pub first_shared_at: Timestamp,
    /// When the last was shared.
    #[serde(serialize_with = "notation::text")]
    pub last_shared_at: Timestamp,
}

impl Queries {
    /// The ways on which something was shared, each from one agency to another. Unless they are sorted by agency, all shares are read
    /// for a page.
    pub fn sharing(
        &self,
        filter: &SharingFilter,
        sort: SharingSort,
        page: &Page,
    ) -> Result<Answer<SharingWay>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let make = |unit: &Unit, rows: &Key| {
            let Unit::Edge(from, to) = unit else { return Ok((None, 0)) };
            if filter.to.as_ref().is_some_and(|wanted| wanted.as_str() != to) {
                return Ok((None, 0));
            }
            let (counts, _, cost) = snapshot.counts(rows, filter)?;
            Ok((counts.map(|counts| SharingWay { from: from.clone(), to: to.clone(), counts }), cost))
        };
        let units = Units::ways(filter.from.as_ref().map(AgencyCode::as_str));
        if sort == SharingSort::Agency {
            return snapshot.page_of_units(&units, page, make);
        }
        let mut ways = snapshot.all_units(&units, make)?;
        ways.sort_by_key(|way| sort.rank(&way.counts));
        snapshot.page_of(ways, page)
    }

    /// What each agency shared, whether with other agencies or within its own: a [`SharingFilter::to`] leaves those shares that went to
    /// that agency too. Unless they are sorted by agency, all shares are read for a page.
    pub fn sharing_by_agency(
        &self,
        filter: &SharingFilter,
        sort: SharingSort,
        page: &Page,
    ) -> Result<Answer<AgencySharing>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let make = |unit: &Unit, rows: &Key| {
            let Unit::Agency(agency) = unit else { return Ok((None, 0)) };
            if filter.from.as_ref().is_some_and(|wanted| wanted.as_str() != agency) {
                return Ok((None, 0));
            }
            let (counts, recipients, cost) = snapshot.counts(rows, filter)?;
            let row = |counts| AgencySharing { agency: agency.clone(), recipients, counts };
            Ok((counts.map(row), cost))
        };
        if sort == SharingSort::Agency {
            return snapshot.page_of_units(&Units::sharing(), page, make);
        }
        let mut agencies = snapshot.all_units(&Units::sharing(), make)?;
        agencies.sort_by_key(|row| sort.rank(&row.counts));
        snapshot.page_of(agencies, page)
    }
}

impl Snapshot {
    /// The shares under a prefix that the filter takes, counted; none if there are none. Also with how many agencies, and how many
    /// shares were read.
    fn counts(
        &self,
        rows: &Key,
        filter: &SharingFilter,
    ) -> Result<(Option<ShareCounts>, usize, usize), QueryError> {
        let span = bounds(filter.since, filter.until);
        let shares = share::load(&self.store, rows, self.horizon)?;
        let taken = |share: &&Share| {
            span.contains(&share.shared_at)
                && filter.to.as_ref().is_none_or(|to| share.recipients.iter().any(|code| code == to.as_str()))
        };
        let taken: Vec<&Share> = shares.values().filter(taken).collect();
        let mut children: BTreeSet<OwnerId> = BTreeSet::new();
        for share in &taken {
            children.insert(self.least(share.child)?);
        }
        let recipients: BTreeSet<&String> = taken.iter().flat_map(|share| &share.recipients).collect();
        Ok((ShareCounts::of(&taken, children.len()), recipients.len(), shares.len()))
    }
}

impl ShareCounts {
    fn of(shares: &[&Share], children: usize) -> Option<Self> {
        let times = || shares.iter().map(|share| share.shared_at);
        let mut delays: Vec<i64> = shares.iter().filter_map(|share| share.delay()).collect();
        delays.sort_unstable();
        Some(Self {
            shares: shares.len(),
            children,
            by_consent: shares.iter().filter(|share| share.by_consent).count(),
            under_agreement: shares.iter().filter(|share| share.agreement.is_some()).count(),
            timed: delays.len(),
            median_ms: nearest_rank(&delays, 50),
            p90_ms: nearest_rank(&delays, 90),
            first_shared_at: moment(times().min()?),
            last_shared_at: moment(times().max()?),
        })
    }
}

impl SharingSort {
    /// What comes first has the least rank.
    fn rank(self, counts: &ShareCounts) -> Reverse<i64> {
        Reverse(match self {
            Self::Agency => 0,
            Self::Shares => i64::try_from(counts.shares).unwrap_or(i64::MAX),
            Self::Median => counts.median_ms.unwrap_or(i64::MIN),
            Self::Last => counts.last_shared_at.as_millis(),
        })
    }
}

/// The least of some sorted numbers that so many per cent of them do not exceed.
fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_percentile_are_by_nearest_rank() {
        let ten: Vec<i64> = (1..=10).collect();
        assert_eq!((nearest_rank(&ten, 50), nearest_rank(&ten, 90)), (Some(5), Some(9)));
        assert_eq!((nearest_rank(&ten[..3], 50), nearest_rank(&ten[..3], 90)), (Some(2), Some(3)));
        assert_eq!((nearest_rank(&[7], 50), nearest_rank(&[7], 90)), (Some(7), Some(7)));
        assert_eq!(nearest_rank(&[], 50), None);
    }
}
