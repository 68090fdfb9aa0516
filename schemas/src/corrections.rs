//! `decision.corrected`: what a recorded decision should have said (DOMAIN section 4). A correction appends; the decision
//! stays as it was signed.

use serde_json::{Value, json};

use crate::decision_recorded::{
    CollectedFor, Consent, DecisionTimes, HarmLevel, Informed, Item, Method, Proportionality, Purpose,
    Recipient, Withholding,
};
use crate::definition::{Definition, Rules};
use crate::error::{Fault, SchemaError};
use crate::lawful_basis::LawfulBasis;
use crate::member::Requirement::{Always, Optional, When};
use crate::notation::{codes, event, record, times};
use crate::people::Child;
use crate::reading::NonEmpty;
use crate::words::{Label, Text};

codes! {
    /// What of a decision is corrected.
    pub enum DecisionField {
        /// `items`.
        Items,
        /// `recipients`.
        Recipients,
        /// `purpose`.
        Purpose,
        /// `collected_for`.
        CollectedFor,
        /// `compatible`.
        Compatible,
        /// `harm_level`.
        HarmLevel,
        /// `lawful_basis`.
        LawfulBasis,
        /// `consent`.
        Consent,
        /// `informed`.
        Informed,
        /// `proportionality`.
        Proportionality,
        /// `method`.
        Method,
        /// `withhold`.
        Withhold,
        /// The decision's `times`, here `corrected_times`.
        Times,
        /// Its texts, here `corrected_rationale` and `corrected_purpose_text`.
        Texts,
    }
}

times! {
    /// The correction's own times.
    pub struct DecisionCorrectedTimes {
        /// When the decision was corrected.
        occurred_at,
    }
}

record! {
    /// What the correction belongs to.
    pub struct DecisionCorrectedRefs {
        /// The decision that is corrected, or the last correction of it.
        pub supersedes: Label,
        /// The decision, where `supersedes` is a correction of it.
        pub decision: Option<Label>,
        /// The agency's case.
        pub case: Option<Label>,
        /// Statements that belong together.
        pub joined: Option<Vec<Label>>,
    }
}

const NAMED: &str = "where fields names it, and only there";

event! {
    /// A recorded decision is corrected. Each corrected value takes the place of the decision's own.
    pub struct DecisionCorrected {
        clear {
            /// What is corrected.
            fields: NonEmpty<DecisionField>, required = Always;
            /// What information it was about, item by item.
            items: Option<NonEmpty<Item>>, required = When(NAMED);
            /// To whom it went, or from whom it was withheld.
            recipients: Option<NonEmpty<Recipient>>, required = When(NAMED);
            /// What for.
            purpose: Option<Purpose>, required = When(NAMED);
            /// Whether the information was collected for that.
            collected_for: Option<CollectedFor>, required = When(NAMED);
            /// Whether a different purpose is compatible. Named and left out it is taken back: nobody considered it.
            compatible: Option<bool>, required = Optional;
            /// The harm that it is about.
            harm_level: Option<HarmLevel>, required = When(NAMED);
            /// The provisions relied on.
            lawful_basis: Option<Vec<LawfulBasis>>, required = When(NAMED);
            /// Consent to the sharing.
            consent: Option<Consent>, required = When(NAMED);
            /// Whether the individual was told.
            informed: Option<Informed>, required = When(NAMED);
            /// How much was shared.
            proportionality: Option<Proportionality>, required = When(NAMED);
            /// How the information travelled.
            method: Option<Method>, required = When(NAMED);
            /// Why information was withheld.
            withhold: Option<Withholding>, required = When(NAMED);
        }
        disclosed {
            /// The child whom the decision is about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was corrected.
            times: Option<DecisionCorrectedTimes>, owner = Child, keepable = true, required = Always;
            /// Which decision it is.
            refs: Option<DecisionCorrectedRefs>, owner = Child, keepable = true, required = Always;
            /// The decision's times.
            corrected_times: Option<DecisionTimes>, owner = Child, keepable = true, required = When(NAMED);
            /// The reasons for the decision.
            corrected_rationale: Option<Text>, owner = Child, keepable = true, required = Optional;
            /// The purpose in words.
            corrected_purpose_text: Option<Text>, owner = Child, keepable = true, required = Optional;
            /// Why it is corrected.
            reason: Option<Text>, owner = Child, keepable = true, required = Always;
        }
    }
}

