//! What is about one child; and the missing episodes of all.

use axum::response::Response;
use gt_projections::{AccessRow, Answer, EpisodeFilter, EpisodeState};
use serde::Serialize;

use super::parameters::{choice, person, time};
use super::{Asked, query};
use crate::access::reader_of;
use crate::http::Path;
use crate::http::answer::respond;
use crate::problem::Problem;

query! {
    /// `GET /v1/children/{ref}/timeline?from&to`
    TimelineQuery { from, to }
}
query! {
    /// What takes no filter.
    AllQuery {}
}
query! {
    /// `GET /v1/episodes?state&from&to`
    EpisodeQuery { state, from, to }
}

/// `GET /v1/children/{ref}/timeline`
pub(super) async fn timeline(
    asked: Asked<TimelineQuery>,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    let child = person(&reference)?;
    let (from, to) = (time(asked.query.from.as_deref())?, time(asked.query.to.as_deref())?);
    asked.about(Some(child)).answer(move |views, page| views.timeline(&child, from, to, page)).await
}

/// `GET /v1/children/{ref}/episodes`: missing episodes, absences that several agencies report merged into one.
pub(super) async fn episodes(
    asked: Asked<AllQuery>,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    let child = person(&reference)?;
    asked.about(Some(child)).answer(move |views, page| views.missing_episodes(&child, page)).await
}

/// `GET /v1/children/{ref}/identities`: the identifiers that are one child's, and who says so.
pub(super) async fn identities(
    asked: Asked<AllQuery>,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    let child = person(&reference)?;
    asked.about(Some(child)).answer(move |views, page| views.identities(&child, page)).await
}

/// Who looked, with the name, which views do not hold.
#[derive(Serialize)]
pub(super) struct Access {
    #[serde(flatten)]
    row: AccessRow,
    /// The name; none where the entry's keys have ended.
    reader: Option<String>,
}

/// `GET /v1/children/{ref}/accesses`: who looked at the child's record, and who was allowed to.
pub(super) async fn accesses(
    asked: Asked<AllQuery>,
    Path(reference): Path<String>,
) -> Result<Response, Problem> {
    let child = person(&reference)?;
    let (form, uri, cell, ledger) =
        (asked.form, asked.uri.clone(), asked.pass.cell, asked.app.ledger.clone());
    let (answer, accessed) =
        asked.about(Some(child)).ask(move |views, page| views.accesses(&child, page)).await?;
    let naming = move || {
        let named = |row: AccessRow| Ok(Access { reader: reader_of(&ledger, row.index)?, row });
        let items = answer.items.into_iter().map(named).collect::<Result<Vec<Access>, Problem>>()?;
        Ok::<_, Problem>(Answer {
            as_of: answer.as_of,
            received_until: answer.received_until,
            items,
            next: answer.next,
        })
    };
    let answer = tokio::task::spawn_blocking(naming).await.map_err(|error| Problem::internal(&error))??;
    let mut response = respond(&answer, form, &uri, cell)?;
    response.extensions_mut().insert(accessed);
    Ok(response)
}

/// `GET /v1/episodes`: the missing episodes of all children.
pub(super) async fn all_episodes(asked: Asked<EpisodeQuery>) -> Result<Response, Problem> {
    let query = &asked.query;
    let states = [
        ("open", Some(EpisodeState::Open)),
        ("ended", Some(EpisodeState::Ended)),
        ("end_not_reported", Some(EpisodeState::EndNotReported)),
    ];
    let filter = EpisodeFilter {
        state: choice("state", query.state.as_deref(), &states)?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    asked.answer(move |views, page| views.all_missing_episodes(&filter, page)).await
}
