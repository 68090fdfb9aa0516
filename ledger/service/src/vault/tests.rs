use super::checksum::{CHECKSUM, WITH_SHA_256, in_place, of_body};
use super::*;
use proptest::prelude::*;

fn sample(text: &[u8], open: bool) -> VaultRecord {
    let agency = AgencyCode::parse("ods:RX1").expect("a code");
    VaultRecord {
        publisher: Hash::of(b"publisher"),
        seq: 7,
        event_type: EventType::parse("missing.started").expect("a type"),
        statement: if open {
            StatementBlob::Open(text.to_vec())
        } else {
            StatementBlob::Sealed { owner: [3; 16], agency, bytes: text.to_vec() }
        },
        disclosures: vec![DisclosureBlob { owner: [4; 16], digest: Hash::of(text), bytes: text.to_vec() }],
    }
}

proptest! {
    #[test]
    fn records_round_trip(text: Vec<u8>, open: bool) {
        let record = sample(&text, open);
        let bytes = record.encode(&Hash::ZERO);
        prop_assert_eq!(frame_len(&bytes), Ok(bytes.len()));
        prop_assert_eq!(VaultRecord::decode(&bytes, &Hash::ZERO), Ok((record, bytes.len())));
    }

    #[test]
    fn any_flipped_bit_is_found_without_a_key(at: prop::sample::Index, bit in 0..8) {
        let mut bytes = sample(b"some text", false).encode(&Hash::ZERO);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(VaultRecord::decode(&bytes, &Hash::ZERO).is_err());
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        let _ = VaultRecord::decode(&bytes, &Hash::ZERO);
    }

    #[test]
    fn sealed_texts_open_in_their_place_only(text: Vec<u8>, at: prop::sample::Index) {
        let (genesis, here) = (Hash::of(b"genesis"), place(&Hash::of(b"s"), Some(&Hash::of(b"d"))));
        let [key, another] = [1, 2].map(|byte| VaultKey::new(&[byte; 32], &genesis));
        let mut sealed = key.seal(&here, &text);
        prop_assert_eq!((sealed.len() - 16) % PADDING, 0);
        let opened = key.open(&here, &sealed).expect("opens");
        prop_assert_eq!(&*opened, &text);
        prop_assert_eq!(another.open(&here, &sealed), Err(DoesNotOpen));
        let elsewhere = place(&Hash::of(b"s"), None);
        prop_assert_eq!(key.open(&elsewhere, &sealed), Err(DoesNotOpen));
        let at = at.index(sealed.len());
        sealed[at] ^= 1;
        prop_assert_eq!(key.open(&here, &sealed), Err(DoesNotOpen));
    }
}

/// What is encrypted in its place reads as if it had been encrypted first, and the memory set aside is enough.
#[test]
fn a_record_is_written_in_its_place() {
    let (genesis, leaf, statement) = (Hash::of(b"genesis"), Hash::of(b"leaf"), Hash::of(b"H.P.S"));
    let agency = AgencyCode::parse("ods:RX1").expect("a code");
    let key = VaultKey::new(&[5; 32], &genesis);
    let texts: [&[u8]; 3] = [b"", b"a disclosure", &[7; 600]];
    let lengths = texts.iter().map(|text| text.len());
    let mut record = sample(b"", false);
    let mut framing = Framing::new(&record.publisher, 7, &record.event_type, lengths.chain([5]));
    let set_aside = framing.bytes_set_aside();
    let at = place(&statement, None);
    framing.statement(&[3; 16], &agency, &key, &at, b"H.P.S");
    record.statement = StatementBlob::Sealed { owner: [3; 16], agency, bytes: key.seal(&at, b"H.P.S") };
    record.disclosures.clear();
    for text in texts {
        let digest = Hash::of(text);
        let at = place(&statement, Some(&digest));
        framing.disclosure(&[4; 16], &digest, &key, &at, text);
        record.disclosures.push(DisclosureBlob { owner: [4; 16], digest, bytes: key.seal(&at, text) });
    }
    let framed = framing.close().finish(&leaf);
    assert!(framed.len() <= set_aside, "{} of {set_aside}", framed.len());
    assert_eq!(framed, record.encode(&leaf));
    assert_eq!(VaultRecord::decode(&framed, &leaf), Ok((record, framed.len())));
}

/// As FORMATS section 7 says, by the reference implementation's value.
#[test]
fn a_checksum_is_what_other_implementations_work_out() {
    let body: Vec<u8> = (0..=250).cycle().take(6000).collect();
    for (bytes, expected) in [
        (0, 0x99aa_06d3_0147_98d8_6001_c324_468d_497f_u128),
        (9, 0x16c7_69d8_3e4a_ebce_9079_3197_9dca_3746),
        (100, 0xda95_ef16_fd95_66f3_29b2_0ba5_f03e_c01e),
        (200, 0xcb03_9531_0643_ba0e_dd97_e9af_3609_d9f5),
        (6000, 0xb0a2_4bdc_b09e_a448_a860_0c53_152c_a7fb),
    ] {
        assert_eq!(of_body(&body[..bytes]), expected, "{bytes} bytes");
    }
    let leaf = Hash::from_bytes([0x0f; 32]);
    let turned = 0x96a5_09dc_0e48_97d7_6f0e_cc2b_4982_4670_u128;
    assert_eq!(in_place(&leaf, of_body(b"")), turned.to_be_bytes());
}

/// The same record in the version before, whose checksum is SHA-256.
fn with_sha_256(record: &VaultRecord, leaf: &Hash) -> Vec<u8> {
    let mut bytes = record.encode(leaf);
    bytes.truncate(bytes.len() - CHECKSUM);
    bytes[4] = WITH_SHA_256;
    let sum = Hash::of_parts(&[b"gt/vault-record/1\0", leaf.as_bytes(), &bytes[4..]]);
    bytes.extend_from_slice(sum.as_bytes());
    bytes
}

#[test]
fn a_record_of_another_entry_is_noticed() {
    let (one, two, record) = (Hash::of(b"one"), Hash::of(b"two"), sample(b"x", true));
    for bytes in [record.encode(&one), with_sha_256(&record, &one)] {
        assert_eq!(VaultRecord::decode(&bytes, &one), Ok((record.clone(), bytes.len())));
        assert_eq!(VaultRecord::decode(&bytes, &two), Err(VaultError::Checksum));
        assert_eq!(VaultRecord::decode(&bytes[..bytes.len() - 1], &one), Err(VaultError::CutOff));
        for (at, version) in (0..bytes.len()).zip([0, 1, 2, 3].into_iter().cycle()) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(VaultRecord::decode(&damaged, &one).is_err(), "byte {at}");
            damaged.clone_from(&bytes);
            damaged[4] = version;
            let read = VaultRecord::decode(&damaged, &one);
            assert_eq!(read.is_ok(), version == bytes[4], "version {version}");
            if [0, 3].contains(&version) {
                assert_eq!(read, Err(VaultError::UnknownVersion { version }));
            }
        }
    }
}
