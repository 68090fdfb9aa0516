//! Advice beforehand: the flowchart, the rules of practice and the golden rules over a decision that is not yet taken.
//!
//! A question is a draft of `decision.recorded` in which any member may be missing; one that is there is whole. What is
//! missing is unknown, and no rule finds anything in it. Nothing of a question is recorded.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::catalogue::Catalogue;
use crate::decision_recorded::{
    ConsentStatus, Decision, DecisionRecorded, Disposition, Item, Purpose, WithholdGround,
};
use crate::definition::{Definition, Rules};
use crate::error::{Fault, SchemaError};
use crate::findings::{Facts, FindingCode, Known, of_facts};
use crate::flowchart::{Flow, FlowAnswers};
use crate::golden_rules::{self, GoldenRule};
use crate::member::Requirement;

/// What a question is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// Where the flowchart leads.
    pub flow: Flow,
    /// The rules of practice that the decision would break, in the order of their codes.
    pub findings: Vec<AdvisedFinding>,
    /// The golden rules, and which members evidence each so far.
    pub golden_rules: Vec<GoldenRule>,
    /// What is still missing for a record that is complete.
    pub missing: Vec<MissingMember>,
}

/// A finding in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdvisedFinding {
    /// The rule.
    pub code: FindingCode,
    /// What it says, and what to look at.
    pub sentence: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// The items concerned, as indexes into the question's `items`; empty if it is about the whole.
    pub items: Vec<usize>,
}

/// A member that a complete record has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingMember {
    /// Where, as a JSON pointer into the question: `/times/shared_at`.
    pub path: String,
    /// When it is required, in words: "always", "when …".
    pub required: String,
}

/// Answers a question that an agency asks; the rules that depend on who asks find nothing where that is not known.
///
/// Refused are what is no object, unknown members, values of the wrong form, and members that contradict each other.
pub fn advise(question: &Value, agency: Option<&str>, catalogue: &Catalogue) -> Result<Advice, SchemaError> {
    let question = Question::read(question)?;
    let facts = question.facts(agency.unwrap_or_default());
    // Whoever is to be told cannot have been told before the decision, so W3 has nothing to look at yet.
    let known = Known { consents: &[], told: true };
    let found = of_facts(&facts, &known, catalogue).into_iter().map(|finding| AdvisedFinding {
        code: finding.code,
        sentence: finding.code.sentence(),
        source: finding.code.source(),
        items: finding.items,
    });
    Ok(Advice {
        flow: Flow::of(question.answers(&facts, catalogue)),
        findings: found.collect(),
        golden_rules: golden_rules::of_draft(question.data, Some(facts.decision)),
        missing: question.missing(),
    })
}

/// A question, read as a decision in which fillers stand for what is required always and missing.
struct Question<'a> {
    data: &'a Map<String, Value>,
    /// One reading; where the decision itself is missing, one for each that it could be.
    readings: Vec<DecisionRecorded>,
}

impl<'a> Question<'a> {
    fn read(question: &'a Value) -> Result<Self, SchemaError> {
        let data = question.as_object().ok_or_else(|| Fault::expected("an object").here())?;
        let read = |decision: &Decision| {
            let mut whole = data.clone();
            for (name, filler) in fillers(*decision) {
                whole.entry(name).or_insert(filler);
            }
            DecisionRecorded::from_draft((&whole).into())
        };
        let candidates = if data.contains_key("decision") { &Decision::ALL[..1] } else { Decision::ALL };
        let readings = candidates.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let question = Self { data, readings };
        if question.has("decision") && question.has("items") {
            question.reading().agree()?;
        }
        Ok(question)
    }

    fn has(&self, member: &str) -> bool {
        self.data.contains_key(member)
    }

    /// All readings are alike but for their decision.
    fn reading(&self) -> &DecisionRecorded {
        &self.readings[0]
    }

    fn known<T>(&self, member: &str, value: T) -> Option<T> {
        self.has(member).then_some(value)
    }

