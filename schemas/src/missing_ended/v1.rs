//! Version 1 of `missing.ended`, as it was signed.

use super::MissingEndedTimes;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::missing_started::MissingRefs;
use crate::notation::event;
use crate::people::{Child, ContextRef};

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

impl Rules for MissingEnded {}
