//! Absences of a child, as several agencies report them, merged into episodes.

use std::collections::BTreeSet;

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use serde::Serialize;

use gt_schemas::{MissingFrom, MissingRisk};

use super::absence::{Absence, End, Gravity, Until};
use crate::event::{StatementRef, ViewEvent};
use crate::notation::{self, moment};

/// A missing episode. One absence that several agencies report is one episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Episode {
    /// `Missing` or `AwayWithoutAuthorisation`; none where only the return was reported.
    pub kind: Option<&'static str>,
    /// When it began, by the earliest report; none where only the return was reported.
    #[serde(serialize_with = "notation::text_or_null")]
    pub started_at: Option<Timestamp>,
    /// When it ended, by the latest report that belongs to it.
    #[serde(serialize_with = "notation::text_or_null")]
    pub ended_at: Option<Timestamp>,
    /// What is known of its end and start.
    pub state: EpisodeState,
    /// From where, by the earliest report: `Home` or `Placement`.
    pub from: Option<&'static str>,
    /// The highest risk that was reported.
    pub risk: Option<&'static str>,
    /// Whether harm during the absence is suspected, by anybody.
    pub harm_suspected: bool,
    /// Who reported it, sorted.
    pub agencies: Vec<String>,
    /// The entries behind it, sorted.
    #[serde(serialize_with = "notation::indexes")]
    pub entries: Vec<LeafIndex>,
    /// The first report of it: of its start, or of the return if only that was reported.
    #[serde(skip)]
    pub(crate) anchor: StatementRef,
    /// When the child returned, by the latest report: none where nobody said so, and where away without authorisation turned into missing,
    /// though its end was reported.
    #[serde(skip)]
    pub(crate) returned_at: Option<i64>,
}

/// What is known of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EpisodeState {
    /// It goes on.
    Open,
    /// It has ended.
    Ended,
    /// An agency reports a later absence and no end of this one.
    EndNotReported,
    /// An end was reported, and no start to which it could belong.
    StartNotReported,
}

/// Merges absences.
///
/// - Absences that begin at the same moment are one, and it is `Missing` if one of them is.
/// - An absence that begins before the end of an earlier one belongs to it.
/// - But if the earlier one is away without authorisation and the later one is missing, the first has turned into the
///   second: two episodes that share a boundary.
/// - Touching is not overlapping: a child who is back at noon and gone at noon was gone twice. But away until noon and missing from
///   noon on has turned into missing: what was reported to end the first is no return.
/// - An end without a start of its agency's own belongs to the episode within which, or at whose end, it lies.
pub(super) fn merge(mut absences: Vec<Absence<'_>>, unpaired: &[End<'_>]) -> Vec<Episode> {
    absences.sort_unstable_by_key(Absence::order);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for absence in &absences {
        match groups.last_mut() {
            Some(group) if group.turns_into(absence) => {
                let next = group.turn(absence);
                groups.push(next);
            }
            Some(group) if group.overlaps(absence) => group.join(absence),
            _ => groups.push(Group::new(absence)),
        }
    }
    let mut homeless = Vec::new();
    for end in unpaired {
        let home = groups.iter_mut().find(|group| group.start <= end.time && end.time <= group.reach);
        match home {
            Some(group) => group.ends.push(*end),
            None => homeless.push(end),
        }
    }
    let mut next: Option<(Gravity, i64)> = None;
    for group in groups.iter_mut().rev() {
        group.has_turned = next.is_some_and(|(kind, start)| group.kind < kind && group.reach == start);
        next = Some((group.kind, group.start));
    }
    let mut episodes: Vec<Episode> = groups.into_iter().map(Group::into_episode).collect();
    episodes.extend(homeless.into_iter().map(return_only));
    episodes.sort_by_cached_key(|episode| {
        (episode.started_at.or(episode.ended_at), episode.ended_at, episode.kind)
    });
    episodes
}

