//! What `state/` says, opened with the key-encryption key alone, as `docs/FORMATS.md` section 7 has it.

use std::fs;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use gt_core::statement::Owner;
use gt_ledger::keyring::{KeyEncryptionKey, Keyring, OwnerTag};
use hkdf::Hkdf;
use sha2::Sha256;

/// The snapshot, and every block that it knows of.
pub(crate) struct OpenedState(Vec<Vec<u8>>);

/// By what an owner would be known in it.
pub(crate) struct Traces {
    tag: OwnerTag,
    /// The beginnings of its links, as blocks have them.
    links: Vec<[u8; 8]>,
}

impl Traces {
    /// Of an owner with so many entries.
    pub(crate) fn of(data: &Path, kek: &KeyEncryptionKey, owner: &Owner, entries: u64) -> Self {
        let keyring = Keyring::open(data, kek).expect("opens");
        let tag = keyring.tag(owner);
        let held = keyring.owner(&tag).expect("its keys are there");
        let first = |n| *held.link.name(n).first_chunk().expect("16 bytes");
        Self { tag, links: (0..entries).map(first).collect() }
    }

    /// Whether everything is there: otherwise that nothing is would say nothing.
    pub(crate) fn are_all_in(&self, state: &OpenedState) -> bool {
        self.is_tag_in(state) && self.links.iter().all(|link| state.has(link))
    }

    pub(crate) fn is_any_in(&self, state: &OpenedState) -> bool {
        self.is_tag_in(state) || self.links.iter().any(|link| state.has(link))
    }

    pub(crate) fn is_tag_in(&self, state: &OpenedState) -> bool {
        state.has(&self.tag)
    }
}

impl OpenedState {
    /// `None` if there is no snapshot, or it does not open under this key.
    pub(crate) fn of(data: &Path, kek: &KeyEncryptionKey) -> Option<Self> {
        let sealed = fs::read(data.join("state/snapshot")).ok()?;
        let snapshot = open(kek, b"gt/state-snapshot/1\0", sealed.strip_prefix(&[1])?)?;
        let mut reader = Reading(&snapshot[128..]);
        let generation = *reader.take(8).first_chunk::<8>().expect("8 bytes");
        reader.take(8);
        for _ in 0..reader.number() {
            reader.take(72);
            let kept = reader.number();
            reader.take(8 * kept);
        }
        let owners = reader.number();
        reader.take(64 * owners);
        let mut places: Vec<(Vec<u8>, &[u8])> = Vec::new();
        for bundle in 0..reader.number() as u64 {
            places.push(([&[1], bundle.to_be_bytes().as_slice()].concat(), reader.take(12)));
        }
        for _ in 0..reader.number() {
            let len = reader.number();
            reader.take(len);
        }
        for _ in 0..reader.number() {
            let publisher = reader.take(32);
            for number in 0..reader.number() as u64 {
                let name = [&[2], number.to_be_bytes().as_slice(), publisher].concat();
                places.push((name, reader.take(12)));
            }
        }
        assert!(reader.0.is_empty());
        let blocks = fs::read(index_file(data, generation)).expect("the blocks");
        let block = |(name, at): &(Vec<u8>, &[u8])| {
            let start = Reading(at).number();
            let len = u32::from_be_bytes(*at[8..].first_chunk().expect("a length")) as usize;
            let place = [b"gt/state-index/1\0".as_slice(), &generation, name].concat();
            open(kek, &place, &blocks[start..start + len]).expect("a block opens in its place")
        };
        let mut all: Vec<Vec<u8>> = places.iter().map(block).collect();
        all.push(snapshot.clone());
        Some(Self(all))
    }

    fn has(&self, needle: &[u8]) -> bool {
        self.0.iter().any(|plain| plain.windows(needle.len()).any(|window| window == needle))
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.0.len() - 1
    }
}

/// The files of blocks in a folder.
pub(crate) fn index_files(data: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(data.join("state")).expect("listed").flatten().map(|entry| entry.path());
    listed.filter(|path| path.file_stem().is_some_and(|stem| stem == "index")).collect()
}

fn index_file(data: &Path, generation: [u8; 8]) -> PathBuf {
    data.join(format!("state/index.{:016x}", u64::from_be_bytes(generation)))
}

fn open(kek: &KeyEncryptionKey, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, kek.as_bytes()).expand(b"gt/state/1", &mut key).expect("32 bytes");
    let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
    let payload = Payload { msg: sealed, aad: place };
    XChaCha20Poly1305::new((&key).into()).decrypt(&XNonce::from(*nonce), payload).ok()
}

struct Reading<'a>(&'a [u8]);

impl<'a> Reading<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(len);
        self.0 = rest;
        first
    }

    fn number(&mut self) -> usize {
        let number = u64::from_be_bytes(*self.take(8).first_chunk().expect("8 bytes"));
        usize::try_from(number).expect("it fits into memory")
    }
}
