use super::{compact_alphanumeric, personal_text};
use crate::IdentifierError;

personal_text! {
    /// A unique pupil number: a check letter, eleven digits, and a digit or, in a temporary number, a letter (Department
    /// for Education, *Unique pupil numbers*). Written in upper case without spaces.
    pub struct Upn = normalise
}

/// Letter number n, from 0, is the check letter of sums that leave n when divided by 23. I, O and S are left out.
const LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRTUVWXYZ";

fn normalise(text: &str) -> Result<String, IdentifierError> {
    let upn = compact_alphanumeric(text)?;
    if upn.len() != 13 {
        return Err(IdentifierError::Length { expected: "13 characters" });
    }
    let bytes = upn.as_bytes();
    let expected = "a letter, 11 digits, and a digit or one of ABCDEFGHJKLMNPQRTUVWXYZ";
    if !bytes[0].is_ascii_alphabetic() || !bytes[1..12].iter().all(u8::is_ascii_digit) {
        return Err(IdentifierError::Form { expected });
    }
    let last = value(bytes[12]).ok_or(IdentifierError::Form { expected })?;
    let sum: usize =
        (2..13).zip(&bytes[1..12]).map(|(position, digit)| position * usize::from(digit - b'0')).sum();
    if LETTERS[(sum + 13 * last) % 23] == bytes[0] { Ok(upn) } else { Err(IdentifierError::CheckCharacter) }
}

/// What the last character counts: a digit itself, a letter its place among [`LETTERS`].
fn value(character: u8) -> Option<usize> {
    if character.is_ascii_digit() {
        return Some(usize::from(character - b'0'));
    }
    LETTERS.iter().position(|letter| *letter == character)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: [&str; 2] = ["X00180001701A", "P207000016049"];

    #[test]
    fn permanent_and_temporary_numbers_pass() {
        for sound in SOUND {
            assert_eq!(Upn::parse(sound).map(|upn| upn.0).as_deref(), Ok(sound));
        }
        assert_eq!(Upn::parse(" x0018 0001701a").map(|upn| upn.0).as_deref(), Ok("X00180001701A"));
    }

    #[test]
    fn one_wrong_character_is_always_noticed() {
        for sound in SOUND {
            for at in 0..13 {
                let others = if at == 0 { b'A'..=b'Z' } else { b'0'..=b'9' };
                for other in others {
                    let mut text = sound.as_bytes().to_vec();
                    text[at] = other;
                    let text = String::from_utf8(text).unwrap();
                    // A letter at the end may count as much as the digit that stands there now.
                    if at < 12 || sound.ends_with(|last: char| last.is_ascii_digit()) {
                        assert_eq!(Upn::parse(&text).is_ok(), text == sound, "{at} {other}");
                    }
                }
            }
        }
    }

    #[test]
    fn two_neighbours_that_changed_places_are_always_noticed() {
        for sound in SOUND {
            for at in 1..12 {
                let mut text = sound.as_bytes().to_vec();
                text.swap(at, at + 1);
                let text = String::from_utf8(text).unwrap();
                assert_eq!(Upn::parse(&text).is_ok(), text == sound, "{at}");
            }
        }
    }

    #[test]
    fn every_letter_but_three_ends_a_temporary_number() {
        for last in b'A'..=b'Z' {
            let (end, mut found) = (char::from(last), 0);
            for check in b'A'..=b'Z' {
                found += usize::from(Upn::parse(&format!("{}00180001701{end}", char::from(check))).is_ok());
            }
            assert_eq!(found, usize::from(!b"IOS".contains(&last)), "{end}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused_by_its_rule() {
        let expected = "a letter, 11 digits, and a digit or one of ABCDEFGHJKLMNPQRTUVWXYZ";
        for (text, error) in [
            ("", IdentifierError::Blank),
            ("X00180001701", IdentifierError::Length { expected: "13 characters" }),
            ("X-0180001701A", IdentifierError::Characters { expected: "letters A to Z and digits" }),
            ("800180001701A", IdentifierError::Form { expected }),
            ("X0018000170AA", IdentifierError::Form { expected }),
            ("X00180001701I", IdentifierError::Form { expected }),
        ] {
            assert_eq!(Upn::parse(text), Err(error), "{text}");
        }
    }
}
