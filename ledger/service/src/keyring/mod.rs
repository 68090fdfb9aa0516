//! The keyring: each owner's link key and, for each agency, a data key and a record key (DESIGN section 6).
//!
//! 256 shards, each under a shard key of its own, those wrapped by the key-encryption key that lives outside the data folder.
//! New records go to one journal, so that a batch with new owners costs one sync and not one for each shard; start-up folds the
//! journal into the shards. Destroying keys is rewriting a shard under a new shard key and re-wrapping under a new key-encryption key.

mod escrow;
pub(crate) mod journal;
mod proposals;
mod records;
pub(crate) mod rekey;
pub(crate) mod renewal;
pub(crate) mod retired;
mod source;
pub(crate) mod switch;
pub(crate) mod wrap;

pub use crate::key_command::{CommandError, KeyCommand};
pub use escrow::{EscrowError, KekShare, MAX_SHARES};
pub use proposals::{KeyRecord, Proposals};
pub use rekey::RotateError;
pub use retired::{ConfirmError, Confirmed, RetiredKek};
pub use source::{KekError, KekSource, Keks};
pub use wrap::KeyEncryptionKey;
pub(crate) use wrap::{kek_from_jwk, kek_to_jwk};

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::link::LinkKey;
use gt_core::statement::Owner;
use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::disk::{Disk, read_if_there};
use crate::random;
use crate::record::ContextId;
use records::Taken;
use rekey::Names;
use wrap::{Wrapped, unwrap, wrap};

const SHARDS: usize = 256;
const SHARDS_AT_A_TIME: usize = 16;
const MAX_RECORD: usize = 4096;
/// So many records are worth opening on all cores.
const MANY_RECORDS: usize = 32;

/// An owner's name in the keyring: HMAC(index key, pseudonym). Its first byte is the shard.
pub type OwnerTag = [u8; 32];

/// The keyring, open.
pub struct Keyring {
    index_key: Zeroizing<[u8; 32]>,
    shard_keys: Vec<Zeroizing<[u8; 32]>>,
    owners: HashMap<OwnerTag, OwnerKeys>,
}

/// What the keyring holds of one owner.
pub struct OwnerKeys {
    /// Who it is; `None` once what was disclosed about the owner is erased, and only records are left.
    pub owner: Option<Owner>,
    /// The key of its links.
    pub link: LinkKey,
    /// Few: a map for each of many owners would be most of the keyring's memory.
    agencies: Vec<(AgencyCode, AgencyKeys)>,
}

/// The keys of one owner for one agency.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AgencyKeys {
    /// Encrypts disclosures.
    pub data: [u8; 32],
    /// Encrypts statements whose primary owner this is.
    pub record: [u8; 32],
}

/// Why the keyring does not open, or takes no new keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The files cannot be read or written.
    #[error("the keyring's file {file}: {source}")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The key-encryption key is not the one that wrapped this keyring.
    #[error("the key-encryption key does not open this keyring: it is another ledger's, or an old one")]
    WrongKey,
    /// A record does not open under its shard's key.
    #[error("the keyring's file {file} is damaged at byte {at}")]
    Damaged {
        /// Which file.
        file: String,
        /// Where.
        at: usize,
    },
}

/// The wrapped index and shard keys, which nodes that share a keyring have alike.
pub(crate) fn shards_file() -> PathBuf {
    PathBuf::from("keyring/shards")
}

fn journal_file() -> PathBuf {
    PathBuf::from("keyring/journal")
}

fn torn_file() -> PathBuf {
    PathBuf::from("keyring/torn")
}

fn shard_file(shard: usize) -> PathBuf {
    PathBuf::from(format!("keyring/{shard:02x}"))
}

impl Keyring {
    /// Makes the keyring of a new ledger.
    pub fn create(disk: &mut Disk, kek: &KeyEncryptionKey) -> Result<Self, KeyringError> {
        let index_key = random::key();
        let shard_keys: Vec<_> = (0..SHARDS).map(|_| random::key()).collect();
        let keyring = Self { index_key, shard_keys, owners: HashMap::new() };
        disk.replace(&shards_file(), &keyring.wrapped(kek, &keyring.shard_keys))
            .map_err(io_error(&shards_file()))?;
        Ok(keyring)
    }

    /// The index key and shard keys, wrapped.
    fn wrapped(&self, kek: &KeyEncryptionKey, shard_keys: &[Zeroizing<[u8; 32]>]) -> Vec<u8> {
        let mut plain = Zeroizing::new(Vec::with_capacity(32 * (SHARDS + 1)));
        plain.extend_from_slice(self.index_key.as_slice());
        for key in shard_keys {
            plain.extend_from_slice(key.as_slice());
        }
        wrap(kek.key(), b"gt/keyring/1/shards", &plain).0
    }

