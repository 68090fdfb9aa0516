//! Writing a vault record: each text is encrypted in its place in the record, so that none is copied into it.

use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::link::LinkName;
use gt_core::statement::{EventType, PublisherId};

use super::checksum::{CHECKSUM, VERSION, in_place, of_body};
use super::{VaultKey, sealed_len};

/// A record's length without its texts: the frame, and all that is of one length but the event type and the agency.
const FIXED: usize = 4 + 1 + 32 + 8 + 1 + 1 + 16 + 1 + 4 + 2 + CHECKSUM;
/// The length of a disclosure without its text.
const OF_DISCLOSURE: usize = 16 + 32 + 4;

/// A record that is being written: the statement comes first, then each disclosure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    bytes: Vec<u8>,
    /// Where the number of disclosures belongs; it is known once the statement is there.
    count_at: usize,
    disclosures: u16,
}

/// A record that lacks nothing but its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    bytes: Vec<u8>,
    of_body: u128,
}

impl Framing {
    /// Begins a record. `texts` are the lengths of the statement and of its disclosures, as far as memory is to be set aside for them.
    pub fn new(
        publisher: &PublisherId,
        seq: u64,
        event_type: &EventType,
        texts: impl IntoIterator<Item = usize>,
    ) -> Self {
        let texts = texts.into_iter().map(|text| OF_DISCLOSURE + sealed_len(text));
        let capacity = FIXED + event_type.as_str().len() + usize::from(u8::MAX) + texts.sum::<usize>();
        let mut bytes = Vec::with_capacity(capacity);
        // Where the body's length belongs.
        bytes.extend_from_slice(&[0; 4]);
        bytes.push(VERSION);
        bytes.extend_from_slice(publisher.as_bytes());
        bytes.extend_from_slice(&seq.to_be_bytes());
        put_short(&mut bytes, event_type.as_str());
        Self { bytes, count_at: 0, disclosures: 0 }
    }

    /// How long the record may become before it needs more memory.
    #[cfg(test)]
    pub(super) fn bytes_set_aside(&self) -> usize {
        self.bytes.capacity()
    }

    /// The statement in the clear.
    pub fn open_statement(&mut self, jws: &[u8]) {
        self.bytes.push(0);
        put_short(&mut self.bytes, "");
        self.put_statement(|bytes| bytes.extend_from_slice(jws));
    }

    /// The statement, encrypted under the record key that its primary owner has for this agency.
    pub fn statement(
        &mut self,
        owner: &LinkName,
        agency: &AgencyCode,
        key: &VaultKey,
        place: &[u8],
        jws: &[u8],
    ) {
        self.statement_with(owner, agency, |bytes| key.seal_into(place, jws, bytes));
    }

    /// A disclosure, encrypted under its owner's data key.
    pub fn disclosure(&mut self, owner: &LinkName, digest: &Hash, key: &VaultKey, place: &[u8], text: &[u8]) {
        self.disclosure_with(owner, digest, |bytes| key.seal_into(place, text, bytes));
    }

    pub(super) fn statement_with(
        &mut self,
        owner: &LinkName,
        agency: &AgencyCode,
        seal: impl FnOnce(&mut Vec<u8>),
    ) {
        self.bytes.push(1);
        self.bytes.extend_from_slice(owner);
        put_short(&mut self.bytes, agency.as_str());
        self.put_statement(seal);
    }

    pub(super) fn disclosure_with(
        &mut self,
        owner: &LinkName,
        digest: &Hash,
        seal: impl FnOnce(&mut Vec<u8>),
    ) {
        self.bytes.extend_from_slice(owner);
        self.bytes.extend_from_slice(digest.as_bytes());
        put_long(&mut self.bytes, seal);
        self.disclosures =
            self.disclosures.checked_add(1).expect("disclosures are bounded by the presentation's length");
    }

    fn put_statement(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        put_long(&mut self.bytes, write);
        self.count_at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
    }

    /// The record, with all that it says.
    pub fn close(self) -> Framed {
        let Self { mut bytes, count_at, disclosures } = self;
        bytes[count_at..][..2].copy_from_slice(&disclosures.to_be_bytes());
        let (length, body) = bytes.split_first_chunk_mut::<4>().expect("it begins with them");
        *length = length_of(body.len());
        let of_body = of_body(body);
        Framed { bytes, of_body }
    }
}

impl Framed {
    /// The record for the entry whose leaf hash is given.
    pub fn finish(self, leaf_hash: &Hash) -> Vec<u8> {
        let Self { mut bytes, of_body } = self;
        bytes.extend_from_slice(&in_place(leaf_hash, of_body));
        bytes
    }
}

fn put_short(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).expect("types and agency codes are short"));
    out.extend_from_slice(text.as_bytes());
}

/// What `write` adds, after its length.
fn put_long(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len() + 4;
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = length_of(out.len() - start);
    out[start - 4..start].copy_from_slice(&length);
}

fn length_of(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("statements are bounded").to_be_bytes()
}
