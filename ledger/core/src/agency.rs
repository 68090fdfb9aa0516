//! Agency codes: who signs, and on whose behalf (DESIGN section 2).

use core::borrow::Borrow;
use core::fmt;
use std::sync::Arc;

/// The schemes of agency codes: councils by GSS code, health bodies by ODS code, police forces, schools by URN in GIAS, charities,
/// registered providers of social housing, Ofsted registrations; and `ledger` for the ledger's own publishers.
pub const SCHEMES: [&str; 8] = ["gss", "ods", "police", "gias", "charity", "rsh", "ofsted", "ledger"];

/// The agency code of the registrar.
pub const REGISTRAR: &str = "ledger:registrar";

/// The agency code of the ledger's own service publisher.
pub const SERVICE: &str = "ledger:service";

/// An agency's code, `scheme:code`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgencyCode(Arc<str>);

/// The text is not `scheme:code` with a known scheme and 1–16 ASCII letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an agency code: a scheme (gss, ods, police, gias, charity, rsh, ofsted), a colon, 1–16 letters or digits"
)]
pub struct AgencyCodeError;

impl AgencyCode {
    /// Parses an agency code, the ledger's own included.
    pub fn parse(text: &str) -> Result<Self, AgencyCodeError> {
        if Self::is_one(text) { Ok(Self(text.into())) } else { Err(AgencyCodeError) }
    }

    /// Whether the text is an agency code.
    pub(crate) fn is_one(text: &str) -> bool {
        text.split_once(':').is_some_and(|(scheme, code)| {
            SCHEMES.contains(&scheme)
                && (1..=16).contains(&code.len())
                && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && (scheme != "ledger" || text == REGISTRAR || text == SERVICE)
        })
    }

    /// The code of the registrar.
    pub fn registrar() -> Self {
        Self(REGISTRAR.into())
    }

    /// The code of the ledger's own service publisher.
    pub fn service() -> Self {
        Self(SERVICE.into())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the code belongs to the ledger itself and to no agency.
    pub fn is_ledgers_own(&self) -> bool {
        self.0.starts_with("ledger:")
    }
}

/// So that maps by code can be asked with a text.
impl Borrow<str> for AgencyCode {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_schemes_and_short_codes_only() {
        for text in
            ["gss:E06000005", "ods:RX1", "police:32", "gias:123456", "ledger:registrar", "ledger:service"]
        {
            assert_eq!(AgencyCode::parse(text).map(|c| c.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "gss",
            "gss:",
            "GSS:E06000005",
            "nhs:1",
            "gss:E06 00",
            "gss:12345678901234567",
            "ods:RX1:2",
            "ledger:other",
            "gss:é",
        ] {
            assert_eq!(AgencyCode::parse(text), Err(AgencyCodeError), "{text}");
        }
    }
}
