//! `basis-missing`.

use gt_core::position::LeafIndex;
use gt_projections::Pattern::BasisMissing;
use gt_projections::Subject;
use serde_json::{Value, json};

use super::{fires, only, steps};
use crate::fixture::*;

/// When something is shared: in summer time, so that a year before and after it the clocks stand alike.
const T: &str = "2026-07-01T12:00:00Z";
const YEAR_BEFORE: &str = "2025-07-01T12:00:00Z";

fn share() -> Event {
    decided("share", SCHOOL, 1, "Share", time(T))
}

/// A share that relies on consent as it should be: live, freely given, by somebody competent.
fn by_consent(shared_at: i64) -> Event {
    let given = json!({"status": "Explicit", "by": "PersonWithPR", "freely_given": true, "competent": true});
    decided("share", SCHOOL, 1, "Share", shared_at)
        .clear("lawful_basis", json!([{"kind": "Article6", "code": "a"}]))
        .clear("consent", given)
}

#[test]
fn a_breach_of_a_rule_is_an_alert_and_a_warning_is_none() {
    let basis = |basis: Value| share().clear("lawful_basis", basis);
    let cases = [
        (share(), None),
        (basis(json!([])), Some("E1")),
        (basis(json!([{"kind": "Article6", "code": "e"}])), Some("E8")),
        // W2.
        (share().clear("recipients", json!([{"agency": COUNCIL, "internal": false, "has_safeguarding_role": false, "identity_verified": false}])), None),
        (decided("withheld", SCHOOL, 1, "Withhold", time(T)), None),
    ];
    for (event, code) in cases {
        let found = Views::of(std::slice::from_ref(&event)).of_pattern(BasisMissing);
        let sentences: Vec<&str> = found.iter().map(|alert| &alert.sentence[..]).collect();
        let expected = code.map(|code| {
            format!("The record of a decision by gias:123456 does not show its legal basis in full ({code}).")
        });
        assert_eq!(sentences, Vec::from_iter(expected.as_deref()), "{event:?}");
    }
}

#[test]
fn a_correction_retracts_the_alert_and_another_raises_it_again() {
    let correct = |name: &str, agency: &'static str, basis: &Value, day| {
        basis_corrected(name, agency, 1, "share", basis, time(T) + day * DAY)
    };
    let events = [
        share().clear("lawful_basis", json!([])),
        correct("not theirs to correct", POLICE, &sound_basis(), 1),
        correct("basis added", SCHOOL, &sound_basis(), 2),
        // Said earlier and received later: the last word by event time holds.
        correct("old", SCHOOL, &json!([]), 1),
        correct("wrong after all", SCHOOL, &json!([]), 3),
    ];
    assert_eq!(steps(BasisMissing, &events), [1, 1, 0, 0, 1]);
    let found = Views::of(&events).standing(BasisMissing);
    assert_eq!(only(&found).entries, [0, 2, 3, 4].map(LeafIndex));
}

#[test]
fn consent_withdrawn_before_the_sharing_and_reported_late_is_a_breach() {
    let given = consented("consent", SCHOOL, 1, time(T) - 10 * DAY);
    let withdrawn = |time| unconsented("withdrawn", "consent.withdrawn", SCHOOL, 1, time);
    let events = |at| [by_consent(time(T)), given.clone(), withdrawn(at)];
    assert_eq!(steps(BasisMissing, &events(time(T) - DAY)), [0, 0, 1]);
    assert_eq!(steps(BasisMissing, &events(time(T) + 1)), [0, 0, 0]);
    let again = consented("again", SCHOOL, 1, time(T) - HOUR);
    let [share, given, withdrawn] = events(time(T) - DAY);
    assert_eq!(steps(BasisMissing, &[share, given, withdrawn, again]), [0, 0, 1, 0]);
}

