//! Decisions to share, or not to share.

use std::collections::BTreeSet;

use gt_core::agency::AgencyCode;
use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::{Event, FindingCode, InformedStatus, LawfulBasisKind};
use serde::Serialize;
use serde_json::Value;

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError, Snapshot, bounds};
use crate::decision::{self, Decided};
use crate::event::ViewEvent;
use crate::fold::findings_at;
use crate::history::History;
use crate::key;
use crate::notation::{self, moment};
use crate::subject::Unit;

/// Which decisions. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// About this child, under any identifier.
    pub child: Option<OwnerId>,
    /// Signed by this agency, or in its name.
    pub agency: Option<AgencyCode>,
    /// About a child who is linked to this place or other context.
    pub context: Option<ContextId>,
    /// That names this person of concern, or is about a child who is linked to that person.
    pub person: Option<OwnerId>,
    /// `Share`, `SharePart` or `Withhold`.
    pub decision: Option<String>,
    /// What gave rise to it, such as `Request`.
    pub trigger: Option<String>,
    /// The level of harm, such as `SignificantHarm`.
    pub harm_level: Option<String>,
    /// The purpose, such as `ProtectFromHarm`.
    pub purpose: Option<String>,
    /// A lawful basis relied on: its kind (`Article6`), or kind and code (`Article6.e`, `Gateway.CA1989s47`).
    pub basis: Option<String>,
    /// What the rules of practice say of it.
    pub finding: Option<FindingCode>,
    /// With this agency among the recipients.
    pub recipient: Option<AgencyCode>,
    /// Decided then or later.
    pub from: Option<Timestamp>,
    /// Decided then or earlier.
    pub to: Option<Timestamp>,
}

/// A decision, as corrected since.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionRow {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The child, by the opaque id under which it was recorded.
    #[serde(serialize_with = "notation::text_or_null")]
    pub child: Option<OwnerId>,
    /// The agency that signed it.
    pub agency: String,
    /// The agency in whose name it was signed, if another.
    pub on_behalf_of: Option<String>,
    /// `Share`, `SharePart` or `Withhold`.
    pub decision: &'static str,
    /// What gave rise to it.
    pub trigger: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// The level of harm.
    pub harm_level: &'static str,
    /// The provisions relied on, each as kind and code: `Article6.e`.
    pub lawful_basis: Vec<String>,
    /// Where consent stood.
    pub consent: &'static str,
    /// Whether the individual was told.
    pub informed: Option<&'static str>,
    /// The ground for withholding.
    pub withhold_ground: Option<&'static str>,
    /// Whether it was an emergency.
    pub emergency: bool,
    /// The agencies that received it, or from which it was withheld.
    pub recipients: Vec<String>,
    /// What the rules of practice say of it (DOMAIN section 2).
    pub findings: Vec<&'static str>,
    /// When it was decided, if that can be read; the list has it at the time that was recorded first, and otherwise at
    /// `received_at`.
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
    /// The entries that corrected it.
    #[serde(serialize_with = "notation::indexes")]
    pub corrected_by: Vec<LeafIndex>,
    /// The entry that replaced it, by the same agency.
    #[serde(serialize_with = "notation::index_or_null")]
    pub superseded_by: Option<LeafIndex>,
}

impl DecisionRow {
    /// Whether something was shared, as corrected; its recipients are then those who have it, and otherwise those from whom it was withheld.
    pub fn is_share(&self) -> bool {
        matches!(self.decision, "Share" | "SharePart")
    }
}

impl Queries {
    /// Decisions, by event time. Those that were replaced stand in the list too, and say so.
    pub fn decisions(&self, filter: &DecisionFilter, page: &Page) -> Result<Answer<DecisionRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        if let Some(children) = snapshot.children(filter)? {
            return snapshot.decisions_about(&children, filter, page);
        }
        let prefix = match &filter.agency {
            Some(agency) => key::decisions_of(agency.as_str()),
            None => key::decisions(),
        };
        let stretch = Stretch::between(prefix, filter.from, filter.to);
        snapshot.page(stretch, page, |row| {
            let Some(event) = snapshot.event(row)? else { return Ok(None) };
            snapshot.decision(&event, filter)
        })
    }
}

impl Snapshot {
    /// The children to whom the filter confines the list, under all their identifiers; none if it confines it to nobody in
    /// particular.
    fn children(&self, filter: &DecisionFilter) -> Result<Option<BTreeSet<OwnerId>>, QueryError> {
        let mut confined: Option<BTreeSet<OwnerId>> = None;
        let mut confine = |to: BTreeSet<OwnerId>| {
            confined = Some(match confined.take() {
                Some(children) => children.intersection(&to).copied().collect(),
                None => to,
            });
        };
        if let Some(child) = filter.child {
            confine(self.group(child)?);
        }
        if let Some(context) = filter.context {
            let history = History::load(&self.store, &Unit::Context(context), self.horizon.size)?;
            confine(self.children_of(&[history])?);
        }
        if let Some(person) = filter.person {
            confine(self.children_of(&self.histories(person, Unit::Person)?)?);
        }
        Ok(confined)
    }

