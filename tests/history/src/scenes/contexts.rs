//! Patterns 4 and 5: places and other contexts, and persons of concern, that children share.

use crate::calendar::{DAY, HOUR, MINUTE};
use crate::happening::What;
use crate::story::{Story, Subject};

/// Three or more children at one context in 60 days, some of them exactly 60 days apart, some in windows that join.
pub(crate) fn shared_location(story: &mut Story, nth: usize) {
    let days: &[i64] = [&[0, 9, 40][..], &[0, 30, 60], &[0, 1, 2, 3, 20], &[0, 30, 59, 85]][nth % 4];
    let at = story.moment(2 * DAY, 100 * DAY);
    let context = story.number();
    let case = story.case("shared-location", format!("one context, a child each on days {days:?}"));
    for (number, day) in days.iter().enumerate() {
        let seen = at + day * DAY;
        let speaker = story.somebody();
        let mut child =
            if number == 0 { story.subject(nth, speaker, seen, seen + 50 * DAY) } else { story.whole() };
        story.evidence(case, speaker, child.name(), seen, What::ContextLinked { context });
        if number == 0 && days.len() < 4 {
            // The same child once more, within the window.
            story.evidence(case, speaker, child.name(), seen + 5 * DAY, What::ContextLinked { context });
        }
    }
}

/// Two or more children linked to one person in 180 days, some exactly 180 days apart.
pub(crate) fn shared_person(story: &mut Story, nth: usize) {
    let days: &[i64] = [&[0, 12][..], &[0, 180], &[0, 90, 100], &[0, 170, 340]][nth % 4];
    let at = story.moment(2 * DAY, 355 * DAY);
    let person = story.number();
    let case = story.case("shared-person", format!("one person, a child each on days {days:?}"));
    for (number, day) in days.iter().enumerate() {
        let named = at + day * DAY;
        let speaker = story.somebody();
        let mut child = story.subject(nth + number, speaker, named, named + 20 * DAY);
        story.evidence(case, speaker, child.name(), named, What::PersonLinked { person });
    }
}

pub(crate) fn near_misses(story: &mut Story) {
    let at = story.moment(2 * DAY, 80 * DAY);
    let context = story.number();
    for after in [0, 30 * DAY, 60 * DAY + MINUTE] {
        let child = story.whole();
        linked(story, child, at + after, What::ContextLinked { context });
    }

    // Three pseudonyms at one place, but two children.
    let at = story.moment(2 * DAY, 80 * DAY);
    let (context, speaker) = (story.number(), story.somebody());
    let mut twice = story.split(speaker, at, at + 30 * DAY);
    for after in [0, 20 * DAY] {
        story.tell(speaker, twice.name(), at + after, What::ContextLinked { context });
    }
    let child = story.whole();
    linked(story, child, at + 8 * DAY, What::ContextLinked { context });

    let at = story.moment(2 * DAY, 200 * DAY);
    let person = story.number();
    for after in [0, 180 * DAY + MINUTE] {
        let child = story.whole();
        linked(story, child, at + after, What::PersonLinked { person });
    }

    // Two pseudonyms with one person, but one child.
    let at = story.moment(2 * DAY, 60 * DAY);
    let (person, speaker) = (story.number(), story.somebody());
    let mut twice = story.split(speaker, at, at + 30 * DAY);
    for after in [0, 3 * HOUR, 29 * DAY] {
        story.tell(speaker, twice.name(), at + after, What::PersonLinked { person });
    }
}

fn linked(story: &mut Story, mut child: Subject, at: i64, what: What) {
    let speaker = story.somebody();
    story.tell(speaker, child.name(), at, what);
}
