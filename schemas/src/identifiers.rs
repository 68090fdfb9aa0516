//! What agencies know people, places and each other by: read from text, validated, and brought into one normal form, so
//! that all agencies make the same pseudonym of the same person (DOMAIN section 6, FORMATS section 9).
//!
//! Each identifier has a type whose only door is `parse`. Those of people and places show nothing in `Debug`. Errors
//! name the rule that is broken and never hold anything of the text.

mod agencies;
mod error;
mod gss;
mod la_child;
mod label;
mod nhs;
mod ods;
mod postcode;
mod upn;
mod uprn;

use std::fmt;

pub use agencies::{
    AgencyStanding, CharityNumber, HousingProviderCode, OfstedUrn, PoliceForceCode, SchoolUrn,
};
pub use error::IdentifierError;
pub use gss::GssCode;
pub use la_child::LaChildId;
pub use label::{ContextLabel, StaffLabel};
pub use nhs::NhsNumber;
pub use ods::OdsCode;
pub use postcode::Postcode;
pub use upn::Upn;
pub use uprn::Uprn;

use crate::notation::codes;

/// A type whose values are texts in their normal form.
macro_rules! normal_text {
    ($(#[$attribute:meta])+ pub struct $Type:ident = $normalise:path) => {
        $(#[$attribute])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Type(pub(super) String);

        impl $Type {
            /// Reads, validates and normalises a text.
            pub fn parse(text: &str) -> Result<Self, crate::IdentifierError> {
                $normalise(text).map(Self)
            }

            /// The normal form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The same for people and places, which `Debug` does not show.
macro_rules! personal_text {
    ($(#[$attribute:meta])+ pub struct $Type:ident = $normalise:path) => {
        crate::identifiers::normal_text! { $(#[$attribute])+ pub struct $Type = $normalise }

        impl std::fmt::Debug for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($Type), "(…)"))
            }
        }
    };
}

use {normal_text, personal_text};

codes! {
    /// What a person or a place is identified by. The scheme is part of the pseudonym, in the clear.
    pub enum Scheme {
        /// A person's NHS number.
        Nhs = "nhs",
        /// A pupil's unique pupil number.
        Upn = "upn",
        /// A child's id at a local authority, written after the authority's GSS code.
        LaChild = "laid",
        /// A professional, by a label that the agency chooses.
        Staff = "staff",
        /// A property's unique property reference number.
        Uprn = "uprn",
        /// A postcode.
        Postcode = "postcode",
        /// An account, a vehicle, a group or an event, by a label that the partnership agrees on.
        Context = "ctx",
    }
}

impl Scheme {
    /// Whether it identifies a person. The others identify places and other contexts.
    pub const fn names_a_person(self) -> bool {
        matches!(self, Self::Nhs | Self::Upn | Self::LaChild | Self::Staff)
    }
}

/// A person or a place, identified: a scheme, and a value in its normal form. Personal data in the plain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    scheme: Scheme,
    value: String,
}

impl Identifier {
    /// Reads `scheme:value`, as in `nhs:999 000 0018`.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let (scheme, value) = text.split_once(':').ok_or(IdentifierError::NoScheme)?;
        Self::of(Scheme::parse(scheme).ok_or(IdentifierError::UnknownScheme)?, value)
    }

    /// Reads the value of a known scheme.
    pub fn of(scheme: Scheme, text: &str) -> Result<Self, IdentifierError> {
        let value = match scheme {
            Scheme::Nhs => NhsNumber::parse(text)?.0,
            Scheme::Upn => Upn::parse(text)?.0,
            Scheme::LaChild => LaChildId::parse(text)?.0,
            Scheme::Staff => StaffLabel::parse(text)?.0,
            Scheme::Uprn => Uprn::parse(text)?.0,
            Scheme::Postcode => Postcode::parse(text)?.0,
            Scheme::Context => ContextLabel::parse(text)?.0,
        };
        Ok(Self { scheme, value })
    }

    /// Its scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The value in its normal form.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({}:…)", self.scheme.as_str())
    }
}

/// White space as Unicode has it, and U+FEFF, which ECMA-262 adds.
fn is_space(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

/// The text in ASCII upper case without any white space; refused if nothing is left.
fn compact(text: &str) -> Result<String, IdentifierError> {
    let text: String = text.chars().filter(|c| !is_space(*c)).map(|c| c.to_ascii_uppercase()).collect();
    if text.is_empty() { Err(IdentifierError::Blank) } else { Ok(text) }
}

/// The same, of ASCII letters and digits alone.
fn compact_alphanumeric(text: &str) -> Result<String, IdentifierError> {
    let text = compact(text)?;
    let expected = "letters A to Z and digits";
    if text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(text)
    } else {
        Err(IdentifierError::Characters { expected })
    }
}

/// The same, of digits alone.
fn compact_digits(text: &str) -> Result<String, IdentifierError> {
    let text = compact(text)?;
    if is_digits(&text) { Ok(text) } else { Err(IdentifierError::Characters { expected: "digits" }) }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_a_scheme_and_a_value_in_its_normal_form() {
        for (text, value) in [
            ("nhs:999 000 0018", "9990000018"),
            ("upn:x00180001701a", "X00180001701A"),
            ("laid:e06000005 / 12345", "E06000005/12345"),
            ("staff: police:32/PC  4711 ", "police:32/pc 4711"),
            ("uprn:000012345678", "12345678"),
            ("postcode:ab123de", "AB12 3DE"),
            ("ctx:Vehicle AB12CDE", "vehicle ab12cde"),
        ] {
            let parsed = Identifier::parse(text).map(|identifier| identifier.value);
            assert_eq!(parsed.as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn schemes_are_a_closed_list() {
        assert_eq!(Identifier::parse("9990000018"), Err(IdentifierError::NoScheme));
        for text in ["NHS:9990000018", " nhs:9990000018", ":9990000018", "gss:E06000005"] {
            assert_eq!(Identifier::parse(text), Err(IdentifierError::UnknownScheme), "{text}");
        }
        assert_eq!(Scheme::CODES, ["nhs", "upn", "laid", "staff", "uprn", "postcode", "ctx"]);
        let people: Vec<_> = Scheme::ALL.iter().filter(|scheme| scheme.names_a_person()).collect();
        assert_eq!(people, [&Scheme::Nhs, &Scheme::Upn, &Scheme::LaChild, &Scheme::Staff]);
    }

    #[test]
    fn debug_shows_no_personal_data() {
        let shown = [
            format!("{:?}", Identifier::parse("nhs:9990000018").unwrap()),
            format!("{:?}", NhsNumber::parse("9990000018").unwrap()),
            format!("{:?}", Upn::parse("X00180001701A").unwrap()),
            format!("{:?}", LaChildId::parse("E06000005/12345").unwrap()),
            format!("{:?}", StaffLabel::parse("12345").unwrap()),
            format!("{:?}", Uprn::parse("100012345678").unwrap()),
            format!("{:?}", Postcode::parse("GIR 0AA").unwrap()),
            format!("{:?}", ContextLabel::parse("12345").unwrap()),
        ];
        assert_eq!(shown[..2], ["Identifier(nhs:…)", "NhsNumber(…)"]);
        assert!(
            shown.iter().all(|text| text.ends_with("…)") && !text.contains(char::is_numeric)),
            "{shown:?}"
        );
    }
}
