//! Realistic histories of a fictional partnership, and the alerts that each must raise.
//!
//! A history is years of everyday safeguarding work by many agencies, with cases planted in it: for each pattern of DOMAIN
//! section 5 so many that raise its alert, and besides near misses that come as close to it as they can. The generator knows
//! what it planted and says so. That is its truth, and it is worked out with none of the code that it is used to test: this crate
//! knows neither the projections nor the ledger.
//!
//! It is pure: the same [`Plan`] gives the same history everywhere and for ever.
//!
//! # What a history is like
//!
//! - It ends on 2026-06-30. Some statements come days late, so that the order of arrival is not that of events; the last have
//!   come within a fortnight.
//! - Agencies work in localities of up to six, each with a council; a child belongs to one locality. Planted cases about agencies
//!   have agencies of their own, beyond [`Plan::agencies`].
//! - Some children have two pseudonyms, which an `identifier.linked` joins, before or after what else is told of them.
//! - References are the agencies' own labels, never statement hashes, which nobody knows before the statements are signed.
//! - A million events written out do not fit into a small machine's memory: [`outline`] keeps a history in about a hundred bytes
//!   an event and writes each when it is asked for.

mod agencies;
mod background;
mod calendar;
mod draw;
mod happening;
mod pseudonyms;
mod reliance;
mod scenes;
mod story;
mod writing;

use std::collections::BTreeSet;

use serde_json::Value;

use agencies::Roster;
use background::Background;
pub use draw::Draw;
use happening::Happening;
use scenes::Planting;
use story::{Case, END, SETTLED, Story};

/// What history to make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Another seed gives another history.
    pub seed: u64,
    /// How many events there are. What is planted and what opens a history is told in any case, so a small number can be exceeded.
    pub events: usize,
    /// How many agencies work on children, six to a locality. Fewer are used where there are fewer than 50 events for each, or
    /// fewer children than localities.
    pub agencies: usize,
    /// How many children the everyday is about.
    pub children: usize,
    /// Over how many years before 2026-06-30 it goes: 1 to 5. Before, some of the law that decisions rely on was not in force.
    pub years: u32,
    /// Planted cases per pattern, besides near misses.
    pub planted: Planted,
}

/// How many cases of each pattern (DOMAIN section 5) are planted. Each raises one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the pattern of its name")]
pub struct Planted {
    pub repeat_missing: usize,
    pub long_missing: usize,
    pub rhi_overdue: usize,
    pub shared_location: usize,
    pub shared_person: usize,
    pub many_authorities: usize,
    pub moved_unshared: usize,
    pub request_unanswered: usize,
    pub withheld_then_harm: usize,
    pub basis_missing: usize,
    pub consent_reliance: usize,
    pub slow_share: usize,
    pub silent_edge: usize,
}

/// An event, before anybody signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// The code of the agency that tells it.
    pub agency: String,
    /// Its type.
    pub event_type: &'static str,
    /// Its type's version.
    pub version: u16,
    /// Its members, as in a draft.
    pub data: Value,
    /// When the ledger receives it, in milliseconds since the Unix epoch. It never decreases over a history.
    pub received_at: i64,
}

/// An alert that a history must raise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlantedAlert {
    /// Its pattern, as DOMAIN section 5 names it.
    pub pattern: &'static str,
    /// The positions in the history of the entries that the alert must name, rising. Of `silent-edge` there are none: what
    /// stands behind it is that nothing was shared.
    pub entries: Vec<usize>,
    /// What was planted, for people.
    pub about: String,
}

/// A history, written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The events, in the order in which they are received.
    pub events: Vec<HistoryEvent>,
    /// The alerts that it must raise, and no others.
    pub alerts: Vec<PlantedAlert>,
    /// The moment at which exactly these alerts are open, in milliseconds since the Unix epoch. Before it, alerts come and go as
    /// late statements arrive.
    pub as_of: i64,
}

/// A history whose events are written when they are asked for.
#[derive(Debug)]
pub struct Outline {
    roster: Roster,
    happenings: Vec<Happening>,
    alerts: Vec<PlantedAlert>,
}

