use crate::hash::Hash;
use crate::json::JsonError;

/// Why a statement is refused. No variant carries a value of the statement, since values may be about a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// The whole is longer than [`super::MAX_PRESENTATION_BYTES`].
    #[error("statement and disclosures have {bytes} bytes together, and at most 262144 are allowed")]
    PresentationTooLong {
        /// Its length.
        bytes: usize,
    },
    /// `H.P.S` is longer than [`super::MAX_STATEMENT_BYTES`].
    #[error("the statement has {bytes} bytes, and at most 49152 are allowed")]
    StatementTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A disclosure is longer than [`super::MAX_DISCLOSURE_BYTES`].
    #[error("a disclosure has {bytes} bytes, and at most 32768 are allowed")]
    DisclosureTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The bytes are not UTF-8.
    #[error("not UTF-8 at byte {at}")]
    NotUtf8 {
        /// The offset of the first byte that is not.
        at: usize,
    },
    /// Not `H.P.S~…~`: truncated, or something else altogether.
    #[error("not a compact SD-JWT: header.payload.signature, a tilde, and a tilde after each disclosure")]
    NotCompact,
    /// Something follows the last tilde.
    #[error("a key-binding JWT (or a truncated disclosure) follows the last tilde")]
    KeyBindingJwt,
    /// A part is not strict base64url.
    #[error("the {part} is not base64url without padding and with zero spare bits")]
    Base64Url {
        /// Which part.
        part: &'static str,
    },
    /// A part is not strict JSON.
    #[error("the {part} is not strict JSON: {source}")]
    Json {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: JsonError,
    },
    /// The header is not exactly `alg`, `typ` and `kid` with their values.
    #[error("the header's member {member:?} is missing, unknown or has another value than it must")]
    Header {
        /// The member, or `unknown`.
        member: &'static str,
    },
    /// A member of the payload is missing.
    #[error("the payload lacks the member {member:?}")]
    PayloadMemberMissing {
        /// The member.
        member: &'static str,
    },
    /// The payload has a member that no statement has.
    #[error("the payload has a member that statements do not have")]
    PayloadMemberUnknown,
    /// A member of the payload has a value that it cannot have.
    #[error("the payload's member {member:?} must be {expected}")]
    PayloadMemberBad {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A member name in `data` is no name.
    #[error("a member name in data is not [a-z][a-z0-9_]{{0,63}}")]
    DataMemberName,
    /// A value in the clear that is no code.
    #[error("the member {member:?} of data holds a value in the clear that is no code")]
    PersonalDataInClear {
        /// The member of `data`.
        member: String,
    },
    /// A digest stands elsewhere than as an element of an array that is a member of `data`.
    #[error("the member {member:?} of data holds digests where they may not stand")]
    DigestMisplaced {
        /// The member of `data`.
        member: String,
    },
    /// A disclosable member has several elements and is no list of people.
    #[error("the member {member:?} of data has {elements} elements, and may have one")]
    TooManyElements {
        /// The member.
        member: String,
        /// How many elements it has.
        elements: usize,
    },
    /// The same digest stands twice.
    #[error("a digest stands twice, the second time in {member:?}")]
    DigestRepeated {
        /// The member of `data` that repeats it.
        member: String,
    },
    /// `kept` is no list of distinct disclosable members that may be kept.
    #[error("kept must list distinct disclosable members of this statement that do not name their owner")]
    KeptBad,
    /// A disclosure is not `[salt, value]`.
    #[error("a disclosure is not an array of a salt and a value")]
    DisclosureMalformed,
    /// A salt is shorter than [`super::MIN_SALT_BYTES`].
    #[error("the salt of the disclosure of {member:?} is no base64url of at least 16 bytes")]
    SaltTooShort {
        /// The member.
        member: String,
    },
    /// A disclosure holds digests itself.
    #[error("the disclosure of {member:?} holds digests itself")]
    DigestInDisclosure {
        /// The member.
        member: String,
    },
    /// No digest refers to a disclosure.
    #[error("a disclosure has no digest in the statement")]
    DisclosureUnreferenced,
    /// The same disclosure came twice.
    #[error("the disclosure of {member:?} came twice")]
    DisclosureRepeated {
        /// The member.
        member: String,
    },
    /// A digest that is not kept came without its disclosure.
    #[error("the member {member:?} is not kept, but its disclosure did not come")]
    DisclosureMissing {
        /// The member.
        member: String,
    },
    /// A kept member's disclosure was sent.
    #[error("the member {member:?} is kept at home, but its disclosure was sent")]
    KeptButSent {
        /// The member.
        member: String,
    },
    /// A `pseudonym` is no pseudonym, or `child` has none.
    #[error("the member {member:?} must name a person by a pseudonym, as scheme.epoch:base64url")]
    BadPseudonym {
        /// The member.
        member: String,
    },
    /// More than [`super::MAX_OWNERS`].
    #[error("the statement has {owners} owners, and at most 64 are allowed")]
    TooManyOwners {
        /// How many it has.
        owners: usize,
    },
    /// The key is not the one that `kid` names.
    #[error("the key is not the one that the header names")]
    WrongKey {
        /// The key that the header names.
        kid: Hash,
    },
    /// The signature does not verify.
    #[error("the signature does not verify")]
    BadSignature,
}

impl StatementError {
    /// The stable code of this error, as problems and test vectors name it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PresentationTooLong { .. }
            | Self::StatementTooLong { .. }
            | Self::DisclosureTooLong { .. } => "too_long",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NotCompact => "not_compact",
            Self::KeyBindingJwt => "key_binding_jwt",
            Self::Base64Url { .. } => "base64url",
            Self::Json { source, .. } => source.fault.code(),
            Self::Header { .. } => "header",
            Self::PayloadMemberMissing { .. } => "payload_member_missing",
            Self::PayloadMemberUnknown => "payload_member_unknown",
            Self::PayloadMemberBad { .. } => "payload_member_bad",
            Self::DataMemberName => "data_member_name",
            Self::PersonalDataInClear { .. } => "personal_data_in_clear",
            Self::DigestMisplaced { .. } => "digest_misplaced",
            Self::TooManyElements { .. } => "too_many_elements",
            Self::DigestRepeated { .. } => "digest_repeated",
            Self::KeptBad => "kept_bad",
            Self::DisclosureMalformed => "disclosure_malformed",
            Self::SaltTooShort { .. } => "salt_too_short",
            Self::DigestInDisclosure { .. } => "digest_in_disclosure",
            Self::DisclosureUnreferenced => "disclosure_unreferenced",
            Self::DisclosureRepeated { .. } => "disclosure_repeated",
            Self::DisclosureMissing { .. } => "disclosure_missing",
            Self::KeptButSent { .. } => "kept_but_sent",
            Self::BadPseudonym { .. } => "bad_pseudonym",
            Self::TooManyOwners { .. } => "too_many_owners",
            Self::WrongKey { .. } => "wrong_key",
            Self::BadSignature => "bad_signature",
        }
    }
}
