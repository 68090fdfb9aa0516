//! The conditions of a decision's members, as JSON Schemas of its members in the clear.

use serde_json::{Value, json};

pub(super) fn is_shared() -> Value {
    one_of("decision", &["Share", "SharePart"])
}

pub(super) fn is_withheld() -> Value {
    one_of("decision", &["Withhold", "SharePart"])
}

pub(super) fn identifiable_is_shared() -> Value {
    let item = json!({
        "properties": { "identifies": { "const": true }, "disposition": { "const": "Shared" } },
        "required": ["identifies", "disposition"],
    });
    json!({ "allOf": [is_shared(), { "properties": { "items": { "contains": item } }, "required": ["items"] }] })
}

pub(super) fn identity_is_at_risk() -> Value {
    json!({ "allOf": [is_shared(), inside("identity_protection", &json!({ "risk": { "const": true } }))] })
}

pub(super) fn is_insecure() -> Value {
    json!({ "allOf": [is_shared(), inside("method", &json!({ "secure": { "const": false } }))] })
}

pub(super) fn is_uninformed() -> Value {
    inside("informed", &json!({ "status": { "const": "No" } }))
}

pub(super) fn is_consented() -> Value {
    consent_is(&["Explicit", "Given"])
}

pub(super) fn is_unconsented() -> Value {
    json!({ "anyOf": [
        consent_is(&["NotSought", "NotPossible"]),
        { "allOf": [is_shared(), consent_is(&["Refused", "Withdrawn"])] },
    ] })
}

pub(super) fn is_authorised() -> Value {
    json!({ "anyOf": [
        { "allOf": [is_shared(), consent_is(&["Refused", "Withdrawn"])] },
        { "allOf": [one_of("trigger", &["Request"]), one_of("decision", &["Withhold"])] },
    ] })
}

pub(super) fn recipient_is_private() -> Value {
    let private = json!({ "type": "object", "properties": { "agency": false } });
    json!({ "properties": { "recipients": { "contains": private } }, "required": ["recipients"] })
}

fn consent_is(statuses: &[&str]) -> Value {
    inside("consent", &json!({ "status": { "enum": statuses } }))
}

fn one_of(member: &str, codes: &[&str]) -> Value {
    json!({ "properties": { member: { "enum": codes } }, "required": [member] })
}

/// The member is an object that has these members, and they are so.
fn inside(member: &str, members: &Value) -> Value {
    let names: Vec<_> = members.as_object().into_iter().flat_map(serde_json::Map::keys).collect();
    json!({
        "properties": { member: { "properties": members, "required": names } },
        "required": [member],
    })
}
