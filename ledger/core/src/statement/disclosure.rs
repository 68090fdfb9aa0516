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
/// `V` is what is held of its value: all of `[salt, value]`, or nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure<V = Document> {
    text: Box<str>,
    digest: Hash,
    member_position: usize,
    element: usize,
    held: V,
}

impl Disclosure {
    /// Reads a disclosure of a statement with this `data`, which must have its digest.
    pub fn read(text: &str, data: &Data) -> Result<Self, StatementError> {
        read_one(text, data)
    }

    /// The value disclosed.
    pub fn value(&self) -> ValueRef<'_> {
        self.held.at(VALUE)
    }

    /// The same without its value.
    pub(super) fn without_value(self) -> Disclosure<()> {
        let Self { text, digest, member_position, element, held: _ } = self;
        Disclosure { text, digest, member_position, element, held: () }
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
        &self.text
    }

    /// SHA-256 of [`Self::text`].
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// The position of the member among [`Data::members`].
    pub fn member_position(&self) -> usize {
        self.member_position
    }

    /// The position of the element within its member.
    pub fn element(&self) -> usize {
        self.element
    }
}

/// Shows where the disclosure belongs and nothing of what it says.
impl<V> core::fmt::Debug for Disclosure<V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Disclosure").field("digest", &self.digest).finish_non_exhaustive()
    }
}

pub(super) fn read_all<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    data: &Data,
) -> Result<Vec<Disclosure>, StatementError> {
    let mut read: Vec<Disclosure> = Vec::new();
    for text in texts {
        let disclosure = read_one(text, data)?;
        let place = (disclosure.member_position, disclosure.element);
        if read.iter().any(|earlier| (earlier.member_position, earlier.element) == place) {
            let member = data.members()[place.0].name().to_owned();
            return Err(StatementError::DisclosureRepeated { member });
        }
        read.push(disclosure);
    }
    Ok(read)
}

fn read_one(text: &str, data: &Data) -> Result<Disclosure, StatementError> {
    if text.len() > MAX_DISCLOSURE_BYTES {
        return Err(StatementError::DisclosureTooLong { bytes: text.len() });
    }
    let digest = Disclosure::digest_of(text);
    let bytes = base64url::decode(text).map_err(|_| StatementError::Base64Url { part: "disclosure" })?;
    let (member_position, element) = data.find(&digest).ok_or(StatementError::DisclosureUnreferenced)?;
    let member = || data.members()[member_position].name().to_owned();
    let document =
        Document::parse(bytes).map_err(|source| StatementError::Json { part: "disclosure", source })?;
    let salt_and_value = document.root().as_array().filter(|parts| parts.len() == 2);
    let (salt, value) = salt_and_value
        .and_then(|mut parts| Some((parts.next()?.as_str()?, parts.next()?)))
        .ok_or(StatementError::DisclosureMalformed)?;
    if base64url::decoded_len(salt).unwrap_or(0) < MIN_SALT_BYTES {
        return Err(StatementError::SaltTooShort { member: member() });
    }
    if holds_digest(value) {
        return Err(StatementError::DigestInDisclosure { member: member() });
    }
    Ok(Disclosure { text: text.into(), digest, member_position, element, held: document })
}
