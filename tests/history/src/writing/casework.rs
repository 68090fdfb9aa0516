//! Requests, referrals, consent, meetings, agreements, and the duties on the record itself.

use serde_json::{Map, Value, json};

use super::decisions::{agreement_label, request_label};
use super::{Writing, members, refer};
use crate::agencies::AgencyNumber;
use crate::calendar::{HOUR, months_later, text};
use crate::happening::{AgreementAct, ConsentAct, Rating};
use crate::pseudonyms;

impl Writing<'_> {
    pub(super) fn request_received(
        &mut self,
        from: AgencyNumber,
        rating: Rating,
        due: Option<i64>,
        reference: u32,
    ) -> Map<String, Value> {
        let mut times = self.times();
        if let Some(due) = due {
            times["due_at"] = text(due).into();
        }
        let rating = match rating {
            Rating::Red => "Red",
            Rating::Amber => "Amber",
            Rating::Green => "Green",
        };
        let data = json!({
            "from": self.code(from),
            "verified": true,
            "categories": [self.draw.one_of(&["Welfare", "Education", "Missing"])],
            "gateway": self.draw.one_of(&["CA1989s17", "CA1989s47", "CA2004s10"]),
            "rating": rating,
            "times": times,
            "purpose_text": "To judge whether what others have seen fits together.",
        });
        self.with_request(data, reference)
    }

    pub(super) fn request_answered(&mut self, to: AgencyNumber, reference: u32) -> Map<String, Value> {
        self.with_request(json!({"to": self.code(to)}), reference)
    }

    pub(super) fn request_refused(&mut self, to: AgencyNumber, reference: u32) -> Map<String, Value> {
        let ground = self.draw.one_of(&["NotNecessary", "NoPurpose", "WrongRecipient"]);
        self.with_request(json!({"to": self.code(to), "ground": ground}), reference)
    }

    fn with_request(&mut self, data: Value, reference: u32) -> Map<String, Value> {
        let mut data = self.about_child(data);
        refer(&mut data, "request", request_label(reference));
        data
    }

    pub(super) fn referral_made(&mut self, to: AgencyNumber, reference: u32) -> Map<String, Value> {
        let kind =
            self.draw.one_of(&["EarlyHelp", "ChildInNeed", "ChildProtection", "Exploitation", "Other"]);
        let mut data = self.about_child(json!({"to": self.code(to), "kind": kind}));
        refer(&mut data, "referral", format!("REF-{reference:07}"));
        data
    }

    pub(super) fn referral_outcome(&mut self, referrer: AgencyNumber, reference: u32) -> Map<String, Value> {
        let outcome = self.draw.one_of(&["Accepted", "Accepted", "NoFurtherAction", "SteppedDown"]);
        let data = json!({"outcome": outcome, "referrer": self.code(referrer), "referrer_told": true});
        let mut data = self.about_child(data);
        refer(&mut data, "referral", format!("REF-{reference:07}"));
        data
    }

    pub(super) fn disclosure(&mut self, to: AgencyNumber) -> Map<String, Value> {
        let data = json!({
            "to": self.code(to),
            "nature": "Allegation",
            "words_ref": format!("NOTE-{:06}", self.told.texture % 1_000_000),
        });
        self.about_child(data)
    }

    pub(super) fn consent(&mut self, act: ConsentAct) -> Map<String, Value> {
        let mut data = json!({
            "scope": "InformationSharing",
            "by": self.draw.one_of(&["PersonWithPR", "PersonWithPR", "Child"]),
        });
        if act == ConsentAct::Given {
            data["times"] =
                json!({"occurred_at": text(self.told.at), "review_at": text(months_later(self.told.at, 12))});
            for member in ["explicit", "freely_given", "competent"] {
                data[member] = true.into();
            }
        }
        self.about_child(data)
    }

    pub(super) fn meeting(&mut self, first: AgencyNumber, second: AgencyNumber) -> Map<String, Value> {
        let outcome = self.draw.one_of(&["NoFurtherAction", "SingleAgencyAssessment", "JointEnquiry"]);
        let data = json!({
            "kind": self.draw.one_of(&["Mash", "Strategy"]),
            "agencies": [self.code(first), self.code(second)],
            "outcome": outcome,
        });
        self.about_child(data)
    }

    pub(super) fn harm(&mut self) -> Map<String, Value> {
        let data = json!({
            "severity": self.draw.one_of(&["Minor", "Minor", "Moderate", "Serious"]),
            "nature": self.draw.one_of(&["Fact", "Opinion"]),
        });
        self.about_child(data)
    }

    /// No child's: an agreement belongs to its agencies.
    pub(super) fn agreement(
        &mut self,
        act: AgreementAct,
        number: u32,
        other: AgencyNumber,
    ) -> Map<String, Value> {
        let mut data = match act {
            AgreementAct::Registered => json!({
                "kind": "InformationSharing",
                "parties": [self.code(self.told.speaker), self.code(other)],
            }),
            AgreementAct::Reviewed => {
                json!({"outcome": self.draw.one_of(&["Renewed", "Renewed", "Amended"])})
            }
            AgreementAct::Ended => json!({"kind": self.draw.one_of(&["Expired", "Withdrawn", "Replaced"])}),
        };
        data["times"] = self.times();
        if act != AgreementAct::Ended {
            data["times"]["next_review_at"] = text(months_later(self.told.at, 12)).into();
        }
        data["refs"] = json!({"agreement": agreement_label(number)});
        members(data)
    }

    /// No child's either: two pseudonyms of one.
    pub(super) fn identifiers_linked(&mut self) -> Map<String, Value> {
        let evidence = self.draw.one_of(&["SharedSystem", "DocumentSeen", "DemographicMatch"]);
        let names = [self.told.child, self.told.child + 1];
        members(json!({
            "evidence": evidence,
            "confidence": "Confirmed",
            "identifiers": names.map(|name| json!({"pseudonym": pseudonyms::child(name)})),
            "times": self.times(),
        }))
    }

    pub(super) fn subject_access(&mut self) -> Map<String, Value> {
        let at = self.told.at;
        self.about_child(json!({
            "identity_verified": true,
            "times": {"occurred_at": text(at), "due_at": text(months_later(at, 1))},
        }))
    }

    pub(super) fn hold(&mut self, lifted: bool) -> Map<String, Value> {
        let reason = if lifted { "The review is published." } else { "A review looks at what was known." };
        self.about_child(json!({"ground": "SafeguardingReview", "reason": reason}))
    }

    pub(super) fn accessed(&mut self, approved: bool) -> Map<String, Value> {
        let reader = format!("r.{:03}", self.draw.below(200));
        let mut data = json!({
            "role": self.draw.one_of(&["Practitioner", "Practitioner", "Manager", "Mash"]),
            "purpose": self.draw.one_of(&["CaseWork", "Supervision"]),
            "what": self.draw.one_of(&["Timeline", "Decisions"]),
            "reader": {"name": reader},
        });
        if approved {
            data["approver"] = json!({"name": format!("s.{:03}", self.draw.below(50))});
            data["times"] =
                json!({"occurred_at": text(self.told.at), "expires_at": text(self.told.at + 8 * HOUR)});
        } else {
            data["extent"] = json!({"records": 1 + self.draw.below(40)});
        }
        self.about_child(data)
    }
}
