//! The event types' drafts as components. Each is the schema of `schemas/json`, with its definitions inside.

use gt_schemas::{EventType, Shape, json_schema};
use serde_json::Value;

/// Each type's draft in its current version.
pub(super) fn drafts() -> impl Iterator<Item = (String, Value)> {
    EventType::ALL.iter().map(|event_type| {
        let name = name(*event_type);
        let mut schema = json_schema(*event_type, Shape::Draft);
        if let Some(members) = schema.as_object_mut() {
            // A schema within the document: its references lead to where it stands there.
            members.remove("$schema");
            members.remove("$id");
        }
        point_into(&mut schema, &format!("#/components/schemas/{name}/$defs/"));
        (name, schema)
    })
}

/// The component of a type's draft: `decision.recorded.v2.draft`.
pub(super) fn name(event_type: EventType) -> String {
    format!("{event_type}.v{}.draft", event_type.version())
}

pub(super) fn point_into(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(definition) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("{place}{definition}");
            }
            members.values_mut().for_each(|value| point_into(value, place));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|value| point_into(value, place)),
        _ => {}
    }
}
