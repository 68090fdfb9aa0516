use super::{GssCode, compact, personal_text};
use crate::IdentifierError;

personal_text! {
    /// A child's id at a local authority. It is unique only there, so the authority's GSS code stands before it:
    /// `E06000005/12345`. The authority must be one that runs children's services; the id is 1 to 20 letters, digits and
    /// hyphens, in upper case.
    pub struct LaChildId = normalise
}

fn normalise(text: &str) -> Result<String, IdentifierError> {
    let text = compact(text)?;
    let expected = "the authority's GSS code, a stroke and its own id, as in E06000005/12345";
    let (authority, id) = text.split_once('/').ok_or(IdentifierError::Form { expected })?;
    if !GssCode::parse(authority)?.runs_childrens_services() {
        return Err(IdentifierError::NoChildrensServices);
    }
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(IdentifierError::Characters {
            expected: "letters, digits and hyphens in the authority's id",
        });
    }
    if !(1..=20).contains(&id.len()) {
        return Err(IdentifierError::Length { expected: "1 to 20 characters after the stroke" });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_of_two_authorities_is_two_children() {
        let parse = |text| LaChildId::parse(text).unwrap();
        assert_ne!(parse("E06000005/12345"), parse("E10000999/12345"));
        assert_eq!(parse(" e06000005 / ab-12 ").as_str(), "E06000005/AB-12");
        assert_ne!(parse("E06000005/012345"), parse("E06000005/12345"), "an id is no number");
    }

    #[test]
    fn other_texts_are_refused_by_their_rule() {
        let expected = "the authority's GSS code, a stroke and its own id, as in E06000005/12345";
        let long = format!("E06000005/{}", "1".repeat(21));
        for (text, error) in [
            ("", IdentifierError::Blank),
            ("12345", IdentifierError::Form { expected }),
            ("E06/12345", IdentifierError::Length { expected: "a letter and 8 digits" }),
            ("/12345", IdentifierError::Blank),
            ("E07000999/12345", IdentifierError::NoChildrensServices),
            ("E12000001/12345", IdentifierError::NoChildrensServices),
            ("E06000005/", IdentifierError::Length { expected: "1 to 20 characters after the stroke" }),
            (&long, IdentifierError::Length { expected: "1 to 20 characters after the stroke" }),
            (
                "E06000005/1/2",
                IdentifierError::Characters { expected: "letters, digits and hyphens in the authority's id" },
            ),
        ] {
            assert_eq!(LaChildId::parse(text), Err(error), "{text}");
        }
    }
}
