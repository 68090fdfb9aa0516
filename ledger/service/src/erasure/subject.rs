//! Whom an erasure is about: every identifier that is joined to the one that was named, and what forbids it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use gt_core::erasure::{MAX_OWNERS, Scope};
use gt_core::statement::Owner;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, TreeSize};
use serde_json::Value;

use super::{EraseError, EraseRequest, ErasureReceipt, Hold, Owned, Whom};
use crate::bundle::Held as _;
use crate::keyring::{OwnerTag, RetiredKek};
use crate::open_ledger::Shared;
use crate::record::{OpenStatement, OwnerId, Record};
use crate::sealer::Sealed;

/// Events that forbid an erasure while they stand, and those that end them.
const HOLDS: [(&str, &str); 2] = [("hold.placed", "hold.lifted"), ("record.restricted", "record.released")];

/// An erasure that may go ahead, if nothing comes in between.
pub(crate) struct Erasing {
    pub(crate) request: EraseRequest,
    /// By id, without repeats.
    pub(crate) owners: Vec<Owned>,
}

impl Erasing {
    /// What it has come to, once it is sealed and `retired` is no longer the key in force.
    pub(crate) fn receipt(&self, sealed: Sealed, kek: String, retired: RetiredKek) -> ErasureReceipt {
        ErasureReceipt {
            index: sealed.index,
            receipt: sealed.receipt,
            owners: self.owners.iter().map(|owner| owner.id).collect(),
            entries: self.owners.iter().map(|owner| owner.entries).sum(),
            scope: self.request.scope,
            kek,
            retired,
        }
    }
}

/// What was read of the log while an erasure was worked out. An entry stays as it is, so an erasure that is worked out anew, because
/// something came in between, reads only what came: or it might never be done with somebody about whom much is said.
#[derive(Default)]
pub(crate) struct Known(HashMap<LeafIndex, Arc<Record>>);

/// Everybody who is the person whom the request names.
pub(crate) struct Subject<'l> {
    shared: &'l Shared,
    known: &'l mut Known,
    scope: Scope,
    /// From where on nothing may have been said about the person.
    through: Option<TreeSize>,
    owners: BTreeMap<OwnerId, Owned>,
    holds: Vec<Hold>,
}

impl<'l> Subject<'l> {
    /// Works out what a request comes to. It changes nothing. After [`EraseError::Busy`] it is to be worked out anew.
    pub(crate) fn of(
        shared: &'l Shared,
        request: EraseRequest,
        known: &'l mut Known,
    ) -> Result<Erasing, EraseError> {
        if !shared.registry().publishers().any(|(_, publisher)| publisher.agency == request.authority) {
            return Err(EraseError::UnknownAuthority(request.authority));
        }
        let owners = BTreeMap::new();
        let (scope, through) = (request.scope, request.known);
        let mut subject = Self { shared, known, scope, through, owners, holds: Vec::new() };
        let mut next = subject.named(&request.whom)?;
        while let Some(owner) = next.pop() {
            if subject.owners.insert(owner.id, owner).is_some() {
                continue;
            }
            if subject.owners.len() > MAX_OWNERS {
                return Err(EraseError::TooManyIdentifiers);
            }
            let records = subject.records(&owner)?;
            subject.holds.extend(holds(&records, owner.id));
            for partner in partners(&records, owner.id) {
                next.extend(subject.by_id(partner));
            }
        }
        if !subject.holds.is_empty() {
            subject.holds.sort_by_key(|hold| hold.index);
            return Err(EraseError::Held(subject.holds));
        }
        Ok(Erasing { request, owners: subject.owners.into_values().collect() })
    }

    fn named(&self, whom: &Whom) -> Result<Vec<Owned>, EraseError> {
        match whom {
            Whom::Pseudonym(pseudonym) => {
                let tag = self.shared.keyring().tag(&Owner::Person(pseudonym.clone()));
                Ok(vec![self.to_be_erased(self.by_tag(&tag))?])
            }
            Whom::Owner(id) => Ok(vec![self.to_be_erased(self.by_id(*id))?]),
            Whom::Persons(ids) if ids.is_empty() => Err(EraseError::Unknown),
            Whom::Persons(ids) => ids.iter().map(|id| self.to_be_erased(self.by_id(*id))).collect(),
        }
    }

    fn to_be_erased(&self, found: Option<Owned>) -> Result<Owned, EraseError> {
        let found = found.ok_or(EraseError::Unknown)?;
        let ended = self.shared.keyring().owner(&found.tag).is_some_and(|held| held.is_ended());
        if ended && self.scope == Scope::Data { Err(EraseError::AlreadyErased) } else { Ok(found) }
    }

    fn by_id(&self, id: OwnerId) -> Option<Owned> {
        let tag = self.shared.index.tag_of_id(id.as_bytes())?;
        self.by_tag(&tag).filter(|found| found.id == id)
    }

