//! Bearer tokens for reading people's data: a local file of hashes, made by `init`. A token is shown once and kept nowhere.

use std::fs;
use std::path::{Path, PathBuf};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use gt_core::{Hash, base64url};
use gt_ledger::secrets::{SecretsError, write_secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::http::App;
use crate::problem::Problem;

/// The name of the token file in the secrets folder.
pub const FILE: &str = "tokens.json";

const PREFIX: &str = "gt_";

/// The tokens that are good for reading.
#[derive(Debug, Default, Clone)]
pub struct Tokens(Vec<TokenEntry>);

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    name: String,
    sha256: String,
}

/// The token file does not read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no token file.
    #[error("{} is no list of names and hashes of tokens", .0.display())]
    Malformed(PathBuf),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] SecretsError),
}

/// Proof that the request came with a good token. A handler that reads people's data takes it as an argument, so that
/// none can be written that forgets to ask.
pub struct Reader {
    /// The name of the token that was used.
    pub name: String,
}

impl Tokens {
    /// Makes the token file with one token, which is returned and kept nowhere.
    pub fn create(secrets: &Path, name: &str) -> Result<Zeroizing<String>, TokenError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
        let token = Zeroizing::new(format!("{PREFIX}{}", base64url::encode(bytes.as_slice())));
        let entry = TokenEntry { name: name.to_owned(), sha256: hash(&token).to_string() };
        let text = serde_json::to_string_pretty(&[entry]).expect("two strings serialise");
        write_secret(&secrets.join(FILE), &text)?;
        Ok(token)
    }

    /// Reads the token file.
    pub fn load(secrets: &Path) -> Result<Self, TokenError> {
        let file = secrets.join(FILE);
        let text =
            fs::read_to_string(&file).map_err(|source| TokenError::Io { file: file.clone(), source })?;
        let entries: Vec<TokenEntry> =
            serde_json::from_str(&text).map_err(|_| TokenError::Malformed(file.clone()))?;
        if entries.iter().any(|entry| Hash::parse(&entry.sha256).is_err()) {
            return Err(TokenError::Malformed(file));
        }
        Ok(Self(entries))
    }

    /// The name of the token, if it is a good one. What is compared are hashes, so the time it takes says nothing about the token.
    fn name_of(&self, token: &str) -> Option<String> {
        let hash = hash(token).to_string();
        self.0.iter().find(|entry| entry.sha256 == hash).map(|entry| entry.name.clone())
    }
}

fn hash(token: &str) -> Hash {
    Hash::of_parts(&[b"gt/token/1\0", token.as_bytes()])
}

impl FromRequestParts<App> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let missing = "this is about people: send a token as `Authorization: Bearer gt_…`; `goldenthread init` printed one";
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "token_missing", missing))?;
        let refused = || {
            Problem::new(StatusCode::UNAUTHORIZED, "token_refused", "the token is not one of this ledger's")
        };
        app.tokens.name_of(token.trim()).map(|name| Self { name }).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let token = Tokens::create(folder.path(), "analyst").expect("made");
        let text = fs::read_to_string(folder.path().join(FILE)).expect("readable");
        assert!(!text.contains(token.as_str()));
        let tokens = Tokens::load(folder.path()).expect("reads");
        assert_eq!(tokens.name_of(&token).as_deref(), Some("analyst"));
        assert_eq!(tokens.name_of("gt_other"), None);
        assert!(Tokens::create(folder.path(), "analyst").is_err(), "never overwritten");
    }
}
