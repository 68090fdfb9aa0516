//! Shares: what a decision to share comes to, as rows of the agency, of the agreement and of the way between two agencies.
//!
//! A share is derived from a decision and its corrections, and derived again whenever one of them comes or goes. Its rows
//! are versions: each carries the entry that caused it, and the last one below the horizon counts.

use std::collections::{BTreeMap, BTreeSet};

use gt_ledger::record::{ContextId, OwnerId};

use crate::bytes::{Reader, Writer};
use crate::decision::Decided;
use crate::event::StatementRef;
use crate::history::{Horizon, Mark};
use crate::key::{self, Key};
use crate::store::{Rows, StoreError};
use crate::subject::Unit;

/// A decision to share, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    /// The decision's entry.
    pub(crate) index: u64,
    pub(crate) statement: StatementRef,
    pub(crate) child: OwnerId,
    pub(crate) agency: String,
    pub(crate) shared_at: i64,
    pub(crate) aware_at: Option<i64>,
    /// Whether it relies on Article 6(a).
    pub(crate) by_consent: bool,
    pub(crate) agreement: Option<ContextId>,
    /// The agencies outside its own, sorted.
    pub(crate) recipients: Vec<String>,
    /// The decision's entry and its corrections'.
    pub(crate) entries: Vec<u64>,
}

impl Share {
    /// What the decision comes to; none if it shares nothing, or nobody can say when or about whom.
    pub(crate) fn of(decided: &Decided<'_>) -> Option<Self> {
        if !decided.decision.decision.shares() {
            return None;
        }
        let agency = decided.event.speaker();
        let recipients: BTreeSet<&str> = decided.recipients().filter(|other| *other != agency).collect();
        Some(Self {
            index: decided.event.index,
            statement: decided.event.statement,
            child: decided.event.child?,
            agency: agency.to_owned(),
            shared_at: decided.shared_at()?,
            aware_at: decided.aware_at(),
            by_consent: decided.relies_on_consent(),
            agreement: decided.event.refs.agreement,
            recipients: recipients.into_iter().map(str::to_owned).collect(),
            entries: decided.entries(),
        })
    }

    /// What the rows of its decision start with.
    pub(crate) fn prefixes(&self) -> Vec<Key> {
        let mut prefixes = vec![key::shares(&Unit::Agency(self.agency.clone()))];
        prefixes.extend(self.agreement.map(|agreement| key::shares(&Unit::Agreement(agreement))));
        prefixes.extend(self.recipients.iter().map(|to| key::shared(&self.agency, to)));
        prefixes
    }

    /// How long it took from knowing to sharing, in milliseconds.
    pub(crate) fn delay(&self) -> Option<i64> {
        self.aware_at.map(|aware| self.shared_at - aware)
    }
}

/// What an agency's own pattern needs of a share. An agency has many, and all of them are held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Brief {
    pub(crate) shared_at: i64,
    pub(crate) statement: StatementRef,
    pub(crate) index: u64,
    pub(crate) by_consent: bool,
}

impl Brief {
    pub(crate) const fn of(share: &Share) -> Self {
        let &Share { shared_at, statement, index, by_consent, .. } = share;
        Self { shared_at, statement, index, by_consent }
    }
}

/// An agency's shares by their times.
#[derive(Debug, Default)]
pub(crate) struct Briefs {
    /// Sorted.
    all: Vec<Brief>,
    /// The times of those that rely on consent, sorted.
    by_consent: Vec<i64>,
    /// Whether nothing was found in them when they were last looked at, and nothing has been added since that could change this.
    pub(crate) quiet: bool,
}

impl Briefs {
    /// These shares, not yet looked at.
    pub(crate) fn of(shares: impl Iterator<Item = Brief>) -> Self {
        let mut all: Vec<Brief> = shares.collect();
        all.sort_unstable();
        let by_consent = all.iter().filter(|share| share.by_consent).map(|share| share.shared_at).collect();
        Self { all, by_consent, quiet: false }
    }

    /// All of them, sorted.
    pub(crate) fn all(&self) -> &[Brief] {
        &self.all
    }

    /// Adds a share, unless it is here.
    pub(crate) fn add(&mut self, share: Brief) {
        if let Err(at) = self.all.binary_search(&share) {
            self.all.insert(at, share);
            if share.by_consent {
                let at = self.by_consent.partition_point(|time| *time <= share.shared_at);
                self.by_consent.insert(at, share.shared_at);
            }
        }
    }

