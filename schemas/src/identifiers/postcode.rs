use super::{compact_alphanumeric, personal_text};
use crate::IdentifierError;

personal_text! {
    /// A postcode of the United Kingdom, in upper case with one space before its last three characters. Whether it exists
    /// is not looked up; its form is checked, in the words of a regular expression,
    ///
    /// ```text
    /// ^(GIR 0AA|[A-PR-UWYZ]([0-9][0-9A-HJKPSTUW]?|[A-HK-Y][0-9][0-9ABEHMNPRVWXY]?) [0-9][ABD-HJLNP-UW-Z]{2})$
    /// ```
    ///
    /// which is that of BS 7666 and of `GIR 0AA`, the one postcode that is like no other. So `ZZ99 3VZ` and its like, which
    /// health systems write where somebody has no address, are refused: they would bring strangers together in one place.
    pub struct Postcode = normalise
}

fn normalise(text: &str) -> Result<String, IdentifierError> {
    let code = compact_alphanumeric(text)?;
    if !(5..=7).contains(&code.len()) {
        return Err(IdentifierError::Length { expected: "5 to 7 characters besides the space" });
    }
    // All of it is ASCII by now, so this cuts between characters.
    let (outward, inward) = code.split_at(code.len() - 3);
    if code == "GIR0AA" || (is_outward(outward.as_bytes()) && is_inward(inward.as_bytes())) {
        Ok(format!("{outward} {inward}"))
    } else {
        Err(IdentifierError::Form { expected: "a postcode, as in AB12 3DE" })
    }
}

fn is_outward(outward: &[u8]) -> bool {
    let Some((area, rest)) = outward.split_first() else { return false };
    let first = area.is_ascii_uppercase() && !b"QVX".contains(area);
    let second = |letter: &u8| letter.is_ascii_uppercase() && !b"IJZ".contains(letter);
    first
        && match rest {
            [digit] => digit.is_ascii_digit(),
            [digit, third] if digit.is_ascii_digit() => {
                third.is_ascii_digit() || b"ABCDEFGHJKPSTUW".contains(third)
            }
            [letter, digit] => second(letter) && digit.is_ascii_digit(),
            [letter, digit, fourth] => {
                second(letter)
                    && digit.is_ascii_digit()
                    && (fourth.is_ascii_digit() || b"ABEHMNPRVWXY".contains(fourth))
            }
            _ => false,
        }
}

fn is_inward(inward: &[u8]) -> bool {
    let letter = |letter: &u8| letter.is_ascii_uppercase() && !b"CIKMOV".contains(letter);
    matches!(inward, [digit, a, b] if digit.is_ascii_digit() && letter(a) && letter(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_it_is_one_postcode() {
        for text in ["AB12 3DE", "ab123de", "  Ab12   3dE", "A B 1 2 3 D E"] {
            assert_eq!(Postcode::parse(text).map(|code| code.0).as_deref(), Ok("AB12 3DE"), "{text}");
        }
    }

    #[test]
    fn all_six_forms_and_the_odd_one_pass() {
        for sound in ["M1 1AA", "M60 1NW", "W1A 1HQ", "CR2 6XH", "DN55 1PT", "EC1A 1BB", "GIR 0AA"] {
            assert_eq!(Postcode::parse(sound).map(|code| code.0).as_deref(), Ok(sound));
        }
    }

    #[test]
    fn letters_where_no_postcode_has_them_are_refused() {
        let form = IdentifierError::Form { expected: "a postcode, as in AB12 3DE" };
        for text in [
            "Q1 1AA", "V1 1AA", "X1 1AA", "AI1 1AA", "AJ1 1AA", "AZ1 1AA", "A1I 1AA", "AA1C 1AA", "A1 1CA",
            "A1 1AV", "A1 AAA", "AAA 1AA", "11 1AA", "A111 1AA", "GIR 0AB", "ZZ99 3VZ", "GIR 1AA",
        ] {
            assert_eq!(Postcode::parse(text), Err(form), "{text}");
        }
        let length = IdentifierError::Length { expected: "5 to 7 characters besides the space" };
        for text in ["M1AA", "DN55 11PT"] {
            assert_eq!(Postcode::parse(text), Err(length), "{text}");
        }
        let characters = IdentifierError::Characters { expected: "letters A to Z and digits" };
        assert_eq!(Postcode::parse("M1-1AA"), Err(characters));
        assert_eq!(Postcode::parse("М1 1AA"), Err(characters), "a Cyrillic letter");
        assert_eq!(Postcode::parse(" "), Err(IdentifierError::Blank));
    }
}
