//! A child's timeline.

use std::collections::BTreeMap;

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use serde::Serialize;

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError};
use crate::key;
use crate::notation::{self, moment};

/// An event of a child's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEvent {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// When it happened, if that can be read; the timeline has it at this time, and otherwise at `received_at`.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: &'static str,
    /// The agency that signed it.
    pub agency: String,
    /// The agency in whose name it was signed, if another.
    pub on_behalf_of: Option<String>,
    /// A few of its codes, by member.
    pub codes: BTreeMap<String, String>,
    /// The entry that replaced it, by the same agency.
    #[serde(serialize_with = "notation::index_or_null")]
    pub superseded_by: Option<LeafIndex>,
}

impl Queries {
    /// The events about a child, by event time, from one time to another (both included).
    pub fn timeline(
        &self,
        child: &OwnerId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        page: &Page,
    ) -> Result<Answer<TimelineEvent>, QueryError> {
        let snapshot = self.snapshot(page.received_until)?;
        let stretch = Stretch::between(key::timeline(child.as_bytes()), from, to);
        snapshot.page(stretch, page, |row| {
            let Some(event) = snapshot.event(row)? else { return Ok(None) };
            Ok(Some(TimelineEvent {
                index: LeafIndex(event.index),
                occurred_at: event.occurred_at.map(moment),
                received_at: moment(event.received_at),
                event_type: event.facts.type_name(),
                codes: event.facts.codes(),
                superseded_by: snapshot.superseded_by(&event)?,
                agency: event.agency,
                on_behalf_of: event.on_behalf_of,
            }))
        })
    }
}
