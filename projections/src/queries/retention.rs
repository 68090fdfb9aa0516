//! Whose periods have ended, by the rules of retention in force (`docs/ERASURE.md`). It ends nothing.
//!
//! A person's record is joint: one erasure destroys the keys of all agencies. So it is due only when the periods of every controller with
//! entries about the person, under any of its identifiers, have ended, and for every class that any of them has recorded.

use std::collections::{BTreeMap, BTreeSet};

use gt_core::position::LeafIndex;
use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use gt_schemas::{Event, Retention, RetentionClass, Time};
use serde::Serialize;

use super::units::Units;
use super::{Answer, Page, Queries, QueryError, Snapshot};
use crate::event::ViewEvent;
use crate::history::History;
use crate::notation::{self, moment};
use crate::subject::Unit;

/// A child's record of which something is due to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RetentionRow {
    /// The child: of one with several identifiers, the least of the opaque ids under which something is recorded.
    #[serde(serialize_with = "notation::text")]
    pub child: OwnerId,
    /// Every identifier that is joined to it, by its opaque id; this one too.
    #[serde(serialize_with = "notation::texts")]
    pub identities: BTreeSet<OwnerId>,
    /// What is due.
    #[serde(flatten)]
    pub due: RetentionDue,
    /// What forbids it, while it stands.
    pub held_by: Vec<Held>,
    /// What it follows from.
    #[serde(skip)]
    pub tally: RetentionTally,
}

/// What is due of a record, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RetentionDue {
    /// What would end: `data` (the texts, names and pseudonyms) or `records` (the signed statements too).
    pub ends: &'static str,
    /// Since when that is due.
    #[serde(serialize_with = "notation::text")]
    pub due_since: Timestamp,
    /// When the records are due to end; never, if nothing is said.
    #[serde(serialize_with = "notation::text_or_null")]
    pub records_end: Option<Timestamp>,
    /// The classes of the record.
    pub classes: BTreeSet<&'static str>,
    /// The controllers, each with the rule that ends last.
    pub controllers: Vec<ControllerPeriod>,
}

/// How long one controller keeps a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControllerPeriod {
    /// The agency that speaks in the entries.
    pub agency: String,
    /// When the ledger received its first entry about the person.
    #[serde(serialize_with = "notation::text")]
    pub first_entry: Timestamp,
    /// When it received the last.
    #[serde(serialize_with = "notation::text")]
    pub last_entry: Timestamp,
    /// The rule by which the texts are kept longest: its place in the configuration's list, from 0.
    pub rule: usize,
    /// The class for which it holds.
    pub class: &'static str,
    /// When the texts are due to end.
    #[serde(serialize_with = "notation::text")]
    pub texts_end: Timestamp,
    /// When the records are due to end; never, if nothing is said.
    #[serde(serialize_with = "notation::text_or_null")]
    pub records_end: Option<Timestamp>,
}

/// A hold or a restriction that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The entry that placed it.
    #[serde(serialize_with = "notation::index")]
    pub entry: LeafIndex,
    /// The event that ends it.
    pub ended_by: &'static str,
}

/// What entries about one person come to: who has said something and when, and which plans were recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionTally {
    /// For each controller, when the ledger received its first and last entry, in milliseconds since 1970.
    spans: BTreeMap<String, (i64, i64)>,
    classes: BTreeSet<RetentionClass>,
}

impl RetentionTally {
    /// Counts an entry of this controller, and the plan that it records, if it does.
    pub fn count(&mut self, controller: &str, received_at: Timestamp, class: Option<RetentionClass>) {
        let at = received_at.as_millis();
        let span = self.spans.entry(controller.to_owned()).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
        self.classes.extend(class.filter(|class| *class != RetentionClass::Other));
    }

    /// What is due at `at`; none if nothing is, or if some controller's records of some class are under no rule and so are kept.
    pub fn due(&self, rules: &Retention, at: Timestamp) -> Option<RetentionDue> {
        let other = BTreeSet::from([RetentionClass::Other]);
        let classes = if self.classes.is_empty() { &other } else { &self.classes };
        let mut controllers = Vec::with_capacity(self.spans.len());
        for (agency, (first, last)) in &self.spans {
            controllers.push(period(rules, agency, (*first, *last), classes)?);
        }
        let texts_end = controllers.iter().map(|period| period.texts_end).max()?;
        let ends: Option<Vec<Timestamp>> = controllers.iter().map(|period| period.records_end).collect();
        let records_end = ends.and_then(|ends| ends.into_iter().max());
        let (ends, due_since) = match records_end {
            Some(records_end) if records_end <= at => ("records", records_end),
            _ if texts_end <= at => ("data", texts_end),
            _ => return None,
        };
        let classes = classes.iter().map(|class| class.as_str()).collect();
        Some(RetentionDue { ends, due_since, records_end, classes, controllers })
    }
}

