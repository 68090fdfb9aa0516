use gt_schemas::{
    ContextLinked, ContextUnlinked, IdentifierLinked, IdentifierUnlinked, PersonLinked, PersonUnlinked,
};

use super::{Telling, a, as_a, code};

pub(super) fn context_linked(event: &ContextLinked, telling: &Telling<'_>) -> String {
    format!(
        "{} linked {} to {} because of a risk of {}; reported by {}, as {}.",
        telling.who,
        telling.child,
        a(&code!(event.kind)),
        code!(event.risk),
        code!(event.source),
        as_a(event.nature.as_str()),
    )
}

pub(super) fn context_unlinked(event: &ContextUnlinked, telling: &Telling<'_>) -> String {
    format!("{} took back a link of {} to {}.", telling.who, telling.child, a(&code!(event.kind)))
}

pub(super) fn person_linked(event: &PersonLinked, telling: &Telling<'_>) -> String {
    let whom = if event.child.is_some() { telling.child } else { "somebody" };
    format!(
        "{} linked {whom} to a person of concern because of a risk of {}; reported by {}, as {}.",
        telling.who,
        code!(event.risk),
        code!(event.source),
        as_a(event.nature.as_str()),
    )
}

pub(super) fn person_unlinked(event: &PersonUnlinked, telling: &Telling<'_>) -> String {
    let whom = if event.child.is_some() { telling.child } else { "somebody" };
    format!("{} took back a link of {whom} to a person of concern.", telling.who)
}

pub(super) fn identifier_linked(event: &IdentifierLinked, telling: &Telling<'_>) -> String {
    format!(
        "{} stated that two identifiers are one person's ({}; evidence: {}).",
        telling.who,
        code!(event.confidence),
        code!(event.evidence)
    )
}

pub(super) fn identifier_unlinked(event: &IdentifierUnlinked, telling: &Telling<'_>) -> String {
    format!(
        "{} stated that two identifiers are not one person's after all ({}; evidence: {}).",
        telling.who,
        code!(event.confidence),
        code!(event.evidence)
    )
}
