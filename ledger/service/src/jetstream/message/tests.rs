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
    Closing { head, keys: size / 2, checkpoint }
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
    fn closings_round_trip(size in 1..1_u64 << 50, signed: bool) {
        let closing = closing(size, signed);
        let (head, keys, checkpoint) = closing.to_headers();
        for value in [Some(&head), Some(&keys), checkpoint.as_ref()].into_iter().flatten() {
            // What stands in a header must survive as one line of it.
            prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        prop_assert_eq!(checkpoint.is_some(), signed);
        prop_assert_eq!(Closing::parse(&head, &keys, checkpoint.as_deref()), Ok(closing));
    }

    #[test]
    fn arbitrary_headers_never_panic(head: String, keys: String, checkpoint: Option<String>) {
        let good = closing(3, true);
        let (good_head, good_keys, _) = good.to_headers();
        prop_assert!(Closing::parse(&head, &keys, checkpoint.as_deref()).is_err());
        let parsed = Closing::parse(&good_head, &keys, None);
        prop_assert_eq!(parsed.is_ok(), keys.parse::<u64>().is_ok());
        prop_assert!(Closing::parse(&head, &good_keys, None).is_err());
        if let Some(checkpoint) = checkpoint {
            prop_assert_eq!(
                Closing::parse(&good_head, &good_keys, Some(&checkpoint)),
                Err(MessageFault::Header(header::CHECKPOINT))
            );
        }
    }
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
