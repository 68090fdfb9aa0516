//! E7, W1 and W9: consent that is relied on.

use super::facts::{Facts, is_article_6, is_article_9};
use super::{ConsentSeen, Known};
use crate::decision_recorded::ConsentStatus;
use crate::lawful_basis::{Article6, Article9};

/// E7: Article 6(1)(a) without consent that was live when the information was shared; Article 9(2)(a) needs it explicit.
pub(super) fn not_live(facts: &Facts<'_>, known: &Known<'_>) -> bool {
    let Some(consent) = facts.consent else { return false };
    let live = is_given(consent.status) && !was_ended(facts, known);
    relied_on(facts) && !live
        || relied_on_for_special(facts) && !(live && consent.status == ConsentStatus::Explicit)
}

/// W1: consent as the Article 6 basis.
pub(super) fn relied_on(facts: &Facts<'_>) -> bool {
    facts.relies_on(|basis| is_article_6(basis, &[Article6::Consent]))
}

/// W9: consent relied on that was not freely given, or given by somebody not competent: as the decision says, or as the
/// last record of its giving says.
pub(super) fn not_valid(facts: &Facts<'_>, known: &Known<'_>) -> bool {
    let invalid =
        |free: Option<bool>, competent: Option<bool>| free == Some(false) || competent == Some(false);
    let own = facts.consent.is_some_and(|consent| invalid(consent.freely_given, consent.competent));
    let seen = last(facts, known, is_given).is_some_and(|seen| invalid(seen.freely_given, seen.competent));
    (relied_on(facts) || relied_on_for_special(facts)) && (own || seen)
}

fn relied_on_for_special(facts: &Facts<'_>) -> bool {
    facts.relies_on(|basis| is_article_9(basis, &[Article9::ExplicitConsent]))
}

/// Whether consent was refused or withdrawn before the sharing and not given again since.
fn was_ended(facts: &Facts<'_>, known: &Known<'_>) -> bool {
    let ended = last(facts, known, is_ended).map(|seen| seen.at);
    ended > last(facts, known, is_given).map(|seen| seen.at)
}

/// The last record of this kind up to the moment of sharing. Without that moment nobody knows which came before.
fn last(facts: &Facts<'_>, known: &Known<'_>, of_kind: fn(ConsentStatus) -> bool) -> Option<ConsentSeen> {
    let shared_at = facts.shared_at?;
    let seen = known.consents.iter().filter(|seen| of_kind(seen.status) && seen.at <= shared_at);
    seen.max_by_key(|seen| seen.at).copied()
}

fn is_given(status: ConsentStatus) -> bool {
    matches!(status, ConsentStatus::Explicit | ConsentStatus::Given)
}

fn is_ended(status: ConsentStatus) -> bool {
    matches!(status, ConsentStatus::Refused | ConsentStatus::Withdrawn)
}
