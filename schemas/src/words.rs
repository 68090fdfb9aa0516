//! The texts of an event: free text, short labels, agency codes and pseudonyms.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::error::{Fault, SchemaError};
use crate::json::Json;
use crate::reading::Read;

/// Free text with at least one character that is not white space, of at most [`Text::MAX`] characters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Text(String);

/// A short text: a person's name, a job title, a reference. Not blank, at most [`Label::MAX`] characters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Label(String);

/// An agency code, `scheme:code` (FORMATS section 3): `gss:E06000005`, `ods:RX1`. Agencies are no personal data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AgencyCode(String);

/// A pseudonym: scheme and key epoch, a colon, and 32 bytes in base64url (FORMATS section 3). It stands for a person or
/// a place, and is personal data all the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Pseudonym(String);

/// An alert's id: 16 bytes in base64url, 22 characters. It is worked out from what the alert is about, so it is no
/// less personal than that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AlertId(String);

impl Text {
    /// The most characters (Unicode scalar values) of a text.
    pub const MAX: usize = 20_000;

    pub(crate) fn parse(text: &str) -> Option<Self> {
        check_text(text, Self::MAX).ok().map(|()| Self(text.to_owned()))
    }
}

impl Label {
    /// The most characters (Unicode scalar values) of a label.
    pub const MAX: usize = 200;

    pub(crate) fn parse(text: &str) -> Option<Self> {
        check_text(text, Self::MAX).ok().map(|()| Self(text.to_owned()))
    }
}

impl AgencyCode {
    /// The schemes there are.
    pub const SCHEMES: &[&str] = &["gss", "ods", "police", "gias", "charity", "rsh", "ofsted"];

    /// The code that this text is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::is_one(text).then(|| Self(text.to_owned()))
    }

    pub(crate) fn is_one(text: &str) -> bool {
        text.split_once(':').is_some_and(|(scheme, code)| {
            Self::SCHEMES.contains(&scheme)
                && (1..=16).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    }
}

impl Pseudonym {
    /// The pseudonym that this text is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, digest) = text.split_once(':')?;
        let (scheme, epoch) = prefix.split_once('.')?;
        let sound = !scheme.is_empty()
            && scheme.bytes().all(|b| b.is_ascii_lowercase())
            && (1..=5).contains(&epoch.len())
            && epoch.bytes().all(|b| b.is_ascii_digit())
            && digest.len() == 43
            && digest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && digest.as_bytes().last().is_some_and(|last| NO_SPARE_BITS.contains(last));
        sound.then(|| Self(text.to_owned()))
    }
}

impl AlertId {
    /// The alert's id that this text is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.len() == 22
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && text.ends_with(['A', 'Q', 'g', 'w']);
        sound.then(|| Self(text.to_owned()))
    }
}

/// The characters of base64url that can end 32 bytes: the two bits that are left over are zero.
const NO_SPARE_BITS: &[u8; 16] = b"AEIMQUYcgkosw048";

/// At least one character that neither Unicode nor ECMA-262 calls white space, so every implementation agrees.
const NOT_BLANK: &str = "[^\\s\\u0085\\uFEFF]";

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}

fn read_text(value: Json<'_>, max: usize) -> Result<String, SchemaError> {
    let text = value.as_str().ok_or_else(|| Fault::expected("a text").here())?;
    check_text(text, max).map_err(Fault::here)?;
    Ok(text.to_owned())
}

fn check_text(text: &str, max: usize) -> Result<(), Fault> {
    if is_blank(text) {
        return Err(Fault::BlankText);
    }
    // A text never has more characters than bytes, so most need no counting.
    if text.len() > max && text.chars().count() > max { Err(Fault::TextTooLong { max }) } else { Ok(()) }
}

fn read_form<T>(value: Json<'_>, parse: fn(&str) -> Option<T>, form: &'static str) -> Result<T, SchemaError> {
    value.as_str().and_then(parse).ok_or_else(|| Fault::expected(form).here())
}

