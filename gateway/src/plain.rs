//! Plain identifiers in drafts: `{"identifier":"nhs:999 000 0018"}` where a statement has a pseudonym (FORMATS section 9).
//!
//! They are replaced before anything else is made of a draft, so the outbox, the log and the ledger see pseudonyms alone.
//! Whether the pseudonym stands in `pseudonym` or, for a place or another context, in `ref`, the identifier's scheme says;
//! whether a person or a place belongs there is for the type's schema. A draft that is handed in again is the same draft
//! however the identifier is written, as long as the partnership's key is the same.

use std::borrow::Cow;

use gt_core::json::{Object, Value};
use gt_schemas::{Fault, Identifier, IdentifierError, PartnershipKey, SchemaError, Scheme, is_member_name};

use crate::draft::MAX_DRAFT_BYTES;

/// The member that names a person or a place in the plain.
const IDENTIFIER: &str = "identifier";
/// The members of which it stands for one.
const REPLACED: [&str; 2] = ["pseudonym", "ref"];

/// Why a plain identifier cannot be replaced. Nothing of the identifier is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct PlainIdentifierError {
    /// Where, as a JSON pointer into the draft's `data`. A name that is no member's stands as `*`.
    pub path: String,
    /// What is wrong there.
    pub fault: PlainFault,
}

/// What is wrong with a plain identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlainFault {
    /// There is no key to make a pseudonym with.
    #[error(
        "is a plain identifier, and no partnership's key is at hand to make a pseudonym of it; it is named with --partnership-key FILE"
    )]
    NoKey,
    /// It is no text.
    #[error("must be a text, scheme:value")]
    NotAText,
    /// The object names the person or place twice.
    #[error("stands beside {member}, and one of the two must go")]
    Beside {
        /// The other member.
        member: &'static str,
    },
    /// Its scheme identifies something else than what belongs there.
    #[error("identifies {named}; expected {expected}")]
    OtherKind {
        /// What the scheme identifies.
        named: &'static str,
        /// What belongs there, and its schemes.
        expected: &'static str,
    },
    /// It breaks a rule of its scheme.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
}

impl PlainFault {
    /// The rule's stable name.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::NoKey => "no_partnership_key",
            Self::NotAText => "not_a_text",
            Self::Beside { .. } => "named_twice",
            Self::OtherKind { .. } => "other_kind",
            Self::Identifier(error) => error.code(),
        }
    }
}

impl PlainIdentifierError {
    fn within(mut self, member: &str) -> Self {
        let name = if is_member_name(member) { member } else { "*" };
        self.path = format!("/{name}{}", self.path);
        self
    }

    fn within_index(mut self, index: usize) -> Self {
        self.path = format!("/{index}{}", self.path);
        self
    }
}

impl From<PlainFault> for PlainIdentifierError {
    fn from(fault: PlainFault) -> Self {
        Self { path: String::new(), fault }
    }
}

/// The draft with every plain identifier in its `data` replaced by the pseudonym under this key. What is no strict JSON,
/// or too long, comes back as it is, for the reader of drafts to say what is wrong with it.
pub fn replace<'d>(
    draft: &'d [u8],
    key: Option<&PartnershipKey>,
) -> Result<Cow<'d, [u8]>, PlainIdentifierError> {
    // A member's name is written out, or with an escape in it. Most drafts have neither, and need no second reading.
    let perhaps =
        draft.contains(&b'\\') || draft.windows(IDENTIFIER.len()).any(|w| w == IDENTIFIER.as_bytes());
    if !perhaps || draft.len() > MAX_DRAFT_BYTES {
        return Ok(Cow::Borrowed(draft));
    }
    let Ok(Value::Object(mut members)) = Value::parse(draft) else { return Ok(Cow::Borrowed(draft)) };
    let Some(data) = members.get("data").and_then(Value::as_object) else { return Ok(Cow::Borrowed(draft)) };
    let mut replacing = Replacing { key, found: false };
    not_of_staff(data)?;
    let data = replacing.members(data)?;
    if !replacing.found {
        return Ok(Cow::Borrowed(draft));
    }
    members.insert("data", Value::Object(data));
    Ok(Cow::Owned(Value::Object(members).to_text().into_bytes()))
}

