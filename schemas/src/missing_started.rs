//! `missing.started`: a child has gone missing, or is away without authorisation (DOMAIN section 4).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, record};
use crate::people::{Child, ContextRef};
use crate::time::Time;
use crate::words::{AgencyCode, Label};

codes! {
    /// What kind of absence it is.
    pub enum MissingKind {
        /// The child is missing.
        Missing,
        /// The child is away without authorisation: the whereabouts are known or thought to be.
        AwayWithoutAuthorisation,
    }
}

codes! {
    /// From where the child went.
    pub enum MissingFrom {
        /// From home.
        Home,
        /// From a placement in care.
        Placement,
    }
}

codes! {
    /// The level of risk that the police or the agency gave the absence.
    pub enum MissingRisk {
        /// No apparent risk.
        NoApparentRisk,
        /// Low.
        Low,
        /// Medium.
        Medium,
        /// High.
        High,
    }
}

record! {
    /// The times of the absence's beginning.
    pub struct MissingStartedTimes {
        /// When the absence began.
        pub occurred_at: Time,
        /// When the child was last seen.
        pub last_seen_at: Option<Time>,
        /// When it was reported.
        pub reported_at: Option<Time>,
    }
}

record! {
    /// What the absence belongs to.
    pub struct MissingRefs {
        /// The police's reference.
        pub police_ref: Option<Label>,
        /// The episode: the hash of the `missing.started` statement, or the agency's own reference.
        pub episode: Option<Label>,
        /// The agency's case.
        pub case: Option<Label>,
        /// The earlier statement that this one replaces.
        pub supersedes: Option<Label>,
        /// Statements that belong together, such as those about siblings.
        pub joined: Option<Vec<Label>>,
    }
}

event! {
    /// A child has gone missing, or is away without authorisation.
    pub struct MissingStarted {
        clear {
            /// What kind of absence it is.
            kind: MissingKind, required = Always;
            /// From where the child went.
            from: MissingFrom, required = Always;
            /// The level of risk.
            risk: Option<MissingRisk>, required = Optional;
            /// The local authority that is responsible for the child.
            responsible_la: Option<AgencyCode>, required = Optional;
            /// The local authority in whose area the child lived.
            host_la: Option<AgencyCode>, required = Optional;
        }
        disclosed {
            /// The child who is missing.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When the absence began.
            times: Option<MissingStartedTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<MissingRefs>, owner = Child, keepable = true, required = Optional;
            /// The place that the child went missing from.
            place: Option<ContextRef>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for MissingStarted {}
