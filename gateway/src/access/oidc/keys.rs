//! A provider's keys: fetched when they are needed, kept, and fetched again when it has rotated them.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use ureq::Agent;

use super::config::{ConfigError, KeySource};

/// How soon after one fetch another may follow, whoever sends whatever.
const LEAST_PAUSE: Duration = Duration::from_mins(1);
/// After this time keys are fetched again, so that one that the provider has withdrawn does not hold for ever.
const REFRESH: Duration = Duration::from_hours(1);
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: u64 = 256 * 1024;

/// A key of the provider.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    /// The one algorithm that it is for, if it says so.
    pub(super) algorithm: Option<Algorithm>,
}

pub(super) struct Keys {
    source: KeySource,
    least_pause: Duration,
    known: Mutex<Known>,
    /// One fetch at a time; the others wait for it and then look again.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    by_kid: HashMap<String, Key>,
    /// When the provider was last asked, whatever came of it.
    asked: Option<Instant>,
}

impl Keys {
    pub(super) fn new(source: KeySource) -> Result<Self, ConfigError> {
        let mut known = Known::default();
        if let KeySource::File(file) = &source {
            let text = fs::read(file).map_err(|source| ConfigError::Io { file: file.clone(), source })?;
            let set = serde_json::from_slice(&text)
                .map_err(|source| ConfigError::Malformed { file: file.clone(), source })?;
            known.by_kid = usable(set);
        }
        let known = Mutex::new(known);
        Ok(Self { source, least_pause: LEAST_PAUSE, known, fetching: tokio::sync::Mutex::default() })
    }

    /// Waits less between fetches, for tests.
    #[cfg(test)]
    pub(super) fn with_least_pause(mut self, pause: Duration) -> Self {
        self.least_pause = pause;
        self
    }

    /// The key of this id. One that is not known may be new.
    pub(super) async fn find(self: &Arc<Self>, kid: String) -> Option<Key> {
        if let Some(url) = self.to_ask(&kid) {
            let _one = self.fetching.lock().await;
            // Whoever was first may have brought it.
            if self.to_ask(&kid).is_some() {
                self.known().asked = Some(Instant::now());
                let fetched = tokio::task::spawn_blocking(move || fetch(&url)).await;
                match fetched {
                    Ok(Ok(set)) => self.known().by_kid = usable(set),
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "the provider's keys cannot be fetched; those that are known hold");
                    }
                    Err(error) => {
                        tracing::error!(%error, "fetching the provider's keys failed");
                    }
                }
            }
        }
        self.known().by_kid.get(&kid).cloned()
    }

    /// Where to ask, if it is time to.
    fn to_ask(&self, kid: &str) -> Option<String> {
        let KeySource::Url(url) = &self.source else { return None };
        let known = self.known();
        let since = known.asked.map(|asked| asked.elapsed());
        let wanted = if known.by_kid.contains_key(kid) { REFRESH } else { self.least_pause };
        since.is_none_or(|since| since >= wanted).then(|| url.clone())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fetch(url: &str) -> Result<JwkSet, ureq::Error> {
    let mut config = Agent::config_builder().max_redirects(0).timeout_global(Some(TIMEOUT));
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    if uri.as_ref().and_then(|uri| uri.host()).is_some_and(crate::client::is_loopback) {
        config = config.proxy(None);
    }
    let mut answer = Agent::from(config.build()).get(url).call()?;
    let bytes = answer.body_mut().with_config().limit(MAX_BYTES).read_to_vec()?;
    serde_json::from_slice(&bytes).map_err(|error| ureq::Error::Io(std::io::Error::other(error)))
}

/// The keys that sign and that have an id. A symmetric one is nobody's public key.
fn usable(set: JwkSet) -> HashMap<String, Key> {
    let mut keys = HashMap::new();
    for jwk in set.keys {
        let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let (Some(kid), Ok(decoding)) = (jwk.common.key_id.clone(), DecodingKey::from_jwk(&jwk)) else {
            continue;
        };
        if !signs || decoding.family() == AlgorithmFamily::Hmac {
            continue;
        }
        let algorithm = match jwk.common.key_algorithm {
            None => None,
            // One that is no algorithm of a signature is not for this.
            Some(named) => match named.to_string().parse() {
                Ok(algorithm) => Some(algorithm),
                Err(_) => continue,
            },
        };
        keys.insert(kid, Key { decoding, algorithm });
    }
    keys
}
