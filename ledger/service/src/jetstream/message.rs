//! What a message of the stream holds: the entry in the clear, its vault record, and on a batch's last message the head.

use base64ct::{Base64, Encoding};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::entry::MAX_ENTRY_BYTES;
use gt_core::tree;

use crate::log::SealedEntry;
use crate::vault::{MAX_RECORD, event_type_of, frame_len};

/// The longest payload: an entry, its vault record and their framing.
pub const MAX_PAYLOAD: usize = 4 + MAX_ENTRY_BYTES + MAX_RECORD;

/// The headers of a message.
pub mod header {
    /// ADR-50: the atomic batch that the message belongs to.
    pub const BATCH_ID: &str = "Nats-Batch-Id";
    /// ADR-50: the message's number in its batch, from 1.
    pub const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
    /// ADR-50: on the last message, `1`.
    pub const BATCH_COMMIT: &str = "Nats-Batch-Commit";
    /// The fence: the stream's last sequence before the batch.
    pub const FENCE: &str = "Nats-Expected-Last-Sequence";
    /// On the first message: the batch's own name, by which its sealer knows it again.
    pub const BATCH: &str = "Gt-Batch";
    /// On the last message: the unsigned tree head after the batch, base64.
    pub const HEAD: &str = "Gt-Head";
    /// On the last message: the keyring's last sequence on which the batch rests.
    pub const KEYS: &str = "Gt-Keys";
    /// On the last message: the newest signed checkpoint that the sealer knows, base64.
    pub const CHECKPOINT: &str = "Gt-Checkpoint";
    /// On the last message, in every epoch of the key-encryption key but the first: ordinal, fingerprint, and the sequence of that
    /// epoch's keyring on which the batch rests.
    pub const KEY_EPOCH: &str = "Gt-Key-Epoch";
    /// On the last message of the batch that begins an epoch: the wrapped index and shard keys, base64.
    pub const SHARDS: &str = "Gt-Shards";
}

/// Where an epoch begins without an entry: a message that has no payload.
pub const KEYS_SUBJECT: &str = "gt.ledger.keys";

/// What [`header::KEYS`] says in every epoch but the first. No bucket gets as far, so a program that knows nothing of epochs waits, and
/// does not take what it has no keys for to be erased.
const KEYS_ELSEWHERE: u64 = u64::MAX;

/// The longest header of wrapped index and shard keys that is looked at: 8,264 bytes have 11,020 characters.
const MAX_SHARDS: usize = 16 * 1024;

/// One epoch of the key-encryption key, later than the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEpoch {
    /// Its number: the first epoch of a stream is 0.
    pub ordinal: u64,
    /// The key's fingerprint, 16 hexadecimal digits.
    pub kek: String,
    /// On the batch that begins it: the wrapped index and shard keys. Whoever has the key knows by them that nobody else wrote them.
    pub begins: Option<Vec<u8>>,
}

/// What the last message of a batch says of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The tree that the batch makes.
    pub head: Checkpoint,
    /// The keyring's last sequence on which the batch rests.
    pub keys: u64,
    /// The epoch of that keyring; none in the first.
    pub epoch: Option<KeyEpoch>,
    /// The newest signed checkpoint that the sealer knew; not verified.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// Why a message is no part of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageFault {
    /// It is longer than any can be.
    #[error("the payload is longer than any entry with its vault record")]
    TooLong,
    /// The framing is not right.
    #[error("the payload is no entry with its vault record")]
    Framing,
    /// The subject is not that of the statement's type.
    #[error("the subject is not that of the statement's type")]
    Subject,
    /// A header is missing or does not read.
    #[error("the header {0} is missing or does not read")]
    Header(&'static str),
    /// It stands in no batch.
    #[error("the message belongs to no batch")]
    NoBatch,
    /// The batch is longer than any can be.
    #[error("the batch is longer than any can be")]
    Unbounded,
    /// The batch was never committed.
    #[error("the batch was never committed")]
    Torn,
}

/// The payload for an entry.
pub fn encode(entry: &SealedEntry) -> Vec<u8> {
    let length = u32::try_from(entry.bytes.len()).expect("entries are short");
    [&length.to_be_bytes(), entry.bytes.as_slice(), &entry.vault].concat()
}

/// The subject for an entry, by its statement's type. `None` if the vault record is not framed as it must be.
pub fn subject(entry: &SealedEntry) -> Option<String> {
    Some(format!("gt.ledger.{}", event_type_of(&entry.vault)?.as_str()))
}