    /// The children whom these events are about, under all their identifiers.
    fn children_of(&self, histories: &[History]) -> Result<BTreeSet<OwnerId>, QueryError> {
        let mut children = BTreeSet::new();
        for (_, event) in self.standing(histories) {
            if let Some(child) = event.child {
                children.extend(self.group(child)?);
            }
        }
        Ok(children)
    }

    fn decisions_about(
        &self,
        children: &BTreeSet<OwnerId>,
        filter: &DecisionFilter,
        page: &Page,
    ) -> Result<Answer<DecisionRow>, QueryError> {
        let span = bounds(filter.from, filter.to);
        let mut rows = Vec::new();
        for child in children {
            let history = History::load(&self.store, &Unit::Child(*child), self.horizon.size)?;
            for event in history.events() {
                let recorded = matches!(event.event, Event::DecisionRecorded(_));
                let in_sight = self.horizon.covers(event.mark()) && span.contains(&event.listed_at());
                if recorded && in_sight {
                    rows.extend(self.decision(event, filter)?.map(|row| (event.listed_at(), row)));
                }
            }
        }
        rows.sort_by_key(|(time, row)| (*time, row.index));
        self.page_of(rows.into_iter().map(|(_, row)| row).collect(), page)
    }

    /// The decision as it stood, if the filter takes it.
    pub(super) fn decision(
        &self,
        event: &ViewEvent,
        filter: &DecisionFilter,
    ) -> Result<Option<DecisionRow>, QueryError> {
        let histories = match event.child {
            Some(child) => self.histories(child, Unit::Child)?,
            None => Vec::new(),
        };
        let decided = decision::decisions(&self.standing(&histories));
        let row = match decided.iter().find(|one| one.event.index == event.index) {
            Some(one) => self.row(one)?,
            // It was replaced, or says no time: then there is nothing to correct.
            None => match decision::decisions(&[(0, event)]).first() {
                Some(one) => self.row(one)?,
                None => return Ok(None),
            },
        };
        Ok(Some(row).filter(|row| filter.takes(row)))
    }

    pub(super) fn row(&self, one: &Decided<'_>) -> Result<DecisionRow, QueryError> {
        let (event, decision) = (one.event, &one.decision);
        let prefix = key::findings_of(event.speaker());
        let findings = findings_at(&self.store, &prefix, event.index, self.horizon)?;
        let times = decision.times.as_ref();
        let time = |time: Option<gt_schemas::Time>| time.map(|time| moment(time.as_millis()));
        Ok(DecisionRow {
            index: LeafIndex(event.index),
            child: event.child,
            agency: event.agency.clone(),
            on_behalf_of: event.on_behalf_of.clone(),
            decision: decision.decision.as_str(),
            trigger: decision.trigger.as_str(),
            purpose: decision.purpose.as_str(),
            harm_level: decision.harm_level.as_str(),
            lawful_basis: decision.lawful_basis.iter().flatten().copied().map(basis).collect(),
            consent: decision.consent.status.as_str(),
            informed: decision.informed.as_ref().map(|informed| informed.status).map(InformedStatus::as_str),
            withhold_ground: decision.withhold.as_ref().map(|withhold| withhold.ground.as_str()),
            emergency: decision.emergency.unwrap_or(false),
            recipients: decision
                .recipients
                .iter()
                .filter_map(|recipient| recipient.agency.as_ref())
                .map(|agency| agency.as_str().to_owned())
                .collect(),
            findings: decision::codes_of(findings).map(FindingCode::as_str).collect(),
            occurred_at: one.decided_at().map(moment),
            aware_at: one.aware_at().map(moment),
            shared_at: one.shared_at().map(moment),
            review_at: time(times.and_then(|times| times.review_at)),
            received_at: moment(event.received_at),
            corrected_by: one.corrections.iter().map(|event| LeafIndex(event.index)).collect(),
            superseded_by: self.superseded_by(event),
        })
    }
}

/// A provision in one word: kind and code.
fn basis(basis: gt_schemas::LawfulBasis) -> String {
    let members = serde_json::to_value(basis).unwrap_or(Value::Null);
    let code = members.get("code").or_else(|| members.get("paragraph")).and_then(Value::as_str);
    let kind = LawfulBasisKind::as_str(basis.kind());
    code.map_or_else(|| kind.to_owned(), |code| format!("{kind}.{code}"))
}

impl DecisionFilter {
    fn takes(&self, row: &DecisionRow) -> bool {
        let agency = |agency: &AgencyCode| {
            row.agency == agency.as_str() || row.on_behalf_of.as_deref() == Some(agency.as_str())
        };
        let code = |wanted: Option<&String>, is: &str| wanted.is_none_or(|wanted| wanted == is);
        let relies = |wanted: &String| {
            row.lawful_basis.iter().any(|basis| {
                basis == wanted
                    || basis.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        self.agency.as_ref().is_none_or(agency)
            && code(self.decision.as_ref(), row.decision)
            && code(self.trigger.as_ref(), row.trigger)
            && code(self.harm_level.as_ref(), row.harm_level)
            && code(self.purpose.as_ref(), row.purpose)
            && self.basis.as_ref().is_none_or(relies)
            && self.finding.is_none_or(|code| row.findings.contains(&code.as_str()))
            && self.recipient.as_ref().is_none_or(|r| row.recipients.iter().any(|code| code == r.as_str()))
    }
}
