use thiserror::Error;

/// Which rule a text breaks that should be an identifier. Nothing of the text is in it, so it may be logged and sent
/// back. The sentence follows on the name of whatever the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// There is no colon after a scheme.
    #[error("names no scheme; expected scheme:value, as in nhs:… or uprn:…")]
    NoScheme,
    /// The scheme is none of [`crate::Scheme::CODES`].
    #[error("names an unknown scheme; expected one of nhs, upn, laid, staff, uprn, postcode, ctx")]
    UnknownScheme,
    /// There is nothing but white space.
    #[error("is blank")]
    Blank,
    /// There are characters that the scheme does not have.
    #[error("has other characters than {expected}")]
    Characters {
        /// What it may consist of.
        expected: &'static str,
    },
    /// There are too few or too many characters.
    #[error("has the wrong length; expected {expected}")]
    Length {
        /// How many it has.
        expected: &'static str,
    },
    /// The characters do not stand in the scheme's order.
    #[error("has the wrong form; expected {expected}")]
    Form {
        /// How it is written.
        expected: &'static str,
    },
    /// The check digit or check letter does not fit the rest.
    #[error("fails its check: at least one character is wrong")]
    CheckCharacter,
    /// An NHS number whose check digit would be ten.
    #[error("has no possible check digit, so it was never issued")]
    NeverIssued,
    /// The same digit all over, which people enter where no number is known.
    #[error("is a placeholder and identifies nobody")]
    Placeholder,
    /// A GSS code of an area whose authority runs no children's services.
    #[error(
        "is no authority that runs children's services; expected a GSS code of E06, E08, E09, E10, W06 or S12"
    )]
    NoChildrensServices,
    /// An agency's code that is sound but written otherwise than everybody writes it.
    #[error("is not in its normal form; expected upper case and no spaces")]
    NotNormal,
}

impl IdentifierError {
    /// The rule's stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoScheme => "no_scheme",
            Self::UnknownScheme => "unknown_scheme",
            Self::Blank => "blank",
            Self::Characters { .. } => "characters",
            Self::Length { .. } => "length",
            Self::Form { .. } => "form",
            Self::CheckCharacter => "check_character",
            Self::NeverIssued => "never_issued",
            Self::Placeholder => "placeholder",
            Self::NoChildrensServices => "no_childrens_services",
            Self::NotNormal => "not_normal",
        }
    }
}
