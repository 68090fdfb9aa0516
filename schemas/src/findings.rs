//! Findings: the rules of practice of DOMAIN section 2, run over one decision.
//!
//! A record that breaks one is accepted all the same, for it says what happened. A finding names the rule, its source
//! and what is missing, and asks a person to look. It claims no breach of the law: that is for that person to say.
//!
//! Unless a rule says otherwise, it looks at decisions that shared an item that identifies a person: anonymous
//! information needs no basis. What nobody knows (a time that is erased, an agency that is not named) is not found.

mod bases;
mod conditions;
mod consents;
mod facts;
mod parties;
mod practice;
mod wording;

use serde::Serialize;

pub(crate) use facts::Facts;

use crate::catalogue::Catalogue;
use crate::decision_recorded::{
    CollectedFor, Consent, ConsentStatus, Decision, DecisionRecorded, HarmLevel, Informed, Item, Purpose,
    Recipient, Withholding,
};
use crate::lawful_basis::LawfulBasis;
use crate::notation::codes;
use crate::time::Time;

codes! {
    /// A rule of practice. Those that begin with E are about what the law asks for; W warns.
    pub enum FindingCode {
        /// No Article 6 basis and no section 35.
        E1,
        /// Special category data without an Article 9 condition; under Part 3, without Schedule 8.
        E2,
        /// Article 9(2)(b), (g), (h), (i) or (j) without a condition of Schedule 1.
        E3,
        /// Schedule 1 paragraph 18 without its ground.
        E4,
        /// Criminal offence data without official authority or a condition of Schedule 1.
        E5,
        /// A public authority's task on Article 6(1)(ea) or (f).
        E6,
        /// Consent relied on that was not live when the information was shared, or not explicit where it must be.
        E7,
        /// Article 6(1)(c) or (e) without a legal source.
        E8,
        /// Part 3 used by a body that is no competent authority, or mixed with Article 6.
        E9,
        /// A basis that was not in force when the information was shared.
        E10,
        /// Consent as the Article 6 basis.
        W1,
        /// A recipient who is not verified, or has no safeguarding role.
        W2,
        /// The individual was to be told, and the telling was never recorded.
        W3,
        /// A confidential item without a ground that lifts confidence.
        W4,
        /// Withheld for want of consent or for data protection, at section 17 or above.
        W5,
        /// Vital interests where no life is at stake.
        W6,
        /// Section 16LA where a party is outside its list.
        W7,
        /// Another purpose than the information was collected for, and compatibility not considered.
        W8,
        /// Consent relied on that was not freely given, or given by somebody not competent.
        W9,
    }
}

/// What the rules look at of a decision, as recorded or as corrected since.
#[derive(Debug, Clone, Copy)]
pub struct Sharing<'a> {
    /// The code of the agency that decided. A text that is no agency code is an agency that nobody knows.
    pub agency: &'a str,
    /// What was decided.
    pub decision: Decision,
    /// The harm that it is about.
    pub harm_level: HarmLevel,
    /// What for.
    pub purpose: Purpose,
    /// Whether the information was collected for that.
    pub collected_for: CollectedFor,
    /// Whether a different purpose is compatible, if somebody considered it.
    pub compatible: Option<bool>,
    /// What information it was about.
    pub items: &'a [Item],
    /// To whom it went, or from whom it was withheld.
    pub recipients: &'a [Recipient],
    /// The provisions relied on.
    pub lawful_basis: &'a [LawfulBasis],
    /// Consent, as the decision itself says.
    pub consent: &'a Consent,
    /// Whether the individual was told.
    pub informed: Option<&'a Informed>,
    /// Why information was withheld.
    pub withhold: Option<&'a Withholding>,
    /// When it was shared, if that is known.
    pub shared_at: Option<Time>,
}

/// What other records say that bears on a decision.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What was recorded of consent about the child, in any order.
    pub consents: &'a [ConsentSeen],
    /// Whether a later record completed a telling that was planned.
    pub told: bool,
}

