//! Pages of lists, and the cursors from one to the next.

use gt_core::base64url;
use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_core::{Hash, TreeSize};
use serde::Serialize;

use super::{MAX_SCANNED, QueryError, Snapshot};
use crate::event::ViewEvent;
use crate::head::AsOf;
use crate::history::load_event;
use crate::key::{self, Key};
use crate::notation;
use crate::store::Row;

/// The most items on a page.
pub const MAX_LIMIT: usize = 500;
const DEFAULT_LIMIT: usize = 100;
/// Keys have at most 80 bytes.
const MAX_CURSOR: usize = 160;

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many items at most; 1 to [`MAX_LIMIT`], anything else is brought into these bounds.
    pub limit: usize,
    /// [`Answer::next`] of the page before.
    pub cursor: Option<String>,
    /// From the other end of the list.
    pub newest_first: bool,
    /// Answer as the ledger stood then: only entries that were received by that time count (that moment included).
    pub received_until: Option<Timestamp>,
    /// What time it is for who asks: deadlines that have passed by then count. Without it, when the last entry was received.
    pub now: Option<Timestamp>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, cursor: None, newest_first: false, received_until: None, now: None }
    }
}

impl Page {
    /// Whether the answer is about an earlier state of the ledger: the one that is asked for, or that of the list's first page.
    pub fn is_of_earlier(&self) -> bool {
        self.received_until.is_some() || self.place().is_some()
    }

    /// How many items of a list that is made in memory come before the page.
    fn skipped(&self) -> Result<usize, QueryError> {
        match &self.cursor {
            None => Ok(0),
            Some(_) => self.place().map(|place| place.skipped).ok_or(QueryError::Cursor),
        }
    }

    /// Where the page begins in a list that is made in memory, if it has a cursor of such a list.
    pub(super) fn place(&self) -> Option<Place> {
        let mut parts = self.cursor.as_ref()?.strip_prefix('n')?.splitn(4, '.');
        let skipped = parts.next()?.parse().ok()?;
        let tree_size = TreeSize(parts.next()?.parse().ok()?);
        let received_at = match parts.next()? {
            "" => None,
            millis => Some(Timestamp::from_millis(millis.parse().ok()?)?),
        };
        Some(Place {
            skipped,
            as_of: AsOf { tree_size, received_at, root: Hash::parse(parts.next()?).ok()? },
        })
    }

    /// How many items of such a list it takes to make the page, and to see whether more follow.
    pub(super) fn needed(&self) -> Result<usize, QueryError> {
        Ok(self.skipped()?.saturating_add(self.limit.clamp(1, MAX_LIMIT)).saturating_add(1))
    }
}

/// The place of a page in a list that is made in memory: it is that of the log of the first page, so that what comes meanwhile moves
/// nothing from page to page, or out of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// How many items come before.
    skipped: usize,
    /// The log that the first page reflected.
    pub(super) as_of: AsOf,
}

impl Place {
    fn to_cursor(self) -> String {
        let AsOf { tree_size, root, received_at } = self.as_of;
        let received_at = received_at.map_or_else(String::new, |time| time.as_millis().to_string());
        format!("n{}.{}.{received_at}.{root}", self.skipped, tree_size.0)
    }
}

/// A part of a list, and the log that it reflects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer<T> {
    /// The log that the answer reflects.
    pub as_of: AsOf,
    /// If the answer is about an earlier state of the ledger: only what was received by then counts.
    #[serde(serialize_with = "notation::text_or_null")]
    pub received_until: Option<Timestamp>,
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page. None at the end of the list. A page may have fewer items than asked for, even
    /// none, and still have a next one.
    pub next: Option<String>,
}

/// A stretch of keys: those that start so, between two bounds.
pub(super) struct Stretch {
    prefix: Key,
    from: Key,
    to: Key,
}

impl Stretch {
    pub(super) fn all(prefix: Key) -> Self {
        // No key has a suffix of 0xff bytes that long: it holds an index below 2^53.
        Self { from: prefix.clone(), to: [&prefix[..], &[0xff; 40]].concat(), prefix }
    }

