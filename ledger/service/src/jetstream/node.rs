//! A node's connections: what it needs to open, and what it sends.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::epoch::Buckets;
use super::follow::Following;
use super::keys::SharedKeyring;
use super::names::{ALERT_STREAM, LEDGER_STREAM, Prefix, alert_subject};
use super::port::{Port, stream_end};
use super::position::Position;
use super::read::{Stream, StreamError};
use super::register::Saying;
use crate::disk::Disk;
use crate::keyring::{Keyring, retired};
use crate::layout;
use crate::log::LogReader;
use crate::open::OpenLedgerError;
use crate::sealer::Embedded;
use crate::secrets::Secrets;

/// How a ledger is opened as one node of several.
#[derive(Clone)]
pub struct NodeOptions {
    /// The connection to the servers.
    pub client: Client,
    /// What stands before the operations of the `JetStream` API.
    pub prefix: Prefix,
    /// It follows, and never seals.
    pub only_follows: bool,
    /// The runtime on which the connection lives.
    pub runtime: Handle,
}

/// A message to be published, in its turn.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where to.
    pub subject: String,
    /// Headers, by name.
    pub headers: Vec<(&'static str, String)>,
    /// What.
    pub payload: Bytes,
}

impl NodeOptions {
    pub(crate) fn buckets(&self) -> Buckets {
        Buckets { client: self.client.clone(), prefix: self.prefix.clone() }
    }
}

impl Outgoing {
    /// A message without headers.
    pub fn new(subject: &str, payload: Bytes) -> Self {
        Self { subject: subject.to_owned(), headers: Vec::new(), payload }
    }
}

/// The alerts of one pattern that the stream of alerts still has, oldest first.
pub async fn past_alerts(client: &Client, prefix: &Prefix, pattern: &str) -> Result<Vec<Value>, StreamError> {
    let stream = Stream { client: client.clone(), prefix: prefix.clone(), name: ALERT_STREAM.to_owned() };
    let (subject, mut next, mut alerts) = (alert_subject(pattern), 1, Vec::new());
    loop {
        let messages = stream.read_subject(&subject, next).await?;
        let Some(last) = messages.last() else { return Ok(alerts) };
        next = last.sequence + 1;
        alerts.extend(messages.iter().filter_map(|message| serde_json::from_slice(&message.payload).ok()));
    }
}

/// What is needed besides the data folder.
pub(crate) struct Opening {
    epoch: u64,
    kek: String,
    position: Position,
    keyring: SharedKeyring,
    stream: Stream,
    end: u64,
}

/// What runs beside the writing thread.
pub(crate) struct Started {
    pub(crate) port: Port,
    pub(crate) following: Following,
    pub(crate) outgoing: UnboundedSender<Outgoing>,
    pub(crate) closing: Arc<AtomicBool>,
}

impl Opening {
    /// Finds the folder's place in the stream. `kek` is the fingerprint of the key-encryption key that opened the folder's keyring.
    pub(crate) fn new(
        root: &std::path::Path,
        options: &NodeOptions,
        secrets: &Secrets,
        kek: &str,
    ) -> Result<Self, OpenLedgerError> {
        let stream = Stream {
            client: options.client.clone(),
            prefix: options.prefix.clone(),
            name: LEDGER_STREAM.to_owned(),
        };
        let (end, created) = options.runtime.block_on(stream_end(&stream))?;
        let io = |source| OpenLedgerError::Io { file: layout::position().display().to_string(), source };
        let mut position = Position::read(root, &created).map_err(io)?;
        let mut keyring = options.buckets().of(kek, 0);
        let key = secrets.keks().all().find(|key| key.epoch() == kek);
        let told = match key {
            Some(key) => options.runtime.block_on(keyring.ordinal(key))?,
            None => 0,
        };
        // Nobody may have come to say so in the bucket.
        let noted = if position.kek.as_deref() == Some(kek) { position.epoch } else { 0 };
        let epoch = told.max(retired::epoch(root).map_err(io)?).max(noted);
        position.must_count_records_of(kek, epoch);
        keyring.sequence = position.keys;
        Ok(Self { epoch, kek: kek.to_owned(), position, keyring, stream, end })
    }

