//! Epochs of the key-encryption key (`docs/FORMATS.md` section 8): the keyring of the one that comes next, written for other nodes to
//! take, and taken from there.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::assemble::StreamBatch;
use super::keys::SharedKeyring;
use super::message::KeyEpoch;
use super::names::Prefix;
use super::port::{Port, Published};
use super::read::StreamError;
use crate::erasure::Renewing;
use crate::keyring::renewal::name;
use crate::keyring::{Keks, KeyEncryptionKey, Keyring};
use crate::log::SealedEntry;
use crate::sealer::CommitError;

/// The keyring of a later epoch, complete and open.
pub(crate) struct NextKeyring {
    pub(crate) keyring: Keyring,
    /// The bytes of `keyring/shards`, alike on every node.
    pub(crate) shards: Vec<u8>,
    /// The number of the epoch.
    pub(crate) ordinal: u64,
    /// The fingerprint of its key.
    pub(crate) kek: String,
    parts: u64,
    shared: SharedKeyring,
}

/// How long replicas may take to have what was acknowledged.
const READ_BACK_WITHIN: Duration = Duration::from_secs(10);

/// Where buckets are reached.
#[derive(Clone)]
pub(crate) struct Buckets {
    pub(crate) client: async_nats::Client,
    pub(crate) prefix: Prefix,
}

impl Buckets {
    pub(super) fn of(&self, kek: &str, sequence: u64) -> SharedKeyring {
        SharedKeyring::new(self.client.clone(), self.prefix.clone(), kek, sequence)
    }

    /// Whether there is a bucket for this key's keyring in which no epoch has begun.
    pub(crate) async fn is_ready(&self, kek: &str) -> bool {
        let bucket = self.of(kek, 0);
        bucket.stream.info().await.is_ok() && matches!(bucket.shards().await, Ok(None))
    }

    /// Writes down further parts of a keyring in the making. What was read back of it before is then no longer all of it.
    pub(crate) async fn write(&self, renewing: &mut Renewing, parts: Vec<Vec<u8>>) -> Result<(), String> {
        if !parts.is_empty() {
            renewing.ready = None;
        }
        let (shared, name) = (self.of(&renewing.next.epoch(), 0), name(renewing.renewal.shards()));
        for part in parts {
            shared.create_part(&name, renewing.parts, &part).await?;
            renewing.parts += 1;
        }
        Ok(())
    }

    /// Reads the keyring of an epoch. `None` if not all of it shows, or it does not open.
    pub(crate) async fn read(
        &self,
        kek: &KeyEncryptionKey,
        ordinal: u64,
        shards: Vec<u8>,
        through: u64,
    ) -> Result<Option<NextKeyring>, StreamError> {
        let fingerprint = kek.epoch();
        let mut shared = self.of(&fingerprint, 0);
        let contents = shared.contents(&name(&shards)).await?;
        let Some((parts, records)) = contents.filter(|_| shared.sequence >= through) else { return Ok(None) };
        let opened = Keyring::of_parts(kek, &shards, &parts).and_then(|mut keyring| {
            keyring.accept(&records)?;
            Ok(keyring)
        });
        let parts = parts.len() as u64;
        Ok(match opened {
            Ok(keyring) => Some(NextKeyring { keyring, shards, ordinal, kek: fingerprint, parts, shared }),
            Err(error) => {
                tracing::error!(kek = fingerprint, %error, "the keyring of another epoch does not open");
                None
            }
        })
    }

    /// The keyring of an epoch from this one on, under one of these keys. `None` if none of them is of one, or it does not show yet.
    pub(crate) async fn find(
        &self,
        wanted: &KeyEpoch,
        through: u64,
        keks: &Keks,
    ) -> Result<Option<NextKeyring>, StreamError> {
        for kek in keks.all() {
            let fingerprint = kek.epoch();
            let bucket = self.of(&fingerprint, 0);
            if fingerprint == wanted.kek {
                let shards = match &wanted.begins {
                    Some(shards) => Some(shards.clone()),
                    None => bucket.shards().await?,
                };
                let Some(shards) = shards else { continue };
                return self.read(kek, wanted.ordinal, shards, through).await;
            }
            // A node that was away for longer, and has the key of an epoch after that.
            let later = match bucket.placed_shards().await {
                Ok(Some(placed)) => Some((bucket.ordinal(kek).await?, placed)),
                _ => None,
            };
            if let Some((ordinal, (at, shards))) = later.filter(|(ordinal, _)| *ordinal > wanted.ordinal) {
                return self.read(kek, ordinal, shards, at).await;
            }
        }
        Ok(None)
    }
}

