use axum::response::Response;

use super::parameters::time;
use super::{Asked, query};
use crate::problem::Problem;
use crate::retention::now;

query! {
    /// `GET /v1/retention/due?at`
    RetentionQuery { at }
}

/// `GET /v1/retention/due`: whose periods have ended at that time, now if none is named. It ends nothing.
pub(super) async fn due(asked: Asked<RetentionQuery>) -> Result<Response, Problem> {
    let at = time(asked.query.at.as_deref())?.unwrap_or_else(now);
    asked.answer(move |views, page| views.retention_due(at, page)).await
}
