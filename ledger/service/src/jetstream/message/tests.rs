use super::*;
use gt_core::entry::Entry;
use gt_core::key::PrivateKey;
use gt_core::note::NoteSigner;
use gt_core::statement::EventType;
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex, TreeSize};
use proptest::prelude::*;

use crate::vault::{StatementBlob, VaultRecord};

const ORIGIN: &str = "ledger.example/test";

/// An entry with a vault record of this length, which says of itself which one it is.
pub(in crate::jetstream) fn sealed(index: u64, event_type: &str, text: &[u8]) -> SealedEntry {
    let entry = Entry {
        index: LeafIndex(index),
        prev: Hash::of(&index.to_be_bytes()),
        received_at: Timestamp::EPOCH,
        registry: 0,
        links: Vec::new(),
        statement: Hash::of(text),
    };
    let bytes = entry.to_bytes();
    let leaf_hash = tree::leaf_hash(&bytes);
    let record = VaultRecord {
        publisher: Hash::of(b"publisher"),
        seq: index,
        event_type: EventType::parse(event_type).expect("a type"),
        statement: StatementBlob::Open(text.to_vec()),
        disclosures: Vec::new(),
    };
    SealedEntry { bytes, leaf_hash, vault: record.encode(&leaf_hash) }
}

/// The closing of a batch after which the tree has this size.
pub(in crate::jetstream) fn closing(size: u64, signed: bool) -> Closing {
    let head = Checkpoint::new(ORIGIN, TreeSize(size), Hash::of(&size.to_be_bytes())).expect("sound");
    let key = NoteSigner::new(ORIGIN, &PrivateKey::from_seed(&[7; 32]).to_seed()).expect("a key");
    let checkpoint = signed.then(|| SignedCheckpoint::sign(head.clone(), &[&key]).expect("signed"));
    Closing { head, keys: size / 2, epoch: None, checkpoint }
}

fn event_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["missing.started", "decision.recorded", "publisher.registered"])
}

fn parts(entry: &SealedEntry) -> (&[u8], Hash, &[u8]) {
    (&entry.bytes, entry.leaf_hash, &entry.vault)
}

