use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use gt_core::witness::{MAX_REQUEST_LEN, Refusal, SIZE_MEDIA_TYPE};
use gt_ledger::private_keys::KeyAccess;
use gt_ledger::witness::{AddError, Witness, WitnessError};
use serde_json::json;
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::problem::chain;

/// How long a request may take, the reading of its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a shutdown waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(5);

/// A witness that serves HTTP.
pub struct WitnessServer {
    address: SocketAddr,
    listener: TcpListener,
    witness: Arc<Witness>,
}

/// Why a witness cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum WitnessServerError {
    /// Its folder does not open.
    #[error(transparent)]
    Open(#[from] WitnessError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Serving ended with an error.
    #[error("serving ended")]
    Serve(#[source] std::io::Error),
}

impl WitnessServer {
    /// Opens the witness in a folder and listens. Nothing is answered before [`Self::run`].
    pub async fn bind(
        data: &Path,
        address: SocketAddr,
        keys: &KeyAccess,
    ) -> Result<Self, WitnessServerError> {
        let witness = Arc::new(Witness::open_with(data, keys)?);
        let listen = |source| WitnessServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { address, listener, witness })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The witness.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// Answers requests until `stop` completes.
    pub async fn run(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), WitnessServerError> {
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let stop = async move {
            stop.await;
            // Whoever waits for it is gone only when serving has ended.
            let _ = stopping.send(());
        };
        let serve = axum::serve(self.listener, router(self.witness)).with_graceful_shutdown(stop);
        let out_of_patience = async move {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = async { serve.await } => served.map_err(WitnessServerError::Serve),
            () = out_of_patience => Ok(()),
        }
    }
}

fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .route("/forks", get(forks))
        .route("/healthz", get(async || "ok\n"))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_LEN))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(TraceLayer::new_for_http().on_failure(()))
        .with_state(witness)
}

/// `POST /add-checkpoint` (C2SP tlog-witness)
async fn add_checkpoint(
    State(witness): State<Arc<Witness>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(error) => return plain(error.status(), format!("{}\n", error.body_text())),
    };
    let adding = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body, unix_now()));
    match adding.await {
        Ok(Ok(signatures)) => plain(StatusCode::OK, signatures),
        Ok(Err(AddError::Refused(Refusal::Conflict { size }))) => {
            let kind = [(header::CONTENT_TYPE, SIZE_MEDIA_TYPE)];
            (StatusCode::CONFLICT, kind, format!("{size}\n")).into_response()
        }
        Ok(Err(error)) => match StatusCode::from_u16(error.status()) {
            Ok(status) if status.is_client_error() => plain(status, format!("{}\n", chain(&error))),
            _ => failed(&error),
        },
        Err(error) => failed(&error),
    }
}

/// `GET /<origin hash>/checkpoint` (C2SP tlog-witness)
async fn checkpoint(State(witness): State<Arc<Witness>>, UrlPath(hash): UrlPath<String>) -> Response {
    match tokio::task::spawn_blocking(move || witness.checkpoint(&hash)).await {
        Ok(Ok(Some(checkpoint))) => plain(StatusCode::OK, checkpoint.to_string()),
        Ok(Ok(None)) => {
            plain(StatusCode::NOT_FOUND, "this witness has signed no checkpoint of such a log\n".to_owned())
        }
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

/// `GET /forks`: ledgers that have signed two histories, with the evidence.
async fn forks(State(witness): State<Arc<Witness>>) -> Response {
    let forks = witness.forks();
    Json(json!({"count": forks.len(), "forks": forks})).into_response()
}

fn plain(status: StatusCode, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(error = %chain(error), "a request failed");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "the witness could not do this; its log says why\n".to_owned())
}

/// Seconds since the Unix epoch. A clock that stands before it says 1, for a cosignature has a time.
fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs().max(1))
}
