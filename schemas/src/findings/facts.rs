//! What the rules look at, each member known or not: a record knows all of it, a question asked beforehand may not.

use super::Sharing;
use crate::decision_recorded::{
    CollectedFor, Consent, Decision, Disposition, HarmLevel, Informed, Item, Recipient, Withholding,
};
use crate::lawful_basis::{Article6, Article9, LawfulBasis};
use crate::time::Time;

/// A decision to the rules. `None` is a member that is not known; no rule finds anything in it.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) agency: &'a str,
    pub(crate) decision: Decision,
    pub(crate) harm_level: Option<HarmLevel>,
    pub(crate) collected_for: Option<CollectedFor>,
    pub(crate) compatible: Option<bool>,
    pub(crate) items: &'a [Item],
    pub(crate) recipients: &'a [Recipient],
    pub(crate) lawful_basis: Option<&'a [LawfulBasis]>,
    pub(crate) consent: Option<&'a Consent>,
    pub(crate) informed: Option<&'a Informed>,
    pub(crate) withhold: Option<&'a Withholding>,
    pub(crate) shared_at: Option<Time>,
}

/// The provisions that a decision relied on.
#[derive(Clone, Copy)]
pub(super) struct Bases<'a>(pub(super) &'a [LawfulBasis]);

impl<'a> Facts<'a> {
    pub(super) fn of(sharing: &Sharing<'a>) -> Self {
        Self {
            agency: sharing.agency,
            decision: sharing.decision,
            harm_level: Some(sharing.harm_level),
            collected_for: Some(sharing.collected_for),
            compatible: sharing.compatible,
            items: sharing.items,
            recipients: sharing.recipients,
            lawful_basis: Some(sharing.lawful_basis),
            consent: Some(sharing.consent),
            informed: sharing.informed,
            withhold: sharing.withhold,
            shared_at: sharing.shared_at,
        }
    }

    /// The shared items that identify a person and are of this kind, by index; none if there are none.
    pub(super) fn shared(&self, of_kind: impl Fn(&Item) -> bool) -> Option<Vec<usize>> {
        let items = self.items.iter().enumerate().filter(|(_, item)| self.identifies(item) && of_kind(item));
        let items: Vec<usize> = items.map(|(index, _)| index).collect();
        (!items.is_empty()).then_some(items)
    }

    /// Whether a shared item identifies a person.
    pub(super) fn shares_identifiable(&self) -> bool {
        self.items.iter().any(|item| self.identifies(item))
    }

    /// Whether the item was shared, and identifies a person.
    fn identifies(&self, item: &Item) -> bool {
        item.identifies && item.disposition == Disposition::Shared && self.decision.shares()
    }

    /// The bases, where information that identifies a person was shared and they are known.
    pub(super) fn relied_on(&self) -> Option<Bases<'a>> {
        self.lawful_basis.filter(|_| self.shares_identifiable()).map(Bases)
    }

    /// Whether it relied on a basis of which this holds.
    pub(super) fn relies_on(&self, of_kind: impl Fn(LawfulBasis) -> bool) -> bool {
        self.relied_on().is_some_and(|bases| bases.any(of_kind))
    }
}

impl Bases<'_> {
    pub(super) fn any(self, of_kind: impl Fn(LawfulBasis) -> bool) -> bool {
        self.0.iter().any(|basis| of_kind(*basis))
    }

    pub(super) fn has_article_6(self) -> bool {
        self.any(|basis| matches!(basis, LawfulBasis::Article6 { .. }))
    }

    /// Whether it rests on Part 3 and on nothing of UK GDPR: then Articles 9 and 10 do not apply.
    pub(super) fn is_part_3_alone(self) -> bool {
        self.has_section_35() && !self.has_article_6()
    }

    pub(super) fn has_section_35(self) -> bool {
        self.any(|basis| matches!(basis, LawfulBasis::Part3 { .. }))
    }

    pub(super) fn has_schedule_1(self) -> bool {
        self.any(|basis| matches!(basis, LawfulBasis::Schedule1 { .. }))
    }

    pub(super) fn has_schedule_8(self) -> bool {
        self.any(|basis| matches!(basis, LawfulBasis::Schedule8 { .. }))
    }
}

/// Whether a basis is Article 6(1) with one of these letters.
pub(super) fn is_article_6(basis: LawfulBasis, letters: &[Article6]) -> bool {
    matches!(basis, LawfulBasis::Article6 { code, .. } if letters.contains(&code))
}

/// Whether a basis is Article 9(2) with one of these letters.
pub(super) fn is_article_9(basis: LawfulBasis, letters: &[Article9]) -> bool {
    matches!(basis, LawfulBasis::Article9 { code } if letters.contains(&code))
}
