//! The columns of each list as CSV: the members of its items.

use gt_projections::{
    AgencySharing, AgreementRow, Alert, ChildEpisode, ContextLink, ContextRow, DecisionRow, Episode,
    FindingCount, Identity, PersonLink, PersonRow, RequestRow, RetentionRow, SharingWay, TimelineEvent,
};

use super::children::Access;
use crate::http::answer::{Count, Row};

macro_rules! columns {
    ($($Row:ident: $($column:literal)+ $([all $($all:literal)+; some $($some:literal)*; worked_out $($worked_out:literal of $of:literal)*])?;)+) => {
        $(impl Row for $Row {
            const COLUMNS: &'static [&'static str] = &[$($column),+];
            $(
                const COUNTS: &'static [Count] = &[
                    $(Count { column: $all, of_all: true },)+
                    $(Count { column: $some, of_all: false },)*
                ];
                const WORKED_OUT: &'static [(&'static str, &'static str)] = &[$(($worked_out, $of)),*];
            )?
        })+
    };
}

columns! {
    DecisionRow: "index" "child" "agency" "on_behalf_of" "decision" "trigger" "purpose" "harm_level" "lawful_basis" "consent"
        "informed" "withhold_ground" "emergency" "recipients" "findings" "occurred_at" "aware_at" "shared_at" "review_at"
        "received_at" "corrected_by" "superseded_by";
    TimelineEvent: "index" "child" "occurred_at" "received_at" "due_at" "type" "agency" "on_behalf_of" "codes" "superseded_by";
    Episode: "kind" "started_at" "ended_at" "state" "from" "risk" "harm_suspected" "agencies" "entries";
    ChildEpisode: "child" "kind" "started_at" "ended_at" "state" "from" "risk" "harm_suspected" "agencies" "entries";
    Identity: "id" "stands_for_all" "links";
    RequestRow: "index" "child" "agency" "on_behalf_of" "requester" "rating" "categories" "gateway" "occurred_at" "received_at"
        "due_at" "state" "left_ms" "answered_at" "answered_by" "answer";
    RetentionRow: "child" "identities" "ends" "due_since" "records_end" "classes" "controllers" "held_by";
    Access: "index" "child" "type" "reader" "role" "purpose" "what" "break_glass" "records" "expires_at" "occurred_at" "received_at"
        "agency";
    ContextRow: "context" "children" "links" "kinds" "risks" "agencies" "first_at" "last_at";
    ContextLink: "index" "child" "kind" "risk" "agency" "on_behalf_of" "occurred_at" "received_at" "ended_at" "superseded_by";
    PersonRow: "person" "children" "links" "decisions" "risks" "agencies" "first_at" "last_at";
    PersonLink: "index" "child" "risk" "source" "nature" "agency" "on_behalf_of" "occurred_at" "received_at" "ended_at"
        "superseded_by";
    SharingWay: "from" "to" "shares" "children" "by_consent" "under_agreement" "timed" "median_ms" "p90_ms" "first_shared_at"
        "last_shared_at"
        [all "shares" "children"; some "by_consent" "under_agreement" "timed"; worked_out
        "median_ms" of "timed" "p90_ms" of "timed" "first_shared_at" of "shares" "last_shared_at" of "shares"];
    AgencySharing: "agency" "recipients" "shares" "children" "by_consent" "under_agreement" "timed" "median_ms" "p90_ms"
        "first_shared_at" "last_shared_at"
        [all "shares" "children"; some "by_consent" "under_agreement" "timed"; worked_out
        "median_ms" of "timed" "p90_ms" of "timed" "first_shared_at" of "shares" "last_shared_at" of "shares"];
    FindingCount: "agency" "code" "breach" "decisions" "sentence" [all "decisions"; some; worked_out];
    AgreementRow: "agreement" "kind" "parties" "registered_at" "reviewed_at" "next_review_at" "review_due_at" "review_overdue"
        "ended_at" "end" "shares" "entries" [all "shares"; some; worked_out];
    Alert: "id" "pattern" "version" "status" "subject" "sentence" "raised_at" "raised_by" "window" "entries" "thresholds" "handling"
        "retraction";
}
