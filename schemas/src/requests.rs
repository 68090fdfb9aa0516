//! `request.received`, `request.answered`, `request.refused`: another's request for information about a child, and what
//! became of it (DOMAIN section 4).

use crate::decision_recorded::{Category, WithholdGround};
use crate::definition::Rules;
use crate::lawful_basis::Gateway;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::people::Child;
use crate::reading::NonEmpty;
use crate::words::{AgencyCode, Text};

codes! {
    /// How urgent the request is, as the safeguarding hub rates it.
    pub enum Rating {
        /// Immediate risk.
        Red,
        /// Significant concern.
        Amber,
        /// Support.
        Green,
    }
}

times! {
    /// The request's times.
    pub struct RequestReceivedTimes {
        /// When the request came.
        occurred_at,
        /// By when the answer is due. Where it is left out, the rating says.
        due_at,
    }
}

refs! {
    /// What the request belongs to.
    pub struct RequestReceivedRefs {
        /// The request's own reference.
        request,
        /// The meeting for which the information is asked.
        meeting,
    }
}

event! {
    /// Another asks for information about a child.
    pub struct RequestReceived {
        clear {
            /// The agency that asks. It is left out for a private person.
            from: Option<AgencyCode>, required = Optional;
            /// Whether the asker's identity was verified.
            verified: bool, required = Always;
            /// What the information is about.
            categories: NonEmpty<Category>, required = Always;
            /// The power or duty that the asker names.
            gateway: Option<Gateway>, required = Optional;
            /// How urgent it is.
            rating: Rating, required = Always;
        }
        disclosed {
            /// The child whom the request is about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When the request came.
            times: Option<RequestReceivedTimes>, owner = Child, keepable = true, required = Always;
            /// What the request belongs to.
            refs: Option<RequestReceivedRefs>, owner = Child, keepable = true, required = Optional;
            /// What the asker wants the information for.
            purpose_text: Option<Text>, owner = Child, keepable = true, required = Always;
        }
    }
}

impl Rules for RequestReceived {}

times! {
    /// The answer's times.
    pub struct RequestClosedTimes {
        /// When the request was answered or refused.
        occurred_at,
    }
}

refs! {
    /// What the answer belongs to.
    pub struct RequestClosedRefs {
        /// The request: the hash of the `request.received` statement, or its own reference.
        request,
        /// The decision that led to the answer.
        decision,
    }
}

event! {
    /// A request for information about a child was answered.
    pub struct RequestAnswered {
        clear {
            /// The agency that asked. It is left out for a private person.
            to: Option<AgencyCode>, required = Optional;
        }
        disclosed {
            /// The child whom the request was about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was answered.
            times: Option<RequestClosedTimes>, owner = Child, keepable = true, required = Always;
            /// What the answer belongs to.
            refs: Option<RequestClosedRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for RequestAnswered {}

event! {
    /// A request for information about a child was refused.
    pub struct RequestRefused {
        clear {
            /// The agency that asked. It is left out for a private person.
            to: Option<AgencyCode>, required = Optional;
            /// The ground of the refusal.
            ground: WithholdGround, required = Always;
        }
        disclosed {
            /// The child whom the request was about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was refused.
            times: Option<RequestClosedTimes>, owner = Child, keepable = true, required = Always;
            /// What the refusal belongs to.
            refs: Option<RequestClosedRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for RequestRefused {}
