//! `disclosure.received`: somebody says that a child is being harmed (DOMAIN section 4). The words stay where they were
//! written down.

use crate::decision_recorded::Nature;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{event, refs, times};
use crate::people::Child;
use crate::words::{AgencyCode, Label};

times! {
    /// The times of a disclosure of harm.
    pub struct DisclosureTimes {
        /// When it was made.
        occurred_at,
        /// When it was passed to the local authority, which responds within 1 working day.
        referred_at,
    }
}

refs! {
    /// What the disclosure of harm belongs to.
    pub struct DisclosureRefs {}
}

event! {
    /// Somebody, as a rule the child, said that the child is being harmed.
    pub struct DisclosureReceived {
        clear {
            /// The local authority to which it was passed.
            to: Option<AgencyCode>, required = Optional;
            /// Fact or something else.
            nature: Nature, required = Always;
        }
        disclosed {
            /// The child.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was made.
            times: Option<DisclosureTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<DisclosureRefs>, owner = Child, keepable = true, required = Optional;
            /// Where the words are kept in the agency's own system; never the words.
            words_ref: Option<Label>, owner = Child, keepable = true, required = Always;
        }
    }
}

impl Rules for DisclosureReceived {}
