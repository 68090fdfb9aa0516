use super::{is_space, personal_text};
use crate::IdentifierError;

personal_text! {
    /// A professional, by a label that the agency chooses. A payroll or collar number is unique only with its agency, so
    /// the agency writes itself before it: `police:32/4711`. The normal form is that of [`ContextLabel`].
    pub struct StaffLabel = normalise
}

personal_text! {
    /// An account, a vehicle, a group or an event, by a label that the partnership agrees on, best begun with what it is:
    /// `vehicle ab12cde`, `account example/blue`.
    ///
    /// The normal form: white space at both ends is dropped and within becomes one space; every character is put into
    /// lower case on its own, as Unicode maps it. At most 64 characters then. Unicode's composition is *not* normalised:
    /// letters with accents are to be written composed, as keyboards do.
    pub struct ContextLabel = normalise
}

/// The most characters (Unicode scalar values) of a label in its normal form.
const MAX: usize = 64;

fn normalise(text: &str) -> Result<String, IdentifierError> {
    if text.chars().any(|c| c.is_control() && !is_space(c)) {
        return Err(IdentifierError::Characters { expected: "letters, digits, signs and spaces" });
    }
    let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    let label: String = words.join(" ").chars().flat_map(char::to_lowercase).collect();
    match label.chars().count() {
        0 => Err(IdentifierError::Blank),
        1..=MAX => Ok(label),
        _ => Err(IdentifierError::Length { expected: "at most 64 characters" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> Result<String, IdentifierError> {
        ContextLabel::parse(text).map(|label| label.0)
    }

    #[test]
    fn case_and_white_space_make_no_other_label() {
        for text in ["vehicle ab12cde", " Vehicle\t AB12CDE ", "VEHICLE\u{a0}\u{3000}ab12CDE\u{feff}"] {
            assert_eq!(label(text).as_deref(), Ok("vehicle ab12cde"));
        }
        assert_eq!(
            StaffLabel::parse(" Police:32/4711").map(|label| label.0).as_deref(),
            Ok("police:32/4711")
        );
        // Each on its own: the last sigma of a Greek word is as any other.
        assert_eq!(label("ÉΣΑΣ İ").as_deref(), Ok("éσασ i\u{307}"));
    }

    #[test]
    fn a_label_is_no_longer_than_64_characters() {
        let length = IdentifierError::Length { expected: "at most 64 characters" };
        assert_eq!(label(&"é".repeat(64)), Ok("é".repeat(64)));
        assert_eq!(label(&"é".repeat(65)), Err(length));
        assert_eq!(label(&format!("{}{}", "x".repeat(64), " ".repeat(9))), Ok("x".repeat(64)));
        assert_eq!(label(" \u{feff}\n"), Err(IdentifierError::Blank));
        let characters = IdentifierError::Characters { expected: "letters, digits, signs and spaces" };
        assert_eq!(label("a\u{7}b"), Err(characters));
    }
}
