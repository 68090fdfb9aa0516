//! The agent: a small HTTP service on the publisher's own machine that takes plain drafts, and signs and delivers them.
//!
//! | call | answer |
//! |---|---|
//! | `POST /v1/drafts?wait=SECONDS` | one draft: 201 sealed with its receipt, 202 queued, 4xx or 503 with a problem |
//! | the same with NDJSON | 200, and a line for each draft in order |
//! | `GET /v1/drafts/{id}` | the same outcome again |
//! | `GET /healthz` | 200, or 503 once delivery has halted |
//!
//! Once delivery has halted, a new draft is refused as `delivery_halted` (503). What was accepted before stays in the outbox,
//! and its outcome can still be asked for.
//!
//! Whoever reaches it can sign in the agency's name, so it listens on the loopback address unless told otherwise, and
//! refuses what a browser could be tricked into sending: other content types than JSON's, other hosts, other origins.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};

use crate::client::Problem;
use crate::delivery::Delivery;
use crate::draft::{CheckedDraft, DraftError};
use crate::outbox::{Acceptance, OutboxError, Outcome};
use crate::problem::chain;
use crate::publish::{acceptance_problem, refused_line};

/// The longest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 8 << 20;
/// How long a post waits for its receipt, in seconds, unless it says otherwise.
const DEFAULT_WAIT_SECONDS: u64 = 10;
/// The longest that a post can ask to wait, in seconds.
const MAX_WAIT_SECONDS: u64 = 120;

/// Why the agent cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Others than this machine could sign in the agency's name.
    #[error(
        "{address} can be reached from other machines, and whoever reaches the agent can sign in the agency's name; allow that expressly, or listen on 127.0.0.1"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("the agent cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Serving ended by an error.
    #[error("the agent's service ended")]
    Serve(#[source] io::Error),
}

/// Listens on an address, which must be a loopback address unless `allow_remote` is set.
pub async fn bind(address: SocketAddr, allow_remote: bool) -> Result<TcpListener, AgentError> {
    if !address.ip().is_loopback() && !allow_remote {
        return Err(AgentError::NotLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|source| AgentError::Bind { address, source })
}

/// Serves until `shutdown` is done, and then stops delivery; what waits stays in the outbox.
pub async fn serve(
    listener: TcpListener,
    delivery: Arc<Delivery>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), AgentError> {
    let is_loopback = listener.local_addr().map_err(AgentError::Serve)?.ip().is_loopback();
    let router = router(Arc::clone(&delivery), is_loopback);
    let served = axum::serve(listener, router).with_graceful_shutdown(shutdown).await;
    // A call to the ledger may be under way, and the runtime's threads must not wait for it.
    if tokio::task::spawn_blocking(move || delivery.stop()).await.is_err() {
        tracing::error!("delivery could not be stopped in order");
    }
    served.map_err(AgentError::Serve)
}

/// The service. With `local_hosts_only` requests must name this machine as their host.
pub fn router(delivery: Arc<Delivery>, local_hosts_only: bool) -> Router {
    Router::new()
        .route("/v1/drafts", post(post_drafts))
        .route("/v1/drafts/{id}", get(get_draft))
        .route("/healthz", get(health))
        .fallback(async || Refusal(not_found("there is nothing here; drafts are posted to /v1/drafts")))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(move |request, next| no_browsers(local_hosts_only, request, next)))
        .with_state(delivery)
}

/// A problem as an answer.
struct Refusal(Problem);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.0.status().and_then(|status| StatusCode::from_u16(status).ok());
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        // With a line's end, for those who read it in a terminal.
        let body = format!("{}\n", self.0.to_json());
        (status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), kind, body).into_response()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<OutboxError> for Refusal {
    fn from(error: OutboxError) -> Self {
        let text = chain(&error);
        tracing::error!("the outbox cannot go on: {text}");
        Self(Problem::new(503, "outbox_failed", "The outbox cannot go on", &text))
    }
}

#[derive(Deserialize)]
struct Wait {
    wait: Option<u64>,
}

impl Wait {
    fn deadline(&self) -> Instant {
        let seconds = self.wait.unwrap_or(DEFAULT_WAIT_SECONDS).min(MAX_WAIT_SECONDS);
        Instant::now() + Duration::from_secs(seconds)
    }
}

async fn post_drafts(
    State(delivery): State<Arc<Delivery>>,
    wait: Result<Query<Wait>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let Query(wait) =
        wait.map_err(|_| bad_request("wait must be a whole number of seconds, 0 for not at all"))?;
    let deadline = wait.deadline();
    let body = body.map_err(|_| {
        let detail = "the body could not be read, or has more than 8388608 bytes";
        Problem::new(413, "body_too_long", "The body was not read", detail)
    })?;
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => post_one(delivery, body, deadline).await,
        "application/x-ndjson" => post_many(delivery, body, deadline).await,
        _ => Err(Refusal(Problem::new(
            415,
            "content_type",
            "The content type is not known",
            "say what the body is: Content-Type: application/json for one draft, application/x-ndjson for one a line",
        ))),
    }
}

