//! Decisions to share, or not to share.

use gt_core::agency::AgencyCode;
use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use serde::Serialize;

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError};
use crate::event::{DecisionFacts, Facts, ViewEvent};
use crate::key;
use crate::notation::{self, moment};

/// Which decisions. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// About this child.
    pub child: Option<OwnerId>,
    /// Signed by this agency, or in its name.
    pub agency: Option<AgencyCode>,
    /// `Share`, `SharePart` or `Withhold`.
    pub decision: Option<String>,
    /// What gave rise to it, such as `Request`.
    pub trigger: Option<String>,
    /// The level of harm, such as `SignificantHarm`.
    pub harm_level: Option<String>,
    /// With this agency among the recipients.
    pub recipient: Option<AgencyCode>,
    /// Decided then or later.
    pub from: Option<Timestamp>,
    /// Decided then or earlier.
    pub to: Option<Timestamp>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionRow {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The child, by its opaque id.
    #[serde(serialize_with = "notation::text")]
    pub child: OwnerId,
    /// The agency that signed it.
    pub agency: String,
    /// The agency in whose name it was signed, if another.
    pub on_behalf_of: Option<String>,
    /// `Share`, `SharePart` or `Withhold`.
    pub decision: Option<String>,
    /// What gave rise to it.
    pub trigger: Option<String>,
    /// What for.
    pub purpose: Option<String>,
    /// The level of harm.
    pub harm_level: Option<String>,
    /// Where consent stood.
    pub consent: Option<String>,
    /// The ground for withholding.
    pub withhold_ground: Option<String>,
    /// Whether it was an emergency.
    pub emergency: bool,
    /// The agencies that received it, or from which it was withheld; the first 32.
    pub recipients: Vec<String>,
    /// When it was decided, if that can be read; the list has it at this time, and otherwise at `received_at`.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the concern or the request came.
    #[serde(serialize_with = "notation::text_or_null")]
    pub aware_at: Option<Timestamp>,
    /// When the information was shared.
    #[serde(serialize_with = "notation::text_or_null")]
    pub shared_at: Option<Timestamp>,
    /// When it is to be reviewed.
    #[serde(serialize_with = "notation::text_or_null")]
    pub review_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// The entry that replaced it, by the same agency.
    #[serde(serialize_with = "notation::index_or_null")]
    pub superseded_by: Option<LeafIndex>,
}

impl Queries {
    /// Decisions, by event time.
    pub fn decisions(&self, filter: &DecisionFilter, page: &Page) -> Result<Answer<DecisionRow>, QueryError> {
        let snapshot = self.snapshot(page.received_until)?;
        let prefix = match (&filter.child, &filter.agency) {
            (Some(child), _) => key::timeline(child.as_bytes()),
            (None, Some(agency)) => key::decisions_of(agency.as_str()),
            (None, None) => key::decisions(),
        };
        let stretch = Stretch::between(prefix, filter.from, filter.to);
        snapshot.page(stretch, page, |row| {
            // In a child's timeline the value is the type; in the lists of decisions there is none.
            if !row.1.is_empty() && row.1 != b"decision.recorded" {
                return Ok(None);
            }
            let Some(event) = snapshot.event(row)? else { return Ok(None) };
            let Facts::Decision(facts) = &event.facts else { return Ok(None) };
            if !filter.matches(&event, facts) {
                return Ok(None);
            }
            Ok(Some(DecisionRow {
                superseded_by: snapshot.superseded_by(&event)?,
                ..DecisionRow::new(&event, facts)
            }))
        })
    }
}

impl DecisionFilter {
    fn matches(&self, event: &ViewEvent, facts: &DecisionFacts) -> bool {
        let agency = |agency: &AgencyCode| {
            event.agency == agency.as_str() || event.on_behalf_of.as_deref() == Some(agency.as_str())
        };
        let code = |wanted: Option<&String>, name: &str| {
            wanted.is_none_or(|wanted| facts.code(name) == Some(wanted.as_str()))
        };
        self.agency.as_ref().is_none_or(agency)
            && code(self.decision.as_ref(), "decision")
            && code(self.trigger.as_ref(), "trigger")
            && code(self.harm_level.as_ref(), "harm_level")
            && self.recipient.as_ref().is_none_or(|r| facts.recipients.iter().any(|code| code == r.as_str()))
    }
}

impl DecisionRow {
    fn new(event: &ViewEvent, facts: &DecisionFacts) -> Self {
        let code = |name: &str| facts.code(name).map(str::to_owned);
        let time = |name: &str| facts.times.get(name).copied().map(moment);
        Self {
            index: LeafIndex(event.index),
            child: event.child,
            agency: event.agency.clone(),
            on_behalf_of: event.on_behalf_of.clone(),
            decision: code("decision"),
            trigger: code("trigger"),
            purpose: code("purpose"),
            harm_level: code("harm_level"),
            consent: code("consent"),
            withhold_ground: code("withhold_ground"),
            emergency: facts.emergency,
            recipients: facts.recipients.clone(),
            occurred_at: event.occurred_at.map(moment),
            aware_at: time("aware_at"),
            shared_at: time("shared_at"),
            review_at: time("review_at"),
            received_at: moment(event.received_at),
            superseded_by: None,
        }
    }
}
