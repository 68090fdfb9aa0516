//! What the partnership records. The people are the fictional ones of `schemas/examples`.

use gt_core::base64url;
use gt_core::json::Value;

/// The pseudonym of the n-th child.
pub(crate) fn child(n: u64) -> String {
    let hash = gt_core::Hash::of_parts(&[b"system-test child", &n.to_be_bytes()]);
    format!("nhs.1:{}", base64url::encode(hash.as_bytes()))
}

/// The `data` of an example event, as an agency's system writes it.
pub(crate) fn example(name: &str) -> Value {
    let text = match name {
        "context.linked" => include_str!("../../../schemas/examples/context.linked.json"),
        "decision.recorded" => include_str!("../../../schemas/examples/decision.recorded.share.json"),
        "agreement.registered" => include_str!("../../../schemas/examples/agreement.registered.json"),
        "child.moved" => include_str!("../../../schemas/examples/child.moved.json"),
        "identifier.linked" => include_str!("../../../schemas/examples/identifier.linked.json"),
        "missing.started" => include_str!("../../../schemas/examples/missing.started.json"),
        "person.linked" => include_str!("../../../schemas/examples/person.linked.json"),
        "record.restricted" => include_str!("../../../schemas/examples/record.restricted.json"),
        "access.approved" => include_str!("../../../schemas/examples/access.approved.json"),
        "request.received" => include_str!("../../../schemas/examples/request.received.json"),
        "missing.ended" => include_str!("../../../schemas/examples/missing.ended.json"),
        _ => panic!("no example {name}"),
    };
    Value::parse(text.as_bytes()).expect("an example is strict JSON")
}

/// A decision to share with everything that it can say.
pub(crate) fn decision() -> Value {
    example("decision.recorded")
}

/// A child goes missing, on this day of spring.
pub(crate) fn missing(about: &str, day: u64) -> Value {
    Value::parse(missing_text(about, day).as_bytes()).expect("strict JSON")
}

/// The same as text.
pub(crate) fn missing_text(about: &str, day: u64) -> String {
    let (month, day) = (3 + (day / 28) % 9, 1 + day % 28);
    format!(
        r#"{{"kind":"Missing","from":"Home","child":{{"pseudonym":"{about}","role":"Child"}},"times":{{"occurred_at":"2026-{month:02}-{day:02}T09:00:00Z","reported_at":"2026-{month:02}-{day:02}T11:00:00Z"}}}}"#
    )
}

/// A draft of a missing episode's start, as a line for `publish` or the agent.
pub(crate) fn draft_line(id: &str, about: &str, day: u64) -> String {
    format!(r#"{{"id":"{id}","type":"missing.started","data":{}}}"#, missing_text(about, day))
}
