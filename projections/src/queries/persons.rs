//! One person of concern, and the children linked to the person.

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::Event;
use serde::Serialize;

use super::contexts::end_of;
use super::{Answer, Page, Queries, QueryError, bounds};
use crate::notation::{self, moment};
use crate::subject::Unit;

/// A link to a person of concern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonLink {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The child: of one with several identifiers, the least of its opaque ids. None where the person is known without a child.
    #[serde(serialize_with = "notation::text_or_null")]
    pub child: Option<OwnerId>,
    /// The risk.
    pub risk: &'static str,
    /// From whom the agency knows it.
    pub source: &'static str,
    /// Fact or something else.
    pub nature: &'static str,
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
    /// The links to a person of concern under all identifiers, by event time, from one time to another (both included).
    pub fn person(
        &self,
        person: &OwnerId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        page: &Page,
    ) -> Result<Answer<PersonLink>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let histories = snapshot.histories(*person, Unit::Person)?;
        let span = bounds(from, to);
        let mut links = Vec::new();
        for event in histories.iter().flat_map(|history| history.events()) {
            let in_sight = snapshot.horizon.covers(event.mark()) && span.contains(&event.listed_at());
            if let (Event::PersonLinked(link), true) = (&event.event, in_sight) {
                links.push((event, link));
            }
        }
        links.sort_unstable_by_key(|(event, _)| (event.listed_at(), event.index));
        let (chosen, ends) = (snapshot.page_of(links, page)?, snapshot.ends(&histories)?);
        let mut items = Vec::new();
        for (event, link) in chosen.items {
            let child = event.child.map(|child| snapshot.least(child)).transpose()?;
            items.push(PersonLink {
                index: LeafIndex(event.index),
                child,
                risk: link.risk.as_str(),
                source: link.source.as_str(),
                nature: link.nature.as_str(),
                agency: event.agency.clone(),
                on_behalf_of: event.on_behalf_of.clone(),
                occurred_at: event.occurred_at().map(moment),
                received_at: moment(event.received_at),
                ended_at: child.and_then(|child| end_of(event, child, &ends)).map(moment),
                superseded_by: snapshot.superseded_by(event),
            });
        }
        Ok(snapshot.answer(page, items, chosen.next))
    }
}
