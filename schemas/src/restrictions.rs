//! `record.restricted`, `record.released`, `hold.placed`, `hold.lifted`: records that few may read, and records that may
//! not be erased (DOMAIN sections 4 and 8).

use crate::definition::Rules;
use crate::member::Requirement::{Always, Optional};
use crate::notation::{codes, events, refs, times};
use crate::people::Child;
use crate::words::Text;

codes! {
    /// Why a child's record is restricted.
    pub enum RestrictionGround {
        /// The child was, or is to be, adopted.
        Adoption,
        /// Somebody in the family is under witness protection.
        WitnessProtection,
        /// Somebody in the family works for the agency.
        StaffFamily,
        /// Another reason.
        Other,
    }
}

codes! {
    /// Why a child's record must be kept.
    pub enum HoldGround {
        /// Legal proceedings.
        LegalProceedings,
        /// A public inquiry.
        Inquiry,
        /// A police investigation.
        PoliceInvestigation,
        /// A child safeguarding practice review.
        SafeguardingReview,
        /// Another reason.
        Other,
    }
}

times! {
    /// The times of a restriction.
    pub struct RestrictionTimes {
        /// When it began or ended.
        occurred_at,
    }
}

refs! {
    /// What a restriction belongs to.
    pub struct RestrictionRefs {}
}

events! {
    /// A child's record is restricted to few readers.
    pub struct RecordRestricted;
    /// The restriction of a child's record ends.
    pub struct RecordReleased;
    each {
        clear {
            /// Why the record is, or was, restricted.
            ground: RestrictionGround, required = Always;
        }
        disclosed {
            /// The child whose record it is.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When the restriction begins or ends.
            times: Option<RestrictionTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<RestrictionRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for RecordRestricted {}
impl Rules for RecordReleased {}

times! {
    /// The times of a hold.
    pub struct HoldTimes {
        /// When it was placed or lifted.
        occurred_at,
    }
}

refs! {
    /// What a hold belongs to.
    pub struct HoldRefs {}
}

events! {
    /// A hold is placed on a child's record: until it is lifted nothing of it is erased.
    pub struct HoldPlaced;
    /// A hold on a child's record is lifted.
    pub struct HoldLifted;
    each {
        clear {
            /// Why the record must, or had to, be kept.
            ground: HoldGround, required = Always;
        }
        disclosed {
            /// The child whose record it is.
            child: Option<Child>, owner = Child, keepable = false, required = Always;
            /// When the hold is placed or lifted.
            times: Option<HoldTimes>, owner = Child, keepable = true, required = Always;
            /// What it belongs to.
            refs: Option<HoldRefs>, owner = Child, keepable = true, required = Optional;
            /// The reasons in words.
            reason: Option<Text>, owner = Child, keepable = true, required = Optional;
        }
    }
}

impl Rules for HoldPlaced {}
impl Rules for HoldLifted {}
