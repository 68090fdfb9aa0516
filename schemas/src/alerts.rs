//! `alert.assigned`, `alert.reviewed`: somebody is to look at an alert, and has (DOMAIN section 4).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::people::{Child, Professional};
use crate::words::{AgencyCode, AlertId, Text};

codes! {
    /// What a person made of an alert.
    pub enum AlertOutcome {
        /// Nothing further is done.
        NoFurtherAction,
        /// Something was done.
        ActionTaken,
        /// It was put to somebody more senior, or to another agency.
        Escalated,
        /// The alert was mistaken.
        Mistaken,
    }
}

times! {
    /// The times of an alert's handling.
    pub struct AlertTimes {
        /// When the alert was assigned or reviewed.
        occurred_at,
    }
}

refs! {
    /// Which alert it is, and what else it belongs to.
    pub struct AlertRefs {
        /// The alert.
        alert: AlertId,
    }
}

event! {
    /// An alert was assigned to somebody.
    pub struct AlertAssigned {
        clear {
            /// The agency that is to look at it.
            to: Option<AgencyCode>, required = Optional;
        }
        disclosed {
            /// The child whom the alert is about, if it is about one.
            child: Option<Child>, owner = Child, keepable = false, required = Optional;
            /// When it was assigned.
            times: Option<AlertTimes>, owner = Child, keepable = true, required = Always;
            /// Which alert it is.
            refs: Option<AlertRefs>, owner = Child, keepable = true, required = Always;
            /// The professional who is to look at it.
            practitioner: Option<Professional>, owner = Named, keepable = false, required = Optional;
        }
    }
}

impl Rules for AlertAssigned {}

event! {
    /// Somebody has looked at an alert.
    pub struct AlertReviewed {
        clear {
            /// What the person made of it.
            outcome: AlertOutcome, required = Always;
        }
        disclosed {
            /// The child whom the alert is about, if it is about one.
            child: Option<Child>, owner = Child, keepable = false, required = Optional;
            /// When it was reviewed.
            times: Option<AlertTimes>, owner = Child, keepable = true, required = Always;
            /// Which alert it is.
            refs: Option<AlertRefs>, owner = Child, keepable = true, required = Always;
            /// The professional who has looked at it.
            practitioner: Option<Professional>, owner = Named, keepable = false, required = Optional;
            /// What was noted.
            note: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for AlertReviewed {}