/// The longest of a controller's periods over all classes; none if there is a class without a rule.
fn period(
    rules: &Retention,
    agency: &str,
    (first, last): (i64, i64),
    classes: &BTreeSet<RetentionClass>,
) -> Option<ControllerPeriod> {
    let time = |millis| Time::from_millis(millis).unwrap_or(Time::MAX);
    let mut longest: Option<ControllerPeriod> = None;
    for class in classes {
        let (place, rule) = rules.rule(agency, *class)?;
        let texts_end = moment(rule.texts_end(time(first), time(last)).as_millis());
        let records_end = rule.records_end(time(first), time(last)).map(|end| moment(end.as_millis()));
        let new = ControllerPeriod {
            agency: agency.to_owned(),
            first_entry: moment(first),
            last_entry: moment(last),
            rule: place,
            class: class.as_str(),
            texts_end,
            records_end,
        };
        longest = Some(match longest {
            None => new,
            Some(known) => {
                let records_end = known.records_end.zip(new.records_end).map(|(one, other)| one.max(other));
                let by = if new.texts_end > known.texts_end { new } else { known };
                ControllerPeriod { records_end, ..by }
            }
        });
    }
    longest
}

impl Queries {
    /// The children of whose records something is due to end at `at`, by the rules in force, in an order that says nothing and does not
    /// change. What holds it back is named, and the row is there all the same. Persons of concern are no children, and not in the list.
    pub fn retention_due(&self, at: Timestamp, page: &Page) -> Result<Answer<RetentionRow>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let rules = self.rules_of(page, &snapshot)?;
        let Some(rules) = &rules.retention else { return Ok(snapshot.answer(page, Vec::new(), None)) };
        snapshot.page_of_units(&Units::children(), page, |unit, _| {
            let Unit::Child(child) = unit else { return Ok((None, 0)) };
            let group = snapshot.group(*child)?;
            let histories = snapshot.histories(*child, Unit::Child)?;
            // A child with several identifiers stands in the list once: at the first under which something is said.
            let named = group.iter().zip(&histories).find(|(_, history)| history.len() > 0);
            if named.is_none_or(|(first, _)| first != child) {
                return Ok((None, 1));
            }
            let cost = histories.iter().map(History::len).sum();
            Ok((snapshot.retention(*child, group, &histories, rules, at), cost))
        })
    }
}

impl Snapshot {
    fn retention(
        &self,
        child: OwnerId,
        identities: BTreeSet<OwnerId>,
        histories: &[History],
        rules: &Retention,
        at: Timestamp,
    ) -> Option<RetentionRow> {
        let mut events: Vec<&ViewEvent> = histories
            .iter()
            .flat_map(History::events)
            .filter(|event| self.horizon.covers(event.mark()))
            .collect();
        events.sort_unstable_by_key(|event| event.index);
        let mut tally = RetentionTally::default();
        for event in &events {
            // What was replaced was said all the same, and is about the person; the plan that it recorded is taken back.
            let class = plan(event).filter(|_| self.superseded_by(event).is_none());
            tally.count(event.speaker(), moment(event.received_at), class);
        }
        let due = tally.due(rules, at)?;
        Some(RetentionRow { child, identities, due, held_by: self.held_by(&events), tally })
    }

    /// The holds that stand, as an erasure finds them: what one agency placed, no other lifts; a ground is lifted for itself; and a
    /// lifting that was replaced has lifted nothing.
    fn held_by(&self, events: &[&ViewEvent]) -> Vec<Held> {
        let mut standing: BTreeMap<(&str, &str, &str), LeafIndex> = BTreeMap::new();
        for event in events {
            let (ended_by, ground, places) = match &event.event {
                Event::HoldPlaced(hold) => ("hold.lifted", hold.ground.as_str(), true),
                Event::HoldLifted(hold) => ("hold.lifted", hold.ground.as_str(), false),
                Event::RecordRestricted(one) => ("record.released", one.ground.as_str(), true),
                Event::RecordReleased(one) => ("record.released", one.ground.as_str(), false),
                _ => continue,
            };
            let key = (ended_by, event.speaker(), ground);
            if places {
                standing.entry(key).or_insert(LeafIndex(event.index));
            } else if self.superseded_by(event).is_none() {
                standing.remove(&key);
            }
        }
        let mut held: Vec<Held> =
            standing.into_iter().map(|((ended_by, ..), entry)| Held { entry, ended_by }).collect();
        held.sort_unstable_by_key(|held| held.entry);
        held
    }
}

