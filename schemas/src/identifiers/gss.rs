use super::{compact_alphanumeric, normal_text};
use crate::IdentifierError;

normal_text! {
    /// A code of the Government Statistical Service: a letter and eight digits, of which the first two say what kind of
    /// area it is (Office for National Statistics, *Register of geographic codes*).
    #[derive(Debug)]
    pub struct GssCode = normalise
}

/// The kinds of area whose authority runs children's services: English unitary authorities, metropolitan districts,
/// London boroughs and counties, Welsh principal areas and Scottish council areas.
const CHILDRENS_SERVICES: [&str; 6] = ["E06", "E08", "E09", "E10", "W06", "S12"];

/// Districts of an English county: the county runs children's services in them.
const DISTRICT: &str = "E07";

impl GssCode {
    /// Whether the area's authority runs children's services, by the kind of area.
    pub fn runs_childrens_services(&self) -> bool {
        CHILDRENS_SERVICES.contains(&&self.0[..3])
    }

    /// Whether it is a district, whose county runs children's services.
    pub fn is_district(&self) -> bool {
        self.0.starts_with(DISTRICT)
    }
}

fn normalise(text: &str) -> Result<String, IdentifierError> {
    let code = compact_alphanumeric(text)?;
    if code.len() != 9 {
        return Err(IdentifierError::Length { expected: "a letter and 8 digits" });
    }
    let sound = code.starts_with(|c: char| c.is_ascii_uppercase()) && super::is_digits(&code[1..]);
    if sound { Ok(code) } else { Err(IdentifierError::Form { expected: "a letter and 8 digits" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_area_says_who_runs_childrens_services() {
        for prefix in ["E06", "E07", "E08", "E09", "E10", "E12", "W06", "W05", "S12", "N09"] {
            let code = GssCode::parse(&format!("{prefix}000999")).unwrap();
            let runs = !["E07", "E12", "W05", "N09"].contains(&prefix);
            assert_eq!(
                (code.runs_childrens_services(), code.is_district()),
                (runs, prefix == "E07"),
                "{prefix}"
            );
        }
    }

    #[test]
    fn a_letter_and_eight_digits() {
        assert_eq!(GssCode::parse(" e06000005").map(|code| code.0).as_deref(), Ok("E06000005"));
        let expected = "a letter and 8 digits";
        for (text, error) in [
            ("", IdentifierError::Blank),
            ("E0600000", IdentifierError::Length { expected }),
            ("E060000055", IdentifierError::Length { expected }),
            ("006000005", IdentifierError::Form { expected }),
            ("EE6000005", IdentifierError::Form { expected }),
            ("E06-00005", IdentifierError::Characters { expected: "letters A to Z and digits" }),
        ] {
            assert_eq!(GssCode::parse(text), Err(error), "{text}");
        }
    }
}
