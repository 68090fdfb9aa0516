//! One child under several identifiers, and who says so.

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::{Event, IdentityConfidence, IdentityEvidence};
use serde::Serialize;

use super::{Answer, Page, Queries, QueryError, Snapshot};
use crate::event::ViewEvent;
use crate::history::{History, Horizon};
use crate::identity;
use crate::notation::{self, moment};
use crate::subject::Unit;

/// One of a person's identifiers, by its opaque id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The opaque id.
    #[serde(serialize_with = "notation::text")]
    pub id: OwnerId,
    /// Whether it stands for the person in lists and alerts: it is the least.
    pub stands_for_all: bool,
    /// What was said about it and another one, by event time.
    pub links: Vec<IdentityLink>,
}

/// A statement that two identifiers are one person's, or that they are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdentityLink {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The other identifier, by its opaque id.
    #[serde(serialize_with = "notation::text")]
    pub other: OwnerId,
    /// Whether it says that they are one person's.
    pub linked: bool,
    /// Whether the two are linked directly now: of what is said about a pair, the latest holds.
    pub holds: bool,
    /// What shows it.
    pub evidence: &'static str,
    /// How sure it is.
    pub confidence: &'static str,
    /// The agency that signed it.
    pub agency: String,
    /// The agency in whose name it was signed, if another.
    pub on_behalf_of: Option<String>,
    /// When it was said, if that can be read.
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
    /// The identifiers of one person, by their opaque ids; this one too, and alone if nobody has linked it.
    pub fn identities(&self, person: &OwnerId, page: &Page) -> Result<Answer<Identity>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let group = snapshot.group(*person)?;
        let mut items = Vec::new();
        for id in &group {
            let history = History::load(&snapshot.store, &Unit::Identity(*id), snapshot.horizon.size)?;
            let links = snapshot.identity_links(*id, &history);
            items.push(Identity { id: *id, stands_for_all: group.first() == Some(id), links });
        }
        snapshot.page_of(items, page)
    }
}

impl Snapshot {
    fn identity_links(&self, id: OwnerId, history: &History) -> Vec<IdentityLink> {
        let Horizon { size, until } = self.horizon;
        let partners = identity::partners(history, id, Horizon { size, until });
        let mut events: Vec<&ViewEvent> =
            history.events().iter().filter(|event| self.horizon.covers(event.mark())).collect();
        events.sort_unstable_by_key(|event| (event.listed_at(), event.index));
        let link = |event: &ViewEvent| {
            let (linked, evidence, confidence) = said(event)?;
            let other = *event.identified.iter().find(|identified| **identified != id)?;
            Some(IdentityLink {
                index: LeafIndex(event.index),
                other,
                linked,
                holds: partners.contains(&other),
                evidence: evidence.as_str(),
                confidence: confidence.as_str(),
                agency: event.agency.clone(),
                on_behalf_of: event.on_behalf_of.clone(),
                occurred_at: event.occurred_at().map(moment),
                received_at: moment(event.received_at),
                superseded_by: self.superseded_by(event),
            })
        };
        events.into_iter().filter_map(link).collect()
    }
}

fn said(event: &ViewEvent) -> Option<(bool, IdentityEvidence, IdentityConfidence)> {
    match &event.event {
        Event::IdentifierLinked(link) => Some((true, link.evidence, link.confidence)),
        Event::IdentifierUnlinked(link) => Some((false, link.evidence, link.confidence)),
        _ => None,
    }
}