    fn facts(&self, agency: &'a str) -> Facts<'_> {
        let reading = self.reading();
        Facts {
            agency,
            decision: self.decision(),
            harm_level: self.known("harm_level", reading.harm_level),
            collected_for: self.known("collected_for", reading.collected_for),
            compatible: reading.compatible,
            items: self.known("items", &reading.items[..]).unwrap_or_default(),
            recipients: self.known("recipients", &reading.recipients[..]).unwrap_or_default(),
            lawful_basis: reading.lawful_basis.as_deref(),
            consent: self.known("consent", &reading.consent),
            informed: reading.informed.as_ref(),
            withhold: reading.withhold.as_ref(),
            shared_at: reading.times.as_ref().and_then(|times| times.shared_at),
        }
    }

    /// The decision, or the one that the question is about by what else it says.
    fn decision(&self) -> Decision {
        let reading = self.reading();
        let any = |disposition| reading.items.iter().any(|item| item.disposition == disposition);
        match (self.has("decision"), self.has("items")) {
            (true, _) => reading.decision,
            (false, true) if !any(Disposition::Shared) => Decision::Withhold,
            (false, true) if any(Disposition::Withheld) => Decision::SharePart,
            (false, false) if self.has("withhold") => Decision::Withhold,
            _ => Decision::Share,
        }
    }

    /// The flowchart's answers, as far as the question gives them.
    fn answers(&self, facts: &Facts<'_>, catalogue: &Catalogue) -> FlowAnswers {
        let reading = self.reading();
        let in_words = reading.purpose != Purpose::Other || reading.purpose_text.is_some();
        let no_purpose = self.ground() == Some(WithholdGround::NoPurpose);
        let shared = would_be_shared(facts.items);
        FlowAnswers {
            purpose: if no_purpose { Some(false) } else { (self.has("purpose") && in_words).then_some(true) },
            consent: facts.consent.map(|consent| {
                matches!(consent.status, ConsentStatus::Explicit | ConsentStatus::Given)
                    && consent.freely_given != Some(false)
                    && consent.competent != Some(false)
            }),
            identifies: self.known("items", shared.iter().any(|item| item.identifies)),
            lawful_reason: self.lawful_reason(facts, &shared, catalogue),
            harm_level: facts.harm_level,
        }
    }

    /// Whether there is a lawful reason: none without a basis, one where the bases are sound. Where they are there and
    /// something about them is found, nobody knows until somebody has looked.
    fn lawful_reason(&self, facts: &Facts<'_>, shared: &[Item], catalogue: &Catalogue) -> Option<bool> {
        if facts.lawful_basis.is_none() {
            // An agency that withholds on one of these says that it sees no lawful reason.
            let none_seen = self.ground().is_some_and(|ground| {
                matches!(
                    ground,
                    WithholdGround::NoLawfulReason
                        | WithholdGround::NoConsent
                        | WithholdGround::DataProtection
                )
            });
            return none_seen.then_some(false);
        }
        let if_shared = Facts { decision: Decision::Share, items: shared, ..*facts };
        let found = of_facts(&if_shared, &Known::default(), catalogue);
        let breach = found.iter().find(|finding| finding.code.is_breach());
        match breach.map(|finding| finding.code) {
            None => self.known("items", true),
            Some(FindingCode::E1) => Some(false),
            Some(_) => None,
        }
    }

    fn ground(&self) -> Option<WithholdGround> {
        self.reading().withhold.as_ref().map(|withhold| withhold.ground)
    }

    fn missing(&self) -> Vec<MissingMember> {
        let mut missing: Vec<MissingMember> = Vec::new();
        let mut add = |path: String, rule: Requirement| {
            if !missing.iter().any(|known| known.path == path) {
                missing.push(MissingMember { path, required: rule.to_string() });
            }
        };
        for member in DecisionRecorded::MEMBERS {
            if member.requirement == Requirement::Always && !self.has(member.name) {
                add(format!("/{}", member.name), member.requirement);
            }
        }
        for condition in DecisionRecorded::CONDITIONS {
            if self.readings.iter().all(|reading| (condition.holds)(reading) && !(condition.is_met)(reading))
            {
                add(condition.member.to_owned(), Requirement::When(condition.when));
            }
        }
        // In a draft, what is kept must be there like everything else; the conditions take it as there.
        for name in self.reading().kept.iter().filter(|name| !self.has(name)) {
            add(format!("/{name}"), Requirement::When("where kept names it"));
        }
        missing
    }
}

/// The items that are to be shared; of a decision to share none, all of them, as if they were.
fn would_be_shared(items: &[Item]) -> Vec<Item> {
    let any_shared = items.iter().any(|item| item.disposition == Disposition::Shared);
    let shared = items.iter().filter(|item| !any_shared || item.disposition == Disposition::Shared);
    shared.map(|item| Item { disposition: Disposition::Shared, ..item.clone() }).collect()
}

/// What stands for members in the clear that are required always. None of them makes another member required.
fn fillers(decision: Decision) -> [(&'static str, Value); 8] {
    let item = json!({
        "category": "Identity", "nature": "Fact", "accuracy": "Unverified", "class": "Personal",
        "identifies": false, "disposition": "Withheld",
    });
    let recipient = json!({
        "agency": "gss:E06000999", "internal": false, "has_safeguarding_role": true, "identity_verified": true,
    });
    let consent = json!({ "status": "Explicit", "by": "Child", "freely_given": true, "competent": true });
    [
        ("decision", decision.as_str().into()),
        ("trigger", "Proactive".into()),
        ("items", json!([item])),
        ("recipients", json!([recipient])),
        ("purpose", "ProtectFromHarm".into()),
        ("collected_for", "Same".into()),
        ("harm_level", "None".into()),
        ("consent", consent),
    ]
}

#[cfg(test)]
mod tests;
