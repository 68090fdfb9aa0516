//! Events as the records that a ledger would hand to its views, without keys and signatures.

use std::collections::BTreeMap;

use gt_core::agency::AgencyCode;
use gt_core::entry::Entry;
use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_core::{Hash, statement};
use gt_history::HistoryEvent;
use gt_ledger::record::{ContextId, OpenElement, OpenStatement, OwnerId, Record};
use gt_projections::{AsOf, ContextNaming};
use gt_schemas::{EventType, Place, members};
use serde_json::{Map, Value};

pub(crate) struct Naming;

impl ContextNaming for Naming {
    fn context_id(&self, reference: &str) -> ContextId {
        ContextId::from_bytes(short(reference))
    }
}

fn short(text: &str) -> [u8; 16] {
    *Hash::of(text.as_bytes()).as_bytes().first_chunk().unwrap()
}

/// The record of the entry at this index.
pub(crate) fn record(index: usize, event: &HistoryEvent) -> Record {
    let known = members(EventType::parse(event.event_type).unwrap());
    let iss = AgencyCode::parse(&event.agency).unwrap();
    let (mut clear, mut disclosed) = (Map::new(), BTreeMap::new());
    let child = event.data["child"]["pseudonym"].as_str().unwrap_or(iss.as_str());
    for (name, value) in event.data.as_object().unwrap() {
        let many = match known.iter().find(|member| member.name == name).map(|member| member.place) {
            Some(Place::Disclosed { many, .. }) => many,
            Some(Place::Clear) => {
                clear.insert(name.clone(), value.clone());
                continue;
            }
            None => panic!("{} has no member {name}", event.event_type),
        };
        let values = if many { value.as_array().unwrap().clone() } else { vec![value.clone()] };
        disclosed.insert(
            name.clone(),
            values.into_iter().enumerate().map(|(n, v)| element(n, v, child)).collect(),
        );
    }
    let primary = Some(OwnerId::from_bytes(short(child)));
    let statement = OpenStatement {
        iss,
        on_behalf_of: None,
        iat: event.received_at / 1000,
        version: event.version,
        clear,
        disclosed,
        kept: Vec::new(),
        primary,
    };
    let index = u64::try_from(index).unwrap();
    Record {
        entry: Entry {
            index: LeafIndex(index),
            prev: Hash::ZERO,
            received_at: Timestamp::from_millis(event.received_at).unwrap(),
            registry: 0,
            links: Vec::new(),
            statement: Hash::of(&index.to_be_bytes()),
        },
        publisher: Hash::ZERO,
        seq: index,
        event_type: statement::EventType::parse(event.event_type).unwrap(),
        statement: Some(statement),
    }
}

/// A disclosed element belongs to the person whom it names, else to the child.
fn element(element: usize, value: Value, child: &str) -> OpenElement {
    let owner = value.get("pseudonym").and_then(Value::as_str).unwrap_or(child);
    OpenElement { owner: OwnerId::from_bytes(short(owner)), element, value }
}

/// The head after these records; the root stands in for a real one.
pub(crate) fn head_after(records: &[Record]) -> AsOf {
    let last = records.last().unwrap();
    let size = last.entry.index.size_through();
    AsOf { tree_size: size, root: Hash::of(&size.0.to_be_bytes()), received_at: Some(last.entry.received_at) }
}
