//! Walking from unit to unit: the rows of one begin alike, and the walk jumps over them to the next.

use gt_core::base64url;

use super::{Answer, MAX_LIMIT, MAX_SCANNED, Page, QueryError, Snapshot};
use crate::key::{self, Key};
use crate::store::{Store, StoreError};
use crate::subject::Unit;

/// Units of one kind that have rows in one table.
pub(super) struct Units {
    /// What their rows start with.
    start: Key,
    /// The unit of a row, and what all of its rows start with.
    read: fn(&[u8]) -> Option<(Unit, Key)>,
}

/// A walk, from either side.
struct Walk<'s> {
    store: &'s Store,
    read: fn(&[u8]) -> Option<(Unit, Key)>,
    from: Key,
    to: Key,
    backwards: bool,
}

impl Units {
    /// Places and other contexts.
    pub(super) fn contexts() -> Self {
        Self { start: key::histories(b'x'), read: kept }
    }

    /// Persons of concern, each under every identifier.
    pub(super) fn persons() -> Self {
        Self { start: key::histories(b'p'), read: kept }
    }

    /// Children, each under every identifier.
    pub(super) fn children() -> Self {
        Self { start: key::histories(b'c'), read: kept }
    }

    /// Information sharing agreements, by every name.
    pub(super) fn agreements() -> Self {
        Self { start: key::histories(b'g'), read: kept }
    }

    /// Agencies that have shared something.
    pub(super) fn sharing() -> Self {
        Self { start: key::shares_of_agencies(), read: kept }
    }

    /// Ways on which something was shared, all or those from one agency.
    pub(super) fn ways(from: Option<&str>) -> Self {
        let read = |row: &[u8]| {
            let (unit, _) = Unit::split(&[b"e", row.get(1..)?].concat())?;
            let Unit::Edge(from, to) = &unit else { return None };
            let rows = key::shared(from, to);
            Some((unit, rows))
        };
        Self { start: from.map_or_else(key::ways, key::shared_by), read }
    }

    /// Agencies of whose decisions the rules of practice say or said something.
    pub(super) fn with_findings() -> Self {
        Self { start: key::findings(), read: finding }
    }
}

/// The agency of a row of findings, and what all of its rows start with.
pub(super) fn finding(row: &[u8]) -> Option<(Unit, Key)> {
    let (unit, _) = Unit::split(&[b"a", row.get(1..)?].concat())?;
    let Unit::Agency(agency) = &unit else { return None };
    let rows = key::findings_of(agency);
    Some((unit, rows))
}

/// The unit whose bytes follow the table's letter.
fn kept(row: &[u8]) -> Option<(Unit, Key)> {
    let (table, rest) = row.split_first()?;
    let (unit, _) = Unit::split(rest)?;
    let rows = [&[*table], &unit.to_bytes()[..]].concat();
    Some((unit, rows))
}

impl Iterator for Walk<'_> {
    type Item = Result<(Unit, Key), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.store.range(self.from.clone(), self.to.clone(), self.backwards).next()? {
            Ok((row, _)) => row,
            Err(error) => return Some(Err(error)),
        };
        let Some((unit, rows)) = (self.read)(&row) else {
            return Some(Err(StoreError::Damaged { table: "units" }));
        };
        // A row's key is longer than what the rows of its unit start with.
        if self.backwards {
            self.to.clone_from(&rows);
        } else {
            self.from = key::after(&rows);
        }
        Some(Ok((unit, rows)))
    }
}

impl Snapshot {
    /// A page of units in the order of their keys. `make` makes an item of a unit and of what its rows start with, or passes it over,
    /// and says how many rows that took; a page that takes too many ends early.
    pub(super) fn page_of_units<T>(
        &self,
        units: &Units,
        page: &Page,
        mut make: impl FnMut(&Unit, &Key) -> Result<(Option<T>, usize), QueryError>,
    ) -> Result<Answer<T>, QueryError> {
        let mut walk = self.walk(units, page.newest_first);
        if let Some(cursor) = &page.cursor {
            let rows = base64url::decode(cursor).map_err(|_| QueryError::Cursor)?;
            if !rows.starts_with(&units.start) || (units.read)(&rows).is_none_or(|(_, known)| known != rows) {
                return Err(QueryError::Cursor);
            }
            if page.newest_first {
                walk.to = rows;
            } else {
                walk.from = key::after(&rows);
            }
        }
        let limit = page.limit.clamp(1, MAX_LIMIT);
        let (mut items, mut last, mut scanned) = (Vec::new(), None, 0);
        let more = loop {
            let next = walk.next().transpose()?;
            if items.len() == limit || scanned >= MAX_SCANNED {
                break next.is_some();
            }
            let Some((unit, rows)) = next else { break false };
            let (item, cost) = make(&unit, &rows)?;
            items.extend(item);
            (last, scanned) = (Some(rows), scanned + cost + 1);
        };
        let next = last.filter(|_| more).map(|rows| base64url::encode(&rows));
        Ok(self.answer(page, items, next))
    }

    /// What all units come to, in the order of their keys.
    pub(super) fn all_units<T>(
        &self,
        units: &Units,
        mut make: impl FnMut(&Unit, &Key) -> Result<(Option<T>, usize), QueryError>,
    ) -> Result<Vec<T>, QueryError> {
        let mut items = Vec::new();
        for unit in self.walk(units, false) {
            let (unit, rows) = unit?;
            items.extend(make(&unit, &rows)?.0);
        }
        Ok(items)
    }

    fn walk(&self, units: &Units, backwards: bool) -> Walk<'_> {
        let (from, to) = (units.start.clone(), key::after(&units.start));
        Walk { store: &self.store, read: units.read, from, to, backwards }
    }
}
