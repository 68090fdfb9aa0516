//! Statements: what an agency signs (DESIGN section 2, `docs/FORMATS.md` section 3).
//!
//! [`Statement::parse`] reads a compact SD-JWT strictly and checks its structure; it does not know whether the signing key is
//! registered ([`crate::registry`]), whether the chain is in order ([`crate::chain`]) or what the members mean (the schemas).

mod data;
mod disclosure;
mod error;
mod owner;
mod payload;
mod sign;

pub use data::{Data, DisclosableMember, MANY_ELEMENTS, NEVER_KEPT};
pub use disclosure::{Disclosure, Values};
pub use error::StatementError;
pub use owner::{Owner, Ownership, Pseudonym, PseudonymError};
pub use payload::{EventType, Payload, PublisherId};
pub use sign::{Draft, DraftMember, SignError, Signed, sign};

use crate::base64url;
use crate::hash::Hash;
use crate::json::{Document, ValueRef};
use crate::key::{PublicKey, Signed as SignedBytes, Thumbprint};

/// The longest `H.P.S`, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 48 * 1024;
/// The longest disclosure, in bytes of its base64url text.
pub const MAX_DISCLOSURE_BYTES: usize = 32 * 1024;
/// The longest whole: `H.P.S`, its disclosures and the tildes.
pub const MAX_PRESENTATION_BYTES: usize = 256 * 1024;
/// The most owners that one statement may have.
pub const MAX_OWNERS: usize = 64;
/// The shortest salt of a disclosure, in bytes.
pub const MIN_SALT_BYTES: usize = 16;

/// `H.P.S`, not yet read, with its hash: so whoever holds it against an entry before it is read hashes it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jws {
    text: String,
    hash: Hash,
}

impl Jws {
    /// Copies the text, and hashes it.
    pub fn new(text: &str) -> Self {
        Self::from(text.to_owned())
    }

    /// The exact text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The statement hash: SHA-256 of the ASCII `H.P.S`.
    pub const fn hash(&self) -> Hash {
        self.hash
    }
}

/// Takes the text as it is, and hashes it.
impl From<String> for Jws {
    fn from(text: String) -> Self {
        Self { hash: Hash::of(text.as_bytes()), text }
    }
}

/// A statement whose structure has been checked. Its exact bytes are kept; nothing is ever re-serialised.
///
/// `V` is what is held of the disclosures' values: all of them, or nothing once they have been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<V = Values> {
    jws: Jws,
    signed_len: usize,
    kid: Thumbprint,
    signature: [u8; 64],
    payload: Payload,
    disclosures: Vec<Disclosure<V>>,
}

impl Statement {
    /// Reads a compact SD-JWT, `H.P.S~D~…~`. Disclosures may be missing (a presentation); see [`Self::require_complete`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        if bytes.len() > MAX_PRESENTATION_BYTES {
            return Err(StatementError::PresentationTooLong { bytes: bytes.len() });
        }
        let text = core::str::from_utf8(bytes)
            .map_err(|error| StatementError::NotUtf8 { at: error.valid_up_to() })?;
        let (jws, rest) = text.split_once('~').ok_or(StatementError::NotCompact)?;
        let mut disclosures = Vec::new();
        if !rest.is_empty() {
            let Some(listed) = rest.strip_suffix('~') else {
                return Err(StatementError::KeyBindingJwt);
            };
            disclosures.extend(listed.split('~'));
        }
        Self::from_parts(jws, disclosures)
    }

    /// Reads a statement whose `H.P.S` and disclosures are held apart, as the vault does.
    pub fn from_parts<'a>(
        jws: &str,
        disclosures: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StatementError> {
        if jws.len() > MAX_STATEMENT_BYTES {
            return Err(StatementError::StatementTooLong { bytes: jws.len() });
        }
        Self::from_jws(Jws::new(jws), disclosures)
    }

    /// The same as [`Self::from_parts`], of an `H.P.S` that was hashed already.
    pub fn from_jws<'a>(
        whole: Jws,
        disclosures: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StatementError> {
        let jws = whole.text();
        if jws.len() > MAX_STATEMENT_BYTES {
            return Err(StatementError::StatementTooLong { bytes: jws.len() });
        }
        let mut parts = jws.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(StatementError::NotCompact);
        };
        let kid = read_header(&read_json("header", header)?)?;
        let body = Payload::read(&read_json("payload", payload)?)?;
        let signature = base64url::decode_public(signature)
            .map_err(|_| StatementError::Base64Url { part: "signature" })?;
        let disclosures = Disclosure::read_all(disclosures, &body.data)?;
        Ok(Self {
            signed_len: header.len() + 1 + payload.len(),
            jws: whole,
            kid,
            signature,
            payload: body,
            disclosures,
        })
    }

    /// The same without the values of its disclosures, whose texts stay.
    pub fn without_values(self) -> Statement<()> {
        let Self { jws, signed_len, kid, signature, payload, disclosures } = self;
        let disclosures = disclosures.into_iter().map(Disclosure::without_value).collect();
        Statement { jws, signed_len, kid, signature, payload, disclosures }
    }
}

