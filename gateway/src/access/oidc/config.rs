//! The file that says whose tokens are taken.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gt_core::agency::AgencyCode;
use gt_schemas::AccessRole;
use jsonwebtoken::Algorithm;
use serde::Deserialize;

use crate::access::reader::role_named;
use crate::client::is_loopback;

/// The algorithms that there are to choose from. None of them is symmetric.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("EdDSA", Algorithm::EdDSA),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
];

/// Whose tokens are taken, and what their claims mean here.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// The provider, exactly as its tokens name it.
    pub issuer: String,
    /// For whom its tokens must be.
    pub audience: String,
    /// Where its keys are.
    pub source: KeySource,
    /// The algorithms that are taken.
    pub algorithms: Vec<Algorithm>,
    /// The claim with the name that is sealed with each read.
    pub subject_claim: String,
    /// The claim with the provider's roles or groups.
    pub role_claim: String,
    /// The role that each of those stands for.
    pub roles: BTreeMap<String, AccessRole>,
    /// The claim with the agency.
    pub agency_claim: Option<String>,
    /// The agency that each of its values stands for; with none the values are codes.
    pub agencies: BTreeMap<String, AgencyCode>,
    /// The claim with the opaque references of children.
    pub children_claim: Option<String>,
}

/// Where a provider's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// At this address.
    Url(String),
    /// In this file, which is read once.
    File(PathBuf),
}

/// The file does not read, or does not make sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no such file.
    #[error("{}: {source}", .file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A member makes no sense.
    #[error("{}: {member} must be {expected}", .file.display())]
    Member {
        /// Which file.
        file: PathBuf,
        /// Which member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    issuer: String,
    audience: String,
    jwks_url: Option<String>,
    jwks_file: Option<PathBuf>,
    algorithms: Vec<String>,
    subject_claim: Option<String>,
    role_claim: String,
    roles: BTreeMap<String, String>,
    agency_claim: Option<String>,
    #[serde(default)]
    agencies: BTreeMap<String, String>,
    children_claim: Option<String>,
}

impl OidcConfig {
    /// Reads the file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let owned = || file.to_owned();
        let text = fs::read_to_string(file).map_err(|source| ConfigError::Io { file: owned(), source })?;
        let written: Written =
            serde_json::from_str(&text).map_err(|source| ConfigError::Malformed { file: owned(), source })?;
        let wrong = |member, expected| ConfigError::Member { file: owned(), member, expected };
        let source = match (written.jwks_url, written.jwks_file) {
            (Some(url), None) if is_safe(&url) => KeySource::Url(url),
            (Some(_), None) => return Err(wrong("jwks_url", "an https address, or http on this machine")),
            (None, Some(path)) => KeySource::File(path),
            _ => return Err(wrong("jwks_url", "there, or else jwks_file, and not both")),
        };
        let algorithm =
            |name: &String| ALGORITHMS.iter().find(|(known, _)| known == name).map(|(_, one)| *one);
        let algorithms: Option<Vec<Algorithm>> = written.algorithms.iter().map(algorithm).collect();
        let role = |(name, role): (String, String)| Some((name, role_named(&role)?));
        let roles: Option<BTreeMap<_, _>> = written.roles.into_iter().map(role).collect();
        let agency = |(name, code): (String, String)| Some((name, AgencyCode::parse(&code).ok()?));
        let agencies: Option<BTreeMap<_, _>> = written.agencies.into_iter().map(agency).collect();
        if written.issuer.is_empty() || written.audience.is_empty() {
            return Err(wrong("issuer and audience", "as the provider writes them, not empty"));
        }
        Ok(Self {
            issuer: written.issuer,
            audience: written.audience,
            source,
            algorithms: algorithms.filter(|all| !all.is_empty()).ok_or_else(|| {
                wrong("algorithms", "a list of EdDSA, ES256, ES384, RS256, RS384, RS512, PS256, PS384, PS512")
            })?,
            subject_claim: written.subject_claim.unwrap_or_else(|| "sub".to_owned()),
            role_claim: written.role_claim,
            roles: roles.filter(|all| !all.is_empty()).ok_or_else(|| {
                wrong("roles", "an object whose values are roles, like mash or data-protection-officer")
            })?,
            agency_claim: written.agency_claim,
            agencies: agencies
                .ok_or_else(|| wrong("agencies", "an object whose values are agencies' codes"))?,
            children_claim: written.children_claim,
        })
    }
}

/// Keys that came in the clear over a network are anybody's.
fn is_safe(url: &str) -> bool {
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return false };
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(is_loopback),
        _ => false,
    }
}
