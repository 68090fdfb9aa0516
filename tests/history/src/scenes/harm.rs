//! Pattern 9: harm that follows a decision to withhold.

use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{DAY, HOUR, MINUTE};
use crate::happening::{Decision, Outcome, What};
use crate::pseudonyms::Name;
use crate::story::Story;

/// Harm within 90 days of withholding, some of it on the last, some of it twice.
pub(crate) fn withheld_then_harm(story: &mut Story, nth: usize) {
    let (speaker, at) = (story.somebody(), story.moment(2 * DAY, 100 * DAY));
    let mut child = story.subject(nth, speaker, at, at + 90 * DAY);
    let after = if nth % 4 == 1 { 90 * DAY } else { story.draw.between(HOUR, 80 * DAY) / MINUTE * MINUTE };
    let case = story.case("withheld-then-harm", format!("harm {} days after withholding", after / DAY));
    withheld(story, case, speaker, child.name(), at, Outcome::Withhold);
    harmed(story, case, speaker, child.name(), at + after);
    if nth % 4 == 2 {
        harmed(story, case, speaker, child.name(), at + after + 2 * DAY);
    }
}

pub(crate) fn near_misses(story: &mut Story) {
    for (outcome, after) in [
        (Outcome::Withhold, 90 * DAY + MINUTE),
        (Outcome::Withhold, -MINUTE),
        (Outcome::SharePart, 3 * DAY),
        (Outcome::Share, DAY),
    ] {
        let (speaker, at) = (story.somebody(), story.moment(2 * DAY, 100 * DAY));
        let mut child = story.split(speaker, at - DAY, at + 91 * DAY);
        withheld(story, 0, speaker, child.name(), at, outcome);
        harmed(story, 0, speaker, child.name(), at + after);
    }
}

fn withheld(story: &mut Story, case: u32, speaker: AgencyNumber, child: Name, at: i64, outcome: Outcome) {
    let decision = Decision { outcome, ..Decision::share(story.partner(speaker)) };
    story.evidence(case, speaker, child, at, What::Decision(decision));
}

/// As the health service of the same locality records it.
fn harmed(story: &mut Story, case: u32, speaker: AgencyNumber, child: Name, at: i64) {
    let health = story.roster.neighbour(speaker, Kind::Health);
    story.evidence(case, health, child, at, What::Harm);
}
