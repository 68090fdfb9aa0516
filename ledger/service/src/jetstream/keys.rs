//! The keyring that nodes share: a key-value bucket in which a record is written once (DESIGN section 6).

use bytes::Bytes;

use super::assemble::StoredMessage;
use super::message::MessageFault;
use super::names::{Prefix, keyring_bucket, keyring_stream};
use super::publish::{Attempt, OutgoingMessage, new_name, publish_atomically};
use super::read::{Stream, StreamError};
use crate::keyring::renewal::{self, wrapped_ordinal};
use crate::keyring::{KeyEncryptionKey, KeyRecord};
use crate::sealer::CommitError;

/// The name of the record that holds the wrapped index and shard keys.
pub(super) const SHARDS: &str = "shards";

/// The name of the record that holds the number of the epoch; there is none in the first.
const EPOCH: &str = "epoch";

/// Create if absent: that this subject has no message yet.
const ABSENT: (&str, &str) = ("Nats-Expected-Last-Subject-Sequence", "0");

/// How often other sealers may be first before this one gives up for now.
const ATTEMPTS: u32 = 50;

/// The most records of one atomic publish.
const MAX_RECORDS: usize = 1000;

/// The bucket, and how far it has been read.
pub(super) struct SharedKeyring {
    pub(super) stream: Stream,
    bucket: String,
    /// The bucket's sequence up to which every record was read or written.
    pub(super) sequence: u64,
    /// Records up to there that nobody has been given yet.
    unclaimed: Vec<KeyRecord>,
}

impl SharedKeyring {
    pub(super) fn new(client: async_nats::Client, prefix: Prefix, epoch: &str, sequence: u64) -> Self {
        let stream = Stream { client, prefix, name: keyring_stream(epoch) };
        Self { stream, bucket: keyring_bucket(epoch), sequence, unclaimed: Vec::new() }
    }

    /// Writes new records, unless another node has written them: then its records are returned instead.
    pub(super) async fn create(&mut self, proposed: Vec<KeyRecord>) -> Result<Vec<KeyRecord>, CommitError> {
        for part in proposed.chunks(MAX_RECORDS) {
            self.create_some(part.to_vec()).await?;
        }
        Ok(self.claim())
    }

    /// What was read or written and not given out yet. After a failure it waits here, since it is not read a second time.
    pub(super) fn claim(&mut self) -> Vec<KeyRecord> {
        std::mem::take(&mut self.unclaimed)
    }

    /// Whether everything up to [`Self::sequence`] has been given out.
    pub(super) const fn is_claimed(&self) -> bool {
        self.unclaimed.is_empty()
    }

    async fn create_some(&mut self, mut missing: Vec<KeyRecord>) -> Result<(), CommitError> {
        for attempt in 0..ATTEMPTS {
            missing.retain(|record| !self.unclaimed.iter().any(|there| there.name == record.name));
            if missing.is_empty() {
                return Ok(());
            }
            let messages: Vec<OutgoingMessage> = missing.iter().map(|record| self.message(record)).collect();
            let id = format!("{}.{attempt}", new_name());
            match publish_atomically(&self.stream, &id, &messages, &[]).await {
                Attempt::Acknowledged(last) if last == self.sequence + messages.len() as u64 => {
                    self.sequence = last;
                    self.unclaimed.extend(missing);
                    return Ok(());
                }
                Attempt::Acknowledged(_) | Attempt::FenceBroken | Attempt::Refused(_) => {}
                Attempt::Unknown(reason) => tracing::warn!(reason, "new keys may be written or not"),
            }
            // Whatever there is by now holds, whoever wrote it.
            self.read_on().await.map_err(|error| CommitError::Refused(error.to_string()))?;
            tokio::time::sleep(std::time::Duration::from_millis(10 * u64::from(attempt))).await;
        }
        Err(CommitError::Refused("new owners' keys cannot be written to the shared keyring".into()))
    }

    fn message(&self, record: &KeyRecord) -> OutgoingMessage {
        OutgoingMessage {
            subject: format!("$KV.{}.{}", self.bucket, record.name),
            headers: vec![(ABSENT.0, ABSENT.1.to_owned())],
            payload: Bytes::from(record.bytes.clone()),
        }
    }

    /// Writes the wrapped index and shard keys, if there are none.
    pub(super) async fn create_shards(&self, wrapped: &[u8]) -> Attempt {
        let record = KeyRecord { name: SHARDS.into(), bytes: wrapped.to_vec() };
        publish_atomically(&self.stream, "", &[self.message(&record)], &[]).await
    }

    /// The wrapped index and shard keys.
    pub(super) async fn shards(&self) -> Result<Option<Vec<u8>>, StreamError> {
        self.value(SHARDS).await
    }

