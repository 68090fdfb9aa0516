//! Requests for information, and their clocks.

use gt_core::agency::AgencyCode;
use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::{Category, Event, Gateway};
use serde::Serialize;

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError, Snapshot, bounds};
use crate::event::ViewEvent;
use crate::fold::{RequestState, read_request, request_at, request_due};
use crate::history::{History, Mark, load_event};
use crate::key;
use crate::notation::{self, moment};
use crate::store::StoreError;
use crate::subject::Unit;

/// Which requests. Members that are `None` do not narrow; without a [`RequestFilter::state`] they are those that are open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// Received by this agency: it is to answer.
    pub agency: Option<AgencyCode>,
    /// From this agency: it asks.
    pub requester: Option<AgencyCode>,
    /// About this child, under any identifier.
    pub child: Option<OwnerId>,
    /// How they stand.
    pub state: RequestsWanted,
    /// `Red`, `Amber` or `Green`.
    pub rating: Option<String>,
    /// Due then or later.
    pub from: Option<Timestamp>,
    /// Due then or earlier.
    pub to: Option<Timestamp>,
}

/// Requests by how they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestsWanted {
    /// Nobody has answered them, whether they are overdue or not.
    #[default]
    Open,
    /// Nobody has answered them, and their time is over.
    Overdue,
    /// They were answered or refused, or decided on.
    Answered,
    /// All of them.
    All,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Nobody has answered, and there is time left.
    Open,
    /// Nobody has answered, and the time is over.
    Overdue,
    /// It was answered, refused, or decided on.
    Answered,
}

/// A request for information about a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRow {
    /// The entry.
    #[serde(serialize_with = "notation::index")]
    pub index: LeafIndex,
    /// The child, by the opaque id under which it was recorded.
    #[serde(serialize_with = "notation::text_or_null")]
    pub child: Option<OwnerId>,
    /// The agency that received the request and signed that.
    pub agency: String,
    /// The agency in whose name it was signed, if another.
    pub on_behalf_of: Option<String>,
    /// The agency that asks; none for a private person.
    pub requester: Option<String>,
    /// How urgent it is.
    pub rating: &'static str,
    /// What the information is about.
    pub categories: Vec<&'static str>,
    /// The power or duty that the asker names.
    pub gateway: Option<&'static str>,
    /// When the request came.
    #[serde(serialize_with = "notation::text_or_null")]
    pub occurred_at: Option<Timestamp>,
    /// When the ledger received it.
    #[serde(serialize_with = "notation::text")]
    pub received_at: Timestamp,
    /// By when it is to be answered: as it says, or else by its rating (DOMAIN section 4).
    #[serde(serialize_with = "notation::text")]
    pub due_at: Timestamp,
    /// How it stands.
    pub state: RequestStatus,
    /// How long there is until it is due, in milliseconds: from now, or from the answer. Below zero it is, or was, late by so much.
    pub left_ms: i64,
    /// When it was answered.
    #[serde(serialize_with = "notation::text_or_null")]
    pub answered_at: Option<Timestamp>,
    /// The entry that answers it.
    #[serde(serialize_with = "notation::index_or_null")]
    pub answered_by: Option<LeafIndex>,
    /// That entry's type: `request.answered`, `request.refused` or `decision.recorded`.
    pub answer: Option<&'static str>,
}

impl Queries {
    /// Requests by when they are due: the most pressing first. What was replaced is left out.
    pub fn requests(&self, filter: &RequestFilter, page: &Page) -> Result<Answer<RequestRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        if let Some(child) = filter.child {
            return snapshot.requests_about(child, filter, page);
        }
        let stretch = Stretch::between(key::requests(), filter.from, filter.to);
        snapshot.page(stretch, page, |(row, value)| {
            let damaged = || StoreError::Damaged { table: "requests" };
            let (index, mark) = key::last_two(row).ok_or_else(damaged)?;
            let (received_at, due, _) = read_request(value).ok_or_else(damaged)?;
            if !snapshot.horizon.covers(Mark { index: mark, received_at }) {
                return Ok(None);
            }
            // A request stands in the list where its last version stands.
            match request_due(&snapshot.store, due, index, snapshot.horizon)? {
                Some((last, state)) if last == mark => {
                    snapshot.request(&load_event(&snapshot.store, index)?, due, state, filter)
                }
                _ => Ok(None),
            }
        })
    }
}

