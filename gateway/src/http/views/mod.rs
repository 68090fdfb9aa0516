//! Asking the views over HTTP. Every answer says what it reflects, and takes `as_of` to be about an earlier state.

mod agreements;
mod alerts;
mod children;
mod columns;
mod decisions;
mod findings;
mod links;
mod parameters;
mod requests;
mod routes;
mod sharing;
mod subjects;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use gt_core::time::Timestamp;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_projections::{Answer, MAX_LIMIT, Page, Queries, QueryError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(super) use routes::routes;

use super::answer::{Form, Row, respond};
use super::{App, Query};
use crate::problem::Problem;
use crate::token::Reader;

/// What every list takes: which part, in which order, as the ledger stood when, in which form.
struct List {
    limit: Option<usize>,
    cursor: Option<String>,
    newest_first: Option<bool>,
    as_of: Option<String>,
    format: Option<String>,
}

/// A query string of a list.
trait Listing: DeserializeOwned {
    /// Takes out what every list takes.
    fn list(&mut self) -> List;
}

/// Declares a query string: its own parameters, and those of every list. Any other is refused.
macro_rules! query {
    ($(#[$doc:meta])* $name:ident { $($member:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(in crate::http) struct $name {
            $($member: Option<String>,)*
            limit: Option<usize>,
            cursor: Option<String>,
            newest_first: Option<bool>,
            as_of: Option<String>,
            format: Option<String>,
        }

        impl super::Listing for $name {
            fn list(&mut self) -> super::List {
                super::List {
                    limit: self.limit,
                    cursor: self.cursor.take(),
                    newest_first: self.newest_first,
                    as_of: self.as_of.take(),
                    format: self.format.take(),
                }
            }
        }
    };
}

use query;

/// A question about people by somebody who may ask it: a handler that takes one cannot forget to ask for the token.
pub(super) struct Asked<Q> {
    query: Q,
    page: Page,
    form: Form,
    uri: Uri,
    app: App,
}

impl<Q: Listing> FromRequestParts<App> for Asked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let _reader = Reader::from_request_parts(parts, app).await?;
        let Query(mut query) = Query::<Q>::from_request_parts(parts, app).await?;
        let list = query.list();
        let form = Form::asked(list.format.as_deref(), &parts.headers)?;
        Ok(Self { query, page: page(list)?, form, uri: parts.uri.clone(), app: app.clone() })
    }
}

impl<Q> Asked<Q> {
    /// Asks the views, and answers in the form that is wanted.
    async fn answer<T: Row + Send + 'static>(
        self,
        question: impl FnOnce(&Queries, &Page) -> Result<Answer<T>, QueryError> + Send + 'static,
    ) -> Result<Response, Problem> {
        let (form, uri) = (self.form, self.uri.clone());
        respond(&self.ask(question).await?, form, &uri)
    }

    /// Views read from disk, so they are asked on a thread that may wait.
    async fn ask<T: Send + 'static>(
        self,
        question: impl FnOnce(&Queries, &Page) -> Result<Answer<T>, QueryError> + Send + 'static,
    ) -> Result<Answer<T>, Problem> {
        let Self { app, page, .. } = self;
        let answer = tokio::task::spawn_blocking(move || app.views.ask(|views| question(views, &page))).await;
        match answer.map_err(|error| Problem::internal(&error))? {
            Ok(answer) => Ok(answer),
            Err(error @ QueryError::Cursor) => {
                Err(Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", error.to_string()))
            }
            Err(error) => Err(Problem::internal(&error)),
        }
    }
}

/// `GET /v1/integrity`: forks of publishers' chains and the like.
pub(super) async fn integrity(_reader: Reader, State(app): State<App>) -> Json<Value> {
    Json(json!({"items": app.ledger.integrity_alerts()}))
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
        received_until: parameters::time(list.as_of.as_deref())?,
        now: Timestamp::from_millis(SystemClock::default().wall_millis()),
    })
}