proptest! {
    #[test]
    fn payloads_round_trip(index in 0..1_u64 << 50, of in event_type(), text: Vec<u8>) {
        let entry = sealed(index, of, &text);
        let payload = encode(&entry);
        prop_assert!(payload.len() <= MAX_PAYLOAD);
        let subject = subject(&entry).expect("framed");
        prop_assert_eq!(&subject, &format!("gt.ledger.{of}"));
        let read = decode(&subject, &payload).expect("reads");
        prop_assert_eq!(parts(&read), parts(&entry));
    }

    #[test]
    fn another_subject_is_refused(of in event_type(), other in "[a-z.>*]{0,24}") {
        let payload = encode(&sealed(3, of, b"text"));
        let right = format!("gt.ledger.{of}");
        for wrong in [format!("gt.ledger.{other}"), other, format!("{right}."), String::new()] {
            if wrong != right {
                prop_assert_eq!(decode(&wrong, &payload).map(|_| ()), Err(MessageFault::Subject));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, subject: String) {
        prop_assert!(decode(&subject, &bytes).is_err());
        prop_assert!(decode("gt.ledger.missing.started", &bytes).is_err());
    }

    /// Whatever is changed in a payload, what still reads is what was written, or has another framing that holds.
    #[test]
    fn a_payload_that_was_cut_or_lengthened_does_not_read(cut: prop::sample::Index, more: Vec<u8>) {
        let payload = encode(&sealed(3, "missing.started", b"text"));
        let subject = "gt.ledger.missing.started";
        prop_assert!(decode(subject, &payload[..cut.index(payload.len())]).is_err());
        let longer = [payload.as_slice(), &more].concat();
        prop_assert_eq!(decode(subject, &longer).is_ok(), more.is_empty());
    }

    #[test]
    fn altered_payloads_never_panic(at: prop::sample::Index, byte: u8) {
        let mut payload = encode(&sealed(3, "missing.started", b"text"));
        let at = at.index(payload.len());
        payload[at] = byte;
        let _ = decode("gt.ledger.missing.started", &payload);
    }

    #[test]
    fn closings_round_trip(size in 1..1_u64 << 50, signed: bool, epoch in epoch()) {
        let closing = Closing { epoch, ..closing(size, signed) };
        let headers = closing.to_headers();
        for (_, value) in &headers {
            // What stands in a header must survive as one line of it.
            prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        }
        prop_assert_eq!(headers.iter().any(|(name, _)| *name == header::CHECKPOINT), signed);
        prop_assert_eq!(read(&headers), Ok(closing.clone()));
        // Who knows nothing of epochs waits for keys that never come.
        let keys = headers.iter().find(|(name, _)| *name == header::KEYS).map(|(_, value)| value.parse::<u64>());
        prop_assert_eq!(keys, Some(Ok(if closing.epoch.is_some() { u64::MAX } else { closing.keys })));
    }

    #[test]
    fn arbitrary_headers_never_panic(value: String, at in 0..5_usize) {
        let epoch = KeyEpoch { ordinal: 1, kek: "0123456789abcdef".into(), begins: Some(vec![7; 8264]) };
        let good = Closing { epoch: Some(epoch), ..closing(3, true) };
        let mut headers = good.to_headers();
        let (name, before) = (headers[at].0, std::mem::replace(&mut headers[at].1, value.clone()));
        // An arbitrary number is one.
        let is_sound = value == before || (name == header::KEYS && value.parse::<u64>().is_ok())
            || (name == header::SHARDS && Base64::decode_vec(&value).is_ok());
        prop_assert_eq!(read(&headers).is_ok(), is_sound);
    }
}

fn epoch() -> impl Strategy<Value = Option<KeyEpoch>> {
    let begins = prop::option::of(prop::collection::vec(any::<u8>(), 0..64));
    prop::option::of((1..u64::MAX, "[0-9a-f]{16}", begins).prop_map(|(ordinal, kek, begins)| KeyEpoch {
        ordinal,
        kek,
        begins,
    }))
}

fn read(headers: &[(&'static str, String)]) -> Result<Closing, MessageFault> {
    Closing::parse(|name| headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_str()))
}

#[test]
fn an_epoch_has_one_form() {
    let good = KeyEpoch { ordinal: 2, kek: "0123456789abcdef".into(), begins: None };
    let headers = Closing { epoch: Some(good), ..closing(3, false) }.to_headers();
    assert!(read(&headers).is_ok());
    for bad in [
        "",
        "2",
        "2 0123456789abcdef",
        "0 0123456789abcdef 1",
        "02 0123456789abcdef 1",
        "2 0123456789ABCDEF 1",
        "2 0123456789abcde 1",
        "2  0123456789abcdef 1",
        "2 0123456789abcdef 1 ",
        "2 0123456789abcdef -1",
    ] {
        let mut changed = headers.clone();
        changed.iter_mut().find(|(name, _)| *name == header::KEY_EPOCH).expect("there").1 = bad.to_owned();
        assert_eq!(read(&changed), Err(MessageFault::Header(header::KEY_EPOCH)), "{bad:?}");
    }
    let mut alone = closing(3, false).to_headers();
    alone.push((header::SHARDS, "AAAA".into()));
    assert_eq!(read(&alone), Err(MessageFault::Header(header::SHARDS)));
}

#[test]
fn what_is_longer_than_anything_can_be_is_refused_before_it_is_looked_at() {
    let payload = vec![0; MAX_PAYLOAD + 1];
    assert_eq!(decode("gt.ledger.missing.started", &payload).map(|_| ()), Err(MessageFault::TooLong));
    let mut entry = sealed(0, "missing.started", b"text");
    entry.bytes = vec![b'x'; MAX_ENTRY_BYTES + 1];
    let payload = encode(&entry);
    assert_eq!(decode("gt.ledger.missing.started", &payload).map(|_| ()), Err(MessageFault::Framing));
}

#[test]
fn a_vault_record_that_is_not_framed_has_no_subject() {
    let mut entry = sealed(0, "missing.started", b"text");
    entry.vault.truncate(40);
    assert_eq!(subject(&entry), None);
    entry.vault.clear();
    assert_eq!(subject(&entry), None);
}