    /// Opens the keyring for reading. A torn record at the journal's end is passed over: whatever rested on it was never sealed.
    pub fn open(root: &Path, kek: &KeyEncryptionKey) -> Result<Self, KeyringError> {
        let read = |file: &Path| read_if_there(&root.join(file)).map_err(io_error(file));
        let wrapped = read(&shards_file())?
            .ok_or_else(|| io_error(&shards_file())(io::Error::from(io::ErrorKind::NotFound)))?;
        let mut keyring = Self::of_shards(kek, &wrapped)?;
        let names = Names::under(root, kek).map_err(io_error(&rekey::journal_file()))?;
        // Some at a time: what is unwrapped and not yet taken is in memory twice.
        for first in (0..SHARDS).step_by(SHARDS_AT_A_TIME) {
            let shards = first..first + SHARDS_AT_A_TIME;
            let opened: Result<Vec<Vec<Opened>>, KeyringError> = shards
                .clone()
                .into_par_iter()
                .map(|shard| {
                    let file = names.of(root, shard);
                    read(&file)?.map_or_else(|| Ok(Vec::new()), |bytes| keyring.read(&file, &bytes))
                })
                .collect();
            for (shard, records) in shards.zip(opened?) {
                keyring.put(&names.of(root, shard), records)?;
            }
        }
        if let Some(bytes) = read(&journal_file())? {
            let batches = journal::read(&bytes);
            if batches.damaged {
                return Err(damaged(&journal_file(), batches.end));
            }
            for records in batches.records {
                keyring.load(&journal_file(), records)?;
            }
        }
        Ok(keyring)
    }

    /// Folds the journal into the shards. A crash in between leaves records in both, and they are the same records.
    ///
    /// What a power cut left of an unfinished batch is set aside in `keyring/torn`: nothing sealed rests on it.
    pub fn fold_journal(&self, disk: &mut Disk) -> Result<(), KeyringError> {
        let journal = journal_file();
        let bytes =
            read_if_there(&disk.root().join(&journal)).map_err(io_error(&journal))?.unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        let batches = journal::read(&bytes);
        let mut by_shard: HashMap<usize, Vec<u8>> = HashMap::new();
        for record in batches.records.iter().flat_map(|records| Wrapped::split(records)) {
            by_shard.entry(record.1.shard.into()).or_default().extend_from_slice(record.1.bytes);
        }
        for (shard, added) in by_shard {
            let file = shard_file(shard);
            let mut whole =
                read_if_there(&disk.root().join(&file)).map_err(io_error(&file))?.unwrap_or_default();
            whole.extend_from_slice(&added);
            disk.replace(&file, &whole).map_err(io_error(&file))?;
        }
        if batches.end < bytes.len() {
            let torn = torn_file();
            disk.append(&torn, &bytes[batches.end..])
                .and_then(|()| disk.sync(&torn))
                .map_err(io_error(&torn))?;
        }
        disk.cut(&journal, 0).map_err(io_error(&journal))
    }

    /// The tag under which an owner is found.
    pub fn tag(&self, owner: &Owner) -> OwnerTag {
        self.mac(b"owner\0", owner.key_text().as_bytes())
    }

    /// The opaque id of a place or other context.
    pub fn context_id(&self, reference: &str) -> ContextId {
        let mac = self.mac(b"context\0", reference.as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&mac[..16]);
        ContextId::from_bytes(first)
    }

    /// An owner's keys.
    pub fn owner(&self, tag: &OwnerTag) -> Option<&OwnerKeys> {
        self.owners.get(tag)
    }

    /// All owners.
    pub fn owners(&self) -> impl Iterator<Item = (&OwnerTag, &OwnerKeys)> {
        self.owners.iter()
    }

    /// Proposes what is missing of an owner's keys for an agency. The keys count once [`Self::accept`] has taken them, and must be
    /// durable before anything rests on them ([`Self::persist`]).
    pub fn propose(&self, owner: &Owner, agency: &AgencyCode, proposed: &mut Proposals) {
        self.propose_for(&self.tag(owner), owner, agency, proposed);
    }

    /// The same for an owner whose tag is known.
    pub(crate) fn propose_for(
        &self,
        tag: &OwnerTag,
        owner: &Owner,
        agency: &AgencyCode,
        proposed: &mut Proposals,
    ) {
        let held = self.owners.get(tag);
        if held.is_none() {
            let new = || self.owner_record(tag, owner, &LinkKey::from_bytes(*random::key()));
            proposed.add(owner_name(tag), new);
        }
        if held.is_none_or(|keys| keys.agency(agency).is_none()) {
            let new = || {
                let keys = AgencyKeys { data: *random::key(), record: *random::key() };
                self.agency_record(tag, agency, &keys)
            };
            proposed.add(self.agency_name(tag, agency), new);
        }
    }

