//! Every event is of its type in `gt-schemas`, in the version that is written today.

use std::collections::BTreeSet;

use gt_history::{Plan, Planted, generate};
use gt_schemas::{EventType, validate_draft};

#[test]
fn every_event_is_of_its_type() {
    let plan =
        Plan { seed: 7, events: 5_000, agencies: 12, children: 600, years: 3, planted: Planted::each(4) };
    let mut types = BTreeSet::new();
    for event in generate(&plan).events {
        let read = validate_draft(event.event_type, event.version, &event.data);
        assert!(read.is_ok(), "{read:?} in {} {}", event.event_type, event.data);
        let known = EventType::ALL.iter().find(|known| known.as_str() == event.event_type);
        assert_eq!(known.map(|known| known.version()), Some(event.version), "{}", event.event_type);
        types.insert(event.event_type);
    }
    assert!(types.len() >= 34, "{types:?}");
}
