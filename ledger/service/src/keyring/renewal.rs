//! A keyring that takes another's place, for nodes that share it: everything that stays, under new shard keys, under another
//! key-encryption key (`docs/FORMATS.md` section 8).
//!
//! It is handed over in two pieces. Its records can be stored where anybody reads them: the shard keys that open them are made for this
//! once, and are handed over only if the renewal takes place. What came to nothing, nobody can ever read.

use std::collections::HashMap;
use std::path::Path;

use gt_core::{Hash, base64url};
use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::packs::{Packs, add_what_stays, packed};
use super::rekey::Removal;
use super::wrap::{first_digits, unwrap, wrap};
use super::{
    KeyEncryptionKey, Keyring, KeyringError, OwnerTag, SHARDS, SHARDS_TOGETHER, empty_shards, io_error,
    rekey, shard_file, shards_file,
};
use crate::disk::Disk;
use crate::random;

/// From how many bytes of records on a part is closed; the last shard's may go beyond it.
const PART: usize = 256 * 1024;

const EPOCH_PLACE: &[u8] = b"gt/keyring/1/epoch";

/// A keyring in the making.
pub(crate) struct Renewal {
    /// A shard key of the keyring whose place it takes, by which that one is known again: each has keys of its own.
    replaced: Zeroizing<[u8; 32]>,
    shard_keys: Vec<Zeroizing<[u8; 32]>>,
    shards: Vec<u8>,
    removals: Vec<Removal>,
    /// Owners that were written down, and for how many agencies.
    written: HashMap<OwnerTag, usize>,
}

/// The name of a keyring among the records of a bucket, by its wrapped index and shard keys.
pub(crate) fn name(shards: &[u8]) -> String {
    first_digits(&Hash::of_parts(&[b"gt/keyring-name/1\0", shards]))
}

/// What a node shows that it has a key-encryption key with.
pub(crate) struct NodeKey(Zeroizing<[u8; 32]>);

impl NodeKey {
    pub(crate) fn of(kek: &KeyEncryptionKey) -> Self {
        Self(Zeroizing::new(mac(kek.key(), b"gt/node/1")))
    }
}

/// What only whoever has the key can say of a text, in base64url.
pub(crate) fn node_code(key: &NodeKey, text: &str) -> String {
    base64url::encode(&mac(&key.0, text.as_bytes()))
}