#[test]
fn consent_is_too_old_a_millisecond_after_twelve_months() {
    let given = |time| consented("consent", COUNCIL, 1, time);
    assert!(!fires(BasisMissing, &[by_consent(time(T))]), "nobody recorded when it was given");
    assert!(!fires(BasisMissing, &[given(time(YEAR_BEFORE)), by_consent(time(T))]));
    let found = Views::of(&[given(time(YEAR_BEFORE) - 1), by_consent(time(T))]).of_pattern(BasisMissing);
    assert_eq!(only(&found).subject, Subject::Child(owner(1)));
    assert_eq!((only(&found).window.from, only(&found).window.to), (at(time(YEAR_BEFORE) - 1), at(time(T))));
    assert_eq!(only(&found).entries, [LeafIndex(0), LeafIndex(1)]);
    assert_eq!(
        only(&found).sentence,
        "gias:123456 relied on consent that had not been reviewed for 12 months."
    );
    // What does not rely on it does not care.
    assert!(!fires(BasisMissing, &[given(time(YEAR_BEFORE) - 1), share()]));
}

#[test]
fn months_end_at_the_same_time_of_day_whatever_the_clocks_do() {
    // Winter time on 28 March 2026, summer time a year later.
    let given = consented("consent", COUNCIL, 1, time("2026-03-28T12:00:00Z"));
    assert!(!fires(BasisMissing, &[given.clone(), by_consent(time("2027-03-28T11:00:00Z"))]));
    assert!(fires(BasisMissing, &[given, by_consent(time("2027-03-28T11:00:00.001Z"))]));
}

#[test]
fn consent_that_was_given_again_and_reported_late_retracts_the_alert() {
    let events = [
        consented("consent", COUNCIL, 1, time(YEAR_BEFORE) - DAY),
        by_consent(time(T)),
        consented("after", COUNCIL, 1, time(T) + 1),
        consented("again", COUNCIL, 1, time(T)),
    ];
    assert_eq!(steps(BasisMissing, &events), [0, 1, 1, 0]);
}

#[test]
fn consent_under_another_identifier_counts_while_they_are_linked() {
    let events = [
        consented("consent", COUNCIL, 2, time(YEAR_BEFORE) - DAY),
        by_consent(time(T)),
        identity("one child", true, (1, 2), time(T)),
        identity("two children", false, (1, 2), time(T) + 1),
    ];
    assert_eq!(steps(BasisMissing, &events), [0, 0, 1, 0]);
}

#[test]
fn an_agreement_is_too_old_a_millisecond_after_twelve_months_without_a_review() {
    let concluded = |time| agreed("agreement", COUNCIL, "isa 7", time);
    let relying = || share().within("agreement", "isa 7");
    let old = time(YEAR_BEFORE) - 1;
    assert!(!fires(BasisMissing, &[relying()]), "the log does not know it");
    assert!(!fires(BasisMissing, &[concluded(old + 1), relying()]));
    assert!(!fires(BasisMissing, &[concluded(old), share().within("agreement", "isa 8")]));
    assert!(!fires(
        BasisMissing,
        &[concluded(old), decided("no", SCHOOL, 1, "Withhold", time(T)).within("agreement", "isa 7")]
    ));
    let found = Views::of(&[concluded(old), relying()]).of_pattern(BasisMissing);
    assert_eq!(only(&found).entries, [LeafIndex(0), LeafIndex(1)]);
    assert_eq!(
        only(&found).sentence,
        "gias:123456 relied on an information sharing agreement that had not been reviewed for 12 months."
    );
    // It may be named by the hash of its registration.
    assert!(fires(BasisMissing, &[concluded(old), share().refers("agreement", "agreement")]));
}

#[test]
fn a_review_renews_an_agreement_and_its_end_ends_it() {
    let later = |name: &str, kind, time| agreement_later(name, kind, COUNCIL, "isa 7", time);
    let events = [
        share().within("agreement", "isa 7"),
        agreed("agreement", COUNCIL, "isa 7", time(YEAR_BEFORE) - DAY),
        later("after the sharing", "agreement.reviewed", time(T) + 1),
        later("review", "agreement.reviewed", time(T) - 30 * DAY),
        later("end", "agreement.ended", time(T) - DAY),
        agreement_later("no end", "agreement.reviewed", COUNCIL, "isa 9", time(T))
            .refers("supersedes", "end"),
    ];
    assert_eq!(steps(BasisMissing, &events), [0, 1, 1, 0, 1, 0]);
    let found = Views::of(&events[..5]).standing(BasisMissing);
    assert_eq!(
        only(&found).sentence,
        "gias:123456 shared under an information sharing agreement that had ended."
    );
}

