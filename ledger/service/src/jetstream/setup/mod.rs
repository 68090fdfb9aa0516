//! Making the streams, checking them, and filling an empty one from a folder.

mod configuration;
mod fill;
mod keys;

use std::path::Path;
use std::time::{Duration, Instant};

use async_nats::Client;
use gt_core::Hash;
use serde_json::{Value, json};

pub use configuration::{Difference, Wanted};
pub use fill::Done;
pub use keys::Retired;

use super::join::first_batch;
use super::names::{LEDGER_STREAM, NODE_STREAM, Prefix};
use super::read::{Stream, StreamError};
use super::servers::{self, Peer, ServerError, ServerReport};
use crate::keyring::KeyringError;
use crate::log::{ReadError, RecoverError};
use crate::open::{OpenLedgerError, lock};
use crate::secrets::{Secrets, SecretsError};
use configuration::{compare, configurations};

/// Why the streams cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The servers are not good enough.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The servers cannot be asked.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The streams are not as they must be.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Differs(Vec<Difference>),
    /// The folder does not open.
    #[error(transparent)]
    Open(#[from] Box<OpenLedgerError>),
    /// The folder's log does not recover.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The folder's log does not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The folder's keyring does not read.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The keys are not in order.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The keyring on the servers is another.
    #[error("the servers hold a keyring for this key-encryption key that is not this folder's")]
    OtherKeyring,
    /// The stream's entries are not the folder's.
    #[error("the stream holds another ledger's entries, or others of this ledger: entry {index} differs")]
    OtherEntries {
        /// The first that differs.
        index: u64,
    },
    /// The stream is another ledger's.
    #[error(
        "the stream is another ledger's: its entry 0 has the leaf hash {found}, and the pinned one is {pinned}"
    )]
    OtherLedger {
        /// The leaf hash of its entry 0.
        found: Hash,
        /// The leaf hash of this ledger's entry 0.
        pinned: Hash,
    },
    /// The stream holds more than the folder.
    #[error(
        "the stream holds {stream} entries, and this folder {folder}: it has been in use; start a node on it instead (serve --nats)"
    )]
    StreamAhead {
        /// How many the stream has.
        stream: u64,
        /// How many the folder has.
        folder: u64,
    },
    /// Another key-encryption key is in force.
    #[error("the key-encryption key {given} is not the one in force: ask at a node that has come to it")]
    NotInForce {
        /// The fingerprint of the key that was given.
        given: String,
    },
    /// Something could not be written.
    #[error("{what} could not be written: {reason}")]
    Write {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

/// Whether nothing else has the folder open, asked before anything is made for it: [`Setup::fill`] needs it to itself.
pub fn need_unopened(root: &Path) -> Result<(), SetupError> {
    Ok(lock(root).map(drop).map_err(Box::new)?)
}

/// The server's error where its leader has not heard of enough servers yet.
const NO_PEERS: u64 = 10005;

/// How long servers may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The servers, as something to set up.
#[derive(Clone)]
pub struct Setup {
    /// The connection.
    pub client: Client,
    /// What stands before the operations of the `JetStream` API.
    pub prefix: Prefix,
}

impl Setup {
    fn stream(&self, name: &str) -> Stream {
        Stream { client: self.client.clone(), prefix: self.prefix.clone(), name: name.to_owned() }
    }

    /// Waits until somebody answers for the streams: servers that have just started choose their leaders first.
    pub async fn ready(&self) -> Result<(), StreamError> {
        let began = Instant::now();
        loop {
            let error = match self.stream(LEDGER_STREAM).info().await {
                Ok(_) | Err(StreamError::Refused { code: NO_STREAM, .. }) => return Ok(()),
                Err(error @ StreamError::Malformed { .. }) => return Err(error),
                Err(error) => error,
            };
            if began.elapsed() > READY_WITHIN {
                return Err(error);
            }
            tracing::warn!(%error, "the servers are not ready; asking again");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Waits until the streams can be read: one that has just been made, or whose servers have just started, takes a moment.
    pub async fn readable(&self, epoch: &str) -> Result<(), StreamError> {
        let began = Instant::now();
        for (name, _) in configurations(epoch, None).into_iter().filter(|(name, _)| name != NODE_STREAM) {
            let stream = self.stream(&name);
            while let Err(error) = stream.probe().await {
                if began.elapsed() > READY_WITHIN {
                    return Err(error);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Ok(())
    }

    /// Checks that the stream, if it holds anything, is this ledger's.
    pub async fn is_of(&self, secrets: &Secrets) -> Result<(), SetupError> {
        let Some(pinned) = secrets.genesis() else { return Ok(()) };
        let batch = match first_batch(&self.stream(LEDGER_STREAM)).await {
            Err(StreamError::Unreachable { .. }) => return Ok(()), // There is no such stream yet.
            batch => batch?,
        };
        match batch.as_ref().and_then(|batch| batch.entries.first()) {
            Some(entry) if entry.leaf_hash != pinned => {
                Err(SetupError::OtherLedger { found: entry.leaf_hash, pinned })
            }
            _ => Ok(()),
        }
    }

    /// Says in what the streams differ from what they must be. With `wanted` also in numbers; without, only in what makes them weak.
    pub async fn differences(
        &self,
        epoch: &str,
        wanted: Option<Wanted>,
    ) -> Result<Vec<Difference>, StreamError> {
        let mut differences = Vec::new();
        for (name, config) in configurations(epoch, wanted) {
            match self.stream(&name).info().await {
                Ok(info) => differences.extend(compare(&name, &config, &info["config"])),
                Err(StreamError::Refused { code: NO_STREAM, .. }) => {
                    let (found, wanted) = (Value::Null, Value::Null);
                    differences.push(Difference { stream: name, member: None, found, wanted });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(differences)
    }

    /// Checks servers and streams as a node does before it starts: `reports` is what the servers said of themselves.
    pub async fn check(&self, epoch: &str, reports: &[ServerReport]) -> Result<(), SetupError> {
        let info = self.stream(LEDGER_STREAM).info().await?;
        let peers = peers(&info);
        for away in servers::check(reports, &peers)? {
            tracing::warn!(
                server = away,
                "this server is away, and was not asked whether it syncs; the others keep the stream meanwhile"
            );
        }
        let mut differences = self.differences(epoch, None).await?;
        // Older ledgers have no register. What needs one says so.
        differences.retain(|one| one.stream != NODE_STREAM || one.member.is_some());
        // Three servers can keep three copies; with fewer, the loss of one disk loses what was acknowledged.
        let replicas = info["config"]["num_replicas"].as_u64().unwrap_or(0);
        if reports.len() >= 3 && replicas < 3 {
            let (found, wanted) = (json!(replicas), json!(3));
            let member = Some("num_replicas");
            differences.push(Difference { stream: LEDGER_STREAM.into(), member, found, wanted });
        }
        if differences.is_empty() { Ok(()) } else { Err(SetupError::Differs(differences)) }
    }

    /// How many servers keep the stream of sealed entries, as its leader says.
    pub async fn peers(&self) -> Result<usize, StreamError> {
        Ok(peers(&self.stream(LEDGER_STREAM).info().await?).len())
    }

    async fn create_stream(&self, name: &str, config: &Value) -> Result<(), StreamError> {
        let began = Instant::now();
        loop {
            match self.stream(name).ask("STREAM.CREATE", config).await {
                // To make a stream once more that is there as it should be changes nothing.
                Err(
                    error @ (StreamError::Refused { code: NO_PEERS, .. } | StreamError::Unreachable { .. }),
                ) if began.elapsed() < READY_WITHIN => {
                    tracing::warn!(%error, "the servers have not all found one another, or do not answer; asking again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                answer => return answer.map(|_| ()),
            }
        }
    }

    /// Makes the streams that are missing. Says in what the others differ, and changes nothing about them.
    pub async fn create(&self, epoch: &str, wanted: Wanted) -> Result<Vec<String>, SetupError> {
        let differences = self.differences(epoch, Some(wanted)).await?;
        let (missing, different): (Vec<_>, Vec<_>) =
            differences.into_iter().partition(|difference| difference.member.is_none());
        if !different.is_empty() {
            return Err(SetupError::Differs(different));
        }
        for (name, config) in configurations(epoch, Some(wanted)) {
            if missing.iter().any(|difference| difference.stream == name) {
                self.create_stream(&name, &config).await?;
            }
        }
        Ok(missing.into_iter().map(|difference| difference.stream).collect())
    }
}

/// Servers that keep a stream hear of each other every second.
const AWAY_AFTER: Duration = Duration::from_secs(5);

/// The server's error for a stream that is not there.
const NO_STREAM: u64 = 10059;

fn peers(info: &Value) -> Vec<Peer> {
    // A server without a cluster calls itself by its id here, and by its name elsewhere.
    if info["cluster"]["name"].is_null() {
        return Vec::new();
    }
    let peer = |name: &Value, is_away| Some(Peer { name: name.as_str()?.to_owned(), is_away });
    let leader = peer(&info["cluster"]["leader"], false);
    let replicas = info["cluster"]["replicas"].as_array();
    let others = replicas.into_iter().flatten().filter_map(|replica| {
        // Of a server that was killed `offline` is said minutes later, and of one that led before nothing but that it is not current.
        let [is_current, is_offline] =
            ["current", "offline"].map(|member| replica[member].as_bool().unwrap_or(false));
        let silent_for = Duration::from_nanos(replica["active"].as_u64().unwrap_or(0));
        let is_away = is_offline || !is_current || silent_for > AWAY_AFTER;
        peer(&replica["name"], is_away)
    });
    leader.into_iter().chain(others).collect()
}