impl NextKeyring {
    /// The epoch, as the batch that begins it says it; and the keyring's sequence.
    pub(crate) fn begins(&self) -> (KeyEpoch, u64) {
        let begins = Some(self.shards.clone());
        (KeyEpoch { ordinal: self.ordinal, kek: self.kek.clone(), begins }, self.shared.sequence)
    }
}

impl Port {
    /// The number of the epoch whose keyring the folder has.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Where buckets are reached.
    pub(crate) fn buckets(&self) -> Buckets {
        Buckets { client: self.stream.client.clone(), prefix: self.stream.prefix.clone() }
    }

    /// Looks for the keyring with which an epoch goes on. What cannot be asked is asked again later.
    pub(crate) fn find_keyring(&self, wanted: &KeyEpoch, through: u64, keks: &Keks) -> Option<NextKeyring> {
        let found = self.runtime.block_on(self.buckets().find(wanted, through, keks));
        found.unwrap_or_else(|error| {
            tracing::warn!(%error, "the keyring of the next epoch cannot be read yet");
            None
        })
    }

    /// Reads back a keyring that this node has written down in so many parts: all of it, from a replica that has it.
    pub(crate) fn read_keyring(
        &self,
        kek: &KeyEncryptionKey,
        shards: &[u8],
        parts: u64,
    ) -> Option<NextKeyring> {
        let (buckets, began) = (self.buckets(), Instant::now());
        while began.elapsed() < READ_BACK_WITHIN && !self.closing.load(Ordering::Acquire) {
            let read = buckets.read(kek, self.epoch + 1, shards.to_vec(), 0);
            match self.runtime.block_on(read) {
                Ok(Some(next)) if next.parts == parts => return Some(next),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "what was written of the next keyring cannot be read back");
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// Writes down further parts of a keyring in the making.
    pub(crate) fn write_keyring(&self, renewing: &mut Renewing, parts: Vec<Vec<u8>>) -> Result<(), String> {
        self.runtime.block_on(self.buckets().write(renewing, parts))
    }

    /// Goes on with the keyring of a later epoch, which is in the folder. Keys that were to be written there belong to the one before.
    pub(crate) fn enter(&mut self, shared: NextKeyring) -> Keyring {
        let NextKeyring { keyring, ordinal, kek, shared, .. } = shared;
        self.unwritten.clear();
        self.position.keys = shared.sequence;
        self.position.kek = Some(kek.clone());
        self.keyring = shared;
        (self.epoch, self.kek) = (ordinal, kek);
        self.position.epoch = ordinal;
        keyring
    }

    /// Takes an epoch for begun whose keyring the folder has already: nobody had said so in its bucket where it was read.
    pub(crate) fn is_of(&mut self, epoch: Option<&KeyEpoch>) -> bool {
        let Some(epoch) = epoch.filter(|epoch| epoch.kek == self.kek) else { return false };
        (self.epoch, self.position.epoch) = (epoch.ordinal, epoch.ordinal);
        true
    }

    /// Says in the bucket that the epoch has begun, where a new node finds it. Who cannot write there leaves it to a sealer.
    pub(crate) fn say_epoch(&self, kek: &KeyEncryptionKey, shards: &[u8]) {
        if self.epoch == 0 {
            return;
        }
        if let Err(error) = self.runtime.block_on(self.keyring.create_epoch(kek, self.epoch, shards)) {
            tracing::warn!(%error, "new nodes do not find the keyring yet; the next start of a sealer says it again");
        }
    }

    /// Publishes the batch that begins an epoch, and returns it as every other node reads it. Nothing of it is in the folder then.
    pub(crate) fn begin_epoch(
        &self,
        entries: Vec<SealedEntry>,
        next: &NextKeyring,
    ) -> Result<StreamBatch, CommitError> {
        if !self.ahead.is_empty() {
            return Err(CommitError::Superseded);
        }
        let (epoch, keys) = next.begins();
        let Published { last, name, closing } = self.publish(&entries, keys, Some(epoch))?;
        Ok(StreamBatch { first: last, last, name, entries, closing })
    }

    /// Tells other nodes that this one has come to its epoch.
    pub(crate) fn came_to_epoch(&self, kek: &KeyEncryptionKey) {
        if let Some(saying) = &self.saying {
            saying.came_to(self.epoch, kek);
        }
    }

    /// The fingerprint of the key-encryption key of the folder's keyring.
    pub(crate) fn kek(&self) -> &str {
        &self.kek
    }

    /// Whether this node waits for a key. Then it has nothing to commit with.
    pub(crate) const fn set_waits(&mut self, waits: bool) {
        self.waits = waits;
    }

    /// Has the stream read again from a sequence on.
    pub(crate) fn read_again(&self, from: u64) {
        self.again.store(from, Ordering::Release);
    }
}
