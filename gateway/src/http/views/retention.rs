use std::sync::Arc;

use axum::response::Response;
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_projections::{Page, Queries, RetentionRow};

use super::parameters::time;
use super::{Asked, query};
use crate::problem::{Problem, chain};
use crate::retention::{counted, now};

query! {
    /// `GET /v1/retention/due?at`
    RetentionQuery { at }
}

/// `GET /v1/retention/due`: whose periods have ended at that time, now if none is named. It ends nothing.
pub(super) async fn due(asked: Asked<RetentionQuery>) -> Result<Response, Problem> {
    let at = time(asked.query.at.as_deref())?.unwrap_or_else(now);
    let ledger = Arc::clone(&asked.app.ledger);
    let question = move |views: &Queries, page: &Page| {
        let mut answer = views.retention_due(at, page)?;
        // What was said of somebody by then in the records of others, nobody works out: of the past the views alone are asked.
        if page.received_until.is_none() {
            answer.items = answer.items.into_iter().filter_map(|row| still_due(&ledger, row, at)).collect();
        }
        Ok(answer)
    };
    asked.answer(question).await
}

/// What is due of a row. The list ends nothing, so what cannot be read is no reason to have none.
fn still_due(ledger: &Ledger, row: RetentionRow, at: Timestamp) -> Option<RetentionRow> {
    counted(ledger, row.clone(), at).unwrap_or_else(|error| {
        tracing::error!(
            error = chain(&error),
            "it is not known who else has said something about somebody who is due"
        );
        Some(row)
    })
}