/// Consent that was given, refused or withdrawn, as a record of its own says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentSeen {
    /// When.
    pub at: Time,
    /// Given, refused or withdrawn.
    pub status: ConsentStatus,
    /// Whether it was given freely.
    pub freely_given: Option<bool>,
    /// Whether the person was competent to give it.
    pub competent: Option<bool>,
}

/// A rule that a decision breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PracticeFinding {
    /// The rule.
    pub code: FindingCode,
    /// The shared items concerned, as indexes into the decision's `items`; empty if it is about the whole.
    pub items: Vec<usize>,
}

/// The rules that this decision breaks, in the order of the codes, each once.
pub fn findings(sharing: &Sharing<'_>, known: &Known<'_>, catalogue: &Catalogue) -> Vec<PracticeFinding> {
    of_facts(&Facts::of(sharing), known, catalogue)
}

pub(crate) fn of_facts(facts: &Facts<'_>, known: &Known<'_>, catalogue: &Catalogue) -> Vec<PracticeFinding> {
    let found = |code: &FindingCode| {
        code.broken(facts, known, catalogue).map(|items| PracticeFinding { code: *code, items })
    };
    FindingCode::ALL.iter().filter_map(found).collect()
}

impl<'a> Sharing<'a> {
    /// A decision as its agency recorded it.
    pub fn of(decision: &'a DecisionRecorded, agency: &'a str) -> Self {
        Self {
            agency,
            decision: decision.decision,
            harm_level: decision.harm_level,
            purpose: decision.purpose,
            collected_for: decision.collected_for,
            compatible: decision.compatible,
            items: &decision.items,
            recipients: &decision.recipients,
            lawful_basis: decision.lawful_basis.as_deref().unwrap_or_default(),
            consent: &decision.consent,
            informed: decision.informed.as_ref(),
            withhold: decision.withhold.as_ref(),
            shared_at: decision.times.as_ref().and_then(|times| times.shared_at),
        }
    }
}

impl FindingCode {
    /// Whether it is one of the E rules, which DOMAIN calls breaches; the others warn.
    pub const fn is_breach(self) -> bool {
        (self as u8) < Self::W1 as u8
    }

    /// The items concerned if the rule is broken, none if the finding is about the whole.
    fn broken(self, facts: &Facts<'_>, known: &Known<'_>, catalogue: &Catalogue) -> Option<Vec<usize>> {
        let whole = |broken: bool| broken.then(Vec::new);
        match self {
            Self::E1 => bases::no_basis(facts),
            Self::E2 => conditions::special_without_condition(facts),
            Self::E3 => conditions::without_schedule_1(facts),
            Self::E4 => whole(conditions::paragraph_18_without_ground(facts)),
            Self::E5 => conditions::offences_without_authority(facts),
            Self::E6 => whole(parties::public_authority_on_interests(facts, catalogue)),
            Self::E7 => whole(consents::not_live(facts, known)),
            Self::E8 => whole(bases::without_legal_source(facts)),
            Self::E9 => whole(parties::part_3_misplaced(facts, catalogue)),
            Self::E10 => whole(bases::not_in_force(facts, catalogue)),
            Self::W1 => whole(consents::relied_on(facts)),
            Self::W2 => whole(parties::recipient_in_doubt(facts)),
            Self::W3 => whole(practice::telling_not_completed(facts, known)),
            Self::W4 => practice::confidence_not_lifted(facts),
            Self::W5 => whole(practice::withheld_in_need(facts)),
            Self::W6 => whole(practice::no_life_at_stake(facts)),
            Self::W7 => whole(parties::outside_the_duty_to_share(facts, catalogue)),
            Self::W8 => whole(practice::purpose_not_considered(facts)),
            Self::W9 => whole(consents::not_valid(facts, known)),
        }
    }
}

#[cfg(test)]
mod tests;
