use core::ops::Range;
use std::sync::Arc;

use super::data::{Data, holds_digest};
use super::error::StatementError;
use super::{MAX_DISCLOSURE_BYTES, MIN_SALT_BYTES};
use crate::base64url;
use crate::hash::Hash;
use crate::json::{Document, Value, ValueRef};

/// Which node of `[salt, value]` the value is: the list comes first, and the salt is a text.
const VALUE: usize = 2;

/// A disclosure (RFC 9901 section 4.2.2): the salted value of one element of a disclosable member.
///
/// `V` is what is held of its value: the values of all of the statement's, or nothing. Disclosures of a statement share the memory of their
/// texts and of what these say.
#[derive(Clone)]
pub struct Disclosure<V = Values> {
    texts: Arc<str>,
    place: Place,
    held: V,
}

/// The values of a statement's disclosures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values(Arc<Document>);

/// Where a disclosure stands, and where it belongs.
#[derive(Clone)]
struct Place {
    /// In the texts of all.
    text: Range<usize>,
    digest: Hash,
    member_position: usize,
    element: usize,
    /// The node of `[salt, value]`.
    node: usize,
}

impl Disclosure {
    /// Reads disclosures of a statement with this `data`, which must have the digest of each, in the order in which they come.
    pub fn read_all<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        data: &Data,
    ) -> Result<Vec<Self>, StatementError> {
        let texts: Vec<&str> = texts.into_iter().collect();
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = texts.iter().map(|text| text.len()).sum();
        let mut whole = String::with_capacity(bytes);
        let mut document = Document::with_capacity(base64url::most_bytes(bytes));
        let (mut places, mut decoded): (Vec<Place>, _) = (Vec::with_capacity(texts.len()), Vec::new());
        for text in texts {
            let place = read_one(text, whole.len(), data, &mut document, &mut decoded)?;
            let of = |place: &Place| (place.member_position, place.element);
            if places.iter().any(|earlier| of(earlier) == of(&place)) {
                let member = data.members()[place.member_position].name().to_owned();
                return Err(StatementError::DisclosureRepeated { member });
            }
            whole.push_str(text);
            places.push(place);
        }
        let (texts, held): (Arc<str>, _) = (whole.into(), Values(Arc::new(document)));
        let disclosure = |place| Self { texts: Arc::clone(&texts), place, held: held.clone() };
        Ok(places.into_iter().map(disclosure).collect())
    }

    /// The value disclosed.
    pub fn value(&self) -> ValueRef<'_> {
        self.held.0.at(self.place.node + VALUE)
    }

    /// The same without its value.
    pub(super) fn without_value(self) -> Disclosure<()> {
        let Self { texts, place, held: _ } = self;
        Disclosure { texts, place, held: () }
    }

    /// Makes the text of a disclosure from a salt and a value.
    pub fn encode(salt: &[u8], value: &Value) -> String {
        let json = Value::Array(vec![Value::String(base64url::encode(salt)), value.clone()]);
        base64url::encode(json.to_text().as_bytes())
    }

    /// The digest of a disclosure's text.
    pub fn digest_of(text: &str) -> Hash {
        Hash::of(text.as_bytes())
    }
}

impl<V> Disclosure<V> {
    /// The disclosure as it was received: base64url of `[salt, value]`.
    pub fn text(&self) -> &str {
        &self.texts[self.place.text.clone()]
    }

    /// SHA-256 of [`Self::text`].
    pub fn digest(&self) -> Hash {
        self.place.digest
    }

    /// The position of the member among [`Data::members`].
    pub fn member_position(&self) -> usize {
        self.place.member_position
    }

    /// The position of the element within its member.
    pub fn element(&self) -> usize {
        self.place.element
    }
}

/// The text says all else.
impl<V> PartialEq for Disclosure<V> {
    fn eq(&self, other: &Self) -> bool {
        let of = |one: &Self| (one.place.digest, one.place.member_position, one.place.element);
        of(self) == of(other) && self.text() == other.text()
    }
}

impl<V> Eq for Disclosure<V> {}

/// Shows where the disclosure belongs and nothing of what it says.
impl<V> core::fmt::Debug for Disclosure<V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Disclosure").field("digest", &self.place.digest).finish_non_exhaustive()
    }
}

/// Reads a disclosure that stands here in the texts of all, its value into the document of all.
fn read_one(
    text: &str,
    start: usize,
    data: &Data,
    document: &mut Document,
    decoded: &mut Vec<u8>,
) -> Result<Place, StatementError> {
    if text.len() > MAX_DISCLOSURE_BYTES {
        return Err(StatementError::DisclosureTooLong { bytes: text.len() });
    }
    let digest = Disclosure::digest_of(text);
    decoded.clear();
    base64url::decode_into(text, decoded).map_err(|_| StatementError::Base64Url { part: "disclosure" })?;
    let (member_position, element) = data.find(&digest).ok_or(StatementError::DisclosureUnreferenced)?;
    let member = || data.members()[member_position].name().to_owned();
    let node = document.add(decoded).map_err(|source| StatementError::Json { part: "disclosure", source })?;
    let salt_and_value = document.at(node).as_array().filter(|parts| parts.len() == 2);
    let (salt, value) = salt_and_value
        .and_then(|mut parts| Some((parts.next()?.as_str()?, parts.next()?)))
        .ok_or(StatementError::DisclosureMalformed)?;
    if base64url::decoded_len(salt).unwrap_or(0) < MIN_SALT_BYTES {
        return Err(StatementError::SaltTooShort { member: member() });
    }
    if holds_digest(value) {
        return Err(StatementError::DigestInDisclosure { member: member() });
    }
    Ok(Place { text: start..start + text.len(), digest, member_position, element, node })
}
