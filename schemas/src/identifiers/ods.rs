use super::{compact_alphanumeric, normal_text};
use crate::IdentifierError;

normal_text! {
    /// A code of NHS England's Organisation Data Service: one to nine letters and digits, in upper case.
    #[derive(Debug)]
    pub struct OdsCode = normalise
}

fn normalise(text: &str) -> Result<String, IdentifierError> {
    let code = compact_alphanumeric(text)?;
    if code.len() > 9 {
        return Err(IdentifierError::Length { expected: "1 to 9 letters and digits" });
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_nine_letters_and_digits() {
        for (text, code) in [("rx1", "RX1"), (" Y ", "Y"), ("A23456789", "A23456789")] {
            assert_eq!(OdsCode::parse(text).map(|code| code.0).as_deref(), Ok(code));
        }
        let length = IdentifierError::Length { expected: "1 to 9 letters and digits" };
        assert_eq!(OdsCode::parse("A234567890"), Err(length));
        let characters = IdentifierError::Characters { expected: "letters A to Z and digits" };
        assert_eq!(OdsCode::parse("RX-1"), Err(characters));
        assert_eq!(OdsCode::parse(""), Err(IdentifierError::Blank));
    }
}