impl Snapshot {
    fn requests_about(
        &self,
        child: OwnerId,
        filter: &RequestFilter,
        page: &Page,
    ) -> Result<Answer<RequestRow>, QueryError> {
        let span = bounds(filter.from, filter.to);
        let mut rows = Vec::new();
        for history in self.histories(child, Unit::Child)? {
            for event in received(&history).filter(|event| self.horizon.covers(event.mark())) {
                for (due, state) in request_at(&self.store, event.index, self.horizon)? {
                    if span.contains(&due) {
                        rows.extend(self.request(event, due, state, filter)?);
                    }
                }
            }
        }
        rows.sort_by_key(|row: &RequestRow| (row.due_at, row.index));
        self.page_of(rows, page)
    }

    /// The request as it stood, if the filter takes it.
    fn request(
        &self,
        event: &ViewEvent,
        due: i64,
        state: RequestState,
        filter: &RequestFilter,
    ) -> Result<Option<RequestRow>, QueryError> {
        let Event::RequestReceived(request) = &event.event else { return Ok(None) };
        let now = self.horizon.until;
        let (state, at, answer) = match state {
            RequestState::Void => return Ok(None),
            RequestState::Open if now > due => (RequestStatus::Overdue, None, None),
            RequestState::Open => (RequestStatus::Open, None, None),
            RequestState::Answered(time, by) => {
                (RequestStatus::Answered, Some(time), Some(load_event(&self.store, by)?))
            }
        };
        let row = RequestRow {
            index: LeafIndex(event.index),
            child: event.child,
            agency: event.agency.clone(),
            on_behalf_of: event.on_behalf_of.clone(),
            requester: request.from.as_ref().map(|agency| agency.as_str().to_owned()),
            rating: request.rating.as_str(),
            categories: request.categories.iter().copied().map(Category::as_str).collect(),
            gateway: request.gateway.map(Gateway::as_str),
            occurred_at: event.occurred_at().map(moment),
            received_at: moment(event.received_at),
            due_at: moment(due),
            state,
            left_ms: due.saturating_sub(at.unwrap_or(now)),
            answered_at: at.map(moment),
            answered_by: answer.as_ref().map(|event| LeafIndex(event.index)),
            answer: answer.map(|event| event.event.event_type().as_str()),
        };
        Ok(Some(row).filter(|row| filter.takes(row)))
    }
}

fn received(history: &History) -> impl Iterator<Item = &ViewEvent> {
    history.events().iter().filter(|event| matches!(event.event, Event::RequestReceived(_)))
}

impl RequestFilter {
    fn takes(&self, row: &RequestRow) -> bool {
        let state = match self.state {
            RequestsWanted::Open => row.state != RequestStatus::Answered,
            RequestsWanted::Overdue => row.state == RequestStatus::Overdue,
            RequestsWanted::Answered => row.state == RequestStatus::Answered,
            RequestsWanted::All => true,
        };
        let is = |wanted: &Option<AgencyCode>, agencies: [Option<&str>; 2]| {
            wanted.as_ref().is_none_or(|wanted| agencies.contains(&Some(wanted.as_str())))
        };
        state
            && is(&self.agency, [Some(&row.agency), row.on_behalf_of.as_deref()])
            && is(&self.requester, [row.requester.as_deref(), None])
            && self.rating.as_ref().is_none_or(|rating| rating == row.rating)
    }
}
