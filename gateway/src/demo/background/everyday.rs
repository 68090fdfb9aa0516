//! The smaller records of the everyday: requests, referrals, consent, meetings, disclosures, persons of concern, moves, harm.

use serde_json::{Value, json};

use super::{CHILDREN, HOUR, Scene, agency, person};
use crate::demo::notation::{DAY, MINUTE, time_text};

const COUNCIL: &str = "gss:E06000999";
const SCHOOLS: [&str; 2] = ["harbour", "orlan"];

impl Scene {
    /// One of the smaller records, or two.
    pub(super) fn everyday(&mut self) {
        match self.draw.below(8) {
            0 => self.request(),
            1 => self.referral(),
            2 => self.consent(),
            3 => self.meeting(),
            4 => self.disclosure(),
            5 => self.person_of_concern(),
            6 => self.harm(),
            _ => self.moved(),
        }
    }

    fn push(&mut self, key: &str, event_type: &'static str, child: u64, at: i64, mut data: Value) {
        data["child"] = person(child);
        data["times"]["occurred_at"] = time_text(at).into();
        self.events.push((agency(key), event_type, data));
    }

    /// A request of the council's that is answered in time. An agency is asked about a child once, for without references its
    /// answers go by their order.
    fn request(&mut self) {
        let (key, child, at) = (
            *self.draw.one_of(&["health", "harbour", "orlan", "charity"]),
            self.draw.below(CHILDREN),
            self.moment(5),
        );
        if !self.asked.insert((key, child)) {
            return self.decision();
        }
        let (rating, hours) = *self.draw.one_of(&[("Red", 3), ("Amber", 20), ("Amber", 20), ("Green", 60)]);
        let data = json!({
            "from": COUNCIL, "verified": true, "categories": ["Welfare"], "rating": rating,
            "purpose_text": "For an assessment of what the child needs.",
        });
        self.push(key, "request.received", child, at, data);
        let answered = at + HOUR + self.draw.millis((hours - 1) * HOUR) / MINUTE * MINUTE;
        self.push(key, "request.answered", child, answered, json!({"to": COUNCIL}));
    }

    fn referral(&mut self) {
        let (key, child, at) = (*self.draw.one_of(&SCHOOLS), self.draw.below(CHILDREN), self.moment(5));
        let kind = *self.draw.one_of(&["EarlyHelp", "EarlyHelp", "ChildInNeed", "MentalHealth"]);
        self.push(key, "referral.made", child, at, json!({"to": COUNCIL, "kind": kind}));
        let outcome = *self.draw.one_of(&["Accepted", "Accepted", "NoFurtherAction", "SteppedDown"]);
        let data = json!({"outcome": outcome, "referrer": super::code(key), "referrer_told": true});
        let decided = at + 6 * HOUR + self.draw.millis(60 * HOUR) / MINUTE * MINUTE;
        self.push("council", "referral.outcome", child, decided, data);
    }

    /// Consent to services; nothing that is shared relies on it.
    fn consent(&mut self) {
        let (child, at) = (self.draw.below(CHILDREN), self.moment(1));
        if self.draw.below(6) == 0 {
            let data = json!({"scope": "Services", "by": "PersonWithPR"});
            return self.push("council", "consent.refused", child, at, data);
        }
        let data = json!({
            "scope": "Services", "by": "PersonWithPR", "explicit": false, "freely_given": true, "competent": true,
            "times": {"review_at": time_text(at + 180 * DAY)},
        });
        self.push("council", "consent.given", child, at, data);
    }

    fn meeting(&mut self) {
        let (child, at) = (self.draw.below(CHILDREN), self.moment(1));
        let outcome = *self.draw.one_of(&["NoFurtherAction", "SingleAgencyAssessment", "Adjourned"]);
        let data = json!({"kind": "Mash", "agencies": [COUNCIL, super::code("police"), super::code("health")], "outcome": outcome});
        self.push("council", "meeting.held", child, at, data);
    }

    fn disclosure(&mut self) {
        let (key, child, at) = (*self.draw.one_of(&SCHOOLS), self.draw.below(CHILDREN), self.moment(1));
        let data = json!({
            "to": COUNCIL, "nature": "Allegation", "words_ref": format!("note {:04}", self.draw.below(10_000)),
            "times": {"referred_at": time_text(at + HOUR)},
        });
        self.push(key, "disclosure.received", child, at, data);
    }

    /// Somebody to whom no other child is linked.
    fn person_of_concern(&mut self) {
        let (key, child, at) =
            (*self.draw.one_of(&["police", "charity"]), self.draw.below(CHILDREN), self.moment(1));
        let data = json!({
            "risk": "Other", "source": "Family", "nature": "Allegation",
            "person": {"pseudonym": format!("nhs=somebody whom child {child} fears")},
        });
        self.push(key, "person.linked", child, at, data);
    }

    /// Harm comes to children of odd numbers only: about those nothing is ever withheld.
    fn harm(&mut self) {
        let (child, at) = (2 * self.draw.below(CHILDREN / 2) + 1, self.moment(1));
        let severity = *self.draw.one_of(&["Minor", "Minor", "Moderate"]);
        self.push("health", "harm.recorded", child, at, json!({"severity": severity, "nature": "Fact"}));
    }

    /// A child moves to another council's area, once, and that council is told the same day.
    fn moved(&mut self) {
        let (child, at) = (self.draw.below(CHILDREN), self.moment(2));
        if !self.moved.insert(child) {
            return self.decision();
        }
        let to = *self.draw.one_of(&["county", "borough"]);
        let data = json!({
            "from_la": COUNCIL, "to_la": super::code(to),
            "plan": self.draw.one_of(&["None", "None", "ChildInNeed"]),
            "times": {"notified_at": time_text(at + 2 * HOUR)},
        });
        self.push("council", "child.moved", child, at, data);
    }
}
