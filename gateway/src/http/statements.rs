use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gt_core::statement::MAX_PRESENTATION_BYTES;
use gt_ledger::Ledger;
use gt_ledger::prepare::Prepared;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::MAX_BATCH;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{App, Known, Peer};
use crate::node::{Forwarded, Forwarder};
use crate::problem::Problem;

/// How long an answer waits for this node to have what another one sealed.
const READ_OWN_WITHIN: Duration = Duration::from_secs(2);
/// The largest body, in bytes: NDJSON of several statements. A single statement has its own, smaller limit.
pub(super) const MAX_NDJSON_BYTES: usize = 16 << 20;

/// `POST /v1/statements`: one compact SD-JWT, or NDJSON of JSON strings that hold one each.
pub(super) async fn publish(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
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
    let peer = peer.map(|Extension(peer)| peer);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/sd-jwt" => one(&app, peer, &body).await,
        "application/x-ndjson" => many(&app, peer, body).await,
        _ => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send one statement as application/sd-jwt, or a JSON string a line as application/x-ndjson",
        )
        .into_response(),
    }
}

async fn one(app: &App, peer: Option<Peer>, body: &Bytes) -> Response {
    // A trailing line break is what a text file ends with; the statement is what stands before it.
    let compact = body.slice(..body.strip_suffix(b"\n").unwrap_or(body).len());
    let prepared = match Prepared::new(&compact) {
        Ok(prepared) => prepared,
        Err(refusal) => return Problem::from(&refusal).into_response(),
    };
    if let Err(problem) = app.limits.publish(peer, [prepared.statement().payload().publisher]) {
        return problem.into_response();
    }
    let mut answers = submit(&app.ledger, app.forward.as_ref(), vec![(prepared, compact)]).await;
    match answers.pop().unwrap_or_else(|| Forwarded::Problem(Problem::from(&Refusal::Stopped))) {
        Forwarded::Sealed { duplicate, index, statement, receipt } => {
            let status = if duplicate { StatusCode::OK } else { StatusCode::CREATED };
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
                (header::LOCATION, format!("/v1/entries/{index}")),
                (HeaderName::from_static("gt-statement"), statement),
            ];
            (status, Extension(Known), headers, receipt).into_response()
        }
        Forwarded::Problem(problem) => problem.into_response(),
    }
}

async fn many(app: &App, peer: Option<Peer>, body: Bytes) -> Response {
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
    let mut statements = Vec::new();
    let sound: Vec<Result<(), Problem>> =
        prepared.into_iter().map(|one| one.map(|statement| statements.push(statement))).collect();
    let publishers = statements.iter().map(|(prepared, _)| prepared.statement().payload().publisher);
    if let Err(problem) = app.limits.publish(peer, publishers) {
        return problem.into_response();
    }
    let mut answers = submit(&app.ledger, app.forward.as_ref(), statements).await.into_iter();
    let (mut text, mut sealed) = (String::new(), false);
    for one in sound {
        let answer = match one {
            Ok(()) => answers.next().unwrap_or_else(|| Forwarded::Problem(Problem::from(&Refusal::Stopped))),
            Err(problem) => Forwarded::Problem(problem),
        };
        sealed |= matches!(answer, Forwarded::Sealed { .. });
        text.push_str(&describe(answer).to_string());
        text.push('\n');
    }
    let mut answer = ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response();
    if sealed {
        answer.extensions_mut().insert(Known);
    }
    answer
}

/// Has statements sealed, here or by the sealer that is active. There are as many answers, in the same order.
pub(crate) async fn submit(
    ledger: &Ledger,
    forward: Option<&Forwarder>,
    statements: Vec<(Prepared, Bytes)>,
) -> Vec<Forwarded> {
    if let Some(forward) = forward {
        let answers = forward.forward(&statements).await;
        let indexes = answers.iter().filter_map(|answer| match answer {
            Forwarded::Sealed { index, .. } => Some(*index),
            Forwarded::Problem(_) => None,
        });
        if let Some(last) = indexes.max() {
            // Who asks this node next for what it has just published should find it.
            let mut size = ledger.watch_size();
            let _ = tokio::time::timeout(READ_OWN_WITHIN, size.wait_for(|size| *size > last)).await;
        }
        return answers;
    }
    // All are handed over before any is waited for, so that they share a batch and keep their order.
    let waiting: Vec<_> = statements.into_iter().map(|(prepared, _)| ledger.submit(prepared)).collect();
    let mut answers = Vec::with_capacity(waiting.len());
    for one in waiting {
        answers.push(match one.await.unwrap_or(Err(Refusal::Stopped)) {
            Ok(sealed) => Forwarded::from(&sealed),
            Err(refusal) => Forwarded::Problem(Problem::from(&refusal)),
        });
    }
    answers
}

fn prepare_line(line: &[u8]) -> Result<(Prepared, Bytes), Problem> {
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
    let prepared = Prepared::new(compact.as_bytes()).map_err(|refusal| Problem::from(&refusal))?;
    Ok((prepared, Bytes::from(compact)))
}

fn describe(answer: Forwarded) -> Value {
    match answer {
        Forwarded::Sealed { duplicate, index, statement, receipt } => json!({
            "status": if duplicate { 200 } else { 201 },
            "index": index,
            "statement": statement,
            "receipt": receipt,
        }),
        Forwarded::Problem(problem) => {
            json!({"status": problem.status().as_u16(), "problem": problem.to_json()})
        }
    }
}
