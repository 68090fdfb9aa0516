//! The codes by which agencies are known, other than GSS and ODS codes, and the check of a whole agency code.

use super::{GssCode, OdsCode, compact_alphanumeric, compact_digits, is_digits, normal_text};
use crate::{AgencyCode, IdentifierError};

normal_text! {
    /// A police force's number: the two digits of the Home Office's list of forces.
    #[derive(Debug)]
    pub struct PoliceForceCode = two_digits
}

normal_text! {
    /// A school's unique reference number in *Get information about schools* (GIAS): six digits.
    #[derive(Debug)]
    pub struct SchoolUrn = six_digits
}

normal_text! {
    /// A registered charity's number: six or seven digits in England and Wales, `NIC` and six digits in Northern Ireland,
    /// `SC` and six digits in Scotland.
    #[derive(Debug)]
    pub struct CharityNumber = charity
}

normal_text! {
    /// A housing provider's number in the list of the Regulator of Social Housing: four to six letters and digits, with
    /// digits among them.
    #[derive(Debug)]
    pub struct HousingProviderCode = housing_provider
}

normal_text! {
    /// Ofsted's unique reference number of a provider: six or seven digits, or two letters and six digits.
    #[derive(Debug)]
    pub struct OfstedUrn = ofsted
}

/// What is to be said of a well-formed agency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgencyStanding {
    /// Nothing.
    Sound,
    /// It is a district council: its county runs children's services, and is most often what was meant.
    District,
}

impl AgencyCode {
    /// Checks the code against the form that its scheme has, which [`AgencyCode::parse`] does not: statements may have
    /// been sealed under any code, but a new agency is enrolled under a right one. A GSS code must be that of an authority
    /// that runs children's services, or of a district.
    pub fn check(&self) -> Result<AgencyStanding, IdentifierError> {
        let (scheme, code) = self.as_str().split_once(':').ok_or(IdentifierError::NoScheme)?;
        let mut standing = AgencyStanding::Sound;
        let normal = match scheme {
            "gss" => {
                let gss = GssCode::parse(code)?;
                if gss.is_district() {
                    standing = AgencyStanding::District;
                } else if !gss.runs_childrens_services() {
                    return Err(IdentifierError::NoChildrensServices);
                }
                gss.as_str().to_owned()
            }
            "ods" => OdsCode::parse(code)?.as_str().to_owned(),
            "police" => PoliceForceCode::parse(code)?.0,
            "gias" => SchoolUrn::parse(code)?.0,
            "charity" => CharityNumber::parse(code)?.0,
            "rsh" => HousingProviderCode::parse(code)?.0,
            "ofsted" => OfstedUrn::parse(code)?.0,
            _ => return Err(IdentifierError::UnknownScheme),
        };
        if normal == code { Ok(standing) } else { Err(IdentifierError::NotNormal) }
    }
}

fn two_digits(text: &str) -> Result<String, IdentifierError> {
    exactly(compact_digits(text)?, 2, "2 digits")
}

fn six_digits(text: &str) -> Result<String, IdentifierError> {
    exactly(compact_digits(text)?, 6, "6 digits")
}

fn exactly(text: String, length: usize, expected: &'static str) -> Result<String, IdentifierError> {
    if text.len() == length { Ok(text) } else { Err(IdentifierError::Length { expected }) }
}

fn charity(text: &str) -> Result<String, IdentifierError> {
    let number = compact_alphanumeric(text)?;
    let sound = match number.strip_prefix("SC").or_else(|| number.strip_prefix("NIC")) {
        Some(digits) => digits.len() == 6 && is_digits(digits),
        None => is_six_or_seven_digits(&number),
    };
    let expected = "6 or 7 digits, or SC or NIC and 6 digits";
    if sound { Ok(number) } else { Err(IdentifierError::Form { expected }) }
}

fn housing_provider(text: &str) -> Result<String, IdentifierError> {
    let code = compact_alphanumeric(text)?;
    let sound = (4..=6).contains(&code.len()) && code.bytes().any(|b| b.is_ascii_digit());
    if sound { Ok(code) } else { Err(IdentifierError::Form { expected: "4 to 6 letters and digits" }) }
}

fn ofsted(text: &str) -> Result<String, IdentifierError> {
    let urn = compact_alphanumeric(text)?;
    let (prefix, digits) = urn.split_at(urn.len().min(2));
    let lettered = prefix.bytes().all(|b| b.is_ascii_uppercase()) && digits.len() == 6 && is_digits(digits);
    let expected = "6 or 7 digits, or 2 letters and 6 digits";
    if lettered || is_six_or_seven_digits(&urn) { Ok(urn) } else { Err(IdentifierError::Form { expected }) }
}

fn is_six_or_seven_digits(text: &str) -> bool {
    (6..=7).contains(&text.len()) && is_digits(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<AgencyStanding, &'static str> {
        AgencyCode::parse(text).expect("an agency code").check().map_err(IdentifierError::code)
    }

    #[test]
    fn well_formed_codes_pass() {
        for sound in [
            "gss:E06000999",
            "gss:E10000999",
            "gss:W06000001",
            "gss:S12000999",
            "ods:RX1",
            "ods:Z9X",
            "police:32",
            "gias:999001",
            "charity:9990001",
            "charity:999001",
            "charity:SC099999",
            "charity:NIC100002",
            "rsh:L0055",
            "rsh:4689",
            "rsh:LH0014",
            "rsh:45UB",
            "ofsted:EY999999",
            "ofsted:999999",
            "ofsted:2999999",
        ] {
            assert_eq!(check(sound), Ok(AgencyStanding::Sound), "{sound}");
        }
    }

    #[test]
    fn a_district_is_remarked_on_and_an_area_without_an_authority_refused() {
        assert_eq!(check("gss:E07000999"), Ok(AgencyStanding::District));
        for area in ["gss:E12000001", "gss:W05000001", "gss:N09000001"] {
            assert_eq!(check(area), Err("no_childrens_services"), "{area}");
        }
    }

    #[test]
    fn malformed_codes_are_refused_by_their_rule() {
        for (code, rule) in [
            ("gss:E06", "length"),
            ("gss:EE6000999", "form"),
            ("gss:e06000999", "not_normal"),
            ("ods:rx1", "not_normal"),
            ("ods:A234567890", "length"),
            ("police:1", "length"),
            ("police:AB", "characters"),
            ("gias:99900", "length"),
            ("charity:12345", "form"),
            ("charity:SC1234", "form"),
            ("rsh:ABCD", "form"),
            ("rsh:1", "form"),
            ("ofsted:a", "form"),
            ("ofsted:EYE99999", "form"),
        ] {
            assert_eq!(check(code), Err(rule), "{code}");
        }
    }
}
