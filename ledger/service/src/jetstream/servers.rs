//! What the servers must be: recent enough, and syncing before they acknowledge.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::Client;
use futures_util::StreamExt;
use serde_json::{Value, json};

/// The oldest server that is good enough: 2.14.0 left torn batches after power cuts.
pub const MINIMUM_VERSION: (u64, u64, u64) = (2, 15, 1);

/// Where the servers are asked about themselves, unless an account has it under another name.
pub const SYSTEM_SUBJECT: &str = "$SYS.REQ.SERVER.PING.JSZ";

/// How long the servers may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a further server may take after the last answer, if it is not known how many there are.
const FURTHER: Duration = Duration::from_millis(500);

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it syncs to disk before it acknowledges (`sync_interval: always`).
    pub syncs_always: bool,
}

/// Why the servers are not good enough.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// One is too old.
    #[error(
        "server {name} is version {version}, and 2.15.1 or later is needed: older ones lost or tore batches after power cuts"
    )]
    TooOld {
        /// Which one.
        name: String,
        /// Its version.
        version: String,
    },
    /// One acknowledges before it syncs.
    #[error(
        "server {name} acknowledges before it syncs: set `sync_interval: always` in its jetstream block, or a power cut loses what was acknowledged"
    )]
    NotSynced {
        /// Which one.
        name: String,
    },
    /// One has said nothing, and is not known to be away.
    #[error(
        "server {name} cannot be asked whether it syncs: start it, or, if it runs, let the account import {SYSTEM_SUBJECT} from the system account, or give --nats-monitor"
    )]
    Silent {
        /// Which one.
        name: String,
    },
    /// None has said anything.
    #[error(
        "no server says whether it syncs: let the account import {SYSTEM_SUBJECT} from the system account (see deploy/nats), or give --nats-monitor"
    )]
    AllSilent,
    /// The answer does not read.
    #[error("what a server said of itself does not read")]
    Malformed,
}

/// A server that keeps the stream, as the stream's leader says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Whether the leader has lost it.
    pub is_away: bool,
}

/// Asks every server by the system subject, until `expected` ones have answered, or nobody more does.
pub async fn ask(client: &Client, subject: &str, expected: usize) -> Result<Vec<ServerReport>, ServerError> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.map_err(|_| ServerError::AllSilent)?;
    let request = json!({"config": true}).to_string();
    client
        .publish_with_reply(subject.to_owned(), inbox, request.into())
        .await
        .map_err(|_| ServerError::AllSilent)?;
    let mut reports = BTreeMap::new();
    while reports.len() < expected.max(1) || expected == 0 {
        let patience = if reports.is_empty() || expected > 0 { PATIENCE } else { FURTHER };
        let Ok(Some(answer)) = tokio::time::timeout(patience, answers.next()).await else { break };
        if answer.payload.is_empty() {
            break;
        }
        let answer: Value = serde_json::from_slice(&answer.payload).map_err(|_| ServerError::Malformed)?;
        let report = report(&answer["server"], &answer["data"])?;
        reports.insert(report.name.clone(), report);
    }
    Ok(reports.into_values().collect())
}

/// What a server's monitoring address says: the answers of `/varz` and `/jsz?config=1`.
pub fn from_monitor(varz: &Value, jsz: &Value) -> Result<ServerReport, ServerError> {
    let server = json!({"name": varz["server_name"], "ver": varz["version"]});
    report(&server, jsz)
}

fn report(server: &Value, jsz: &Value) -> Result<ServerReport, ServerError> {
    let text = |member: &str| server[member].as_str().map(ToOwned::to_owned).ok_or(ServerError::Malformed);
    let syncs_always = jsz["config"]["sync_always"].as_bool().unwrap_or(false);
    Ok(ServerReport { name: text("name")?, version: text("ver")?, syncs_always })
}

/// Checks what the servers said; each of `peers` must have said something. As long as most of them have, one may be away, as a cluster is
/// made for: returns the names of those.
pub fn check<'p>(reports: &[ServerReport], peers: &'p [Peer]) -> Result<Vec<&'p str>, ServerError> {
    if reports.is_empty() {
        return Err(ServerError::AllSilent);
    }
    for ServerReport { name, version, syncs_always } in reports {
        if parse_version(version).is_none_or(|version| version < MINIMUM_VERSION) {
            return Err(ServerError::TooOld { name: name.clone(), version: version.clone() });
        }
        if !syncs_always {
            return Err(ServerError::NotSynced { name: name.clone() });
        }
    }
    let silent = |peer: &&Peer| !reports.iter().any(|report| report.name == peer.name);
    let silent: Vec<&Peer> = peers.iter().filter(silent).collect();
    let most_answered = 2 * silent.len() < peers.len();
    match silent.iter().find(|peer| !(most_answered && peer.is_away)) {
        Some(peer) => Err(ServerError::Silent { name: peer.name.clone() }),
        None => Ok(silent.into_iter().map(|peer| peer.name.as_str()).collect()),
    }
}

/// A version's three numbers. A pre-release counts as the one before.
fn parse_version(text: &str) -> Option<(u64, u64, u64)> {
    let (numbers, pre_release) = match text.split_once('-') {
        Some((numbers, _)) => (numbers, true),
        None => (text, false),
    };
    let mut parts = numbers.trim_start_matches('v').split('.').map(str::parse::<u64>);
    let mut next = || parts.next()?.ok();
    let (major, minor, patch) = (next()?, next()?, next()?);
    if pre_release {
        return patch.checked_sub(1).map(|patch| (major, minor, patch)).or(Some((
            major,
            minor.checked_sub(1)?,
            u64::MAX,
        )));
    }
    Some((major, minor, patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, version: &str, syncs_always: bool) -> ServerReport {
        ServerReport { name: name.into(), version: version.into(), syncs_always }
    }

    #[test]
    fn old_unsynced_and_silent_servers_are_named() {
        let peer = |name: &str, is_away| Peer { name: name.to_owned(), is_away };
        let peers = [peer("n1", false), peer("n2", false)];
        let good = [server("n1", "2.15.1", true), server("n2", "2.16.0", true)];
        assert_eq!(check(&good, &peers).expect("both answered"), [""; 0]);
        assert!(matches!(check(&good[..1], &peers), Err(ServerError::Silent { name }) if name == "n2"));
        assert!(matches!(check(&[], &peers), Err(ServerError::AllSilent)));
        // Of three, one may be away, and none may be silent that is there.
        let of_three = |third| [peer("n1", false), peer("n2", false), peer("n3", third)];
        assert_eq!(check(&good, &of_three(true)).expect("most answered"), ["n3"]);
        assert!(matches!(check(&good, &of_three(false)), Err(ServerError::Silent { name }) if name == "n3"));
        let two_away = [peer("n1", false), peer("n2", true), peer("n3", true)];
        assert!(matches!(check(&good[..1], &two_away), Err(ServerError::Silent { name }) if name == "n2"));
        for old in ["2.15.0", "2.14.9", "1.99.99", "2.15.1-RC.1", "2.15", "", "x.y.z"] {
            assert!(
                matches!(check(&[server("n1", old, true)], &[]), Err(ServerError::TooOld { .. })),
                "{old}"
            );
        }
        for new in ["2.15.1", "v2.15.2", "3.0.0", "2.16.0-beta.1"] {
            assert!(check(&[server("n1", new, true)], &[]).is_ok(), "{new}");
        }
        assert!(matches!(check(&[server("n1", "2.15.1", false)], &[]), Err(ServerError::NotSynced { .. })));
    }
}
