//! `meeting.held`: agencies meet about a child (DOMAIN section 4).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::people::Child;
use crate::reading::NonEmpty;
use crate::words::{AgencyCode, Text};

codes! {
    /// What kind of meeting it is.
    pub enum MeetingKind {
        /// A discussion in the multi-agency safeguarding hub.
        Mash,
        /// A strategy discussion (Children Act 1989 section 47).
        Strategy,
    }
}

codes! {
    /// What the meeting came to.
    pub enum MeetingOutcome {
        /// Nothing further is done.
        NoFurtherAction,
        /// One agency assesses.
        SingleAgencyAssessment,
        /// Social care and the police enquire together.
        JointEnquiry,
        /// A child protection conference.
        ProtectionConference,
        /// It was adjourned.
        Adjourned,
    }
}

times! {
    /// The meeting's times.
    pub struct MeetingTimes {
        /// When it was held.
        occurred_at,
    }
}

refs! {
    /// What the meeting belongs to.
    pub struct MeetingRefs {
        /// The meeting's own reference.
        meeting,
    }
}

event! {
    /// Agencies met about a child.
    pub struct MeetingHeld {
        clear {
            /// What kind of meeting it was.
            kind: MeetingKind, required = Always;
            /// The agencies that took part.
            agencies: NonEmpty<AgencyCode>, required = Always;
            /// What it came to.
            outcome: MeetingOutcome, required = Always;
        }
        disclosed {
            /// The child whom it was about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When it was held.
            times: Option<MeetingTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<MeetingRefs>, owner = Child, keepable = true, required = Optional;
            /// What was noted.
            note: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for MeetingHeld {}
