//! `record.accessed`, `access.approved`: who read what of the ledger and why, and who allowed it (DOMAIN sections 4
//! and 8).

use crate::count::Count;
use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, record, refs, times};
use crate::people::Child;
use crate::words::Label;

codes! {
    /// As what somebody reads.
    pub enum AccessRole {
        /// A practitioner: the agency's own cases.
        Practitioner,
        /// A manager or designated safeguarding lead.
        Manager,
        /// A member of the multi-agency safeguarding hub.
        Mash,
        /// An analyst.
        Analyst,
        /// A data protection officer.
        DataProtectionOfficer,
        /// A member of a review panel.
        PanelReviewer,
        /// An auditor.
        Auditor,
        /// An administrator.
        Administrator,
    }
}

codes! {
    /// What somebody reads for.
    pub enum AccessPurpose {
        /// Work on the case.
        CaseWork,
        /// Supervision of those who work on it.
        Supervision,
        /// Looking for patterns.
        Analysis,
        /// A review of what was done.
        Review,
        /// An audit.
        Audit,
        /// A data subject's request.
        SubjectRights,
        /// An emergency.
        Emergency,
    }
}

codes! {
    /// What kind of thing is read.
    pub enum AccessedKind {
        /// A child's timeline.
        Timeline,
        /// Decisions.
        Decisions,
        /// Alerts.
        Alerts,
        /// Texts.
        Texts,
        /// Whose pseudonym it is.
        Identity,
        /// A bundle of evidence.
        Bundle,
    }
}

record! {
    /// Somebody who reads, or who allows it. The name has no pseudonym, so it belongs to the agency.
    pub struct Reader {
        /// The name under which the person is known to the ledger's node.
        pub name: Label,
    }
}

record! {
    /// How much was read.
    pub struct Extent {
        /// The number of records.
        pub records: Count,
    }
}

times! {
    /// The times of an access.
    pub struct AccessTimes {
        /// When it was read.
        occurred_at,
    }
}

times! {
    /// The times of an approval.
    pub struct ApprovalTimes {
        /// When it was given.
        occurred_at,
        /// Until when it holds.
        expires_at,
    }
}

refs! {
    /// What the access belongs to.
    pub struct AccessRefs {
        /// The approval under which it happens: its own reference, or the hash of the `access.approved` statement.
        access,
    }
}

event! {
    /// Somebody read records.
    pub struct RecordAccessed {
        clear {
            /// As what.
            role: AccessRole, required = Always;
            /// What for.
            purpose: AccessPurpose, required = Always;
            /// What kind of thing.
            what: AccessedKind, required = Always;
            /// Whether the reader went beyond the usual rights.
            break_glass: Option<bool>, required = Optional;
        }
        disclosed {
            /// The child whose records were read, if they were one child's.
            child: Option<Child>, owner = Child, keepable = false, required = Optional;
            /// Who read.
            reader: Option<Reader>, owner = Child, keepable = true, required = Always;
            /// When.
            times: Option<AccessTimes>, owner = Child, keepable = true, required = Always;
            /// How much.
            extent: Option<Extent>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<AccessRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for RecordAccessed {}

event! {
    /// Somebody allowed another to read beyond the usual rights.
    pub struct AccessApproved {
        clear {
            /// As what the other may read.
            role: AccessRole, required = Always;
            /// What for.
            purpose: AccessPurpose, required = Always;
            /// What kind of thing.
            what: AccessedKind, required = Always;
        }
        disclosed {
            /// The child whose records may be read, if they are one child's.
            child: Option<Child>, owner = Child, keepable = false, required = Optional;
            /// Who may read.
            reader: Option<Reader>, owner = Child, keepable = true, required = Always;
            /// Who allowed it.
            approver: Option<Reader>, owner = Child, keepable = true, required = Always;
            /// When it was allowed.
            times: Option<ApprovalTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<AccessRefs>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for AccessApproved {}