struct Group<'e> {
    kind: Gravity,
    start: i64,
    reach: i64,
    end_known: bool,
    /// Whether it ends where a graver one begins.
    has_turned: bool,
    reports: Vec<&'e Absence<'e>>,
    ends: Vec<End<'e>>,
}

impl<'e> Group<'e> {
    fn new(absence: &'e Absence<'e>) -> Self {
        Self {
            kind: absence.start.gravity(),
            start: absence.start.time,
            reach: absence.reach(),
            end_known: matches!(absence.until, Until::Time(_)),
            has_turned: false,
            reports: vec![absence],
            ends: absence.ends.clone(),
        }
    }

    fn overlaps(&self, absence: &Absence<'_>) -> bool {
        absence.start.time == self.start || absence.start.time < self.reach
    }

    fn turns_into(&self, absence: &Absence<'_>) -> bool {
        self.kind < absence.start.gravity()
            && self.start < absence.start.time
            && absence.start.time < self.reach
    }

    fn join(&mut self, absence: &'e Absence<'e>) {
        self.reach = self.reach.max(absence.reach());
        self.end_known |= matches!(absence.until, Until::Time(_));
        self.reports.push(absence);
        self.ends.extend_from_slice(&absence.ends);
    }

    /// Ends the group where the other absence begins; what was reported to end it later ends the other one.
    fn turn(&mut self, absence: &'e Absence<'e>) -> Self {
        let mut next = Self::new(absence);
        let boundary = absence.start.time;
        next.reach = next.reach.max(self.reach);
        next.end_known |= self.end_known;
        next.ends.extend(self.ends.iter().filter(|end| end.time > boundary));
        self.ends.retain(|end| end.time <= boundary);
        (self.reach, self.end_known) = (boundary, true);
        next
    }

    fn into_episode(self) -> Episode {
        let (state, ended_at) = match (self.reach, self.end_known) {
            (i64::MAX, _) => (EpisodeState::Open, None),
            (_, false) => (EpisodeState::EndNotReported, None),
            (reach, true) => (EpisodeState::Ended, Some(moment(reach))),
        };
        let starts = || self.reports.iter().map(|absence| &absence.start);
        let risk = starts().filter_map(|start| start.facts.risk).max_by_key(|risk| gravity(*risk));
        let events = starts().map(|start| start.event).chain(self.ends.iter().map(|end| end.event));
        let (agencies, entries) = behind(events);
        Episode {
            kind: Some(match self.kind {
                Gravity::Away => "AwayWithoutAuthorisation",
                Gravity::Missing => "Missing",
            }),
            started_at: Some(moment(self.start)),
            ended_at,
            state,
            from: starts().next().map(|start| start.facts.from).map(MissingFrom::as_str),
            risk: risk.map(MissingRisk::as_str),
            harm_suspected: self.ends.iter().any(|end| end.harm_suspected),
            agencies,
            entries,
            anchor: self.reports[0].start.event.statement,
            returned_at: self.ends.iter().map(|end| end.time).max().filter(|_| !self.has_turned),
        }
    }
}

fn return_only(end: &End<'_>) -> Episode {
    let (agencies, entries) = behind(std::iter::once(end.event));
    Episode {
        kind: None,
        started_at: None,
        ended_at: Some(moment(end.time)),
        state: EpisodeState::StartNotReported,
        from: None,
        risk: None,
        harm_suspected: end.harm_suspected,
        agencies,
        entries,
        anchor: end.event.statement,
        returned_at: Some(end.time),
    }
}

fn behind<'e>(events: impl Iterator<Item = &'e ViewEvent>) -> (Vec<String>, Vec<LeafIndex>) {
    let (mut agencies, mut entries) = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        agencies.insert(event.speaker());
        entries.insert(event.index);
    }
    (agencies.into_iter().map(str::to_owned).collect(), entries.into_iter().map(LeafIndex).collect())
}

fn gravity(risk: MissingRisk) -> u8 {
    match risk {
        MissingRisk::NoApparentRisk => 0,
        MissingRisk::Low => 1,
        MissingRisk::Medium => 2,
        MissingRisk::High => 3,
    }
}
