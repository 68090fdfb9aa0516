//! `child.moved`, `placement.started`: a child comes to live in another authority's area, by the family's move or in a
//! placement (DOMAIN section 4).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, event, refs, times};
use crate::people::{Child, ContextRef};
use crate::words::AgencyCode;

codes! {
    /// The plan that the child is on.
    pub enum Plan {
        /// A child protection plan (CPP).
        ProtectionPlan,
        /// A child in need plan (CIN).
        ChildInNeed,
        /// The child is looked after (CLA).
        LookedAfter,
        /// None.
        None,
    }
}

codes! {
    /// What kind of placement it is.
    pub enum PlacementKind {
        /// With foster carers.
        FosterCare,
        /// With family or friends.
        FamilyOrFriends,
        /// A children's home.
        ChildrensHome,
        /// A secure children's home (SSDA903 placement K1).
        SecureChildrensHome,
        /// A young offender institution (SSDA903 placement R5, which it shares with prisons).
        YoungOffenderInstitution,
        /// A secure training centre.
        SecureTrainingCentre,
        /// A residential school.
        ResidentialSchool,
        /// Supported accommodation.
        SupportedAccommodation,
        /// A hospital.
        Hospital,
        /// Another.
        Other,
    }
}

codes! {
    /// The child's legal status during the placement.
    pub enum LegalStatus {
        /// Accommodated with the parents' agreement (Children Act 1989 section 20).
        Accommodated,
        /// Under an interim care order.
        InterimCareOrder,
        /// Under a care order.
        CareOrder,
        /// Under a placement order, for adoption.
        PlacementOrder,
        /// In police protection (Children Act 1989 section 46).
        PoliceProtection,
        /// Under an emergency protection order.
        EmergencyProtectionOrder,
        /// On remand (SSDA903 legal status J1).
        Remand,
        /// Serving a sentence.
        Sentence,
        /// None.
        None,
        /// Another.
        Other,
    }
}

times! {
    /// The times of a move.
    pub struct MoveTimes {
        /// When the child moved, or the placement started.
        occurred_at,
        /// When the new authority was notified: before a placement, in an emergency within 5 working days.
        notified_at,
    }
}

refs! {
    /// What a move belongs to.
    pub struct MoveRefs {}
}

event! {
    /// A child moved from one local authority's area to another's.
    pub struct ChildMoved {
        clear {
            /// The local authority from whose area the child moved.
            from_la: AgencyCode, required = Always;
            /// The local authority into whose area the child moved.
            to_la: AgencyCode, required = Always;
            /// The plan that the child is on.
            plan: Plan, required = Always;
            /// Whether it was an emergency.
            emergency: Option<bool>, required = Optional;
        }
        disclosed {
            /// The child who moved.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When.
            times: Option<MoveTimes>, owner = Child, keepable = true, required = Always;
            /// What the move belongs to.
            refs: Option<MoveRefs>, owner = Child, keepable = true, required = Optional;
            /// The place where the child lives now.
            place: Option<ContextRef>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for ChildMoved {}

event! {
    /// A child was placed: by a local authority, or by a court in the secure estate.
    pub struct PlacementStarted {
        clear {
            /// The local authority from whose area the child came.
            from_la: AgencyCode, required = Always;
            /// The local authority in whose area the placement is.
            to_la: AgencyCode, required = Always;
            /// The plan that the child is on.
            plan: Plan, required = Always;
            /// Whether the child was placed in an emergency.
            emergency: Option<bool>, required = Optional;
            /// What kind of placement it is.
            placement: PlacementKind, required = Always;
            /// The child's legal status.
            legal_status: LegalStatus, required = Always;
        }
        disclosed {
            /// The child who was placed.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When the placement started.
            times: Option<MoveTimes>, owner = Child, keepable = true, required = Always;
            /// What the placement belongs to.
            refs: Option<MoveRefs>, owner = Child, keepable = true, required = Optional;
            /// The place.
            place: Option<ContextRef>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for PlacementStarted {}

impl PlacementStarted {
    /// Whether the child is in the secure estate: in a secure placement, on remand or serving a sentence.
    pub const fn is_secure(&self) -> bool {
        use PlacementKind::{SecureChildrensHome, SecureTrainingCentre, YoungOffenderInstitution};
        matches!(self.placement, SecureChildrensHome | SecureTrainingCentre | YoungOffenderInstitution)
            || matches!(self.legal_status, LegalStatus::Remand | LegalStatus::Sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, validate_draft};
    use serde_json::json;

    fn is_secure(placement: &str, legal_status: &str) -> bool {
        let data = json!({
            "from_la": "gss:E06000999", "to_la": "gss:E08000999", "plan": "LookedAfter",
            "placement": placement, "legal_status": legal_status,
            "child": { "pseudonym": format!("nhs.1:{}", "A".repeat(43)), "role": "Child" },
            "times": { "occurred_at": "2026-01-05T09:00:00Z" },
        });
        match validate_draft("placement.started", 1, &data) {
            Ok(Event::PlacementStarted(placement)) => placement.is_secure(),
            other => panic!("{other:?}"),
        }
    }

    /// DOMAIN section 5, pattern 6: the secure estate is a matter of the place or of the legal status.
    #[test]
    fn the_secure_estate_is_a_place_or_a_status() {
        for kind in PlacementKind::CODES {
            let secure = ["SecureChildrensHome", "YoungOffenderInstitution", "SecureTrainingCentre"];
            assert_eq!(is_secure(kind, "CareOrder"), secure.contains(kind), "{kind}");
        }
        for status in LegalStatus::CODES {
            assert_eq!(is_secure("FosterCare", status), ["Remand", "Sentence"].contains(status), "{status}");
        }
    }
}
