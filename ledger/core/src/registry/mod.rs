//! The registry: which key speaks for which agency at which index, folded from the registrar's statements (DESIGN section 4).

mod event;

pub use event::{
    LedgerKeys, NewKey, Registration, RegistryEvent, Revocation, Rotation, endorsement_message, is_origin,
    proof_message,
};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agency::AgencyCode;
use crate::hash::Hash;
use crate::key::{KeyError, PublicKey, Thumbprint};
use crate::position::LeafIndex;
use crate::statement::{Payload, PublisherId, Statement};
use crate::time::Timestamp;

/// The registry as it stands after some number of the registrar's statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    genesis: Hash,
    keys: LedgerKeys,
    registrar_id: PublisherId,
    /// Shared by the registries of different times, of which a verifier has one for each registration.
    publishers: BTreeMap<PublisherId, Arc<Publisher>>,
    every_key: BTreeSet<Thumbprint>,
    statements: u64,
    configured_at: Option<LeafIndex>,
}

/// A registered publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// The agency for which it speaks.
    pub agency: AgencyCode,
    /// The system's name, for people.
    pub name: String,
    /// What kind of system or agency it is.
    pub kind: String,
    /// The agencies in whose name it may also speak.
    pub on_behalf_of: Vec<AgencyCode>,
    /// Its keys, each with the index of the entry that enrolled it; the last one is in force.
    pub keys: Vec<(LeafIndex, PublicKey)>,
    /// The entries that enrolled a key with `recovery` where a signature of one of the agency's keys was due. Each is an alert.
    pub recovered: Vec<LeafIndex>,
    /// Its end, if it has ended.
    pub revoked: Option<(LeafIndex, Option<Timestamp>)>,
}

/// Why a statement of the registrar is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The type is none of the registrar's.
    #[error("not a type that the registrar seals")]
    UnknownType,
    /// The version is not 1.
    #[error("not a version of this type that is known")]
    UnknownVersion,
    /// A member that the type does not have.
    #[error("a member that this type does not have")]
    UnknownMember,
    /// A member is missing or bad.
    #[error("the member {member:?} is missing or bad")]
    Member {
        /// The member.
        member: &'static str,
    },
    /// A key is refused.
    #[error("the key in {member:?} is refused: {source}")]
    Key {
        /// The member.
        member: &'static str,
        /// Why.
        source: KeyError,
    },
    /// Only entry 0 creates a ledger.
    #[error("only entry 0 is ledger.created, and entry 0 is nothing else")]
    NotGenesis,
    /// The id is not the thumbprint of the first key.
    #[error("the publisher's id is not the thumbprint of its first key")]
    NotItsKey,
    /// The publisher is registered already.
    #[error("the publisher is registered already")]
    AlreadyRegistered,
    /// A key is registered once ever.
    #[error("the key has been registered before, and a key is registered once ever")]
    KeySeenBefore,
    /// No such publisher.
    #[error("no such publisher is registered")]
    UnknownPublisher,
    /// The publisher is revoked, and that is final.
    #[error("the publisher is revoked, and revocation is final")]
    Revoked,
    /// The new key has not signed for itself.
    #[error("the new key's own signature (proof) does not verify")]
    BadProof,
    /// A further key of an agency without a signature of one of its valid keys, and not marked as recovery.
    #[error("a further key of an agency needs the signature of one of its valid keys, or recovery true")]
    NotEndorsed,
    /// An agency code of the ledger itself.
    #[error("the scheme ledger is kept for the ledger's own publishers")]
    ReservedAgency,
    /// The origin of a ledger never changes.
    #[error("the origin of a ledger never changes")]
    OriginChanged,
}

/// Why a statement's signer may not speak as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The publisher is not registered.
    #[error("the publisher is not registered")]
    UnknownPublisher,
    /// The publisher is revoked.
    #[error("the publisher is revoked")]
    Revoked,
    /// The key is not the one in force for this publisher.
    #[error("the key is not the one in force for this publisher")]
    NotInForce,
    /// The publisher belongs to another agency than `iss`.
    #[error("the publisher does not speak for this agency")]
    OtherAgency,
    /// The publisher may not speak on behalf of that agency.
    #[error("the publisher may not speak on behalf of that agency")]
    NotOnBehalf,
}

impl SignerError {
    /// The stable code of this error, as problems and test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownPublisher => "unknown_publisher",
            Self::Revoked => "publisher_revoked",
            Self::NotInForce => "key_not_in_force",
            Self::OtherAgency => "wrong_agency",
            Self::NotOnBehalf => "not_on_behalf_of",
        }
    }
}