/// A professional's label where the child stands: a schema sees a pseudonym there, and any will do.
fn not_of_staff(data: &Object) -> Result<(), PlainIdentifierError> {
    let child = data.get("child").and_then(Value::as_object).and_then(|child| child.get(IDENTIFIER));
    let identifier = child.and_then(Value::as_str).and_then(|text| Identifier::parse(text).ok());
    if identifier.is_none_or(|identifier| identifier.scheme() != Scheme::Staff) {
        return Ok(());
    }
    let fault = PlainFault::OtherKind { named: "a professional", expected: "the child: nhs, upn or laid" };
    Err(PlainIdentifierError::from(fault).within(IDENTIFIER).within("child"))
}

/// What a schema says of the pseudonym that replaced an identifier, said of the identifier: that it names a person where a place
/// belongs, or the other way round. Everything else is left as it is.
pub fn said_of_the_identifier(draft: &[u8], error: &SchemaError) -> Option<PlainIdentifierError> {
    let Fault::UnknownMember { expected: members } = error.fault else { return None };
    let (parent, member) = error.path.rsplit_once('/')?;
    let [of_a_person, of_a_context] = REPLACED;
    let fault = if member == of_a_context && members.contains(&of_a_person) {
        PlainFault::OtherKind {
            named: "a place or another context",
            expected: "a person: nhs, upn, laid or staff",
        }
    } else if member == of_a_person && members.contains(&of_a_context) {
        PlainFault::OtherKind {
            named: "a person",
            expected: "a place or another context: uprn, postcode or ctx",
        }
    } else {
        return None;
    };
    let written = Value::parse(draft).ok()?;
    let mut holder = written.as_object()?.get("data")?;
    for name in parent.split('/').skip(1) {
        holder = match holder {
            Value::Array(elements) => elements.get(name.parse::<usize>().ok()?)?,
            other => other.as_object()?.get(name)?,
        };
    }
    holder.as_object()?.get(IDENTIFIER)?;
    Some(PlainIdentifierError { path: format!("{parent}/{IDENTIFIER}"), fault })
}

struct Replacing<'k> {
    key: Option<&'k PartnershipKey>,
    found: bool,
}

impl Replacing<'_> {
    fn value(&mut self, value: &Value) -> Result<Value, PlainIdentifierError> {
        match value {
            Value::Object(members) => self.object(members).map(Value::Object),
            Value::Array(elements) => {
                let element = |(index, value)| self.value(value).map_err(|error| error.within_index(index));
                elements.iter().enumerate().map(element).collect::<Result<_, _>>().map(Value::Array)
            }
            other => Ok(other.clone()),
        }
    }

    fn object(&mut self, members: &Object) -> Result<Object, PlainIdentifierError> {
        let Some(plain) = members.get(IDENTIFIER) else { return self.members(members) };
        self.found = true;
        let (name, pseudonym) = self.pseudonym(plain, members).map_err(|fault| {
            let error = PlainIdentifierError::from(fault);
            error.within(IDENTIFIER)
        })?;
        let others = members.iter().filter(|(name, _)| *name != IDENTIFIER);
        let others: Object = others.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let mut replaced = self.members(&others)?;
        replaced.insert(name, Value::String(pseudonym));
        Ok(replaced)
    }

    /// The object's members, each with what it holds replaced.
    fn members(&mut self, members: &Object) -> Result<Object, PlainIdentifierError> {
        let member = |(name, value): (&str, &Value)| {
            let value = self.value(value).map_err(|error| error.within(name))?;
            Ok((name.to_owned(), value))
        };
        members.iter().map(member).collect()
    }

    fn pseudonym(&self, plain: &Value, beside: &Object) -> Result<(&'static str, String), PlainFault> {
        let key = self.key.ok_or(PlainFault::NoKey)?;
        if let Some(member) = REPLACED.into_iter().find(|member| beside.get(member).is_some()) {
            return Err(PlainFault::Beside { member });
        }
        let identifier = Identifier::parse(plain.as_str().ok_or(PlainFault::NotAText)?)?;
        let [of_a_person, of_a_context] = REPLACED;
        let member = if identifier.scheme().names_a_person() { of_a_person } else { of_a_context };
        Ok((member, key.pseudonym(&identifier).as_str().to_owned()))
    }
}

#[cfg(test)]
mod tests;
