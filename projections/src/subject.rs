//! Whom events and alerts are about.

use gt_core::base64url;
use gt_ledger::record::{ContextId, OwnerId};
use gt_schemas::Event;
use serde::Serialize;

use crate::event::ViewEvent;
use crate::key::Key;
use crate::notation;

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A child. Of one with several identifiers, the least of their opaque ids.
    Child(#[serde(serialize_with = "notation::text")] OwnerId),
    /// A person of concern, likewise.
    Person(#[serde(serialize_with = "notation::text")] OwnerId),
    /// A place or another context.
    Context(#[serde(serialize_with = "notation::text")] ContextId),
    /// An agency, by its code.
    Agency(String),
    /// The way from one agency to another.
    Edge {
        /// Who would share.
        from: String,
        /// With whom.
        to: String,
    },
}

/// Whose events are kept together, under keys that start alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Unit {
    /// Everything about a child, by one of its identifiers.
    Child(OwnerId),
    /// Everything that names a person of concern.
    Person(OwnerId),
    /// A context's links.
    Context(ContextId),
    /// An information sharing agreement: its events, and the shares that rely on it.
    Agreement(ContextId),
    /// What says that somebody has another identifier too.
    Identity(OwnerId),
    /// An agency's shares.
    Agency(String),
    /// The way from one agency to another. No events are kept under it.
    Edge(String, String),
    /// Who looked at a child's record, and who was allowed to.
    Accesses(OwnerId),
    /// Restrictions of children's records, and their ends: those of all children, for they are few and every list needs them.
    Restrictions,
    /// What belongs to none of these.
    Rest,
}

impl Unit {
    /// Unique, and no unit's bytes begin another's.
    pub(crate) fn to_bytes(&self) -> Key {
        let id = |tag: u8, id: &[u8; 16]| [&[tag], &id[..]].concat();
        match self {
            Self::Child(owner) => id(b'c', owner.as_bytes()),
            Self::Person(owner) => id(b'p', owner.as_bytes()),
            Self::Context(context) => id(b'x', context.as_bytes()),
            Self::Agreement(agreement) => id(b'g', agreement.as_bytes()),
            Self::Identity(owner) => id(b'i', owner.as_bytes()),
            // No agency code has a zero in it.
            Self::Agency(agency) => [b"a", agency.as_bytes(), &[0]].concat(),
            Self::Edge(from, to) => [b"e", from.as_bytes(), &[0], to.as_bytes(), &[0]].concat(),
            Self::Accesses(owner) => id(b'l', owner.as_bytes()),
            Self::Restrictions => b"t".to_vec(),
            Self::Rest => b"r".to_vec(),
        }
    }

    /// The unit whose bytes these begin with, and what follows.
    pub(crate) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (tag, rest) = bytes.split_first()?;
        let text = |rest: &'_ [u8]| {
            let end = rest.iter().position(|byte| *byte == 0)?;
            Some((String::from_utf8(rest[..end].to_vec()).ok()?, end + 1))
        };
        match tag {
            b'a' => {
                let (agency, used) = text(rest)?;
                Some((Self::Agency(agency), &rest[used..]))
            }
            b'e' => {
                let (from, used) = text(rest)?;
                let rest = &rest[used..];
                let (to, used) = text(rest)?;
                Some((Self::Edge(from, to), &rest[used..]))
            }
            b'r' => Some((Self::Rest, rest)),
            b't' => Some((Self::Restrictions, rest)),
            tag => {
                let (id, rest) = rest.split_first_chunk::<16>()?;
                let unit = match tag {
                    b'c' => Self::Child(OwnerId::from_bytes(*id)),
                    b'p' => Self::Person(OwnerId::from_bytes(*id)),
                    b'x' => Self::Context(ContextId::from_bytes(*id)),
                    b'g' => Self::Agreement(ContextId::from_bytes(*id)),
                    b'i' => Self::Identity(OwnerId::from_bytes(*id)),
                    b'l' => Self::Accesses(OwnerId::from_bytes(*id)),
                    _ => return None,
                };
                Some((unit, rest))
            }
        }
    }

    /// Where an event is kept, without repeats. The first is where it is looked up.
    pub(crate) fn all_of(event: &ViewEvent) -> Vec<Self> {
        if event.is_access() {
            return event.child.map(Self::Accesses).into_iter().collect();
        }
        let mut units: Vec<Self> = event.child.map(Self::Child).into_iter().collect();
        units.extend(event.context.map(Self::Context));
        units.extend(event.persons.iter().copied().map(Self::Person));
        units.extend(event.identified.iter().copied().map(Self::Identity));
        if matches!(
            event.event,
            Event::AgreementRegistered(_) | Event::AgreementReviewed(_) | Event::AgreementEnded(_)
        ) {
            let agreements = [event.refs.agreement, event.refs.agreement_by_hash];
            units.extend(agreements.into_iter().flatten().map(Self::Agreement));
        }
        if matches!(event.event, Event::RecordRestricted(_) | Event::RecordReleased(_)) {
            units.push(Self::Restrictions);
        }
        if units.is_empty() {
            units.push(Self::Rest);
        }
        let mut seen = Vec::new();
        units.retain(|unit| {
            let new = !seen.contains(unit);
            seen.push(unit.clone());
            new
        });
        units
    }
}