impl RegistryError {
    /// The stable code of this error, as problems and test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownType => "unknown_type",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownMember => "unknown_member",
            Self::Member { .. } => "registry_member",
            Self::Key { source, .. } => source.code(),
            Self::NotGenesis => "not_genesis",
            Self::NotItsKey => "not_its_key",
            Self::AlreadyRegistered => "already_registered",
            Self::KeySeenBefore => "key_seen_before",
            Self::UnknownPublisher => "unknown_publisher",
            Self::Revoked => "publisher_revoked",
            Self::BadProof => "bad_proof",
            Self::NotEndorsed => "not_endorsed",
            Self::ReservedAgency => "reserved_agency",
            Self::OriginChanged => "origin_changed",
        }
    }
}

impl Registry {
    /// Reads `ledger.created`, whose entry's leaf hash is `genesis`. The statement must be signed by the registrar's key that it names.
    pub fn create(genesis: Hash, created: &Payload) -> Result<Self, RegistryError> {
        let RegistryEvent::Created(keys) = RegistryEvent::read(created)? else {
            return Err(RegistryError::NotGenesis);
        };
        let registrar_id = keys.registrar.thumbprint();
        let sound = created.publisher == registrar_id
            && created.iss == AgencyCode::registrar()
            && created.seq == 0
            && created.prev == Hash::ZERO
            && created.aud == keys.origin
            && created.on_behalf_of.is_none();
        if !sound {
            return Err(RegistryError::NotGenesis);
        }
        check_distinct(&keys)?;
        let every_key = [registrar_id, keys.recovery.thumbprint()].into_iter().collect();
        Ok(Self {
            genesis,
            keys,
            registrar_id,
            publishers: BTreeMap::new(),
            every_key,
            statements: 1,
            configured_at: None,
        })
    }

    /// The leaf hash of entry 0.
    pub const fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The ledger's own keys as they stand.
    pub const fn ledger_keys(&self) -> &LedgerKeys {
        &self.keys
    }

    /// The registrar's publisher id.
    pub const fn registrar_id(&self) -> PublisherId {
        self.registrar_id
    }

    /// How many statements of the registrar have been folded in.
    pub const fn statements(&self) -> u64 {
        self.statements
    }

    /// The entry that sealed the latest configuration; none if the registrar has sealed none.
    pub const fn configured_at(&self) -> Option<LeafIndex> {
        self.configured_at
    }

    /// The registered publishers, the registrar excepted.
    pub fn publishers(&self) -> impl Iterator<Item = (&PublisherId, &Publisher)> {
        self.publishers.iter().map(|(id, publisher)| (id, &**publisher))
    }

    /// A registered publisher.
    pub fn publisher(&self, id: &PublisherId) -> Option<&Publisher> {
        self.publishers.get(id).map(|publisher| &**publisher)
    }

    /// What the first statement of this publisher's chain names as `prev`.
    pub fn first_prev(&self, publisher: &PublisherId) -> Hash {
        if *publisher == self.registrar_id { Hash::ZERO } else { self.genesis }
    }

    /// The key with which this statement must verify, if its signer may speak as it does.
    pub fn signer<V>(&self, statement: &Statement<V>) -> Result<&PublicKey, SignerError> {
        let payload = statement.payload();
        if payload.publisher == self.registrar_id {
            return self.registrars_key(statement);
        }
        let publisher = self.publishers.get(&payload.publisher).ok_or(SignerError::UnknownPublisher)?;
        if publisher.revoked.is_some() {
            return Err(SignerError::Revoked);
        }
        if publisher.agency != payload.iss {
            return Err(SignerError::OtherAgency);
        }
        if payload.on_behalf_of.as_ref().is_some_and(|agency| !publisher.on_behalf_of.contains(agency)) {
            return Err(SignerError::NotOnBehalf);
        }
        publisher
            .key_in_force()
            .filter(|key| key.thumbprint() == statement.kid())
            .ok_or(SignerError::NotInForce)
    }

    fn registrars_key<V>(&self, statement: &Statement<V>) -> Result<&PublicKey, SignerError> {
        let payload = statement.payload();
        if payload.iss != AgencyCode::registrar() {
            return Err(SignerError::OtherAgency);
        }
        if payload.on_behalf_of.is_some() {
            return Err(SignerError::NotOnBehalf);
        }
        let by_recovery = payload.event_type.as_str() == "ledger.rotated"
            && statement.kid() == self.keys.recovery.thumbprint();
        let key = if by_recovery { &self.keys.recovery } else { &self.keys.registrar };
        if key.thumbprint() == statement.kid() { Ok(key) } else { Err(SignerError::NotInForce) }
    }

    /// Folds in a statement of the registrar that is sealed at `index` and whose signature has been checked.
    /// The change acts from the entry after it. On an error nothing has changed.
    pub fn apply(&mut self, index: LeafIndex, payload: &Payload) -> Result<(), RegistryError> {
        match RegistryEvent::read(payload)? {
            RegistryEvent::Created(_) => return Err(RegistryError::NotGenesis),
            RegistryEvent::Rotated(keys) => self.rotate_ledger(keys)?,
            RegistryEvent::Registered(registration) => self.register(index, registration)?,
            RegistryEvent::PublisherRotated(rotation) => self.rotate(index, rotation)?,
            RegistryEvent::Revoked(revocation) => {
                let publisher =
                    self.publishers.get_mut(&revocation.publisher).ok_or(RegistryError::UnknownPublisher)?;
                if publisher.revoked.is_some() {
                    return Err(RegistryError::Revoked);
                }
                Arc::make_mut(publisher).revoked = Some((index, revocation.suspect_from));
            }
            RegistryEvent::Configured => self.configured_at = Some(index),
        }
        self.statements += 1;
        Ok(())
    }

