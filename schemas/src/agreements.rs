//! `agreement.registered`, `agreement.reviewed`, `agreement.ended`: an information sharing agreement between agencies
//! (DOMAIN section 4). It is about no child.

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::reading::NonEmpty;
use crate::words::AgencyCode;

codes! {
    /// What kind of agreement it is.
    pub enum AgreementKind {
        /// On sharing information.
        InformationSharing,
        /// Between joint controllers (UK GDPR Article 26).
        JointController,
        /// With a processor (UK GDPR Article 28).
        DataProcessing,
        /// A protocol.
        Protocol,
    }
}

codes! {
    /// What a review of an agreement came to.
    pub enum AgreementOutcome {
        /// It goes on as it was.
        Renewed,
        /// It goes on, amended.
        Amended,
    }
}

codes! {
    /// How an agreement ended.
    pub enum AgreementEnd {
        /// Its time was over.
        Expired,
        /// A party withdrew.
        Withdrawn,
        /// Another took its place.
        Replaced,
    }
}

times! {
    /// The times of an agreement that is in force.
    pub struct AgreementTimes {
        /// When it was concluded, or reviewed.
        occurred_at,
        /// When its next review is due.
        next_review_at,
    }
}

times! {
    /// The times of an agreement's end.
    pub struct AgreementEndedTimes {
        /// When it ended.
        occurred_at,
    }
}

refs! {
    /// What the agreement belongs to.
    pub struct AgreementRefs {
        /// The agreement's own reference, by which decisions name it.
        agreement,
    }
}

event! {
    /// An agreement between agencies was registered.
    pub struct AgreementRegistered {
        clear {
            /// What kind of agreement it is.
            kind: AgreementKind, required = Always;
            /// The agencies that concluded it.
            parties: NonEmpty<AgencyCode>, required = Always;
        }
        disclosed {
            /// When it was concluded.
            times: Option<AgreementTimes>, owner = Child, keepable = true, required = Always;
            /// Its reference, and what else it belongs to.
            refs: Option<AgreementRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for AgreementRegistered {}

event! {
    /// An agreement between agencies was reviewed and goes on.
    pub struct AgreementReviewed {
        clear {
            /// What the review came to.
            outcome: AgreementOutcome, required = Always;
        }
        disclosed {
            /// When it was reviewed.
            times: Option<AgreementTimes>, owner = Child, keepable = true, required = Always;
            /// Which agreement it is.
            refs: Option<AgreementRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for AgreementReviewed {}

event! {
    /// An agreement between agencies ended.
    pub struct AgreementEnded {
        clear {
            /// How it ended.
            kind: AgreementEnd, required = Always;
        }
        disclosed {
            /// When it ended.
            times: Option<AgreementEndedTimes>, owner = Child, keepable = true, required = Always;
            /// Which agreement it is.
            refs: Option<AgreementRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for AgreementEnded {}
