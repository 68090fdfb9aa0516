//! E1, E8 and E10: whether there is a basis, whether it has its legal source, and whether it was in force.

use super::facts::{Facts, is_article_6};
use crate::catalogue::Catalogue;
use crate::lawful_basis::{Article6, LawfulBasis};

/// E1: no Article 6 basis and no section 35. It concerns every item that identifies a person.
pub(super) fn no_basis(facts: &Facts<'_>) -> Option<Vec<usize>> {
    let bases = facts.relied_on()?;
    if bases.has_article_6() || bases.has_section_35() { None } else { facts.shared(|_| true) }
}

/// E8: a legal obligation or a public task, and no gateway that says which.
pub(super) fn without_legal_source(facts: &Facts<'_>) -> bool {
    let needs_source = [Article6::LegalObligation, Article6::PublicTask];
    facts.relies_on(|basis| is_article_6(basis, &needs_source))
        && !facts.relies_on(|basis| matches!(basis, LawfulBasis::Gateway { .. }))
}

/// E10: a basis, or its condition or ground, that was not in force when the information was shared. What is not known to
/// be in force at all is found even where that moment is not known.
pub(super) fn not_in_force(facts: &Facts<'_>, catalogue: &Catalogue) -> bool {
    facts.relies_on(|basis| {
        catalogue.items_of(basis).any(|item| item.in_force(facts.shared_at) == Some(false))
    })
}
