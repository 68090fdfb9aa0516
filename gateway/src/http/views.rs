use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use gt_core::agency::AgencyCode;
use gt_core::statement::{Owner, Pseudonym};
use gt_core::time::Timestamp;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::record::{ContextId, OwnerId};
use gt_projections::{
    Alert, AlertFilter, Answer, ContextLink, DecisionFilter, DecisionRow, Episode, MAX_LIMIT, Page, Pattern,
    Queries, QueryError, StatusFilter, Subject, TimelineEvent,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Path, Query};
use crate::problem::Problem;
use crate::token::Reader;

/// What every list takes: which part, in which order, as the ledger stood when.
#[derive(Debug, Deserialize)]
struct List {
    limit: Option<usize>,
    cursor: Option<String>,
    newest_first: Option<bool>,
    as_of: Option<String>,
}

macro_rules! query {
    ($(#[$doc:meta])* $name:ident { $($member:ident),* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $($member: Option<String>,)*
            limit: Option<usize>,
            cursor: Option<String>,
            newest_first: Option<bool>,
            as_of: Option<String>,
        }

        impl $name {
            fn page(&mut self) -> Result<Page, Problem> {
                page(List {
                    limit: self.limit,
                    cursor: self.cursor.take(),
                    newest_first: self.newest_first,
                    as_of: self.as_of.take(),
                })
            }
        }
    };
}

query! {
    /// `GET /v1/decisions?child&agency&decision&trigger&harm_level&recipient&from&to`
    DecisionQuery { child, agency, decision, trigger, harm_level, recipient, from, to }
}
query! {
    /// `GET /v1/children/{ref}/timeline?from&to` and the like.
    SpanQuery { from, to }
}
query! {
    /// `GET /v1/alerts?pattern&child&location&status`
    AlertQuery { pattern, child, location, status }
}

/// `POST /v1/subjects` `{"pseudonym":…}` or `{"context":…}`: the opaque reference under which views know somebody or some place.
/// A POST, since a pseudonym is personal data and has no place in a URL.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubjectQuestion {
    pseudonym: Option<String>,
    context: Option<String>,
}

pub(super) async fn subject(
    _reader: Reader,
    State(app): State<App>,
    body: Result<Json<SubjectQuestion>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let expected = r#"send {"pseudonym":"nhs.1:…"} or {"context":"uprn.1:…"} as application/json"#;
    let Ok(Json(question)) = body else { return Err(Problem::bad_request(expected)) };
    match (question.pseudonym, question.context) {
        (Some(pseudonym), None) => {
            let pseudonym =
                Pseudonym::parse(&pseudonym).map_err(|error| Problem::bad_request(error.to_string()))?;
            let id = app.ledger.owner_id(&Owner::Person(pseudonym));
            let id = id.ok_or_else(|| Problem::not_found("the ledger holds nothing about this person"))?;
            Ok(Json(json!({"ref": id.to_string()})))
        }
        (None, Some(context)) => Ok(Json(json!({"ref": app.ledger.context_id(&context).to_string()}))),
        _ => Err(Problem::bad_request(expected)),
    }
}

/// `GET /v1/decisions`
pub(super) async fn decisions(
    _reader: Reader,
    State(app): State<App>,
    Query(mut query): Query<DecisionQuery>,
) -> Result<Json<Answer<DecisionRow>>, Problem> {
    let page = query.page()?;
    let filter = DecisionFilter {
        child: query.child.as_deref().map(child).transpose()?,
        agency: query.agency.as_deref().map(agency).transpose()?,
        decision: query.decision,
        trigger: query.trigger,
        harm_level: query.harm_level,
        recipient: query.recipient.as_deref().map(agency).transpose()?,
        from: query.from.as_deref().map(time).transpose()?,
        to: query.to.as_deref().map(time).transpose()?,
        ..DecisionFilter::default()
    };
    ask(app, move |views| views.decisions(&filter, &page)).await
}

/// `GET /v1/children/{ref}/timeline`
pub(super) async fn timeline(
    _reader: Reader,
    State(app): State<App>,
    Path(reference): Path<String>,
    Query(mut query): Query<SpanQuery>,
) -> Result<Json<Answer<TimelineEvent>>, Problem> {
    let (child, page, (from, to)) = (child(&reference)?, query.page()?, span(&query)?);
    ask(app, move |views| views.timeline(&child, from, to, &page)).await
}

