//! Pattern 11: an agency that relies on consent for much of what it shares.

use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{DAY, HOUR};
use crate::happening::{Basis, ConsentAct, Decision, What};
use crate::story::Story;

/// Ten or more shares in 60 days by an agency of its own, over a fifth of them on consent.
pub(crate) fn consent_reliance(story: &mut Story, nth: usize) {
    let (shares, on_consent) = [(10, 3), (12, 9), (14, 4)][nth % 3];
    let case =
        story.case("consent-reliance", format!("{on_consent} of {shares} shares in 60 days rely on consent"));
    shared(story, case, shares, on_consent);
}

pub(crate) fn near_misses(story: &mut Story) {
    // Exactly a fifth, and one share too few.
    shared(story, 0, 10, 2);
    shared(story, 0, 9, 9);
}

fn shared(story: &mut Story, case: u32, shares: u32, on_consent: u32) {
    let speaker = story.roster.add(Kind::Charity);
    let first = story.moment(5 * DAY, 75 * DAY);
    let step = 60 * DAY / i64::from(shares);
    for number in 0..shares {
        let at = first + i64::from(number) * step;
        // Spread evenly among the others.
        let relies = number * on_consent / shares != (number + 1) * on_consent / shares;
        one(story, if relies { case } else { 0 }, speaker, at, relies);
    }
}

fn one(story: &mut Story, case: u32, speaker: AgencyNumber, at: i64, relies: bool) {
    let mut child = story.whole();
    let (name, to) = (child.name(), story.somebody());
    let mut decision = Decision::share(to);
    if relies {
        story.tell(speaker, name, at - 5 * HOUR, What::Consent(ConsentAct::Given));
        decision.basis = Basis::Consent;
    }
    let told = story.share(speaker, name, at, decision);
    story.happenings[told].case = case;
}
