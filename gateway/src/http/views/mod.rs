//! Asking the views over HTTP. Every answer says what it reflects, and takes `as_of` to be about an earlier state.

mod agreements;
mod alerts;
mod children;
mod columns;
mod cursor;
mod decisions;
mod findings;
mod links;
mod parameters;
mod requests;
mod retention;
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
use gt_ledger::record::OwnerId;
use gt_projections::{Answer, MAX_LIMIT, Page, Queries, QueryError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use cursor::Cursors;
pub(super) use routes::routes;

use super::answer::{Form, Row, respond};
use super::{App, Query};
use crate::access::policy::Cell;
use crate::access::{Accessed, Pass, Scope, Visible, outside, outside_counts};
use crate::problem::Problem;

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

/// How often a page is filled up with the rows after it.
const MOST_GAPS: usize = 50;
/// How often it is begun anew because the views have advanced meanwhile.
const MOST_ANEW: usize = 8;

/// A question about people by somebody who may ask it: a handler that takes one cannot forget to ask for the token.
pub(super) struct Asked<Q> {
    query: Q,
    page: Page,
    form: Form,
    uri: Uri,
    app: App,
    pass: Pass,
    /// The one child that it is about, if it is about one.
    child: Option<OwnerId>,
}

impl<Q: Listing> FromRequestParts<App> for Asked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let pass = Pass::from_request_parts(parts, app).await?;
        let Query(mut query) = Query::<Q>::from_request_parts(parts, app).await?;
        let list = query.list();
        let form = Form::asked(list.format.as_deref(), &parts.headers)?;
        let mut page = page(list)?;
        if let Some(cursor) = &page.cursor {
            let place = app.access.cursors.open(cursor, parts.uri.path(), &pass.reader);
            page.cursor = Some(place.ok_or_else(|| refused(QueryError::Cursor))?);
        }
        outside_counts(&pass, page.received_until.is_some())?;
        Ok(Self { query, page, form, uri: parts.uri.clone(), app: app.clone(), pass, child: None })
    }
}

impl<Q> Asked<Q> {
    /// It is about this child: nobody is answered who may not ask about it, and the read is recorded as one of this child's record.
    fn about(mut self, child: Option<OwnerId>) -> Self {
        self.child = child;
        self
    }

    /// Refuses whoever is to have counts alone, if a part of them is asked for.
    fn counts_of_all(&self, asks_for_a_part: bool) -> Result<(), Problem> {
        outside_counts(&self.pass, asks_for_a_part)
    }

    /// Refuses whoever does not see what all agencies say.
    fn of_all_agencies(&self) -> Result<(), Problem> {
        if self.pass.cell == Cell::Allow { Ok(()) } else { Err(outside(self.pass.cell)) }
    }

