use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::prove::{self, ProveError, TileSource};
use gt_core::tile::{TileKind, TilePath, row_extent, whole_entries};
use gt_core::time::Timestamp;
use gt_core::tree;
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::Ledger;
use gt_ledger::log::ReadError;
use gt_ledger::witness::WitnessStatus;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Path, Query};
use crate::problem::Problem;
use crate::token::Reader;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// `GET /checkpoint` (C2SP tlog-tiles)
pub(super) async fn checkpoint(State(app): State<App>) -> Response {
    signed_note(&app.ledger.checkpoint())
}

/// `GET /checkpoint/cosigned`: the newest that met the quorum of the ledger's witnesses.
pub(super) async fn cosigned(State(app): State<App>) -> Result<Response, Problem> {
    let cosigned = app.ledger.cosigned();
    let none = || Problem::not_found("no checkpoint of this ledger has met a quorum of witnesses yet");
    cosigned.map(|checkpoint| signed_note(&checkpoint)).ok_or_else(none)
}

fn signed_note(checkpoint: &SignedCheckpoint) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, checkpoint.to_string()).into_response()
}

/// How things stand with each witness.
pub(super) fn witnesses(ledger: &Ledger) -> Vec<Value> {
    let describe = |witness: WitnessStatus| {
        let millis = |seconds: u64| i64::try_from(seconds).ok()?.checked_mul(1000);
        let at = witness.cosigned_at.and_then(millis).and_then(Timestamp::from_millis);
        json!({
            "name": witness.name,
            "url": witness.url,
            "size": witness.size.0,
            "cosigned_at": at.map(|time| time.to_string()),
            "problem": witness.problem,
        })
    };
    ledger.witnesses().into_iter().map(describe).collect()
}

/// `GET /tile/…` (C2SP tlog-tiles)
pub(super) async fn tile(State(app): State<App>, Path(path): Path<String>) -> Result<Response, Problem> {
    let nothing = || Problem::not_found("no tile of this log stands at this path");
    let path =
        TilePath::parse(&format!("tile/{path}")).map_err(|error| Problem::not_found(error.to_string()))?;
    let bytes = tokio::task::spawn_blocking(move || tile_bytes(&app, &path)).await;
    let bytes =
        bytes.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    let bytes = bytes.ok_or_else(nothing)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, IMMUTABLE)], bytes)
        .into_response())
}

/// A full tile, or the first part of one, as far as the published checkpoint goes.
fn tile_bytes(app: &App, path: &TilePath) -> Result<Option<Vec<u8>>, ReadError> {
    let log = app.ledger.log();
    let level = if let TileKind::Hashes { level } = path.kind() { level } else { 0 };
    if row_extent(log.size(), level).width_of(path.index()) < path.width() {
        return Ok(None);
    }
    match path.kind() {
        TileKind::Hashes { level } => {
            Ok(log.hash_tile(level, path.index(), path.width())?.prefix(path.width()))
        }
        TileKind::Entries => {
            let (bytes, file) = log.bundle(path.index())?;
            let whole = whole_entries(&bytes).map_err(|source| ReadError::Bundle { file, source })?;
            let end: usize =
                whole.entries.iter().take(path.width().into()).map(|entry| entry.len() + 2).sum();
            Ok(Some(bytes[..end].to_vec()))
        }
    }
}

/// `GET /v1/entries/{index}`: the entry is open; its statement comes to those who may read it.
pub(super) async fn entry(
    State(app): State<App>,
    Path(index): Path<u64>,
    reader: Result<Reader, Problem>,
) -> Result<Json<Value>, Problem> {
    let (index, ledger) = (LeafIndex(index), app.ledger.clone());
    let read = tokio::task::spawn_blocking(move || {
        let bytes = ledger.log().entry_bytes(index).map_err(|error| read_problem(&error))?;
        let may_read = reader.is_ok();
        let statement = if may_read {
            ledger.presentation(index).map_err(|error| Problem::internal(&error))?
        } else {
            None
        };
        Ok::<_, Problem>((bytes, may_read, statement))
    });
    let (bytes, may_read, statement) = read.await.map_err(|error| Problem::internal(&error))??;
    let mut answer = json!({
        "entry": serde_json::from_slice::<Value>(&bytes).unwrap_or(Value::Null),
        "leaf_hash": tree::leaf_hash(&bytes).to_string(),
    });
    if may_read {
        answer["statement"] = json!(statement);
        answer["record"] = json!(if statement.is_some() { "readable" } else { "ended" });
    }
    Ok(Json(answer))
}

fn read_problem(error: &ReadError) -> Problem {
    match error {
        ReadError::NoSuchEntry { .. } => Problem::not_found(error.to_string()),
        other => Problem::internal(other),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InclusionQuery {
    index: u64,
    size: Option<u64>,
}

/// `GET /v1/proofs/inclusion?index=N[&size=S]`
pub(super) async fn inclusion(
    State(app): State<App>,
    Query(query): Query<InclusionQuery>,
) -> Result<Json<Value>, Problem> {
    let log = app.ledger.log();
    let size = within(log.size(), query.size)?;
    let proof = prove::inclusion(log, LeafIndex(query.index), size).map_err(|error| proof_problem(&error))?;
    let root = prove::root(log, size).map_err(|error| proof_problem(&error))?;
    let path: Vec<String> = proof.path.iter().map(ToString::to_string).collect();
    Ok(Json(json!({"index": query.index, "size": size.0, "root": root.to_string(), "path": path})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsistencyQuery {
    from: u64,
    to: Option<u64>,
}

/// `GET /v1/proofs/consistency?from=A[&to=B]`
pub(super) async fn consistency(
    State(app): State<App>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<Value>, Problem> {
    let log = app.ledger.log();
    let to = within(log.size(), query.to)?;
    let proof = prove::consistency(log, TreeSize(query.from), to).map_err(|error| proof_problem(&error))?;
    let path: Vec<String> = proof.path.iter().map(ToString::to_string).collect();
    Ok(Json(json!({"from": query.from, "to": to.0, "path": path})))
}

/// The size that is asked for, which must not lie beyond the published checkpoint.
fn within(published: TreeSize, asked: Option<u64>) -> Result<TreeSize, Problem> {
    match asked {
        Some(size) if size > published.0 => {
            Err(Problem::not_found(format!("the log has {published} entries")))
        }
        Some(size) => Ok(TreeSize(size)),
        None => Ok(published),
    }
}

fn proof_problem(error: &ProveError<ReadError>) -> Problem {
    match error {
        ProveError::Source(source) => Problem::internal(source),
        other => Problem::bad_request(other.to_string()),
    }
}
