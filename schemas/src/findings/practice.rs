//! W3–W6 and W8: telling, confidence, withholding, vital interests, purpose.

use super::Known;
use super::facts::{Facts, is_article_6, is_article_9};
use crate::decision_recorded::{
    Category, CollectedFor, DataClass, HarmLevel, InformedStatus, Item, WithholdGround,
};
use crate::lawful_basis::{Article6, Article9, LawfulBasis};

/// W3: the individual was to be told, and no later record says that they were.
pub(super) fn telling_not_completed(facts: &Facts<'_>, known: &Known<'_>) -> bool {
    let planned = facts.informed.is_some_and(|informed| informed.status == InformedStatus::Planned);
    facts.shares_identifiable() && planned && !known.told
}

/// W4: a confidential item, and nothing in the list about confidence. `NotConfidential` denies it, the other three lift
/// it.
pub(super) fn confidence_not_lifted(facts: &Facts<'_>) -> Option<Vec<usize>> {
    let bases = facts.relied_on()?;
    let considered = bases.any(|basis| matches!(basis, LawfulBasis::Confidence { .. }));
    if considered { None } else { facts.shared(is_confidential) }
}

/// Our own default: what is about health, and special category data, is taken to have been told in confidence. Other
/// information may have been too, but nothing in the record shows it.
fn is_confidential(item: &Item) -> bool {
    item.category == Category::Health || item.class == DataClass::Special
}

/// W5: withheld because there is no consent, or because of data protection, where a child is in need or worse. Neither
/// prevents sharing then. It looks at whatever was withheld.
pub(super) fn withheld_in_need(facts: &Facts<'_>) -> bool {
    let on_privacy = facts.withhold.is_some_and(|withhold| {
        matches!(withhold.ground, WithholdGround::NoConsent | WithholdGround::DataProtection)
    });
    facts.decision.withholds() && on_privacy && facts.harm_level >= Some(HarmLevel::ChildInNeed)
}

/// W6: vital interests where no life is at stake. Our own default: one may be at significant harm and in immediate
/// danger, and below them is not.
pub(super) fn no_life_at_stake(facts: &Facts<'_>) -> bool {
    let vital = |basis| {
        is_article_6(basis, &[Article6::VitalInterests]) || is_article_9(basis, &[Article9::VitalInterests])
    };
    facts.relies_on(vital) && facts.harm_level.is_some_and(|level| level < HarmLevel::SignificantHarm)
}

/// W8: used for another purpose than it was collected for, and nobody considered whether that is compatible.
pub(super) fn purpose_not_considered(facts: &Facts<'_>) -> bool {
    facts.shares_identifiable()
        && facts.collected_for == Some(CollectedFor::Different)
        && facts.compatible.is_none()
}