/// The class of the plan that an event records.
fn plan(event: &ViewEvent) -> Option<RetentionClass> {
    match &event.event {
        Event::ChildMoved(moved) => Some(RetentionClass::of(moved.plan)),
        Event::PlacementStarted(placed) => Some(RetentionClass::of(placed.plan)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use gt_schemas::Configuration;
    use serde_json::{Value, json};

    use super::*;

    fn rules(rules: &Value) -> Retention {
        let mut whole = Configuration::standard().to_json();
        whole["retention"] = json!({"rules": rules});
        Configuration::read(&whole).expect("rules").retention.expect("there are rules")
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn tally(entries: &[(&str, &str, Option<RetentionClass>)]) -> RetentionTally {
        let mut tally = RetentionTally::default();
        for (agency, at, class) in entries {
            tally.count(agency, time(at), *class);
        }
        tally
    }

    const COUNCIL: &str = "gss:E06000999";
    const POLICE: &str = "police:99";

    #[test]
    fn something_is_due_from_the_moment_on_and_not_before() {
        let rules = rules(
            &json!([{"class": "CIN", "counts_from": "LastEntry", "texts_years": 3, "records_years": 5}]),
        );
        let one = tally(&[
            (COUNCIL, "2020-01-10T10:00:00Z", Some(RetentionClass::ChildInNeed)),
            (COUNCIL, "2021-01-10T10:00:00Z", None),
        ]);
        assert_eq!(one.due(&rules, time("2024-01-10T23:59:59.999Z")), None);
        let due = one.due(&rules, time("2024-01-11T00:00:00Z")).expect("the texts");
        assert_eq!((due.ends, due.due_since), ("data", time("2024-01-11T00:00:00Z")));
        assert_eq!(due.records_end, Some(time("2026-01-11T00:00:00Z")));
        assert_eq!(one.due(&rules, time("2026-01-10T23:59:59Z")).expect("the texts").ends, "data");
        let due = one.due(&rules, time("2026-01-11T00:00:00Z")).expect("the records");
        assert_eq!((due.ends, due.due_since), ("records", time("2026-01-11T00:00:00Z")));
        assert_eq!(due.controllers[0].first_entry, time("2020-01-10T10:00:00Z"));
    }

    #[test]
    fn a_joint_record_is_kept_as_long_as_any_controller_keeps_it() {
        let both = tally(&[
            (COUNCIL, "2000-01-10T10:00:00Z", Some(RetentionClass::ProtectionPlan)),
            (POLICE, "2001-01-10T10:00:00Z", None),
        ]);
        let council =
            json!({"controller": COUNCIL, "class": "CPP", "counts_from": "FirstEntry", "texts_years": 5});
        let later = time("2199-01-01T00:00:00Z");
        // The police have no rule for the class, so everything is kept.
        assert_eq!(both.due(&rules(&json!([council])), later), None);
        let police = json!({"controller": POLICE, "class": "CPP", "counts_from": "FirstEntry", "texts_years": 10, "records_years": 10});
        let rules = rules(&json!([council, police]));
        assert_eq!(
            both.due(&rules, time("2006-01-01T00:00:00Z")),
            None,
            "the council's has ended, that of the police not"
        );
        let due = both.due(&rules, time("2011-01-11T00:00:00Z")).expect("both have ended");
        assert_eq!((due.ends, due.records_end), ("data", None), "the council's records have no end");
        assert_eq!(due.controllers.iter().map(|one| one.rule).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn of_several_classes_the_longest_counts_and_other_is_for_those_without_a_plan() {
        let rules = rules(&json!([
            {"class": "CLA", "counts_from": "FirstEntry", "texts_years": 75, "records_years": 75},
            {"class": "CIN", "counts_from": "FirstEntry", "texts_years": 21, "records_years": 90},
            {"class": "Other", "counts_from": "LastEntry", "texts_years": 1},
        ]));
        let at = "2000-01-10T10:00:00Z";
        let child = tally(&[
            (COUNCIL, at, Some(RetentionClass::ChildInNeed)),
            (COUNCIL, at, Some(RetentionClass::LookedAfter)),
            (COUNCIL, at, Some(RetentionClass::Other)),
        ]);
        assert_eq!(child.due(&rules, time("2074-12-31T00:00:00Z")), None);
        let due = child.due(&rules, time("2075-01-11T00:00:00Z")).expect("the texts");
        assert_eq!((due.ends, due.records_end), ("data", Some(time("2090-01-11T00:00:00Z"))));
        assert_eq!((due.controllers[0].rule, due.controllers[0].class), (0, "CLA"));
        assert_eq!(due.classes, BTreeSet::from(["CIN", "CLA"]));
        let none = tally(&[(COUNCIL, at, Some(RetentionClass::Other)), (POLICE, at, None)]);
        assert_eq!(
            none.due(&rules, time("2001-01-11T00:00:00Z")).expect("due").classes,
            BTreeSet::from(["Other"])
        );
        assert_eq!(RetentionTally::default().due(&rules, time(at)), None, "nobody has said anything");
    }
}
