//! Fetching a log's files from wherever they are served.

use std::error::Error;
use std::time::Duration;

/// How long one file may take.
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);

/// Fetches files below a URL, as `gt_ledger::audit::Fetch` has it.
pub(crate) fn fetcher(
    url: &str,
) -> impl Fn(&str, usize) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> + use<> {
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(FETCH_TIMEOUT));
    let (agent, base) = (ureq::Agent::from(config.build()), url.trim_end_matches('/').to_owned());
    move |path, limit| {
        let mut response = agent.get(format!("{base}/{path}")).call()?;
        match response.status().as_u16() {
            200 => Ok(Some(response.body_mut().with_config().limit(limit as u64 + 1).read_to_vec()?)),
            404 => Ok(None),
            status => Err(format!("status {status}").into()),
        }
    }
}
