//! The few codes of an event that lists show.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::event::ViewEvent;

/// The codes that stand directly in the event's data, by member: closed codes, agencies, and booleans as they are.
pub(super) fn codes(event: &ViewEvent) -> BTreeMap<String, Value> {
    let Value::Object(members) = event.event.to_draft() else { return BTreeMap::new() };
    let short = |(name, value): (String, Value)| match value {
        Value::String(_) | Value::Bool(_) => Some((name, value)),
        Value::Array(elements) if elements.iter().all(Value::is_string) => {
            Some((name, Value::Array(elements)))
        }
        _ => None,
    };
    members.into_iter().filter_map(short).collect()
}
