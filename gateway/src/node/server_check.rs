//! What the servers say of themselves: asked by a request, or at their monitoring addresses.

use async_nats::Client;
use gt_ledger::jetstream::servers::{self, ServerError, ServerReport};
use gt_ledger::jetstream::setup::SetupError;
use serde_json::Value;

use super::NodeError;

/// The longest answer of a monitoring address, in bytes.
const MAX_ANSWER_BYTES: u64 = 4 << 20;

/// A monitoring address does not answer as one.
#[derive(Debug, thiserror::Error)]
#[error("{url} does not answer as the monitoring address of a NATS server: {reason}")]
pub struct MonitorError {
    url: String,
    reason: String,
}

/// Asks every server: at the monitoring addresses if there are any, else by the system subject. `peers` servers keep the stream. Those that do
/// not answer are left out, as long as one does: whether that may be is for [`servers::check`] to say.
pub async fn ask_servers(
    client: &Client,
    system_subject: &str,
    monitors: &[String],
    peers: usize,
) -> Result<Vec<ServerReport>, NodeError> {
    if monitors.is_empty() {
        let asked = servers::ask(client, system_subject, peers).await;
        return Ok(asked.map_err(SetupError::from)?);
    }
    let monitors = monitors.to_vec();
    let asked = tokio::task::spawn_blocking(move || {
        let (mut reports, mut unanswered) = (Vec::new(), None);
        for url in &monitors {
            match ask_monitor(url) {
                Ok(report) => reports.push(report),
                Err(NodeError::Monitor(error)) => {
                    tracing::warn!("{error}");
                    unanswered.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match unanswered {
            Some(error) if reports.is_empty() => Err(error.into()),
            _ => Ok(reports),
        }
    });
    asked.await.map_err(|error| NodeError::Thread(error.to_string()))?
}

fn ask_monitor(url: &str) -> Result<ServerReport, NodeError> {
    let base = url.trim_end_matches('/');
    let get = |path: &str| -> Result<Value, MonitorError> {
        let failed = |reason: String| MonitorError { url: base.to_owned(), reason };
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(std::time::Duration::from_secs(5)))
            .proxy(None)
            .build()
            .into();
        let mut answer =
            agent.get(format!("{base}{path}")).call().map_err(|error| failed(error.to_string()))?;
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
        let body = body.map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&body).map_err(|_| failed("the answer is no JSON".into()))
    };
    let (varz, jsz) = (get("/varz")?, get("/jsz?config=1")?);
    Ok(servers::from_monitor(&varz, &jsz).map_err(|error: ServerError| SetupError::from(error))?)
}