    /// Of a list by time: the rows from one time to another, both included.
    pub(super) fn between(prefix: Key, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let mut stretch = Self::all(prefix);
        if let Some(from) = from {
            stretch.from = key::at(&stretch.prefix, from.as_millis(), 0);
        }
        if let Some(to) = to {
            stretch.to = key::at(&stretch.prefix, to.as_millis(), u64::MAX);
        }
        stretch
    }

    /// Of a list whose keys begin with a time and end with an id: up to that time.
    pub(super) fn until(prefix: Key, until: i64) -> Self {
        let mut stretch = Self::all(prefix);
        stretch.to = [&key::at(&stretch.prefix, until, u64::MAX)[..], &[0xff; 8]].concat();
        stretch
    }

    /// Leaves out what lies before the cursor, and the row of the cursor itself.
    fn after(mut self, page: &Page) -> Result<Self, QueryError> {
        let Some(cursor) = &page.cursor else { return Ok(self) };
        if cursor.len() > MAX_CURSOR {
            return Err(QueryError::Cursor);
        }
        let mut last = base64url::decode(cursor).map_err(|_| QueryError::Cursor)?;
        if !last.starts_with(&self.prefix) || last < self.from || last > self.to {
            return Err(QueryError::Cursor);
        }
        if page.newest_first {
            // The greatest key below it: keys of one list have the same length, so none lies between.
            step_back(&mut last);
            self.to = last;
        } else {
            last.push(0);
            self.from = last;
        }
        Ok(self)
    }
}

/// The number before, as all keys of a list have the same length.
fn step_back(key: &mut [u8]) {
    for byte in key.iter_mut().rev() {
        *byte = byte.wrapping_sub(1);
        if *byte != 0xff {
            return;
        }
    }
}

impl Snapshot {
    /// Reads a page of a list. `keep` makes an item of a row, or passes it over.
    pub(super) fn page<T>(
        &self,
        stretch: Stretch,
        page: &Page,
        mut keep: impl FnMut(&Row) -> Result<Option<T>, QueryError>,
    ) -> Result<Answer<T>, QueryError> {
        let limit = page.limit.clamp(1, MAX_LIMIT);
        let stretch = stretch.after(page)?;
        let mut rows = self.store.range(stretch.from, stretch.to, page.newest_first);
        let (mut items, mut last, mut scanned) = (Vec::new(), None, 0);
        let more = loop {
            if items.len() == limit || scanned == MAX_SCANNED {
                break rows.next().transpose()?.is_some();
            }
            let Some(row) = rows.next().transpose()? else { break false };
            items.extend(keep(&row)?);
            (last, scanned) = (Some(row.0), scanned + 1);
        };
        let next = last.filter(|_| more).map(|key| base64url::encode(&key));
        Ok(self.answer(page, items, next))
    }

    /// A page of a list that was made in memory. The cursor has the number of items before the page, and the log of the first one.
    pub(super) fn page_of<T>(&self, mut items: Vec<T>, page: &Page) -> Result<Answer<T>, QueryError> {
        let skip = page.skipped()?;
        if page.newest_first {
            items.reverse();
        }
        let (all, limit) = (items.len(), page.limit.clamp(1, MAX_LIMIT));
        let end = skip.saturating_add(limit);
        let items = items.into_iter().skip(skip).take(limit).collect();
        let place = Place { skipped: end, as_of: self.as_of };
        Ok(self.answer(page, items, (end < all).then(|| place.to_cursor())))
    }

    /// The event that a row of a list leads to, if it is in sight.
    pub(super) fn event(&self, row: &Row) -> Result<Option<ViewEvent>, QueryError> {
        let Some(index) = key::last_index(&row.0).filter(|index| *index < self.horizon.size) else {
            return Ok(None);
        };
        let event = load_event(&self.store, index)?;
        Ok(self.horizon.covers(event.mark()).then_some(event))
    }

    /// The entry that replaced the event, as far as is in sight.
    pub(super) fn superseded_by(&self, event: &ViewEvent) -> Option<LeafIndex> {
        event.superseded.filter(|mark| self.horizon.covers(*mark)).map(|mark| LeafIndex(mark.index))
    }
}
