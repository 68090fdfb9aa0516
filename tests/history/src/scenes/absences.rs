//! Patterns 1 to 3: repeated and long absences, and return home interviews.

use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{DAY, HOUR, MINUTE};
use crate::happening::{Interview, What};
use crate::story::{Story, Subject};

/// Three or more starts in 90 days: some exactly 90 days apart, some in windows that join, some reported twice.
pub(crate) fn repeat_missing(story: &mut Story, nth: usize) {
    let (count, step) = [(3, 25 * DAY), (3, 45 * DAY), (4, 11 * DAY), (5, 40 * DAY)][nth % 4];
    let (police, at) = (story.one(Kind::Police), story.moment(2 * DAY, 175 * DAY));
    let mut child = story.subject(nth, police, at, at + count * step);
    let case = story.case("repeat-missing", format!("{count} absences, one every {} days", step / DAY));
    for number in 0..count {
        let start = at + number * step;
        let end = start + story.draw.between(3 * HOUR, 20 * HOUR) / MINUTE * MINUTE;
        let name = child.name();
        story.absent(case, police, name, start, end);
        if number == 1 && nth.is_multiple_of(2) {
            reported_again(story, case, police, child.name(), (start + 30 * MINUTE, end + 20 * MINUTE));
        }
        interviewed(story, police, child.name(), end + 20 * MINUTE);
    }
}

/// One episode of over 24 hours: told once, told twice, only together that long, or not over yet.
pub(crate) fn long_missing(story: &mut Story, nth: usize) {
    let (police, start) = (story.one(Kind::Police), story.moment(2 * DAY, 20 * DAY));
    let end = start + story.draw.between(24 * HOUR + MINUTE, 6 * DAY) / MINUTE * MINUTE;
    let mut child = story.subject(nth, police, start, end);
    match nth % 4 {
        0 => {
            let case = story.case("long-missing", "an absence of over a day");
            story.absent(case, police, child.name(), start, end);
            interviewed(story, police, child.name(), end);
        }
        1 => {
            let case = story.case("long-missing", "an absence of over a day that two agencies report");
            story.absent(case, police, child.name(), start, end);
            reported_again(story, case, police, child.name(), (start + HOUR, end - HOUR));
            interviewed(story, police, child.name(), end);
        }
        2 => {
            let case = story.case("long-missing", "two overlapping absences that are over a day together");
            story.absent(case, police, child.name(), start, start + 20 * HOUR);
            reported_again(story, case, police, child.name(), (start + 10 * HOUR, start + 30 * HOUR));
            interviewed(story, police, child.name(), start + 30 * HOUR);
        }
        _ => {
            let case = story.case("long-missing", "an absence that nobody has ended");
            let name = child.name();
            story.absent(case, police, name, start, end);
            story.happenings.pop();
        }
    }
}

/// No interview within 72 hours of the return: none at all, only offered, or held too late.
pub(crate) fn rhi_overdue(story: &mut Story, nth: usize) {
    let (police, start) = (story.one(Kind::Police), story.moment(2 * DAY, 20 * DAY));
    let end = start + story.draw.between(3 * HOUR, 20 * HOUR) / MINUTE * MINUTE;
    let mut child = story.subject(nth, police, start, end + 9 * DAY);
    let council = story.roster.neighbour(police, Kind::Council);
    let about = ["no interview at all", "an interview that was only offered", "an interview held too late"];
    let case = story.case("rhi-overdue", about[nth % 3]);
    story.absent(case, police, child.name(), start, end);
    if nth % 5 == 4 {
        reported_again(story, case, police, child.name(), (start + 40 * MINUTE, end - 5 * MINUTE));
    }
    match nth % 3 {
        0 => {}
        1 => _ = story.tell(council, child.name(), end + 20 * HOUR, What::Interview(Interview::Offered)),
        _ => {
            let late = end + 72 * HOUR + story.draw.between(MINUTE, 5 * DAY) / MINUTE * MINUTE;
            story.tell(council, child.name(), late, What::Interview(Interview::Held));
        }
    }
}

pub(crate) fn near_misses(story: &mut Story) {
    let (police, at) = (story.one(Kind::Police), story.moment(2 * DAY, 100 * DAY));
    let child = story.split(police, at, at + 95 * DAY);
    short_absences(story, police, child, &[at, at + 45 * DAY, at + 90 * DAY + MINUTE]);

    let at = story.moment(2 * DAY, 60 * DAY);
    let mut child = story.split(police, at, at + 50 * DAY);
    for start in [at, at + 30 * DAY] {
        story.absent(0, police, child.name(), start, start + 5 * HOUR);
        reported_again(story, 0, police, child.name(), (start + 3 * MINUTE, start + 6 * HOUR));
        interviewed(story, police, child.name(), start + 6 * HOUR);
    }

    let start = story.moment(2 * DAY, 20 * DAY);
    let (mut child, end) = (story.whole(), start + 24 * HOUR - MINUTE);
    story.absent(0, police, child.name(), start, end);
    interviewed(story, police, child.name(), end);

    let council = story.roster.neighbour(police, Kind::Council);
    for (kind, after) in [(Interview::Held, 72 * HOUR), (Interview::Declined, 72 * HOUR - MINUTE)] {
        let start = story.moment(2 * DAY, 20 * DAY);
        let end = start + 7 * HOUR;
        let mut child = story.split(police, start, end + 4 * DAY);
        story.absent(0, police, child.name(), start, end);
        story.tell(council, child.name(), end + after, What::Interview(kind));
    }
}

fn short_absences(story: &mut Story, police: AgencyNumber, mut child: Subject, starts: &[i64]) {
    for start in starts {
        story.absent(0, police, child.name(), *start, start + 4 * HOUR);
        interviewed(story, police, child.name(), start + 4 * HOUR);
    }
}

/// The same absence, as the council of the same locality tells it.
fn reported_again(story: &mut Story, case: u32, police: AgencyNumber, child: u32, span: (i64, i64)) {
    let council = story.roster.neighbour(police, Kind::Council);
    story.absent_again(case, council, child, span);
}

/// An interview in time after this return, by the council of the same locality.
fn interviewed(story: &mut Story, police: AgencyNumber, child: u32, returned: i64) {
    let council = story.roster.neighbour(police, Kind::Council);
    let at = returned + story.draw.between(3 * HOUR, 70 * HOUR) / MINUTE * MINUTE;
    story.tell(council, child, at, What::Interview(Interview::Held));
}