/// `GET /v1/children/{ref}/episodes`: missing episodes, absences that several agencies report merged into one.
pub(super) async fn episodes(
    _reader: Reader,
    State(app): State<App>,
    Path(reference): Path<String>,
    Query(mut query): Query<SpanQuery>,
) -> Result<Json<Answer<Episode>>, Problem> {
    let (child, page) = (child(&reference)?, query.page()?);
    ask(app, move |views| views.missing_episodes(&child, &page)).await
}

/// `GET /v1/locations/{ref}`: the children linked to a place or another context.
pub(super) async fn location(
    _reader: Reader,
    State(app): State<App>,
    Path(reference): Path<String>,
    Query(mut query): Query<SpanQuery>,
) -> Result<Json<Answer<ContextLink>>, Problem> {
    let (context, page, (from, to)) = (context(&reference)?, query.page()?, span(&query)?);
    ask(app, move |views| views.context(&context, from, to, &page)).await
}

/// `GET /v1/alerts`
pub(super) async fn alerts(
    _reader: Reader,
    State(app): State<App>,
    Query(mut query): Query<AlertQuery>,
) -> Result<Json<Answer<Alert>>, Problem> {
    let page = query.page()?;
    let subject = match (query.child.as_deref(), query.location.as_deref()) {
        (Some(_), Some(_)) => {
            return Err(Problem::bad_request("ask for a child or for a location, not for both"));
        }
        (Some(reference), None) => Some(Subject::Child(child(reference)?)),
        (None, Some(reference)) => Some(Subject::Context(context(reference)?)),
        (None, None) => None,
    };
    let pattern = query.pattern.as_deref().map(|name| {
        let known = Pattern::ALL.map(Pattern::as_str).join(", ");
        Pattern::parse(name)
            .ok_or_else(|| Problem::bad_request(format!("no such pattern; there are {known}")))
    });
    let status = query.status.as_deref().map(|name| {
        let known = "status is waiting, open, assigned, reviewed or retracted";
        StatusFilter::parse(name).ok_or_else(|| Problem::bad_request(known))
    });
    let filter = AlertFilter {
        pattern: pattern.transpose()?,
        subject,
        status: status.transpose()?,
        ..AlertFilter::default()
    };
    ask(app, move |views| views.alerts(&filter, &page)).await
}

/// `GET /v1/integrity`: forks of publishers' chains and the like.
pub(super) async fn integrity(_reader: Reader, State(app): State<App>) -> Json<Value> {
    Json(json!({"items": app.ledger.integrity_alerts()}))
}

/// Views read from disk, so they are asked on a thread that may wait.
async fn ask<T: Send + 'static>(
    app: App,
    question: impl FnOnce(&Queries) -> Result<Answer<T>, QueryError> + Send + 'static,
) -> Result<Json<Answer<T>>, Problem> {
    let answer = tokio::task::spawn_blocking(move || question(&app.views)).await;
    match answer.map_err(|error| Problem::internal(&error))? {
        Ok(answer) => Ok(Json(answer)),
        Err(error @ QueryError::Cursor) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", error.to_string()))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

fn page(list: List) -> Result<Page, Problem> {
    if list.limit.is_some_and(|limit| limit == 0 || limit > MAX_LIMIT) {
        return Err(Problem::bad_request(format!("limit is 1 to {MAX_LIMIT}")));
    }
    let usual = Page::default();
    Ok(Page {
        limit: list.limit.unwrap_or(usual.limit),
        cursor: list.cursor,
        newest_first: list.newest_first.unwrap_or(false),
        received_until: list.as_of.as_deref().map(time).transpose()?,
        now: Timestamp::from_millis(SystemClock::default().wall_millis()),
    })
}

fn span(query: &SpanQuery) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
    Ok((query.from.as_deref().map(time).transpose()?, query.to.as_deref().map(time).transpose()?))
}

fn time(text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text).map_err(|error| Problem::bad_request(error.to_string()))
}

fn agency(text: &str) -> Result<AgencyCode, Problem> {
    AgencyCode::parse(text).map_err(|error| Problem::bad_request(error.to_string()))
}

fn child(reference: &str) -> Result<OwnerId, Problem> {
    OwnerId::parse(reference).ok_or_else(|| {
        Problem::bad_request("a child is named by its opaque reference, 22 characters of base64url; POST /v1/subjects gives it for a pseudonym")
    })
}

fn context(reference: &str) -> Result<ContextId, Problem> {
    ContextId::parse(reference).ok_or_else(|| {
        Problem::bad_request("a location is named by its opaque reference, 22 characters of base64url; POST /v1/subjects gives it")
    })
}
