//! `consent.given`, `consent.refused`, `consent.withdrawn` (DOMAIN section 4). Consent to medical treatment is another
//! matter and does not stand here.

use crate::decision_recorded::ConsentBy;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, events, refs, times};
use crate::people::Child;
use crate::words::Text;

codes! {
    /// What consent is asked for.
    pub enum ConsentScope {
        /// Sharing information.
        InformationSharing,
        /// An assessment.
        Assessment,
        /// Services.
        Services,
    }
}

times! {
    /// The times of consent that was given.
    pub struct ConsentGivenTimes {
        /// When it was given.
        occurred_at,
        /// When it is to be reviewed.
        review_at,
    }
}

times! {
    /// The times of consent that was refused or withdrawn.
    pub struct ConsentTimes {
        /// When it was refused or withdrawn.
        occurred_at,
    }
}

refs! {
    /// What the consent belongs to.
    pub struct ConsentRefs {}
}

event! {
    /// Consent was given.
    pub struct ConsentGiven {
        clear {
            /// What for.
            scope: ConsentScope, required = Always;
            /// By whom.
            by: ConsentBy, required = Always;
            /// Whether it was given explicitly.
            explicit: bool, required = Always;
            /// Whether it was given freely.
            freely_given: bool, required = Always;
            /// Whether the person was competent to give it.
            competent: bool, required = Always;
        }
        disclosed {
            /// The child whom it is about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was given.
            times: Option<ConsentGivenTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<ConsentRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for ConsentGiven {}

events! {
    /// Consent was asked for and refused.
    pub struct ConsentRefused;
    /// Consent that was given is withdrawn.
    pub struct ConsentWithdrawn;
    each {
        clear {
            /// What for.
            scope: ConsentScope, required = Always;
            /// By whom.
            by: ConsentBy, required = Always;
        }
        disclosed {
            /// The child whom it is about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was refused or withdrawn.
            times: Option<ConsentTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<ConsentRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for ConsentRefused {}
impl Rules for ConsentWithdrawn {}
