//! One decision, with all that the views know about it.

use std::collections::BTreeSet;

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_schemas::{Event, FindingCode};
use serde::Serialize;
use serde_json::Value;

use super::{Answer, DecisionRow, Page, Queries, QueryError, Snapshot};
use crate::alerts::{Alert, AlertId};
use crate::decision::{self, ChildRecord, Corrections, Decided};
use crate::event::ViewEvent;
use crate::history::{History, load_event};
use crate::key;
use crate::notation::{self, moment};
use crate::store::{Rows as _, StoreError};
use crate::subject::Unit;

/// A decision's page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionPage {
    /// The decision as in lists, corrected.
    pub decision: DecisionRow,
    /// Its members in the clear and its times, corrected. Other disclosed members are left out.
    pub data: Value,
    /// What the rules of practice say of it.
    pub findings: Vec<DecisionFinding>,
    /// The corrections that were applied, in the order of their event times, and each after the one that it corrects.
    pub corrections: Vec<DecisionCorrection>,
    /// What reviews came to, in the order of their event times.
    pub reviews: Vec<DecisionReview>,
    /// The alerts that have it, or a correction of it, among their entries; retracted ones too.
    pub alerts: Vec<Alert>,
}

/// A rule of practice that the decision breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionFinding {
    /// The rule.
    pub code: &'static str,
    /// What it says, and what to look at.
    pub sentence: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// The items concerned, as indexes into `data.items`; empty if it is about the whole.
    pub items: Vec<usize>,
}

/// A correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionCorrection {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The agency that corrected; it is the decision's own.
    pub agency: String,
    /// When it was corrected.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// What was corrected.
    pub fields: Vec<&'static str>,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionReview {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The agency that reviewed.
    pub agency: String,
    /// When it was reviewed.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// What the review came to.
    pub outcome: &'static str,
    /// Whether the individual has been told by now.
    pub informed: Option<&'static str>,
}

impl Queries {
    /// The page of the decision that this entry recorded; the answer has no item if it recorded none. A decision that was replaced has
    /// its page as it was recorded.
    pub fn decision(&self, index: LeafIndex, page: &Page) -> Result<Answer<DecisionPage>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let Some(event) = snapshot.recorded(index)? else {
            return Ok(snapshot.answer(page, Vec::new(), None));
        };
        let histories = match event.child {
            Some(child) => snapshot.histories(child, Unit::Child)?,
            None => Vec::new(),
        };
        let standing = snapshot.standing(&histories);
        let found = decision::decisions(&standing).into_iter().find(|one| one.event.index == event.index);
        let alone = || decision::decisions(&[(0, &event)]).into_iter().next();
        let Some(one) = found.or_else(alone) else {
            return Ok(snapshot.answer(page, Vec::new(), None));
        };
        let row = snapshot.row(&one)?;
        let legal = &self.rules(&snapshot.store, &snapshot.store.head()?)?.legal;
        let looked_at = one.findings(&ChildRecord::of(&standing), legal);
        let items = |code: &str| {
            let finding = looked_at.iter().find(|finding| finding.code.as_str() == code);
            finding.map(|finding| finding.items.clone()).unwrap_or_default()
        };
        let codes = FindingCode::ALL.iter().filter(|code| row.findings.contains(&code.as_str()));
        let findings = codes.map(|code| DecisionFinding {
            code: code.as_str(),
            sentence: code.sentence(),
            source: code.source(),
            items: items(code.as_str()),
        });
        let known = Corrections::of(&standing);
        let item = DecisionPage {
            findings: findings.collect(),
            data: serde_json::to_value(&*one.decision).unwrap_or(Value::Null),
            corrections: one.corrections.iter().filter_map(|event| correction(event)).collect(),
            reviews: standing.iter().filter_map(|(_, event)| review(event, &one, &known)).collect(),
            alerts: snapshot.alerts_naming(&one, &histories, &standing)?,
            decision: row,
        };
        Ok(snapshot.answer(page, vec![item], None))
    }
}

