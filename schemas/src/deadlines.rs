//! By when what an event calls for is due, where the event itself says (DOMAIN sections 1 and 4). The clocks that need
//! other events, as a return home interview's and a move's do, are the patterns'.

use crate::configuration::{Calendar, Configuration};
use crate::data_subjects::RightsTimes;
use crate::event::Event;
use crate::requests::Rating;
use crate::time::Time;

const MILLISECONDS_AN_HOUR: i64 = 3_600_000;

/// Calendar months in which a data subject's request is dealt with (UK GDPR Article 12(3)).
const RIGHTS_MONTHS: u32 = 1;

/// Calendar months by which that can be extended.
const EXTENSION_MONTHS: u32 = 2;

/// Working days in which a local authority responds to what it was told (Working Together to Safeguard Children).
const RESPONSE_WORKING_DAYS: u32 = 1;

impl Event {
    /// By when what this event calls for is due. None for an event that calls for nothing, and where the time from which
    /// the clock runs is not here.
    ///
    /// | event | is due | by |
    /// |---|---|---|
    /// | a decision to share in an emergency | its full record | so many elapsed hours after the sharing (`emergency_record`) |
    /// | a request for information | the answer | what the request says, else so many elapsed hours after it came, by its rating (`request_unanswered`) |
    /// | a disclosure of harm | the local authority's response | the end of the working day after it was passed on |
    /// | a data subject's request | the outcome | what the request says, else one calendar month after it came, or three where it was extended |
    pub fn due_at(&self, rules: &Configuration) -> Option<Time> {
        let calendar = &rules.calendar;
        match self {
            Self::DecisionRecorded(decision) if decision.emergency == Some(true) => {
                let shared_at = decision.times.as_ref()?.shared_at?;
                Some(after(shared_at, rules.thresholds.emergency_record.hours))
            }
            Self::RequestReceived(request) => {
                let times = request.times.as_ref()?;
                let limits = rules.thresholds.request_unanswered;
                let hours = match request.rating {
                    Rating::Red => limits.red_hours,
                    Rating::Amber => limits.amber_hours,
                    Rating::Green => limits.green_hours,
                };
                Some(times.due_at.unwrap_or_else(|| after(times.occurred_at, hours)))
            }
            Self::DisclosureReceived(disclosure) => {
                let referred_at = disclosure.times.as_ref()?.referred_at?;
                Some(calendar.end_of_working_day(referred_at, RESPONSE_WORKING_DAYS))
            }
            Self::SubjectAccessReceived(asked) => rights(asked.times.as_ref(), asked.extended, calendar),
            Self::RectificationRequested(asked) => rights(asked.times.as_ref(), asked.extended, calendar),
            Self::RestrictionRequested(asked) => rights(asked.times.as_ref(), asked.extended, calendar),
            Self::ObjectionReceived(asked) => rights(asked.times.as_ref(), asked.extended, calendar),
            Self::ErasureRequested(asked) => rights(asked.times.as_ref(), asked.extended, calendar),
            _ => None,
        }
    }
}

fn rights(times: Option<&RightsTimes>, extended: Option<bool>, calendar: &Calendar) -> Option<Time> {
    let times = times?;
    let months = if extended == Some(true) { RIGHTS_MONTHS + EXTENSION_MONTHS } else { RIGHTS_MONTHS };
    Some(times.due_at.unwrap_or_else(|| calendar.add_months(times.occurred_at, months)))
}

