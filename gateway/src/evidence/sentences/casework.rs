use gt_schemas::{
    DisclosureReceived, HarmRecorded, MeetingHeld, ReferralMade, ReferralOutcome, RequestAnswered,
    RequestReceived, RequestRefused,
};

use super::{Telling, a, agency, as_a, code};
use crate::evidence::words::{list, time};

pub(super) fn request_received(event: &RequestReceived, telling: &Telling<'_>) -> String {
    let verified = if event.verified { "was verified" } else { "was not verified" };
    let due = event.times.as_ref().and_then(|times| times.due_at);
    let due = due.map_or_else(String::new, |at| format!(" An answer is due {}.", time(at)));
    format!(
        "{} received a request from {} for information about {} ({}), rated {}. Who asked {verified}.{due}",
        telling.who,
        agency(event.from.as_ref(), "somebody who is no agency"),
        telling.child,
        list(event.categories.iter().map(|category| code!(category))),
        code!(event.rating),
    )
}

pub(super) fn request_answered(event: &RequestAnswered, telling: &Telling<'_>) -> String {
    let to = agency(event.to.as_ref(), "whoever asked");
    format!("{} answered {to}, who had asked for information about {}.", telling.who, telling.child)
}

pub(super) fn request_refused(event: &RequestRefused, telling: &Telling<'_>) -> String {
    let to = agency(event.to.as_ref(), "whoever asked");
    format!(
        "{} refused {to} the information that was asked for about {}; its ground: {}.",
        telling.who,
        telling.child,
        code!(event.ground)
    )
}

pub(super) fn referral_made(event: &ReferralMade, telling: &Telling<'_>) -> String {
    format!("{} referred {} to {} ({}).", telling.who, telling.child, event.to.as_str(), code!(event.kind))
}

pub(super) fn referral_outcome(event: &ReferralOutcome, telling: &Telling<'_>) -> String {
    let told = if event.referrer_told { "was told" } else { "was not told" };
    format!(
        "{} closed a referral of {} with the outcome: {}. The referrer, {}, {told}.",
        telling.who,
        telling.child,
        code!(event.outcome),
        agency(event.referrer.as_ref(), "who is not named here"),
    )
}

pub(super) fn disclosure_received(event: &DisclosureReceived, telling: &Telling<'_>) -> String {
    let mut child = telling.child.to_owned();
    if let Some(first) = child.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let to = agency(event.to.as_ref(), telling.who.as_str());
    format!(
        "{child} told something to {to}, and {} recorded it as {}.",
        telling.who,
        as_a(event.nature.as_str())
    )
}

pub(super) fn meeting_held(event: &MeetingHeld, telling: &Telling<'_>) -> String {
    format!(
        "{} recorded {} meeting about {}, with {}. Its outcome: {}.",
        telling.who,
        a(&code!(event.kind)),
        telling.child,
        list(event.agencies.iter().map(|one| one.as_str().to_owned())),
        code!(event.outcome),
    )
}

pub(super) fn harm_recorded(event: &HarmRecorded, telling: &Telling<'_>) -> String {
    format!(
        "{} recorded harm to {}: {}, as {}.",
        telling.who,
        telling.child,
        code!(event.severity),
        as_a(event.nature.as_str())
    )
}
