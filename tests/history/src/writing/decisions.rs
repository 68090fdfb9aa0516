//! `decision.recorded`, its reviews and its corrections.

use serde_json::{Map, Value, json};

use super::basis::{Classes, lawful_basis};
use super::{Writing, members, refer};
use crate::calendar::{DAY, MINUTE, text};
use crate::happening::{Basis, Decision, Level, Outcome, SHARED_AFTER};
use crate::pseudonyms;

/// Purposes by code, in words, and with reasons.
const PURPOSES: [(&str, &str, &str); 6] = [
    (
        "EarlyHelp",
        "To ask for early help.",
        "The family would like support, and attendance has fallen over a half term.",
    ),
    (
        "AssessNeed",
        "So that need can be assessed.",
        "The child comes without food and in the same clothes, and says that nobody is at home.",
    ),
    (
        "ProtectFromHarm",
        "To protect the child from harm.",
        "There is a mark that the account given does not explain, and it is not the first.",
    ),
    (
        "PreventCrime",
        "To prevent exploitation.",
        "The child has money and a second phone that nobody can account for.",
    ),
    ("FindMissingChild", "To find the child.", "Those who know the child best may know where to look."),
    (
        "PlanOrReview",
        "To plan the next review.",
        "The core group meets next week and needs an account of the last quarter.",
    ),
];

/// Categories whose information is not special and no criminal offence data, and what they are in words.
const PERSONAL: [(&str, &str); 5] = [
    ("Welfare", "A note of what was seen at the last visit"),
    ("Education", "Attendance and behaviour this term"),
    ("Missing", "Dates of earlier absences"),
    ("Location", "Addresses where the child is known to stay"),
    ("Identity", "Names and dates of birth of the household"),
];

/// Grounds for withholding. The last two are seldom sound ones, which a warning says (W5).
const GROUNDS: [&str; 7] = [
    "NotNecessary",
    "NotNecessary",
    "NoPurpose",
    "MoreDetrimental",
    "WrongRecipient",
    "NoConsent",
    "DataProtection",
];

