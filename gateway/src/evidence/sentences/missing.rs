use gt_schemas::{
    HarmSuspicion, MissingEnded, MissingKind, MissingStarted, RhiDeclined, RhiHeld, RhiOffered,
};

use super::{Telling, code};
use crate::evidence::words::time;

pub(super) fn started(event: &MissingStarted, telling: &Telling<'_>) -> String {
    let absence = match event.kind {
        MissingKind::Missing => "went missing",
        MissingKind::AwayWithoutAuthorisation => "was away without authorisation",
    };
    let risk = event.risk.map_or_else(String::new, |risk| format!(" The risk was put at: {}.", code!(risk)));
    let seen = event.times.as_ref().and_then(|times| times.last_seen_at);
    let seen = seen.map_or_else(String::new, |at| format!(" Last seen {}.", time(at)));
    format!(
        "{} reported that {} {absence} from {}.{risk}{seen}",
        telling.who,
        telling.child,
        code!(event.from)
    )
}

pub(super) fn ended(event: &MissingEnded, telling: &Telling<'_>) -> String {
    let harm = match event.harm {
        HarmSuspicion::Suspected => "Harm is suspected",
        HarmSuspicion::NotSuspected => "No harm is suspected",
        HarmSuspicion::NotKnown => "Whether there was harm is not known",
    };
    format!("{} reported that {} was found or came back. {harm}.", telling.who, telling.child)
}

fn interviewer(independent: bool) -> &'static str {
    if independent { "an independent return home interview" } else { "a return home interview" }
}

pub(super) fn interview_offered(event: &RhiOffered, telling: &Telling<'_>) -> String {
    let due = event.times.as_ref().and_then(|times| times.due_at);
    let due = due.map_or_else(String::new, |at| format!(" It is due {}.", time(at)));
    format!("{} offered {} {}.{due}", telling.who, telling.child, interviewer(event.independent))
}

pub(super) fn interview_held(event: &RhiHeld, telling: &Telling<'_>) -> String {
    let harm = match event.harm_disclosed {
        Some(true) => " Harm was disclosed in it.",
        Some(false) => " No harm was disclosed in it.",
        None => "",
    };
    format!("{} held {} with {}.{harm}", telling.who, interviewer(event.independent), telling.child)
}

pub(super) fn interview_declined(event: &RhiDeclined, telling: &Telling<'_>) -> String {
    format!(
        "{} recorded that {} was declined for {}.",
        telling.who,
        interviewer(event.independent),
        telling.child
    )
}
