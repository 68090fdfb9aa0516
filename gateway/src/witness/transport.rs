use std::time::Duration;

use gt_ledger::witness::{Reply, Transport, TransportError};
use ureq::Agent;
use ureq::http::Uri;

use crate::client::is_loopback;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a witness may take for an answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Reaches witnesses over HTTP, on connections that are kept alive.
pub struct HttpTransport {
    direct: Agent,
    proxied: Agent,
}

impl HttpTransport {
    /// Proxies from the environment are used, but not for the loopback address.
    pub fn new() -> Self {
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .timeout_connect(Some(CONNECT_TIMEOUT))
                .timeout_global(Some(CALL_TIMEOUT))
        };
        Self { direct: config().proxy(None).build().into(), proxied: config().build().into() }
    }
}

impl Default for HttpTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for HttpTransport {
    fn send(&self, url: &str, body: Option<&[u8]>, limit: usize) -> Result<Reply, TransportError> {
        let uri: Uri = url.parse()?;
        let agent = if uri.host().is_some_and(is_loopback) { &self.direct } else { &self.proxied };
        let answer = match body {
            Some(body) => agent.post(url).content_type("application/octet-stream").send(body),
            None => agent.get(url).call(),
        };
        let mut answer = answer?;
        // A body that is longer is an error of its own, so what is read is whole.
        let body = answer.body_mut().with_config().limit(limit as u64 + 1).read_to_vec()?;
        Ok(Reply { status: answer.status().as_u16(), body })
    }
}
