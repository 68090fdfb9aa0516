//! One agency's account of an absence: a start, and the end that belongs to it.

use std::collections::{BTreeMap, BTreeSet};

use gt_schemas::{Event, HarmSuspicion, MissingKind, MissingStarted};

use crate::event::{StatementRef, ViewEvent};

/// A reported end.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'e> {
    pub(super) time: i64,
    pub(super) event: &'e ViewEvent,
    pub(super) harm_suspected: bool,
}

/// A reported start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'e> {
    pub(super) time: i64,
    pub(super) event: &'e ViewEvent,
    pub(super) facts: &'e MissingStarted,
}

/// Missing is the graver: where two agencies call the same absence by both names, it is `Missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gravity {
    /// The whereabouts are known or thought to be.
    Away,
    /// They are not.
    Missing,
}

impl Start<'_> {
    pub(super) const fn gravity(&self) -> Gravity {
        match self.facts.kind {
            MissingKind::AwayWithoutAuthorisation => Gravity::Away,
            MissingKind::Missing => Gravity::Missing,
        }
    }
}

/// Until when an absence lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Until then: an end was reported, or the absence turned into one of another kind.
    Time(i64),
    /// Nobody reported an end, and the same agency reported a later start: it must have ended before that.
    NotReported,
    /// It has not ended.
    Open,
}

/// A start, and its end.
#[derive(Debug, Clone)]
pub(super) struct Absence<'e> {
    pub(super) start: Start<'e>,
    pub(super) until: Until,
    pub(super) ends: Vec<End<'e>>,
}

/// Pairs starts with ends. Returned besides are the ends to which no start of their own agency belongs.
///
/// 1. An end that names a start by the hash of its statement belongs to it.
/// 2. Otherwise an agency's end belongs to its latest start that has none. A start of the other kind also ends the
///    absence: away without authorisation has turned into missing, or the reverse.
/// 3. A start for which its agency reports no end takes the first end that is reported after it, by anybody, and
///    before the agency's own next start: the child is back, whoever says so.
pub(super) fn pair<'e>(
    events: impl Iterator<Item = (i64, &'e ViewEvent)>,
) -> (Vec<Absence<'e>>, Vec<End<'e>>) {
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for (time, event) in events {
        match &event.event {
            Event::MissingStarted(facts) => starts.push(Start { time, event, facts }),
            Event::MissingEnded(facts) => {
                let harm_suspected = facts.harm == HarmSuspicion::Suspected;
                ends.push((event.refs.episode, End { time, event, harm_suspected }));
            }
            _ => {}
        }
    }
    let mut all_ends: Vec<End<'e>> = ends.iter().map(|(_, end)| *end).collect();
    all_ends.sort_unstable_by_key(|end| (end.time, end.event.statement));
    let (mut absences, mut unpaired) = (Vec::new(), Vec::new());
    for reports in by_agency(starts, ends).into_values() {
        pair_agency(reports, &all_ends, &mut absences, &mut unpaired);
    }
    (absences, unpaired)
}

enum Report<'e> {
    /// An end that refers to no start.
    End(End<'e>),
    /// A start, with the ends that refer to it.
    Start(Start<'e>, Vec<End<'e>>),
}

impl Report<'_> {
    /// An end comes before a start of the same moment: the child came back and left again, or one kind of absence
    /// turned into the other. Statement hashes make the order of the rest the same whenever they came.
    fn order(&self) -> (i64, bool, StatementRef) {
        match self {
            Self::End(end) => (end.time, false, end.event.statement),
            Self::Start(start, _) => (start.time, true, start.event.statement),
        }
    }
}

/// Each agency's reports. An end that refers to a start is with the start, whoever reported it.
fn by_agency<'e>(
    starts: Vec<Start<'e>>,
    ends: Vec<(Option<StatementRef>, End<'e>)>,
) -> BTreeMap<&'e str, Vec<Report<'e>>> {
    let begun: BTreeMap<StatementRef, i64> = starts.iter().map(|s| (s.event.statement, s.time)).collect();
    let mut referring: BTreeMap<StatementRef, Vec<End<'e>>> = BTreeMap::new();
    let mut agencies: BTreeMap<&str, Vec<Report<'e>>> = BTreeMap::new();
    for (of, end) in ends {
        match of.filter(|of| begun.get(of).is_some_and(|start| *start <= end.time)) {
            Some(of) => referring.entry(of).or_default().push(end),
            None => agencies.entry(end.event.speaker()).or_default().push(Report::End(end)),
        }
    }
    for start in starts {
        let ends = referring.remove(&start.event.statement).unwrap_or_default();
        agencies.entry(start.event.speaker()).or_default().push(Report::Start(start, ends));
    }
    agencies
}

