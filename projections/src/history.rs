//! The events of one child or context that patterns look at, as they stood at a given point of the log.

use gt_ledger::record::{ContextId, OwnerId};
use serde::Serialize;

use crate::event::{Facts, ViewEvent};
use crate::key;
use crate::notation::{self, Opaque as _};
use crate::store::{Rows, StoreError};

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A child.
    Child(#[serde(serialize_with = "notation::text")] OwnerId),
    /// A place or another context.
    Context(#[serde(serialize_with = "notation::text")] ContextId),
}

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

/// An event, and what replaced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) event: ViewEvent,
    pub(crate) superseded: Option<Mark>,
}

/// A subject's events. Their order is that of the log and means nothing to the patterns.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    events: Vec<Seen>,
}

impl Subject {
    pub(crate) fn to_bytes(self) -> [u8; 17] {
        let (kind, id) = match &self {
            Self::Child(child) => (b'm', child.bytes()),
            Self::Context(context) => (b'c', context.bytes()),
        };
        let mut bytes = [kind; 17];
        bytes[1..].copy_from_slice(id);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, id) = bytes.split_first()?;
        let id = id.try_into().ok()?;
        match kind {
            b'm' => Some(Self::Child(OwnerId::from_bytes(id))),
            b'c' => Some(Self::Context(ContextId::from_bytes(id))),
            _ => None,
        }
    }

    /// In whose history the event stands, if a pattern looks at its type.
    pub(crate) fn of(event: &ViewEvent) -> Option<Self> {
        match &event.facts {
            Facts::Decision(_) => None,
            Facts::MissingStarted(_) | Facts::MissingEnded(_) => Some(Self::Child(event.child)),
            Facts::ContextLinked(link) => link.context.map(Self::Context),
        }
    }
}

impl Horizon {
    /// All entries below `size`.
    pub(crate) const fn below(size: u64) -> Self {
        Self { size, until: i64::MAX }
    }

    pub(crate) fn covers(self, mark: Mark) -> bool {
        mark.index < self.size && mark.received_at <= self.until
    }

    /// The same, but only what lies before an entry.
    pub(crate) fn before(self, index: u64) -> Self {
        Self { size: self.size.min(index), ..self }
    }
}

impl Seen {
    pub(crate) fn mark(&self) -> Mark {
        Mark { index: self.event.index, received_at: self.event.received_at }
    }

    fn stands(&self, horizon: Horizon) -> bool {
        horizon.covers(self.mark()) && !self.superseded.is_some_and(|mark| horizon.covers(mark))
    }
}

impl History {
    /// Loads what lies below `size`.
    pub(crate) fn load(rows: &impl Rows, subject: &Subject, size: u64) -> Result<Self, StoreError> {
        let mut events = Vec::new();
        for (row, _) in rows.starting_with(&key::history(subject))? {
            let index = key::last_index(&row).ok_or(StoreError::Damaged { table: "history" })?;
            if index < size {
                let event = load_event(rows, index)?;
                let superseded = superseded_by(rows, &event, size)?;
                events.push(Seen { event, superseded });
            }
        }
        events.sort_unstable_by_key(|seen| seen.event.index);
        Ok(Self { events })
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn push(&mut self, seen: Seen) {
        self.events.push(seen);
    }

    /// Notes that an event was replaced. The first replacement counts.
    pub(crate) fn supersede(&mut self, index: u64, by: Mark) {
        if let Some(seen) = self.events.iter_mut().find(|seen| seen.event.index == index) {
            seen.superseded.get_or_insert(by);
        }
    }

    /// The events that stood then and say when they happened, each with that time.
    pub(crate) fn standing(&self, horizon: Horizon) -> impl Iterator<Item = (i64, &ViewEvent)> {
        let stood = self.events.iter().filter(move |seen| seen.stands(horizon));
        stood.filter_map(|seen| seen.event.occurred_at.map(|time| (time, &seen.event)))
    }
}

/// The event of an entry that another row names.
pub(crate) fn load_event(rows: &impl Rows, index: u64) -> Result<ViewEvent, StoreError> {
    let damaged = || StoreError::Damaged { table: "events" };
    let bytes = rows.get(&key::event(index))?.ok_or_else(damaged)?;
    serde_json::from_slice(&bytes).map_err(|_| damaged())
}

/// What replaced the event, among the entries below `size`: the first later statement of the same agency that says
/// so. An agency cannot take back what another one said.
pub(crate) fn superseded_by(
    rows: &impl Rows,
    event: &ViewEvent,
    size: u64,
) -> Result<Option<Mark>, StoreError> {
    for (row, _) in rows.starting_with(&key::superseded(event.statement))? {
        let index = key::last_index(&row).ok_or(StoreError::Damaged { table: "supersessions" })?;
        if index < size {
            let by = load_event(rows, index)?;
            if by.speaker() == event.speaker() {
                return Ok(Some(Mark { index, received_at: by.received_at }));
            }
        }
    }
    Ok(None)
}
