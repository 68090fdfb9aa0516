//! Who may see what, and the record of who saw it (DOMAIN section 8).
//!
//! - [`policy`] is the one table: every route, every role.
//! - `gate` stands before every route: it asks for a token, looks at the table, and lets an answer about people go out only once the read is
//!   sealed. No handler can forget it, for the router puts it there.
//! - `scope` says which records a reader sees of those that a route has; `visible` says it of each kind of row.
//! - [`token`] are the tokens that a ledger issues itself.
//! - [`oidc`] checks those of an `OpenID` Connect provider.
//! - `recorder` seals `record.accessed` and `access.approved` under the ledger's own service key.
//! - `break_glass` keeps what waits for a second person's approval.

pub(crate) mod break_glass;
mod gate;
pub mod oidc;
mod pass;
pub mod policy;
pub mod reader;
pub(crate) mod recorder;
mod scope;
pub mod token;
mod visible;

use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use gt_core::key::PrivateKey;
use gt_ledger::Ledger;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::secrets::{SecretsAt, SecretsError, file};

pub(crate) use gate::gate;
pub(crate) use pass::{Accessed, MaybePass, Pass, SealedBefore};
pub(crate) use policy::Cell;
pub(crate) use scope::{Scope, outside, outside_counts, reader_of, restricted};
pub(crate) use visible::Visible;

use crate::http::Cursors;
use crate::node::Forwarder;
use crate::problem::Problem;
use break_glass::Requests;
use oidc::{ConfigError, Oidc};
use reader::Reader;
use recorder::Recorder;
use token::{TokenAuthority, TokenError, TokenRefused};

/// What decides on access, in one place for all requests.
pub struct Access {
    tokens: Option<TokenAuthority>,
    oidc: Option<Oidc>,
    pub(crate) recorder: Recorder,
    pub(crate) requests: Requests,
    pub(crate) cursors: Cursors,
}

/// The keys that access needs: both may be missing, and then nobody is let in, or nothing can be recorded and so nothing read.
pub(crate) struct AccessKeys {
    tokens: Option<TokenAuthority>,
    oidc: Option<Oidc>,
    service: Option<PrivateKey>,
}

/// The keys do not read.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The key for tokens, or a list beside it.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The provider's configuration.
    #[error(transparent)]
    Oidc(#[from] ConfigError),
    /// The service key.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl AccessKeys {
    pub(crate) fn load(at: &SecretsAt, oidc: Option<&Path>) -> Result<Self, AccessError> {
        let oidc = oidc.map(Oidc::load).transpose()?;
        let tokens = TokenAuthority::load_if_there(&at.folder, &at.keys)?;
        if tokens.is_none() && oidc.is_none() {
            tracing::warn!(
                "there is no token.jwk among the secrets: nobody can read; `goldenthread token issue` makes it"
            );
        }
        let service = at.keys.read_ed25519_if_there(&at.folder.join(file::SERVICE))?;
        if service.is_none() {
            tracing::warn!(
                "there is no service.jwk among the secrets: reads cannot be recorded, so nothing about people is answered"
            );
        }
        Ok(Self { tokens, oidc, service })
    }

    /// Starts the recorder on this runtime.
    pub(crate) fn start(self, ledger: &Arc<Ledger>, forward: Option<Forwarder>) -> Access {
        Access {
            cursors: Cursors::under(self.service.as_ref()),
            tokens: self.tokens,
            oidc: self.oidc,
            recorder: Recorder::start(Arc::clone(ledger), forward, self.service),
            requests: Requests::default(),
        }
    }
}

impl Access {
    /// Who sends the request, by its token.
    async fn reader(&self, headers: &HeaderMap) -> Result<Reader, Problem> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let missing = "this is about people: send a token as `Authorization: Bearer …`; `goldenthread token issue` makes one";
        let value =
            all.next().ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "token_missing", missing))?;
        let refused = |refused: TokenRefused| {
            let status = match refused {
                TokenRefused::NoRole => StatusCode::FORBIDDEN,
                TokenRefused::CannotTell => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::UNAUTHORIZED,
            };
            Problem::new(status, refused.code(), refused.to_string())
        };
        let token = value.to_str().ok().and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") && all.next().is_none());
        let (_, token) = token.ok_or_else(|| refused(TokenRefused::NotOurs))?;
        let (token, now) = (token.trim(), now_seconds());
        let checked = match (&self.tokens, &self.oidc) {
            (Some(tokens), _) if tokens.claims(token) => tokens.verify(token, now),
            (_, Some(oidc)) => oidc.verify(token, now).await,
            (Some(_) | None, None) => Err(TokenRefused::NotOurs),
        };
        checked.map_err(refused)
    }

    /// Whether a reader who was let in before still would be.
    pub(crate) fn still_good(&self, reader: &Reader) -> bool {
        // A provider's tokens are short-lived; what it takes back it does not tell.
        let unrevoked = reader.token.starts_with(oidc::ID_PREFIX)
            || self.tokens.as_ref().is_some_and(|tokens| tokens.still_good(&reader.token).is_ok());
        unrevoked && reader.expires_at > now_seconds()
    }
}

/// The time by this machine's clock, in seconds since the Unix epoch.
pub(crate) fn now_seconds() -> i64 {
    SystemClock::default().wall_millis() / 1000
}
