//! Vault records: encrypted statements and disclosures, a file beside each bundle (DESIGN section 6, `docs/FORMATS.md` section 7).

mod checksum;
mod framing;

pub use framing::{Framed, Framing};

use std::ops::Deref;

use chacha20::{R20, hchacha};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::link::LinkName;
use gt_core::statement::{EventType, PublisherId};
use hkdf::{Hkdf, HkdfExtract};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;
use zeroize::Zeroizing;

const PADDING: usize = 256;
const TAG: usize = 16;

/// The longest body of a record: the largest presentation, padded and framed, with room to spare.
const MAX_BODY: usize = 512 * 1024;

/// The longest record, of any version: its frame, its body and its checksum.
pub const MAX_RECORD: usize = 4 + MAX_BODY + checksum::LONGEST;

/// A record: what the vault keeps of one entry.
///
/// `B` is the bytes of its texts: its own, or lent from the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultRecord<B = Vec<u8>> {
    /// Who published the statement.
    pub publisher: PublisherId,
    /// Its number in the publisher's chain.
    pub seq: u64,
    /// Its event type.
    pub event_type: EventType,
    /// `H.P.S`.
    pub statement: StatementBlob<B>,
    /// The disclosures that were sent.
    pub disclosures: Vec<DisclosureBlob<B>>,
}

/// `H.P.S` as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementBlob<B = Vec<u8>> {
    /// In the clear: the ledger's own types, which have no owner.
    Open(B),
    /// Under the record key that the primary owner has for this agency.
    Sealed {
        /// l(n) of the primary owner.
        owner: LinkName,
        /// The agency whose record key it is.
        agency: AgencyCode,
        /// The ciphertext.
        bytes: B,
    },
}

/// A disclosure as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisclosureBlob<B = Vec<u8>> {
    /// l(n) of its owner.
    pub owner: LinkName,
    /// Its digest.
    pub digest: Hash,
    /// The ciphertext.
    pub bytes: B,
}

/// Why bytes are no vault record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The file ends within a record.
    #[error("the record is cut off")]
    CutOff,
    /// The checksum does not fit the record and its entry.
    #[error("the record is damaged, or belongs to another entry")]
    Checksum,
    /// The record is of a version that this program does not know, or the byte that says so is damaged.
    #[error("the record says that it is of version {version}, which this program does not read")]
    UnknownVersion {
        /// The version.
        version: u8,
    },
    /// The record is not framed as it must be.
    #[error("the record is malformed")]
    Malformed,
}

/// A ciphertext does not open under its key and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext does not open with this key in this place")]
pub struct DoesNotOpen;

/// What binds a ciphertext to its place: `info` of HKDF and the associated data.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    bytes: [u8; PREFIX.len() + 64],
    len: usize,
}

const PREFIX: &[u8] = b"gt/vault/1";

