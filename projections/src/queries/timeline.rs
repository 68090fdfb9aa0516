//! A child's timeline.

use std::collections::BTreeMap;

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use serde::Serialize;
use serde_json::Value;

use super::codes::codes;
use super::{Answer, Page, Queries, QueryError, bounds};
use crate::history::History;
use crate::notation::{self, moment};
use crate::subject::Unit;

/// An event of a child's timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineEvent {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The identifier under which it was reported, by its opaque id.
    #[serde(serialize_with = "notation::text_or_null")]
    pub child: Option<OwnerId>,
    /// When it happened, if that can be read; the timeline has it at this time, and otherwise at `received_at`.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// By when what it calls for is due, by the rules that were in force: the answer to a request or to a data subject, a local
    /// authority's response to a disclosure, the full record of an emergency. Whether it came is not looked at here.
    #[serde(serialize_with = "notation::text_or_null")]
    pub due_at: Option<Timestamp>,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: &'static str,
    /// The agency that signed it.
    pub agency: String,
    /// The agency in whose name it was signed, if another.
    pub on_behalf_of: Option<String>,
    /// Its codes, by member.
    pub codes: BTreeMap<String, Value>,
    /// The entry that replaced it, by the same agency.
    #[serde(serialize_with = "notation::index_or_null")]
    pub superseded_by: Option<LeafIndex>,
}

impl Queries {
    /// The events about a child under all its identifiers, by event time, from one time to another (both included).
    pub fn timeline(
        &self,
        child: &OwnerId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        page: &Page,
    ) -> Result<Answer<TimelineEvent>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let histories = snapshot.histories(*child, Unit::Child)?;
        let span = bounds(from, to);
        let mut events: Vec<_> = histories
            .iter()
            .flat_map(History::events)
            .filter(|event| snapshot.horizon.covers(event.mark()))
            .filter(|event| span.contains(&event.listed_at()))
            .collect();
        events.sort_unstable_by_key(|event| (event.listed_at(), event.index));
        let rules = self.rules_of(page, &snapshot)?;
        let chosen = snapshot.page_of(events, page)?;
        let row = |event: &crate::event::ViewEvent| TimelineEvent {
            index: LeafIndex(event.index),
            child: event.child,
            occurred_at: event.occurred_at().map(moment),
            received_at: moment(event.received_at),
            due_at: event.event.due_at(&rules).map(|due| moment(due.as_millis())),
            event_type: event.event.event_type().as_str(),
            codes: codes(event),
            superseded_by: snapshot.superseded_by(event),
            agency: event.agency.clone(),
            on_behalf_of: event.on_behalf_of.clone(),
        };
        let items = chosen.items.into_iter().map(row).collect();
        Ok(snapshot.answer(page, items, chosen.next))
    }
}