fn mac(key: &Zeroizing<[u8; 32]>, text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// An epoch's number, as only whoever has its key can write it.
pub(crate) fn wrapped_ordinal(kek: &KeyEncryptionKey, ordinal: u64) -> Vec<u8> {
    wrap(kek.key(), EPOCH_PLACE, &ordinal.to_be_bytes()).0
}

/// Reads such a number.
pub(crate) fn ordinal(kek: &KeyEncryptionKey, wrapped: &[u8]) -> Option<u64> {
    let plain = unwrap(kek.key(), EPOCH_PLACE, wrapped)?;
    Some(u64::from_be_bytes(plain.as_slice().try_into().ok()?))
}

impl Renewal {
    /// Begins one, without what is to be removed.
    pub(crate) fn new(keyring: &Keyring, removals: Vec<Removal>, next: &KeyEncryptionKey) -> Self {
        let shard_keys: Vec<_> = (0..SHARDS).map(|_| random::key()).collect();
        let shards = keyring.wrapped(next, &shard_keys);
        let replaced = keyring.shard_keys[0].clone();
        Self { replaced, shard_keys, shards, removals, written: HashMap::new() }
    }

    /// Whether this keyring is the one whose place it is to take. Once another one has taken that, what was written down is out of date:
    /// it has the keys that the other one has ended.
    pub(crate) fn replaces(&self, keyring: &Keyring) -> bool {
        self.replaced == keyring.shard_keys[0]
    }

    /// The index key and the new shard keys, wrapped.
    pub(crate) fn shards(&self) -> &[u8] {
        &self.shards
    }

    /// What has not been written down yet, in parts.
    pub(crate) fn parts(&mut self, keyring: &Keyring) -> Vec<Vec<u8>> {
        let (mut parts, mut part) = (Vec::new(), Vec::new());
        for (rows, shard) in keyring.shards.iter().zip(0..=u8::MAX) {
            let shard_key = &self.shard_keys[usize::from(shard)];
            let mut packs = Packs::new(shard, shard_key);
            for (tag, held) in rows.all() {
                let agencies = held.agencies().count();
                if self.written.get(tag).is_some_and(|written| *written >= agencies) {
                    continue;
                }
                self.written.insert(*tag, agencies);
                add_what_stays(&mut packs, tag, held, &self.removals);
                if part.len() + packs.len() >= PART {
                    part.extend(std::mem::replace(&mut packs, Packs::new(shard, shard_key)).finish());
                    parts.push(std::mem::take(&mut part));
                }
            }
            part.extend(packs.finish());
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }
}

impl Keyring {
    /// The keyring of these parts.
    pub(crate) fn of_parts(
        kek: &KeyEncryptionKey,
        shards: &[u8],
        parts: &[Vec<u8>],
    ) -> Result<Self, KeyringError> {
        let mut keyring = Self::of_shards(kek, shards)?;
        for part in parts {
            keyring.load(Path::new("a part of the shared keyring"), part)?;
        }
        Ok(keyring)
    }

    /// Puts this keyring in the place of the one in the folder, whose journal must have been folded, and which must say in
    /// `keyring/switch` that it is being replaced. A crash leaves the one or the other.
    pub(crate) fn replace(&self, disk: &mut Disk, shards: &[u8]) -> Result<(), KeyringError> {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for together in all.chunks(SHARDS_TOGETHER) {
            let files: Vec<_> = together
                .par_iter()
                .filter_map(|shard| {
                    let bytes = {
                        let at = usize::from(*shard);
                        packed(&self.shards[at], *shard, &self.shard_keys[at], &[])
                    };
                    let takes_a_place = disk.root().join(shard_file((*shard).into())).exists();
                    let file = rekey::next_shard_file((*shard).into());
                    (!bytes.is_empty() || takes_a_place).then_some((file, bytes))
                })
                .collect();
            disk.replace_together(&files).map_err(io_error(Path::new("keyring")))?;
        }
        // From here on the keys that are not in this keyring are gone.
        disk.replace(&shards_file(), shards).map_err(io_error(&shards_file()))?;
        Self::finish_destroying(disk)
    }

    pub(super) fn of_shards(kek: &KeyEncryptionKey, wrapped: &[u8]) -> Result<Self, KeyringError> {
        let plain = unwrap(kek.key(), b"gt/keyring/1/shards", wrapped).ok_or(KeyringError::WrongKey)?;
        let mut keys = plain.chunks_exact(32).map(|chunk| {
            let mut key = Zeroizing::new([0; 32]);
            key.copy_from_slice(chunk);
            key
        });
        let (Some(index_key), shard_keys) = (keys.next(), keys.collect::<Vec<_>>()) else {
            return Err(KeyringError::WrongKey);
        };
        if shard_keys.len() == SHARDS {
            Ok(Self { index_key, shard_keys, shards: empty_shards() })
        } else {
            Err(KeyringError::WrongKey)
        }
    }

    /// Whose keys are there under another tag, or not at all, once that keyring is in this one's place; by the keys of their links.
    pub(crate) fn removed_by(&self, other: &Self) -> Vec<Removal> {
        let added = other.owners().filter(|(tag, _)| self.owner(tag).is_none());
        let goes_on: HashMap<_, OwnerTag> = added.map(|(tag, held)| (*held.link.as_bytes(), *tag)).collect();
        let gone = self.owners().filter(|(tag, _)| other.owner(tag).is_none());
        gone.map(|(tag, held)| Removal { tag: *tag, goes_on: goes_on.get(held.link.as_bytes()).copied() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::agency::AgencyCode;
    use gt_core::statement::{Owner, Pseudonym};

    fn owner(n: u8) -> Owner {
        let text = format!("nhs.1:{}", base64url::encode(&[n; 32]));
        Owner::Person(Pseudonym::parse(&text).expect("a pseudonym"))
    }

    fn filled(count: u8) -> (tempfile::TempDir, Keyring) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut keyring = Keyring::create(&mut Disk::new(folder.path(), None), &KeyEncryptionKey::generate())
            .expect("made");
        let agency = AgencyCode::parse("gss:E06000005").expect("a code");
        for n in 0..count {
            keyring.ensure(&owner(n), &agency, &mut Vec::new());
        }
        (folder, keyring)
    }

    #[test]
    fn what_stays_is_the_same_and_what_is_removed_is_not_there() {
        let (_folder, mut keyring) = filled(5);
        let next = KeyEncryptionKey::generate();
        let (ended, gone) = (keyring.tag(&owner(1)), keyring.tag(&owner(2)));
        let mut goes_on = [7; 32];
        goes_on[0] = ended[0];
        let removals =
            vec![Removal { tag: ended, goes_on: Some(goes_on) }, Removal { tag: gone, goes_on: None }];
        let mut renewal = Renewal::new(&keyring, removals.clone(), &next);
        let mut parts = renewal.parts(&keyring);
        assert!(renewal.parts(&keyring).is_empty(), "everything is written down once");
        // Another agency's keys for one who is there, somebody new, and one about whom everything is removed.
        let mut new = Vec::new();
        let police = AgencyCode::parse("police:32").expect("a code");
        for n in [0, 2, 9] {
            keyring.ensure(&owner(n), &police, &mut new);
        }
        parts.extend(renewal.parts(&keyring));
        let renewed = Keyring::of_parts(&next, renewal.shards(), &parts).expect("opens");
        assert_eq!(renewed.len(), 5);
        assert!(renewed.owner(&gone).is_none() && renewed.owner(&ended).is_none());
        assert!(renewed.owner(&goes_on).expect("goes on").is_ended());
        for n in [0, 3, 4, 9] {
            let tag = renewed.tag(&owner(n));
            let (one, other) = (renewed.owner(&tag).expect("there"), keyring.owner(&tag).expect("there"));
            assert_eq!(one.link.as_bytes(), other.link.as_bytes());
            assert_eq!(one.agencies().count(), other.agencies().count());
        }
        let mut found = keyring.removed_by(&renewed);
        found.sort_by_key(|removal| removal.goes_on.is_none());
        assert_eq!(found, removals);
        let another = KeyEncryptionKey::generate();
        assert!(matches!(Keyring::of_parts(&another, renewal.shards(), &parts), Err(KeyringError::WrongKey)));
        let of_another = Renewal::new(&keyring, Vec::new(), &next);
        let mixed = Keyring::of_parts(&next, of_another.shards(), &parts);
        assert!(matches!(mixed, Err(KeyringError::Damaged { .. })), "parts open under their own shard keys");
        assert_ne!(name(of_another.shards()), name(renewal.shards()));
    }

    #[test]
    fn a_replaced_keyring_is_the_one_that_was_given() {
        let (folder, keyring) = filled(9);
        let next = KeyEncryptionKey::generate();
        let removals = vec![Removal { tag: keyring.tag(&owner(1)), goes_on: None }];
        let mut renewal = Renewal::new(&keyring, removals, &next);
        let parts = renewal.parts(&keyring);
        let renewed = Keyring::of_parts(&next, renewal.shards(), &parts).expect("opens");
        renewed.replace(&mut Disk::new(folder.path(), None), renewal.shards()).expect("replaced");
        let read = Keyring::open(folder.path(), &next).expect("opens");
        assert_eq!(read.len(), 8);
        assert!(read.removed_by(&renewed).is_empty() && renewed.removed_by(&read).is_empty());
        assert_eq!(std::fs::read(folder.path().join("keyring/shards")).expect("there"), renewal.shards());
    }

    #[test]
    fn an_ordinal_is_believed_of_its_key_alone() {
        let (one, other) = (KeyEncryptionKey::generate(), KeyEncryptionKey::generate());
        let wrapped = wrapped_ordinal(&one, 3);
        assert_eq!((ordinal(&one, &wrapped), ordinal(&other, &wrapped)), (Some(3), None));
        assert_eq!(ordinal(&one, &wrapped[..20]), None);
    }
}