impl Snapshot {
    /// The event of this entry, if it is in sight and records a decision.
    fn recorded(&self, index: LeafIndex) -> Result<Option<ViewEvent>, StoreError> {
        if index.0 >= self.horizon.size || self.store.get(&key::event(index.0))?.is_none() {
            return Ok(None);
        }
        let event = load_event(&self.store, index.0)?;
        let is_decision = matches!(event.event, Event::DecisionRecorded(_));
        Ok(Some(event).filter(|event| is_decision && self.horizon.covers(event.mark())))
    }

    /// The alerts that rest on the decision or on a correction of it, by when they were raised.
    fn alerts_naming(
        &self,
        one: &Decided<'_>,
        histories: &[History],
        standing: &[(i64, &ViewEvent)],
    ) -> Result<Vec<Alert>, StoreError> {
        let entries = one.entries();
        let mut ids = BTreeSet::new();
        for unit in self.concerned(one, histories, standing)? {
            for (row, _) in self.store.starting_with(&key::alerts_of(&unit))? {
                let id = row.last_chunk().copied().map(AlertId::from_bytes);
                ids.insert(id.ok_or(StoreError::Damaged { table: "alerts" })?);
            }
        }
        let mut alerts = Vec::new();
        for id in ids {
            let names = |alert: &Alert| alert.entries.iter().any(|entry| entries.contains(&entry.0));
            alerts.extend(self.alert(&id)?.filter(names));
        }
        alerts.sort_by_key(|alert| (alert.raised_at, alert.id));
        Ok(alerts)
    }

    /// The units in which patterns look at the decision.
    fn concerned(
        &self,
        one: &Decided<'_>,
        histories: &[History],
        standing: &[(i64, &ViewEvent)],
    ) -> Result<BTreeSet<Unit>, StoreError> {
        let (event, speaker) = (one.event, one.event.speaker());
        let mut units = BTreeSet::from([Unit::Agency(speaker.to_owned())]);
        if let Some(child) = event.child {
            units.extend(self.group(child)?.into_iter().map(Unit::Child));
        }
        for person in &event.persons {
            units.extend(self.group(*person)?.into_iter().map(Unit::Person));
        }
        units.extend(event.refs.agreement.map(Unit::Agreement));
        units.extend(standing.iter().filter_map(|(_, event)| event.context).map(Unit::Context));
        // What is said of a way between two agencies names all that both said of a child whom they have in common.
        let mut others: BTreeSet<&str> = one.recipients().collect();
        others.extend(histories.iter().flat_map(History::events).map(ViewEvent::speaker));
        others.remove(speaker);
        for other in others {
            units.insert(Unit::Edge(speaker.to_owned(), other.to_owned()));
            units.insert(Unit::Edge(other.to_owned(), speaker.to_owned()));
        }
        Ok(units)
    }
}

fn correction(event: &ViewEvent) -> Option<DecisionCorrection> {
    let Event::DecisionCorrected(corrected) = &event.event else { return None };
    Some(DecisionCorrection {
        index: LeafIndex(event.index),
        agency: event.speaker().to_owned(),
        occurred_at: event.occurred_at().map(moment),
        received_at: moment(event.received_at),
        fields: corrected.fields.iter().map(|field| field.as_str()).collect(),
    })
}

fn review(event: &ViewEvent, one: &Decided<'_>, known: &Corrections<'_>) -> Option<DecisionReview> {
    let Event::DecisionReviewed(reviewed) = &event.event else { return None };
    if known.reviewed(event) != Some(one.event.statement) {
        return None;
    }
    Some(DecisionReview {
        index: LeafIndex(event.index),
        agency: event.speaker().to_owned(),
        occurred_at: event.occurred_at().map(moment),
        received_at: moment(event.received_at),
        outcome: reviewed.outcome.as_str(),
        informed: reviewed.informed.map(gt_schemas::InformedStatus::as_str),
    })
}
