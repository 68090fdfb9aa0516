use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::registry::{Publisher, Registry};
use gt_core::statement::PublisherId;
use serde_json::{Value, json};

use super::{App, Path};
use crate::problem::Problem;

/// `GET /v1/ledger`: what pins this ledger, and how far it has come. Compare it with a pin that reached you another way.
pub(super) async fn ledger(State(app): State<App>) -> Json<Value> {
    let registry = app.ledger.registry();
    let keys = registry.ledger_keys();
    Json(json!({
        "origin": keys.origin,
        "genesis": registry.genesis().to_string(),
        "verifier_keys": keys.verifier_keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "registrar": registry.registrar_id().to_string(),
        "size": app.ledger.log().size().0,
        "witnesses": super::log::witnesses(&app.ledger),
    }))
}

/// `GET /v1/publishers`: every system that is or was allowed to sign.
pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    let registry = app.ledger.registry();
    let items: Vec<Value> = registry.publishers().map(|(id, publisher)| describe(id, publisher)).collect();
    Json(json!({"items": items, "registry": registry.statements()}))
}

/// `GET /v1/publishers/{id}`
pub(super) async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let registry = app.ledger.registry();
    let id = parse(&id)?;
    registry.publisher(&id).map(|publisher| Json(describe(&id, publisher))).ok_or_else(unknown)
}

/// `GET /v1/publishers/{id}/head`: what the publisher's next statement must say.
pub(super) async fn head(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id = parse(&id)?;
    if !is_known(&app.ledger.registry(), &id) {
        return Err(unknown());
    }
    let head = app.ledger.head(&id);
    Ok(Json(json!({"publisher": id.to_string(), "next_seq": head.next_seq, "head": head.head.to_string()})))
}

fn is_known(registry: &Registry, id: &PublisherId) -> bool {
    *id == registry.registrar_id() || registry.publisher(id).is_some()
}

fn parse(id: &str) -> Result<PublisherId, Problem> {
    Hash::parse(id).map_err(|_| {
        Problem::bad_request(
            "a publisher's id is 43 characters of base64url: the thumbprint of its first key",
        )
    })
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_publisher",
        "no publisher with this id is registered; `goldenthread register` does it",
    )
}

fn describe(id: &PublisherId, publisher: &Publisher) -> Value {
    let keys: Vec<Value> = publisher
        .keys
        .iter()
        .map(|(index, key)| json!({"since_entry": index.0, "kid": key.thumbprint().to_string(), "key": jwk(key)}))
        .collect();
    json!({
        "publisher": id.to_string(),
        "agency": publisher.agency.as_str(),
        "name": publisher.name,
        "kind": publisher.kind,
        "on_behalf_of": publisher.on_behalf_of.iter().map(AgencyCode::as_str).collect::<Vec<_>>(),
        "keys": keys,
        "revoked": publisher.revoked.map(|(index, suspect_from)| json!({
            "at_entry": index.0,
            "suspect_from": suspect_from.map(|time| time.to_string()),
        })),
    })
}

fn jwk(key: &gt_core::key::PublicKey) -> Value {
    serde_json::from_str(&key.to_jwk().to_text()).unwrap_or(Value::Null)
}