/// What the five types have in common: a public view as text, and a schema by name.
macro_rules! text_type {
    ($Type:ident, $read:expr, $schema:expr) => {
        impl $Type {
            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Read for $Type {
            fn read(value: Json<'_>) -> Result<Self, SchemaError> {
                $read(value)
            }

            fn schema(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl JsonSchema for $Type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($Type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

text_type!(
    Text,
    |value| read_text(value, Text::MAX).map(Text),
    json_schema!({
        "description": "Free text, not blank.",
        "type": "string", "minLength": 1, "maxLength": Self::MAX, "pattern": NOT_BLANK,
    })
);
text_type!(
    Label,
    |value| read_text(value, Label::MAX).map(Label),
    json_schema!({
        "description": "A short text, not blank.",
        "type": "string", "minLength": 1, "maxLength": Self::MAX, "pattern": NOT_BLANK,
    })
);
text_type!(
    AgencyCode,
    |value| read_form(value, Self::parse, "an agency code, scheme:code"),
    json_schema!({
        "description": "An agency, as scheme:code.",
        "type": "string", "pattern": format!("^({}):[A-Za-z0-9]{{1,16}}$", Self::SCHEMES.join("|")),
    })
);
text_type!(
    Pseudonym,
    |value| read_form(value, Self::parse, "a pseudonym, scheme.epoch: and 43 characters of base64url"),
    json_schema!({
        "description": "A pseudonym: scheme and key epoch, and 32 bytes in base64url.",
        "type": "string",
        "pattern": "^[a-z]+\\.[0-9]{1,5}:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
    })
);

text_type!(
    AlertId,
    |value| read_form(value, Self::parse, "an alert's id, 22 characters of base64url"),
    json_schema!({
        "description": "An alert's id: 16 bytes in base64url.",
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$",
    })
);

/// Personal data stays out of `Debug`.
macro_rules! silent_debug {
    ($($Type:ident)+) => {$(
        impl fmt::Debug for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($Type), "(…)"))
            }
        }
    )+};
}

silent_debug! { Text Label Pseudonym AlertId }

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn code<T: Read>(value: &serde_json::Value) -> &'static str {
        T::read_value(value).map_or_else(|error| error.code(), |_| "read")
    }

    #[test]
    fn texts_are_bounded_and_not_blank() {
        assert_eq!(code::<Text>(&json!(" x ")), "read");
        assert_eq!(code::<Text>(&json!("é".repeat(Text::MAX))), "read");
        assert_eq!(code::<Text>(&json!("é".repeat(Text::MAX + 1))), "text_too_long");
        assert_eq!(code::<Label>(&json!("x".repeat(Label::MAX + 1))), "text_too_long");
        for blank in ["", " ", "\n\t", "\u{85}", "\u{a0}\u{3000}", "\u{feff}"] {
            assert_eq!(code::<Text>(&json!(blank)), "blank_text");
        }
        assert_eq!(code::<Text>(&json!(1)), "bad_value");
    }

    #[test]
    fn agencies_are_scheme_and_code() {
        for sound in ["gss:E06000005", "ods:RX1", "police:32", "ofsted:a"] {
            assert_eq!(code::<AgencyCode>(&json!(sound)), "read", "{sound}");
        }
        for refused in
            ["", "gss:", "gss", "GSS:E06000005", "ledger:service", "ods:R X", "ods:A2345678901234567"]
        {
            assert_eq!(code::<AgencyCode>(&json!(refused)), "bad_value", "{refused}");
        }
    }

    #[test]
    fn pseudonyms_are_32_bytes() {
        let digest = "A".repeat(43);
        assert_eq!(code::<Pseudonym>(&json!(format!("nhs.1:{digest}"))), "read");
        for refused in [
            digest.clone(),
            format!("nhs:{digest}"),
            format!("nhs.:{digest}"),
            format!("nhs.123456:{digest}"),
            format!("NHS.1:{digest}"),
            format!(".1:{digest}"),
            format!("nhs.1:{digest}A"),
            // The last character leaves a bit over.
            format!("nhs.1:{}B", "A".repeat(42)),
            format!("nhs.1:{}+A", "A".repeat(41)),
            format!("nhs.1:{}éA", "A".repeat(40)),
            "999 000 0018".to_owned(),
        ] {
            assert_eq!(code::<Pseudonym>(&json!(refused)), "bad_value");
        }
    }

    #[test]
    fn debug_shows_no_personal_data() {
        let text = Text::read_value(&json!("Jo Bloggs")).expect("a text");
        assert_eq!(format!("{text:?}"), "Text(…)");
    }
}
