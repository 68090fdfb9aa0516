use super::{compact_digits, personal_text};
use crate::IdentifierError;

personal_text! {
    /// A unique property reference number: up to twelve digits. Systems pad it with zeros or do not, so
    /// leading zeros are dropped.
    pub struct Uprn = normalise
}

fn normalise(text: &str) -> Result<String, IdentifierError> {
    let digits = compact_digits(text)?;
    if digits.len() > 12 {
        return Err(IdentifierError::Length { expected: "at most 12 digits" });
    }
    match digits.trim_start_matches('0') {
        "" => Err(IdentifierError::Placeholder),
        number => Ok(number.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_and_spaces_make_no_other_property() {
        for text in ["12345", "000000012345", " 12 345 "] {
            assert_eq!(Uprn::parse(text).map(|uprn| uprn.0).as_deref(), Ok("12345"), "{text}");
        }
        assert_eq!(Uprn::parse("100012345678").map(|uprn| uprn.0).as_deref(), Ok("100012345678"));
    }

    #[test]
    fn other_texts_are_refused_by_their_rule() {
        for (text, error) in [
            (" ", IdentifierError::Blank),
            ("000", IdentifierError::Placeholder),
            ("0000000000001", IdentifierError::Length { expected: "at most 12 digits" }),
            ("12345A", IdentifierError::Characters { expected: "digits" }),
            ("-1", IdentifierError::Characters { expected: "digits" }),
        ] {
            assert_eq!(Uprn::parse(text), Err(error), "{text}");
        }
    }
}