impl Writing<'_> {
    pub(super) fn decision(&mut self, decision: &Decision) -> Map<String, Value> {
        let (purpose, purpose_text, rationale) = self.draw.one_of(&PURPOSES);
        let (items, details, classes) = self.items(decision);
        let trigger = match decision.request {
            Some(_) => "Request",
            None => self.draw.one_of(&["Proactive", "Proactive", "Notification", "Referral", "Meeting"]),
        };
        let internal = decision.to == self.told.speaker;
        let recipient = json!({
            "agency": self.code(decision.to),
            "internal": internal,
            "has_safeguarding_role": true,
            "identity_verified": self.draw.chance(97),
        });
        let refused = decision.basis == Basis::Sound && self.draw.chance(6);
        let mut data = members(json!({
            "decision": outcome_code(decision.outcome),
            "trigger": trigger,
            "items": items,
            "recipients": [recipient],
            "purpose": purpose,
            "collected_for": "Same",
            "purpose_text": purpose_text,
            "rationale": rationale,
            "harm_level": level_code(decision.level),
            "consent": self.consent_to_sharing(decision, refused),
            "times": self.decision_times(decision),
            "practitioner": self.professional(),
        }));
        if self.draw.chance(40) {
            data.insert("item_details".to_owned(), details);
        }
        if decision.shares() {
            self.shared(&mut data, decision, classes);
        }
        if decision.outcome != Outcome::Share {
            withheld(&mut data, self.draw.one_of(&GROUNDS));
        }
        // A refusal of consent is overridden, or a request refused (DOMAIN section 1).
        if refused || decision.request.is_some() && !decision.shares() {
            data.insert("authoriser".to_owned(), self.professional());
        }
        self.others(&mut data);
        let mut data = self.about_child(Value::Object(data));
        for (name, label) in [
            ("agreement", decision.agreement.map(agreement_label)),
            ("request", decision.request.map(request_label)),
        ] {
            if let Some(label) = label {
                refer(&mut data, name, label);
            }
        }
        data
    }

    /// The items, their details, and their classes as far as they are shared.
    fn items(&mut self, decision: &Decision) -> (Vec<Value>, Value, Classes) {
        let part = decision.outcome == Outcome::SharePart;
        let count = 1 + self.draw.below(2) + u32::from(part);
        let (mut items, mut details, mut classes) = (Vec::new(), Vec::new(), Classes::default());
        for number in 0..count {
            let is_withheld = decision.outcome == Outcome::Withhold || part && number + 1 == count;
            let (category, description, class) = self.category(decision.basis);
            classes.special |= class == "Special" && !is_withheld;
            classes.criminal |= class == "CriminalOffence" && !is_withheld;
            items.push(json!({
                "category": category,
                "nature": self.draw.one_of(&["Fact", "Fact", "Opinion", "Allegation", "ThirdPartyReport"]),
                "accuracy": self.draw.one_of(&["Verified", "Verified", "Unverified", "Disputed"]),
                "class": class,
                "identifies": true,
                "disposition": if is_withheld { "Withheld" } else { "Shared" },
            }));
            details.push(json!({"description": description}));
        }
        (items, details.into(), classes)
    }

    fn category(&mut self, basis: Basis) -> (&'static str, &'static str, &'static str) {
        let health = ("Health", "The school nurse's opinion on weight and sleep", "Special");
        let offending = ("Offending", "An arrest that led to no charge", "CriminalOffence");
        match (basis, self.draw.below(10)) {
            (Basis::WithoutArticle9, _) | (Basis::Sound, 0..2) => health,
            (Basis::Sound, 2) => offending,
            _ => {
                let (category, description) = self.draw.one_of(&PERSONAL);
                (category, description, "Personal")
            }
        }
    }

    fn consent_to_sharing(&mut self, decision: &Decision, refused: bool) -> Value {
        let by = self.draw.one_of(&["PersonWithPR", "PersonWithPR", "Child"]);
        let why_not = self.draw.one_of(&[
            "RiskToChild",
            "NotReasonable",
            "PrejudicesInvestigation",
            "AnotherBasisApplies",
        ]);
        match decision.basis {
            Basis::Consent | Basis::Consented => {
                json!({"status": "Given", "by": by, "freely_given": true, "competent": true})
            }
            _ if refused => json!({"status": "Refused", "by": by, "why_not": why_not}),
            _ => {
                json!({"status": self.draw.one_of(&["NotSought", "NotSought", "NotPossible"]), "why_not": why_not})
            }
        }
    }

    fn decision_times(&mut self, decision: &Decision) -> Value {
        let at = self.told.at;
        let mut times = json!({"occurred_at": text(at)});
        let done = if decision.shares() { at + SHARED_AFTER } else { at };
        if decision.shares() {
            times["shared_at"] = text(done).into();
        }
        if let Some(minutes) = decision.aware {
            times["aware_at"] = text(done - i64::from(minutes) * MINUTE).into();
        }
        if self.draw.chance(20) {
            times["review_at"] = text(at + 28 * DAY).into();
        }
        times
    }

    /// What is asked of every sharing.
    fn shared(&mut self, data: &mut Map<String, Value>, decision: &Decision, classes: Classes) {
        let kind = self.roster.get(self.told.speaker).kind;
        let shared = self.told.at + SHARED_AFTER;
        let basis = lawful_basis(decision.basis, kind, decision.level, classes, shared, &mut self.draw);
        let informed = match self.draw.below(10) {
            0..5 => json!({"status": "Before"}),
            5 => json!({"status": "Planned"}),
            6..8 => json!({"status": "After"}),
            _ => {
                json!({"status": "No", "reason": self.draw.one_of(&["IncreasesRisk", "PrejudicesInvestigation"])})
            }
        };
        let at_risk = self.draw.chance(15);
        let channel = self.draw.one_of(&["SecureEmail", "SecureEmail", "Portal", "API", "Meeting"]);
        data.extend(members(json!({
            "lawful_basis": basis,
            "informed": informed,
            "proportionality": {"necessary": true, "relevant": true, "adequate": true, "minimum": true},
            "identity_protection": {"risk": at_risk},
            "method": {"channel": channel, "secure": true},
            "less_intrusive_option": "An enquiry without names was considered; it would not have been enough.",
        })));
        if at_risk {
            let steps = "Who reported it is left out.";
            data.insert("identity_protection_steps".to_owned(), steps.into());
        }
    }

    fn others(&mut self, data: &mut Map<String, Value>) {
        if self.draw.chance(15) {
            let role = self.draw.one_of(&["Sibling", "Parent", "Carer"]);
            let person = pseudonyms::person(self.told.child ^ (1 << 31));
            data.insert("others".to_owned(), json!([{"pseudonym": person, "role": role}]));
        }
    }

    pub(super) fn decision_reviewed(&mut self) -> Map<String, Value> {
        let data =
            json!({"outcome": "Upheld", "reason": "The sharing was right, and the family knows of it."});
        self.about_child(data)
    }

    /// A correction of what no pattern asks about. The decision is named by the agency's own reference.
    pub(super) fn decision_corrected(&mut self) -> Map<String, Value> {
        let data = json!({
            "fields": ["Method"],
            "method": {"channel": "Portal", "secure": true},
            "reason": "The first record named the wrong channel.",
        });
        let mut data = self.about_child(data);
        refer(&mut data, "supersedes", format!("D-{:06}", self.told.texture % 1_000_000));
        data
    }
}

fn withheld(data: &mut Map<String, Value>, ground: &str) {
    data.extend(members(json!({
        "withhold": {"ground": ground},
        "risk_of_not_sharing": "What is withheld adds little to what the recipient knows.",
        "alternative_action": "The recipient may ask again, with a purpose that needs it.",
    })));
}

pub(super) fn agreement_label(number: u32) -> String {
    format!("ISA-{number:06}")
}

pub(super) fn request_label(number: u32) -> String {
    format!("RQ-{number:07}")
}

const fn outcome_code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Share => "Share",
        Outcome::SharePart => "SharePart",
        Outcome::Withhold => "Withhold",
    }
}

const fn level_code(level: Level) -> &'static str {
    match level {
        Level::None => "None",
        Level::EarlyHelp => "EarlyHelp",
        Level::ChildInNeed => "ChildInNeed",
        Level::SignificantHarm => "SignificantHarm",
        Level::Immediate => "Immediate",
    }
}