    /// Brings the keyring up to the shared one. The folder's own index and shard keys must be the shared ones.
    pub(crate) fn read_keys(
        &mut self,
        root: &std::path::Path,
        options: &NodeOptions,
        keyring: &mut Keyring,
    ) -> Result<Vec<crate::keyring::KeyRecord>, OpenLedgerError> {
        let shared = options.runtime.block_on(self.keyring.shards())?;
        let file = crate::keyring::shards_file();
        let own = std::fs::read(root.join(&file))
            .map_err(|source| OpenLedgerError::Io { file: file.display().to_string(), source })?;
        // Between the beginning of an epoch and a sealer's saying so in the bucket there are none.
        if shared.as_deref().map_or(self.epoch == 0, |shared| shared != own.as_slice()) {
            return Err(OpenLedgerError::OtherKeyring);
        }
        options.runtime.block_on(self.keyring.read_on())?;
        let records = self.keyring.claim();
        keyring.accept(&records)?;
        Ok(records)
    }
}

/// A data folder of a stream's node without the node: something to commit through, and to read what was committed.
pub struct OpenPort {
    /// What commits.
    pub port: Port,
    /// The folder's log.
    pub log: Arc<LogReader>,
    _lock: File,
}

impl Port {
    /// Opens a folder to be committed to without a sealer, as what checks the promises of [`crate::sealer::CommitPort`] does. It does
    /// not follow the stream, so the folder must have caught up with it.
    pub fn open(
        root: &std::path::Path,
        secrets: &Secrets,
        options: &NodeOptions,
    ) -> Result<OpenPort, OpenLedgerError> {
        let mut opened = crate::open::open(root, secrets, Disk::new(root, None))?;
        let mut opening = Opening::new(root, options, secrets, &opened.unfinished.kek)?;
        let new_keys = opening.read_keys(root, options, &mut opened.keyring)?;
        let local = Embedded::new(opened.writer, Arc::clone(&opened.log));
        let started = start(opening, options, local, secrets.pin().0, new_keys, None);
        Ok(OpenPort { port: started.port, log: opened.log, _lock: opened.lock })
    }
}

/// Puts a node's parts together.
pub(crate) fn start(
    mut opening: Opening,
    options: &NodeOptions,
    local: Embedded,
    origin: &str,
    unwritten: Vec<crate::keyring::KeyRecord>,
    saying: Option<Arc<Saying>>,
) -> Started {
    opening.position.must_lie_within(opening.end, local.reader().size());
    let (outgoing, sending) = unbounded_channel();
    options.runtime.spawn(send(options.client.clone(), sending));
    let closing = Arc::new(AtomicBool::new(false));
    let accounted = Arc::new(AtomicU64::new(opening.position.sequence));
    let again = Arc::new(AtomicU64::new(0));
    let newest = Some(local.reader().published().checkpoint.clone());
    let following = Following {
        stream: opening.stream.clone(),
        client: options.client.clone(),
        prefix: options.prefix.clone(),
        accounted: Arc::clone(&accounted),
        again: Arc::clone(&again),
        closing: Arc::clone(&closing),
        end: opening.end,
    };
    let port = Port {
        local,
        stream: opening.stream,
        keyring: opening.keyring,
        runtime: options.runtime.clone(),
        resume: (opening.position.sequence, opening.position.size),
        pending: None,
        position: opening.position,
        origin: origin.to_owned(),
        epoch: opening.epoch,
        kek: opening.kek,
        saying,
        waits: false,
        again: Arc::clone(&again),
        unwritten,
        accounted,
        newest,
        ahead: BTreeMap::new(),
        announced: 0,
        stored: 0,
        outgoing: outgoing.clone(),
        closing: Arc::clone(&closing),
    };
    Started { port, following, outgoing, closing }
}

/// Publishes what is to be published, one after the other on one connection, so that the order holds on the broker too.
async fn send(client: Client, mut sending: UnboundedReceiver<Outgoing>) {
    while let Some(Outgoing { subject, headers, payload }) = sending.recv().await {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, value);
        }
        let sent = if map.is_empty() {
            client.publish(subject, payload).await
        } else {
            client.publish_with_headers(subject, map, payload).await
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "a message could not be sent");
        }
    }
    // What was taken must reach the broker before the process ends.
    if let Err(error) = client.flush().await {
        tracing::warn!(%error, "the last messages may not have been sent");
    }
}
