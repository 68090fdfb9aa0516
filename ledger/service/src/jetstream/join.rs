//! A new node's data folder, made from the stream: the first batch, and the keyring's index and shard keys.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gt_core::Hash;
use gt_core::checkpoint::{CheckpointError, SignedCheckpoint};
use gt_core::note::SignNoteError;

use super::assemble::{Assembled, Assembler, StreamBatch};
use super::keys::SharedKeyring;
use super::names::LEDGER_STREAM;
use super::node::NodeOptions;
use super::port::stream_end;
use super::position::Position;
use super::read::{Stream, StreamError};
use crate::disk::{Disk, Recorder, private_folder};
use crate::keyring::{KeyEncryptionKey, KeyRecord, Keyring, KeyringError, renewal};
use crate::log::{RecoverError, recover};
use crate::secrets::{Secrets, SecretsError};

/// Why a folder cannot be made from the stream.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The folder cannot be written.
    #[error("{folder} cannot be made: {source}")]
    Io {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// There is something else in the folder.
    #[error("{folder} is there already and holds no ledger; a new node takes a new folder")]
    NotEmpty {
        /// The folder.
        folder: String,
    },
    /// The servers cannot be asked.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The stream has no batch.
    #[error(
        "the stream holds no entries yet: `goldenthread nats init --data DIR` fills it from a ledger's folder"
    )]
    Empty,
    /// The shared keyring has no index and shard keys for this key-encryption key.
    #[error("the servers hold no keyring for this key-encryption key: it is another ledger's, or an old one")]
    NoKeyring,
    /// The stream is another ledger's.
    #[error("the stream's entry 0 is not the pinned one: it has the leaf hash {found}")]
    OtherLedger {
        /// The leaf hash of its entry 0.
        found: Hash,
    },
    /// The pin is missing.
    #[error("the secrets hold no pin (ledger.json), by which a new node knows its ledger")]
    NoPin,
    /// The first batch has no checkpoint that holds.
    #[error("the stream's first batch carries no checkpoint that holds")]
    NoCheckpoint,
    /// It cannot be signed.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignNoteError),
    /// The head is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The keyring cannot be written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The folder cannot be prepared.
    #[error(transparent)]
    Recover(#[from] RecoverError),
}

/// Makes the data folder of a new node. Everything else comes in as for every other node.
pub(crate) fn join(
    root: &Path,
    secrets: &Secrets,
    options: &NodeOptions,
    recorder: Option<Arc<dyn Recorder>>,
) -> Result<(), JoinError> {
    let folder = root.display().to_string();
    let failed = |source| JoinError::Io { folder: folder.clone(), source };
    let pinned = secrets.genesis().ok_or(JoinError::NoPin)?;
    let stream = Stream {
        client: options.client.clone(),
        prefix: options.prefix.clone(),
        name: LEDGER_STREAM.to_owned(),
    };
    let batch = options.runtime.block_on(first_batch(&stream))?.ok_or(JoinError::Empty)?;
    let genesis = batch.entries.first().map(|entry| entry.leaf_hash).ok_or(JoinError::Empty)?;
    if genesis != pinned {
        return Err(JoinError::OtherLedger { found: genesis });
    }
    let (_, created) = options.runtime.block_on(stream_end(&stream))?;
    let found = options.runtime.block_on(newest_keyring(secrets, options))?.ok_or(JoinError::NoKeyring)?;
    make_folder(root, &folder)?;
    let mut disk = Disk::new(root, recorder);
    // Before the first entries: whose links they have is worked out from the keys, when the log is read.
    let mut keyring = Keyring::of_parts(found.key, &found.shards, &found.parts)?;
    keyring.accept(&found.added)?;
    keyring.replace(&mut disk, &found.shards)?;
    drop(keyring);
    let mut writer = recover(disk, None)?.writer;
    writer.append(&batch.entries).map_err(failed)?;
    writer.make_durable().map_err(failed)?;
    // Durable before the checkpoint: a folder that has one and follows no stream could be written to alone.
    let position = Position {
        keys: found.sequence,
        kek: Some(found.key.epoch()),
        epoch: found.ordinal,
        ..Position::start(&created)
    };
    position.begin(writer.disk()).map_err(failed)?;
    let head = (writer.size(), writer.root());
    let checkpoint = first_checkpoint(&batch, secrets, head)?;
    writer.publish(&checkpoint).and_then(|()| writer.promote()).map_err(failed)
}

