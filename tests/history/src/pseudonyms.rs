//! Pseudonyms of people and places that do not exist.
//!
//! Real ones are made under a partnership's key (DESIGN section 6). Behind these there is no identifier, only a number, so
//! a plain hash gives nobody away.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A name under which statements know a child: twice the child's number, plus one for the second of two pseudonyms.
pub(crate) type Name = u32;

/// A child's pseudonym: by NHS number, or for the second name by the school's unique pupil number.
pub(crate) fn child(name: Name) -> String {
    let scheme = if name.is_multiple_of(2) { "nhs" } else { "upn" };
    pseudonym(scheme, "child", name / 2)
}

/// Another person's.
pub(crate) fn person(number: u32) -> String {
    pseudonym("nhs", "person", number)
}

/// A professional's.
pub(crate) fn staff(number: u32) -> String {
    pseudonym("staff", "staff", number)
}

/// That of a place or of another context that children share.
pub(crate) fn context(number: u32) -> String {
    pseudonym(if is_place(number) { "uprn" } else { "context" }, "context", number)
}

/// Most contexts are places.
pub(crate) const fn is_place(context: u32) -> bool {
    !context.is_multiple_of(4)
}

fn pseudonym(scheme: &str, kind: &str, number: u32) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update(number.to_be_bytes());
    let mut text = format!("{scheme}.1:");
    URL_SAFE_NO_PAD.encode_string(hash.finalize(), &mut text);
    text
}
