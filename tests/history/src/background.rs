//! The everyday: what agencies do about children all year round, none of which may raise an alert.
//!
//! Each scene looks at what it told of this child, place or person before and keeps a day of distance to the thresholds; where
//! there is no room, a plain decision takes its place. Children stay within one locality, and all agencies of a locality share
//! with each other in the history's first days, so that there is no silent edge.

use std::collections::BTreeSet;

use crate::agencies::{AgencyNumber, Kind, Roster};
use crate::background::memory::Memory;
use crate::calendar::{DAY, HOUR, MINUTE};
use crate::happening::{AgreementAct, Basis, Decision, Level, Outcome, What};
use crate::pseudonyms::Name;
use crate::story::{END, Story};

mod absences;
mod casework;
mod memory;

/// The most events that one scene tells.
const LARGEST_SCENE: usize = 8;
/// An agreement is reviewed before it is a year old (pattern 10), by up to 20 days.
const REVIEWED_EVERY: i64 = 340 * DAY;

pub(crate) struct Background<'s> {
    story: &'s mut Story,
    children: u32,
    memory: Memory,
    /// The children whose two pseudonyms are linked already.
    joined: BTreeSet<u32>,
    /// The number of the first locality's agreement; the others follow.
    agreements: u32,
}

impl<'s> Background<'s> {
    /// Registers the localities' agreements, and lets every agency share with every other of its locality.
    pub(crate) fn open(story: &'s mut Story, children: u32, events: usize) -> Self {
        let localities = story.roster.localities();
        let agreements = story.number();
        for _ in 1..localities {
            story.number();
        }
        let mut background =
            Self { story, children, memory: Memory::for_events(events), joined: BTreeSet::new(), agreements };
        for locality in 0..localities {
            background.agree(locality);
            background.share_both_ways(locality);
        }
        background
    }

    /// Tells of something else than the everyday.
    pub(crate) fn plant(&mut self, scenes: impl FnOnce(&mut Story)) {
        scenes(self.story);
    }

    /// Tells everyday scenes until the story has so many events.
    pub(crate) fn fill(&mut self, events: usize) {
        while self.story.happenings.len() < events {
            if events - self.story.happenings.len() < 2 * LARGEST_SCENE {
                // The last ones stand alone, so that the count is met exactly.
                self.plain_decision();
                continue;
            }
            match self.story.draw.below(1_000) {
                0..530 => self.decision(),
                530..590 => self.absence(),
                590..740 => self.context_link(),
                740..790 => self.person_link(),
                790..832 => self.request(),
                832..868 => self.referral(),
                868..892 => self.meeting(),
                892..906 => self.move_elsewhere(),
                906..920 => self.placement(),
                920..946 => self.consent(),
                946..960 => self.disclosure(),
                960..968 => self.harm(),
                968..977 => self.review(),
                977..991 => self.access(),
                _ => self.right_or_hold(),
            }
        }
    }

    /// The locality's agreement, reviewed before each year is over.
    fn agree(&mut self, locality: u32) {
        let members = self.story.roster.locality(locality);
        let (council, other) = (members.start, members.end - 1);
        let number = self.agreements + locality;
        let mut at = self.story.begin + self.story.draw.between(0, 8 * HOUR) / MINUTE * MINUTE;
        let mut act = AgreementAct::Registered;
        while at < END {
            self.story.tell(council, 0, at, What::Agreement { act, number, other });
            act = AgreementAct::Reviewed;
            at += REVIEWED_EVERY + self.story.draw.between(0, 20 * DAY) / MINUTE * MINUTE;
        }
    }

    fn share_both_ways(&mut self, locality: u32) {
        for from in self.story.roster.locality(locality) {
            for to in self.story.roster.locality(locality).filter(|to| *to != from) {
                let child = self.child_of(locality);
                let at = self.story.begin + self.story.draw.between(10 * HOUR, 50 * HOUR) / MINUTE * MINUTE;
                let name = self.name(child, from);
                self.story.share(from, name, at, Decision::share(to));
            }
        }
    }

    /// A child, and an agency of its locality.
    fn pair(&mut self) -> (u32, AgencyNumber) {
        let child = self.story.draw.below(self.children);
        let speaker = self.story.member(child % self.story.roster.localities());
        (child, speaker)
    }

    fn child_of(&mut self, locality: u32) -> u32 {
        let localities = self.story.roster.localities();
        let count = (self.children - locality).div_ceil(localities);
        locality + self.story.draw.below(count) * localities
    }

    /// The name by which an agency knows a child: one child in eight is known to schools and councils by another pseudonym. Its
    /// first mention links the two, in the history's first hours.
    fn name(&mut self, child: u32, speaker: AgencyNumber) -> Name {
        if child % 8 != 1 {
            return child * 2;
        }
        if self.joined.insert(child) {
            let council = self.story.roster.neighbour(speaker, Kind::Council);
            let at = self.story.begin + self.story.draw.between(0, 9 * HOUR) / MINUTE * MINUTE;
            self.story.tell(council, child * 2, at, What::IdentifiersLinked);
        }
        let kind = self.story.roster.get(speaker).kind;
        child * 2 + u32::from(matches!(kind, Kind::School | Kind::Council))
    }

    fn locality_agreement(&self, speaker: AgencyNumber) -> u32 {
        self.agreements + Roster::locality_number(speaker)
    }
}