/// The keyring that a new folder begins with.
struct Found<'s> {
    ordinal: u64,
    key: &'s KeyEncryptionKey,
    shards: Vec<u8>,
    parts: Vec<Vec<u8>>,
    added: Vec<KeyRecord>,
    sequence: u64,
}

/// The keyring of the latest epoch of which the secrets have the key.
async fn newest_keyring<'s>(
    secrets: &'s Secrets,
    options: &NodeOptions,
) -> Result<Option<Found<'s>>, StreamError> {
    let (mut newest, mut failed): (Option<Found<'s>>, Option<StreamError>) = (None, None);
    for key in secrets.keks().all() {
        let mut bucket = options.buckets().of(&key.epoch(), 0);
        let (at, shards) = match bucket.placed_shards().await {
            Ok(Some(placed)) => placed,
            Ok(None) => continue,
            // The next key may have no bucket yet, and an old one none any more.
            Err(error) => {
                failed = Some(error);
                continue;
            }
        };
        let ordinal = bucket.ordinal(key).await?;
        if newest.as_ref().is_some_and(|found| found.ordinal > ordinal) {
            continue;
        }
        let Some((parts, added)) = all_of(&mut bucket, &shards, at).await? else { return Ok(None) };
        newest = Some(Found { ordinal, key, shards, parts, added, sequence: bucket.sequence });
    }
    match (newest, failed) {
        (None, Some(error)) => Err(error),
        (newest, _) => Ok(newest),
    }
}

/// The parts and records of a keyring. A replica that does not know of all of them is asked again.
async fn all_of(
    bucket: &mut SharedKeyring,
    shards: &[u8],
    through: u64,
) -> Result<Option<(Vec<Vec<u8>>, Vec<KeyRecord>)>, StreamError> {
    for _ in 0..100 {
        bucket.sequence = 0;
        let contents = bucket.contents(&renewal::name(shards)).await?;
        if contents.is_some() && bucket.sequence >= through {
            return Ok(contents);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(None)
}

/// A folder that an earlier attempt left without a checkpoint is begun anew.
fn make_folder(root: &Path, folder: &str) -> Result<(), JoinError> {
    let failed = |source| JoinError::Io { folder: folder.to_owned(), source };
    if !root.exists() {
        if let Some(above) = root.parent().filter(|above| !above.as_os_str().is_empty()) {
            std::fs::create_dir_all(above).map_err(failed)?;
        }
        return private_folder(root).map_err(failed);
    }
    for item in std::fs::read_dir(root).map_err(failed)? {
        let item = item.map_err(failed)?;
        let name = item.file_name();
        let ours = ["open", "tile", "vault", "keyring", "state"].iter().any(|ours| name == *ours);
        if !ours && name != "checkpoint.new" {
            return Err(JoinError::NotEmpty { folder: folder.to_owned() });
        }
    }
    for ours in ["open", "tile", "vault", "keyring", "state"] {
        match std::fs::remove_dir_all(root.join(ours)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The first batch of a stream, if there is any.
pub(super) async fn first_batch(stream: &Stream) -> Result<Option<StreamBatch>, StreamError> {
    let (mut next, mut assembler) = (1, Assembler::starting_at(1));
    loop {
        let messages = stream.read_whole(next).await?;
        let Some(last) = messages.last() else { return Ok(None) };
        next = last.sequence + 1;
        for message in &messages {
            for assembled in assembler.take(message) {
                if let Assembled::Batch(batch) = assembled
                    && !batch.entries.is_empty()
                {
                    return Ok(Some(*batch));
                }
            }
        }
    }
}

fn first_checkpoint(
    batch: &StreamBatch,
    secrets: &Secrets,
    head: (gt_core::TreeSize, Hash),
) -> Result<SignedCheckpoint, JoinError> {
    let (origin, keys) = secrets.pin();
    if (batch.closing.head.size(), batch.closing.head.root()) != head {
        return Err(JoinError::NoCheckpoint);
    }
    if let Some(carried) = &batch.closing.checkpoint
        && *carried.checkpoint() == batch.closing.head
        && carried.verify(origin, keys).is_ok()
    {
        return Ok(carried.clone());
    }
    match secrets.log_signer() {
        Ok(signer) => Ok(signer.sign(batch.closing.head.clone())?),
        Err(SecretsError::NoCheckpointKey) => Err(JoinError::NoCheckpoint),
        Err(error) => Err(error.into()),
    }
}
