//! `subject.erased`: what the ledger seals when the keys of a data subject are destroyed (DESIGN section 6, `docs/FORMATS.md`
//! section 6).
//!
//! It names nobody: the owners are l(0) of their links, which mean nothing once the link keys are gone.

use crate::agency::AgencyCode;
use crate::base64url;
use crate::json::{Object, Value, ValueRef};
use crate::link::LinkName;
use crate::statement::Payload;

/// The type of the statement that seals an erasure.
pub const TYPE: &str = "subject.erased";
/// The version of that type.
pub const VERSION: u16 = 1;
/// The most owners that one erasure may name: the identifiers of one person, or of several whose periods of retention ended together.
pub const MAX_OWNERS: usize = 64;

/// The codes of the grounds, in the order of the schema (`schemas/json/subject.erased.v1.schema.json` says what they mean).
pub const GROUNDS: [&str; 9] = [
    "NoLongerNecessary",
    "ConsentWithdrawn",
    "Objection",
    "UnlawfulProcessing",
    "LegalObligation",
    "OnlineService",
    "CourtOrder",
    "RetentionEnded",
    "EnteredInError",
];

const MEMBERS: [&str; 5] = ["owners", "entries", "scope", "authority", "ground"];

/// What an erasure says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose keys were destroyed: l(0) of each owner, rising, without repeats, 1–[`MAX_OWNERS`].
    pub owners: Vec<LinkName>,
    /// How many links of these owners the log has: so that what else cannot be read is known for a fault.
    pub entries: u64,
    /// What was destroyed.
    pub scope: Scope,
    /// The agency that decided on it.
    pub authority: AgencyCode,
    /// Why, one of [`GROUNDS`].
    pub ground: &'static str,
}

/// What is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// What was disclosed about the owners, their pseudonyms included. The signed statements stay, and verify.
    Data,
    /// The statements about them too, and which entries are theirs.
    Records,
}

/// Why a `subject.erased` is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ErasureError {
    /// The version is not 1.
    #[error("not a version of subject.erased that is known")]
    UnknownVersion,
    /// A member that the type does not have.
    #[error("a member that subject.erased does not have")]
    UnknownMember,
    /// A member is missing or bad.
    #[error("the member {member:?} of subject.erased is missing or bad")]
    Member {
        /// The member.
        member: &'static str,
    },
    /// It was not the ledger's own service that signed.
    #[error("only the ledger's own service seals an erasure")]
    NotService,
}

impl ErasureError {
    /// The stable code of this error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownVersion => "unknown_version",
            Self::UnknownMember => "unknown_member",
            Self::Member { .. } => "erasure_member",
            Self::NotService => "not_service",
        }
    }
}

impl Scope {
    /// The code as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Records => "records",
        }
    }

    /// The scope that this text is, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Data, Self::Records].into_iter().find(|scope| scope.as_str() == text)
    }
}

/// The ground that this text is, exactly.
pub fn ground(text: &str) -> Option<&'static str> {
    GROUNDS.into_iter().find(|ground| *ground == text)
}

impl Erasure {
    /// Reads a statement's payload; `None` if it is of another type. Whether its signature holds is another question.
    pub fn read(payload: &Payload) -> Option<Result<Self, ErasureError>> {
        (payload.event_type.as_str() == TYPE).then(|| Self::of(payload))
    }

    fn of(payload: &Payload) -> Result<Self, ErasureError> {
        if payload.iss != AgencyCode::service() {
            return Err(ErasureError::NotService);
        }
        if payload.version != VERSION {
            return Err(ErasureError::UnknownVersion);
        }
        let members = payload.data.clear();
        if members.iter().any(|(name, _)| !MEMBERS.contains(&name)) {
            return Err(ErasureError::UnknownMember);
        }
        let bad = |member| ErasureError::Member { member };
        let text = |member| members.get(member).and_then(ValueRef::as_str).ok_or(bad(member));
        let owners = members.get("owners").and_then(owners).ok_or(bad("owners"))?;
        let entries = members.get("entries").and_then(ValueRef::as_integer);
        Ok(Self {
            entries: entries
                .and_then(|entries| u64::try_from(entries).ok())
                .filter(|entries| *entries >= owners.len() as u64)
                .ok_or(bad("entries"))?,
            owners,
            scope: Scope::parse(text("scope")?).ok_or(bad("scope"))?,
            authority: AgencyCode::parse(text("authority")?)
                .ok()
                .filter(|agency| !agency.is_ledgers_own())
                .ok_or(bad("authority"))?,
            ground: ground(text("ground")?).ok_or(bad("ground"))?,
        })
    }

