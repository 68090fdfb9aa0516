//! Reading typed values straight from parsed JSON, by reference.
//!
//! This is not serde's `Deserialize` because a refusal must carry its path and the closed codes as facts, and must not
//! repeat the value; serde's errors are sentences that do.

use std::ops::Deref;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::error::{Fault, SchemaError};
use crate::json::{Disclosed, Json, JsonObject};
use crate::member::{Member, Place, Requirement};

/// A value that is read from JSON. The schema says the same as `read`; tests hold them together.
pub(crate) trait Read: Sized {
    /// Whether a member of this type may be absent.
    const OPTIONAL: bool = false;

    fn read(value: Json<'_>) -> Result<Self, SchemaError>;

    #[cfg(test)]
    fn read_value(value: &serde_json::Value) -> Result<Self, SchemaError> {
        Self::read(value.into())
    }

    /// The schema of the value where it is present.
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// What stands for an absent member, if it may be absent.
    fn absent() -> Option<Self> {
        None
    }

    fn is_absent(&self) -> bool {
        false
    }
}

impl Read for bool {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        value.as_bool().ok_or_else(|| Fault::expected("true or false").here())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

impl<T: Read> Read for Option<T> {
    const OPTIONAL: bool = true;

    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        T::read(value).map(Some)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let elements = value.as_array().ok_or_else(|| Fault::expected("a list").here())?;
        read_elements(elements)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::schema(generator) })
    }
}

/// A list of one element or more. It reads as a slice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NonEmpty<T>(Vec<T>);

impl<T> NonEmpty<T> {
    pub(crate) fn of(elements: Vec<T>) -> Option<Self> {
        if elements.is_empty() { None } else { Some(Self(elements)) }
    }
}

impl<T> Deref for NonEmpty<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Read> Read for NonEmpty<T> {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        Self::of(Vec::read(value)?).ok_or_else(|| Fault::expected(ONE_OR_MORE).here())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::schema(generator), "minItems": 1 })
    }
}

/// A disclosable member: `Option<T>` has one disclosure, `Vec<T>` one per element.
pub(crate) trait Disclosable: Sized {
    const MANY: bool;