    /// Asks the views, and answers in the form that is wanted.
    async fn answer<T: Row + Visible + Send + 'static>(
        self,
        question: impl Fn(&Queries, &Page) -> Result<Answer<T>, QueryError> + Send + 'static,
    ) -> Result<Response, Problem> {
        let (form, uri, cell) = (self.form, self.uri.clone(), self.pass.cell);
        let answered = self.ask(question).await?;
        responded(answered, form, &uri, cell)
    }

    /// The same of rows that count children: the question is told whose links count for nothing, since the reader does not see them.
    async fn answer_without<T: Row + Visible + Send + 'static>(
        self,
        question: impl Fn(&Queries, &Page, &dyn Fn(&OwnerId) -> bool) -> Result<Answer<T>, QueryError>
        + Send
        + 'static,
    ) -> Result<Response, Problem> {
        let (form, uri, cell) = (self.form, self.uri.clone(), self.pass.cell);
        let question = move |views: &Queries, page: &Page, scope: &Scope<'_>| {
            question(views, page, &|child| scope.leaves_out(child))
        };
        let answered = self.ask_of(question, |_| None).await?;
        responded(answered, form, &uri, cell)
    }

    /// Asks the views, without the form.
    async fn ask<T: Visible + Send + 'static>(
        self,
        question: impl Fn(&Queries, &Page) -> Result<Answer<T>, QueryError> + Send + 'static,
    ) -> Result<(Answer<T>, Accessed), Problem> {
        self.ask_of(move |views, page, _| question(views, page), |_| None).await
    }

    /// The same of what is about the child that the first row says, if the question names none. Views read from disk, so they are asked
    /// on a thread that may wait.
    async fn ask_of<T: Visible + Send + 'static>(
        self,
        question: impl Fn(&Queries, &Page, &Scope<'_>) -> Result<Answer<T>, QueryError> + Send + 'static,
        whose: impl Fn(&T) -> Option<OwnerId> + Send + 'static,
    ) -> Result<(Answer<T>, Accessed), Problem> {
        let Self { app, page, pass, child, uri, .. } = self;
        let asking = move || {
            let scope = Scope::of_page(&pass, &app, &page)?;
            if let Some(child) = &child {
                scope.child(child)?;
            }
            let ask = |page: &Page| app.views.ask(|views| question(views, page, &scope)).map_err(refused);
            let mut seen = filled(page, &scope, ask)?;
            scope.looked_up()?;
            let sealed = |place: String| app.access.cursors.seal(&place, uri.path(), &pass.reader);
            seen.next = seen.next.map(sealed);
            let child = child.or_else(|| seen.items.first().and_then(&whose));
            let accessed = Accessed { child, records: seen.items.len(), approval: scope.opened_by() };
            Ok((seen, accessed))
        };
        tokio::task::spawn_blocking(asking).await.map_err(|error| Problem::internal(&error))?
    }
}

/// The answer in its form, and what it gives away.
fn responded<T: Row>(
    (answer, accessed): (Answer<T>, Accessed),
    form: Form,
    uri: &Uri,
    cell: Cell,
) -> Result<Response, Problem> {
    let mut response = respond(&answer, form, uri, cell)?;
    response.extensions_mut().insert(accessed);
    Ok(response)
}

/// A page with what the reader sees: rows that others may see leave no gaps by which they could be counted, unless there are very many, or
/// the views advance again and again while it is filled.
fn filled<T: Visible>(
    page: Page,
    scope: &Scope<'_>,
    ask: impl Fn(&Page) -> Result<Answer<T>, Problem>,
) -> Result<Answer<T>, Problem> {
    for _ in 0..MOST_ANEW {
        if let Ok(answer) = filled_of_one_state(page.clone(), scope, &ask)? {
            return Ok(answer);
        }
    }
    filled_of_one_state(page, scope, &ask).map(|answer| answer.unwrap_or_else(|partly| partly))
}

/// The inner error is what there is of the page, if the views have advanced before it was full.
fn filled_of_one_state<T: Visible>(
    mut page: Page,
    scope: &Scope<'_>,
    ask: impl Fn(&Page) -> Result<Answer<T>, Problem>,
) -> Result<Result<Answer<T>, Answer<T>>, Problem> {
    let wanted = page.limit;
    let mut answer = seen(ask(&page)?, scope)?;
    for _ in 0..MOST_GAPS {
        if answer.items.len() >= wanted || answer.next.is_none() {
            break;
        }
        (page.limit, page.cursor) = (wanted - answer.items.len(), answer.next.clone());
        let more = ask(&page)?;
        if more.as_of != answer.as_of {
            return Ok(Err(answer));
        }
        let more = seen(more, scope)?;
        answer.items.extend(more.items);
        answer.next = more.next;
    }
    Ok(Ok(answer))
}

/// What the reader sees of a page. It may be less than was asked for, and there may be a next page all the same.
fn seen<T: Visible>(mut answer: Answer<T>, scope: &Scope<'_>) -> Result<Answer<T>, Problem> {
    let mut items = Vec::with_capacity(answer.items.len());
    for item in answer.items.drain(..) {
        if item.is_visible(scope)? {
            items.push(item);
        }
    }
    Ok(Answer { items, ..answer })
}

fn refused(error: QueryError) -> Problem {
    match error {
        QueryError::Cursor => Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", error.to_string()),
        error @ QueryError::Store(_) => Problem::internal(&error),
    }
}

/// `GET /v1/integrity`: forks of publishers' chains and the like.
pub(super) async fn integrity(_pass: Pass, State(app): State<App>) -> Json<Value> {
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
