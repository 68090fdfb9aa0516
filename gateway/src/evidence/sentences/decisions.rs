use gt_schemas::{
    Decision, DecisionCorrected, DecisionRecorded, DecisionReviewed, InformedStatus, Recipient,
};

use super::{Telling, agency, code};
use crate::evidence::words::{count, list, time};

pub(super) fn recorded(event: &DecisionRecorded, telling: &Telling<'_>) -> String {
    let did = match event.decision {
        Decision::Share => "decided to share information",
        Decision::SharePart => "decided to share a part of the information",
        Decision::Withhold => "decided not to share information",
    };
    let occasion = match event.emergency {
        Some(true) => "in an emergency".to_owned(),
        _ => format!("occasion: {}", code!(event.trigger)),
    };
    let recipient = |one: &Recipient| agency(one.agency.as_ref(), "a recipient that is no agency").to_owned();
    let mut sentences = vec![format!(
        "{} {did} about {} with {} ({}; {}; level of harm: {}).",
        telling.who,
        telling.child,
        list(event.recipients.iter().map(recipient)),
        count(event.items.len(), "item", "items"),
        occasion,
        code!(event.harm_level),
    )];
    sentences.push(format!(
        "Its purpose: {}. Consent: {}.",
        code!(event.purpose),
        code!(event.consent.status)
    ));
    if let Some(withhold) = &event.withhold {
        sentences.push(format!("The ground for withholding: {}.", code!(withhold.ground)));
    }
    if event.informed.as_ref().is_some_and(|informed| informed.status == InformedStatus::No) {
        sentences.push("The person concerned was not told.".to_owned());
    }
    if let Some(at) = event.times.as_ref().and_then(|times| times.shared_at) {
        sentences.push(format!("It was shared {}.", time(at)));
    }
    sentences.join(" ")
}

pub(super) fn reviewed(event: &DecisionReviewed, telling: &Telling<'_>) -> String {
    format!("{} reviewed a decision about {}: {}.", telling.who, telling.child, code!(event.outcome))
}

pub(super) fn corrected(event: &DecisionCorrected, telling: &Telling<'_>) -> String {
    let fields = list(event.fields.iter().map(|field| code!(field)));
    format!(
        "{} corrected an earlier decision about {}, in what it said of {fields}. The earlier statement stands as it was.",
        telling.who, telling.child
    )
}