#[test]
fn a_share_under_an_agreement_that_is_corrected_tells_of_the_alert_once() {
    let correction = basis_corrected("correction", SCHOOL, 1, "share", &sound_basis(), time(T) + DAY);
    let events = [
        agreed("agreement", COUNCIL, "isa 7", time(YEAR_BEFORE) - DAY),
        share().within("agreement", "isa 7"),
        correction,
    ];
    let views = Views::of(&events);
    let told: Vec<&str> =
        told(&views.changes, BasisMissing).into_iter().map(gt_projections::ChangeKind::as_str).collect();
    assert_eq!(told, ["raised", "changed"]);
}

#[test]
fn the_three_reasons_are_alerts_of_their_own() {
    let events = [
        consented("consent", COUNCIL, 1, time(YEAR_BEFORE) - DAY),
        agreed("agreement", COUNCIL, "isa 7", time(YEAR_BEFORE) - DAY),
        by_consent(time(T))
            .within("agreement", "isa 7")
            .clear("consent", json!({"status": "NotSought", "why_not": "RiskToChild"})),
    ];
    assert_eq!(Views::of(&events).standing(BasisMissing).len(), 3);
}

#[test]
fn consent_to_something_else_bears_on_no_sharing() {
    let scope = |event: Event, scope: &str| event.clear("scope", json!(scope));
    let given = |name: &str, time| consented(name, COUNCIL, 1, time);
    let withdrawn = |time| unconsented("withdrawn", "consent.withdrawn", COUNCIL, 1, time);
    let sharing = given("consent", time(T) - 10 * DAY);
    let events = [by_consent(time(T)), sharing, scope(withdrawn(time(T) - DAY), "Services")];
    assert_eq!(steps(BasisMissing, &events), [0, 0, 0], "what was withdrawn is another thing");
    // Nor does it renew what is too old.
    let old = given("consent", time(YEAR_BEFORE) - DAY);
    let events = [old, by_consent(time(T)), scope(given("again", time(T) - DAY), "Assessment")];
    assert_eq!(steps(BasisMissing, &events), [0, 1, 1]);
}

#[test]
fn a_withdrawal_that_names_the_consent_takes_nothing_from_what_was_shared_before() {
    let withdrawn = unconsented("withdrawn", "consent.withdrawn", COUNCIL, 1, time(T) + DAY);
    let events = [
        consented("consent", COUNCIL, 1, time(YEAR_BEFORE) - DAY),
        by_consent(time(T)),
        withdrawn.refers("supersedes", "consent"),
    ];
    assert_eq!(steps(BasisMissing, &events), [0, 1, 1]);
    // Whichever comes first.
    let [consent, share, withdrawn] = events;
    assert_eq!(steps(BasisMissing, &[withdrawn, share, consent]), [0, 0, 1]);
}

#[test]
fn a_review_that_names_the_registration_does_not_take_it_back() {
    let review = |time| {
        agreement_later("review", "agreement.reviewed", COUNCIL, "isa 7", time)
            .refers("supersedes", "agreement")
    };
    let events = |reviewed| {
        [
            agreed("agreement", COUNCIL, "isa 7", time(YEAR_BEFORE) - DAY),
            share().within("agreement", "isa 7"),
            review(reviewed),
        ]
    };
    assert_eq!(steps(BasisMissing, &events(time(T) + DAY)), [0, 1, 1], "it came after the sharing");
    assert_eq!(steps(BasisMissing, &events(time(T) - DAY)), [0, 1, 0]);
}

#[test]
fn an_agreement_is_one_under_its_reference_and_its_registrations_hash() {
    let later = |name: &str, kind, time| agreement_later(name, kind, COUNCIL, "isa 7", time);
    let events = [
        share().refers("agreement", "agreement"),
        agreed("agreement", COUNCIL, "isa 7", time(YEAR_BEFORE) - DAY),
        later("review", "agreement.reviewed", time(T) - 30 * DAY),
        later("end", "agreement.ended", time(T) - DAY),
    ];
    assert_eq!(steps(BasisMissing, &events), [0, 1, 0, 1]);
    // And where the share comes last.
    let [share, registered, review, end] = events;
    assert_eq!(steps(BasisMissing, &[registered.clone(), review.clone(), share.clone()]), [0, 0, 0]);
    assert_eq!(steps(BasisMissing, &[registered, review, end, share]), [0, 0, 0, 1]);
}