    fn by_tag(&self, tag: &OwnerTag) -> Option<Owned> {
        let keyring = self.shared.keyring();
        let held = keyring.owner(tag)?;
        let id = OwnerId::from_bytes(held.link.name(0));
        // An agency's own statements are no data subject's.
        let is_agency = matches!(held.owner(), Some(Owner::Agency(_)));
        let entries = self.shared.index.count_of(tag);
        (!is_agency && entries > 0).then_some(Owned { tag: *tag, id, entries })
    }

    /// What can be read of an owner's entries, in the order of the log. [`EraseError::Busy`] while one of them is sealed and not shown yet.
    fn records(&mut self, owner: &Owned) -> Result<Vec<Arc<Record>>, EraseError> {
        let failed = |error| EraseError::Read(Box::new(error));
        let mut records = Vec::new();
        for index in self.shared.index.entries_of(&owner.tag).map_err(|error| failed(error.into()))? {
            if self.through.is_some_and(|through| !through.contains(index)) {
                return Err(EraseError::Changed);
            }
            if let Some(known) = self.known.0.get(&index) {
                records.push(Arc::clone(known));
                continue;
            }
            // The index has an entry a moment before the log shows it, and that one may be a hold.
            let read = self.shared.records(index, 1).map_err(failed)?.pop().ok_or(EraseError::Busy)?;
            if read.statement.is_some() {
                let record = Arc::new(read);
                self.known.0.insert(index, Arc::clone(&record));
                records.push(record);
            }
        }
        Ok(records)
    }
}

/// With whom an owner is one: of what is said about a pair, the latest by event time holds, as in the views.
fn partners(records: &[Arc<Record>], owner: OwnerId) -> Vec<OwnerId> {
    let replaced = replaced(records);
    let mut latest: BTreeMap<OwnerId, (i64, Hash, bool)> = BTreeMap::new();
    for (record, open) in readable(records) {
        let linked = match record.event_type.as_str() {
            "identifier.linked" => true,
            "identifier.unlinked" => false,
            _ => continue,
        };
        if replaced.contains(&(open.speaker().to_string(), record.entry.statement.to_string())) {
            continue;
        }
        let occurred_at = text(open, "times", "occurred_at").and_then(|time| Timestamp::parse(time).ok());
        let at = occurred_at.map_or(record.entry.received_at.as_millis(), Timestamp::as_millis);
        for partner in owners(open, "identifiers").filter(|partner| *partner != owner) {
            let said = (at, record.entry.statement, linked);
            latest.entry(partner).and_modify(|known| *known = said.max(*known)).or_insert(said);
        }
    }
    latest.into_iter().filter(|(_, (.., linked))| *linked).map(|(partner, _)| partner).collect()
}

/// The holds in force on an owner's record. What one agency placed, no other lifts; a ground is lifted for itself; and a lifting that was
/// replaced has lifted nothing. In doubt the record is held.
fn holds(records: &[Arc<Record>], owner: OwnerId) -> Vec<Hold> {
    let replaced = replaced(records);
    let mut standing: BTreeMap<(&str, String, String), LeafIndex> = BTreeMap::new();
    for (record, open) in readable(records).filter(|(_, open)| owners(open, "child").any(|one| one == owner))
    {
        let name = record.event_type.as_str();
        let Some((places, ends)) = HOLDS.iter().find(|(places, ends)| [*places, *ends].contains(&name))
        else {
            continue;
        };
        let ground = open.clear.get("ground").and_then(Value::as_str).unwrap_or_default();
        let key = (*ends, open.speaker().to_string(), ground.to_owned());
        if name == *places {
            standing.entry(key).or_insert(record.entry.index);
        } else if !replaced.contains(&(open.speaker().to_string(), record.entry.statement.to_string())) {
            standing.remove(&key);
        }
    }
    standing.into_iter().map(|((ended_by, ..), index)| Hold { index, ended_by }).collect()
}

/// The statements that were replaced, each with the agency that did so: nobody replaces another's.
fn replaced(records: &[Arc<Record>]) -> HashSet<(String, String)> {
    let named = |open: &OpenStatement| {
        Some((open.speaker().to_string(), text(open, "refs", "supersedes")?.to_owned()))
    };
    readable(records).filter_map(|(_, open)| named(open)).collect()
}

fn readable(records: &[Arc<Record>]) -> impl Iterator<Item = (&Record, &OpenStatement)> {
    records.iter().filter_map(|record| Some((&**record, record.statement.as_ref()?)))
}

fn owners<'o>(open: &'o OpenStatement, member: &str) -> impl Iterator<Item = OwnerId> + use<'o> {
    open.disclosed.get(member).into_iter().flatten().map(|element| element.owner)
}

fn text<'o>(open: &'o OpenStatement, member: &str, inner: &str) -> Option<&'o str> {
    open.disclosed.get(member)?.first()?.value.get(inner)?.as_str()
}
