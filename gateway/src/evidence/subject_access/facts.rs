//! What of a record the rules look at.

use std::collections::BTreeMap;

use gt_core::LeafIndex;
use gt_core::bundle::Why;
use gt_core::statement::Pseudonym;
use serde_json::Value;

use super::catalogue::{Kind, Whose};
use crate::evidence::read::{Evidence, Said};

/// The facts about a statement, or about something that it discloses.
pub(super) struct Facts<'f> {
    pub(super) kind: Kind,
    pub(super) whose: Whose,
    pub(super) event_type: &'f str,
    /// The code of the agency that signed, or of the one in whose name.
    pub(super) agency: &'f str,
    pub(super) member: Option<&'f str>,
    pub(super) clear: Option<&'f Value>,
    pub(super) value: Option<&'f Value>,
    pub(super) restrictions: &'f [(LeafIndex, String)],
}

/// Whose statement it is: the subject's, unless the child or person that it is about is withheld from the subject's full bundle.
pub(super) fn whose_statement(said: &Said) -> Whose {
    let is_anothers = said.left_out.iter().any(|(member, why)| member == "child" && *why == Why::Withheld);
    if is_anothers { Whose::Another } else { Whose::Subject }
}

/// Whose a disclosed value is: that of whoever it names, by pseudonym or by name; otherwise the subject's.
pub(super) fn whose_value(value: &Value, subjects: &[Pseudonym]) -> Whose {
    let named = value.get("pseudonym").and_then(Value::as_str);
    let is_subjects = |named: &str| subjects.iter().any(|subject| subject.as_str() == named);
    match named {
        Some(named) if is_subjects(named) => Whose::Subject,
        Some(_) => Whose::Another,
        None if value.get("name").is_some_and(Value::is_string) => Whose::Another,
        None => Whose::Subject,
    }
}

/// The restrictions that are in force at the end of the record: each with its entry and ground. A release lifts that of its ground.
pub(super) fn restrictions(evidence: &Evidence<'_>) -> Vec<(LeafIndex, String)> {
    let mut in_force: BTreeMap<String, LeafIndex> = BTreeMap::new();
    let mut records: Vec<_> = evidence.records.iter().collect();
    records.sort_by_key(|record| record.sorted_by());
    for record in records {
        let Ok(said) = &record.content else { continue };
        let Some(ground) = said.clear.get("ground").and_then(Value::as_str) else { continue };
        match said.payload().event_type.as_str() {
            "record.restricted" => {
                in_force.entry(ground.to_owned()).or_insert(record.index());
            }
            "record.released" => {
                in_force.remove(ground);
            }
            _ => {}
        }
    }
    in_force.into_iter().map(|(ground, entry)| (entry, ground)).collect()
}