    /// The same with their sequence: every part of the keyring that they open has a lower one.
    pub(super) async fn placed_shards(&self) -> Result<Option<(u64, Vec<u8>)>, StreamError> {
        let there = self.stream.last_of(&format!("$KV.{}.{SHARDS}", self.bucket)).await?;
        Ok(there.map(|message| (message.sequence, message.payload)))
    }

    /// The number of the epoch. What somebody wrote who does not have the key is the first one's: nothing rests on it.
    pub(super) async fn ordinal(&self, kek: &KeyEncryptionKey) -> Result<u64, StreamError> {
        let wrapped = self.value(EPOCH).await?;
        Ok(wrapped.and_then(|wrapped| renewal::ordinal(kek, &wrapped)).unwrap_or(0))
    }

    /// Says that this epoch has begun, unless somebody has.
    pub(super) async fn create_epoch(
        &self,
        kek: &KeyEncryptionKey,
        ordinal: u64,
        shards: &[u8],
    ) -> Result<(), StreamError> {
        let record = |name: &str, bytes: Vec<u8>| self.message(&KeyRecord { name: name.into(), bytes });
        let records = [record(EPOCH, wrapped_ordinal(kek, ordinal)), record(SHARDS, shards.to_vec())];
        let id = new_name();
        let attempt = publish_atomically(&self.stream, &id, &records, &[]).await;
        match self.shards().await? {
            Some(there) if there == shards => Ok(()),
            _ => Err(StreamError::Unreachable {
                stream: self.stream.name.clone(),
                operation: "PUBLISH",
                reason: format!("what begins an epoch is not stored ({attempt:?})"),
            }),
        }
    }

    /// Writes one part of a keyring that is in the making. One that is there already is the same.
    pub(super) async fn create_part(&self, keyring: &str, at: u64, part: &[u8]) -> Result<(), String> {
        let record = KeyRecord { name: format!("s.{keyring}.{at}"), bytes: part.to_vec() };
        let mut last = String::new();
        for attempt in 0..ATTEMPTS / 10 {
            match publish_atomically(&self.stream, "", &[self.message(&record)], &[]).await {
                Attempt::Acknowledged(_) | Attempt::FenceBroken => return Ok(()),
                Attempt::Refused(reason) | Attempt::Unknown(reason) => last = reason,
            }
            tokio::time::sleep(std::time::Duration::from_millis(100 * u64::from(attempt))).await;
        }
        Err(last)
    }

    /// Everything that the bucket has of one keyring: its parts, and the records that were added since. `None` if a part is missing.
    pub(super) async fn contents(
        &mut self,
        keyring: &str,
    ) -> Result<Option<(Vec<Vec<u8>>, Vec<KeyRecord>)>, StreamError> {
        let (mut parts, of_part) = (Vec::new(), format!("s.{keyring}."));
        let mut records = Vec::new();
        loop {
            let messages = self.stream.read_whole(self.sequence + 1).await?;
            let Some(last) = messages.last() else { return Ok(Some((parts, records))) };
            self.sequence = last.sequence;
            for message in messages {
                let Some(name) = self.name_of(&message.subject).map(ToOwned::to_owned) else { continue };
                if is_of_owner(&name) {
                    records.push(KeyRecord { name, bytes: message.payload });
                } else if let Some(at) = name.strip_prefix(&of_part) {
                    if at != parts.len().to_string() {
                        return Ok(None);
                    }
                    parts.push(message.payload);
                }
            }
        }
    }

    fn name_of<'s>(&self, subject: &'s str) -> Option<&'s str> {
        let rest = subject.strip_prefix("$KV.")?.strip_prefix(self.bucket.as_str())?;
        rest.strip_prefix('.')
    }

    async fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StreamError> {
        let subject = format!("$KV.{}.{name}", self.bucket);
        Ok(self.stream.last_of(&subject).await?.map(|message| message.payload))
    }

    /// Reads on to the bucket's end. What it brings is to be claimed. A record is written once, and none goes before the whole stream does: so
    /// one that is missing is missing in the replica that answered, and owners would pass for erased without it.
    pub(super) async fn read_on(&mut self) -> Result<(), StreamError> {
        loop {
            let messages = self.stream.read_whole(self.sequence + 1).await?;
            let Some(last) = messages.last() else { return Ok(()) };
            self.sequence = last.sequence;
            for message in messages {
                match self.record(message) {
                    Ok(Some(record)) => self.unclaimed.push(record),
                    Ok(None) => {}
                    Err(fault) => tracing::error!(%fault, "the shared keyring holds what is no key record"),
                }
            }
        }
    }

    /// Parts of a keyring were taken when its epoch began.
    fn record(&self, message: StoredMessage) -> Result<Option<KeyRecord>, MessageFault> {
        let name = self.name_of(&message.subject).ok_or(MessageFault::Subject)?;
        Ok(is_of_owner(name).then(|| KeyRecord { name: name.to_owned(), bytes: message.payload }))
    }
}

fn is_of_owner(name: &str) -> bool {
    name.starts_with("o.") || name.starts_with("a.")
}
