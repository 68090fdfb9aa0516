//! `missing.ended`: a child who was missing or away has returned or was found (DOMAIN section 4).
//!
//! Version 1 could not say that nobody knew yet whether the child had come to harm.

pub(crate) mod v1;

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::missing_started::MissingRefs;
use crate::notation::{codes, event, record};
use crate::people::{Child, ContextRef};
use crate::time::Time;

codes! {
    /// Whether harm during the absence is suspected.
    pub enum HarmSuspicion {
        /// It is suspected.
        Suspected,
        /// It is not suspected.
        NotSuspected,
        /// Nobody knows yet.
        NotKnown,
    }
}

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
            harm: HarmSuspicion, required = Always;
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

impl Rules for MissingEnded {}

impl From<v1::MissingEnded> for MissingEnded {
    fn from(old: v1::MissingEnded) -> Self {
        let v1::MissingEnded { harm_suspected, child, times, refs, place, kept } = old;
        let harm = if harm_suspected { HarmSuspicion::Suspected } else { HarmSuspicion::NotSuspected };
        Self { harm, child, times, refs, place, kept }
    }
}
