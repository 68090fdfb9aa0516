use axum::response::Response;
use gt_projections::{Alert, AlertFilter, AlertId, AlertStatus, Pattern, StatusFilter, Subject};

use serde::Deserialize;

use super::parameters::{agency, choice, code, context, person, time};
use super::{Asked, List, Listing, query};
use crate::http::Path;
use crate::http::answer::respond;
use crate::problem::Problem;

query! {
    /// `GET /v1/alerts?pattern&child&person&location&agency&status&from&to`
    AlertQuery { pattern, child, person, location, agency, status, from, to }
}
/// `GET /v1/alerts/{id}?as_of`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct OneQuery {
    as_of: Option<String>,
    format: Option<String>,
}

impl Listing for OneQuery {
    fn list(&mut self) -> List {
        let (as_of, format) = (self.as_of.take(), self.format.take());
        List { limit: None, cursor: None, newest_first: None, as_of, format }
    }
}

/// `GET /v1/alerts`
pub(super) async fn alerts(mut asked: Asked<AlertQuery>) -> Result<Response, Problem> {
    let query = &mut asked.query;
    let statuses = [
        ("waiting", Some(StatusFilter::Waiting)),
        ("open", Some(StatusFilter::Is(AlertStatus::Open))),
        ("assigned", Some(StatusFilter::Is(AlertStatus::Assigned))),
        ("reviewed", Some(StatusFilter::Is(AlertStatus::Reviewed))),
        ("retracted", Some(StatusFilter::Is(AlertStatus::Retracted))),
        ("all", None),
    ];
    let pattern = code("pattern", query.pattern.take(), &Pattern::ALL.map(Pattern::as_str))?;
    let filter = AlertFilter {
        pattern: pattern.as_deref().and_then(Pattern::parse),
        subject: subject(query)?,
        agency: agency(query.agency.as_deref())?,
        status: choice("status", query.status.as_deref(), &statuses)?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    let child = match &filter.subject {
        Some(Subject::Child(child)) => Some(*child),
        _ => None,
    };
    asked.about(child).answer(move |views, page| views.alerts(&filter, page)).await
}

fn subject(query: &AlertQuery) -> Result<Option<Subject>, Problem> {
    match (query.child.as_deref(), query.person.as_deref(), query.location.as_deref()) {
        (None, None, None) => Ok(None),
        (Some(child), None, None) => Ok(Some(Subject::Child(person(child)?))),
        (None, Some(of_concern), None) => Ok(Some(Subject::Person(person(of_concern)?))),
        (None, None, Some(place)) => Ok(Some(Subject::Context(context(place)?))),
        _ => Err(Problem::bad_request("an alert is about one: ask for a child, a person or a location")),
    }
}

/// `GET /v1/alerts/{id}`: one alert, with what people did about it.
pub(super) async fn alert(asked: Asked<OneQuery>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = AlertId::parse(&id)
        .ok_or_else(|| Problem::bad_request("an alert's id has 22 characters of base64url"))?;
    let (form, uri, cell) = (asked.form, asked.uri.clone(), asked.pass.cell);
    // Of an alert about one child the record is that child's.
    let whose = |alert: &Alert| match alert.subject {
        Subject::Child(child) => Some(child),
        _ => None,
    };
    let (answer, accessed) = asked.ask_of(move |views, page, _| views.alert(&id, page), whose).await?;
    if answer.items.is_empty() {
        return Err(Problem::not_found("there is no such alert, or there was none yet"));
    }
    let mut response = respond(&answer, form, &uri, cell)?;
    response.extensions_mut().insert(accessed);
    Ok(response)
}
