//! Patterns 6 and 7: many local authorities for one child, and moves that the new one is not told of.

use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{DAY, HOUR, MINUTE, end_of_working_day, is_plain_month, months_later};
use crate::happening::{Decision, Support, Terms, What};
use crate::pseudonyms::Name;
use crate::story::Story;

/// A move between two authorities, which the new one hears of in time.
#[derive(Clone, Copy)]
struct Move {
    from: AgencyNumber,
    to: AgencyNumber,
    at: i64,
    secure: bool,
}

/// Three authorities in 12 months, or two while in the secure estate.
pub(crate) fn many_authorities(story: &mut Story, nth: usize) {
    let at = story.moment(2 * DAY, 345 * DAY);
    let council = story.one(Kind::Council);
    let mut child = story.subject(nth, council, at, at + 330 * DAY);
    let first = story.draw.any() / 2;
    let (there, further) = (story.roster.elsewhere(first), story.roster.elsewhere(first + 1));
    let later = at + story.draw.between(20 * DAY, 330 * DAY) / MINUTE * MINUTE;
    let (about, moves) = match nth % 3 {
        0 => (
            "three authorities",
            vec![
                Move { from: council, to: there, at, secure: false },
                Move { from: there, to: further, at: later, secure: false },
            ],
        ),
        1 => ("two authorities, secure", vec![Move { from: council, to: there, at, secure: true }]),
        _ => (
            "two authorities, then secure",
            vec![
                Move { from: council, to: there, at, secure: false },
                Move { from: there, to: there, at: later, secure: true },
            ],
        ),
    };
    let case = story.case("many-authorities", about);
    for step in moves {
        moved(story, case, council, child.name(), step);
        told(story, council, child.name(), step);
    }
}

/// A move that the new authority is not told of: nobody at all is told, another agency is, or it comes weeks too late or was
/// long before.
pub(crate) fn moved_unshared(story: &mut Story, nth: usize) {
    let at = story.moment(32 * DAY, 40 * DAY);
    let council = story.one(Kind::Council);
    let mut child = story.subject(nth, council, at - 31 * DAY, at + 25 * DAY);
    let elsewhere = story.draw.any();
    let to = story.roster.elsewhere(elsewhere);
    let (about, share) = match nth % 4 {
        0 => ("nobody is told of a move", None),
        1 => ("only another agency is told of a move", Some((story.partner(council), HOUR))),
        2 => ("the new authority is told weeks later", Some((to, 20 * DAY))),
        _ => ("the new authority was told of something over 28 days before", Some((to, -30 * DAY))),
    };
    let case = story.case("moved-unshared", about);
    let step = Move { from: council, to, at, secure: false };
    moved(story, case, council, child.name(), step);
    if let Some((to, after)) = share {
        story.share(council, child.name(), at + after, Decision::share(to));
    }
}

pub(crate) fn near_misses(story: &mut Story) {
    let council = story.one(Kind::Council);
    let first = story.draw.any() / 2;
    let (there, further) = (story.roster.elsewhere(first), story.roster.elsewhere(first + 1));
    let step = |from, to, at, secure| Move { from, to, at, secure };

    let at = story.moment(2 * DAY, 385 * DAY);
    let year = months_later(at, 12) + 2 * DAY;
    for second in [step(there, council, at + 100 * DAY, false), step(there, further, year, false)] {
        let mut child = story.split(council, at, second.at);
        for step in [step(council, there, at, false), second] {
            moved(story, 0, council, child.name(), step);
            told(story, council, child.name(), step);
        }
    }

    let at = story.moment(2 * DAY, 20 * DAY);
    let mut child = story.whole();
    moved(story, 0, council, child.name(), step(council, council, at, true));

    told_at_the_last_moment(story, council, there);
}

/// The share is nearly 28 days old, or comes in the last minute of the last working day; or the note of it does.
fn told_at_the_last_moment(story: &mut Story, council: AgencyNumber, to: AgencyNumber) {
    for (plan, emergency) in
        [(Support::LookedAfter, false), (Support::LookedAfter, true), (Support::None, false)]
    {
        let terms = Terms { plan, emergency };
        let at = plain_moment(story);
        let deadline = end_of_working_day(at, terms.working_days());
        for shared in [Some(at - 28 * DAY + 2 * HOUR), Some(deadline), None] {
            let mut child = story.split(council, at - 30 * DAY, at + 20 * DAY);
            let notified = if shared.is_none() { Some(deadline) } else { None };
            let what = What::Moved { from: council, to, terms, notified };
            let told = story.tell(council, child.name(), at, what);
            match shared {
                Some(shared) => _ = story.share(council, child.name(), shared, Decision::share(to)),
                // What has not happened yet cannot be told yet.
                None => story.happenings[told].received += deadline - at,
            }
        }
    }
}

/// A moment without bank holidays about it.
fn plain_moment(story: &mut Story) -> i64 {
    loop {
        let at = story.moment(32 * DAY, 20 * DAY);
        if is_plain_month(at) {
            return at;
        }
    }
}

fn moved(story: &mut Story, case: u32, council: AgencyNumber, child: Name, step: Move) {
    let Move { from, to, at, secure } = step;
    let plan =
        story.draw.one_of(&[Support::Protection, Support::InNeed, Support::LookedAfter, Support::None]);
    let terms = Terms { plan, emergency: story.draw.chance(15) };
    // Who speaks need not share with itself.
    let notified = if to == council { Some(at - DAY) } else { None };
    let what = if secure || story.draw.chance(50) {
        What::Placed { from, to, terms, notified, secure }
    } else {
        What::Moved { from, to, terms, notified }
    };
    story.evidence(case, council, child, at, what);
}

fn told(story: &mut Story, council: AgencyNumber, child: Name, step: Move) {
    if step.from != step.to && step.to != council {
        let after = story.draw.one_of(&[-20 * DAY, -2 * DAY, -3 * HOUR, 2 * HOUR]);
        story.share(council, child, step.at + after, Decision::share(step.to));
    }
}
