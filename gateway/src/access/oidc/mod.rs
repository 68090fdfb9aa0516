//! Tokens of an `OpenID` Connect provider, in production: who issues them, for whom, and under which algorithms stands in a file, and never in
//! the token.

mod config;
mod keys;
mod provider;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use gt_core::agency::AgencyCode;
use gt_core::{Hash, base64url};
use gt_ledger::record::OwnerId;
use jsonwebtoken::{Algorithm, TokenData, Validation, decode, decode_header};
use serde_json::{Map, Value};

pub use config::{ConfigError, OidcConfig};

use super::reader::{MAX_CHILDREN, Reader};
use super::token::TokenRefused;
use keys::{Key, Keys};

/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 60;
/// What stands before the id of a token that somebody else has issued.
pub(super) const ID_PREFIX: &str = "oidc:";

/// Checks the tokens of one provider.
pub struct Oidc {
    config: OidcConfig,
    keys: Arc<Keys>,
}

impl Oidc {
    /// Reads the configuration, and the keys if they are in a file. A provider that is asked over HTTP is asked when its first token comes.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        provider::install();
        let config = OidcConfig::load(file)?;
        let keys = Arc::new(Keys::new(config.source.clone())?);
        Ok(Self { config, keys })
    }

    /// Checks a token. `now` is in seconds since the Unix epoch.
    pub async fn verify(&self, token: &str, now: i64) -> Result<Reader, TokenRefused> {
        let refused = TokenRefused::NotOurs;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refused);
        }
        let header = decode_header(token).map_err(|_| refused)?;
        if !self.config.algorithms.contains(&header.alg) {
            return Err(refused);
        }
        let kid = header.kid.ok_or(refused)?;
        let key = self.keys.find(kid).await.ok_or(refused)?;
        let claims = self.claims(token, &key, header.alg)?;
        self.reader(token, &claims, now)
    }

    fn claims(
        &self,
        token: &str,
        key: &Key,
        algorithm: Algorithm,
    ) -> Result<Map<String, Value>, TokenRefused> {
        // A key signs as it says, or else under any allowed algorithm of its family.
        if key.algorithm.is_some_and(|only| only != algorithm) || key.decoding.family() != algorithm.family()
        {
            return Err(TokenRefused::NotOurs);
        }
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let read: Result<TokenData<Map<String, Value>>, _> = decode(token, &key.decoding, &validation);
        read.map(|data| data.claims).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenRefused::Expired,
            jsonwebtoken::errors::ErrorKind::ImmatureSignature => TokenRefused::NotYet,
            _ => TokenRefused::NotOurs,
        })
    }

    fn reader(&self, token: &str, claims: &Map<String, Value>, now: i64) -> Result<Reader, TokenRefused> {
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let refused = TokenRefused::NotOurs;
        let roles: BTreeSet<&str> = texts(claims.get(&self.config.role_claim));
        let known: BTreeSet<_> = roles.iter().filter_map(|role| self.config.roles.get(*role)).collect();
        // Of two roles neither is chosen: whoever has both asks for a token with one.
        let [role] = known.into_iter().copied().collect::<Vec<_>>()[..] else {
            return Err(TokenRefused::NoRole);
        };
        let agency = match self.config.agency_claim.as_deref().and_then(|name| claims.get(name)) {
            // Whoever is bound to an agency is not let in unbound because the provider says it in another form.
            Some(claim) if super::reader::may_name_agency(role) => {
                Some(only_text(claim).and_then(|name| self.agency(name)).ok_or(TokenRefused::NoRole)?)
            }
            _ => None,
        };
        let named: BTreeSet<&str> = match self.config.children_claim.as_deref() {
            Some(claim) if super::reader::of_named(role) => texts(claims.get(claim)),
            _ => BTreeSet::new(),
        };
        if named.len() > MAX_CHILDREN {
            return Err(refused);
        }
        let issued_at = number("iat").ok_or(refused)?;
        if issued_at > now + LEEWAY.cast_signed() {
            return Err(TokenRefused::NotYet);
        }
        let id = Hash::of(token.as_bytes());
        let reader = Reader {
            subject: text(&self.config.subject_claim).ok_or(refused)?.to_owned(),
            role,
            agency,
            children: named.into_iter().map(OwnerId::parse).collect::<Option<_>>().ok_or(refused)?,
            purposes: Vec::new(),
            issued_at,
            // The provider's clock may be behind.
            expires_at: number("exp").ok_or(refused)?.saturating_add(LEEWAY.cast_signed()),
            token: format!("{ID_PREFIX}{}", base64url::encode(&id.as_bytes()[..16])),
        };
        reader.check().map_err(|_| TokenRefused::NoRole)?;
        Ok(reader)
    }

    fn agency(&self, name: &str) -> Option<AgencyCode> {
        match self.config.agencies.get(name) {
            Some(agency) => Some(agency.clone()),
            None if self.config.agencies.is_empty() => AgencyCode::parse(name).ok(),
            None => None,
        }
    }
}

/// A claim's text, which some providers write as a list of one.
fn only_text(claim: &Value) -> Option<&str> {
    match claim {
        Value::Array(all) => {
            if let [only] = &all[..] {
                only.as_str()
            } else {
                None
            }
        }
        one => one.as_str(),
    }
}

/// A claim's text, or its texts.
fn texts(claim: Option<&Value>) -> BTreeSet<&str> {
    match claim {
        Some(Value::String(text)) => BTreeSet::from([text.as_str()]),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests;