    /// The member as a draft has it.
    fn from_draft(value: Json<'_>) -> Result<Self, SchemaError>;

    /// The member from the values of its opened disclosures.
    fn from_elements(elements: Disclosed<'_>) -> Result<Self, SchemaError>;

    fn none() -> Self;

    fn is_none(&self) -> bool;

    /// The schema of one disclosure's value.
    fn element_schema(generator: &mut SchemaGenerator) -> Schema;
}

impl<T: Read> Disclosable for Option<T> {
    const MANY: bool = false;

    fn from_draft(value: Json<'_>) -> Result<Self, SchemaError> {
        T::read(value).map(Some)
    }

    fn from_elements(mut elements: Disclosed<'_>) -> Result<Self, SchemaError> {
        match (elements.next(), elements.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => T::read(value).map(Some),
            _ => Err(Fault::expected("exactly one disclosure").here()),
        }
    }

    fn none() -> Self {
        None
    }

    fn is_none(&self) -> bool {
        Option::is_none(self)
    }

    fn element_schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Read> Disclosable for Vec<T> {
    const MANY: bool = true;

    fn from_draft(value: Json<'_>) -> Result<Self, SchemaError> {
        // An empty list could not be signed: a disclosable member has at least one digest.
        NonEmpty::read(value).map(|list| list.0)
    }

    fn from_elements(elements: Disclosed<'_>) -> Result<Self, SchemaError> {
        read_elements(elements)
    }

    fn none() -> Self {
        Self::new()
    }

    fn is_none(&self) -> bool {
        self.is_empty()
    }

    fn element_schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

/// The members of one object, taken by name; [`Members::finish`] then refuses what nobody took.
///
/// A member of another name is refused before one that is missing: whoever mistypes a name is told which name is none, and not that
/// what stands there is missing.
pub(crate) struct Members<'v> {
    map: JsonObject<'v>,
    taken: usize,
    /// The names that members have here; none where they depend on the object's kind, until that is known.
    names: &'static [&'static str],
}

impl<'v> Members<'v> {
    pub(crate) fn of(value: Json<'v>, names: &'static [&'static str]) -> Result<Self, SchemaError> {
        let map = value.as_object().ok_or_else(|| Fault::expected("an object").here())?;
        Ok(Self::in_map(map, names))
    }

    pub(crate) const fn in_map(map: JsonObject<'v>, names: &'static [&'static str]) -> Self {
        Self { map, taken: 0, names }
    }

    /// The same, once its kind tells the names.
    pub(crate) const fn of_kind(self, names: &'static [&'static str]) -> Self {
        Self { names, ..self }
    }

    pub(crate) fn take<T: Read>(&mut self, name: &'static str) -> Result<T, SchemaError> {
        match self.take_value(name) {
            Some(value) => T::read(value).map_err(|error| error.within(name)),
            None => T::absent().ok_or_else(|| self.missing(name)),
        }
    }

    pub(crate) fn take_disclosable<T: Disclosable>(&mut self, name: &'static str) -> Result<T, SchemaError> {
        self.take_value(name)
            .map_or_else(|| Ok(T::none()), |value| T::from_draft(value).map_err(|error| error.within(name)))
    }

    /// `kept` of a draft: distinct names of keepable members.
    pub(crate) fn take_kept(&mut self, known: &'static [Member]) -> Result<Vec<&'static str>, SchemaError> {
        let Some(value) = self.take_value(KEPT) else { return Ok(Vec::new()) };
        let names = value.as_array().ok_or_else(|| Fault::expected("a list of names").here().within(KEPT))?;
        kept_names(names.map(Json::as_str), known)
    }

    pub(crate) fn finish(self) -> Result<(), SchemaError> {
        let expected = self.names;
        self.finish_with(|name| (!expected.contains(&name)).then_some(Fault::UnknownMember { expected }))
    }

    /// Refuses the first member to which `fault` objects. It is asked only if some member was not taken.
    pub(crate) fn finish_with(self, fault: impl Fn(&str) -> Option<Fault>) -> Result<(), SchemaError> {
        if self.taken == self.map.len() {
            return Ok(());
        }
        let refused = self.refused(fault);
        // All of them are known, so nothing reads one of them in this place: that is refused, not overlooked.
        Err(refused.unwrap_or_else(|| Fault::expected("no member that nothing reads").here()))
    }

    /// An object whose members' names are data.
    pub(crate) fn take_object(&mut self, name: &'static str) -> Result<JsonObject<'v>, SchemaError> {
        let value = self.take_value(name).ok_or_else(|| self.missing(name))?;
        value.as_object().ok_or_else(|| Fault::expected("an object").here().within(name))
    }

    /// The member's value as it stands, if it is there.
    pub(crate) fn take_value(&mut self, name: &str) -> Option<Json<'v>> {
        let value = self.map.get(name);
        self.taken += usize::from(value.is_some());
        value
    }

    /// Why the object is refused that has no member of this name.
    #[cold]
    pub(crate) fn missing(&self, name: &str) -> SchemaError {
        let expected = self.names;
        let is_none = |name: &str| !expected.is_empty() && !expected.contains(&name);
        self.refused(|name| is_none(name).then_some(Fault::UnknownMember { expected }))
            .unwrap_or_else(|| Fault::MissingMember { rule: Requirement::Always }.here().within(name))
    }

    /// The first member to which `fault` objects.
    fn refused(&self, fault: impl Fn(&str) -> Option<Fault>) -> Option<SchemaError> {
        self.map.names().find_map(|name| fault(name).map(|fault| fault.here().within(name)))
    }
}

/// The names in `kept`, resolved to the descriptors' own. `None` is an element that is no string.
pub(crate) fn kept_names<'n>(
    names: impl Iterator<Item = Option<&'n str>>,
    known: &'static [Member],
) -> Result<Vec<&'static str>, SchemaError> {
    let mut kept = Vec::new();
    for (index, name) in names.enumerate() {
        let at = |fault: Fault| fault.here().within_index(index).within(KEPT);
        let name = name.ok_or_else(|| at(Fault::expected("the name of a member")))?;
        let keepable = |member: &&Member| {
            member.name == name && matches!(member.place, Place::Disclosed { keepable: true, .. })
        };
        let member = known.iter().find(keepable).ok_or_else(|| at(Fault::NotKeepable))?;
        if kept.contains(&member.name) {
            return Err(at(Fault::expected("each name once")));
        }
        kept.push(member.name);
    }
    Ok(kept)
}

/// The member of signed data, and of drafts, that names what is kept at home.
pub(crate) const KEPT: &str = "kept";

const ONE_OR_MORE: &str = "a list of one element or more";

fn read_elements<'v, T: Read>(elements: impl Iterator<Item = Json<'v>>) -> Result<Vec<T>, SchemaError> {
    let read = |(index, value)| T::read(value).map_err(|error: SchemaError| error.within_index(index));
    elements.enumerate().map(read).collect()
}
