//! `basis-missing`: a decision breaks a rule about its legal basis (an E finding), or relies on consent or on an information sharing
//! agreement that nobody has given or reviewed for 12 months (DOMAIN section 5, pattern 10; the months are a
//! threshold).
//!
//! What counts is the decision as it was corrected since: a correction that adds the basis retracts the alert. Consent is
//! looked at where a share relies on Article 6(a) and the child's record says when consent to sharing was given; an agreement
//! where a share names it and the log has its registration. Months are calendar months, to the same time of day in England.
//!
//! **The id is anchored to** the decision, and to which of the three it is.

use gt_schemas::{Configuration, Event, Time};

use super::sentence::months;
use super::{ChildScene, Finding, Pattern, sorted};
use crate::decision::{Decided, SHARING};
use crate::event::{StatementRef, ViewEvent};
use crate::share::Share;
use crate::subject::Subject;

/// Which of the three reasons: part of the anchor.
#[derive(Clone, Copy)]
enum Reason {
    Findings = 0,
    Consent = 1,
    Agreement = 2,
}

pub(super) fn find(scene: &ChildScene<'_>, decisions: &[Decided<'_>], rules: &Configuration) -> Vec<Finding> {
    let by_findings = decisions.iter().filter_map(|one| by_findings(scene, one, rules));
    let by_consent = decisions.iter().filter_map(|one| by_consent(scene, one, rules));
    by_findings.chain(by_consent).collect()
}

fn by_findings(scene: &ChildScene<'_>, one: &Decided<'_>, rules: &Configuration) -> Option<Finding> {
    let found = one.findings(scene.record(), &rules.legal);
    let codes: Vec<&str> =
        found.iter().filter(|found| found.code.is_breach()).map(|found| found.code.as_str()).collect();
    if codes.is_empty() {
        return None;
    }
    let at = one.shared_at().or(one.decided_at())?;
    Some(Finding {
        pattern: Pattern::BasisMissing,
        anchor: anchor(one.event.statement, Reason::Findings),
        about: scene.about(),
        due: None,
        window: (at, at),
        entries: one.entries(),
        sentence: format!(
            "The record of a decision by {} does not show its legal basis in full ({}).",
            one.event.speaker(),
            codes.join(", ")
        ),
    })
}

/// The last giving of consent before the sharing is too long ago.
fn by_consent(scene: &ChildScene<'_>, one: &Decided<'_>, rules: &Configuration) -> Option<Finding> {
    if !one.decision.decision.shares() || !one.relies_on_consent() {
        return None;
    }
    let shared_at = one.shared_at()?;
    let is_given = |(time, event): &&(i64, &ViewEvent)| {
        *time <= shared_at && matches!(&event.event, Event::ConsentGiven(given) if given.scope == SHARING)
    };
    let (time, consent) = scene.events.iter().rfind(is_given)?;
    if !is_too_old(*time, shared_at, rules) {
        return None;
    }
    Some(Finding {
        pattern: Pattern::BasisMissing,
        anchor: anchor(one.event.statement, Reason::Consent),
        about: scene.about(),
        due: None,
        window: (*time, shared_at),
        entries: sorted(one.entries().into_iter().chain([consent.index])),
        sentence: sentence(one.event.speaker(), "consent", rules),
    })
}

/// Shares that rely on an agreement. `events` are the agreement's own that stand, sorted; `shares` those that name it.
pub(crate) fn of_agreement<'s>(
    events: &[(i64, &ViewEvent)],
    shares: impl Iterator<Item = &'s Share>,
    rules: &Configuration,
) -> Vec<Finding> {
    shares.filter_map(|share| of_share(events, share, rules)).collect()
}

/// What the alert of a share that relies on an agreement is anchored to.
pub(crate) fn alert_of_agreement(decision: StatementRef) -> Vec<u8> {
    anchor(decision, Reason::Agreement)
}

fn of_share(events: &[(i64, &ViewEvent)], share: &Share, rules: &Configuration) -> Option<Finding> {
    let (time, last) = events.iter().rfind(|(time, _)| *time <= share.shared_at)?;
    let ended = matches!(last.event, Event::AgreementEnded(_));
    if !ended && !is_too_old(*time, share.shared_at, rules) {
        return None;
    }
    Some(Finding {
        pattern: Pattern::BasisMissing,
        anchor: anchor(share.statement, Reason::Agreement),
        about: Subject::Child(share.child),
        due: None,
        window: (*time, share.shared_at),
        entries: sorted(share.entries.iter().copied().chain([last.index])),
        sentence: if ended {
            format!("{} shared under an information sharing agreement that had ended.", share.agency)
        } else {
            sentence(&share.agency, "an information sharing agreement", rules)
        },
    })
}

fn is_too_old(reviewed: i64, relied_on: i64, rules: &Configuration) -> bool {
    let threshold = rules.thresholds.basis_missing.review_months;
    let until = Time::from_millis(reviewed).map(|time| rules.calendar.add_months(time, threshold));
    until.is_some_and(|until| until.as_millis() < relied_on)
}

fn sentence(agency: &str, what: &str, rules: &Configuration) -> String {
    let threshold = rules.thresholds.basis_missing.review_months;
    format!("{agency} relied on {what} that had not been reviewed for {}.", months(threshold.into()))
}

fn anchor(statement: StatementRef, reason: Reason) -> Vec<u8> {
    [&statement.0[..], &[reason as u8]].concat()
}
