//! The seven golden rules of information sharing (2024), and the members of a decision that evidence each (DOMAIN
//! section 3).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decision_recorded::{Decision, DecisionRecorded};
use crate::definition::Definition;
use crate::member::{Member, Place, Requirement};
use crate::notation::codes;

/// One golden rule, and what in a record evidences it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoldenRule {
    /// Its number, 1 to 7.
    pub number: u8,
    /// What it asks, in a few words.
    pub title: &'static str,
    /// The members that evidence it.
    pub evidence: Vec<Evidence>,
}

/// A member that evidences a golden rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The member's name.
    pub member: &'static str,
    /// Whether it is there.
    pub state: EvidenceState,
    /// Its codes, of a member in the clear. A disclosable member shows nothing of its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes: Option<Value>,
}

codes! {
    /// Whether a member that evidences a golden rule is there.
    pub enum EvidenceState {
        /// It is there.
        Present,
        /// The agency keeps it at home and can present it.
        KeptAtHome,
        /// The record has it, and this reader cannot open it: it is erased, or not for them.
        NotReadable,
        /// The record does not have it.
        Absent,
        /// The record does not have it, and such a decision does not ask for it.
        NotCalledFor,
    }
}

/// The rules in their order: number, title, members.
const RULES: [(u8, &str, &[&str]); 7] = [
    (1, "Protection outranks privacy", &["harm_level", "rationale"]),
    (2, "Involve the child and the carers", &["informed"]),
    (3, "Consent is not needed where there is risk", &["consent", "lawful_basis"]),
    (4, "Seek advice when in doubt", &["advice"]),
    (5, "Protect identities", &["identity_protection"]),
    (
        6,
        "Relevant, accurate, to the right recipient, necessary, proportionate, timely and secure",
        &["items", "recipients", "proportionality", "method", "times"],
    ),
    (7, "Record the decision and its reasons", &["rationale"]),
];

/// The golden rules over a recorded decision.
///
/// `signed` are the names of the members that the signed data has, disclosed or not, and `kept` those that the publisher
/// keeps at home: with them a member that this reader cannot open is told from one that never was. A decision that was
/// validated whole names what it keeps itself.
pub fn golden_rules(decision: &DecisionRecorded, signed: &[&str], kept: &[&str]) -> Vec<GoldenRule> {
    let data = serde_json::to_value(decision).expect("events have no maps with keys other than strings");
    let data = data.as_object().cloned().unwrap_or_default();
    let kept = kept.iter().chain(&decision.kept).copied().collect();
    let signed = signed.iter().copied().collect();
    Record { data: &data, signed, kept, decision: Some(decision.decision) }.rules()
}

/// The golden rules over a draft's `data`, of which any member may be missing. Nothing of it is checked here.
pub(crate) fn of_draft(data: &Map<String, Value>, decision: Option<Decision>) -> Vec<GoldenRule> {
    Record { data, signed: BTreeSet::new(), kept: BTreeSet::new(), decision }.rules()
}

struct Record<'a> {
    data: &'a Map<String, Value>,
    signed: BTreeSet<&'a str>,
    kept: BTreeSet<&'a str>,
    decision: Option<Decision>,
}

