//! What the patterns find in the units that an entry has affected.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use gt_ledger::record::{ContextId, OwnerId};

use super::alerting::Found;
use super::{Affected, Fold, Reliance};
use crate::alerts::AlertId;
use crate::event::{StatementRef, ViewEvent};
use crate::history::{Horizon, Mark, merged};
use crate::key;
use crate::patterns::{self, Parts, Pattern, Patterns};
use crate::share;
use crate::store::StoreError;
use crate::subject::Unit;

impl Fold<'_> {
    /// Looks at everything that is affected, and compares it with the alerts that stand.
    pub(super) fn assess(&mut self, affected: &Affected, by: Mark) -> Result<(), StoreError> {
        let mut found = Found { new: affected.new, ..Found::default() };
        for unit in affected.units.keys() {
            if found.units.contains_key(unit) {
                continue;
            }
            match unit {
                Unit::Child(child) => self.assess_child(*child, affected, &mut found, by)?,
                Unit::Person(person) => self.assess_person(*person, &mut found, by)?,
                Unit::Context(context) => self.assess_context(*context, &mut found, by)?,
                Unit::Agreement(agreement) => self.assess_agreement(*agreement, &mut found, by)?,
                Unit::Agency(agency) => self.assess_agency(agency, &mut found, by)?,
                Unit::Edge(from, to) => self.assess_edge(from, to, &mut found, by)?,
                Unit::Identity(_) | Unit::Accesses(_) | Unit::Restrictions | Unit::Rest => {}
            }
        }
        self.compare(&mut found, by)?;
        for reliance in &affected.reliances {
            // Each alert is compared once an entry: what the entry itself has written is not what stood.
            if !found.units.contains_key(&Unit::Agreement(reliance.agreement)) {
                self.assess_reliance(reliance, affected.new, by)?;
            }
        }
        Ok(())
    }

    fn assess_child(
        &mut self,
        child: OwnerId,
        affected: &Affected,
        found: &mut Found,
        by: Mark,
    ) -> Result<(), StoreError> {
        let group = self.group(child, by)?;
        let units = group.iter().copied().map(Unit::Child);
        let changed =
            units.clone().filter_map(|unit| affected.units.get(&unit)).copied().fold(Parts::NONE, Parts::and);
        let mut looked = Patterns::NONE;
        if changed != Parts::NONE {
            self.hold(&group, by)?;
            let findings;
            (looked, findings) = patterns::of_child(&self.scene(&group, by), changed, by.index, &self.rules);
            found.add(&Unit::Child(least(&group)), findings);
        }
        found.units.extend(units.map(|unit| (unit, looked)));
        Ok(())
    }

    fn assess_person(&mut self, person: OwnerId, found: &mut Found, by: Mark) -> Result<(), StoreError> {
        let group = self.group(person, by)?;
        let units: Vec<Unit> = group.iter().copied().map(Unit::Person).collect();
        let rules = Arc::clone(&self.rules);
        let findings = patterns::shared_person(least(&group), &self.links(&units, by)?, &rules);
        found.add(&Unit::Person(least(&group)), findings);
        found.units.extend(units.into_iter().map(|unit| (unit, Patterns::ALL)));
        Ok(())
    }

    fn assess_context(&mut self, context: ContextId, found: &mut Found, by: Mark) -> Result<(), StoreError> {
        let unit = Unit::Context(context);
        let rules = Arc::clone(&self.rules);
        let links = self.links(std::slice::from_ref(&unit), by)?;
        let findings = patterns::shared_context(context, &links, &rules);
        found.add(&unit, findings);
        found.looked_at(unit);
        Ok(())
    }

    /// The events of some units that stand and are about children, each with the one who stands for its child.
    fn links(&mut self, units: &[Unit], by: Mark) -> Result<Vec<(i64, &ViewEvent, OwnerId)>, StoreError> {
        for unit in units {
            self.load(unit, by.index + 1)?;
        }
        let histories = units.iter().flat_map(|unit| self.cache.history(unit).events());
        let children: BTreeSet<OwnerId> = histories.filter_map(|event| event.child).collect();
        let mut stands_for = HashMap::new();
        for child in children {
            stands_for.insert(child, least(&self.group(child, by)?));
        }
        let histories = units.iter().map(|unit| self.cache.history(unit));
        let events = merged(histories, Horizon::below(by.index + 1)).into_iter();
        Ok(events.filter_map(|(time, event)| Some((time, event, stands_for[&event.child?]))).collect())
    }

    fn assess_agreement(
        &mut self,
        agreement: ContextId,
        found: &mut Found,
        by: Mark,
    ) -> Result<(), StoreError> {
        let horizon = Horizon::below(by.index + 1);
        let units = self.names_of(agreement, by)?;
        let events = merged(units.iter().map(|unit| self.cache.history(unit)), horizon);
        for unit in &units {
            let shares = share::load(&self.rows, &key::shares(unit), horizon)?;
            found.add(unit, patterns::of_agreement(&events, shares.values(), &self.rules));
        }
        found.units.extend(units.into_iter().map(|unit| (unit, Patterns::ALL)));
        Ok(())
    }

    /// An agreement under all its names, loaded: who refers to it writes its reference or its registration's hash, and the registration
    /// has both.
    fn names_of(&mut self, agreement: ContextId, by: Mark) -> Result<BTreeSet<Unit>, StoreError> {
        let (mut units, mut next) = (BTreeSet::new(), vec![Unit::Agreement(agreement)]);
        while let Some(unit) = next.pop() {
            if units.contains(&unit) {
                continue;
            }
            self.load(&unit, by.index + 1)?;
            for event in self.cache.history(&unit).events() {
                let names = [event.refs.agreement, event.refs.agreement_by_hash];
                next.extend(names.into_iter().flatten().map(Unit::Agreement));
            }
            units.insert(unit);
        }
        Ok(units)
    }

    /// One share and the agreement that it names: the others that name it are not affected.
    fn assess_reliance(
        &mut self,
        reliance: &Reliance,
        new: Option<StatementRef>,
        by: Mark,
    ) -> Result<(), StoreError> {
        let unit = Unit::Agreement(reliance.agreement);
        let units = self.names_of(reliance.agreement, by)?;
        let events = merged(units.iter().map(|unit| self.cache.history(unit)), Horizon::below(by.index + 1));
        let findings = patterns::of_agreement(&events, reliance.share.iter(), &self.rules);
        let earlier = Some(reliance.decision).filter(|decision| Some(*decision) != new);
        let alert = |decision| AlertId::at(Pattern::BasisMissing, &patterns::alert_of_agreement(decision));
        let mut found = Found {
            units: BTreeMap::from([(unit.clone(), Patterns::NONE)]),
            alerts: earlier.map(alert).into_iter().collect(),
            new,
            ..Found::default()
        };
        found.add(&unit, findings);
        self.compare(&mut found, by)
    }

    fn assess_agency(&mut self, agency: &str, found: &mut Found, by: Mark) -> Result<(), StoreError> {
        let unit = Unit::Agency(agency.to_owned());
        self.briefs(agency, by)?;
        let briefs = self.cache.shares.entry(agency.to_owned()).or_default();
        let findings = patterns::consent_reliance(agency, briefs.all(), &self.rules);
        briefs.quiet = findings.is_empty();
        found.add(&unit, findings);
        found.looked_at(unit);
        Ok(())
    }
}

/// The one who stands for all.
pub(super) fn least(group: &BTreeSet<OwnerId>) -> OwnerId {
    *group.first().expect("a group has somebody in it")
}
