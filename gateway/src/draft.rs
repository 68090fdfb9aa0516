//! Drafts: events as an agency's system writes them, without cryptography, and how they become statements.
//!
//! `{"id":"<the caller's own>","type":"decision.recorded","data":{…}}`, optionally `version` and `on_behalf_of`. Without a
//! version the current one is meant; what is signed is that of the draft, whatever is current by then. `data` has the
//! plain members of the type's schema in that version; which of them become disclosures the schema says, not the caller.
//! People are named by their pseudonyms, or by plain identifiers, of which pseudonyms are made first (`plain`).

use gt_core::agency::AgencyCode;
use gt_core::hash::Hash;
use gt_core::json::{JsonError, Object, Value};
use gt_core::key::{Signer, SignerError};
use gt_core::statement::{Draft, DraftMember, EventType, PublisherId, SignError, Signed, StatementError};
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_schemas::{Event, Fault, PartnershipKey, Place, SchemaError, Time, is_member_name};

use crate::client::Problem;
use crate::plain::{self, PlainIdentifierError};

/// The longest draft, in bytes of its JSON text.
pub const MAX_DRAFT_BYTES: usize = 256 * 1024;
/// The longest `id`, in bytes.
pub const MAX_ID_BYTES: usize = 200;

/// How far ahead of this machine's clock something may be said to have happened, in milliseconds: a clock that is slow, or a local time
/// that is taken for UTC, keeps nobody from recording.
pub const MOST_AHEAD_MILLIS: i64 = 86_400_000;

const MEMBERS: [&str; 5] = ["id", "type", "version", "on_behalf_of", "data"];
const KEPT: &str = "kept";

/// A draft whose form, type and data have been checked. It has no `Debug`, for it is personal data.
#[derive(Clone)]
pub struct CheckedDraft {
    id: String,
    event_type: gt_schemas::EventType,
    version: u16,
    on_behalf_of: Option<AgencyCode>,
    data: Object,
}

/// Why a draft is refused before anything is signed. No variant carries a value of the draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Longer than [`MAX_DRAFT_BYTES`].
    #[error("the draft has more than 262144 bytes")]
    TooLong,
    /// Not strict JSON (FORMATS section 1).
    #[error("the draft is not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// Not an object.
    #[error("a draft is a JSON object with id, type and data")]
    NotAnObject,
    /// A member of the draft itself is missing or wrong.
    #[error("the draft's {member} must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A member that drafts do not have.
    #[error("the draft has the member {name}, and drafts have id, type, version, on_behalf_of and data")]
    UnknownMember {
        /// Its name, or `*` if that is no member's name and might be a value.
        name: String,
    },
    /// A plain identifier in `data` cannot be replaced by a pseudonym.
    #[error("data {0}")]
    Plain(#[from] PlainIdentifierError),
    /// No event type has this name, or this version.
    #[error("the draft {}", .0.fault)]
    Type(SchemaError),
    /// `data` breaks its type's schema.
    #[error("data {0}")]
    Schema(#[from] SchemaError),
    /// It is said to have happened more than [`MOST_AHEAD_MILLIS`] from now, and is no beginning or end that is known before. A ledger
    /// would take it: what is sealed cannot be taken back, and views would look for it in a year to come.
    #[error(
        "data /times/occurred_at: is more than a day ahead of this machine's clock ({now}); a statement says what has happened"
    )]
    Ahead {
        /// What the clock says.
        now: Time,
    },
    /// The statement would be refused by every verifier, most often for its size.
    #[error("the draft makes no sound statement: {0}")]
    Unsound(#[from] StatementError),
    /// The operating system has no random bytes for salts.
    #[error("the operating system gives no random bytes")]
    Random(#[from] getrandom::Error),
    /// The key is elsewhere, and did not sign. The draft is not at fault.
    #[error(transparent)]
    Key(#[from] SignerError),
}

impl From<SignError> for DraftError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Unsound(error) => Self::Unsound(error),
            SignError::Key(error) => Self::Key(error),
        }
    }
}

impl DraftError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "draft_too_long",
            Self::Json(error) => error.fault.code(),
            Self::NotAnObject | Self::Member { .. } | Self::UnknownMember { .. } => "draft_malformed",
            Self::Plain(_) => "plain_identifier",
            Self::Type(error) | Self::Schema(error) => error.code(),
            Self::Ahead { .. } => "occurs_ahead",
            Self::Unsound(error) => error.code(),
            Self::Random(_) => "no_random_bytes",
            Self::Key(_) => "key_unavailable",
        }
    }

    /// The error as a problem document. `path` is a JSON pointer into the draft, where there is one.
    pub fn problem(&self) -> Problem {
        let status = match self {
            Self::TooLong => 413,
            Self::Json(_) | Self::NotAnObject => 400,
            Self::Random(_) | Self::Key(_) => 503,
            _ => 422,
        };
        let problem = Problem::new(status, self.code(), "The draft is refused", &self.to_string());
        match self {
            Self::Plain(error) => {
                problem.with("path", format!("/data{}", error.path)).with("rule", error.fault.rule())
            }
            Self::Schema(error) => problem.with("path", format!("/data{}", error.path)),
            Self::Ahead { .. } => problem.with("path", "/data/times/occurred_at"),
            Self::Type(error) if matches!(error.fault, Fault::UnknownVersion { .. }) => {
                problem.with("path", "/version")
            }
            Self::Type(_) => problem.with("path", "/type"),
            Self::Member { member, .. } => problem.with("path", format!("/{member}")),
            Self::UnknownMember { name } => problem.with("path", format!("/{name}")),
            _ => problem,
        }
    }
}

