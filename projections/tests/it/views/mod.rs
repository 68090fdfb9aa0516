//! The views for analysts: who asks whom and until when, what and who links children, who shares with whom, what the rules
//! say, and which agreements are to be reviewed; all of it as the ledger stood at any time.

mod access;
mod decisions;
mod links;
mod practice;
mod requests;
mod retention;

use gt_core::agency::AgencyCode;
use gt_core::position::LeafIndex;
use gt_ledger::record::{OpenElement, Record};
use gt_projections::{Answer, Page};
use serde_json::{Value, json};

use crate::fixture::*;

/// An event of any type: its codes, and what it discloses besides its child and its time.
fn said(
    name: &str,
    kind: &'static str,
    agency: &'static str,
    child: u8,
    time: i64,
    clear: Value,
    disclosed: Value,
) -> Event {
    let mut event = ended(name, agency, child, time);
    (event.type_name, event.clear) = (kind, clear);
    let Value::Object(disclosed) = disclosed else { panic!("members by name") };
    for (member, value) in disclosed {
        match (event.disclosed.get_mut(&member), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(event.disclosed.insert(member, value)),
        }
    }
    event
}

/// Persons and identifiers of `said` are numbers; here they get owners of their own.
fn sealed(events: &[Event]) -> Vec<Record> {
    let mut records = seal_all(events);
    for record in &mut records {
        let about_no_child =
            ["agreement.", "identifier."].iter().any(|group| record.event_type.as_str().starts_with(group));
        let disclosed = &mut record.statement.as_mut().unwrap().disclosed;
        if about_no_child {
            disclosed.remove("child");
        }
        for member in ["person", "identifiers", "others"] {
            let Some(elements) = disclosed.get_mut(member) else { continue };
            let people = elements[0].value.as_array().unwrap().clone();
            let element = |(element, person): (u16, &Value)| OpenElement {
                owner: owner(u8::try_from(person.as_u64().unwrap()).unwrap()),
                element: element.into(),
                value: json!({"role": "PersonOfConcern"}),
            };
            *elements = (0..).zip(&people).map(element).collect();
        }
    }
    records
}

fn views(events: &[Event]) -> Views {
    Views::of_records(&sealed(events))
}

fn code(agency: &str) -> AgencyCode {
    AgencyCode::parse(agency).unwrap()
}

/// As the ledger stood right after this entry.
fn after(index: u64) -> Page {
    Page { received_until: Some(received(index)), ..Page::default() }
}

fn now(time: i64) -> Page {
    Page { now: Some(at(time)), ..Page::default() }
}

fn entries<T>(answer: &Answer<T>, index: impl Fn(&T) -> LeafIndex) -> Vec<u64> {
    answer.items.iter().map(|item| index(item).0).collect()
}
