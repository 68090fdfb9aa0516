//! The `OpenAPI` document: made of the routes that the router is made of, and of the schemas of what they answer.

mod access;
mod components;
mod erasures;
mod events;
mod lists;
mod rows;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gt_schemas::AccessPurpose;
use serde_json::{Map, Value, json};

use super::route::{Access, Parameter, Route, codes, component};
use super::routes;
use crate::access::policy;
use crate::access::reader::ROLES;

/// `GET /openapi.json`
pub(super) async fn show() -> Response {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| Bytes::from(document(&routes::all()).to_string()));
    ([(header::CONTENT_TYPE, "application/json")], document.clone()).into_response()
}

/// The groups in which routes are listed.
const TAGS: [(&str, &str); 10] = [
    ("publishing", "Sealing statements. Needs a registered key, and no token."),
    ("ledger", "The ledger itself: entries, proofs, registry, configuration. Open."),
    ("log", "The open log in the C2SP formats, for mirrors, witnesses and verifiers."),
    ("advice", "Advice beforehand. Open."),
    ("views", "What analysts ask. Needs a token."),
    ("access", "Reading beyond the usual rights. Needs a token."),
    ("alerts", "What asks a person to look. Needs a token."),
    ("evidence", "Evidence bundles, to take away and check anywhere. Needs a token."),
    ("erasure", "Ending what is sealed about somebody. Needs a data protection officer's token."),
    ("service", "About the service."),
];

/// The document of these routes.
pub(super) fn document(routes: &[Route]) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in routes {
        paths.entry(path_of(route)).or_default().insert(route.method.to_owned(), operation(route));
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Golden Thread",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An audit ledger for decisions to share information about children, or not to.",
            "description": "What a statement is, byte for byte, is in docs/FORMATS.md; subjects on NATS and the stream of events are in docs/API.md. \
                Every error is an RFC 9457 problem whose `code` is stable and which repeats no value that came in.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": TAGS.map(|(name, description)| json!({"name": name, "description": description})),
        "paths": paths,
        "components": {
            "schemas": components::all(),
            "responses": {"Problem": {
                "description": "The request cannot be answered; `code` says why.",
                "content": {"application/problem+json": {"schema": component("Problem")}},
            }},
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token for reading, which `goldenthread token issue` printed. docs/ACCESS.md says what each role may ask.",
            }},
        },
    })
}

/// The path as a template: `OpenAPI` knows no parameter that takes the rest of a path.
fn path_of(route: &Route) -> String {
    route.path.replace("{*", "{")
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [route.tag],
        "summary": route.summary,
        "responses": responses(route),
    });
    if !route.description.is_empty() {
        operation["description"] = json!(route.description);
    }
    let mut parameters: Vec<Value> = route.parameters.iter().map(parameter).collect();
    if let Some(rule) = rule(route).filter(|rule| rule.entry != policy::Entry::Open) {
        if rule.reads.is_some() {
            parameters.push(purpose());
        }
        let cells = ROLES.iter().map(|(role, name)| ((*name).to_owned(), json!(rule.cell(*role).as_str())));
        let allowed = cells.filter(|(_, cell)| cell != "").collect::<Map<String, Value>>();
        operation["x-roles"] = json!(allowed);
    }
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if !route.body.is_empty() {
        let content: Map<String, Value> =
            route.body.iter().map(|(kind, schema)| ((*kind).to_owned(), json!({"schema": schema}))).collect();
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    match route.access {
        Access::Open => {}
        Access::MoreWithToken => operation["security"] = json!([{}, {"token": []}]),
        Access::Token => operation["security"] = json!([{"token": []}]),
    }
    operation
}

fn rule(route: &Route) -> Option<&'static policy::Rule> {
    policy::rule(route.method, route.path)
}

fn purpose() -> Value {
    json!({
        "name": "Gt-Purpose",
        "in": "header",
        "required": false,
        "description": "What the read is for; it is sealed with it. May be left out where the token was issued for one purpose.",
        "schema": codes(AccessPurpose::CODES.iter().copied()),
    })
}

/// Method and path in words: `get_v1_decisions_index`.
fn operation_id(route: &Route) -> String {
    let path = path_of(route);
    let words = path.split(['/', '{', '}', '.', '-']).filter(|word| !word.is_empty());
    [route.method].into_iter().chain(words).collect::<Vec<_>>().join("_")
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.about,
        "schema": parameter.schema,
    })
}

fn responses(route: &Route) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for answer in &route.answers {
        let response = responses
            .entry(answer.status.to_string())
            .or_insert_with(|| json!({"description": answer.about, "content": {}}));
        response["content"][answer.media_type] = json!({"schema": answer.schema});
    }
    for (status, codes) in problems(route) {
        let said = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
        let response = responses.entry(status.to_string()).or_insert_with(|| json!({"content": {}}));
        response["description"] = match response["description"].as_str() {
            Some(about) => json!(format!("{about} Or a problem: {said}.")),
            None => json!(format!("A problem: {said}.")),
        };
        response["content"]["application/problem+json"] = json!({"schema": component("Problem")});
    }
    responses.insert("default".to_owned(), json!({"$ref": "#/components/responses/Problem"}));
    json!(responses)
}

/// The problems that a route may answer, by status.
fn problems(route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let mut problems: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    let mut add = |status: u16, code| {
        let codes = problems.entry(status).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    };
    if !route.parameters.is_empty() {
        add(400, "bad_request");
    }
    if route.access != Access::Open {
        add(401, "token_missing");
        for code in ["token_refused", "token_not_yet", "token_expired", "token_revoked"] {
            add(401, code);
        }
        add(403, "role_not_allowed");
        add(403, "token_without_role");
        add(503, "token_undecided");
        if rule(route).is_some_and(|rule| rule.reads.is_some()) {
            add(400, "purpose_missing");
            add(400, "purpose_unknown");
            for code in ["purpose_not_allowed", "outside_scope", "record_restricted"] {
                add(403, code);
            }
            add(503, "not_recorded");
        }
    }
    for (status, code) in &route.problems {
        add(*status, code);
    }
    problems
}

#[cfg(test)]
mod tests;
