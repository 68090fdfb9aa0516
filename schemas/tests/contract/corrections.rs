//! A correction says of each field what the decision said, in the same form.

use gt_schemas::{DecisionField, EventType, Shape, json_schema};
use serde_json::Value;

/// The schema of a member's value, with what it refers to put in its place, and without what is said of the member.
fn value(event_type: EventType, member: &str) -> Value {
    let schema = json_schema(event_type, Shape::Draft);
    let mut value = resolved(&schema["properties"][member], &schema["$defs"]);
    let annotations = ["description", "x-gt-required", "x-gt-place", "x-gt-owner", "x-gt-keepable"];
    value.as_object_mut().unwrap().retain(|name, _| !annotations.contains(&name.as_str()));
    value
}

fn resolved(schema: &Value, definitions: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(|name| definitions.get(name.strip_prefix("#/$defs/")?));
            let mut all = target.and_then(|target| resolved(target, definitions).as_object().cloned());
            let own = members.iter().filter(|(name, _)| *name != "$ref");
            let all = all.get_or_insert_default();
            all.extend(own.map(|(name, member)| (name.clone(), resolved(member, definitions))));
            Value::Object(all.clone())
        }
        Value::Array(elements) => elements.iter().map(|element| resolved(element, definitions)).collect(),
        other => other.clone(),
    }
}

#[test]
fn corrected_values_have_the_forms_of_the_decision() {
    for field in DecisionField::ALL {
        let pairs: &[(&str, &str)] = match field {
            DecisionField::Items => &[("items", "items")],
            DecisionField::Recipients => &[("recipients", "recipients")],
            DecisionField::Purpose => &[("purpose", "purpose")],
            DecisionField::CollectedFor => &[("collected_for", "collected_for")],
            DecisionField::Compatible => &[("compatible", "compatible")],
            DecisionField::HarmLevel => &[("harm_level", "harm_level")],
            DecisionField::LawfulBasis => &[("lawful_basis", "lawful_basis")],
            DecisionField::Consent => &[("consent", "consent")],
            DecisionField::Informed => &[("informed", "informed")],
            DecisionField::Proportionality => &[("proportionality", "proportionality")],
            DecisionField::Method => &[("method", "method")],
            DecisionField::Withhold => &[("withhold", "withhold")],
            DecisionField::Times => &[("corrected_times", "times")],
            DecisionField::Texts => {
                &[("corrected_rationale", "rationale"), ("corrected_purpose_text", "purpose_text")]
            }
        };
        for (corrected, original) in pairs {
            let here = value(EventType::DecisionCorrected, corrected);
            assert_eq!(here, value(EventType::DecisionRecorded, original), "{corrected}");
            assert!(!here.as_object().unwrap().is_empty(), "{corrected}");
        }
    }
}
