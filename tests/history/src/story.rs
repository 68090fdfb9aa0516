//! A history in the making: who speaks of whom, what was told so far, and which alerts it must raise.

use crate::agencies::{AgencyNumber, Kind, Roster};
use crate::calendar::{DAY, HOUR, MINUTE, is_weekend};
use crate::draw::Draw;
use crate::happening::{Decision, Happening, SHARED_AFTER, What};
use crate::pseudonyms::Name;

/// 2026-06-30T00:00:00Z: everything has happened by then.
pub(crate) const END: i64 = 1_782_777_600_000;
/// Late statements and deadlines have run out so long after [`END`].
pub(crate) const SETTLED: i64 = 14 * DAY;
/// The first days are for agreements, for the links between pseudonyms, and for the agencies' first sharing with each other.
pub(crate) const OPENING: i64 = 3 * DAY;

/// An alert to be raised.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) pattern: &'static str,
    pub(crate) about: String,
}

#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) draw: Draw,
    pub(crate) roster: Roster,
    pub(crate) happenings: Vec<Happening>,
    pub(crate) cases: Vec<Case>,
    pub(crate) begin: i64,
    children: u32,
    others: u32,
    /// An agency that says little, and how many shares it may still make.
    quiet: (AgencyNumber, u32),
}

/// A child of its own: no other scene is about it. One in three has two pseudonyms, and statements use them in turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    number: u32,
    split: bool,
    second: bool,
}

impl Subject {
    /// The name for the next statement.
    pub(crate) fn name(&mut self) -> Name {
        let name = self.number * 2 + u32::from(self.second);
        self.second = self.split && !self.second;
        name
    }
}

impl Story {
    /// Children below `children` are the background's.
    pub(crate) fn new(seed: u64, years: u32, members: u32, children: u32) -> Self {
        Self {
            draw: Draw::new(seed),
            roster: Roster::new(members),
            happenings: Vec::new(),
            cases: Vec::new(),
            begin: END - i64::from(years) * 365 * DAY,
            children,
            others: 0,
            quiet: (0, 0),
        }
    }

    /// Tells an event, and says where it stands.
    pub(crate) fn tell(&mut self, speaker: AgencyNumber, child: Name, at: i64, what: What) -> usize {
        let received = self.received(at, what);
        let texture = self.draw.any();
        self.happenings.push(Happening { speaker, child, at, received, texture, case: 0, what });
        self.happenings.len() - 1
    }

    /// Tells an event that the alert of this case must name.
    pub(crate) fn evidence(&mut self, case: u32, speaker: AgencyNumber, child: Name, at: i64, what: What) {
        let told = self.tell(speaker, child, at, what);
        self.happenings[told].case = case;
    }

    /// Four of five statements come within hours, most others on the next day, and some after days.
    fn received(&mut self, at: i64, what: What) -> i64 {
        let happened = if let What::Decision(_) = what { at + SHARED_AFTER } else { at };
        let prompt = matches!(what, What::IdentifiersLinked | What::Agreement { .. });
        let delay = match self.draw.below(100) {
            _ if prompt => self.draw.between(MINUTE, HOUR),
            0..80 => self.draw.between(MINUTE, 8 * HOUR),
            80..95 => self.draw.between(8 * HOUR, 30 * HOUR),
            _ => self.draw.between(DAY, 9 * DAY),
        };
        // To the millisecond, as a ledger's clock has it.
        happened + delay + self.draw.between(0, 1_000)
    }

    /// A new case, counted from 1.
    pub(crate) fn case(&mut self, pattern: &'static str, about: impl Into<String>) -> u32 {
        self.cases.push(Case { pattern, about: about.into() });
        u32::try_from(self.cases.len()).expect("cases are few")
    }

    /// A child with one pseudonym.
    pub(crate) fn whole(&mut self) -> Subject {
        self.children += 1;
        Subject { number: self.children - 1, split: false, second: false }
    }

    /// A child with two pseudonyms, which this agency links before everything or after it.
    pub(crate) fn split(&mut self, speaker: AgencyNumber, from: i64, to: i64) -> Subject {
        let subject = Subject { split: true, ..self.whole() };
        let at = if self.draw.chance(50) { from - DAY } else { to + DAY };
        self.tell(speaker, subject.number * 2, at, What::IdentifiersLinked);
        subject
    }

