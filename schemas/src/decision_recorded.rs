//! `decision.recorded`: a decision to share, or not to share, information about a child (DOMAIN section 1).
//!
//! Version 1 did not ask for an authoriser; its members are the same.

mod codes;
mod conditions;
mod parts;

use serde_json::{Value, json};

pub use codes::*;
pub use parts::*;

use conditions::{
    identifiable_is_shared, identity_is_at_risk, is_authorised, is_consented, is_insecure, is_shared,
    is_unconsented, is_uninformed, is_withheld, recipient_is_private,
};

use crate::definition::{Condition, Definition, Rules};
use crate::error::{Fault, SchemaError};
use crate::lawful_basis::LawfulBasis;
use crate::member::Requirement::{Always, Optional, When};
use crate::notation::event;
use crate::people::{Child, OtherPerson, Professional, RecipientName};
use crate::reading::NonEmpty;
use crate::words::Text;

const SHARED: &str = "when the decision is Share or SharePart";
const SHARED_IDENTIFIABLE: &str = "when an item that identifies a person is shared; it may be empty";
const WITHHELD: &str = "when the decision is Withhold or SharePart";
const AT_RISK: &str = "when information is shared and identity_protection has a risk";
const INSECURE: &str = "when information is shared by a method that is not secure";
const PRIVATE: &str = "when a recipient has no agency";
const CONSENTED: &str = "when consent is Explicit or Given";
const UNCONSENTED: &str =
    "when consent is NotSought or NotPossible, or when it is Refused or Withdrawn and information is shared";
const UNINFORMED: &str = "when the individual is not told";
const AUTHORISED: &str =
    "when information is shared although consent is Refused or Withdrawn, or when a request is refused";

event! {
    /// A decision to share, or not to share, information about a child.
    pub struct DecisionRecorded {
        clear {
            /// What was decided.
            decision: Decision, required = Always;
            /// What gave rise to it.
            trigger: Trigger, required = Always;
            /// What information it was about, item by item.
            items: NonEmpty<Item>, required = Always;
            /// To whom it went, or from whom it was withheld.
            recipients: NonEmpty<Recipient>, required = Always;
            /// Whether it was an emergency: share first, complete the record later.
            emergency: Option<bool>, required = Optional;
            /// What for.
            purpose: Purpose, required = Always;
            /// Whether the information was collected for that.
            collected_for: CollectedFor, required = Always;
            /// Whether a different purpose is compatible; left out where nobody considered it.
            compatible: Option<bool>, required = Optional;
            /// The harm that it is about.
            harm_level: HarmLevel, required = Always;
            /// The provisions relied on. An empty list is a finding.
            lawful_basis: Option<Vec<LawfulBasis>>, required = When(SHARED_IDENTIFIABLE);
            /// Consent to the sharing.
            consent: Consent, required = Always;
            /// Whether the individual was told.
            informed: Option<Informed>, required = When(SHARED);
            /// How much was shared.
            proportionality: Option<Proportionality>, required = When(SHARED);
            /// Whether the sharing puts somebody at risk of being identified.
            identity_protection: Option<IdentityProtection>, required = When(SHARED);
            /// The advice that was sought.
            advice: Option<Vec<Advice>>, required = Optional;
            /// How the information travelled.
            method: Option<Method>, required = When(SHARED);
            /// Why information was withheld.
            withhold: Option<Withholding>, required = When(WITHHELD);
        }
        disclosed {
            /// The child whom the decision is about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// Other people whom the information concerns.
            others: Vec<OtherPerson>, owner = Named, keepable = false, required = Optional;
            /// What each item was, in the order of `items` and as many.
            item_details: Option<Vec<ItemDetail>>, owner = Child, keepable = true, required = Optional;
            /// Who received the information, or asked for it.
            recipient_names: Vec<RecipientName>, owner = Named, keepable = true, required = When(PRIVATE);
            /// When it was decided and shared.
            times: Option<DecisionTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<DecisionRefs>, owner = Child, keepable = true, required = Optional;
            /// The purpose in words.
            purpose_text: Option<Text>, owner = Child, keepable = true, required = Always;
            /// The reasons for the decision.
            rationale: Option<Text>, owner = Child, keepable = true, required = Always;
            /// The less intrusive option that was considered.
            less_intrusive_option: Option<Text>, owner = Child, keepable = true, required = When(SHARED);
            /// What was done to protect identities.
            identity_protection_steps: Option<Text>, owner = Child, keepable = true, required = When(AT_RISK);
            /// What was advised.
            advice_content: Option<Text>, owner = Child, keepable = true, required = Optional;
            /// Why a method that is not secure was used.
            method_justification: Option<Text>, owner = Child, keepable = true, required = When(INSECURE);
            /// The risk that not sharing leaves.
            risk_of_not_sharing: Option<Text>, owner = Child, keepable = true, required = When(WITHHELD);
            /// What was done instead of sharing.
            alternative_action: Option<Text>, owner = Child, keepable = true, required = When(WITHHELD);
            /// Who decided.
            practitioner: Option<Professional>, owner = Named, keepable = false, required = Always;
            /// Who authorised it.
            authoriser: Option<Professional>, owner = Named, keepable = false, required = When(AUTHORISED);
        }
    }
}

