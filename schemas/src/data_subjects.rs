//! `subject_access.received`, `rectification.requested`, `restriction.requested`, `objection.received`,
//! `erasure.requested`: somebody uses a right over the data about a child (DOMAIN section 4; UK GDPR Articles 15–18 and
//! 21).

use serde_json::{Value, json};

use crate::definition::{Condition, Definition, Rules};
use crate::member::Requirement::{Always, Optional, When};
use crate::notation::{codes, events, record, refs, times};
use crate::people::{Child, OtherRole};
use crate::words::{Pseudonym, Text};

codes! {
    /// What became of the request.
    pub enum RightsOutcome {
        /// It was granted.
        Granted,
        /// It was granted in part.
        PartlyGranted,
        /// It was refused.
        Refused,
    }
}

codes! {
    /// Why a request was not granted, or not in full.
    pub enum Exemption {
        /// Granting it would cause serious harm (DPA Schedule 3).
        SeriousHarm,
        /// The data is about the abuse of a child, and disclosing it is not in the child's interests (DPA Schedule 3).
        ChildAbuseData,
        /// The data is about somebody else too.
        ThirdPartyData,
        /// Granting it would prejudice the prevention of crime, or taxation.
        CrimeOrTaxation,
        /// Legal professional privilege.
        LegalPrivilege,
        /// The data is needed for legal claims.
        LegalClaims,
        /// The data is needed for a task in the public interest.
        PublicTask,
        /// The request is manifestly unfounded or excessive.
        ManifestlyUnfounded,
    }
}

record! {
    /// Who asks, if it is not the child.
    pub struct Requester {
        /// The person's pseudonym.
        pub pseudonym: Pseudonym,
        /// What the person is to the child.
        pub role: OtherRole,
    }
}

times! {
    /// The request's times.
    pub struct RightsTimes {
        /// When the request came.
        occurred_at,
        /// By when it is due: one month, or three where it was extended.
        due_at,
        /// When it was dealt with.
        completed_at,
    }
}

refs! {
    /// What the request belongs to.
    pub struct RightsRefs {
        /// The request's own reference.
        request,
    }
}

const NOT_GRANTED: &str = "when the outcome is PartlyGranted or Refused";

events! {
    /// Somebody asks for a copy of the data about a child (UK GDPR Article 15).
    pub struct SubjectAccessReceived;
    /// Somebody asks for the data about a child to be put right (UK GDPR Article 16).
    pub struct RectificationRequested;
    /// Somebody asks that the data about a child be used no further for the time being (UK GDPR Article 18).
    pub struct RestrictionRequested;
    /// Somebody objects to the use of the data about a child (UK GDPR Article 21).
    pub struct ObjectionReceived;
    /// Somebody asks for the data about a child to be erased (UK GDPR Article 17).
    pub struct ErasureRequested;
    each {
        clear {
            /// Whether the asker's identity was verified.
            identity_verified: bool, required = Always;
            /// Whether the time was extended by two further months.
            extended: Option<bool>, required = Optional;
            /// What became of it; left out until it is dealt with.
            outcome: Option<RightsOutcome>, required = Optional;
            /// Why it was not granted, or not in full.
            exemption: Option<Exemption>, required = When(NOT_GRANTED);
        }
        disclosed {
            /// The child whom the data is about.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// Who asks, if it is not the child.
            person: Option<Requester>, owner = Named, keepable = false, required = Optional;
            /// When the request came.
            times: Option<RightsTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<RightsRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

/// What the five have in common.
trait RightsRequest: Definition {
    fn outcome(&self) -> Option<RightsOutcome>;

    fn exemption(&self) -> Option<Exemption>;

    const CONDITIONS: &'static [Condition<Self>] = &[Condition {
        since: 1,
        member: "/exemption",
        when: NOT_GRANTED,
        holds: |request| {
            matches!(request.outcome(), Some(RightsOutcome::PartlyGranted | RightsOutcome::Refused))
        },
        schema: is_not_granted,
        is_met: |request| request.exemption().is_some(),
    }];
}

fn is_not_granted() -> Value {
    json!({ "properties": { "outcome": { "enum": ["PartlyGranted", "Refused"] } }, "required": ["outcome"] })
}

macro_rules! rights_requests {
    ($($Request:ident)+) => {$(
        impl RightsRequest for $Request {
            fn outcome(&self) -> Option<RightsOutcome> {
                self.outcome
            }

            fn exemption(&self) -> Option<Exemption> {
                self.exemption
            }
        }

        impl Rules for $Request {
            const CONDITIONS: &'static [Condition<Self>] = <Self as RightsRequest>::CONDITIONS;
        }
    )+};
}

rights_requests! {
    SubjectAccessReceived
    RectificationRequested
    RestrictionRequested
    ObjectionReceived
    ErasureRequested
}
