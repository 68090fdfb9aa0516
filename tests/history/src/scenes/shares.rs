//! Patterns 10 and 12: shares without a sound basis, and slow ones.

use crate::agencies::Kind;
use crate::calendar::{DAY, HOUR, MINUTE, months_later};
use crate::happening::{AgreementAct, Basis, ConsentAct, Decision, Level, What};
use crate::story::Story;

/// Finding E2, consent that is over a year old, or an agreement that is not reviewed for a year or has ended.
pub(crate) fn basis_missing(story: &mut Story, nth: usize) {
    match nth % 4 {
        0 | 2 => without_article_9(story, nth),
        1 => relying_on_consent(story, nth, true),
        _ => relying_on_agreement(story, if nth % 8 == 3 { Reliance::Unreviewed } else { Reliance::Ended }),
    }
}

/// Shared later than a day after the concern came at significant harm, or than three days otherwise.
pub(crate) fn slow_share(story: &mut Story, nth: usize) {
    let level = [Level::SignificantHarm, Level::ChildInNeed, Level::Immediate, Level::EarlyHelp][nth % 4];
    let over = if nth % 4 < 2 { 1 } else { 1 + story.draw.below(4 * 24 * 60) };
    shared_after(story, nth, level, over);
}

pub(crate) fn near_misses(story: &mut Story) {
    for level in [Level::SignificantHarm, Level::Immediate, Level::ChildInNeed, Level::None] {
        shared_after(story, 1, level, 0);
    }
    relying_on_consent(story, 0, false);
    relying_on_agreement(story, Reliance::Reviewed);
    relying_on_agreement(story, Reliance::EndedSince);
}

/// A share so many minutes later than it should be.
fn shared_after(story: &mut Story, nth: usize, level: Level, over: u32) {
    let (speaker, at) = (story.somebody(), story.moment(12 * DAY, 20 * DAY));
    let mut child = story.subject(nth, speaker, at, at + DAY);
    let aware = Some(level.minutes_to_share() + over);
    let decision = Decision { level, aware, ..Decision::share(story.partner(speaker)) };
    let told = story.share(speaker, child.name(), at, decision);
    if over > 0 {
        let about = format!("shared {over} minutes too late");
        story.happenings[told].case = story.case("slow-share", about);
    }
}

fn without_article_9(story: &mut Story, nth: usize) {
    let (speaker, at) = (story.one(Kind::Health), story.moment(2 * DAY, 20 * DAY));
    let mut child = story.subject(nth / 2, speaker, at, at + DAY);
    let basis = Basis::WithoutArticle9;
    let decision = Decision { basis, ..Decision::share(story.partner(speaker)) };
    let told = story.share(speaker, child.name(), at, decision);
    story.happenings[told].case = story.case("basis-missing", "special category data without Article 9 (E2)");
}

/// A share on consent that was given over 12 months before, or nearly.
fn relying_on_consent(story: &mut Story, nth: usize, too_old: bool) {
    let speaker = story.quiet();
    let shared = story.moment(420 * DAY, 20 * DAY);
    let given = if too_old { months_later(shared, -12) - 3 * DAY } else { months_later(shared, -12) + DAY };
    let mut child = story.subject(nth, speaker, given, shared);
    let case = if too_old {
        story.case("basis-missing", "consent given over 12 months before the share")
    } else {
        0
    };
    // An earlier one does not count: the latest does.
    story.tell(speaker, child.name(), given - 90 * DAY, What::Consent(ConsentAct::Given));
    story.evidence(case, speaker, child.name(), given, What::Consent(ConsentAct::Given));
    let to = story.somebody();
    let decision = Decision { basis: Basis::Consent, ..Decision::share(to) };
    let told = story.share(speaker, child.name(), shared, decision);
    story.happenings[told].case = case;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reliance {
    Unreviewed,
    Ended,
    Reviewed,
    EndedSince,
}

/// A share under an agreement of its own, registered years before.
fn relying_on_agreement(story: &mut Story, reliance: Reliance) {
    use AgreementAct::{Ended, Registered, Reviewed};
    let (speaker, shared) = (story.one(Kind::Council), story.moment(420 * DAY, 20 * DAY));
    let (number, other) = (story.number(), story.partner(speaker));
    let mut child = story.whole();
    let year = months_later(shared, -12);
    let acts = match reliance {
        Reliance::Unreviewed => [(Registered, year - 300 * DAY), (Reviewed, year - 2 * DAY)],
        Reliance::Ended => [(Registered, year + 60 * DAY), (Ended, shared - 20 * DAY)],
        Reliance::Reviewed => [(Registered, year - 300 * DAY), (Reviewed, year + DAY)],
        Reliance::EndedSince => [(Registered, year + 60 * DAY), (Ended, shared + HOUR + MINUTE)],
    };
    let case = match reliance {
        Reliance::Unreviewed => story.case("basis-missing", "an agreement not reviewed for 12 months"),
        Reliance::Ended => story.case("basis-missing", "an agreement that had ended"),
        Reliance::Reviewed | Reliance::EndedSince => 0,
    };
    let [first, last] = acts.map(|(act, at)| (What::Agreement { act, number, other }, at));
    story.tell(speaker, 0, first.1, first.0);
    story.evidence(case, speaker, 0, last.1, last.0);
    let decision = Decision { agreement: Some(number), ..Decision::share(other) };
    let told = story.share(speaker, child.name(), shared, decision);
    story.happenings[told].case = case;
}
