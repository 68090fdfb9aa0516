//! Filling empty streams from a folder, which follows them from then on.

use std::path::Path;
use std::sync::Arc;

use gt_core::checkpoint::Checkpoint;
use gt_core::entry::Entry;
use gt_core::tree::Frontier;
use gt_core::{LeafIndex, TreeSize};

use super::super::assemble::{Assembled, Assembler, MAX_BATCH_MESSAGES};
use super::super::keys::SharedKeyring;
use super::super::message::Closing;
use super::super::names::{CHECKPOINT_SUBJECT, LEDGER_STREAM};
use super::super::port::stream_end;
use super::super::position::Position;
use super::super::publish::{Settled, messages, new_name, publish_settled};
use super::{Setup, SetupError};
use crate::disk::{Disk, Recorder};
use crate::keyring::rekey::journal_file;
use crate::keyring::{self, KeyRecord, Keyring};
use crate::layout::BUNDLE;
use crate::log::{LogReader, Published, SealedEntry, recover};
use crate::open::{Checkpoints, OpenLedgerError, lock};
use crate::secrets::Secrets;

/// The longest batch of an upload, in bytes of payload.
const MAX_UPLOAD_BYTES: usize = 8 << 20;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// Streams that were made.
    pub created: Vec<String>,
    /// Entries that were put into the stream.
    pub uploaded: u64,
    /// Entries that the stream holds.
    pub entries: u64,
}

/// What a stream holds.
struct There {
    created: String,
    sequence: u64,
    entries: u64,
}

impl Setup {
    /// Puts a folder's keyring and entries into the streams, as far as they are not there, and makes the folder one that follows them.
    /// Nothing else may have the folder open.
    pub async fn fill(&self, root: &Path, secrets: &Secrets) -> Result<Done, SetupError> {
        self.fill_recorded(root, secrets, None).await
    }

    /// The same, and whatever changes in the folder is recorded.
    pub async fn fill_recorded(
        &self,
        root: &Path,
        secrets: &Secrets,
        recorder: Option<Arc<dyn Recorder>>,
    ) -> Result<Done, SetupError> {
        let _lock = lock(root).map_err(Box::new)?;
        if root.join(journal_file()).exists() {
            let what = "open the folder once without NATS (goldenthread serve), which completes it";
            return Err(Box::new(OpenLedgerError::Unfinished(what.to_owned())).into());
        }
        let checkpoints = Checkpoints::read(root, secrets).map_err(Box::new)?;
        let keyring = Keyring::open(root, secrets.kek())?;
        let mut disk = Disk::new(root, recorder);
        let signed = checkpoints.put_newest_in_force(&mut disk)?;
        let mut recovered = recover(disk, Some(signed.checkpoint()))?;
        keyring.fold_journal(recovered.writer.disk())?;
        let shared = self.fill_keyring(root, secrets, &keyring).await?;
        let published = Published { checkpoint: signed.clone(), open_tiles: recovered.writer.open_tiles() };
        let log = LogReader::new(root, published);
        let there = self.compare(&log).await?;
        let folder = signed.checkpoint().size().0;
        if there.entries > folder {
            return Err(SetupError::StreamAhead { stream: there.entries, folder });
        }
        let sequence = self.upload(&log, secrets, &there, shared.sequence).await?;
        let payload = signed.to_string().into();
        let sent = async_nats::Request::new().payload(payload);
        self.client
            .send_request(CHECKPOINT_SUBJECT, sent)
            .await
            .map_err(|error| write("the checkpoint", error.to_string()))?;
        let position = Position {
            created: there.created,
            sequence,
            size: folder,
            keys: shared.sequence,
            kek: Some(secrets.kek().epoch()),
            epoch: shared.ordinal(secrets.kek()).await?,
        };
        position
            .begin(recovered.writer.disk())
            .map_err(|error| write("the folder's position", error.to_string()))?;
        Ok(Done { created: Vec::new(), uploaded: folder - there.entries, entries: folder })
    }

