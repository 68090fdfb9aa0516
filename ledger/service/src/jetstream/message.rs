//! What a message of the stream holds: the entry in the clear, its vault record, and on a batch's last message the head.

use base64ct::{Base64, Encoding};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::entry::MAX_ENTRY_BYTES;
use gt_core::tree;

use crate::log::SealedEntry;
use crate::vault::{MAX_BODY, event_type_of, frame_len};

/// The longest payload: an entry, its vault record and their framing.
pub const MAX_PAYLOAD: usize = 4 + MAX_ENTRY_BYTES + 4 + MAX_BODY + 32;

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
}

/// What the last message of a batch says of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The tree that the batch makes.
    pub head: Checkpoint,
    /// The keyring's last sequence on which the batch rests.
    pub keys: u64,
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
    /// The headers' values: head, keys and checkpoint.
    pub fn to_headers(&self) -> (String, String, Option<String>) {
        let head = Base64::encode_string(self.head.to_string().as_bytes());
        let checkpoint =
            self.checkpoint.as_ref().map(|one| Base64::encode_string(one.to_string().as_bytes()));
        (head, self.keys.to_string(), checkpoint)
    }

    /// Reads the headers' values.
    pub fn parse(head: &str, keys: &str, checkpoint: Option<&str>) -> Result<Self, MessageFault> {
        let text = |value: &str, name| {
            let bytes = Base64::decode_vec(value).map_err(|_| MessageFault::Header(name))?;
            String::from_utf8(bytes).map_err(|_| MessageFault::Header(name))
        };
        let head =
            Checkpoint::parse(&text(head, header::HEAD)?).map_err(|_| MessageFault::Header(header::HEAD))?;
        let keys = keys.parse().map_err(|_| MessageFault::Header(header::KEYS))?;
        let signed = |value| {
            let text = text(value, header::CHECKPOINT)?;
            SignedCheckpoint::parse(text.as_bytes()).map_err(|_| MessageFault::Header(header::CHECKPOINT))
        };
        Ok(Self { head, keys, checkpoint: checkpoint.map(signed).transpose()? })
    }
}

#[cfg(test)]
pub(super) mod tests;