impl Planted {
    /// So many of each.
    pub const fn each(count: usize) -> Self {
        Self {
            repeat_missing: count,
            long_missing: count,
            rhi_overdue: count,
            shared_location: count,
            shared_person: count,
            many_authorities: count,
            moved_unshared: count,
            request_unanswered: count,
            withheld_then_harm: count,
            basis_missing: count,
            consent_reliance: count,
            slow_share: count,
            silent_edge: count,
        }
    }

    fn plantings(&self) -> [(Planting, usize); 13] {
        [
            (scenes::absences::repeat_missing, self.repeat_missing),
            (scenes::absences::long_missing, self.long_missing),
            (scenes::absences::rhi_overdue, self.rhi_overdue),
            (scenes::contexts::shared_location, self.shared_location),
            (scenes::contexts::shared_person, self.shared_person),
            (scenes::moves::many_authorities, self.many_authorities),
            (scenes::moves::moved_unshared, self.moved_unshared),
            (scenes::requests::request_unanswered, self.request_unanswered),
            (scenes::harm::withheld_then_harm, self.withheld_then_harm),
            (scenes::shares::basis_missing, self.basis_missing),
            (scenes::reliance::consent_reliance, self.consent_reliance),
            (scenes::shares::slow_share, self.slow_share),
            (scenes::edges::silent_edge, self.silent_edge),
        ]
    }
}

impl Outline {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.happenings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.happenings.is_empty()
    }

    /// The events, in the order in which they are received, each written as the iterator comes to it.
    pub fn events(&self) -> impl ExactSizeIterator<Item = HistoryEvent> {
        self.happenings.iter().map(|told| writing::event(&self.roster, told))
    }

    /// The codes of all agencies that tell anything: whoever signs the events needs a key for each.
    pub fn agencies(&self) -> Vec<&str> {
        let speakers: BTreeSet<u32> = self.happenings.iter().map(|told| told.speaker).collect();
        speakers.into_iter().map(|speaker| self.roster.code(speaker)).collect()
    }

    /// The alerts that the history must raise, and no others.
    pub fn alerts(&self) -> &[PlantedAlert] {
        &self.alerts
    }

    /// As [`History::as_of`].
    pub const fn as_of(&self) -> i64 {
        END + SETTLED
    }
}

/// Makes a history without writing its events out.
pub fn outline(plan: &Plan) -> Outline {
    let children = number(plan.children).max(1);
    let by_events = number(plan.events / 50).max(6);
    let members = number(plan.agencies).clamp(1, by_events.min(children.saturating_mul(6)));
    let mut story = Story::new(plan.seed, plan.years.clamp(1, 5), members, children);
    let mut background = Background::open(&mut story, children, plan.events);
    background.plant(|story| {
        for (plant, count) in plan.planted.plantings() {
            (0..count).for_each(|nth| plant(story, nth));
        }
        // As many near misses as leave room for the everyday.
        (0..(plan.events / 2_000).min(50)).for_each(|_| scenes::near_misses(story));
    });
    background.fill(plan.events);
    reliance::rely_on_consent(&mut story.happenings);
    story.happenings.sort_by_key(|told| told.received);
    let alerts = alerts(&story.happenings, story.cases);
    Outline { roster: story.roster, happenings: story.happenings, alerts }
}

/// A history's events, each written as the iterator comes to it.
pub fn events(plan: &Plan) -> impl Iterator<Item = HistoryEvent> + use<> {
    let Outline { roster, happenings, .. } = outline(plan);
    happenings.into_iter().map(move |told| writing::event(&roster, &told))
}

/// Makes a history with all its events written out. That takes about 8 kB an event: for more than some tens of thousands,
/// [`outline`].
pub fn generate(plan: &Plan) -> History {
    let outline = outline(plan);
    History { events: outline.events().collect(), as_of: outline.as_of(), alerts: outline.alerts }
}

fn alerts(happenings: &[Happening], cases: Vec<Case>) -> Vec<PlantedAlert> {
    let planted = |case: Case| PlantedAlert { pattern: case.pattern, entries: Vec::new(), about: case.about };
    let mut alerts: Vec<PlantedAlert> = cases.into_iter().map(planted).collect();
    for (position, told) in happenings.iter().enumerate() {
        if let Some(case) = told.case.checked_sub(1) {
            alerts[case as usize].entries.push(position);
        }
    }
    alerts
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