    fn rotate_ledger(&mut self, keys: LedgerKeys) -> Result<(), RegistryError> {
        if keys.origin != self.keys.origin {
            return Err(RegistryError::OriginChanged);
        }
        check_distinct(&keys)?;
        for (new, old) in [(&keys.registrar, &self.keys.registrar), (&keys.recovery, &self.keys.recovery)] {
            if new != old && self.every_key.contains(&new.thumbprint()) {
                return Err(RegistryError::KeySeenBefore);
            }
        }
        self.every_key.extend([keys.registrar.thumbprint(), keys.recovery.thumbprint()]);
        self.keys = keys;
        Ok(())
    }

    fn register(&mut self, index: LeafIndex, new: Registration) -> Result<(), RegistryError> {
        if self.publishers.contains_key(&new.publisher) {
            return Err(RegistryError::AlreadyRegistered);
        }
        if new.publisher != new.key.key.thumbprint() {
            return Err(RegistryError::NotItsKey);
        }
        // The service publisher is enrolled once, when the ledger is made; nobody else may use the ledger's own scheme.
        let service = new.agency == AgencyCode::service() && self.statements == 1;
        if (new.agency.is_ledgers_own() && !service)
            || new.on_behalf_of.iter().any(AgencyCode::is_ledgers_own)
        {
            return Err(RegistryError::ReservedAgency);
        }
        let recovered = self.check_new_key(&new.publisher, &new.agency, &new.key)?;
        self.every_key.insert(new.key.key.thumbprint());
        let publisher = Publisher {
            agency: new.agency,
            name: new.name,
            kind: new.kind,
            on_behalf_of: new.on_behalf_of,
            keys: vec![(index, new.key.key)],
            recovered: recovered.then_some(index).into_iter().collect(),
            revoked: None,
        };
        self.publishers.insert(new.publisher, Arc::new(publisher));
        Ok(())
    }

    fn rotate(&mut self, index: LeafIndex, rotation: Rotation) -> Result<(), RegistryError> {
        let publisher = self.publishers.get(&rotation.publisher).ok_or(RegistryError::UnknownPublisher)?;
        if publisher.revoked.is_some() {
            return Err(RegistryError::Revoked);
        }
        let agency = publisher.agency.clone();
        let recovered = self.check_new_key(&rotation.publisher, &agency, &rotation.key)?;
        self.every_key.insert(rotation.key.key.thumbprint());
        if let Some(publisher) = self.publishers.get_mut(&rotation.publisher).map(Arc::make_mut) {
            publisher.keys.push((index, rotation.key.key));
            publisher.recovered.extend(recovered.then_some(index));
        }
        Ok(())
    }

    /// Says whether the key comes in by `recovery` alone.
    fn check_new_key(
        &self,
        id: &PublisherId,
        agency: &AgencyCode,
        new: &NewKey,
    ) -> Result<bool, RegistryError> {
        let thumbprint = new.key.thumbprint();
        if self.every_key.contains(&thumbprint) {
            return Err(RegistryError::KeySeenBefore);
        }
        new.key
            .verify(&proof_message(&self.genesis, id, agency), &new.proof)
            .map_err(|_| RegistryError::BadProof)?;
        let mut of_agency =
            self.publishers.values().filter(|publisher| publisher.agency == *agency).peekable();
        if of_agency.peek().is_none() || new.recovery {
            return Ok(of_agency.peek().is_some());
        }
        let (kid, signature) = new.endorsement.as_ref().ok_or(RegistryError::NotEndorsed)?;
        let message = endorsement_message(&self.genesis, id, &thumbprint, agency);
        let endorsed = of_agency.filter(|publisher| publisher.revoked.is_none()).any(|publisher| {
            publisher
                .key_in_force()
                .is_some_and(|key| key.thumbprint() == *kid && key.verify(&message, signature).is_ok())
        });
        if endorsed { Ok(false) } else { Err(RegistryError::NotEndorsed) }
    }
}

/// A recovery key that is the registrar's own would be lost or stolen with it.
fn check_distinct(keys: &LedgerKeys) -> Result<(), RegistryError> {
    if keys.registrar == keys.recovery { Err(RegistryError::KeySeenBefore) } else { Ok(()) }
}

impl Publisher {
    /// The key in force, unless the publisher is revoked.
    pub fn key_in_force(&self) -> Option<&PublicKey> {
        if self.revoked.is_some() { None } else { self.keys.last().map(|(_, key)| key) }
    }
}

#[cfg(test)]
mod tests;
