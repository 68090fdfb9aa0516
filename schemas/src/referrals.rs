//! `referral.made`, `referral.outcome`: a child is referred to another agency, and what came of it (DOMAIN section 4).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::people::Child;
use crate::words::{AgencyCode, Text};

codes! {
    /// What the child is referred for.
    pub enum ReferralKind {
        /// Early help.
        EarlyHelp,
        /// As a child in need (Children Act 1989 section 17).
        ChildInNeed,
        /// For protection (Children Act 1989 section 47).
        ChildProtection,
        /// As a child who is or may be exploited.
        Exploitation,
        /// To mental health services.
        MentalHealth,
        /// Something else.
        Other,
    }
}

codes! {
    /// What came of a referral.
    pub enum ReferralResult {
        /// It was accepted.
        Accepted,
        /// Nothing further is done.
        NoFurtherAction,
        /// The child was passed on to a service at a lower threshold.
        SteppedDown,
    }
}

times! {
    /// The times of a referral or its outcome.
    pub struct ReferralTimes {
        /// When it was made, or decided upon.
        occurred_at,
    }
}

refs! {
    /// What a referral belongs to.
    pub struct ReferralRefs {
        /// The referral: the hash of the `referral.made` statement, or its own reference.
        referral,
    }
}

event! {
    /// A child was referred to another agency.
    pub struct ReferralMade {
        clear {
            /// The agency to which the child was referred.
            to: AgencyCode, required = Always;
            /// What for.
            kind: ReferralKind, required = Always;
        }
        disclosed {
            /// The child who was referred.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When.
            times: Option<ReferralTimes>, owner = Child, keepable = true, required = Always;
            /// What the referral belongs to.
            refs: Option<ReferralRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for ReferralMade {}

event! {
    /// What came of a referral. Whoever referred the child should hear of it.
    pub struct ReferralOutcome {
        clear {
            /// What came of it.
            outcome: ReferralResult, required = Always;
            /// The agency that referred the child. It is left out for a private person.
            referrer: Option<AgencyCode>, required = Optional;
            /// Whether the referrer was told.
            referrer_told: bool, required = Always;
        }
        disclosed {
            /// The child who was referred.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was decided.
            times: Option<ReferralTimes>, owner = Child, keepable = true, required = Always;
            /// What the outcome belongs to.
            refs: Option<ReferralRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for ReferralOutcome {}