    /// The members of `data`.
    pub fn to_members(&self) -> Object {
        let owners = self.owners.iter().map(|owner| Value::String(base64url::encode(owner))).collect();
        let entries = i64::try_from(self.entries).expect("a log has fewer entries than a number can say");
        let members = [
            ("owners", Value::Array(owners)),
            ("entries", Value::Integer(entries)),
            ("scope", Value::from(self.scope.as_str())),
            ("authority", Value::from(self.authority.as_str())),
            ("ground", Value::from(self.ground)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn owners(value: ValueRef<'_>) -> Option<Vec<LinkName>> {
    let list = value.as_array()?;
    let owners: Option<Vec<LinkName>> =
        list.map(|owner| base64url::decode_array(owner.as_str()?).ok()).collect();
    let owners = owners?;
    let rising = owners.windows(2).all(|pair| pair[0] < pair[1]);
    ((1..=MAX_OWNERS).contains(&owners.len()) && rising).then_some(owners)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash;
    use crate::key::PrivateKey;
    use crate::statement::{Draft, DraftMember, EventType, sign};

    fn sample() -> Erasure {
        Erasure {
            owners: vec![[1; 16], [2; 16]],
            entries: 7,
            scope: Scope::Records,
            authority: AgencyCode::parse("gss:E06000005").expect("a code"),
            ground: "CourtOrder",
        }
    }

    fn read(iss: AgencyCode, version: u16, members: &Object) -> Result<Erasure, ErasureError> {
        let key = PrivateKey::from_seed(&[1; 32]);
        let draft = Draft {
            iss,
            aud: "ledger.example".into(),
            iat: 1,
            publisher: key.public().thumbprint(),
            on_behalf_of: None,
            seq: 0,
            prev: Hash::ZERO,
            event_type: EventType::parse(TYPE).expect("a type"),
            version,
            members: members
                .iter()
                .map(|(name, value)| (name.to_owned(), DraftMember::Clear(value.clone())))
                .collect(),
            kept: Vec::new(),
        };
        let signed = sign(&draft, &key, || [0; 16]).expect("sound");
        Erasure::read(signed.statement.payload()).expect("of this type")
    }

    #[test]
    fn what_is_written_is_read() {
        for scope in [Scope::Data, Scope::Records] {
            let erasure = Erasure { scope, ..sample() };
            assert_eq!(read(AgencyCode::service(), 1, &erasure.to_members()), Ok(erasure));
        }
    }

    #[test]
    fn each_member_is_checked() {
        let with = |name: &str, value: Value| {
            let mut members = sample().to_members();
            members.insert(name, value);
            read(AgencyCode::service(), 1, &members)
        };
        let id = |byte: u8| Value::String(base64url::encode(&[byte; 16]));
        let list = |ids: &[u8]| Value::Array(ids.iter().map(|byte| id(*byte)).collect());
        let bad = |member| Err(ErasureError::Member { member });
        for owners in [list(&[]), list(&[2, 1]), list(&[1, 1]), Value::Array(vec![Value::from("AA")]), id(1)]
        {
            assert_eq!(with("owners", owners), bad("owners"));
        }
        let many: Vec<u8> = (0..65).collect();
        assert_eq!(with("owners", list(&many)), bad("owners"));
        for entries in [Value::Integer(1), Value::Integer(-1), Value::from("7")] {
            assert_eq!(with("entries", entries), bad("entries"));
        }
        assert_eq!(with("scope", Value::from("all")), bad("scope"));
        for authority in ["ledger:service", "somebody"] {
            assert_eq!(with("authority", Value::from(authority)), bad("authority"));
        }
        assert_eq!(with("ground", Value::from("Convenience")), bad("ground"));
        assert_eq!(with("child", Value::from("x")), Err(ErasureError::UnknownMember));
        assert_eq!(read(AgencyCode::service(), 2, &sample().to_members()), Err(ErasureError::UnknownVersion));
        let agency = AgencyCode::parse("ods:RX1").expect("a code");
        assert_eq!(read(agency, 1, &sample().to_members()), Err(ErasureError::NotService));
        assert_eq!(read(AgencyCode::service(), 1, &Object::default()), bad("owners"));
    }
}
