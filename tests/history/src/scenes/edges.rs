//! Pattern 13: two agencies that know the same children, of which one never shares with the other.

use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{DAY, MINUTE};
use crate::happening::{ConsentAct, Decision, What};
use crate::story::Story;

/// Three children in common within 180 days. The second agency shares with the first, but the first never with the second.
pub(crate) fn silent_edge(story: &mut Story, nth: usize) {
    let (a, b) = (story.roster.add(Kind::School), story.roster.add(Kind::Health));
    let days: &[i64] = [&[0, 60, 180][..], &[0, 2, 30], &[0, 1, 2, 3, 100]][nth % 3];
    let about = format!("{} never shared with {}", story.roster.code(a), story.roster.code(b));
    story.case("silent-edge", about);
    let first = in_common(story, nth, (a, b), days);
    story.share(b, first.0, first.1 + DAY, Decision::share(a));
}

pub(crate) fn near_misses(story: &mut Story) {
    // Two children; three within some days over 180; and three who were shared about both ways.
    let pair = |story: &mut Story| (story.roster.add(Kind::School), story.roster.add(Kind::Charity));
    let strangers = pair(story);
    in_common(story, 0, strangers, &[0, 30]);
    let strangers = pair(story);
    in_common(story, 0, strangers, &[0, 90, 190]);
    let (a, b) = pair(story);
    let (name, at) = in_common(story, 0, (a, b), &[0, 5, 30]);
    story.share(a, name, at + MINUTE * 30, Decision::share(b));
    story.share(b, name, at + DAY, Decision::share(a));
}

/// Children whom both speak of on these days. Answers with the first child's name, and the first day.
fn in_common(
    story: &mut Story,
    nth: usize,
    (a, b): (AgencyNumber, AgencyNumber),
    days: &[i64],
) -> (u32, i64) {
    let at = story.moment(3 * DAY, 210 * DAY);
    let mut first = None;
    for (number, day) in days.iter().enumerate() {
        let seen = at + day * DAY;
        let mut child = story.subject(nth + number, a, seen, seen + 5 * DAY);
        let name = child.name();
        story.tell(a, name, seen, What::Disclosure { to: a });
        // In the same moment, so that the days say exactly how far apart the children are.
        story.tell(b, child.name(), seen, What::Consent(ConsentAct::Refused));
        first.get_or_insert(name);
    }
    (first.expect("there are children in common"), at)
}