    async fn fill_keyring(
        &self,
        root: &Path,
        secrets: &Secrets,
        keyring: &Keyring,
    ) -> Result<SharedKeyring, SetupError> {
        let epoch = secrets.kek().epoch();
        let mut shared = SharedKeyring::new(self.client.clone(), self.prefix.clone(), &epoch, 0);
        let file = keyring::shards_file();
        let own = std::fs::read(root.join(&file)).map_err(|error| write("the keyring", error.to_string()))?;
        match shared.shards().await? {
            Some(there) if there != own => return Err(SetupError::OtherKeyring),
            Some(_) => {}
            None => {
                shared.create_shards(&own).await;
                if shared.shards().await?.as_deref() != Some(own.as_slice()) {
                    return Err(write("the keyring's shard keys", "the servers do not have them".into()));
                }
            }
        }
        shared.read_on().await?;
        let there = shared.claim();
        // In a later epoch its parts are all of it.
        if shared.ordinal(secrets.kek()).await? > 0 {
            return Ok(shared);
        }
        let records: Vec<KeyRecord> = keyring
            .to_records()
            .into_iter()
            .filter(|record| !there.iter().any(|there| there.name == record.name))
            .collect();
        if !records.is_empty() {
            shared.create(records).await.map_err(|error| write("the keyring", error.to_string()))?;
        }
        Ok(shared)
    }

    /// Reads what the stream holds; it must be what the folder holds.
    async fn compare(&self, log: &LogReader) -> Result<There, SetupError> {
        let stream = self.stream(LEDGER_STREAM);
        let (end, created) = stream_end(&stream).await?;
        let (mut next, mut assembler) = (1, Assembler::starting_at(1));
        let mut there = There { created, sequence: end, entries: 0 };
        loop {
            let messages = stream.read_whole(next).await?;
            let Some(last) = messages.last() else { break };
            next = last.sequence + 1;
            there.sequence = there.sequence.max(last.sequence);
            for assembled in messages.iter().flat_map(|message| assembler.take(message)) {
                let Assembled::Batch(batch) = assembled else { continue };
                // One that begins elsewhere is void.
                let first = batch.entries.first().and_then(|entry| Entry::parse(&entry.bytes).ok());
                if first.is_none_or(|entry| entry.index.0 != there.entries) {
                    continue;
                }
                for entry in &batch.entries {
                    let index = there.entries;
                    if log.size().contains(LeafIndex(index))
                        && log.entry_bytes(LeafIndex(index))? != entry.bytes
                    {
                        return Err(SetupError::OtherEntries { index });
                    }
                    there.entries += 1;
                }
            }
        }
        Ok(there)
    }

    async fn upload(
        &self,
        log: &LogReader,
        secrets: &Secrets,
        there: &There,
        keys: u64,
    ) -> Result<u64, SetupError> {
        let (stream, signer) = (self.stream(LEDGER_STREAM), secrets.log_signer()?);
        let (mut at, mut fence, mut frontier) = (0, there.sequence, Frontier::new());
        let (size, mut batch, mut bytes) = (log.size().0, Vec::new(), 0);
        let closing = std::sync::atomic::AtomicBool::new(false);
        while at < size {
            for (entry, vault) in log.entries_and_vault(LeafIndex(at), BUNDLE)? {
                let entry_bytes = entry.to_bytes();
                let leaf_hash = gt_core::tree::leaf_hash(&entry_bytes);
                frontier.push(leaf_hash);
                at += 1;
                if at <= there.entries {
                    continue;
                }
                bytes += entry_bytes.len() + vault.len();
                batch.push(SealedEntry { bytes: entry_bytes, leaf_hash, vault });
                let full = batch.len() as u64 == MAX_BATCH_MESSAGES || bytes >= MAX_UPLOAD_BYTES;
                if !full && at < size {
                    continue;
                }
                let head = Checkpoint::new(secrets.pin().0, TreeSize(at), frontier.root())
                    .map_err(|error| write("a batch", error.to_string()))?;
                let checkpoint =
                    signer.sign(head.clone()).map_err(|error| write("a batch", error.to_string()))?;
                let messages =
                    messages(&batch, &Closing { head, keys, epoch: None, checkpoint: Some(checkpoint) });
                match publish_settled(&stream, &new_name(), &messages, fence, &closing).await {
                    Settled::Committed(last) => fence = last,
                    other => return Err(write("a batch", format!("{other:?}"))),
                }
                (batch, bytes) = (Vec::new(), 0);
            }
        }
        Ok(fence)
    }
}

fn write(what: &'static str, reason: String) -> SetupError {
    SetupError::Write { what, reason }
}
