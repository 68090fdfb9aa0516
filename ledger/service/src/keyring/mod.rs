//! The keyring: each owner's link key and, for each agency, a data key and a record key (DESIGN section 6).
//!
//! 256 shards, each under a shard key of its own, those wrapped by the key-encryption key that lives outside the data folder.
//! New records go to one journal, so that a batch with new owners costs one sync and not one for each shard; a stop, or a start, that
//! finds it long folds the journal into the shards. There many owners' keys are wrapped together, so that a start opens them within a
//! fraction of a second. Destroying keys is rewriting a shard under a new shard key and re-wrapping under a new key-encryption key.

mod escrow;
pub(crate) mod journal;
mod packs;
mod proposals;
mod records;
pub(crate) mod rekey;
pub(crate) mod renewal;
pub(crate) mod retired;
mod rows;
mod source;
pub(crate) mod switch;
pub(crate) mod wrap;

pub use crate::key_command::{CommandError, KeyCommand};
pub use escrow::{EscrowError, KekShare, MAX_SHARES};
pub use proposals::{KeyRecord, Proposals};
pub use rekey::RotateError;
pub use retired::{ConfirmError, Confirmed, RetiredKek};
pub use rows::OwnerKeys;
pub use source::{KekError, KekSource, Keks};
pub use wrap::KeyEncryptionKey;
pub(crate) use wrap::{kek_from_jwk, kek_to_jwk};

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
use rows::Rows;
use wrap::{Wrapped, unwrap, wrap};

const SHARDS: usize = 256;
/// So many shards are written at once, and in memory a second time while they are.
const SHARDS_TOGETHER: usize = 16;
/// The longest record, wrapped, in bytes: a pack of many owners' keys.
const MAX_RECORD: usize = 64 * 1024;
/// So many records are worth opening on all cores.
const MANY_RECORDS: usize = 32;

/// An owner's name in the keyring: HMAC(index key, pseudonym). Its first byte is the shard.
pub type OwnerTag = [u8; 32];

/// The keyring, open.
pub struct Keyring {
    index_key: Zeroizing<[u8; 32]>,
    shard_keys: Vec<Zeroizing<[u8; 32]>>,
    shards: Vec<Rows>,
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
        let keyring = Self { index_key, shard_keys, shards: empty_shards() };
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
        let open = |shard: u8| {
            let file = names.of(root, shard.into());
            read(&file)?.map_or_else(|| Ok(Rows::default()), |bytes| keyring.rows(shard, &file, &bytes))
        };
        keyring.shards = (0..=u8::MAX).into_par_iter().map(open).collect::<Result<_, _>>()?;
        if let Some(bytes) = read(&journal::file())? {
            let batches = journal::read(&bytes);
            if batches.damaged {
                return Err(damaged(&journal::file(), batches.end));
            }
            for records in batches.records {
                keyring.load(&journal::file(), records)?;
            }
        }
        Ok(keyring)
    }

    /// The tag under which an owner is found.
    pub fn tag(&self, owner: &Owner) -> OwnerTag {
        self.tag_of_name(owner.key_text().as_bytes())
    }

    fn tag_of_name(&self, name: &[u8]) -> OwnerTag {
        self.mac(b"owner\0", name)
    }

    /// The opaque id of a place or other context.
    pub fn context_id(&self, reference: &str) -> ContextId {
        let mac = self.mac(b"context\0", reference.as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&mac[..16]);
        ContextId::from_bytes(first)
    }

    /// An owner's keys.
    pub fn owner(&self, tag: &OwnerTag) -> Option<OwnerKeys<'_>> {
        self.shards[usize::from(tag[0])].get(tag)
    }

    /// The key of an owner's links, and the owner's keys for an agency.
    pub(crate) fn keys_for(&self, tag: &OwnerTag, agency: &AgencyCode) -> Option<(LinkKey, AgencyKeys)> {
        let held = self.owner(tag)?;
        Some((held.link.clone(), held.agency(agency)?.clone()))
    }

    /// All owners.
    pub fn owners(&self) -> impl Iterator<Item = (&OwnerTag, OwnerKeys<'_>)> {
        self.shards.iter().flat_map(Rows::all)
    }

    /// How many owners there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(Rows::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        let held = self.owner(tag);
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
            let mut says = Vec::new();
            let plain = self.unwrap_record(record);
            let parsed = plain.and_then(|plain| self.parse(&plain, record.shard, &mut says));
            parsed.ok_or_else(|| damaged(file, *at))?;
            Ok(Opened { at: *at, says })
        };
        let end = records.last().map_or(0, |(at, record)| at + record.bytes.len());
        let records: Vec<Opened> = match records.len() {
            ..MANY_RECORDS => records.iter().map(open).collect::<Result<_, KeyringError>>()?,
            _ => records.par_iter().map(open).collect::<Result<_, KeyringError>>()?,
        };
        if end < bytes.len() { Err(damaged(file, end)) } else { Ok(records) }
    }

    fn put(&mut self, file: &Path, records: Vec<Opened>) -> Result<Vec<OwnerTag>, KeyringError> {
        let mut tags = Vec::with_capacity(records.len());
        for Opened { at, says } in records {
            for taken in says {
                let shard = &mut self.shards[usize::from(taken.tag()[0])];
                tags.push(shard.take(taken).ok_or_else(|| damaged(file, at))?);
            }
        }
        Ok(tags)
    }

    /// What a shard's file holds. Every record must be of that shard.
    fn rows(&self, shard: u8, file: &Path, bytes: &[u8]) -> Result<Rows, KeyringError> {
        let (mut rows, mut end) = (Rows::with_room_for(bytes.len()), 0);
        for (at, record) in Wrapped::split(bytes) {
            let of_shard = Some(&record).filter(|record| record.shard == shard);
            let plain = of_shard.and_then(|record| self.unwrap_record(record));
            let taken = plain.and_then(|plain| self.parse(&plain, shard, &mut rows));
            taken.ok_or_else(|| damaged(file, at))?;
            end = at + record.bytes.len();
        }
        if end < bytes.len() {
            return Err(damaged(file, end));
        }
        rows.shrink();
        Ok(rows)
    }

    /// What a record says, as bytes. `None` if it does not open under its shard's key.
    fn unwrap_record(&self, record: &Wrapped<'_>) -> Option<Zeroizing<Vec<u8>>> {
        unwrap(&self.shard_keys[usize::from(record.shard)], &[b'k', record.shard], record.sealed)
    }
}

/// A record that was unwrapped, and where it stood.
struct Opened {
    at: usize,
    says: Vec<Taken>,
}

fn empty_shards() -> Vec<Rows> {
    (0..SHARDS).map(|_| Rows::default()).collect()
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