async fn post_one(delivery: Arc<Delivery>, body: Bytes, deadline: Instant) -> Result<Response, Refusal> {
    let accepting = Arc::clone(&delivery);
    let id = blocking(move || {
        let draft = accepting.signatory().check(&body).map_err(|error| Refusal(error.problem()))?;
        let acceptance = accepting.accept(std::slice::from_ref(&draft))?;
        let problem = acceptance.first().and_then(|acceptance| problem_of(&accepting, *acceptance));
        problem.map_or_else(|| Ok(draft.id().to_owned()), |problem| Err(Refusal(problem)))
    })
    .await?;
    let outcome = settled_by(&delivery, &id, deadline).await?;
    Ok(answer(&id, &outcome))
}

async fn post_many(delivery: Arc<Delivery>, body: Bytes, deadline: Instant) -> Result<Response, Refusal> {
    let accepting = Arc::clone(&delivery);
    let lines = blocking(move || accept_lines(&accepting, &body)).await?;
    let mut text = String::new();
    for line in lines {
        let value = match line {
            Ok(id) => settled_by(&delivery, &id, deadline).await?.to_json(&id),
            Err(refused) => refused,
        };
        text.push_str(&value.to_string());
        text.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response())
}

/// Accepts what can be accepted: the draft's id for each line, or what to say of a line that is refused.
fn accept_lines(delivery: &Delivery, body: &[u8]) -> Result<Vec<Result<String, Value>>, Refusal> {
    let mut lines = Vec::new();
    let mut drafts: Vec<CheckedDraft> = Vec::new();
    let mut places = Vec::new();
    for (number, text) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        lines.push(match delivery.signatory().check(text) {
            Ok(draft) => {
                places.push((lines.len(), number));
                let id = draft.id().to_owned();
                drafts.push(draft);
                Ok(id)
            }
            Err(error @ (DraftError::Random(_) | DraftError::Key(_))) => {
                return Err(Refusal(error.problem()));
            }
            Err(error) => Err(refused_line(number, None, &error.problem())),
        });
    }
    let acceptances = delivery.accept(&drafts)?;
    for ((place, number), (draft, acceptance)) in places.into_iter().zip(drafts.iter().zip(acceptances)) {
        if let Some(problem) = problem_of(delivery, acceptance) {
            lines[place] = Err(refused_line(number, Some(draft.id()), &problem));
        }
    }
    Ok(lines)
}

/// The problem of a draft that is not taken, with what halted delivery if that is why.
fn problem_of(delivery: &Delivery, acceptance: Acceptance) -> Option<Problem> {
    let problem = acceptance_problem(acceptance)?;
    let halted = delivery.status().halted.filter(|_| acceptance == Acceptance::Halted);
    Some(halted.map_or(problem.clone(), |why| problem.with("halted", why)))
}

async fn get_draft(
    State(delivery): State<Arc<Delivery>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let (of, asked) = (Arc::clone(&delivery), id.clone());
    match blocking(move || Ok(of.outcome(&asked)?)).await? {
        Some(outcome) => Ok(answer(&id, &outcome)),
        None => Err(Refusal(not_found("no draft was accepted under this id"))),
    }
}

async fn health(State(delivery): State<Arc<Delivery>>) -> Result<Response, Refusal> {
    let status = blocking(move || Ok(delivery.status())).await?;
    let code = if status.halted.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = json!({
        "queued": status.queued, "ledger_reachable": status.ledger_reachable,
        "last_error": status.last_error, "halted": status.halted,
    });
    Ok((code, Json(body)).into_response())
}

/// The draft's outcome as soon as it is settled, or as it is at the deadline, or once delivery has halted.
async fn settled_by(delivery: &Arc<Delivery>, id: &str, deadline: Instant) -> Result<Outcome, Refusal> {
    let mut progress = delivery.progress();
    loop {
        progress.mark_unchanged();
        let (of, asked) = (Arc::clone(delivery), id.to_owned());
        let (outcome, halted) =
            blocking(move || Ok((of.outcome(&asked)?, of.status().halted.is_some()))).await?;
        let outcome = outcome.ok_or_else(|| not_found("no draft was accepted under this id"))?;
        let no_more = outcome.is_settled() || halted;
        if no_more || !matches!(timeout_at(deadline, progress.changed()).await, Ok(Ok(()))) {
            return Ok(outcome);
        }
    }
}

fn answer(id: &str, outcome: &Outcome) -> Response {
    let status = match outcome {
        Outcome::Sealed { .. } => StatusCode::CREATED,
        Outcome::Queued { .. } => StatusCode::ACCEPTED,
        Outcome::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    };
    (status, Json(outcome.to_json(id))).into_response()
}

/// Runs what waits for the disk or a lock away from the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let failed =
        |_| Refusal(Problem::new(500, "agent_failed", "The agent failed", "see the agent's own log"));
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// Refuses what comes from a web page: a page on another site could otherwise have drafts signed, by its own request or by
/// a name of its own that resolves to this machine.
async fn no_browsers(local_hosts_only: bool, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let of_page = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if of_page || (local_hosts_only && !is_local(host)) {
        let detail = "the agent serves programs on its own machine: no web pages, and no host but localhost";
        return Refusal(Problem::new(403, "not_local", "The request is not a local program's", detail))
            .into_response();
    }
    next.run(request).await
}

/// Whether a Host header names this machine: `localhost` or a loopback address, with or without a port.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn not_found(detail: &str) -> Problem {
    Problem::new(404, "not_found", "Not found", detail)
}

fn bad_request(detail: &str) -> Problem {
    Problem::new(400, "bad_request", "The request is malformed", detail)
}

#[cfg(test)]
mod tests;
