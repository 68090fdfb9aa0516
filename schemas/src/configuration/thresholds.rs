//! From when on a pattern asks a person to look (DOMAIN section 5).

use super::notation::{Whole, bounded};

/// At least one thing, and not so many that the pattern could never fire.
type Count = Whole<1, 1_000>;
/// Up to ten years.
type DayCount = Whole<1, 3_660>;
/// Up to a year.
type HourCount = Whole<1, 8_784>;
/// Up to ten years.
type MonthCount = Whole<1, 120>;
/// About a quarter of a year: what takes longer is no deadline.
type WorkingDayCount = Whole<1, 60>;

bounded! {
    /// So many within so many days.
    pub struct Window {
        /// How many, at least.
        pub count: u32 as Count,
        /// Within how many days of 24 elapsed hours.
        pub days: u32 as DayCount,
    }
}

bounded! {
    /// A length of time in elapsed hours, whatever the clocks do.
    pub struct Hours {
        /// Elapsed hours.
        pub hours: u32 as HourCount,
    }
}

bounded! {
    /// A length of time in days of 24 elapsed hours.
    pub struct Days {
        /// Days of 24 elapsed hours.
        pub days: u32 as DayCount,
    }
}

bounded! {
    /// How many local authorities are many for one child.
    pub struct ManyAuthorities {
        /// How many authorities, at least.
        pub count: u32 as Count,
        /// Within how many calendar months.
        pub months: u32 as MonthCount,
        /// How many authorities, at least, while the child is in the secure estate.
        pub secure_count: u32 as Count,
    }
}

bounded! {
    /// By when a move must have been shared with the new authority.
    pub struct MovedUnshared {
        /// Working days after the move, for a child with a plan or looked after (CPP, CIN, CLA).
        pub planned_working_days: u32 as WorkingDayCount,
        /// Working days after the move, for every other child.
        pub other_working_days: u32 as WorkingDayCount,
        /// Days of 24 elapsed hours before the move in which an earlier share counts; 0 if none does.
        pub lookback_days: u32 as Whole<0, 366>,
    }
}

bounded! {
    /// When a request is due that names no time, by its rating.
    pub struct RequestUnanswered {
        /// Elapsed hours after a request rated Red.
        pub red_hours: u32 as HourCount,
        /// Elapsed hours after a request rated Amber.
        pub amber_hours: u32 as HourCount,
        /// Elapsed hours after a request rated Green.
        pub green_hours: u32 as HourCount,
    }
}

bounded! {
    /// How long a consent or an agreement is relied on without review.
    pub struct BasisMissing {
        /// Calendar months after which one that was not reviewed is too old.
        pub review_months: u32 as MonthCount,
    }
}

bounded! {
    /// How much reliance on consent is much, for one agency.
    pub struct ConsentReliance {
        /// Of an agency's shares, per cent: more than this fires.
        pub percent: u32 as Whole<1, 100>,
        /// The fewest shares of which a percentage says anything.
        pub shares: u32 as Whole<1, 100_000>,
        /// Within how many days of 24 elapsed hours.
        pub days: u32 as DayCount,
    }
}

bounded! {
    /// How long a share may take, from `aware_at` to `shared_at`.
    pub struct SlowShare {
        /// Elapsed hours where the harm level is significant (s47): more than this fires.
        pub significant_harm_hours: u32 as HourCount,
        /// Elapsed hours at every other level: more than this fires.
        pub other_hours: u32 as HourCount,
    }
}

bounded! {
    /// The thresholds of the patterns. `Default` has the numbers of DOMAIN section 5; only those of `rhi_overdue` come
    /// from statutory guidance.
    pub struct Thresholds {
        /// Pattern 1, `repeat-missing`: so many starts of a missing episode in so many days.
        pub repeat_missing: Window as Window,
        /// Pattern 2, `long-missing`: one episode over this long.
        pub long_missing: Hours as Hours,
        /// Pattern 3, `rhi-overdue`: this long after the return, an interview neither held nor declined.
        pub rhi_overdue: Hours as Hours,
        /// Pattern 4, `shared-location`: so many children linked to one place or other context in so many days.
        pub shared_location: Window as Window,
        /// Pattern 5, `shared-person`: so many children linked to one person of concern in so many days.
        pub shared_person: Window as Window,
        /// Pattern 6, `many-authorities`: so many local authorities for one child.
        pub many_authorities: ManyAuthorities as ManyAuthorities,
        /// Pattern 7, `moved-unshared`: moved to a new authority, and no share to it in time.
        pub moved_unshared: MovedUnshared as MovedUnshared,
        /// Pattern 8, `request-unanswered`: when a request is due that names no time.
        pub request_unanswered: RequestUnanswered as RequestUnanswered,
        /// Pattern 9, `withheld-then-harm`: harm so many days after information about the child was withheld.
        pub withheld_then_harm: Days as Days,
        /// Pattern 10, `basis-missing`: relied on and unreviewed for so long.
        pub basis_missing: BasisMissing as BasisMissing,
        /// Pattern 11, `consent-reliance`: consent as the basis of a large part of an agency's shares.
        pub consent_reliance: ConsentReliance as ConsentReliance,
        /// Pattern 12, `slow-share`: shared later than this.
        pub slow_share: SlowShare as SlowShare,
        /// Pattern 13, `silent-edge`: so many children in common in so many days, and one never shared with the other.
        pub silent_edge: Window as Window,
        /// How soon after an emergency share its full record is due.
        pub emergency_record: Hours as Hours,
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            repeat_missing: Window { count: 3, days: 90 },
            long_missing: Hours { hours: 24 },
            rhi_overdue: Hours { hours: 72 },
            shared_location: Window { count: 3, days: 60 },
            shared_person: Window { count: 2, days: 180 },
            many_authorities: ManyAuthorities { count: 3, months: 12, secure_count: 2 },
            moved_unshared: MovedUnshared {
                planned_working_days: 1,
                other_working_days: 5,
                lookback_days: 28,
            },
            request_unanswered: RequestUnanswered { red_hours: 4, amber_hours: 24, green_hours: 72 },
            withheld_then_harm: Days { days: 90 },
            basis_missing: BasisMissing { review_months: 12 },
            consent_reliance: ConsentReliance { percent: 20, shares: 10, days: 90 },
            slow_share: SlowShare { significant_harm_hours: 24, other_hours: 72 },
            silent_edge: Window { count: 3, days: 180 },
            emergency_record: Hours { hours: 24 },
        }
    }
}
