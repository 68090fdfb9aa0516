//! Everyday absences: short, seldom, and each with its interview in time.

use super::Background;
use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{DAY, HOUR, MINUTE};
use crate::happening::{Absence, Interview, What};

impl Background<'_> {
    /// An absence of less than a day, in one of four cases reported by the council as well. In one of twelve the child is
    /// first away without authorisation and then missing: two episodes that share a boundary.
    pub(super) fn absence(&mut self) {
        let (child, speaker) = self.pair();
        let start = self.story.moment(2 * DAY, 8 * DAY);
        let end = start + self.story.draw.between(HOUR, 22 * HOUR) / MINUTE * MINUTE;
        let twice = self.story.draw.below(12) == 0;
        let turn = start + (end - start) / 2 / MINUTE * MINUTE;
        let starts = if twice { vec![start, turn] } else { vec![start] };
        if !self.memory.takes_absences(child, &starts) {
            return self.decision();
        }
        let police = self.story.roster.neighbour(speaker, Kind::Police);
        if twice {
            self.absent(police, child, (start, turn), true);
            self.absent(police, child, (turn, end), false);
        } else {
            let away = self.story.draw.chance(20);
            self.absent(police, child, (start, end), away);
            if self.story.draw.chance(25) {
                let council = self.story.roster.neighbour(speaker, Kind::Council);
                // It ends within an hour of the other, so both together are still shorter than a day.
                self.absent(council, child, (start + 40 * MINUTE, end + 30 * MINUTE), away);
            }
        }
        self.interview(police, child, end);
    }

    fn absent(&mut self, speaker: AgencyNumber, child: u32, (start, end): (i64, i64), away: bool) {
        let name = self.name(child, speaker);
        let placed = self.story.draw.chance(25);
        let absence = Absence { away, placed, reference: self.story.number() };
        self.story.tell(speaker, name, start, What::MissingStarted { absence });
        self.story.tell(speaker, name, end, What::MissingEnded { absence });
    }

    /// Within 72 hours of the earliest return that was told: the last may be half an hour later.
    fn interview(&mut self, police: AgencyNumber, child: u32, returned: i64) {
        let council = self.story.roster.neighbour(police, Kind::Council);
        let charity = self.story.roster.neighbour(police, Kind::Charity);
        let speaker = if self.story.draw.chance(30) { charity } else { council };
        let name = self.name(child, speaker);
        let hour = |story: &mut crate::story::Story, from, to| {
            returned + story.draw.between(from * HOUR, to * HOUR) / MINUTE * MINUTE
        };
        if self.story.draw.chance(50) {
            let at = hour(self.story, 1, 3);
            self.story.tell(speaker, name, at, What::Interview(Interview::Offered));
        }
        let at = hour(self.story, 4, 60);
        let outcome = if self.story.draw.chance(80) { Interview::Held } else { Interview::Declined };
        self.story.tell(speaker, name, at, What::Interview(outcome));
    }
}