impl<V> Statement<V> {
    /// The exact `H.P.S`.
    pub fn jws(&self) -> &str {
        self.jws.text()
    }

    /// The exact `H.P.S` with its hash, and nothing else.
    pub fn into_jws(self) -> Jws {
        self.jws
    }

    /// The statement hash: SHA-256 of the ASCII `H.P.S`.
    pub fn hash(&self) -> Hash {
        self.jws.hash()
    }

    /// The thumbprint of the key that is said to have signed.
    pub fn kid(&self) -> Thumbprint {
        self.kid
    }

    /// The bytes that were signed, `H.P`, and the signature.
    pub fn signed(&self) -> (&str, &[u8; 64]) {
        (&self.jws()[..self.signed_len], &self.signature)
    }

    /// What was signed.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What was signed, and nothing else.
    pub fn into_payload(self) -> Payload {
        self.payload
    }

    /// The disclosures that came along, in the order in which they came.
    pub fn disclosures(&self) -> &[Disclosure<V>] {
        &self.disclosures
    }

    /// The compact SD-JWT with the disclosures that came along.
    pub fn to_compact(&self) -> String {
        let mut text = String::with_capacity(self.jws().len() + 1);
        text.push_str(self.jws());
        text.push('~');
        for disclosure in &self.disclosures {
            text.push_str(disclosure.text());
            text.push('~');
        }
        text
    }

    /// Checks the signature with this key, which must be the one that `kid` names.
    pub fn verify(&self, key: &PublicKey) -> Result<(), StatementError> {
        self.names(key)?;
        let (message, signature) = self.signed();
        key.verify(message.as_bytes(), signature).map_err(|_| StatementError::BadSignature)
    }

    /// What to check of its signature under this key, which must be the one that `kid` names, where many are checked together
    /// ([`KeyMultiples::verify`](crate::key::KeyMultiples::verify)).
    pub fn signed_by<'a>(&'a self, key: &'a PublicKey) -> Result<SignedBytes<'a>, StatementError> {
        self.names(key)?;
        let (message, signature) = self.signed();
        Ok(SignedBytes { key, message: message.as_bytes(), signature })
    }

    /// Checks that `kid` names this key.
    pub(crate) fn names(&self, key: &PublicKey) -> Result<(), StatementError> {
        if key.thumbprint() == self.kid { Ok(()) } else { Err(StatementError::WrongKey { kid: self.kid }) }
    }

    /// What a sealer demands beyond structure: each digest that is not kept has its disclosure, and no kept one is sent.
    pub fn require_complete(&self) -> Result<(), StatementError> {
        for (position, member) in self.payload.data.members().iter().enumerate() {
            let kept = self.payload.data.is_kept(member.name());
            let came = self.disclosures.iter().filter(|d| d.member_position() == position).count();
            if kept && came > 0 {
                return Err(StatementError::KeptButSent { member: member.name().to_owned() });
            }
            if !kept && came < member.digests().len() {
                return Err(StatementError::DisclosureMissing { member: member.name().to_owned() });
            }
        }
        Ok(())
    }
}

fn read_json(part: &'static str, text: &str) -> Result<Document, StatementError> {
    let bytes = base64url::decode(text).map_err(|_| StatementError::Base64Url { part })?;
    Document::parse(bytes).map_err(|source| StatementError::Json { part, source })
}

fn read_header(header: &Document) -> Result<Thumbprint, StatementError> {
    let members = header.root().as_object().ok_or(StatementError::Header { member: "" })?;
    if let Some((_, _)) = members.iter().find(|(name, _)| !["alg", "typ", "kid"].contains(name)) {
        return Err(StatementError::Header { member: "unknown" });
    }
    let text = |member: &'static str| {
        members.get(member).and_then(ValueRef::as_str).ok_or(StatementError::Header { member })
    };
    if !["Ed25519", "EdDSA"].contains(&text("alg")?) {
        return Err(StatementError::Header { member: "alg" });
    }
    if text("typ")? != "statement+sd-jwt" {
        return Err(StatementError::Header { member: "typ" });
    }
    Hash::parse(text("kid")?).map_err(|_| StatementError::Header { member: "kid" })
}

#[cfg(test)]
mod tests;
