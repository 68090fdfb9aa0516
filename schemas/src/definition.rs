//! What every event type has: its members, its reading from a draft and from signed data, and its rules of structure.

use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Fault, SchemaError};
use crate::json::{Json, JsonObject, SignedData};
use crate::member::{Member, Place, Requirement};
use crate::people::Child;
use crate::reading::{Disclosable, kept_names};
use crate::time::Time;

/// What `notation::event!` writes for an event type.
pub(crate) trait Definition: Sized + Serialize + 'static {
    const DESCRIPTION: &'static str;
    const MEMBERS: &'static [Member];
    /// The names of `MEMBERS`, and `kept`.
    const NAMES: &'static [&'static str];

    /// Reads all members; whether the required disclosable ones are there is for [`complete`].
    fn from_draft(data: JsonObject<'_>) -> Result<Self, SchemaError>;

    /// Likewise, from signed data.
    fn from_opened(opened: &SignedData<'_>) -> Result<Self, SchemaError>;

    /// Whether a disclosable member's value is here.
    fn is_open(&self, member: &str) -> bool;

    /// The child that the statement is about, if the type has one and its disclosure is here.
    fn child(&self) -> Option<&Child>;

    /// The event's own time, if its disclosure is here.
    fn occurred_at(&self) -> Option<Time>;

    fn kept(&self) -> &[&'static str];

    fn kept_mut(&mut self) -> &mut Vec<&'static str>;

    /// Writes what views keep of it (`packed.rs`).
    fn pack(&self, into: &mut Vec<u8>);

    fn unpack(from: &mut &[u8]) -> Option<Self>;

    /// The schemas of the values of `MEMBERS`, in their order; of one disclosure's value, where there are many.
    fn value_schemas(generator: &mut SchemaGenerator) -> Vec<Schema>;

    /// Whether a disclosable member is here, or is kept at home.
    fn has(&self, member: &str) -> bool {
        self.is_open(member) || self.kept().contains(&member)
    }
}

/// What an event type adds by hand.
pub(crate) trait Rules: Definition {
    /// Members that are required under a condition.
    const CONDITIONS: &'static [Condition<Self>] = &[];

    /// Refuses members that contradict each other. A member that is kept contradicts nothing.
    fn agree(&self) -> Result<(), SchemaError> {
        Ok(())
    }

    /// What `agree` says, as far as a JSON Schema can say it about the members in the clear.
    fn agreement_schemas() -> Vec<Value> {
        Vec::new()
    }
}

/// A member that is required if something holds. The same condition stands as Rust and as a JSON Schema side by side.
pub(crate) struct Condition<E> {
    /// The version of the type since which it is required.
    pub(crate) since: u16,
    /// The member, as a JSON pointer of one or two names: `/informed`, `/times/shared_at`.
    pub(crate) member: &'static str,
    /// The condition in words, as in the member's [`Requirement::When`].
    pub(crate) when: &'static str,
    /// The condition.
    pub(crate) holds: fn(&E) -> bool,
    /// The condition as a schema of the members in the clear.
    pub(crate) schema: fn() -> Value,
    /// Whether the member is here, or kept.
    pub(crate) is_met: fn(&E) -> bool,
}

impl SignedData<'_> {
    pub(crate) fn take<T: Disclosable>(&self, name: &'static str) -> Result<T, SchemaError> {
        self.get(name).map_or_else(
            || Ok(T::none()),
            |values| T::from_elements(values).map_err(|error| error.within(name)),
        )
    }

    /// Refuses disclosures of members that the type does not have or that stand in the clear.
    pub(crate) fn refuse_others<E: Definition>(&self) -> Result<(), SchemaError> {
        let fault = |name: &str| match place::<E>(name) {
            Some(Place::Disclosed { .. }) => None,
            Some(Place::Clear) => Some(Fault::NotDisclosable),
            None => Some(Fault::UnknownMember { expected: E::NAMES }),
        };
        let refused = self.iter().find_map(|(name, _)| fault(name).map(|fault| fault.here().within(name)));
        refused.map_or(Ok(()), Err)
    }
}

/// Why a member in the clear is refused, if it is.
pub(crate) fn refuse_in_clear<E: Definition>(name: &str) -> Option<Fault> {
    match place::<E>(name) {
        Some(Place::Clear) => None,
        Some(Place::Disclosed { .. }) => Some(Fault::NotClear),
        None => Some(Fault::UnknownMember { expected: E::NAMES }),
    }
}

/// The draft's whole check. In a draft, members that are kept are present like all others.
pub(crate) fn draft<E: Rules>(version: u16, data: Json<'_>) -> Result<E, SchemaError> {
    let data = data.as_object().ok_or_else(|| Fault::expected("an object").here())?;
    let event = E::from_draft(data)?;
    for kept in event.kept() {
        if !event.is_open(kept) {
            return Err(Fault::MissingMember { rule: Requirement::When("where kept names it") }
                .here()
                .within(kept));
        }
    }
    complete(version, &event)?;
    Ok(event)
}

/// The sealer's whole check.
pub(crate) fn opened<E: Rules>(
    version: u16,
    data: &SignedData<'_>,
    kept: &[String],
) -> Result<E, SchemaError> {
    let mut event = E::from_opened(data)?;
    for (name, values) in data.iter() {
        if values.len() == 0 {
            return Err(Fault::expected("one disclosure or more").here().within(name));
        }
    }
    *event.kept_mut() = kept_names(kept.iter().map(|name| Some(name.as_str())), E::MEMBERS)?;
    if let Some(name) = event.kept().iter().find(|name| event.is_open(name)) {
        return Err(Fault::KeptDisclosed.here().within(name));
    }
    complete(version, &event)?;
    Ok(event)
}

/// Whether every required member is here or kept, and nothing contradicts itself.
fn complete<E: Rules>(version: u16, event: &E) -> Result<(), SchemaError> {
    for member in E::MEMBERS {
        if member.requirement == Requirement::Always && !event.has(member.name) {
            return Err(Fault::MissingMember { rule: member.requirement }.here().within(member.name));
        }
    }
    for condition in conditions_of::<E>(version) {
        if (condition.holds)(event) && !(condition.is_met)(event) {
            let rule = Requirement::When(condition.when);
            return Err(Fault::MissingMember { rule }.at(condition.member));
        }
    }
    event.agree()
}

/// The conditions that hold in this version of the type.
pub(crate) fn conditions_of<E: Rules>(version: u16) -> impl Iterator<Item = &'static Condition<E>> {
    E::CONDITIONS.iter().filter(move |condition| condition.since <= version)
}

fn place<E: Definition>(name: &str) -> Option<Place> {
    E::MEMBERS.iter().find(|member| member.name == name).map(|member| member.place)
}
