//! Places and other contexts, and the children linked to them.

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::{ContextId, OwnerId};
use serde::Serialize;

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError};
use crate::event::Facts;
use crate::history::Subject;
use crate::key;
use crate::notation::{self, moment};

/// A child's link to a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextLink {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The child, by its opaque id.
    #[serde(serialize_with = "notation::text")]
    pub child: OwnerId,
    /// What kind of context the agency says it is.
    pub kind: Option<String>,
    /// The risk.
    pub risk: Option<String>,
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
        let snapshot = self.snapshot(page.received_until)?;
        let stretch = Stretch::between(key::history(&Subject::Context(*context)), from, to);
        snapshot.page(stretch, page, |row| {
            let Some(event) = snapshot.event(row)? else { return Ok(None) };
            let superseded_by = snapshot.superseded_by(&event)?;
            let Facts::ContextLinked(link) = event.facts else { return Ok(None) };
            Ok(Some(ContextLink {
                index: LeafIndex(event.index),
                child: event.child,
                kind: link.kind,
                risk: link.risk,
                agency: event.agency,
                on_behalf_of: event.on_behalf_of,
                occurred_at: event.occurred_at.map(moment),
                received_at: moment(event.received_at),
                superseded_by,
            }))
        })
    }
}
