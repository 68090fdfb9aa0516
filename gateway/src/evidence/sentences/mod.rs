//! Each type of event in a plain sentence, by family. A sentence is text: whoever writes it to a page escapes it.

mod agreements;
mod casework;
mod decisions;
mod links;
mod missing;
mod moves;
mod records;
mod rights;

use gt_schemas::{AgencyCode, Event};

use super::read::Said;
use super::words::plain;

/// Who tells, and about whom.
struct Telling<'t> {
    /// The agency that speaks, and in whose name.
    who: String,
    /// "the child" or "a child".
    child: &'t str,
}

/// What a statement says, in a sentence or two.
pub(super) fn sentence(said: &Said, child: &str) -> String {
    let payload = said.payload();
    let who = match &payload.on_behalf_of {
        Some(other) => format!("{}, in the name of {},", payload.iss.as_str(), other.as_str()),
        None => payload.iss.as_str().to_owned(),
    };
    let telling = Telling { who, child };
    said.event.as_ref().and_then(|event| of_event(event, &telling)).unwrap_or_else(|| {
        format!(
            "{} stated something of the type {}, version {}, which this page does not interpret. Its members are listed below.",
            telling.who,
            payload.event_type.as_str(),
            payload.version
        )
    })
}

/// `None` for a type that came after this page.
fn of_event(event: &Event, telling: &Telling<'_>) -> Option<String> {
    Some(match event {
        Event::DecisionRecorded(event) => decisions::recorded(event, telling),
        Event::DecisionReviewed(event) => decisions::reviewed(event, telling),
        Event::DecisionCorrected(event) => decisions::corrected(event, telling),
        Event::RequestReceived(event) => casework::request_received(event, telling),
        Event::RequestAnswered(event) => casework::request_answered(event, telling),
        Event::RequestRefused(event) => casework::request_refused(event, telling),
        Event::ReferralMade(event) => casework::referral_made(event, telling),
        Event::ReferralOutcome(event) => casework::referral_outcome(event, telling),
        Event::DisclosureReceived(event) => casework::disclosure_received(event, telling),
        Event::MeetingHeld(event) => casework::meeting_held(event, telling),
        Event::HarmRecorded(event) => casework::harm_recorded(event, telling),
        Event::MissingStarted(event) => missing::started(event, telling),
        Event::MissingEnded(event) => missing::ended(event, telling),
        Event::RhiOffered(event) => missing::interview_offered(event, telling),
        Event::RhiHeld(event) => missing::interview_held(event, telling),
        Event::RhiDeclined(event) => missing::interview_declined(event, telling),
        Event::ChildMoved(event) => moves::moved(event, telling),
        Event::PlacementStarted(event) => moves::placed(event, telling),
        Event::ContextLinked(event) => links::context_linked(event, telling),
        Event::ContextUnlinked(event) => links::context_unlinked(event, telling),
        Event::PersonLinked(event) => links::person_linked(event, telling),
        Event::PersonUnlinked(event) => links::person_unlinked(event, telling),
        Event::IdentifierLinked(event) => links::identifier_linked(event, telling),
        Event::IdentifierUnlinked(event) => links::identifier_unlinked(event, telling),
        Event::ConsentGiven(event) => rights::consent_given(event, telling),
        Event::ConsentRefused(event) => rights::consent_refused(event, telling),
        Event::ConsentWithdrawn(event) => rights::consent_withdrawn(event, telling),
        Event::SubjectAccessReceived(event) => rights::subject_access(event, telling),
        Event::RectificationRequested(event) => rights::rectification(event, telling),
        Event::RestrictionRequested(event) => rights::restriction(event, telling),
        Event::ObjectionReceived(event) => rights::objection(event, telling),
        Event::ErasureRequested(event) => rights::erasure(event, telling),
        Event::RecordRestricted(event) => records::restricted(event, telling),
        Event::RecordReleased(event) => records::released(event, telling),
        Event::HoldPlaced(event) => records::hold_placed(event, telling),
        Event::HoldLifted(event) => records::hold_lifted(event, telling),
        Event::AlertAssigned(event) => records::alert_assigned(event, telling),
        Event::AlertReviewed(event) => records::alert_reviewed(event, telling),
        Event::RecordAccessed(event) => records::accessed(event, telling),
        Event::AccessApproved(event) => records::access_approved(event, telling),
        Event::AgreementRegistered(event) => agreements::registered(event, telling),
        Event::AgreementReviewed(event) => agreements::reviewed(event, telling),
        Event::AgreementEnded(event) => agreements::ended(event, telling),
        _ => return None,
    })
}

/// An agency's code, or how one that is not named is spoken of.
fn agency<'a>(code: Option<&'a AgencyCode>, otherwise: &'a str) -> &'a str {
    code.map_or(otherwise, AgencyCode::as_str)
}

/// A code of any list in words.
macro_rules! code {
    ($code:expr) => {
        crate::evidence::words::plain($code.as_str())
    };
}

use code;

/// A word before a noun that may begin with a vowel.
fn a(words: &str) -> String {
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {words}")
}

/// What a source reported is a fact, an opinion or an allegation, as its code says.
fn as_a(nature: &str) -> String {
    a(&plain(nature))
}
