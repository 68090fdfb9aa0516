//! What the ledger says as it goes: alerts on the stream, advice beforehand, a decision's page, and whether answers are what the
//! `OpenAPI` document says.

mod advice;
mod answers;
mod decision;
mod listening;
mod stream;

use gt_core::Hash;
use serde_json::{Value, json};

use crate::partnership::{Publisher, Server, child};

/// An event's data as an agency writes it, with who, when, and what it refers to.
fn data(members: Value, about: u64, time: &str, refs: Value) -> gt_core::json::Value {
    let mut members = members;
    members["child"] = json!({"pseudonym": child(about), "role": "Child"});
    members["times"] = json!({"occurred_at": time});
    if refs != json!({}) {
        members["refs"] = refs;
    }
    strict(&members)
}

fn strict(value: &Value) -> gt_core::json::Value {
    gt_core::json::Value::parse(value.to_string().as_bytes()).expect("strict JSON")
}

/// Publishes an event, and says which entry seals it and what its statement's hash is.
fn publish(
    server: &Server,
    publisher: &mut Publisher,
    kind: &str,
    data: &gt_core::json::Value,
) -> (u64, Hash) {
    let statement = publisher.record(kind, data);
    let reply = server.client().publish(&statement);
    assert_eq!(reply.status, 201, "{}", reply.text());
    (server.client().size() - 1, statement.hash())
}

/// A child goes missing.
fn missing(about: u64, day: u64, refs: Value) -> gt_core::json::Value {
    let mut members = json!({"kind": "Missing", "from": "Home"});
    let time = format!("2026-03-{day:02}T09:00:00Z");
    members["child"] = json!({"pseudonym": child(about), "role": "Child"});
    members["times"] = json!({"occurred_at": time, "reported_at": time});
    if refs != json!({}) {
        members["refs"] = refs;
    }
    strict(&members)
}
