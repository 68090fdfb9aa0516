use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Extension, Json};
use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::record::OpenStatement;
use gt_projections::{AsOf, DecisionPage, Page};
use gt_schemas::{
    DecisionRecorded, Event, EventType, EvidenceState, GoldenRule, Place, Requirement, SignedData,
    golden_rules, members, read_opened,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{App, Path, Query};
use crate::access::{Accessed, Pass, Scope, Visible as _, outside};
use crate::problem::Problem;

/// `GET /v1/decisions/{index}?as_of`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    as_of: Option<String>,
}

/// `GET /v1/decisions/{index}`: one decision, with the flowchart's outcome and the golden rules.
pub(super) async fn page(
    pass: Pass,
    State(app): State<App>,
    Path(index): Path<u64>,
    Query(query): Query<PageQuery>,
) -> Result<(Extension<Accessed>, Json<Value>), Problem> {
    let until = query.as_of.as_deref().map(Timestamp::parse).transpose();
    let page = Page {
        received_until: until.map_err(|error| Problem::bad_request(error.to_string()))?,
        now: Timestamp::from_millis(SystemClock::default().wall_millis()),
        ..Page::default()
    };
    let answer = tokio::task::spawn_blocking(move || answer(&app, &pass, LeafIndex(index), &page)).await;
    let (answer, accessed) = answer.map_err(|error| Problem::internal(&error))??;
    Ok((Extension(accessed), Json(answer)))
}

fn answer(app: &App, pass: &Pass, index: LeafIndex, page: &Page) -> Result<(Value, Accessed), Problem> {
    let answer =
        app.views.ask(|views| views.decision(index, page)).map_err(|error| Problem::internal(&error))?;
    let Some(mut found) = answer.items.into_iter().next() else {
        return Err(Problem::not_found(
            "no decision was recorded by this entry, as far as the views have come; lists name the entries that did",
        ));
    };
    let scope = Scope::of_page(pass, app, page)?;
    let child = found.decision.child;
    if let Some(child) = &child {
        scope.child(child)?;
    }
    if !found.decision.is_visible(&scope)? {
        return Err(outside(pass.cell));
    }
    let mut alerts = Vec::with_capacity(found.alerts.len());
    for alert in found.alerts {
        if alert.is_visible(&scope)? {
            alerts.push(alert);
        }
    }
    found.alerts = alerts;
    let texts = Texts::read(&app.ledger, index, &found)?;
    let legal = &app.ledger.configuration().legal;
    let accessed = Accessed { child, records: 1, approval: scope.opened_by() };
    Ok((json_of(&answer.as_of, page, &found, &texts, legal)?, accessed))
}

fn json_of(
    as_of: &AsOf,
    page: &Page,
    found: &DecisionPage,
    texts: &Texts,
    legal: &gt_schemas::Catalogue,
) -> Result<Value, Problem> {
    let whole = texts.with(&found.data).ok_or_else(|| {
        Problem::not_found("the decision is of a form that this program does not interpret")
    })?;
    let speaker = found.decision.on_behalf_of.as_deref().unwrap_or(&found.decision.agency);
    // A decision that its corrections have made contradict itself leads nowhere in the flowchart.
    let flow = gt_schemas::advise(&json!(whole), Some(speaker), legal).ok().map(|advice| advice.flow);
    let signed: Vec<&str> = texts.signed.iter().map(String::as_str).collect();
    let kept: Vec<&str> = texts.kept.iter().map(String::as_str).collect();
    let rules: Vec<Value> = golden_rules(&whole, &signed, &kept).iter().map(rule).collect();
    let mut answer = serde_json::to_value(found).map_err(|error| Problem::internal(&error))?;
    answer["as_of"] = json!(as_of);
    answer["received_until"] = json!(page.received_until.map(|time| time.to_string()));
    answer["record"] = json!(if texts.ended { "ended" } else { "readable" });
    answer["flow"] = json!(flow);
    answer["golden_rules"] = json!(rules);
    Ok(answer)
}

/// A golden rule with what is missing for it.
fn rule(rule: &GoldenRule) -> Value {
    let missing = rule.evidence.iter().filter(|evidence| evidence.state == EvidenceState::Absent);
    let missing: Vec<&str> = missing.map(|evidence| evidence.member).collect();
    let mut value = json!(rule);
    value["missing"] = json!(missing);
    value
}

/// What the record has of disclosed members. It decides what is there, and is not part of the answer.
#[derive(Default)]
struct Texts {
    disclosed: BTreeMap<String, Vec<Value>>,
    /// The members that the signed data has, disclosed or not.
    signed: Vec<String>,
    kept: Vec<String>,
    /// The record key is gone.
    ended: bool,
}

impl Texts {
    /// Reads the decision's own record, and the texts of its corrections.
    fn read(ledger: &Ledger, index: LeafIndex, found: &DecisionPage) -> Result<Self, Problem> {
        let Some(open) = opened(ledger, index)? else {
            // What is always required was there, or the statement would not have been sealed.
            let always = members(EventType::DecisionRecorded)
                .iter()
                .filter(|member| member.requirement == Requirement::Always && member.place != Place::Clear);
            let signed = always.map(|member| member.name.to_owned()).collect();
            return Ok(Self { signed, ended: true, ..Self::default() });
        };
        let mut texts = Self { kept: open.kept.clone(), ..Self::default() };
        texts.take(&open, |name| Some(name.to_owned()));
        if let Some(compact) = ledger.presentation(index).map_err(|error| Problem::internal(&error))? {
            let statement =
                Statement::parse(compact.as_bytes()).map_err(|error| Problem::internal(&error))?;
            let digests = statement.payload().data.members().iter();
            texts.signed = digests.map(|member| member.name().to_owned()).collect();
        }
        for correction in &found.corrections {
            if let Some(open) = opened(ledger, correction.index)? {
                texts.take(&open, |name| match name {
                    "corrected_rationale" | "corrected_purpose_text" => {
                        name.strip_prefix("corrected_").map(ToOwned::to_owned)
                    }
                    _ => None,
                });
            }
        }
        Ok(texts)
    }

    fn take(&mut self, open: &OpenStatement, named: impl Fn(&str) -> Option<String>) {
        for (name, elements) in &open.disclosed {
            if let Some(name) = named(name) {
                let values = elements.iter().map(|element| element.value.clone()).collect();
                self.disclosed.insert(name, values);
            }
        }
    }

    /// The decision as the views have it, with what the record discloses; none if that does not read.
    fn with(&self, data: &Value) -> Option<DecisionRecorded> {
        let known = members(EventType::DecisionRecorded);
        let clear: Map<String, Value> = data
            .as_object()?
            .iter()
            .filter(|(name, _)| {
                known.iter().any(|member| member.name == *name && member.place == Place::Clear)
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut disclosed = self.disclosed.clone();
        // The views have the times as corrected.
        if let Some(times) = data.get("times") {
            disclosed.insert("times".to_owned(), vec![times.clone()]);
        }
        let version = EventType::DecisionRecorded.version();
        let data = SignedData::of_values(&clear, &disclosed);
        match read_opened(EventType::DecisionRecorded.as_str(), version, &data) {
            Ok(Event::DecisionRecorded(decision)) => Some(*decision),
            _ => None,
        }
    }
}

fn opened(ledger: &Ledger, index: LeafIndex) -> Result<Option<OpenStatement>, Problem> {
    let records = ledger.records(index, 1).map_err(|error| Problem::internal(&error))?;
    Ok(records.into_iter().next().and_then(|record| record.statement))
}