impl Subject {
    /// A short form for rows.
    pub(crate) fn to_bytes(&self) -> Key {
        match self {
            Self::Child(owner) => Unit::Child(*owner),
            Self::Person(owner) => Unit::Person(*owner),
            Self::Context(context) => Unit::Context(*context),
            Self::Agency(agency) => Unit::Agency(agency.clone()),
            Self::Edge { from, to } => Unit::Edge(from.clone(), to.clone()),
        }
        .to_bytes()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (unit, rest) = Unit::split(bytes)?;
        if !rest.is_empty() {
            return None;
        }
        match unit {
            Unit::Child(owner) => Some(Self::Child(owner)),
            Unit::Person(owner) => Some(Self::Person(owner)),
            Unit::Context(context) => Some(Self::Context(context)),
            Unit::Agency(agency) => Some(Self::Agency(agency)),
            Unit::Edge(from, to) => Some(Self::Edge { from, to }),
            Unit::Agreement(_) | Unit::Identity(_) | Unit::Accesses(_) | Unit::Restrictions | Unit::Rest => {
                None
            }
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Child(owner) | Self::Person(owner) => f.write_str(&base64url::encode(owner.as_bytes())),
            Self::Context(context) => f.write_str(&base64url::encode(context.as_bytes())),
            Self::Agency(agency) => f.write_str(agency),
            Self::Edge { from, to } => write!(f, "{from} {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_read_back_and_none_begins_another() {
        let (owner, context) = (OwnerId::from_bytes([7; 16]), ContextId::from_bytes([7; 16]));
        let units = [
            Unit::Child(owner),
            Unit::Person(owner),
            Unit::Context(context),
            Unit::Agreement(context),
            Unit::Identity(owner),
            Unit::Accesses(owner),
            Unit::Restrictions,
            Unit::Agency("ods:RX1".into()),
            Unit::Agency("ods:RX10".into()),
            Unit::Edge("ods:RX1".into(), "police:32".into()),
            Unit::Edge("ods:RX1".into(), "police:3".into()),
            Unit::Rest,
        ];
        for unit in &units {
            let bytes = [&unit.to_bytes()[..], b"more"].concat();
            assert_eq!(Unit::split(&bytes), Some((unit.clone(), &b"more"[..])));
            let begins = |other: &&Unit| other.to_bytes().starts_with(&unit.to_bytes());
            assert_eq!(units.iter().filter(begins).count(), 1, "{unit:?}");
        }
        assert_eq!(Unit::split(b"c123"), None);
        assert_eq!(Unit::split(b"aods:RX1"), None);
    }
}
