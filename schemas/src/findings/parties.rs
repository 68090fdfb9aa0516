//! E6, E9, W2 and W7: whether the parties may rely on what is relied on, and who receives.

use super::facts::{Facts, is_article_6};
use crate::catalogue::Catalogue;
use crate::lawful_basis::{Article6, Gateway, LawfulBasis};

/// E6: a public authority cannot rest its task on a recognised or other legitimate interest.
pub(super) fn public_authority_on_interests(facts: &Facts<'_>, catalogue: &Catalogue) -> bool {
    let interests = [Article6::RecognisedInterest, Article6::LegitimateInterests];
    let public = catalogue.agencies().public_authorities.has(facts.agency) == Some(true);
    public && facts.relies_on(|basis| is_article_6(basis, &interests))
}

/// E9: Part 3, section 35 or its Schedule 8, used by a body that is no competent authority; or section 35 beside an
/// Article 6 basis, for one item of processing is under one regime.
pub(super) fn part_3_misplaced(facts: &Facts<'_>, catalogue: &Catalogue) -> bool {
    let Some(bases) = facts.relied_on() else { return false };
    let uses_part_3 = bases.has_section_35() || bases.has_schedule_8();
    let incompetent = catalogue.agencies().competent_authorities.has(facts.agency) == Some(false);
    uses_part_3 && incompetent || bases.has_section_35() && bases.has_article_6()
}

/// W2: a recipient who is not verified, or has no safeguarding role.
pub(super) fn recipient_in_doubt(facts: &Facts<'_>) -> bool {
    facts.shares_identifiable()
        && facts.recipients.iter().any(|one| !one.identity_verified || !one.has_safeguarding_role)
}

/// W7: section 16LA where the agency or a recipient is outside its list. A private person is outside it.
pub(super) fn outside_the_duty_to_share(facts: &Facts<'_>, catalogue: &Catalogue) -> bool {
    let duty = &catalogue.agencies().duty_to_share;
    let outside = |agency: &str| duty.has(agency) == Some(false);
    let relied_on = facts.relies_on(|basis| basis == LawfulBasis::Gateway { code: Gateway::CA2004S16LA });
    let recipient_outside = facts
        .recipients
        .iter()
        .any(|recipient| recipient.agency.as_ref().is_none_or(|agency| outside(agency.as_str())));
    relied_on && (outside(facts.agency) || recipient_outside)
}
