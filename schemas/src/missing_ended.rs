//! `missing.ended`: a child who was missing or away has returned or was found (DOMAIN section 4).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::missing_started::MissingRefs;
use crate::notation::{event, record};
use crate::people::{Child, ContextRef};
use crate::time::Time;

record! {
    /// The times of the absence's end.
    pub struct MissingEndedTimes {
        /// When the child returned or was found.
        pub occurred_at: Time,
        /// When that was reported.
        pub reported_at: Option<Time>,
    }
}

event! {
    /// A child who was missing or away has returned or was found.
    pub struct MissingEnded {
        clear {
            /// Whether harm during the absence is suspected.
            harm_suspected: bool, required = Always;
        }
        disclosed {
            /// The child who returned.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When the child returned.
            times: Option<MissingEndedTimes>, owner = Child, keepable = true, required = Always;
            /// What the absence belongs to.
            refs: Option<MissingRefs>, owner = Child, keepable = true, required = Optional;
            /// The place where the child was found.
            place: Option<ContextRef>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for MissingEnded {
    fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }

    fn occurred_at(&self) -> Option<Time> {
        self.times.as_ref().map(|times| times.occurred_at)
    }
}