impl DecisionRecorded {
    /// Whether an item that identifies a person was shared, so that a lawful basis is called for.
    pub fn shares_identifiable(&self) -> bool {
        let shared = |item: &Item| item.identifies && item.disposition == Disposition::Shared;
        self.decision.shares() && self.items.iter().any(shared)
    }

    fn shares(&self) -> bool {
        self.decision.shares()
    }

    fn withholds(&self) -> bool {
        self.decision.withholds()
    }

    fn is_consented(&self) -> bool {
        matches!(self.consent.status, ConsentStatus::Explicit | ConsentStatus::Given)
    }

    /// Nothing shared because consent was refused is its own reason; everything else without consent needs one.
    fn owes_reason_without_consent(&self) -> bool {
        match self.consent.status {
            ConsentStatus::Explicit | ConsentStatus::Given => false,
            ConsentStatus::NotSought | ConsentStatus::NotPossible => true,
            ConsentStatus::Refused | ConsentStatus::Withdrawn => self.shares(),
        }
    }

    fn owes_authoriser(&self) -> bool {
        let refused = matches!(self.consent.status, ConsentStatus::Refused | ConsentStatus::Withdrawn);
        (refused && self.shares())
            || (self.trigger == Trigger::Request && self.decision == Decision::Withhold)
    }

    fn risks_identity(&self) -> bool {
        self.shares() && self.identity_protection.as_ref().is_some_and(|protection| protection.risk)
    }

    fn is_insecure(&self) -> bool {
        self.shares() && self.method.as_ref().is_some_and(|method| !method.secure)
    }

    fn has_private_recipient(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.agency.is_none())
    }

    fn is_uninformed(&self) -> bool {
        self.informed.as_ref().is_some_and(|informed| informed.status == InformedStatus::No)
    }

    fn dispositions_agree(&self) -> bool {
        let any = |disposition| self.items.iter().any(|item| item.disposition == disposition);
        any(Disposition::Shared) == self.shares() && any(Disposition::Withheld) == self.withholds()
    }
}

