//! Everyday decisions, and the work about them.

use super::memory::Memory;
use super::{Background, Basis, Decision, Level, Outcome, What};
use crate::agencies::{AgencyNumber, Kind};
use crate::calendar::{DAY, HOUR, MINUTE};
use crate::happening::{ConsentAct, Rating, Support, Terms};

impl Background<'_> {
    pub(super) fn decision(&mut self) {
        let (child, speaker) = self.pair();
        self.decide(child, speaker);
    }

    /// A decision about a child whose pseudonyms need no link, so that it is one event.
    pub(super) fn plain_decision(&mut self) {
        let (child, _) = self.pair();
        let child = if child % 8 == 1 { child - 1 } else { child };
        let speaker = self.story.member(child % self.story.roster.localities());
        self.decide(child, speaker);
    }

    fn decide(&mut self, child: u32, speaker: AgencyNumber) {
        let at = self.story.moment(4 * DAY, DAY);
        let outcome = match self.story.draw.below(100) {
            0..72 => Outcome::Share,
            72..86 => Outcome::SharePart,
            _ if self.memory.takes_withholding(child, at) => Outcome::Withhold,
            _ => Outcome::Share,
        };
        let level = self.story.draw.one_of(&[
            Level::None,
            Level::EarlyHelp,
            Level::EarlyHelp,
            Level::ChildInNeed,
            Level::ChildInNeed,
            Level::SignificantHarm,
            Level::Immediate,
        ]);
        // Most are quick, and a tenth take nearly as long as they may.
        let longest = level.minutes_to_share() - 30;
        let longest = if self.story.draw.chance(10) { longest } else { longest / 6 };
        let minutes = 20 + self.story.draw.below(longest);
        let decision = Decision {
            outcome,
            level,
            aware: if self.story.draw.chance(85) { Some(minutes) } else { None },
            agreement: if self.story.draw.chance(25) { Some(self.locality_agreement(speaker)) } else { None },
            ..Decision::share(self.story.partner(speaker))
        };
        let name = self.name(child, speaker);
        self.story.tell(speaker, name, at, What::Decision(decision));
    }

    pub(super) fn context_link(&mut self) {
        let (child, speaker) = self.pair();
        let context = Memory::everyday(self.story.draw.below(self.memory.pools().0));
        let at = self.story.moment(DAY, 25 * DAY);
        if !self.memory.takes_context(context, child, at) {
            return self.decision();
        }
        let name = self.name(child, speaker);
        self.story.tell(speaker, name, at, What::ContextLinked { context });
        if self.story.draw.chance(4) {
            self.story.tell(speaker, name, at + 20 * DAY, What::ContextUnlinked { context });
        }
    }

    pub(super) fn person_link(&mut self) {
        let (child, speaker) = self.pair();
        let person = Memory::everyday(self.story.draw.below(self.memory.pools().1));
        let at = self.story.moment(DAY, 45 * DAY);
        if !self.memory.takes_person(person, child, at) {
            return self.decision();
        }
        let name = self.name(child, speaker);
        self.story.tell(speaker, name, at, What::PersonLinked { person });
        if self.story.draw.chance(4) {
            self.story.tell(speaker, name, at + 40 * DAY, What::PersonUnlinked { person });
        }
    }

    /// A request, the decision on it, and the answer in time.
    pub(super) fn request(&mut self) {
        let (child, speaker) = self.pair();
        let at = self.story.moment(DAY, 6 * DAY);
        if !self.memory.takes_request(child, speaker, at) {
            return self.decision();
        }
        let rating = self.story.draw.one_of(&Rating::ALL);
        let due = if self.story.draw.chance(40) { Some(at + rating.hours() * HOUR) } else { None };
        let (from, reference) = (self.story.partner(speaker), self.story.number());
        let answered = at + self.story.draw.between(40, rating.hours() * 60) * MINUTE;
        let name = self.name(child, speaker);
        self.story.tell(speaker, name, at, What::RequestReceived { from, rating, due, reference });
        let refused = self.story.draw.chance(12) && self.memory.takes_withholding(child, answered);
        let decision = Decision {
            outcome: if refused { Outcome::Withhold } else { Outcome::Share },
            // What may take three days is not about significant harm.
            level: if rating == Rating::Green { Level::ChildInNeed } else { Level::SignificantHarm },
            request: Some(reference),
            aware: u32::try_from((answered - at) / MINUTE - 5).ok(),
            ..Decision::share(from)
        };
        self.story.share(speaker, name, answered - 5 * MINUTE, decision);
        let answer = if refused {
            What::RequestRefused { to: from, reference }
        } else {
            What::RequestAnswered { to: from, reference }
        };
        self.story.tell(speaker, name, answered, answer);
    }

    pub(super) fn referral(&mut self) {
        let (child, referrer) = self.pair();
        let to = self.story.partner(referrer);
        let (at, reference) = (self.story.moment(DAY, 6 * DAY), self.story.number());
        let name = self.name(child, referrer);
        self.story.tell(referrer, name, at, What::ReferralMade { to, reference });
        let at = at + self.story.draw.between(2 * HOUR, 4 * DAY) / MINUTE * MINUTE;
        let name = self.name(child, to);
        self.story.tell(to, name, at, What::ReferralOutcome { referrer, reference });
    }

    pub(super) fn meeting(&mut self) {
        let (child, first) = self.pair();
        let (at, second) = (self.story.moment(DAY, DAY), self.story.partner(first));
        let name = self.name(child, first);
        self.story.tell(first, name, at, What::Meeting { first, second });
    }

    /// A move to another authority, which hears of it in time.
    pub(super) fn move_elsewhere(&mut self) {
        let (child, speaker) = self.pair();
        // Children who come into the secure estate stay with one authority: with another it would be two.
        if child % 16 == 5 || !self.memory.takes_move(child) {
            return self.decision();
        }
        let council = self.story.roster.neighbour(speaker, Kind::Council);
        let (at, elsewhere) = (self.story.moment(6 * DAY, 6 * DAY), self.story.draw.any());
        let to = self.story.roster.elsewhere(elsewhere);
        let terms = self.terms();
        let notified = if self.story.draw.chance(30) { Some(at - DAY) } else { None };
        let what = if self.story.draw.chance(60) {
            What::Moved { from: council, to, terms, notified }
        } else {
            What::Placed { from: council, to, terms, notified, secure: false }
        };
        let name = self.name(child, council);
        self.story.tell(council, name, at, what);
        if notified.is_none() {
            let after = self.story.draw.between(-5 * DAY, 3 * HOUR) / MINUTE * MINUTE;
            self.story.share(council, name, at + after, Decision::share(to));
        }
    }

    pub(super) fn placement(&mut self) {
        let (child, speaker) = self.pair();
        let council = self.story.roster.neighbour(speaker, Kind::Council);
        let (at, terms) = (self.story.moment(DAY, DAY), self.terms());
        let name = self.name(child, council);
        let what =
            What::Placed { from: council, to: council, terms, notified: None, secure: child % 16 == 5 };
        self.story.tell(council, name, at, what);
    }

    fn terms(&mut self) -> Terms {
        let plan = self.story.draw.one_of(&[
            Support::Protection,
            Support::InNeed,
            Support::LookedAfter,
            Support::None,
        ]);
        Terms { plan, emergency: self.story.draw.chance(15) }
    }

    /// Consent, and mostly a share that could rely on it; of other children, consent refused or withdrawn.
    pub(super) fn consent(&mut self) {
        let (child, speaker) = self.pair();
        let (at, name) = (self.story.moment(DAY, 3 * DAY), self.name(child, speaker));
        if child % 4 == 3 {
            let act = self.story.draw.one_of(&[ConsentAct::Refused, ConsentAct::Withdrawn]);
            self.story.tell(speaker, name, at, What::Consent(act));
            return;
        }
        self.story.tell(speaker, name, at, What::Consent(ConsentAct::Given));
        if self.story.draw.chance(75) {
            let shared = at + self.story.draw.between(20, 300) * MINUTE;
            let decision =
                Decision { basis: Basis::Consented, ..Decision::share(self.story.partner(speaker)) };
            self.story.share(speaker, name, shared, decision);
        }
    }

    pub(super) fn disclosure(&mut self) {
        let (child, speaker) = self.pair();
        let (at, name) = (self.story.moment(DAY, 2 * DAY), self.name(child, speaker));
        let to = self.story.roster.neighbour(speaker, Kind::Council);
        self.story.tell(speaker, name, at, What::Disclosure { to });
    }

    pub(super) fn harm(&mut self) {
        let (child, speaker) = self.pair();
        let at = self.story.moment(DAY, DAY);
        if !self.memory.takes_harm(child, at) {
            return self.decision();
        }
        let health = self.story.roster.neighbour(speaker, Kind::Health);
        let name = self.name(child, health);
        self.story.tell(health, name, at, What::Harm);
    }

    /// A decision that is reviewed or corrected later.
    pub(super) fn review(&mut self) {
        let (child, speaker) = self.pair();
        let (at, name) = (self.story.moment(DAY, 30 * DAY), self.name(child, speaker));
        let decision = Decision::share(self.story.partner(speaker));
        self.story.share(speaker, name, at, decision);
        let later = at + self.story.draw.between(DAY, 28 * DAY) / MINUTE * MINUTE;
        let what = if self.story.draw.chance(60) { What::DecisionReviewed } else { What::DecisionCorrected };
        self.story.tell(speaker, name, later, what);
    }

    /// A record read; in one of ten after a second person has approved it.
    pub(super) fn access(&mut self) {
        let (child, speaker) = self.pair();
        let (at, name) = (self.story.moment(DAY, DAY), self.name(child, speaker));
        if self.story.draw.chance(10) {
            self.story.tell(speaker, name, at - 10 * MINUTE, What::Accessed { approved: true });
        }
        self.story.tell(speaker, name, at, What::Accessed { approved: false });
    }

    pub(super) fn right_or_hold(&mut self) {
        let (child, speaker) = self.pair();
        let (at, name) = (self.story.moment(DAY, 120 * DAY), self.name(child, speaker));
        if self.story.draw.chance(60) {
            self.story.tell(speaker, name, at, What::SubjectAccess);
        } else {
            self.story.tell(speaker, name, at, What::Hold { lifted: false });
            self.story.tell(speaker, name, at + 100 * DAY, What::Hold { lifted: true });
        }
    }
}
