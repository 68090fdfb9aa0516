//! Decisions as they stand after their corrections, and what the rules of practice say of them.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use gt_schemas::{
    Article6, Catalogue, ConsentScope, ConsentSeen, ConsentStatus, DecisionCorrected, DecisionField,
    DecisionRecorded, Event, FindingCode, InformedStatus, Known, LawfulBasis, PracticeFinding, Sharing,
    findings,
};

use crate::event::{StatementRef, ViewEvent};

/// A decision, with its corrections applied.
#[derive(Debug, Clone)]
pub(crate) struct Decided<'e> {
    /// The statement that recorded it.
    pub(crate) event: &'e ViewEvent,
    /// What it says now.
    pub(crate) decision: Cow<'e, DecisionRecorded>,
    /// The corrections that were applied, in the order of their event times, and each after the one that it corrects.
    pub(crate) corrections: Vec<&'e ViewEvent>,
}

/// The decisions among events that stand and are sorted by time, each as corrected by the same agency.
///
/// A correction names the statement that it corrects, a decision or an earlier correction of one, whichever of them came
/// first. Where that correction cannot be seen, the decision that is named beside it is the one.
pub(crate) fn decisions<'e>(events: &[(i64, &'e ViewEvent)]) -> Vec<Decided<'e>> {
    let mut decided: Vec<Decided<'e>> = Vec::new();
    for (_, event) in events {
        if let Event::DecisionRecorded(decision) = &event.event {
            decided.push(Decided { event, decision: Cow::Borrowed(&**decision), corrections: Vec::new() });
        }
    }
    let corrections = Corrections::of(events);
    for (chain, event, correction) in corrections.in_turn(events) {
        let of_agency = |statement: StatementRef| {
            decided
                .iter()
                .position(|one| one.event.statement == statement && one.event.speaker() == event.speaker())
        };
        if let Some(at) = [chain.end, chain.decision].into_iter().flatten().find_map(of_agency) {
            let one = &mut decided[at];
            correct(one.decision.to_mut(), correction);
            one.corrections.push(event);
        }
    }
    decided
}

/// The corrections among events that stand, each with its time, by their statements.
pub(crate) struct Corrections<'e>(HashMap<StatementRef, (i64, &'e ViewEvent)>);

/// What a correction corrects.
struct Chain {
    /// The statement at the end: the decision, unless a correction on the way to it cannot be seen.
    end: Option<StatementRef>,
    /// The decision that is named beside what is corrected, by the first that names one.
    decision: Option<StatementRef>,
    /// When it is the correction's turn: not before any that it corrects, and of those of one time after them.
    turn: (i64, usize),
}

impl<'e> Corrections<'e> {
    /// Of events that stand.
    pub(crate) fn of(events: &[(i64, &'e ViewEvent)]) -> Self {
        let corrections =
            events.iter().filter(|(_, event)| matches!(event.event, Event::DecisionCorrected(_)));
        Self(corrections.map(|(time, event)| (event.statement, (*time, *event))).collect())
    }

    /// Those among the events of which this was made, in the order in which they apply. Those of one turn keep the events' order.
    fn in_turn(&self, events: &[(i64, &'e ViewEvent)]) -> Vec<(Chain, &'e ViewEvent, &'e DecisionCorrected)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let chained = events.iter().filter_map(|(time, event)| match &event.event {
            Event::DecisionCorrected(correction) => Some((self.chain(*time, event)?, *event, &**correction)),
            _ => None,
        });
        let mut chained: Vec<_> = chained.collect();
        chained.sort_by_key(|(chain, ..)| chain.turn);
        chained
    }

    /// Follows a correction to what it corrects. Nobody corrects in a circle; if somebody does, nothing is found.
    fn chain(&self, time: i64, event: &ViewEvent) -> Option<Chain> {
        let mut chain = Chain { end: event.refs.supersedes, decision: event.refs.decision, turn: (time, 0) };
        while let Some((time, earlier)) = chain.end.and_then(|end| self.0.get(&end)) {
            let (latest, depth) = chain.turn;
            if depth == self.0.len() {
                return None;
            }
            chain.end = earlier.refs.supersedes;
            chain.decision = chain.decision.or(earlier.refs.decision);
            chain.turn = (latest.max(*time), depth + 1);
        }
        Some(chain)
    }

    /// The decision of which a review is: the one that it names as such or else as what it goes on from; of a correction, what that
    /// corrects.
    pub(crate) fn reviewed(&self, review: &ViewEvent) -> Option<StatementRef> {
        let named = review.refs.decision.or(review.refs.supersedes)?;
        match self.0.get(&named) {
            Some((time, correction)) => {
                let chain = self.chain(*time, correction)?;
                chain.end.or(chain.decision)
            }
            None => Some(named),
        }
    }
}

fn correct(decision: &mut DecisionRecorded, by: &DecisionCorrected) {
    for field in by.fields.iter() {
        match field {
            DecisionField::Items => replace(&mut decision.items, by.items.as_ref()),
            DecisionField::Recipients => replace(&mut decision.recipients, by.recipients.as_ref()),
            DecisionField::Purpose => replace(&mut decision.purpose, by.purpose.as_ref()),
            DecisionField::CollectedFor => replace(&mut decision.collected_for, by.collected_for.as_ref()),
            DecisionField::Compatible => decision.compatible = by.compatible,
            DecisionField::HarmLevel => replace(&mut decision.harm_level, by.harm_level.as_ref()),
            DecisionField::LawfulBasis => decision.lawful_basis.clone_from(&by.lawful_basis),
            DecisionField::Consent => replace(&mut decision.consent, by.consent.as_ref()),
            DecisionField::Informed => decision.informed.clone_from(&by.informed),
            DecisionField::Proportionality => decision.proportionality.clone_from(&by.proportionality),
            DecisionField::Method => decision.method.clone_from(&by.method),
            DecisionField::Withhold => decision.withhold.clone_from(&by.withhold),
            DecisionField::Times => decision.times = by.corrected_times.clone().or(decision.times.take()),
            DecisionField::Texts => {}
        }
    }
}

fn replace<T: Clone>(value: &mut T, by: Option<&T>) {
    if let Some(by) = by {
        value.clone_from(by);
    }
}

impl Decided<'_> {
    /// When it was decided, as corrected.
    pub(crate) fn decided_at(&self) -> Option<i64> {
        Some(self.decision.times.as_ref()?.occurred_at.as_millis())
    }

    /// When the concern or the request came.
    pub(crate) fn aware_at(&self) -> Option<i64> {
        Some(self.decision.times.as_ref()?.aware_at?.as_millis())
    }

    /// When the information was shared.
    pub(crate) fn shared_at(&self) -> Option<i64> {
        Some(self.decision.times.as_ref()?.shared_at?.as_millis())
    }

    /// The agencies outside its own with which it shares.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = &str> {
        let outside = self.decision.recipients.iter().filter(|recipient| !recipient.internal);
        outside.filter_map(|recipient| recipient.agency.as_ref()).map(gt_schemas::AgencyCode::as_str)
    }

