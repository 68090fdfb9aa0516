use gt_schemas::{
    ConsentGiven, ConsentRefused, ConsentWithdrawn, ErasureRequested, Exemption, ObjectionReceived,
    RectificationRequested, RestrictionRequested, RightsOutcome, RightsTimes, SubjectAccessReceived,
};

use super::{Telling, code};
use crate::evidence::words::time;

pub(super) fn consent_given(event: &ConsentGiven, telling: &Telling<'_>) -> String {
    let no = |holds: bool| if holds { "" } else { "not " };
    format!(
        "{} recorded that consent concerning {} was given by {}, for {}: {}explicit, {}freely given, by somebody {}competent to give it.",
        telling.who,
        telling.child,
        code!(event.by),
        code!(event.scope),
        no(event.explicit),
        no(event.freely_given),
        no(event.competent),
    )
}

pub(super) fn consent_refused(event: &ConsentRefused, telling: &Telling<'_>) -> String {
    let (by, scope) = (code!(event.by), code!(event.scope));
    format!(
        "{} recorded that consent concerning {} was refused by {by}, for {scope}.",
        telling.who, telling.child
    )
}

pub(super) fn consent_withdrawn(event: &ConsentWithdrawn, telling: &Telling<'_>) -> String {
    let (by, scope) = (code!(event.by), code!(event.scope));
    format!(
        "{} recorded that consent concerning {} was withdrawn by {by}, for {scope}.",
        telling.who, telling.child
    )
}

/// What the requests under data-protection law have alike.
struct Request<'r> {
    identity_verified: bool,
    outcome: Option<RightsOutcome>,
    exemption: Option<Exemption>,
    times: Option<&'r RightsTimes>,
}

macro_rules! request {
    ($event:expr) => {
        Request {
            identity_verified: $event.identity_verified,
            outcome: $event.outcome,
            exemption: $event.exemption,
            times: $event.times.as_ref(),
        }
    };
}

impl Request<'_> {
    fn say(&self, what: &str, telling: &Telling<'_>) -> String {
        let verified = if self.identity_verified { "was verified" } else { "was not verified" };
        let outcome = match (self.outcome, self.exemption) {
            (Some(outcome), Some(exemption)) => {
                format!("Its outcome: {} (exemption: {}).", code!(outcome), code!(exemption))
            }
            (Some(outcome), None) => format!("Its outcome: {}.", code!(outcome)),
            (None, _) => "It has no outcome yet.".to_owned(),
        };
        let due = self.times.and_then(|times| times.due_at);
        let due = due.map_or_else(String::new, |at| format!(" It is due {}.", time(at)));
        format!(
            "{} received {what} concerning {}. Who asked {verified}. {outcome}{due}",
            telling.who, telling.child
        )
    }
}

pub(super) fn subject_access(event: &SubjectAccessReceived, telling: &Telling<'_>) -> String {
    request!(event).say("a request to see the record", telling)
}

pub(super) fn rectification(event: &RectificationRequested, telling: &Telling<'_>) -> String {
    request!(event).say("a request to put the record right", telling)
}

pub(super) fn restriction(event: &RestrictionRequested, telling: &Telling<'_>) -> String {
    request!(event).say("a request to restrict the use of the record", telling)
}

pub(super) fn objection(event: &ObjectionReceived, telling: &Telling<'_>) -> String {
    request!(event).say("an objection to the use of the record", telling)
}

pub(super) fn erasure(event: &ErasureRequested, telling: &Telling<'_>) -> String {
    request!(event).say("a request to erase the record", telling)
}
