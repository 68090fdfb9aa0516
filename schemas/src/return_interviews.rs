//! `rhi.offered`, `rhi.held`, `rhi.declined`: the return home interview, due 72 hours after a missing child's return
//! (DOMAIN section 4).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{event, refs, times};
use crate::people::Child;

times! {
    /// The times of the offer.
    pub struct RhiOfferedTimes {
        /// When the interview was offered.
        occurred_at,
        /// By when it is due.
        due_at,
    }
}

times! {
    /// The times of the interview.
    pub struct RhiTimes {
        /// When it was held or declined.
        occurred_at,
    }
}

refs! {
    /// What the interview belongs to.
    pub struct RhiRefs {
        /// The episode: the hash of the `missing.started` statement, or the agency's own reference.
        episode,
        /// The interview's own reference, or the hash of its offer.
        interview,
    }
}

event! {
    /// A return home interview was offered.
    pub struct RhiOffered {
        clear {
            /// Whether the interviewer is independent of those who care for the child.
            independent: bool, required = Always;
        }
        disclosed {
            /// The child who returned.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was offered.
            times: Option<RhiOfferedTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<RhiRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for RhiOffered {}

event! {
    /// A return home interview was held.
    pub struct RhiHeld {
        clear {
            /// Whether the interviewer was independent of those who care for the child.
            independent: bool, required = Always;
            /// Whether the child spoke of harm.
            harm_disclosed: Option<bool>, required = Optional;
        }
        disclosed {
            /// The child who returned.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was held.
            times: Option<RhiTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<RhiRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for RhiHeld {}

event! {
    /// The child declined a return home interview.
    pub struct RhiDeclined {
        clear {
            /// Whether the interviewer would have been independent of those who care for the child.
            independent: bool, required = Always;
        }
        disclosed {
            /// The child who returned.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was declined.
            times: Option<RhiTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<RhiRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for RhiDeclined {}