    /// Takes a share out, if it is here.
    pub(crate) fn remove(&mut self, share: &Brief) {
        if let Ok(at) = self.all.binary_search(share) {
            self.all.remove(at);
            if share.by_consent
                && let Ok(at) = self.by_consent.binary_search(&share.shared_at)
            {
                self.by_consent.remove(at);
            }
        }
    }

    /// How many there are from one time to another, both included, and how many of them rely on consent.
    pub(crate) fn within(&self, from: i64, to: i64) -> (u64, u64) {
        let all = self.all.partition_point(|share| share.shared_at <= to)
            - self.all.partition_point(|share| share.shared_at < from);
        let by_consent = self.by_consent.partition_point(|time| *time <= to)
            - self.by_consent.partition_point(|time| *time < from);
        (all as u64, by_consent as u64)
    }

    /// The time of the next share after this one.
    pub(crate) fn next_after(&self, time: i64) -> Option<i64> {
        self.all.get(self.all.partition_point(|share| share.shared_at <= time)).map(|share| share.shared_at)
    }
}

/// A version of a share: what it is since an entry, or that it is none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) received_at: i64,
    pub(crate) share: Option<Share>,
}

/// What the last version of a decision's share says, below `size`.
pub(crate) fn latest(
    rows: &impl Rows,
    agency: &str,
    decision: u64,
    size: u64,
) -> Result<Option<Share>, StoreError> {
    let prefix = key::indexed(&key::shares(&Unit::Agency(agency.to_owned())), decision);
    Ok(load(rows, &prefix, Horizon::below(size))?.remove(&decision))
}

impl Version {
    pub(crate) fn to_row(&self) -> Vec<u8> {
        let share = |writer: Writer, share: &Share| {
            writer
                .id(&share.statement.0)
                .id(share.child.as_bytes())
                .text(&share.agency)
                .signed(share.shared_at)
                .optional(share.aware_at, Writer::signed)
                .flag(share.by_consent)
                .optional(share.agreement, |writer, agreement| writer.id(agreement.as_bytes()))
                .list(share.recipients.iter(), |writer, recipient| writer.text(recipient))
                .list(share.entries.iter(), |writer, entry| writer.number(*entry))
        };
        Writer::default().signed(self.received_at).optional(self.share.as_ref(), share).finish()
    }

    fn from_row(index: u64, row: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(row);
        let received_at = reader.signed()?;
        let share = reader.optional(|reader| {
            Some(Share {
                index,
                statement: StatementRef(reader.id()?),
                child: OwnerId::from_bytes(reader.id()?),
                agency: reader.text()?.to_owned(),
                shared_at: reader.signed()?,
                aware_at: reader.optional(Reader::signed)?,
                by_consent: reader.flag()?,
                agreement: reader.optional(Reader::id)?.map(ContextId::from_bytes),
                recipients: reader.list(|reader| reader.text().map(str::to_owned))?,
                entries: reader.list(Reader::number)?,
            })
        })?;
        reader.finish(Self { received_at, share })
    }
}

/// The shares under a prefix, as they stood then, by decision.
pub(crate) fn load(
    rows: &impl Rows,
    prefix: &[u8],
    horizon: Horizon,
) -> Result<BTreeMap<u64, Share>, StoreError> {
    let damaged = || StoreError::Damaged { table: "shares" };
    let mut shares = BTreeMap::new();
    for (row, value) in rows.starting_with(prefix)? {
        let (index, mark) = key::last_two(&row).ok_or_else(damaged)?;
        let version = Version::from_row(index, &value).ok_or_else(damaged)?;
        if horizon.covers(Mark { index: mark, received_at: version.received_at }) {
            match version.share {
                Some(share) => shares.insert(index, share),
                None => shares.remove(&index),
            };
        }
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_round_trips() {
        let share = Share {
            index: 7,
            statement: StatementRef([1; 16]),
            child: OwnerId::from_bytes([2; 16]),
            agency: "gias:999001".into(),
            shared_at: -5,
            aware_at: Some(-9),
            by_consent: true,
            agreement: Some(ContextId::from_bytes([3; 16])),
            recipients: vec!["gss:E06000999".into(), "police:32".into()],
            entries: vec![7, 90],
        };
        assert_eq!((share.delay(), share.prefixes().len()), (Some(4), 4));
        for share in [Some(share), None] {
            let version = Version { received_at: 11, share };
            assert_eq!(Version::from_row(7, &version.to_row()), Some(version));
        }
    }
}