fn pair_agency<'e>(
    mut reports: Vec<Report<'e>>,
    all_ends: &[End<'e>],
    absences: &mut Vec<Absence<'e>>,
    unpaired: &mut Vec<End<'e>>,
) {
    reports.sort_unstable_by_key(Report::order);
    // More than one absence is open where the same start was reported twice: they get the same end.
    let (mut open, mut own_unpaired): (Vec<Start<'e>>, Vec<End<'e>>) = (Vec::new(), Vec::new());
    let mut paired = Vec::new();
    for report in reports {
        match report {
            Report::End(end) if open.is_empty() => own_unpaired.push(end),
            Report::End(end) => paired.extend(open.drain(..).map(|start| Absence::ended(start, vec![end]))),
            Report::Start(start, referring) => {
                if open.first().is_some_and(|earlier| earlier.time < start.time) {
                    paired.extend(open.drain(..).map(|earlier| overtaken(earlier, &start, all_ends)));
                }
                if referring.is_empty() {
                    open.push(start);
                } else {
                    paired.push(Absence::ended(start, referring));
                }
            }
        }
    }
    paired.extend(open.into_iter().map(|start| last_of_its_agency(start, &own_unpaired, all_ends)));
    let used: BTreeSet<u64> =
        paired.iter().flat_map(|absence| &absence.ends).map(|end| end.event.index).collect();
    unpaired.extend(own_unpaired.into_iter().filter(|end| !used.contains(&end.event.index)));
    absences.append(&mut paired);
}

/// An absence without an end of its own, whose agency reports another start.
fn overtaken<'e>(start: Start<'e>, next: &Start<'e>, all_ends: &[End<'e>]) -> Absence<'e> {
    if let Some(end) = first_end_after(&start, next.time, all_ends) {
        return Absence::ended(start, vec![end]);
    }
    let turned = start.facts.kind != next.facts.kind;
    let until = if turned { Until::Time(next.time) } else { Until::NotReported };
    Absence { start, until, ends: Vec::new() }
}

/// An absence without an end of its own after it. An end at the very moment of the start was put before it.
fn last_of_its_agency<'e>(start: Start<'e>, own: &[End<'e>], all_ends: &[End<'e>]) -> Absence<'e> {
    let at_once = own.iter().find(|end| end.time == start.time).copied();
    match at_once.or_else(|| first_end_after(&start, i64::MAX, all_ends)) {
        Some(end) => Absence::ended(start, vec![end]),
        None => Absence { start, until: Until::Open, ends: Vec::new() },
    }
}

/// The first end that anybody reports after the start, and by `limit`. If the agency itself reported it, it refers to
/// another start.
fn first_end_after<'e>(start: &Start<'e>, limit: i64, all_ends: &[End<'e>]) -> Option<End<'e>> {
    let first = all_ends.partition_point(|end| end.time <= start.time);
    all_ends.get(first).filter(|end| end.time <= limit).copied()
}

impl<'e> Absence<'e> {
    /// Ended by the last of these ends.
    fn ended(start: Start<'e>, ends: Vec<End<'e>>) -> Self {
        let until = ends.iter().map(|end| end.time).max().unwrap_or(start.time);
        Self { start, until: Until::Time(until), ends }
    }

    /// How far it reaches, to find what overlaps with it.
    pub(super) fn reach(&self) -> i64 {
        match self.until {
            Until::Time(time) => time,
            Until::NotReported => self.start.time,
            Until::Open => i64::MAX,
        }
    }

    /// By start; the graver kind first, so that an absence that begins as both is `Missing`.
    pub(super) fn order(&self) -> (i64, std::cmp::Reverse<Gravity>, StatementRef) {
        (self.start.time, std::cmp::Reverse(self.start.gravity()), self.start.event.statement)
    }
}