impl Rules for DecisionRecorded {
    const CONDITIONS: &'static [Condition<Self>] = &[
        needs("/lawful_basis", SHARED_IDENTIFIABLE, Self::shares_identifiable, identifiable_is_shared, |d| {
            d.lawful_basis.is_some()
        }),
        needs("/informed", SHARED, Self::shares, is_shared, |d| d.informed.is_some()),
        needs("/informed/reason", UNINFORMED, Self::is_uninformed, is_uninformed, |d| {
            d.informed.as_ref().is_none_or(|informed| informed.reason.is_some())
        }),
        needs("/proportionality", SHARED, Self::shares, is_shared, |d| d.proportionality.is_some()),
        needs("/less_intrusive_option", SHARED, Self::shares, is_shared, |d| d.has("less_intrusive_option")),
        needs("/identity_protection", SHARED, Self::shares, is_shared, |d| d.identity_protection.is_some()),
        needs("/identity_protection_steps", AT_RISK, Self::risks_identity, identity_is_at_risk, |d| {
            d.has("identity_protection_steps")
        }),
        needs("/method", SHARED, Self::shares, is_shared, |d| d.method.is_some()),
        needs("/method_justification", INSECURE, Self::is_insecure, is_insecure, |d| {
            d.has("method_justification")
        }),
        needs("/times/shared_at", SHARED, Self::shares, is_shared, |d| {
            d.times.as_ref().is_none_or(|times| times.shared_at.is_some())
        }),
        needs("/withhold", WITHHELD, Self::withholds, is_withheld, |d| d.withhold.is_some()),
        needs("/risk_of_not_sharing", WITHHELD, Self::withholds, is_withheld, |d| {
            d.has("risk_of_not_sharing")
        }),
        needs("/alternative_action", WITHHELD, Self::withholds, is_withheld, |d| d.has("alternative_action")),
        needs("/recipient_names", PRIVATE, Self::has_private_recipient, recipient_is_private, |d| {
            d.has("recipient_names")
        }),
        needs("/consent/by", CONSENTED, Self::is_consented, is_consented, |d| d.consent.by.is_some()),
        needs("/consent/freely_given", CONSENTED, Self::is_consented, is_consented, |d| {
            d.consent.freely_given.is_some()
        }),
        needs("/consent/competent", CONSENTED, Self::is_consented, is_consented, |d| {
            d.consent.competent.is_some()
        }),
        needs("/consent/why_not", UNCONSENTED, Self::owes_reason_without_consent, is_unconsented, |d| {
            d.consent.why_not.is_some()
        }),
        Condition {
            since: 2,
            ..needs("/authoriser", AUTHORISED, Self::owes_authoriser, is_authorised, |d| d.has("authoriser"))
        },
    ];

    fn agree(&self) -> Result<(), SchemaError> {
        if !self.dispositions_agree() {
            let expected = "items all Shared in a Share, all Withheld in a Withhold, and both in a SharePart";
            return Err(Fault::Contradiction { expected }.at("/items"));
        }
        if self.item_details.as_ref().is_some_and(|details| details.len() != self.items.len()) {
            return Err(Fault::Contradiction { expected: "as many as items" }.at("/item_details"));
        }
        if self.times.as_ref().is_some_and(|times| times.decided_at.is_some_and(|at| at != times.occurred_at))
        {
            return Err(Fault::Contradiction { expected: "the same as occurred_at" }.at("/times/decided_at"));
        }
        Ok(())
    }

    fn agreement_schemas() -> Vec<Value> {
        let has = |disposition: &str| json!({ "contains": { "properties": { "disposition": { "const": disposition } } } });
        let only = |disposition: &str| json!({ "items": { "properties": { "disposition": { "const": disposition } } } });
        let rule = |decision: &str, items: Value| {
            json!({
                "if": { "properties": { "decision": { "const": decision } }, "required": ["decision"] },
                "then": { "properties": { "items": items } },
            })
        };
        vec![
            rule("Share", only("Shared")),
            rule("Withhold", only("Withheld")),
            rule("SharePart", json!({ "allOf": [has("Shared"), has("Withheld")] })),
        ]
    }
}

const fn needs(
    member: &'static str,
    when: &'static str,
    holds: fn(&DecisionRecorded) -> bool,
    schema: fn() -> Value,
    is_met: fn(&DecisionRecorded) -> bool,
) -> Condition<DecisionRecorded> {
    Condition { since: 1, member, when, holds, schema, is_met }
}