impl CheckedDraft {
    /// Reads a draft and checks its data against its type's schema.
    pub fn parse(bytes: &[u8]) -> Result<Self, DraftError> {
        Self::parse_event(bytes).map(|(draft, _)| draft)
    }

    fn parse_event(bytes: &[u8]) -> Result<(Self, Event), DraftError> {
        let draft = Self::parse_form(bytes)?;
        let data = to_serde(&Value::Object(draft.data.clone()));
        let event = gt_schemas::validate_draft(draft.event_type.as_str(), draft.version, &data)?;
        Ok((draft, event))
    }

    /// Reads a draft that was checked when it was accepted, perhaps by another version's schema.
    pub(crate) fn parse_form(bytes: &[u8]) -> Result<Self, DraftError> {
        if bytes.len() > MAX_DRAFT_BYTES {
            return Err(DraftError::TooLong);
        }
        let Value::Object(members) = Value::parse(bytes)? else { return Err(DraftError::NotAnObject) };
        if let Some((name, _)) = members.iter().find(|(name, _)| !MEMBERS.contains(name)) {
            let name = if is_member_name(name) { name } else { "*" };
            return Err(DraftError::UnknownMember { name: name.to_owned() });
        }
        let id = text(&members, "id", "a text of 1 to 200 bytes")?;
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(DraftError::Member { member: "id", expected: "a text of 1 to 200 bytes" });
        }
        let name = text(&members, "type", "the name of an event type")?;
        let version = match members.get("version").map(Value::as_integer) {
            None => gt_schemas::EventType::parse(name).map_or(1, gt_schemas::EventType::version),
            Some(number) => number
                .and_then(|number| u16::try_from(number).ok())
                .ok_or(DraftError::Member { member: "version", expected: "a version of the event type" })?,
        };
        let data = members.get("data").and_then(Value::as_object);
        Ok(Self {
            id: id.to_owned(),
            event_type: gt_schemas::EventType::of(name, version).map_err(DraftError::Type)?,
            version,
            on_behalf_of: members.get("on_behalf_of").map(|_| agency(&members)).transpose()?,
            data: data.ok_or(DraftError::Member { member: "data", expected: "an object" })?.clone(),
        })
    }

    /// The caller's own name for the draft.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// SHA-256 over what the draft says, whatever the order of its members and its white space. `id` is left out.
    pub fn content(&self) -> Hash {
        Hash::of(self.to_value(false).to_text().as_bytes())
    }

    /// The draft's JSON text, members sorted.
    pub(crate) fn to_text(&self) -> String {
        self.to_value(true).to_text()
    }

    fn to_value(&self, with_id: bool) -> Value {
        let mut members = Object::default();
        if with_id {
            members.insert("id", Value::from(self.id.as_str()));
        }
        members.insert("type", Value::from(self.event_type.as_str()));
        members.insert("version", Value::Integer(self.version.into()));
        if let Some(agency) = &self.on_behalf_of {
            members.insert("on_behalf_of", Value::from(agency.as_str()));
        }
        members.insert("data", sorted(&Value::Object(self.data.clone())));
        Value::Object(members)
    }

    fn members(&self) -> Vec<(String, DraftMember)> {
        let known = gt_schemas::members_at(self.event_type, self.version)
            .expect("the version was found when the draft was read");
        let place = |name: &str| known.iter().find(|member| member.name == name).map(|member| member.place);
        let member = |(name, value): (&str, &Value)| {
            let member = match (place(name), value) {
                (Some(Place::Disclosed { many: true, .. }), Value::Array(elements)) => {
                    DraftMember::Disclosed(elements.clone())
                }
                (Some(Place::Disclosed { .. }), value) => DraftMember::Disclosed(vec![value.clone()]),
                // What a schema does not know was refused; if it slipped through, the core refuses it in the clear.
                (Some(Place::Clear) | None, value) => DraftMember::Clear(value.clone()),
            };
            (name.to_owned(), member)
        };
        self.data.iter().filter(|(name, _)| *name != KEPT).map(member).collect()
    }

    fn kept(&self) -> Vec<String> {
        let names = self.data.get(KEPT).and_then(Value::as_array).unwrap_or_default();
        names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// Who signs: a publisher's key, its agency, and the ledger that it speaks to.
#[derive(Debug)]
pub struct Signatory {
    key: Box<dyn Signer>,
    publisher: PublisherId,
    agency: AgencyCode,
    origin: String,
    partnership_key: Option<PartnershipKey>,
}

/// The place of a statement in its publisher's chain, and when it is signed.
#[derive(Debug, Clone, Copy)]
pub struct ChainPosition {
    /// The statement's number.
    pub seq: u64,
    /// The hash of the one before; for `seq` 0 the genesis leaf hash.
    pub prev: Hash,
    /// Seconds since the Unix epoch.
    pub iat: i64,
}

impl Signatory {
    /// The publisher signs for this agency, to the ledger of this origin.
    pub fn new(
        key: impl Into<Box<dyn Signer>>,
        publisher: PublisherId,
        agency: AgencyCode,
        origin: String,
    ) -> Self {
        Self { key: key.into(), publisher, agency, origin, partnership_key: None }
    }

    /// The same with the key under which plain identifiers become pseudonyms. Without one, drafts that have any are refused.
    #[must_use]
    pub fn with_partnership_key(self, partnership_key: Option<PartnershipKey>) -> Self {
        Self { partnership_key, ..self }
    }

    /// Reads a draft, replaces its plain identifiers, checks it in full, and makes sure that it can be signed, whatever its place will be.
    pub fn check(&self, bytes: &[u8]) -> Result<CheckedDraft, DraftError> {
        let replaced = plain::replace(bytes, self.partnership_key.as_ref())?;
        let (draft, event) = CheckedDraft::parse_event(&replaced).map_err(|error| match error {
            DraftError::Schema(error) => plain::said_of_the_identifier(bytes, &error)
                .map_or(DraftError::Schema(error), DraftError::Plain),
            other => other,
        })?;
        if !may_lie_ahead(&event) {
            not_ahead(event.occurred_at())?;
        }
        // The largest numbers make the longest statement, so what can be signed here can be signed anywhere.
        let last = gt_core::json::MAX_INTEGER;
        let place = ChainPosition { seq: last.unsigned_abs(), prev: Hash::ZERO, iat: last };
        let signed = self.sign(&draft, place)?;
        signed.statement.require_complete()?;
        signed.statement.ownership()?;
        let length = signed.statement.to_compact().len();
        if length > gt_core::statement::MAX_PRESENTATION_BYTES {
            return Err(StatementError::PresentationTooLong { bytes: length }.into());
        }
        Ok(draft)
    }

    /// Signs a draft at its place in the chain, with fresh salts.
    pub fn sign(&self, draft: &CheckedDraft, place: ChainPosition) -> Result<Signed, DraftError> {
        let core = Draft {
            iss: self.agency.clone(),
            aud: self.origin.clone(),
            iat: place.iat,
            publisher: self.publisher,
            on_behalf_of: draft.on_behalf_of.clone(),
            seq: place.seq,
            prev: place.prev,
            event_type: EventType::parse(draft.event_type.as_str())
                .expect("schemas name types as the core does"),
            version: draft.version,
            members: draft.members(),
            kept: draft.kept(),
        };
        let mut no_random_bytes = None;
        let salt = || {
            let mut salt = [0; 16];
            no_random_bytes = getrandom::fill(&mut salt).err().or(no_random_bytes);
            salt
        };
        let signed = gt_core::statement::sign(&core, self.key.as_ref(), salt);
        if let Some(error) = no_random_bytes {
            return Err(error.into());
        }
        Ok(signed?)
    }
}

/// Whether its time is when something is to begin or end, which is known, and may be recorded, before.
const fn may_lie_ahead(event: &Event) -> bool {
    matches!(
        event,
        Event::RecordRestricted(_)
            | Event::RecordReleased(_)
            | Event::HoldPlaced(_)
            | Event::HoldLifted(_)
            | Event::AgreementRegistered(_)
            | Event::AgreementEnded(_)
            | Event::ChildMoved(_)
            | Event::PlacementStarted(_)
    )
}

/// Whether it can have happened, by this machine's clock.
fn not_ahead(occurred_at: Option<Time>) -> Result<(), DraftError> {
    let Some(now) = Time::from_millis(SystemClock::default().wall_millis()) else { return Ok(()) };
    let is_ahead = |time: Time| time.as_millis() - now.as_millis() > MOST_AHEAD_MILLIS;
    if occurred_at.is_some_and(is_ahead) { Err(DraftError::Ahead { now }) } else { Ok(()) }
}

fn text<'v>(
    members: &'v Object,
    member: &'static str,
    expected: &'static str,
) -> Result<&'v str, DraftError> {
    members.get(member).and_then(Value::as_str).ok_or(DraftError::Member { member, expected })
}

fn agency(members: &Object) -> Result<AgencyCode, DraftError> {
    let expected = "an agency code, scheme:code";
    AgencyCode::parse(text(members, "on_behalf_of", expected)?)
        .map_err(|_| DraftError::Member { member: "on_behalf_of", expected })
}

/// The same value with the members of every object in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.to_owned(), sorted(value))).collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

pub(crate) fn to_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Integer(number) => (*number).into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(elements) => elements.iter().map(to_serde).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.to_owned(), to_serde(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests;