    /// Whether it relies on consent as its Article 6 basis.
    pub(crate) fn relies_on_consent(&self) -> bool {
        let consent =
            |basis: &LawfulBasis| matches!(basis, LawfulBasis::Article6 { code: Article6::Consent, .. });
        self.decision.lawful_basis.iter().flatten().any(consent)
    }

    /// The entries behind it: the decision's and its corrections', sorted.
    pub(crate) fn entries(&self) -> Vec<u64> {
        let mut entries: Vec<u64> =
            self.corrections.iter().map(|event| event.index).chain([self.event.index]).collect();
        entries.sort_unstable();
        entries
    }

    /// What the rules of practice say of it (DOMAIN section 2), given what else is known.
    pub(crate) fn findings(&self, record: &ChildRecord, catalogue: &Catalogue) -> Vec<PracticeFinding> {
        let told = record.told.contains(&(self.event.statement, self.event.speaker().to_owned()));
        let known = Known { consents: &record.consents, told };
        findings(&Sharing::of(&self.decision, self.event.speaker()), &known, catalogue)
    }

    /// The same, as a set of codes.
    pub(crate) fn finding_bits(&self, record: &ChildRecord, catalogue: &Catalogue) -> u64 {
        as_bits(self.findings(record, catalogue).iter().map(|found| found.code))
    }
}

/// What a child's record says that bears on its decisions.
#[derive(Debug, Default)]
pub(crate) struct ChildRecord {
    /// What was said of consent, by time.
    consents: Vec<ConsentSeen>,
    /// The decisions of which the agency has said in a review that the individual was told.
    told: BTreeSet<(StatementRef, String)>,
}

impl ChildRecord {
    /// Of events that stand and are sorted by time.
    pub(crate) fn of(events: &[(i64, &ViewEvent)]) -> Self {
        let corrections = Corrections::of(events);
        let told = events.iter().filter_map(|(_, event)| match &event.event {
            Event::DecisionReviewed(review)
                if matches!(review.informed, Some(InformedStatus::Before | InformedStatus::After)) =>
            {
                Some((corrections.reviewed(event)?, event.speaker().to_owned()))
            }
            _ => None,
        });
        Self { consents: consents(events), told: told.collect() }
    }
}

/// The consent that sharing may rest on. Consent to an assessment, or to services, bears on no sharing.
pub(crate) const SHARING: ConsentScope = ConsentScope::InformationSharing;

/// What was said of consent to sharing information, by time.
fn consents(events: &[(i64, &ViewEvent)]) -> Vec<ConsentSeen> {
    let seen = |(_, event): &(i64, &ViewEvent)| {
        let at = event.event.occurred_at()?;
        let none = |status| ConsentSeen { at, status, freely_given: None, competent: None };
        Some(match &event.event {
            Event::ConsentGiven(given) if given.scope == SHARING => ConsentSeen {
                at,
                status: if given.explicit { ConsentStatus::Explicit } else { ConsentStatus::Given },
                freely_given: Some(given.freely_given),
                competent: Some(given.competent),
            },
            Event::ConsentRefused(refused) if refused.scope == SHARING => none(ConsentStatus::Refused),
            Event::ConsentWithdrawn(withdrawn) if withdrawn.scope == SHARING => {
                none(ConsentStatus::Withdrawn)
            }
            _ => return None,
        })
    };
    events.iter().filter_map(seen).collect()
}

/// Findings as a set: bit n is the n-th code.
fn as_bits(codes: impl Iterator<Item = FindingCode>) -> u64 {
    codes.fold(0, |bits, code| bits | 1 << position(code))
}

/// The codes of a set, in their order.
pub(crate) fn codes_of(bits: u64) -> impl Iterator<Item = FindingCode> {
    FindingCode::ALL.iter().copied().filter(move |code| bits & (1 << position(*code)) != 0)
}

fn position(code: FindingCode) -> usize {
    FindingCode::ALL.iter().position(|known| *known == code).expect("every code is in the list of codes")
}
