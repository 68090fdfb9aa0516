//! DOMAIN section 5: the numbers from which each pattern asks a person to look, and England's calendar.

use gt_schemas::{Configuration, Thresholds};
use serde_json::json;

#[test]
fn the_numbers_are_those_of_the_domain() {
    let domain = json!({
        "repeat_missing": { "count": 3, "days": 90 },
        "long_missing": { "hours": 24 },
        "rhi_overdue": { "hours": 72 },
        "shared_location": { "count": 3, "days": 60 },
        "shared_person": { "count": 2, "days": 180 },
        "many_authorities": { "count": 3, "months": 12, "secure_count": 2 },
        "moved_unshared": { "planned_working_days": 1, "other_working_days": 5, "lookback_days": 28 },
        "request_unanswered": { "red_hours": 4, "amber_hours": 24, "green_hours": 72 },
        "withheld_then_harm": { "days": 90 },
        "basis_missing": { "review_months": 12 },
        "consent_reliance": { "percent": 20, "shares": 10, "days": 90 },
        "slow_share": { "significant_harm_hours": 24, "other_hours": 72 },
        "silent_edge": { "count": 3, "days": 180 },
        "emergency_record": { "hours": 24 },
    });
    assert_eq!(serde_json::to_value(Thresholds::default()).unwrap(), domain);
    assert_eq!(Configuration::standard().to_json()["thresholds"], domain);
}
