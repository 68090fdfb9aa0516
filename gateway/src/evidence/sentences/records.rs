use gt_schemas::{
    AccessApproved, AlertAssigned, AlertReviewed, HoldLifted, HoldPlaced, RecordAccessed, RecordReleased,
    RecordRestricted,
};

use super::{Telling, a, agency, code};
use crate::evidence::words::count;

pub(super) fn restricted(event: &RecordRestricted, telling: &Telling<'_>) -> String {
    let ground = code!(event.ground);
    format!("{} restricted who may see the record of {} (ground: {ground}).", telling.who, telling.child)
}

pub(super) fn released(event: &RecordReleased, telling: &Telling<'_>) -> String {
    let ground = code!(event.ground);
    format!(
        "{} lifted a restriction of the record of {} (its ground was: {ground}).",
        telling.who, telling.child
    )
}

pub(super) fn hold_placed(event: &HoldPlaced, telling: &Telling<'_>) -> String {
    let ground = code!(event.ground);
    format!("{} ordered that the record of {} be kept (ground: {ground}).", telling.who, telling.child)
}

pub(super) fn hold_lifted(event: &HoldLifted, telling: &Telling<'_>) -> String {
    let ground = code!(event.ground);
    format!(
        "{} lifted the order that the record of {} be kept (its ground was: {ground}).",
        telling.who, telling.child
    )
}

pub(super) fn alert_assigned(event: &AlertAssigned, telling: &Telling<'_>) -> String {
    let to = agency(event.to.as_ref(), "somebody of its own");
    format!("{} assigned an alert to {to}.", telling.who)
}

pub(super) fn alert_reviewed(event: &AlertReviewed, telling: &Telling<'_>) -> String {
    format!("{} reviewed an alert. The outcome: {}.", telling.who, code!(event.outcome))
}

pub(super) fn accessed(event: &RecordAccessed, telling: &Telling<'_>) -> String {
    let whose = if event.child.is_some() { format!(" of {}", telling.child) } else { String::new() };
    let extent = event.extent.as_ref().map(|extent| extent.records.get() as usize);
    let extent =
        extent.map_or_else(String::new, |number| format!(" ({})", count(number, "record", "records")));
    let glass = if event.break_glass == Some(true) {
        " The access was an emergency's, without approval."
    } else {
        ""
    };
    format!(
        "At {}, {} read {}{whose}{extent}; the purpose: {}.{glass}",
        telling.who,
        a(&code!(event.role)),
        code!(event.what),
        code!(event.purpose),
    )
}

pub(super) fn access_approved(event: &AccessApproved, telling: &Telling<'_>) -> String {
    let whose = if event.child.is_some() { format!(" of {}", telling.child) } else { String::new() };
    format!(
        "{} approved that {} may read {}{whose}; the purpose: {}.",
        telling.who,
        a(&code!(event.role)),
        code!(event.what),
        code!(event.purpose),
    )
}