    /// Every third child is split.
    pub(crate) fn subject(&mut self, nth: usize, speaker: AgencyNumber, from: i64, to: i64) -> Subject {
        if nth.is_multiple_of(3) { self.split(speaker, from, to) } else { self.whole() }
    }

    /// A number for a place, person, agreement or reference that nothing else has.
    pub(crate) fn number(&mut self) -> u32 {
        self.others += 1;
        self.others
    }

    /// A moment from `lead` after the opening until `tail` before the end, to the minute: mostly in working hours. In a
    /// history that is too short for both, it is as late as `tail` allows.
    pub(crate) fn moment(&mut self, lead: i64, tail: i64) -> i64 {
        let last = END - tail - DAY;
        let first = (self.begin + OPENING + lead).min(last - DAY);
        let mut day = self.draw.between(first, last).div_euclid(DAY) * DAY;
        if is_weekend(day) && day - 2 * DAY > first && self.draw.chance(70) {
            day -= 2 * DAY;
        }
        let minutes = if self.draw.chance(80) {
            self.draw.between(8 * 60, 18 * 60)
        } else {
            self.draw.between(0, 24 * 60)
        };
        (day + minutes * MINUTE).max(first)
    }

    /// An agency at work.
    pub(crate) fn somebody(&mut self) -> AgencyNumber {
        let locality = self.draw.below(self.roster.localities());
        self.member(locality)
    }

    /// An agency of the locality.
    pub(crate) fn member(&mut self, locality: u32) -> AgencyNumber {
        let members = self.roster.locality(locality);
        members.start + self.draw.below(members.end - members.start)
    }

    /// An agency that makes too few shares in all for what it relies on to count: pattern 11 needs ten.
    pub(crate) fn quiet(&mut self) -> AgencyNumber {
        if self.quiet.1 == 0 {
            self.quiet = (self.roster.add(Kind::School), 9);
        }
        self.quiet.1 -= 1;
        self.quiet.0
    }

    /// An agency at work of this kind, or its locality's first.
    pub(crate) fn one(&mut self, kind: Kind) -> AgencyNumber {
        let somebody = self.somebody();
        self.roster.neighbour(somebody, kind)
    }

    /// Another agency of the same locality; the agency itself where it is the only one.
    pub(crate) fn partner(&mut self, agency: AgencyNumber) -> AgencyNumber {
        let members = self.roster.locality_of(agency);
        let count = members.end - members.start;
        let step = if count > 1 { 1 + self.draw.below(count - 1) } else { 0 };
        members.start + (agency - members.start + step) % count
    }

    /// A share that is decided so that the information goes at `shared`.
    pub(crate) fn share(
        &mut self,
        speaker: AgencyNumber,
        child: Name,
        shared: i64,
        decision: Decision,
    ) -> usize {
        self.tell(speaker, child, shared - SHARED_AFTER, What::Decision(decision))
    }

    /// An absence as one agency tells it. Its two events stand last.
    pub(crate) fn absent(&mut self, case: u32, speaker: AgencyNumber, child: Name, from: i64, to: i64) {
        let away = self.draw.chance(20);
        self.absent_as(case, speaker, child, (from, to), away);
    }

    /// The absence that was told last, as another agency tells it. It calls it by the same name: one that turns from away into
    /// missing is two episodes.
    pub(crate) fn absent_again(&mut self, case: u32, speaker: AgencyNumber, child: Name, span: (i64, i64)) {
        let away = match self.happenings.last().map(|happening| &happening.what) {
            Some(What::MissingEnded { absence }) => absence.away,
            _ => false,
        };
        self.absent_as(case, speaker, child, span, away);
    }

    fn absent_as(
        &mut self,
        case: u32,
        speaker: AgencyNumber,
        child: Name,
        (from, to): (i64, i64),
        away: bool,
    ) {
        let absence =
            crate::happening::Absence { away, placed: self.draw.chance(25), reference: self.number() };
        self.evidence(case, speaker, child, from, What::MissingStarted { absence });
        self.evidence(case, speaker, child, to, What::MissingEnded { absence });
    }
}