/// Reads a payload. What entry and vault record say is not looked at.
pub fn decode(of: &str, payload: &[u8]) -> Result<SealedEntry, MessageFault> {
    if payload.len() > MAX_PAYLOAD {
        return Err(MessageFault::TooLong);
    }
    let (length, rest) = payload.split_first_chunk::<4>().ok_or(MessageFault::Framing)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (bytes, vault) = rest.split_at_checked(length).ok_or(MessageFault::Framing)?;
    if length > MAX_ENTRY_BYTES || frame_len(vault) != Ok(vault.len()) {
        return Err(MessageFault::Framing);
    }
    let entry =
        SealedEntry { leaf_hash: tree::leaf_hash(bytes), bytes: bytes.to_vec(), vault: vault.to_vec() };
    if subject(&entry).as_deref() == Some(of) { Ok(entry) } else { Err(MessageFault::Subject) }
}

impl Closing {
    /// The headers, by name.
    pub fn to_headers(&self) -> Vec<(&'static str, String)> {
        let base64 = |bytes: &[u8]| Base64::encode_string(bytes);
        let mut headers = vec![(header::HEAD, base64(self.head.to_string().as_bytes()))];
        match &self.epoch {
            None => headers.push((header::KEYS, self.keys.to_string())),
            Some(KeyEpoch { ordinal, kek, begins }) => {
                headers.push((header::KEYS, KEYS_ELSEWHERE.to_string()));
                headers.push((header::KEY_EPOCH, format!("{ordinal} {kek} {}", self.keys)));
                headers.extend(begins.as_ref().map(|shards| (header::SHARDS, base64(shards))));
            }
        }
        let signed = |one: &SignedCheckpoint| (header::CHECKPOINT, base64(one.to_string().as_bytes()));
        headers.extend(self.checkpoint.as_ref().map(signed));
        headers
    }

    /// Reads the headers.
    pub fn parse<'h>(header: impl Fn(&'static str) -> Option<&'h str>) -> Result<Self, MessageFault> {
        let bytes = |value: &str, name| Base64::decode_vec(value).map_err(|_| MessageFault::Header(name));
        let required = |name| header(name).ok_or(MessageFault::Header(name));
        let text = |value: &str, name| {
            String::from_utf8(bytes(value, name)?).map_err(|_| MessageFault::Header(name))
        };
        let head = Checkpoint::parse(&text(required(header::HEAD)?, header::HEAD)?)
            .map_err(|_| MessageFault::Header(header::HEAD))?;
        let mut keys = required(header::KEYS)?.parse().map_err(|_| MessageFault::Header(header::KEYS))?;
        let begins = header(header::SHARDS).map(|value| {
            let value = Some(value).filter(|value| value.len() <= MAX_SHARDS);
            bytes(value.ok_or(MessageFault::Header(header::SHARDS))?, header::SHARDS)
        });
        let mut epoch = None;
        match (header(header::KEY_EPOCH), begins.transpose()?) {
            (None, None) => {}
            (None, Some(_)) => return Err(MessageFault::Header(header::SHARDS)),
            (Some(value), begins) => {
                let (read, of_epoch) =
                    KeyEpoch::parse(value, begins).ok_or(MessageFault::Header(header::KEY_EPOCH))?;
                (epoch, keys) = (Some(read), of_epoch);
            }
        }
        let signed = |value| {
            let text = text(value, header::CHECKPOINT)?;
            SignedCheckpoint::parse(text.as_bytes()).map_err(|_| MessageFault::Header(header::CHECKPOINT))
        };
        Ok(Self { head, keys, epoch, checkpoint: header(header::CHECKPOINT).map(signed).transpose()? })
    }

    /// The number of the epoch.
    pub fn ordinal(&self) -> u64 {
        self.epoch.as_ref().map_or(0, |epoch| epoch.ordinal)
    }
}

impl KeyEpoch {
    /// Reads ordinal, fingerprint and the keyring's sequence, with one space between them.
    fn parse(value: &str, begins: Option<Vec<u8>>) -> Option<(Self, u64)> {
        let mut parts = value.split(' ');
        let (ordinal, kek, keys) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |text: &str| {
            let read = text.parse::<u64>().ok()?;
            (read.to_string() == text).then_some(read)
        };
        let is_fingerprint =
            kek.len() == 16 && kek.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let ordinal = number(ordinal).filter(|ordinal| *ordinal > 0)?;
        (is_fingerprint && parts.next().is_none())
            .then(|| Some((Self { ordinal, kek: kek.to_owned(), begins }, number(keys)?)))?
    }
}

#[cfg(test)]
pub(super) mod tests;
