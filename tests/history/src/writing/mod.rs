//! Writes an event's data as an agency's system would: members as in a draft, of the types and versions in `gt-schemas`.
//!
//! What no rule of the truth reads is drawn from the event's own texture, so that each event is written alike whenever it is.

mod basis;
mod casework;
mod children;
mod decisions;

use serde_json::{Map, Value, json};

use crate::agencies::{AgencyNumber, Roster};
use crate::calendar::text;
use crate::draw::Draw;
use crate::happening::{AgreementAct, ConsentAct, Happening, Interview, What};
use crate::{HistoryEvent, pseudonyms};

/// Posts that professionals hold.
const POSTS: [&str; 7] = [
    "Social worker",
    "Duty sergeant",
    "School nurse",
    "Designated safeguarding lead",
    "Paediatrician",
    "Youth worker",
    "Team manager",
];

/// One event on its way into data.
struct Writing<'w> {
    roster: &'w Roster,
    told: &'w Happening,
    draw: Draw,
}

pub(crate) fn event(roster: &Roster, told: &Happening) -> HistoryEvent {
    let mut writing = Writing { roster, told, draw: Draw::new(u64::from(told.texture)) };
    HistoryEvent {
        agency: roster.code(told.speaker).to_owned(),
        event_type: event_type(&told.what),
        version: version(&told.what),
        data: Value::Object(writing.data()),
        received_at: told.received,
    }
}

fn event_type(what: &What) -> &'static str {
    match what {
        What::Decision(_) => "decision.recorded",
        What::DecisionReviewed => "decision.reviewed",
        What::DecisionCorrected => "decision.corrected",
        What::MissingStarted { .. } => "missing.started",
        What::MissingEnded { .. } => "missing.ended",
        What::Interview(Interview::Offered) => "rhi.offered",
        What::Interview(Interview::Held) => "rhi.held",
        What::Interview(Interview::Declined) => "rhi.declined",
        What::Moved { .. } => "child.moved",
        What::Placed { .. } => "placement.started",
        What::ContextLinked { .. } => "context.linked",
        What::ContextUnlinked { .. } => "context.unlinked",
        What::PersonLinked { .. } => "person.linked",
        What::PersonUnlinked { .. } => "person.unlinked",
        What::RequestReceived { .. } => "request.received",
        What::RequestAnswered { .. } => "request.answered",
        What::RequestRefused { .. } => "request.refused",
        What::ReferralMade { .. } => "referral.made",
        What::ReferralOutcome { .. } => "referral.outcome",
        What::Disclosure { .. } => "disclosure.received",
        What::Consent(ConsentAct::Given) => "consent.given",
        What::Consent(ConsentAct::Refused) => "consent.refused",
        What::Consent(ConsentAct::Withdrawn) => "consent.withdrawn",
        What::Meeting { .. } => "meeting.held",
        What::Harm => "harm.recorded",
        What::Agreement { act: AgreementAct::Registered, .. } => "agreement.registered",
        What::Agreement { act: AgreementAct::Reviewed, .. } => "agreement.reviewed",
        What::Agreement { act: AgreementAct::Ended, .. } => "agreement.ended",
        What::IdentifiersLinked => "identifier.linked",
        What::SubjectAccess => "subject_access.received",
        What::Hold { lifted: false } => "hold.placed",
        What::Hold { lifted: true } => "hold.lifted",
        What::Accessed { approved: false } => "record.accessed",
        What::Accessed { approved: true } => "access.approved",
    }
}

/// The versions that `gt-schemas` writes: others are read, but no longer written.
const fn version(what: &What) -> u16 {
    match what {
        What::Decision(_) | What::MissingEnded { .. } => 2,
        _ => 1,
    }
}

/// A value that is an object.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => unreachable!("only objects are written here"),
    }
}

/// Adds a reference to `refs`.
fn refer(data: &mut Map<String, Value>, name: &str, label: String) {
    data.entry("refs").or_insert_with(|| json!({}))[name] = label.into();
}

impl Writing<'_> {
    fn data(&mut self) -> Map<String, Value> {
        let what = self.told.what;
        match what {
            What::Decision(decision) => self.decision(&decision),
            What::DecisionReviewed => self.decision_reviewed(),
            What::DecisionCorrected => self.decision_corrected(),
            What::MissingStarted { absence } => self.missing_started(absence),
            What::MissingEnded { absence } => self.missing_ended(absence),
            What::Interview(kind) => self.interview(kind),
            What::Moved { from, to, terms, notified } => self.moved(from, to, terms, notified),
            What::Placed { from, to, terms, notified, secure } => {
                let moved = self.moved(from, to, terms, notified);
                self.placed(moved, secure)
            }
            What::ContextLinked { context } => self.context_linked(context),
            What::ContextUnlinked { context } => self.context_unlinked(context),
            What::PersonLinked { person } => self.person_linked(person),
            What::PersonUnlinked { person } => self.person_unlinked(person),
            What::RequestReceived { from, rating, due, reference } => {
                self.request_received(from, rating, due, reference)
            }
            What::RequestAnswered { to, reference } => self.request_answered(to, reference),
            What::RequestRefused { to, reference } => self.request_refused(to, reference),
            What::ReferralMade { to, reference } => self.referral_made(to, reference),
            What::ReferralOutcome { referrer, reference } => self.referral_outcome(referrer, reference),
            What::Disclosure { to } => self.disclosure(to),
            What::Consent(act) => self.consent(act),
            What::Meeting { first, second } => self.meeting(first, second),
            What::Harm => self.harm(),
            What::Agreement { act, number, other } => self.agreement(act, number, other),
            What::IdentifiersLinked => self.identifiers_linked(),
            What::SubjectAccess => self.subject_access(),
            What::Hold { lifted } => self.hold(lifted),
            What::Accessed { approved } => self.accessed(approved),
        }
    }

    /// The members that nearly all events have, and these.
    fn about_child(&mut self, value: Value) -> Map<String, Value> {
        let mut data = members(value);
        data.insert("child".to_owned(), self.child());
        data.entry("times").or_insert_with(|| self.times());
        if self.draw.chance(60) {
            refer(&mut data, "case", format!("SG-{:06}", self.told.texture % 1_000_000));
        }
        data
    }

    fn child(&self) -> Value {
        json!({"pseudonym": pseudonyms::child(self.told.child), "role": "Child"})
    }

    fn times(&self) -> Value {
        json!({"occurred_at": text(self.told.at)})
    }

    fn code(&self, agency: AgencyNumber) -> &str {
        self.roster.code(agency)
    }

    /// One of the eight people who speak for the agency.
    fn professional(&mut self) -> Value {
        let number = self.told.speaker * 8 + self.draw.below(8);
        json!({"pseudonym": pseudonyms::staff(number), "role": POSTS[(number % 7) as usize]})
    }
}