    fn agency_name(&self, tag: &OwnerTag, agency: &AgencyCode) -> String {
        let opaque = self.mac(b"agency\0", &[tag.as_slice(), agency.as_str().as_bytes()].concat());
        format!("a.{}", base64url::encode(&opaque))
    }

    /// Makes what is missing of an owner's keys for an agency, for a keyring that nobody shares; `new` gets the records.
    pub fn ensure(&mut self, owner: &Owner, agency: &AgencyCode, new: &mut Vec<KeyRecord>) -> OwnerTag {
        let mut proposed = Proposals::default();
        self.propose(owner, agency, &mut proposed);
        let records = proposed.into_records();
        self.accept(&records).expect("records that this keyring framed open under its own keys");
        new.extend(records);
        self.tag(owner)
    }

    /// Takes records of this keyring, whoever made them, in their order; what is held already stays as it is. Returns whose they are.
    pub fn accept(&mut self, records: &[KeyRecord]) -> Result<Vec<OwnerTag>, KeyringError> {
        let tags: Result<Vec<_>, _> =
            records.iter().map(|record| self.load(Path::new(&record.name), &record.bytes)).collect();
        Ok(tags?.concat())
    }

    /// Makes new records durable.
    pub fn persist(disk: &mut Disk, new: &[KeyRecord]) -> Result<(), KeyringError> {
        if new.is_empty() {
            return Ok(());
        }
        let records: Vec<u8> = new.iter().flat_map(|record| record.bytes.iter().copied()).collect();
        let journal = journal_file();
        disk.append(&journal, &journal::frame(&records))
            .and_then(|()| disk.sync(&journal))
            .map_err(io_error(&journal))
    }

    fn mac(&self, domain: &[u8], text: &[u8]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.index_key.as_slice()).expect("HMAC takes keys of any length");
        mac.update(domain);
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    fn load(&mut self, file: &Path, bytes: &[u8]) -> Result<Vec<OwnerTag>, KeyringError> {
        let records = self.read(file, bytes)?;
        self.put(file, records)
    }

    /// Unwraps records, and takes none of them yet.
    fn read(&self, file: &Path, bytes: &[u8]) -> Result<Vec<Opened>, KeyringError> {
        let records: Vec<_> = Wrapped::split(bytes).collect();
        let open = |(at, record): &(usize, Wrapped<'_>)| {
            let key = &self.shard_keys[usize::from(record.shard)];
            let says = unwrap(key, &[b'k', record.shard], record.sealed).and_then(|plain| self.parse(&plain));
            Ok(Opened { at: *at, says: says.ok_or_else(|| damaged(file, *at))? })
        };
        let end = records.last().map_or(0, |(at, record)| at + record.bytes.len());
        let records: Vec<Opened> = match records.len() {
            ..MANY_RECORDS => records.iter().map(open).collect::<Result<_, KeyringError>>()?,
            _ => records.par_iter().map(open).collect::<Result<_, KeyringError>>()?,
        };
        if end < bytes.len() { Err(damaged(file, end)) } else { Ok(records) }
    }

    fn put(&mut self, file: &Path, records: Vec<Opened>) -> Result<Vec<OwnerTag>, KeyringError> {
        let put = |Opened { at, says }| self.take(says).ok_or_else(|| damaged(file, at));
        records.into_iter().map(put).collect()
    }
}

/// A record that was unwrapped, and where it stood.
struct Opened {
    at: usize,
    says: Taken,
}

impl OwnerKeys {
    /// The owner's keys for an agency.
    pub fn agency(&self, agency: &AgencyCode) -> Option<&AgencyKeys> {
        self.agencies.iter().find(|(code, _)| code == agency).map(|(_, keys)| keys)
    }

    /// Whether the data keys are destroyed: those that are there open nothing.
    pub const fn is_ended(&self) -> bool {
        self.owner.is_none()
    }
}

fn owner_name(tag: &OwnerTag) -> String {
    format!("o.{}", base64url::encode(tag))
}

fn damaged(file: &Path, at: usize) -> KeyringError {
    KeyringError::Damaged { file: file.display().to_string(), at }
}

fn io_error(file: &Path) -> impl FnOnce(io::Error) -> KeyringError {
    let file = file.display().to_string();
    move |source| KeyringError::Io { file, source }
}

#[cfg(test)]
mod tests;
