//! The domain, written down a second time: which members, codes, bases and rules there are. The tables here are its
//! own, so whatever the code loses or adds shows as a difference. `docs/DOMAIN-ROWS.md` says which row each test guards.

mod codes;
mod decision;
mod events;
mod law;
mod practice;
mod thresholds;

use gt_schemas::{Event, EventType, SchemaError, validate_draft};
use serde_json::Value;

use crate::examples::{self, Example, change};

/// The examples of a type's current version.
fn examples_of(event_type: &str) -> Vec<Example> {
    let event_type = EventType::parse(event_type).unwrap_or_else(|| panic!("no type {event_type}"));
    let current = |example: &Example| example.event_type == event_type && example.is_current();
    examples::all().into_iter().filter(current).collect()
}

fn named(name: &str) -> Example {
    examples::all().into_iter().find(|example| example.name == name).unwrap()
}

/// What becomes of an example with some members set or removed.
fn with(example: &Example, changes: &[(&str, Option<Value>)]) -> Result<Event, SchemaError> {
    let mut data = example.data.clone();
    for (pointer, to) in changes {
        change(&mut data, pointer, to.clone());
    }
    validate_draft(example.event_type.as_str(), example.version, &data)
}

/// The code and place of a refusal.
fn refusal(outcome: Result<Event, SchemaError>) -> Option<(&'static str, String)> {
    outcome.err().map(|error| (error.code(), error.path))
}

fn is_kept(example: &Example, member: &str) -> bool {
    example.data["kept"].as_array().is_some_and(|kept| kept.iter().any(|name| name == member))
}
