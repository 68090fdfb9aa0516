//! What only somebody with the provisioner's rights can do: publish past the sealer, and change streams.

use std::time::Duration;

use async_nats::HeaderMap;
use gt_core::Hash;
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::entry::Entry;
use gt_core::key::PrivateKey;
use gt_core::note::NoteSigner;
use gt_core::statement::EventType;
use gt_core::tree::{self, Frontier};
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::jetstream::message::{Closing, KEYS_SUBJECT, encode, header, subject};
use gt_ledger::log::{LogReader, SealedEntry};
use gt_ledger::vault::{StatementBlob, VaultRecord};
use serde_json::{Value, json};

use super::{Broker, WANTED};
use crate::partnership::ORIGIN;

/// A message, as a client of NATS publishes it.
#[derive(Clone)]
pub(crate) struct RawMessage {
    pub(crate) subject: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Vec<u8>,
}

impl RawMessage {
    pub(crate) fn of(entry: &SealedEntry) -> Self {
        Self { subject: subject(entry).expect("framed"), headers: Vec::new(), payload: encode(entry) }
    }

    /// What begins an epoch of the key-encryption key without an entry, but for its closing.
    pub(crate) fn of_keys(name: &str) -> Self {
        let headers = vec![(header::BATCH, name.to_owned())];
        Self { subject: KEYS_SUBJECT.to_owned(), headers, payload: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Without the headers by which a server knows an atomic batch: it stores each message as it comes. See `Proxy::unmasking`.
    pub(crate) fn masked(mut self) -> Self {
        for (name, _) in &mut self.headers {
            *name = match *name {
                header::BATCH_ID => "Xats-Batch-Id",
                header::BATCH_SEQUENCE => "Xats-Batch-Sequence",
                header::BATCH_COMMIT => "Xats-Batch-Commit",
                name => name,
            };
        }
        self
    }

    pub(crate) fn closing(mut self, closing: &Closing) -> Self {
        self.headers.extend(closing.to_headers());
        self
    }
}

/// Messages that make one batch: a plain message, or an atomic batch of the server's.
pub(crate) fn batch(name: &str, entries: &[SealedEntry], closing: &Closing) -> Vec<RawMessage> {
    let mut messages: Vec<RawMessage> = entries.iter().map(RawMessage::of).collect();
    let count = messages.len();
    for (at, message) in (1..).zip(&mut messages) {
        if at == 1 {
            message.headers.push((header::BATCH, name.to_owned()));
        }
        if count > 1 {
            message.headers.push((header::BATCH_ID, format!("{name}.raw")));
            message.headers.push((header::BATCH_SEQUENCE, at.to_string()));
        }
    }
    let mut last = messages.pop().expect("a batch has a message").closing(closing);
    if count > 1 {
        last = last.with(header::BATCH_COMMIT, "1");
    }
    messages.push(last);
    messages
}

/// Entries that follow a log as its sealer would chain them, but for statements that nobody signed.
pub(crate) fn entries_after(log: &LogReader, count: u64, salt: &str) -> Vec<SealedEntry> {
    let size = log.size().0;
    let (last, vault) = log.entries_and_vault(LeafIndex(size - 1), 1).expect("reads").remove(0);
    let (record, _) = VaultRecord::decode(&vault, &last.leaf_hash()).expect("a record");
    let registry = last.registry + u64::from(record.event_type.is_ledgers_own());
    let mut prev = last.leaf_hash();
    (size..size + count)
        .map(|index| {
            let text = format!("{salt} {index}");
            let statement = Hash::of(text.as_bytes());
            let entry = Entry {
                index: LeafIndex(index),
                prev,
                received_at: last.received_at,
                registry,
                links: Vec::new(),
                statement,
            };
            let sealed = sealed(&entry, text.as_bytes());
            prev = sealed.leaf_hash;
            sealed
        })
        .collect()
}

/// An entry with a vault record of a publisher that is nobody.
pub(crate) fn sealed(entry: &Entry, text: &[u8]) -> SealedEntry {
    let bytes = entry.to_bytes();
    let leaf_hash = tree::leaf_hash(&bytes);
    let record = VaultRecord {
        publisher: Hash::of(b"nobody"),
        seq: entry.index.0,
        event_type: EventType::parse("missing.started").expect("a type"),
        statement: StatementBlob::Open(text.to_vec()),
        disclosures: Vec::new(),
    };
    SealedEntry { bytes, leaf_hash, vault: record.encode(&leaf_hash) }
}

/// The tree of a log, worked out from its entries.
pub(crate) fn tree_of(log: &LogReader) -> Frontier {
    let mut tree = Frontier::new();
    for index in 0..log.size().0 {
        tree.push(tree::leaf_hash(&log.entry_bytes(LeafIndex(index)).expect("reads")));
    }
    tree
}

/// The tree that these entries make of a log.
pub(crate) fn head_after(log: &LogReader, entries: &[SealedEntry]) -> Checkpoint {
    let mut tree = tree_of(log);
    for entry in entries {
        tree.push(entry.leaf_hash);
    }
    Checkpoint::new(ORIGIN, tree.size(), tree.root()).expect("sound")
}

/// A closing without a signed checkpoint, that rests on no keys.
pub(crate) fn closing(head: Checkpoint) -> Closing {
    Closing { head, keys: 0, epoch: None, checkpoint: None }
}

impl Broker {
    /// Publishes messages one after the other, and waits for the last one's acknowledgement: its sequence.
    pub(crate) fn publish(&self, messages: &[RawMessage]) -> u64 {
        let client = self.client();
        let (last, before) = messages.split_last().expect("there is a message");
        self.runtime.block_on(async {
            for message in before {
                let (subject, payload) = (message.subject.clone(), message.payload.clone().into());
                client.publish_with_headers(subject, map(message), payload).await.expect("published");
            }
            let request = async_nats::Request::new().headers(map(last)).payload(last.payload.clone().into());
            let answer = client.send_request(last.subject.clone(), request).await.expect("answered");
            let answer: Value = serde_json::from_slice(&answer.payload).expect("JSON");
            answer["seq"].as_u64().filter(|seq| *seq > 0).unwrap_or_else(|| panic!("{answer}"))
        })
    }

    /// Asks the API; a refusal is an error.
    pub(crate) fn api(&self, operation: &str, request: &Value) -> Result<Value, String> {
        let client = self.client();
        let request = async_nats::Request::new()
            .payload(request.to_string().into())
            .timeout(Some(Duration::from_secs(20)));
        let answer = self
            .runtime
            .block_on(client.send_request(format!("$JS.API.{operation}"), request))
            .map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_slice(&answer.payload).expect("JSON");
        if answer["error"].is_null() { Ok(answer) } else { Err(answer["error"].to_string()) }
    }

    /// Changes members of a stream's configuration.
    pub(crate) fn update_stream(&self, stream: &str, changes: &Value) {
        let mut config = self.stream_info(stream)["config"].clone();
        for (member, value) in changes.as_object().expect("an object") {
            config[member] = value.clone();
        }
        self.api(&format!("STREAM.UPDATE.{stream}"), &config).expect("updated");
    }

    pub(crate) fn stream_info(&self, stream: &str) -> Value {
        self.api(&format!("STREAM.INFO.{stream}"), &json!({})).expect("there is one")
    }

    /// The stream's last sequence.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.stream_info("LEDGER")["state"]["last_seq"].as_u64().expect("a number")
    }

    /// Deletes the stream of sealed entries and makes it anew, without what keeps its messages.
    pub(crate) fn recreate_stream(&self) {
        let config = self.stream_info("LEDGER")["config"].clone();
        self.api("STREAM.DELETE.LEDGER", &json!({})).expect("deleted");
        self.api("STREAM.CREATE.LEDGER", &config).expect("made");
    }

    /// Deletes the stream of checkpoints and makes it anew: nobody knows what was signed.
    pub(crate) fn forget_checkpoints(&self) {
        self.delete_checkpoints();
        self.make_streams();
    }

    /// Deletes the stream of checkpoints: what is published from here on is kept by nobody.
    pub(crate) fn delete_checkpoints(&self) {
        self.api("STREAM.DELETE.CHECKPOINT", &json!({})).expect("deleted");
    }

    /// Makes the streams that there are not.
    pub(crate) fn make_streams(&self) {
        self.runtime.block_on(self.setup().create(&self.epoch(), WANTED)).expect("made anew");
    }

    /// Every message of the stream, as it could be published again.
    pub(crate) fn messages(&self) -> Vec<RawMessage> {
        let client = self.client();
        let last = self.last_sequence();
        let message = async |sequence: u64| {
            let request = json!({"seq": sequence}).to_string();
            let subject = "$JS.API.DIRECT.GET.LEDGER";
            let message = client.request(subject, request.into()).await.expect("answered");
            let headers = message.headers.unwrap_or_default();
            let known = [
                header::BATCH,
                header::BATCH_ID,
                header::BATCH_SEQUENCE,
                header::BATCH_COMMIT,
                header::HEAD,
                header::KEYS,
                header::CHECKPOINT,
            ];
            RawMessage {
                subject: headers.get("Nats-Subject").expect("named").as_str().to_owned(),
                headers: known
                    .into_iter()
                    .filter_map(|name| Some((name, headers.get(name)?.as_str().to_owned())))
                    .collect(),
                payload: message.payload.to_vec(),
            }
        };
        self.runtime.block_on(async {
            let mut messages = Vec::new();
            for sequence in 1..=last {
                messages.push(message(sequence).await);
            }
            messages
        })
    }

    /// Publishes a checkpoint on the broker.
    pub(crate) fn publish_checkpoint(&self, checkpoint: &SignedCheckpoint) {
        let payload = checkpoint.to_string().into_bytes();
        self.publish(&[RawMessage { subject: "gt.checkpoint".into(), headers: Vec::new(), payload }]);
    }

    /// A checkpoint that the ledger's own keys sign.
    pub(crate) fn sign(&self, size: u64, root: Hash) -> SignedCheckpoint {
        let head = Checkpoint::new(ORIGIN, TreeSize(size), root).expect("sound");
        self.home.secrets().log_signer().expect("keys").sign(head).expect("signed")
    }
}

/// A checkpoint of the ledger's origin that this key signs.
pub(crate) fn sign(key: &PrivateKey, size: u64, root: Hash) -> SignedCheckpoint {
    let head = Checkpoint::new(ORIGIN, TreeSize(size), root).expect("sound");
    let signer = NoteSigner::new(ORIGIN, &key.to_seed()).expect("a key");
    SignedCheckpoint::sign(head, &[&signer]).expect("signed")
}

fn map(message: &RawMessage) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &message.headers {
        map.insert(*name, value.as_str());
    }
    map
}
