use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;

use super::error::StatementError;
use super::{MAX_OWNERS, Statement};
use crate::agency::AgencyCode;
use crate::base64url;
use crate::json::ValueRef;

/// A data subject's pseudonym: `scheme.epoch:` and base64url of an HMAC-SHA-256 (DESIGN section 6). It is still personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(Arc<str>);

/// The text is no pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a pseudonym: a scheme of a–z, a full stop, a key epoch, a colon, 43 characters of base64url")]
pub struct PseudonymError;

/// To whom a disclosure belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A data subject.
    Person(Pseudonym),
    /// The agency itself, where a statement names nobody.
    Agency(AgencyCode),
}

/// Who owns what in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The child, else the first person named, else the agency: whose record the statement is.
    pub primary: Owner,
    /// The owner of each disclosure, in the order of [`Statement::disclosures`].
    pub of_disclosures: Vec<Owner>,
    /// The distinct owners, sorted.
    pub distinct: Vec<Owner>,
}

impl Pseudonym {
    /// Parses a pseudonym.
    pub fn parse(text: &str) -> Result<Self, PseudonymError> {
        let (scheme_epoch, hmac) = text.split_once(':').ok_or(PseudonymError)?;
        let (scheme, epoch) = scheme_epoch.split_once('.').ok_or(PseudonymError)?;
        let sound = (1..=16).contains(&scheme.len())
            && scheme.bytes().all(|byte| byte.is_ascii_lowercase())
            && (1..=5).contains(&epoch.len())
            && epoch.bytes().all(|byte| byte.is_ascii_digit())
            && base64url::decode_public::<32>(hmac).is_ok();
        if sound { Ok(Self(text.into())) } else { Err(PseudonymError) }
    }

    /// The pseudonym as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows the scheme and epoch alone: a pseudonym is personal data and has no place in a log.
impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonym({}:…)", self.0.split(':').next().unwrap_or_default())
    }
}

impl Owner {
    /// The text under which the keyring knows this owner.
    pub fn key_text(&self) -> Cow<'_, str> {
        match self {
            Self::Person(pseudonym) => Cow::Borrowed(pseudonym.as_str()),
            Self::Agency(agency) => Cow::Owned(format!("agency:{agency}")),
        }
    }

    /// Reads [`Self::key_text`] back.
    pub fn from_key_text(text: &str) -> Option<Self> {
        match text.strip_prefix("agency:") {
            Some(agency) => AgencyCode::parse(agency).ok().map(Self::Agency),
            None => Pseudonym::parse(text).ok().map(Self::Person),
        }
    }
}

impl Statement {
    /// Works out who owns each disclosure. Only meaningful for a statement that came with all of them.
    pub fn ownership(&self) -> Result<Ownership, StatementError> {
        let data = &self.payload.data;
        let mut named = Vec::with_capacity(self.disclosures.len());
        for disclosure in &self.disclosures {
            let member = data.members()[disclosure.member_position()].name();
            named.push((member, disclosure, named_person(member, disclosure.value())?));
        }
        let child =
            named.iter().find(|(member, ..)| *member == "child").and_then(|(.., person)| person.clone());
        let first_named = || {
            named
                .iter()
                .filter(|(.., person)| person.is_some())
                .min_by_key(|(_, disclosure, _)| (disclosure.member_position(), disclosure.element()))
                .and_then(|(.., person)| person.clone())
        };
        let primary =
            child.or_else(first_named).map_or_else(|| Owner::Agency(self.payload.iss.clone()), Owner::Person);
        let of_disclosures: Vec<Owner> = named
            .into_iter()
            .map(|(.., person)| person.map_or_else(|| primary.clone(), Owner::Person))
            .collect();
        let mut distinct = Vec::with_capacity(of_disclosures.len() + 1);
        distinct.extend(of_disclosures.iter().cloned());
        distinct.push(primary.clone());
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() > MAX_OWNERS {
            return Err(StatementError::TooManyOwners { owners: distinct.len() });
        }
        Ok(Ownership { primary, of_disclosures, distinct })
    }
}

/// The person that an element's value names by its member `pseudonym`, if it names one.
fn named_person(member: &str, value: ValueRef<'_>) -> Result<Option<Pseudonym>, StatementError> {
    let bad = || StatementError::BadPseudonym { member: member.to_owned() };
    match value.as_object().and_then(|members| members.get("pseudonym")) {
        Some(name) => name.as_str().and_then(|text| Pseudonym::parse(text).ok()).map(Some).ok_or_else(bad),
        None if member == "child" => Err(bad()),
        None => Ok(None),
    }
}
