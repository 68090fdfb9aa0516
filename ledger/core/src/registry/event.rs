use crate::agency::AgencyCode;
use crate::base64url;
use crate::hash::Hash;
use crate::json::{Object, Value};
use crate::key::{PublicKey, Thumbprint};
use crate::note::{SignatureType, VerifierKey};
use crate::statement::{Payload, PublisherId};
use crate::time::Timestamp;

use super::RegistryError;

/// A statement of the registrar, read from its `data` (`docs/FORMATS.md` section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryEvent {
    /// `ledger.created`: entry 0.
    Created(LedgerKeys),
    /// `ledger.rotated`: the same members with their new values.
    Rotated(LedgerKeys),
    /// `publisher.registered`
    Registered(Registration),
    /// `publisher.rotated`
    PublisherRotated(Rotation),
    /// `publisher.revoked`
    Revoked(Revocation),
    /// `ledger.configured`: the partnership's configuration. What its members hold is for the schemas to say.
    Configured,
}

/// The members of `ledger.configured`, each an object. The last may be left out.
const CONFIGURATION: [&str; 4] = ["legal", "thresholds", "calendar", RETENTION];
const RETENTION: &str = "retention";

/// The ledger's own keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerKeys {
    /// The ledger's origin, which is the first line of its checkpoints.
    pub origin: String,
    /// The keys that sign checkpoints.
    pub verifier_keys: Vec<VerifierKey>,
    /// The registrar's key.
    pub registrar: PublicKey,
    /// The offline key that can replace a lost or stolen registrar's key.
    pub recovery: PublicKey,
}

/// An agency's new publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The publisher's id.
    pub publisher: PublisherId,
    /// The agency for which it speaks.
    pub agency: AgencyCode,
    /// The system's name, for people.
    pub name: String,
    /// What kind of system or agency it is, a word.
    pub kind: String,
    /// The key, and the signatures that vouch for it.
    pub key: NewKey,
    /// The agencies in whose name it may also speak.
    pub on_behalf_of: Vec<AgencyCode>,
}

/// A publisher's next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The publisher.
    pub publisher: PublisherId,
    /// The key, and the signatures that vouch for it.
    pub key: NewKey,
}

/// The end of a publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The publisher.
    pub publisher: PublisherId,
    /// Why, in a word.
    pub reason: String,
    /// Since when its statements are in doubt.
    pub suspect_from: Option<Timestamp>,
}

/// A new key with the signatures that vouch for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The key.
    pub key: PublicKey,
    /// The key's own signature over [`proof_message`].
    pub proof: [u8; 64],
    /// A valid key of the agency, and its signature over [`endorsement_message`].
    pub endorsement: Option<(Thumbprint, [u8; 64])>,
    /// Enrolled without an endorsement, which raises an alert.
    pub recovery: bool,
}

/// The bytes that a new key signs to show that somebody holds it.
pub fn proof_message(genesis: &Hash, publisher: &PublisherId, agency: &AgencyCode) -> Vec<u8> {
    [b"gt/key/1\0".as_slice(), genesis.as_bytes(), publisher.as_bytes(), agency.as_str().as_bytes()].concat()
}

/// The bytes that a valid key of the agency signs to vouch for a new one.
pub fn endorsement_message(
    genesis: &Hash,
    publisher: &PublisherId,
    new_key: &Thumbprint,
    agency: &AgencyCode,
) -> Vec<u8> {
    let (genesis, publisher, new_key) = (genesis.as_bytes(), publisher.as_bytes(), new_key.as_bytes());
    [b"gt/endorse/1\0".as_slice(), genesis, publisher, new_key, agency.as_str().as_bytes()].concat()
}

impl RegistryEvent {
    /// Reads a registrar's statement.
    pub fn read(payload: &Payload) -> Result<Self, RegistryError> {
        if payload.version != 1 {
            return Err(RegistryError::UnknownVersion);
        }
        let clear = payload.data.clear().to_object();
        let data = Members { members: &clear };
        match payload.event_type.as_str() {
            "ledger.created" => data.ledger_keys().map(Self::Created),
            "ledger.rotated" => data.ledger_keys().map(Self::Rotated),
            "publisher.registered" => data.registration().map(Self::Registered),
            "publisher.rotated" => {
                data.only(&["publisher", "key", "proof", "endorsement", "recovery"])?;
                Ok(Self::PublisherRotated(Rotation {
                    publisher: data.hash("publisher")?,
                    key: data.new_key()?,
                }))
            }
            "publisher.revoked" => data.revocation().map(Self::Revoked),
            "ledger.configured" => data.configuration().map(|()| Self::Configured),
            _ => Err(RegistryError::UnknownType),
        }
    }
}

struct Members<'a> {
    members: &'a Object,
}

impl<'a> Members<'a> {
    fn only(&self, names: &[&str]) -> Result<(), RegistryError> {
        if self.members.iter().all(|(name, _)| names.contains(&name)) {
            Ok(())
        } else {
            Err(RegistryError::UnknownMember)
        }
    }

