//! The objects inside a decision.

use crate::decision_recorded::codes::{
    Accuracy, Adviser, Category, Channel, ConsentBy, ConsentStatus, DataClass, Disposition, InformedStatus,
    Nature, WhyNoConsent, WhyNotInformed, WithholdGround,
};
use crate::notation::record;
use crate::time::Time;
use crate::words::{AgencyCode, Label, Text};

record! {
    /// One item of information. What it says is not kept; `item_details` describes it.
    pub struct Item {
        /// What it is about.
        pub category: Category,
        /// Fact or something else.
        pub nature: Nature,
        /// How sure it is.
        pub accuracy: Accuracy,
        /// Its class in data protection law.
        pub class: DataClass,
        /// Whether it identifies a person.
        pub identifies: bool,
        /// What became of it.
        pub disposition: Disposition,
    }
}

record! {
    /// What one item was, for those who may read it.
    pub struct ItemDetail {
        /// A description of the item, not its content.
        pub description: Text,
        /// Where the item is kept in the agency's own system.
        pub source_ref: Option<Label>,
    }
}

record! {
    /// To whom information went, or from whom it was withheld.
    pub struct Recipient {
        /// The agency. It is left out for a private person, who then stands in `recipient_names`.
        pub agency: Option<AgencyCode>,
        /// Whether the recipient is within the agency that decided.
        pub internal: bool,
        /// Whether the recipient has a safeguarding role.
        pub has_safeguarding_role: bool,
        /// Whether the recipient's identity was verified.
        pub identity_verified: bool,
    }
}

record! {
    /// Consent to the sharing. Consent to medical treatment is another matter and does not stand here.
    pub struct Consent {
        /// Where it stands.
        pub status: ConsentStatus,
        /// Who gave, refused or withdrew it.
        pub by: Option<ConsentBy>,
        /// Whether it was given freely.
        pub freely_given: Option<bool>,
        /// Whether the person was competent to give it.
        pub competent: Option<bool>,
        /// Why there is none.
        pub why_not: Option<WhyNoConsent>,
    }
}

record! {
    /// Whether the individual was told.
    pub struct Informed {
        /// When.
        pub status: InformedStatus,
        /// Why not.
        pub reason: Option<WhyNotInformed>,
    }
}

record! {
    /// How much was shared, as the agency judged it.
    pub struct Proportionality {
        /// Necessary for the purpose.
        pub necessary: bool,
        /// Relevant to it.
        pub relevant: bool,
        /// Adequate: enough for it.
        pub adequate: bool,
        /// The minimum: no more than it needs.
        pub minimum: bool,
    }
}

record! {
    /// Whether the sharing puts somebody at risk of being identified.
    pub struct IdentityProtection {
        /// Whether there is such a risk.
        pub risk: bool,
    }
}

record! {
    /// Advice that was sought.
    pub struct Advice {
        /// From whom.
        pub from: Adviser,
        /// Whether the case was put without names.
        pub anonymised: bool,
        /// Whether the advice was followed.
        pub followed: bool,
    }
}

record! {
    /// How the information travelled.
    pub struct Method {
        /// The channel.
        pub channel: Channel,
        /// Whether it was secure.
        pub secure: bool,
    }
}

record! {
    /// The withholding.
    pub struct Withholding {
        /// Its ground.
        pub ground: WithholdGround,
    }
}

record! {
    /// The decision's times.
    pub struct DecisionTimes {
        /// When it was decided.
        pub occurred_at: Time,
        /// The same moment again, for systems that send it under this name.
        pub decided_at: Option<Time>,
        /// When the concern or the request came.
        pub aware_at: Option<Time>,
        /// When the information was shared.
        pub shared_at: Option<Time>,
        /// When the decision is to be reviewed.
        pub review_at: Option<Time>,
        /// When the recipient acknowledged the information.
        pub acknowledged_at: Option<Time>,
    }
}

record! {
    /// What the decision belongs to: statement hashes where the writer knows them, else the agency's own references.
    pub struct DecisionRefs {
        /// The agency's case.
        pub case: Option<Label>,
        /// The request that it answers.
        pub request: Option<Label>,
        /// The meeting at which it was taken.
        pub meeting: Option<Label>,
        /// The information sharing agreement relied on.
        pub agreement: Option<Label>,
        /// The data protection impact assessment relied on.
        pub impact_assessment: Option<Label>,
        /// The earlier decision that this one replaces.
        pub supersedes: Option<Label>,
        /// Statements that belong together, such as those about siblings.
        pub joined: Option<Vec<Label>>,
    }
}
