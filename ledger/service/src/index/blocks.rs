//! What has been written of the index: blocks in a file that only grows, each encrypted on its own, so that one can be read alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use gt_core::LeafIndex;
use gt_core::statement::PublisherId;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::bytes::{Reader, put_u64};
use crate::keyring::KeyEncryptionKey;
use crate::layout;
use crate::random;

const NONCE: usize = 24;
const TAG: usize = 16;

/// How much longer a block is in the file than what it says.
pub(crate) const OVERHEAD: usize = NONCE + TAG;

/// The longest block: 256 entries with 64 links each have 344,064 bytes.
const MAX_BLOCK: u32 = 1 << 20;

/// How many statements of a publisher one block has the entries of.
pub(crate) const CHAIN_BLOCK: u64 = 256;

/// The key of what is derived from the log and kept in `state/`: made from the key-encryption key, so who has the folder alone can
/// neither read it nor make one that is believed, and a renewal of the key-encryption key ends it.
pub(crate) struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    pub(crate) fn of(kek: &KeyEncryptionKey) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let expanded = Hkdf::<Sha256>::new(None, kek.as_bytes()).expand(b"gt/state/1", key.as_mut_slice());
        expanded.expect("32 bytes can be derived");
        Self(key)
    }

    /// The same key, for a file that is another one ([`BlockFile::is_under`]).
    pub(crate) fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// Encrypts `plain`, in its own memory, so that it opens in its place only; `before` comes before it, in the clear.
    pub(crate) fn seal(&self, before: &[u8], place: &[u8], mut plain: Vec<u8>) -> Vec<u8> {
        let nonce: [u8; NONCE] = random::bytes();
        let len = plain.len();
        let head = [before, nonce.as_slice()].concat();
        plain.reserve_exact(head.len() + TAG);
        let tag = XChaCha20Poly1305::new((&*self.0).into())
            .encrypt_inout_detached(&XNonce::from(nonce), place, plain.as_mut_slice().into())
            .expect("a state is far below the cipher's limit");
        plain.extend_from_slice(&head);
        plain.extend_from_slice(&tag);
        plain[..len + head.len()].rotate_right(head.len());
        plain
    }

    /// Whether it is the same key.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The same where it stands, for what is large. After a failure nothing of it is to be used.
    pub(crate) fn open_in_place<'s>(&self, place: &[u8], sealed: &'s mut [u8]) -> Option<&'s [u8]> {
        let (nonce, sealed) = sealed.split_first_chunk_mut::<NONCE>()?;
        let (text, tag) = sealed.split_last_chunk_mut::<TAG>()?;
        XChaCha20Poly1305::new((&*self.0).into())
            .decrypt_inout_detached(&XNonce::from(*nonce), place, (&mut *text).into(), &Tag::from(*tag))
            .ok()?;
        Some(text)
    }

    /// What [`Self::seal`] has sealed; `None` if it is anything else.
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: place };
        XChaCha20Poly1305::new((&*self.0).into()).decrypt(&XNonce::from(*nonce), payload).ok()
    }
}

/// Names one file of blocks: another one begins whenever the blocks are written anew.
pub(crate) type Generation = [u8; 8];

/// What a block is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockName {
    /// Whose the links of a bundle's entries are.
    Links(u64),
    /// Where statements `256 n` to `256 n + 255` of a publisher are sealed.
    Chain(PublisherId, u64),
}

impl BlockName {
    fn place(&self, generation: Generation) -> Vec<u8> {
        let mut place = [b"gt/state-index/1\0".as_slice(), &generation].concat();
        match self {
            Self::Links(bundle) => {
                place.push(1);
                put_u64(&mut place, *bundle);
            }
            Self::Chain(publisher, number) => {
                place.push(2);
                put_u64(&mut place, *number);
                place.extend_from_slice(publisher.as_bytes());
            }
        }
        place
    }
}

/// Where a block stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) at: u64,
    pub(crate) len: u32,
}

/// Why the index cannot be asked. Nothing is taken for erased because of it.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Its file cannot be read.
    #[error(
        "state/ cannot be read, where it stands whose the entries are: {0}. Start the ledger again; it makes it anew from the log"
    )]
    Io(#[from] io::Error),
    /// A block is not what was written.
    #[error(
        "state/ is damaged, where it stands whose the entries are. Start the ledger again; it makes it anew from the log"
    )]
    Damaged,
}

/// A file of blocks, to be read.
#[derive(Clone)]
pub(crate) struct BlockFile {
    generation: Generation,
    key: Arc<StateKey>,
    file: Arc<File>,
}

impl BlockFile {
    /// Opens the file of this generation.
    pub(crate) fn open(root: &Path, generation: Generation, key: Arc<StateKey>) -> io::Result<Self> {
        let file = Arc::new(File::open(root.join(file_of(generation)))?);
        Ok(Self { generation, key, file })
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(crate) fn is_under(&self, key: &Arc<StateKey>) -> bool {
        Arc::ptr_eq(&self.key, key)
    }

    pub(super) fn read(&self, name: &BlockName, stored: Stored) -> Result<Vec<u8>, IndexError> {
        if stored.len > MAX_BLOCK {
            return Err(IndexError::Damaged);
        }
        let mut sealed = vec![0; stored.len as usize];
        match self.file.read_exact_at(&mut sealed, stored.at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(IndexError::Damaged),
            read => Ok(read?),
        }?;
        self.key.open(&name.place(self.generation), &sealed).ok_or(IndexError::Damaged)
    }
}

/// A block as it goes to its file.
pub(crate) fn seal(key: &StateKey, generation: Generation, name: &BlockName, plain: &[u8]) -> Vec<u8> {
    key.seal(&[], &name.place(generation), plain.to_vec())
}

/// The name of a generation's file.
pub(crate) fn file_of(generation: Generation) -> PathBuf {
    layout::state_index(u64::from_be_bytes(generation))
}

/// One link of a bundle's entries, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkOf {
    /// The entry's place in its bundle.
    pub(crate) within: u8,
    /// The beginning of the link's name: an entry has few links.
    pub(crate) name: [u8; 8],
    /// The owner's number.
    pub(crate) owner: u32,
    /// The owner's entry before this one, and one more; 0 if this is its first.
    pub(crate) before: u64,
}

/// A link's length in a block.
const LINK: usize = 21;

pub(super) fn encode_links(links: &[LinkOf], out: &mut Vec<u8>) {
    out.reserve(links.len() * LINK);
    for link in links {
        out.push(link.within);
        out.extend_from_slice(&link.name);
        out.extend_from_slice(&link.owner.to_be_bytes());
        put_u64(out, link.before);
    }
}

pub(super) fn decode_links(bytes: &[u8]) -> Option<Vec<LinkOf>> {
    let mut reader = Reader(bytes);
    let links = (0..bytes.len() / LINK).map(|_| {
        let [within] = reader.array()?;
        Some(LinkOf { within, name: reader.array()?, owner: reader.u32()?, before: reader.u64()? })
    });
    let links = links.collect::<Option<Vec<_>>>()?;
    reader.is_done().then_some(links)
}

pub(crate) fn encode_chain(entries: &[LeafIndex]) -> Vec<u8> {
    entries.iter().flat_map(|index| index.0.to_be_bytes()).collect()
}

pub(super) fn decode_chain(bytes: &[u8]) -> Option<Vec<LeafIndex>> {
    let mut reader = Reader(bytes);
    let entries = (0..bytes.len() / 8).map(|_| reader.u64().map(LeafIndex)).collect::<Option<Vec<_>>>()?;
    reader.is_done().then_some(entries)
}