/// The place of a statement, or of one of its disclosures.
pub fn place(statement: &Hash, digest: Option<&Hash>) -> Place {
    let (mut bytes, mut len) = ([0; PREFIX.len() + 64], 0);
    let digest = digest.map_or(&[][..], |digest| digest.as_bytes());
    for part in [PREFIX, statement.as_bytes(), digest] {
        bytes[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    Place { bytes, len }
}

impl Deref for Place {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What is the same for every key of a ledger: HKDF's salt.
pub struct VaultSalt(HkdfExtract<Sha256>);

/// A key of the keyring, made ready for all the texts of one statement that are under it.
pub struct VaultKey(Hkdf<Sha256>);

impl VaultSalt {
    /// The salt of the ledger with this genesis.
    pub fn of(genesis: &Hash) -> Self {
        Self(HkdfExtract::new(Some(genesis.as_bytes())))
    }

    /// Does what is the same for every text under this key.
    pub fn key(&self, key: &[u8; 32]) -> VaultKey {
        let mut extract = self.0.clone();
        extract.input_ikm(key);
        VaultKey(extract.finalize().1)
    }
}

impl VaultKey {
    /// A single key of the ledger with this genesis.
    pub fn new(key: &[u8; 32], genesis: &Hash) -> Self {
        VaultSalt::of(genesis).key(key)
    }

    /// Encrypts a text.
    pub fn seal(&self, place: &[u8], text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(sealed_len(text.len()));
        self.seal_into(place, text, &mut bytes);
        bytes
    }

    /// Encrypts a text, and adds it. A derived key seals one text, so the nonce is zero.
    fn seal_into(&self, place: &[u8], text: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        // So that it does not move with a text in it.
        out.reserve(sealed_len(text.len()));
        out.extend_from_slice(&u32::try_from(text.len()).expect("statements are bounded").to_be_bytes());
        out.extend_from_slice(text);
        out.resize(start + padded(text.len()), 0);
        // In its place, so that no copy of the text is left to be wiped. XChaCha20-Poly1305 is ChaCha20-Poly1305 under a key of
        // HChaCha20; ring does that in a fraction of the time, and what opens the text is the other library's.
        let subkey = Zeroizing::new(hchacha::<R20>((&*self.derive(place)).into(), &[0; 16].into()).0);
        let key = UnboundKey::new(&CHACHA20_POLY1305, subkey.as_slice()).expect("the key has 32 bytes");
        let (nonce, whole) = (Nonce::assume_unique_for_key([0; 12]), &mut out[start..]);
        let tag = LessSafeKey::new(key)
            .seal_in_place_separate_tag(nonce, Aad::from(place), whole)
            .expect("the text is far below the cipher's limit");
        out.extend_from_slice(tag.as_ref());
    }

    /// Opens a text.
    pub fn open(&self, place: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let mut padded = Zeroizing::new(
            XChaCha20Poly1305::new((&*self.derive(place)).into())
                .decrypt(&XNonce::default(), Payload { msg: bytes, aad: place })
                .map_err(|_| DoesNotOpen)?,
        );
        let (length, text) = padded.split_first_chunk::<4>().ok_or(DoesNotOpen)?;
        let length = u32::from_be_bytes(*length) as usize;
        if text.len() < length || text[length..].iter().any(|byte| *byte != 0) {
            return Err(DoesNotOpen);
        }
        padded.truncate(4 + length);
        padded.drain(..4);
        Ok(padded)
    }

    /// The key of the text in this place.
    fn derive(&self, place: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        self.0.expand(place, derived.as_mut()).expect("32 bytes are within HKDF's limit");
        derived
    }
}

/// How long a text is that is padded, with its length before it.
const fn padded(text: usize) -> usize {
    (4 + text).next_multiple_of(PADDING)
}

/// How long a text is that is encrypted.
const fn sealed_len(text: usize) -> usize {
    padded(text) + TAG
}

impl VaultRecord {
    /// Frames the record for the entry whose leaf hash is given.
    pub fn encode(&self, leaf_hash: &Hash) -> Vec<u8> {
        let mut framing = Framing::new(&self.publisher, self.seq, &self.event_type, []);
        match &self.statement {
            StatementBlob::Open(bytes) => framing.open_statement(bytes),
            StatementBlob::Sealed { owner, agency, bytes } => {
                framing.statement_with(owner, agency, |out| out.extend_from_slice(bytes));
            }
        }
        for one in &self.disclosures {
            framing.disclosure_with(&one.owner, &one.digest, |out| out.extend_from_slice(&one.bytes));
        }
        framing.close().finish(leaf_hash)
    }

    /// Reads the record at the start of `bytes` for the entry whose leaf hash is given; also returns how long it is.
    pub fn decode(bytes: &[u8], leaf_hash: &Hash) -> Result<(Self, usize), VaultError> {
        decode(bytes, leaf_hash)
    }

    /// Reads the framed record's head and statement. Neither its checksum nor its disclosures are looked at: for whoever holds the
    /// statement against its entry's hash, and wants no more.
    pub(crate) fn decode_statement(framed: &[u8]) -> Result<Self, VaultError> {
        let (body, ..) = frame(framed)?;
        Reader { bytes: body }.head().ok_or(VaultError::Malformed)
    }
}

impl<'a> VaultRecord<&'a [u8]> {
    /// The same as [`VaultRecord::decode`], with texts that are lent.
    pub(crate) fn lent(bytes: &'a [u8], leaf_hash: &Hash) -> Result<Self, VaultError> {
        decode(bytes, leaf_hash).map(|(record, _)| record)
    }
}

fn decode<'a, B: From<&'a [u8]>>(
    bytes: &'a [u8],
    leaf_hash: &Hash,
) -> Result<(VaultRecord<B>, usize), VaultError> {
    let (body, sum, len) = frame(bytes)?;
    if !checksum::fits(leaf_hash, body, sum) {
        return Err(VaultError::Checksum);
    }
    let mut reader = Reader { bytes: body };
    let record = reader.record().ok_or(VaultError::Malformed)?;
    if reader.bytes.is_empty() { Ok((record, len)) } else { Err(VaultError::Malformed) }
}

/// The length of the whole record at the start of `bytes`, by its frame alone.
pub fn frame_len(bytes: &[u8]) -> Result<usize, VaultError> {
    frame(bytes).map(|(_, _, len)| len)
}

/// The event type in a framed record, by its place alone.
pub(crate) fn event_type_of(framed: &[u8]) -> Option<EventType> {
    const BEFORE: usize = 4 + 1 + 32 + 8;
    let mut reader = Reader { bytes: framed.get(BEFORE..)? };
    EventType::parse(reader.short()?)
}

/// The publisher in a framed record, by its place alone.
pub(crate) fn publisher_of(framed: &[u8]) -> Option<PublisherId> {
    const BEFORE: usize = 4 + 1;
    let mut reader = Reader { bytes: framed.get(BEFORE..)? };
    reader.array().map(Hash::from_bytes)
}

/// The body, the checksum, and how long the whole is.
fn frame(bytes: &[u8]) -> Result<(&[u8], &[u8], usize), VaultError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(VaultError::CutOff)?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_BODY {
        return Err(VaultError::Malformed);
    }
    let (body, rest) = rest.split_at_checked(length).ok_or(VaultError::CutOff)?;
    let version = *body.first().ok_or(VaultError::Malformed)?;
    let sum = checksum::len_in(version).ok_or(VaultError::UnknownVersion { version })?;
    let sum = rest.get(..sum).ok_or(VaultError::CutOff)?;
    Ok((body, sum, 4 + length + sum.len()))
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn record<B: From<&'a [u8]>>(&mut self) -> Option<VaultRecord<B>> {
        let head = self.head()?;
        let count = u16::from_be_bytes(self.array()?);
        let disclosures = (0..count)
            .map(|_| {
                Some(DisclosureBlob {
                    owner: self.array()?,
                    digest: Hash::from_bytes(self.array()?),
                    bytes: self.long()?.into(),
                })
            })
            .collect::<Option<_>>()?;
        Some(VaultRecord { disclosures, ..head })
    }

    /// A record up to its disclosures.
    fn head<B: From<&'a [u8]>>(&mut self) -> Option<VaultRecord<B>> {
        // The version, which the frame was read by.
        let [_] = self.array::<1>()?;
        let publisher = Hash::from_bytes(self.array()?);
        let seq = u64::from_be_bytes(self.array()?);
        let event_type = EventType::parse(self.short()?)?;
        let statement = match self.array::<1>()? {
            [0] => {
                if !self.short()?.is_empty() {
                    return None;
                }
                StatementBlob::Open(self.long()?.into())
            }
            [1] => StatementBlob::Sealed {
                owner: self.array()?,
                agency: AgencyCode::parse(self.short()?).ok()?,
                bytes: self.long()?.into(),
            },
            _ => return None,
        };
        Some(VaultRecord { publisher, seq, event_type, statement, disclosures: Vec::new() })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(first)
    }

    fn short(&mut self) -> Option<&'a str> {
        let [length] = self.array::<1>()?;
        core::str::from_utf8(self.take(length.into())?).ok()
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(self.array()?);
        self.take(length as usize)
    }
}

#[cfg(test)]
mod tests;
