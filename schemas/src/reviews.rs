//! `decision.reviewed`: somebody looks at a decision again (DOMAIN section 4).

use crate::decision_recorded::InformedStatus;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::people::Child;
use crate::words::Text;

codes! {
    /// What the review came to.
    pub enum DecisionReviewOutcome {
        /// The decision stands.
        Upheld,
        /// Another decision is to be made; it is recorded on its own.
        Changed,
        /// It was put to somebody more senior, or to another agency.
        Escalated,
    }
}

times! {
    /// The review's times.
    pub struct DecisionReviewTimes {
        /// When the decision was reviewed.
        occurred_at,
    }
}

refs! {
    /// What the review belongs to.
    pub struct DecisionReviewRefs {
        /// The decision that was reviewed.
        decision,
    }
}

event! {
    /// A decision was reviewed.
    pub struct DecisionReviewed {
        clear {
            /// What the review came to.
            outcome: DecisionReviewOutcome, required = Always;
            /// Whether the individual has been told by now; it completes a telling that was planned.
            informed: Option<InformedStatus>, required = Optional;
        }
        disclosed {
            /// The child whom the decision is about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was reviewed.
            times: Option<DecisionReviewTimes>, owner = Child, keepable = true, required = Always;
            /// What the review belongs to.
            refs: Option<DecisionReviewRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Always;
        }
    }
}

impl Rules for DecisionReviewed {}