fn after(from: Time, hours: u32) -> Time {
    Time::from_millis(from.as_millis() + i64::from(hours) * MILLISECONDS_AN_HOUR).unwrap_or(Time::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{EventType, validate_draft};

    /// When an example is due with its times replaced and one member set.
    fn due(event_type: &str, text: &str, times: &Value, (member, value): (&str, Value)) -> Option<String> {
        let mut data: Value = serde_json::from_str(text).unwrap();
        data["times"] = times.clone();
        data[member] = value;
        let version = EventType::parse(event_type).unwrap().version();
        let event = validate_draft(event_type, version, &data).unwrap();
        event.due_at(&Configuration::standard()).map(|at| at.to_string())
    }

    /// DOMAIN section 1: share first, complete the record within 24 hours.
    #[test]
    fn an_emergencys_record_is_due_a_day_after_the_sharing() {
        let share = include_str!("../examples/decision.recorded.emergency.json");
        let times = json!({ "occurred_at": "2026-03-28T23:00:00Z", "shared_at": "2026-03-28T23:30:00Z" });
        let due = |emergency: Value| due("decision.recorded", share, &times, ("emergency", emergency));
        assert_eq!(due(json!(true)).as_deref(), Some("2026-03-29T23:30:00Z"));
        assert_eq!(due(json!(false)), None);
    }

    /// DOMAIN section 4: 4, 24 or 72 hours by rating, unless the request says.
    #[test]
    fn a_request_is_due_when_it_says_or_by_its_rating() {
        let request = include_str!("../examples/request.received.json");
        let came = json!({ "occurred_at": "2026-02-27T16:20:00Z" });
        for (rating, expected) in [
            ("Red", "2026-02-27T20:20:00Z"),
            ("Amber", "2026-02-28T16:20:00Z"),
            ("Green", "2026-03-02T16:20:00Z"),
        ] {
            let at = due("request.received", request, &came, ("rating", json!(rating)));
            assert_eq!(at.as_deref(), Some(expected), "{rating}");
        }
        let says = json!({ "occurred_at": "2026-02-27T16:20:00Z", "due_at": "2026-03-04T12:00:00Z" });
        let at = due("request.received", request, &says, ("rating", json!("Red")));
        assert_eq!(at.as_deref(), Some("2026-03-04T12:00:00Z"));
    }

    /// DOMAIN section 4: the local authority responds within 1 working day; Friday's is Monday's.
    #[test]
    fn a_disclosure_is_responded_to_by_the_end_of_the_next_working_day() {
        let disclosure = include_str!("../examples/disclosure.received.json");
        let passed_on =
            json!({ "occurred_at": "2026-02-13T13:40:00Z", "referred_at": "2026-02-13T15:05:00Z" });
        let kept = json!({ "occurred_at": "2026-02-13T13:40:00Z" });
        let due = |times| due("disclosure.received", disclosure, times, ("nature", json!("Allegation")));
        assert_eq!(due(&passed_on).as_deref(), Some("2026-02-17T00:00:00Z"));
        assert_eq!(due(&kept), None, "it was passed to nobody");
    }

    /// DOMAIN section 4, UK GDPR Article 12(3): one month, and two further ones where it was extended.
    #[test]
    fn a_data_subjects_request_is_due_in_a_month_or_in_three() {
        let came = json!({ "occurred_at": "2026-01-31T09:00:00Z" });
        let says = json!({ "occurred_at": "2026-01-31T09:00:00Z", "due_at": "2026-02-20T09:00:00Z" });
        for (event_type, example) in [
            ("subject_access.received", include_str!("../examples/subject_access.received.json")),
            ("rectification.requested", include_str!("../examples/rectification.requested.json")),
            ("restriction.requested", include_str!("../examples/restriction.requested.json")),
            ("objection.received", include_str!("../examples/objection.received.json")),
            ("erasure.requested", include_str!("../examples/erasure.requested.json")),
        ] {
            let due = |times, extended: bool| due(event_type, example, times, ("extended", json!(extended)));
            assert_eq!(due(&came, false).as_deref(), Some("2026-02-28T09:00:00Z"), "{event_type}");
            assert_eq!(due(&came, true).as_deref(), Some("2026-04-30T08:00:00Z"), "{event_type}");
            assert_eq!(due(&says, true).as_deref(), Some("2026-02-20T09:00:00Z"), "{event_type}");
        }
    }

    #[test]
    fn an_event_that_calls_for_nothing_is_never_due() {
        let harm = include_str!("../examples/harm.recorded.json");
        let times = json!({ "occurred_at": "2026-02-27T16:20:00Z" });
        assert_eq!(due("harm.recorded", harm, &times, ("severity", json!("Minor"))), None);
    }
}
