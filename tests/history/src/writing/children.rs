//! Absences, interviews, moves, and what links children to places and people.

use serde_json::{Map, Value, json};

use super::{Writing, members, refer};
use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{HOUR, MINUTE, text};
use crate::happening::{Absence, Interview, Support, Terms};
use crate::pseudonyms;

impl Writing<'_> {
    pub(super) fn missing_started(&mut self, absence: Absence) -> Map<String, Value> {
        let (kind, risk) = if absence.away {
            ("AwayWithoutAuthorisation", "NoApparentRisk")
        } else {
            ("Missing", self.draw.one_of(&["Low", "Medium", "Medium", "High"]))
        };
        let mut data = json!({
            "kind": kind,
            "from": if absence.placed { "Placement" } else { "Home" },
            "risk": risk,
            "times": {
                "occurred_at": text(self.told.at),
                "last_seen_at": text(self.told.at - 20 * MINUTE),
            },
        });
        if absence.placed {
            data["responsible_la"] = self.code(self.told.speaker).into();
        }
        let mut data = self.about_child(data);
        self.refer_absence(&mut data, absence);
        data
    }

    pub(super) fn missing_ended(&mut self, absence: Absence) -> Map<String, Value> {
        let harm = self.draw.one_of(&["NotSuspected", "NotSuspected", "NotKnown", "Suspected"]);
        let mut data = self.about_child(json!({"harm": harm}));
        self.refer_absence(&mut data, absence);
        data
    }

    /// Half of the absences have references; the ends of the others are found by child and time.
    fn refer_absence(&self, data: &mut Map<String, Value>, absence: Absence) {
        let police = self.roster.get(self.told.speaker).kind == Kind::Police;
        if absence.reference.is_multiple_of(2) {
            let name = if police { "police_ref" } else { "episode" };
            refer(data, name, format!("MP-{:07}", absence.reference));
        }
    }

    pub(super) fn interview(&mut self, kind: Interview) -> Map<String, Value> {
        let mut data = json!({"independent": self.draw.chance(90)});
        match kind {
            Interview::Offered => {
                data["times"] =
                    json!({"occurred_at": text(self.told.at), "due_at": text(self.told.at + 48 * HOUR)});
            }
            Interview::Held => data["harm_disclosed"] = self.draw.chance(10).into(),
            Interview::Declined => {}
        }
        self.about_child(data)
    }

    pub(super) fn moved(
        &mut self,
        from: AgencyNumber,
        to: AgencyNumber,
        terms: Terms,
        notified: Option<i64>,
    ) -> Map<String, Value> {
        let plan = match terms.plan {
            Support::Protection => "ProtectionPlan",
            Support::InNeed => "ChildInNeed",
            Support::LookedAfter => "LookedAfter",
            Support::None => "None",
        };
        let mut times = self.times();
        if let Some(notified) = notified {
            times["notified_at"] = text(notified).into();
        }
        let mut data =
            json!({"from_la": self.code(from), "to_la": self.code(to), "plan": plan, "times": times});
        if terms.emergency || self.draw.chance(50) {
            data["emergency"] = terms.emergency.into();
        }
        self.about_child(data)
    }

    pub(super) fn placed(&mut self, mut data: Map<String, Value>, secure: bool) -> Map<String, Value> {
        let (placement, legal_status) = if secure {
            self.draw.one_of(&[
                ("SecureChildrensHome", "CareOrder"),
                ("YoungOffenderInstitution", "Remand"),
                ("SecureTrainingCentre", "Sentence"),
                // Remand counts wherever the child lives.
                ("FosterCare", "Remand"),
            ])
        } else {
            self.draw.one_of(&[
                ("FosterCare", "CareOrder"),
                ("FosterCare", "Accommodated"),
                ("FamilyOrFriends", "InterimCareOrder"),
                ("ChildrensHome", "CareOrder"),
                ("SupportedAccommodation", "Accommodated"),
            ])
        };
        data.extend(members(json!({"placement": placement, "legal_status": legal_status})));
        data
    }

    pub(super) fn context_linked(&mut self, context: u32) -> Map<String, Value> {
        let data = json!({
            "kind": context_kind(context),
            "risk": self.draw.one_of(&["CSE", "CCE", "Violence", "Other"]),
            "source": self.draw.one_of(&["Child", "Family", "Peer", "School", "Police"]),
            "nature": self.draw.one_of(&["Fact", "Allegation", "ThirdPartyReport"]),
            "context": {"ref": pseudonyms::context(context)},
        });
        self.about_child(data)
    }

    pub(super) fn context_unlinked(&mut self, context: u32) -> Map<String, Value> {
        let data = json!({
            "kind": context_kind(context),
            "context": {"ref": pseudonyms::context(context)},
            "reason": "The child has not been there since.",
        });
        self.about_child(data)
    }

    pub(super) fn person_linked(&mut self, person: u32) -> Map<String, Value> {
        let data = json!({
            "risk": self.draw.one_of(&["CSE", "CCE", "Violence", "Other"]),
            "source": self.draw.one_of(&["Child", "Family", "Peer", "Police", "Public"]),
            "nature": self.draw.one_of(&["Allegation", "Fact", "ThirdPartyReport"]),
            "person": {"pseudonym": pseudonyms::person(person)},
        });
        self.about_child(data)
    }

    pub(super) fn person_unlinked(&mut self, person: u32) -> Map<String, Value> {
        let data = json!({
            "nature": "Fact",
            "person": {"pseudonym": pseudonyms::person(person)},
            "reason": "The name was that of somebody else.",
        });
        self.about_child(data)
    }
}

fn context_kind(context: u32) -> &'static str {
    if pseudonyms::is_place(context) {
        return "Place";
    }
    ["OnlineAccount", "Group", "Vehicle", "Event"][(context / 4 % 4) as usize]
}
