use gt_schemas::{AgreementEnded, AgreementRegistered, AgreementReviewed, AgreementTimes};

use super::{Telling, code};
use crate::evidence::words::{list, time};

fn next_review(times: Option<&AgreementTimes>) -> String {
    let at = times.and_then(|times| times.next_review_at);
    at.map_or_else(String::new, |at| format!(" Its next review is due {}.", time(at)))
}

pub(super) fn registered(event: &AgreementRegistered, telling: &Telling<'_>) -> String {
    format!(
        "{} registered an agreement ({}) between {}.{}",
        telling.who,
        code!(event.kind),
        list(event.parties.iter().map(|party| party.as_str().to_owned())),
        next_review(event.times.as_ref()),
    )
}

pub(super) fn reviewed(event: &AgreementReviewed, telling: &Telling<'_>) -> String {
    let next = next_review(event.times.as_ref());
    format!("{} reviewed an agreement, which was {}.{next}", telling.who, code!(event.outcome))
}

pub(super) fn ended(event: &AgreementEnded, telling: &Telling<'_>) -> String {
    format!("{} recorded that an agreement ended ({}).", telling.who, code!(event.kind))
}
