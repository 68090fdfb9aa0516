//! Pattern 8: requests for information that nobody answers in time.

use crate::calendar::{DAY, HOUR, MINUTE};
use crate::happening::{Rating, What};
use crate::story::Story;

/// Past due: never answered, answered late, or refused late; due as its rating says or as it says itself.
pub(crate) fn request_unanswered(story: &mut Story, nth: usize) {
    let (speaker, at) = (story.somebody(), story.moment(2 * DAY, 20 * DAY));
    let mut child = story.subject(nth, speaker, at, at + 9 * DAY);
    let rating = Rating::ALL[nth / 2 % 3];
    let due = if nth % 4 == 3 { Some(at + story.draw.between(2, 100) * HOUR) } else { None };
    let until = due.unwrap_or(at + rating.hours() * HOUR);
    let about = ["a request never answered", "a request answered late", "a request refused late"];
    let case = story.case("request-unanswered", about[nth % 3]);
    let (from, reference) = (story.partner(speaker), story.number());
    let what = What::RequestReceived { from, rating, due, reference };
    story.evidence(case, speaker, child.name(), at, what);
    let late = until + story.draw.between(MINUTE, 4 * DAY) / MINUTE * MINUTE;
    match nth % 3 {
        0 => {}
        1 => _ = story.tell(speaker, child.name(), late, What::RequestAnswered { to: from, reference }),
        _ => _ = story.tell(speaker, child.name(), late, What::RequestRefused { to: from, reference }),
    }
}

pub(crate) fn near_misses(story: &mut Story) {
    for rating in Rating::ALL {
        let (speaker, at) = (story.somebody(), story.moment(2 * DAY, 20 * DAY));
        let own = Some(at + 100 * HOUR);
        let by_rating = at + rating.hours() * HOUR;
        for (due, answered) in
            [(None, by_rating), (Some(by_rating), by_rating - MINUTE), (own, at + 99 * HOUR)]
        {
            let mut child = story.split(speaker, at, at + 9 * DAY);
            let (from, reference) = (story.partner(speaker), story.number());
            let what = What::RequestReceived { from, rating, due, reference };
            story.tell(speaker, child.name(), at, what);
            let answer = if story.draw.chance(70) {
                What::RequestAnswered { to: from, reference }
            } else {
                What::RequestRefused { to: from, reference }
            };
            story.tell(speaker, child.name(), answered, answer);
        }
    }
}
