use super::*;
use crate::checkpoint::SignedCheckpoint;
use crate::note::{KeyNameError, NoteSigner};
use crate::position::TreeSize;
use crate::prove::{self, MemoryTiles};
use crate::time::Timestamp;
use proptest::prelude::*;

const ORIGIN: &str = "ledger.example/first";

fn entries(count: u64) -> Vec<Entry> {
    let mut made: Vec<Entry> = Vec::new();
    for index in 0..count {
        made.push(Entry {
            index: LeafIndex(index),
            prev: made.last().map_or(Hash::ZERO, Entry::leaf_hash),
            received_at: Timestamp::from_millis(1_780_000_000_000).expect("in range"),
            registry: index.min(1),
            links: Vec::new(),
            statement: Hash::of(&index.to_be_bytes()),
        });
    }
    made
}

fn receipt(index: u64, size: u64) -> Receipt {
    let entries = entries(size);
    let mut tiles = MemoryTiles::new();
    for entry in &entries {
        tiles.push(entry.leaf_hash());
    }
    let root = prove::root(&tiles, TreeSize(size)).expect("in memory");
    let checkpoint = Checkpoint::new(ORIGIN, TreeSize(size), root).expect("sound");
    let signer = NoteSigner::new(ORIGIN, &[1; 32]).expect("a good name");
    let checkpoint = SignedCheckpoint::sign(checkpoint, &[&signer]).expect("sound");
    let path = prove::inclusion(&tiles, LeafIndex(index), TreeSize(size)).expect("in memory").path;
    let extra = entries.iter().find(|entry| entry.index.0 == index).map(Entry::to_bytes);
    Receipt { extra, index: LeafIndex(index), path, checkpoint }
}

fn pin() -> Pin {
    let signer = NoteSigner::new(ORIGIN, &[1; 32]).expect("a good name");
    let genesis = Some(entries(1)[0].leaf_hash());
    Pin { origin: ORIGIN.into(), verifier_keys: vec![signer.verifier_key().clone()], genesis }
}

fn held(index: u64) -> Hash {
    Hash::of(&index.to_be_bytes())
}

fn fault(receipt: &Receipt, statement: Hash, pin: &Pin) -> &'static str {
    verify_receipt(receipt, Some(statement), pin).expect_err("must not hold").code()
}

#[test]
fn every_entry_of_a_small_log_has_a_receipt_that_holds() {
    for index in 0..9 {
        let verdict = verify_receipt(&receipt(index, 9), Some(held(index)), &pin()).expect("holds");
        assert_eq!((verdict.entry.index, verdict.checkpoint.size()), (LeafIndex(index), TreeSize(9)));
        assert_eq!(verdict.signed_by, pin().verifier_keys);
        assert!(verdict.statement_compared);
    }
    assert!(!verify_receipt(&receipt(3, 9), None, &pin()).expect("holds").statement_compared);
}

#[test]
fn each_thing_that_is_pinned_or_held_is_compared() {
    let good = receipt(5, 9);
    assert_eq!(fault(&good, held(4), &pin()), "other_statement");
    assert_eq!(fault(&good, held(5), &Pin { origin: "ledger.example".into(), ..pin() }), "other_origin");
    assert_eq!(fault(&good, held(5), &Pin { verifier_keys: vec![], ..pin() }), "checkpoint_not_signed");
    assert_eq!(fault(&Receipt { extra: None, ..good.clone() }, held(5), &pin()), "entry_absent");
    let broken = Receipt { extra: Some(b"{}".to_vec()), ..good.clone() };
    assert_eq!(fault(&broken, held(5), &pin()), "entry_member");
    let moved = Receipt { index: LeafIndex(4), ..good.clone() };
    assert_eq!(fault(&moved, held(5), &pin()), "index_differs");
    let swapped = Receipt { extra: receipt(4, 9).extra, index: LeafIndex(4), ..good.clone() };
    assert_eq!(fault(&swapped, held(4), &pin()), "not_included");
    let shortened = Receipt { path: good.path[1..].to_vec(), ..good.clone() };
    assert_eq!(fault(&shortened, held(5), &pin()), "inclusion_path_length");
    let early = Receipt { checkpoint: receipt(0, 5).checkpoint, ..good };
    assert_eq!(fault(&early, held(5), &pin()), "index_outside_tree");
}

#[test]
fn another_genesis_is_noticed_where_the_receipt_shows_it() {
    let other = Pin { genesis: Some(Hash::of(b"another ledger")), ..pin() };
    assert_eq!(fault(&receipt(0, 9), held(0), &other), "other_genesis");
    assert_eq!(fault(&receipt(1, 9), held(1), &other), "other_genesis");
    assert!(verify_receipt(&receipt(2, 9), Some(held(2)), &other).is_ok());
    assert!(verify_receipt(&receipt(0, 9), Some(held(0)), &Pin { genesis: None, ..pin() }).is_ok());
}

proptest! {
    #[test]
    fn any_changed_byte_is_found(at: prop::sample::Index, mask in 1_u8..=255) {
        let mut bytes = receipt(5, 9).to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let holds = Receipt::parse(&bytes)
            .is_ok_and(|receipt| verify_receipt(&receipt, Some(held(5)), &pin()).is_ok());
        prop_assert!(!holds);
    }
}

#[test]
fn what_needs_no_pin_is_compared_without_one() {
    let good = receipt(5, 9);
    assert_eq!(check_unpinned_receipt(&good, Some(held(5))), Ok(()));
    assert_eq!(check_unpinned_receipt(&good, None), Ok(()));
    let alone = |receipt: &Receipt, statement| {
        check_unpinned_receipt(receipt, Some(statement)).expect_err("must not hold").code()
    };
    assert_eq!(alone(&good, held(4)), "other_statement");
    let swapped = Receipt { extra: receipt(4, 9).extra, index: LeafIndex(4), ..good.clone() };
    assert_eq!(alone(&swapped, held(4)), "not_included");
    assert_eq!(alone(&Receipt { extra: None, ..good }, held(5)), "entry_absent");
}

#[test]
fn keys_that_can_pin_no_ledger_are_named() {
    let of = |make: fn(&str, &[u8; 32]) -> Result<NoteSigner, KeyNameError>, name: &str| {
        make(name, &[1; 32]).expect("a good name").verifier_key().clone()
    };
    let (ed25519, ml_dsa) = (of(NoteSigner::new, ORIGIN), of(NoteSigner::ml_dsa, ORIGIN));
    let both = [ml_dsa.clone(), ed25519.clone()];
    assert_eq!(check_pinned_keys(ORIGIN, &both), Ok(()));
    assert_eq!(check_pinned_keys(ORIGIN, &both[1..]), Ok(()));
    let other = PinnedKeysError::Name { position: 1, name: ORIGIN.into(), origin: "ledger.example".into() };
    assert_eq!(check_pinned_keys("ledger.example", &both), Err(other));
    let witness = [ed25519, of(NoteSigner::cosigner, ORIGIN)];
    let kind = SignatureType::Ed25519Cosignature;
    assert_eq!(check_pinned_keys(ORIGIN, &witness), Err(PinnedKeysError::Type { position: 2, kind }));
    assert!(PinnedKeysError::Type { position: 2, kind }.to_string().contains("(type 0x04)"));
    for keys in [&[ml_dsa][..], &[]] {
        assert_eq!(check_pinned_keys(ORIGIN, keys), Err(PinnedKeysError::NoEd25519));
    }
}
