//! E2–E5: the further condition that special category data and criminal offence data need.

use super::facts::{Facts, is_article_9};
use crate::decision_recorded::{DataClass, Item};
use crate::lawful_basis::{Article9, Article10, LawfulBasis, Schedule1Paragraph};

/// DPA 2018 section 10(2) and (3).
const NEED_SCHEDULE_1: &[Article9] = &[
    Article9::SocialProtection,
    Article9::SubstantialPublicInterest,
    Article9::HealthOrSocialCare,
    Article9::PublicHealth,
    Article9::Research,
];

/// E2: special category data without an Article 9 condition. Part 3 has Schedule 8 instead; where both regimes are
/// claimed, either will do here, and E9 speaks of the mixture.
pub(super) fn special_without_condition(facts: &Facts<'_>) -> Option<Vec<usize>> {
    let bases = facts.relied_on()?;
    let article_9 = bases.any(|basis| matches!(basis, LawfulBasis::Article9 { .. }));
    let has_condition =
        article_9 && !bases.is_part_3_alone() || bases.has_section_35() && bases.has_schedule_8();
    if has_condition { None } else { facts.shared(is_special) }
}

/// E3: an Article 9 condition that needs one of Schedule 1 beside it.
pub(super) fn without_schedule_1(facts: &Facts<'_>) -> Option<Vec<usize>> {
    let bases = facts.relied_on()?;
    let needs = bases.any(|basis| is_article_9(basis, NEED_SCHEDULE_1));
    if needs && !bases.has_schedule_1() { facts.shared(is_special) } else { None }
}

/// E4: paragraph 18 says that it is done without consent, and not on which of the three grounds.
pub(super) fn paragraph_18_without_ground(facts: &Facts<'_>) -> bool {
    let bare = LawfulBasis::Schedule1 { paragraph: Schedule1Paragraph::P18, ground: None };
    facts.relies_on(|basis| basis == bare)
}

/// E5: criminal offence data without official authority or a condition of Schedule 1. `Schedule1Condition` alone only
/// announces that condition. Under Part 3 alone Article 10 does not apply.
pub(super) fn offences_without_authority(facts: &Facts<'_>) -> Option<Vec<usize>> {
    let bases = facts.relied_on()?;
    let official = LawfulBasis::Article10 { code: Article10::OfficialAuthority };
    let has_authority = bases.any(|basis| basis == official) || bases.has_schedule_1();
    if has_authority || bases.is_part_3_alone() {
        return None;
    }
    facts.shared(|item| item.class == DataClass::CriminalOffence)
}

fn is_special(item: &Item) -> bool {
    item.class == DataClass::Special
}
