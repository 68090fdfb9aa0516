//! The events of one unit, as they stood at a given point of the log.

use crate::bytes::{Reader, Writer};
use crate::event::{StatementRef, ViewEvent};
use crate::key;
use crate::store::{Rows, StoreError};
use crate::subject::Unit;

/// Which of the log counts: the entries below `size` that were received by `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Horizon {
    pub(crate) size: u64,
    pub(crate) until: i64,
}

/// An entry, and when it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) index: u64,
    pub(crate) received_at: i64,
}

/// A unit's events, in the order of the log. The order means nothing to patterns.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    events: Vec<ViewEvent>,
}

/// What an index and a length take at most, in bytes.
const MOST_NUMBERS: usize = 20;

/// The rows of a unit's events, one after another.
#[derive(Debug, Default)]
pub(crate) struct EventRows(Vec<u8>);

impl Horizon {
    /// All entries below `size`.
    pub(crate) const fn below(size: u64) -> Self {
        Self { size, until: i64::MAX }
    }

    pub(crate) const fn covers(self, mark: Mark) -> bool {
        mark.index < self.size && mark.received_at <= self.until
    }
}

impl Mark {
    pub(crate) fn write(writer: Writer, mark: Self) -> Writer {
        writer.number(mark.index).signed(mark.received_at)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { index: reader.number()?, received_at: reader.signed()? })
    }
}

impl ViewEvent {
    /// Whether it was there and nothing had replaced it.
    pub(crate) fn stands(&self, horizon: Horizon) -> bool {
        horizon.covers(self.mark()) && !self.superseded.is_some_and(|mark| horizon.covers(mark))
    }
}

impl EventRows {
    /// The rows that lie below `size`.
    pub(crate) fn load(rows: &impl Rows, unit: &Unit, size: u64) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for (row, value) in rows.starting_with(&key::history(unit))? {
            let index = key::last_index(&row).ok_or(StoreError::Damaged { table: "events" })?;
            if index < size {
                all.push(index, &value);
            }
        }
        Ok(all)
    }

    /// Adds the row of the event with this index. If a crash has torn its batch, it may be here already.
    pub(crate) fn push(&mut self, index: u64, row: &[u8]) {
        // Most histories grow seldom, and there are many: they are to take no more than they hold.
        self.0.reserve_exact(row.len() + MOST_NUMBERS);
        let writer = Writer::over(std::mem::take(&mut self.0));
        self.0 = writer.number(index).bytes(row).finish();
    }

    /// In bytes.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

impl History {
    /// Loads what lies below `size`.
    pub(crate) fn load(rows: &impl Rows, unit: &Unit, size: u64) -> Result<Self, StoreError> {
        let rows = EventRows::load(rows, unit, size)?;
        Self::of(&rows, size).ok_or(StoreError::Damaged { table: "events" })
    }

    /// Of rows, as they stood below `size`; none if one of them is damaged.
    pub(crate) fn of(EventRows(rows): &EventRows, size: u64) -> Option<Self> {
        let (mut reader, mut history) = (Reader::new(rows), Self::default());
        while !reader.is_at_end() {
            let mut event = ViewEvent::from_row(reader.number()?, reader.bytes()?)?;
            // A batch that a crash has torn may have left a mark that nobody has made yet.
            event.superseded = event.superseded.filter(|mark| mark.index < size);
            history.push(event);
        }
        Some(history)
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn events(&self) -> &[ViewEvent] {
        &self.events
    }

    /// Adds the entry that is folded. If a crash has torn its batch, the rows may have had it already.
    pub(crate) fn push(&mut self, event: ViewEvent) {
        while self.events.last().is_some_and(|last| last.index >= event.index) {
            self.events.pop();
        }
        self.events.push(event);
    }

    /// Notes that an event was replaced.
    pub(crate) fn supersede(&mut self, index: u64, by: Mark) {
        if let Some(event) = self.events.iter_mut().find(|event| event.index == index) {
            event.superseded.get_or_insert(by);
        }
    }

    /// The events that stood then and say when they happened, each with that time.
    pub(crate) fn standing(&self, horizon: Horizon) -> impl Iterator<Item = (i64, &ViewEvent)> {
        let stood = self.events.iter().filter(move |event| event.stands(horizon));
        stood.filter_map(|event| event.occurred_at().map(|time| (time, event)))
    }
}

/// The events of several histories of one person that stood then, by time, and at one time by statement, so that the
/// order of arrival does not matter.
pub(crate) fn merged<'h>(
    histories: impl Iterator<Item = &'h History>,
    horizon: Horizon,
) -> Vec<(i64, &'h ViewEvent)> {
    let mut events: Vec<(i64, &ViewEvent)> =
        histories.flat_map(|history| history.standing(horizon)).collect();
    events.sort_unstable_by_key(|(time, event)| (*time, event.statement));
    events
}

/// The event of an entry that another row names.
pub(crate) fn load_event(rows: &impl Rows, index: u64) -> Result<ViewEvent, StoreError> {
    let damaged = || StoreError::Damaged { table: "events" };
    let bytes = rows.get(&key::event(index))?.ok_or_else(damaged)?;
    let (unit, _) = Unit::split(&bytes).ok_or_else(damaged)?;
    let row = rows.get(&key::indexed(&key::history(&unit), index))?.ok_or_else(damaged)?;
    ViewEvent::from_row(index, &row).ok_or_else(damaged)
}

/// The entry of a statement, if it lies below `size`.
pub(crate) fn index_of(
    rows: &impl Rows,
    statement: StatementRef,
    size: u64,
) -> Result<Option<u64>, StoreError> {
    let damaged = StoreError::Damaged { table: "statements" };
    let Some(value) = rows.get(&key::statement(statement))? else { return Ok(None) };
    let index = key::number(&value).ok_or(damaged)?;
    Ok(Some(index).filter(|index| *index < size))
}

/// What replaced a statement of this agency before it came itself, among the entries below `size`: the first that says so. An agency
/// cannot take back what another one said.
pub(crate) fn replaced_already(
    rows: &impl Rows,
    event: &ViewEvent,
    size: u64,
) -> Result<Option<Mark>, StoreError> {
    for (row, _) in rows.starting_with(&key::superseded(event.statement))? {
        let index = key::last_index(&row).ok_or(StoreError::Damaged { table: "supersessions" })?;
        if index < size {
            let by = load_event(rows, index)?;
            if by.speaker() == event.speaker() && !by.goes_on_from(event) {
                return Ok(Some(by.mark()));
            }
        }
    }
    Ok(None)
}
