use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gt_core::statement::MAX_PRESENTATION_BYTES;
use gt_ledger::Ledger;
use gt_ledger::prepare::Prepared;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::{MAX_BATCH, Sealed};
use rayon::prelude::*;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::App;
use crate::problem::Problem;

const MAX_NDJSON_BYTES: usize = 16 << 20;

/// The largest body: NDJSON of several statements. A single statement has its own, smaller limit.
pub(super) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_NDJSON_BYTES)
}

/// `POST /v1/statements`: one compact SD-JWT, or NDJSON of JSON strings that hold one each.
pub(super) async fn publish(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_long",
                format!("a body has at most {MAX_NDJSON_BYTES} bytes"),
            )
            .into_response();
        }
        Err(error) => return Problem::bad_request(error.body_text()).into_response(),
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/sd-jwt" => one(&app.ledger, &body).await,
        "application/x-ndjson" => many(&app.ledger, body).await,
        _ => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send one statement as application/sd-jwt, or a JSON string a line as application/x-ndjson",
        )
        .into_response(),
    }
}

async fn one(ledger: &Ledger, body: &[u8]) -> Response {
    // A trailing line break is what a text file ends with; the statement is what stands before it.
    let compact = body.strip_suffix(b"\n").unwrap_or(body);
    match answer(submit(ledger, compact)).await {
        Ok(sealed) => {
            let status = if sealed.duplicate { StatusCode::OK } else { StatusCode::CREATED };
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
                (header::LOCATION, format!("/v1/entries/{}", sealed.index)),
                (HeaderName::from_static("gt-statement"), sealed.statement.to_string()),
            ];
            (status, headers, sealed.receipt.to_string()).into_response()
        }
        Err(refusal) => Problem::from(&refusal).into_response(),
    }
}

async fn many(ledger: &Ledger, body: Bytes) -> Response {
    // A thousand statements take a while to read, and the threads that answer other requests must not wait for that.
    let reading = tokio::task::spawn_blocking(move || {
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let lines: Vec<&[u8]> = lines.collect();
        if lines.len() > MAX_BATCH {
            return Err(lines.len());
        }
        Ok(lines.into_par_iter().map(prepare_line).collect::<Vec<_>>())
    });
    let prepared = match reading.await {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(count)) => {
            let detail = format!("{count} statements in one request, and at most {MAX_BATCH} are taken");
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many", detail).into_response();
        }
        Err(error) => return Problem::internal(&error).into_response(),
    };
    // All are handed over before any is waited for, so that they share a batch and keep their order.
    let waiting: Vec<_> =
        prepared.into_iter().map(|one| one.map(|prepared| ledger.submit(prepared))).collect();
    let mut text = String::new();
    for one in waiting {
        let line = match one {
            Ok(submitted) => describe(answer(Ok(submitted)).await),
            Err(problem) => json!({"status": problem.status().as_u16(), "problem": problem.to_json()}),
        };
        text.push_str(&line.to_string());
        text.push('\n');
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response()
}

type Submitted = Result<oneshot::Receiver<Result<Sealed, Refusal>>, Refusal>;

fn submit(ledger: &Ledger, compact: &[u8]) -> Submitted {
    Ok(ledger.submit(Prepared::new(compact)?))
}

fn prepare_line(line: &[u8]) -> Result<Prepared, Problem> {
    // A compact SD-JWT needs no escapes, so its JSON string is two bytes longer.
    if line.len() > MAX_PRESENTATION_BYTES + 16 {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_long",
            "a statement with its disclosures has at most 262144 bytes",
        ));
    }
    let compact: String = serde_json::from_slice(line).map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "not_compact",
            "a line is not one JSON string that holds a compact SD-JWT",
        )
    })?;
    Prepared::new(compact.as_bytes()).map_err(|refusal| Problem::from(&refusal))
}

async fn answer(submitted: Submitted) -> Result<Sealed, Refusal> {
    submitted?.await.unwrap_or(Err(Refusal::Stopped))
}

fn describe(answer: Result<Sealed, Refusal>) -> Value {
    match answer {
        Ok(sealed) => json!({
            "status": if sealed.duplicate { 200 } else { 201 },
            "index": sealed.index.0,
            "statement": sealed.statement.to_string(),
            "receipt": sealed.receipt.to_string(),
        }),
        Err(refusal) => {
            let problem = Problem::from(&refusal);
            json!({"status": problem.status().as_u16(), "problem": problem.to_json()})
        }
    }
}