    fn text(&self, member: &'static str) -> Result<&'a str, RegistryError> {
        self.members.get(member).and_then(Value::as_str).ok_or(RegistryError::Member { member })
    }

    fn hash(&self, member: &'static str) -> Result<Hash, RegistryError> {
        Hash::parse(self.text(member)?).map_err(|_| RegistryError::Member { member })
    }

    fn word(&self, member: &'static str) -> Result<String, RegistryError> {
        let text = self.text(member)?;
        let sound =
            (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if sound { Ok(text.to_owned()) } else { Err(RegistryError::Member { member }) }
    }

    fn key(&self, member: &'static str) -> Result<PublicKey, RegistryError> {
        let jwk =
            self.members.get(member).and_then(Value::as_object).ok_or(RegistryError::Member { member })?;
        PublicKey::from_jwk(jwk).map_err(|source| RegistryError::Key { member, source })
    }

    fn signature(&self, member: &'static str) -> Result<[u8; 64], RegistryError> {
        base64url::decode_array(self.text(member)?).map_err(|_| RegistryError::Member { member })
    }

    fn agencies(&self, member: &'static str) -> Result<Vec<AgencyCode>, RegistryError> {
        let bad = || RegistryError::Member { member };
        let Some(list) = self.members.get(member) else {
            return Ok(Vec::new());
        };
        let agency = |code: &Value| AgencyCode::parse(code.as_str().ok_or_else(bad)?).map_err(|_| bad());
        list.as_array().ok_or_else(bad)?.iter().map(agency).collect()
    }

    fn ledger_keys(&self) -> Result<LedgerKeys, RegistryError> {
        self.only(&["origin", "verifier_keys", "registrar", "recovery"])?;
        let member = "verifier_keys";
        let bad = || RegistryError::Member { member };
        let list = self.members.get(member).and_then(Value::as_array).ok_or_else(bad)?;
        let origin = self.text("origin")?.to_owned();
        let vkey = |text: &Value| {
            let key = VerifierKey::parse(text.as_str().ok_or_else(bad)?).map_err(|_| bad())?;
            if key.name() == origin && key.signature_type().is_of_logs() { Ok(key) } else { Err(bad()) }
        };
        if !(1..=8).contains(&list.len()) || !is_origin(&origin) {
            return Err(bad());
        }
        let verifier_keys = list.iter().map(vkey).collect::<Result<Vec<_>, _>>()?;
        // Tools that know no other algorithm must be able to check the log (FORMATS section 10).
        if !verifier_keys.iter().any(|key| key.signature_type() == SignatureType::Ed25519) {
            return Err(bad());
        }
        Ok(LedgerKeys {
            origin,
            verifier_keys,
            registrar: self.key("registrar")?,
            recovery: self.key("recovery")?,
        })
    }

    fn registration(&self) -> Result<Registration, RegistryError> {
        self.only(&[
            "publisher",
            "agency",
            "name",
            "kind",
            "key",
            "proof",
            "endorsement",
            "recovery",
            "on_behalf_of",
        ])?;
        let name = self.text("name")?.to_owned();
        if name.trim().is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            return Err(RegistryError::Member { member: "name" });
        }
        Ok(Registration {
            publisher: self.hash("publisher")?,
            agency: AgencyCode::parse(self.text("agency")?)
                .map_err(|_| RegistryError::Member { member: "agency" })?,
            name,
            kind: self.word("kind")?,
            key: self.new_key()?,
            on_behalf_of: self.agencies("on_behalf_of")?,
        })
    }

    fn revocation(&self) -> Result<Revocation, RegistryError> {
        self.only(&["publisher", "reason", "suspect_from"])?;
        let member = "suspect_from";
        let suspect_from = match self.members.get(member) {
            None => None,
            Some(_) => {
                Some(Timestamp::parse(self.text(member)?).map_err(|_| RegistryError::Member { member })?)
            }
        };
        Ok(Revocation { publisher: self.hash("publisher")?, reason: self.word("reason")?, suspect_from })
    }

    fn configuration(&self) -> Result<(), RegistryError> {
        self.only(&CONFIGURATION)?;
        let is_good = |member| match self.members.get(member) {
            Some(value) => value.as_object().is_some(),
            None => member == RETENTION,
        };
        let bad = CONFIGURATION.into_iter().find(|member| !is_good(member));
        bad.map_or(Ok(()), |member| Err(RegistryError::Member { member }))
    }

    fn new_key(&self) -> Result<NewKey, RegistryError> {
        let endorsement = match self.members.get("endorsement") {
            None => None,
            Some(value) => {
                let members = value.as_object().ok_or(RegistryError::Member { member: "endorsement" })?;
                let inner = Members { members };
                inner.only(&["kid", "signature"])?;
                Some((inner.hash("kid")?, inner.signature("signature")?))
            }
        };
        let recovery = match self.members.get("recovery") {
            None => false,
            Some(flag) => flag.as_bool().ok_or(RegistryError::Member { member: "recovery" })?,
        };
        Ok(NewKey { key: self.key("key")?, proof: self.signature("proof")?, endorsement, recovery })
    }
}

/// An origin is a schema-less URL: no spaces, no plus, no control characters (C2SP tlog-checkpoint).
pub fn is_origin(text: &str) -> bool {
    (1..=200).contains(&text.len()) && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}
