//! Places and other contexts, and the children linked to them.

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::Event;
use serde::Serialize;

use super::{Answer, Page, Queries, QueryError, Snapshot, bounds};
use crate::event::ViewEvent;
use crate::history::{History, merged};
use crate::notation::{self, moment};
use crate::subject::Unit;

/// A child's link to a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextLink {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The child: of one with several identifiers, the least of its opaque ids.
    #[serde(serialize_with = "notation::text")]
    pub child: OwnerId,
    /// What kind of context the agency says it is.
    pub kind: &'static str,
    /// The risk.
    pub risk: &'static str,
    /// The agency that signed it.
    pub agency: String,
    /// The agency in whose name it was signed, if another.
    pub on_behalf_of: Option<String>,
    /// When it happened, if that can be read; the list has it at this time, and otherwise at `received_at`.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// When a later event says that it has ended.
    #[serde(serialize_with = "notation::text_or_null")]
    pub ended_at: Option<Timestamp>,
    /// The entry that replaced it, by the same agency.
    #[serde(serialize_with = "notation::index_or_null")]
    pub superseded_by: Option<LeafIndex>,
}

impl Queries {
    /// The children linked to a context, by event time, from one time to another (both included).
    pub fn context(
        &self,
        context: &ContextId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        page: &Page,
    ) -> Result<Answer<ContextLink>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let history = History::load(&snapshot.store, &Unit::Context(*context), snapshot.horizon.size)?;
        let span = bounds(from, to);
        let mut links = Vec::new();
        for event in history.events() {
            let in_sight = snapshot.horizon.covers(event.mark()) && span.contains(&event.listed_at());
            if let (Event::ContextLinked(link), Some(child), true) = (&event.event, event.child, in_sight) {
                links.push((event, link, child));
            }
        }
        links.sort_unstable_by_key(|(event, ..)| (event.listed_at(), event.index));
        let chosen = snapshot.page_of(links, page)?;
        let ends = snapshot.ends([&history])?;
        let mut items = Vec::new();
        for (event, link, child) in chosen.items {
            let child = snapshot.least(child)?;
            items.push(ContextLink {
                index: LeafIndex(event.index),
                child,
                kind: link.kind.as_str(),
                risk: link.risk.as_str(),
                agency: event.agency.clone(),
                on_behalf_of: event.on_behalf_of.clone(),
                occurred_at: event.occurred_at().map(moment),
                received_at: moment(event.received_at),
                ended_at: end_of(event, child, &ends).map(moment),
                superseded_by: snapshot.superseded_by(event),
            });
        }
        Ok(snapshot.answer(page, items, chosen.next))
    }
}

impl Snapshot {
    /// When links are said to have ended, each with its child, by time.
    pub(super) fn ends<'h>(
        &self,
        histories: impl IntoIterator<Item = &'h History>,
    ) -> Result<Vec<(i64, OwnerId)>, QueryError> {
        let mut ends = Vec::new();
        for (time, event) in merged(histories.into_iter(), self.horizon) {
            if let (Event::ContextUnlinked(_) | Event::PersonUnlinked(_), Some(child)) =
                (&event.event, event.child)
            {
                ends.push((time, self.least(child)?));
            }
        }
        Ok(ends)
    }
}

/// The first end of a link with this child that does not lie before the link.
pub(super) fn end_of(link: &ViewEvent, child: OwnerId, ends: &[(i64, OwnerId)]) -> Option<i64> {
    let ends = ends.iter().filter(|(time, of)| *of == child && *time >= link.listed_at());
    ends.map(|(time, _)| *time).next()
}
