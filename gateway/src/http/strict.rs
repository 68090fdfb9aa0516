//! A body that is one strict JSON object, bounded before it is read.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use gt_core::json;

use crate::problem::Problem;

/// Reads a body of at most so many bytes; `what` names it to whoever sent another thing. The limit itself is the route's
/// ([`at_most`](super::route::Route::at_most)).
pub(super) fn body(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    what: &str,
    most: usize,
) -> Result<Bytes, Problem> {
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_long",
            format!("a {what} has at most {most} bytes"),
        ),
        _ => Problem::bad_request("the body did not arrive whole"),
    })?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() == "application/json" {
        return Ok(body);
    }
    let detail = format!("send the {what} as application/json");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

/// Parses what [`body`] gave.
pub(super) fn value(text: &[u8], what: &str) -> Result<json::Value, Problem> {
    json::Value::parse(text).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "not_json", format!("the {what} is no strict JSON: {error}"))
    })
}