impl Record<'_> {
    fn rules(&self) -> Vec<GoldenRule> {
        let rule = |&(number, title, members): &(u8, &'static str, &[&'static str])| GoldenRule {
            number,
            title,
            evidence: members.iter().map(|member| self.evidence(member)).collect(),
        };
        RULES.iter().map(rule).collect()
    }

    fn evidence(&self, name: &'static str) -> Evidence {
        let member = DecisionRecorded::MEMBERS.iter().find(|member| member.name == name);
        let member = member.expect("the rules name members of a decision, as their test shows");
        let codes = self.data.get(name).filter(|_| member.place == Place::Clear).cloned();
        Evidence { member: name, state: self.state(member), codes }
    }

    fn state(&self, member: &Member) -> EvidenceState {
        let withheld_whole = self.decision.is_some_and(|decision| !decision.shares());
        if self.data.contains_key(member.name) {
            EvidenceState::Present
        } else if self.kept.contains(member.name) {
            EvidenceState::KeptAtHome
        } else if self.signed.contains(member.name) {
            EvidenceState::NotReadable
        } else if withheld_whole && matches!(member.requirement, Requirement::When(_)) {
            // What these members require of a decision, they require of one that shares.
            EvidenceState::NotCalledFor
        } else {
            EvidenceState::Absent
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Event, SignedData, read_opened, validate_draft};

    const SHARE: &str = include_str!("../examples/decision.recorded.share.json");
    const WITHHOLD: &str = include_str!("../examples/decision.recorded.withhold.json");

    fn version() -> u16 {
        crate::EventType::DecisionRecorded.version()
    }

    fn decision(text: &str) -> Box<DecisionRecorded> {
        let data = serde_json::from_str(text).unwrap();
        match validate_draft("decision.recorded", version(), &data).unwrap() {
            Event::DecisionRecorded(decision) => decision,
            _ => unreachable!("it was validated as one"),
        }
    }

    /// As a view reads it that could open no disclosure.
    fn unopened(text: &str) -> Box<DecisionRecorded> {
        let data: Map<String, Value> = serde_json::from_str(text).unwrap();
        let clear =
            |name: &str| DecisionRecorded::MEMBERS.iter().any(|m| m.name == name && m.place == Place::Clear);
        let clear: Map<String, Value> = data.into_iter().filter(|(name, _)| clear(name)).collect();
        let data = SignedData::new(&clear, 0);
        match read_opened("decision.recorded", version(), &data).unwrap() {
            Event::DecisionRecorded(decision) => decision,
            _ => unreachable!("it was read as one"),
        }
    }

    fn state(rules: &[GoldenRule], number: u8, member: &str) -> EvidenceState {
        let rule = rules.iter().find(|rule| rule.number == number).unwrap();
        rule.evidence.iter().find(|evidence| evidence.member == member).unwrap().state
    }

    /// DOMAIN section 3: the seven rules and the members that evidence them.
    #[test]
    fn the_rules_name_members_of_a_decision() {
        assert_eq!(RULES.map(|(number, ..)| number), [1, 2, 3, 4, 5, 6, 7]);
        for name in RULES.iter().flat_map(|(.., members)| *members) {
            assert!(DecisionRecorded::MEMBERS.iter().any(|member| member.name == *name), "{name}");
        }
    }

    #[test]
    fn evidence_shows_codes_and_never_text() {
        let rules = golden_rules(&decision(SHARE), &[], &[]);
        let text = serde_json::to_string(&rules).unwrap();
        assert!(text.contains("\"harm_level\""));
        for evidence in rules.iter().flat_map(|rule| &rule.evidence) {
            let disclosed = ["rationale", "times"].contains(&evidence.member);
            assert_eq!(evidence.codes.is_none(), disclosed || evidence.state != EvidenceState::Present);
        }
        let example: Value = serde_json::from_str(SHARE).unwrap();
        assert!(!text.contains(example["rationale"].as_str().unwrap()));
        assert!(!text.contains(example["times"]["occurred_at"].as_str().unwrap()));
    }

    #[test]
    fn a_disclosed_member_is_present_kept_not_readable_or_absent() {
        let present = golden_rules(&decision(SHARE), &[], &[]);
        assert_eq!(state(&present, 7, "rationale"), EvidenceState::Present);
        let unopened = unopened(SHARE);
        for (signed, kept, expected) in [
            (&["rationale"][..], &["rationale"][..], EvidenceState::KeptAtHome),
            (&["rationale"][..], &[][..], EvidenceState::NotReadable),
            (&["times"][..], &[][..], EvidenceState::Absent),
        ] {
            assert_eq!(state(&golden_rules(&unopened, signed, kept), 7, "rationale"), expected);
        }
    }

    #[test]
    fn a_withholding_is_not_asked_what_only_a_share_must_say() {
        let rules = golden_rules(&decision(WITHHOLD), &[], &[]);
        assert_eq!(state(&rules, 2, "informed"), EvidenceState::NotCalledFor);
        assert_eq!(state(&rules, 6, "method"), EvidenceState::NotCalledFor);
        assert_eq!(state(&rules, 4, "advice"), EvidenceState::Absent);
        assert_eq!(state(&rules, 1, "harm_level"), EvidenceState::Present);
    }

    #[test]
    fn a_draft_is_read_like_a_record() {
        let draft = json!({ "harm_level": "ChildInNeed" });
        let rules = of_draft(draft.as_object().unwrap(), None);
        assert_eq!(state(&rules, 1, "harm_level"), EvidenceState::Present);
        assert_eq!(state(&rules, 1, "rationale"), EvidenceState::Absent);
        assert_eq!(state(&rules, 2, "informed"), EvidenceState::Absent);
    }
}