/// The fields with a member of their own that must be there. `Compatible` may be left out, and `Texts` has two.
const MEMBERS_OF_FIELDS: [(DecisionField, &str); 12] = [
    (DecisionField::Items, "items"),
    (DecisionField::Recipients, "recipients"),
    (DecisionField::Purpose, "purpose"),
    (DecisionField::CollectedFor, "collected_for"),
    (DecisionField::HarmLevel, "harm_level"),
    (DecisionField::LawfulBasis, "lawful_basis"),
    (DecisionField::Consent, "consent"),
    (DecisionField::Informed, "informed"),
    (DecisionField::Proportionality, "proportionality"),
    (DecisionField::Method, "method"),
    (DecisionField::Withhold, "withhold"),
    (DecisionField::Times, "corrected_times"),
];

const TEXTS: [&str; 2] = ["corrected_rationale", "corrected_purpose_text"];

impl DecisionCorrected {
    /// Whether this field of the decision is corrected.
    pub fn corrects(&self, field: DecisionField) -> bool {
        self.fields.contains(&field)
    }

    /// Whether the corrected value is here, or kept.
    fn corrected(&self, member: &str) -> bool {
        match member {
            "items" => self.items.is_some(),
            "recipients" => self.recipients.is_some(),
            "purpose" => self.purpose.is_some(),
            "collected_for" => self.collected_for.is_some(),
            "compatible" => self.compatible.is_some(),
            "harm_level" => self.harm_level.is_some(),
            "lawful_basis" => self.lawful_basis.is_some(),
            "consent" => self.consent.is_some(),
            "informed" => self.informed.is_some(),
            "proportionality" => self.proportionality.is_some(),
            "method" => self.method.is_some(),
            "withhold" => self.withhold.is_some(),
            disclosable => self.has(disclosable),
        }
    }
}

impl Rules for DecisionCorrected {
    fn agree(&self) -> Result<(), SchemaError> {
        for (field, member) in MEMBERS_OF_FIELDS {
            if self.corrects(field) && !self.corrected(member) {
                return Err(Fault::MissingMember { rule: When(NAMED) }.here().within(member));
            }
        }
        if self.corrects(DecisionField::Texts) && !TEXTS.iter().any(|text| self.corrected(text)) {
            return Err(Fault::MissingMember {
                rule: When("where fields names Texts, or the other text is"),
            }
            .here()
            .within(TEXTS[0]));
        }
        let texts = TEXTS.map(|text| (DecisionField::Texts, text));
        let compatible = (DecisionField::Compatible, "compatible");
        let mut all = MEMBERS_OF_FIELDS.into_iter().chain(texts).chain([compatible]);
        match all.find(|(field, member)| self.corrected(member) && !self.corrects(*field)) {
            Some((_, member)) => {
                let expected = "a corrected value only where fields names it";
                Err(Fault::Contradiction { expected }.here().within(member))
            }
            None => Ok(()),
        }
    }

    fn agreement_schemas() -> Vec<Value> {
        let rule = |field: DecisionField, named: Value, members: &[&str]| {
            let absent: Value = members.iter().map(|member| ((*member).to_owned(), json!(false))).collect();
            json!({
                "if": {
                    "properties": { "fields": { "contains": { "const": field.as_str() } } },
                    "required": ["fields"],
                },
                "then": named,
                "else": { "properties": absent },
            })
        };
        let one = |(field, member)| rule(field, json!({ "required": [member] }), &[member]);
        let texts = json!({ "anyOf": TEXTS.map(|text| json!({ "required": [text] })) });
        let mut rules: Vec<Value> = MEMBERS_OF_FIELDS.into_iter().map(one).collect();
        rules.push(rule(DecisionField::Texts, texts, &TEXTS));
        rules.push(rule(DecisionField::Compatible, json!(true), &["compatible"]));
        rules
    }
}
