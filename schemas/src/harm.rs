//! `harm.recorded`: a child has come to harm (DOMAIN section 4).

use crate::decision_recorded::Nature;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::people::Child;
use crate::words::Text;

codes! {
    /// How bad the harm is.
    pub enum HarmSeverity {
        /// Minor.
        Minor,
        /// Moderate.
        Moderate,
        /// Serious.
        Serious,
        /// The child died.
        Fatal,
    }
}

times! {
    /// The times of the harm.
    pub struct HarmTimes {
        /// When it was done, or noticed.
        occurred_at,
    }
}

refs! {
    /// What the record of harm belongs to.
    pub struct HarmRefs {}
}

event! {
    /// A child has come to harm. It says nothing of the cause.
    pub struct HarmRecorded {
        clear {
            /// How bad it is.
            severity: HarmSeverity, required = Always;
            /// Fact or something else.
            nature: Nature, required = Always;
        }
        disclosed {
            /// The child who came to harm.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When.
            times: Option<HarmTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<HarmRefs>, owner = Child, keepable = true, required = Optional;
            /// What was noted.
            note: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for HarmRecorded {}
