use super::*;
use crate::note::NoteSigner;
use crate::prove::{self, MemoryTiles};
use crate::tree::leaf_hash;
use proptest::prelude::*;

const ORIGIN: &str = "ledger.example/first";

fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new(ORIGIN, &[seed; 32]).expect("a good name")
}

fn pin() -> Pin {
    Pin { origin: ORIGIN.into(), verifier_keys: vec![signer(1).verifier_key().clone()], genesis: None }
}

/// A log whose entries differ from those of another `history` from entry `parts` on.
fn log(history: u64, parts: u64, size: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    for index in 0..size {
        let of = if index < parts { 0 } else { history };
        tiles.push(leaf_hash(format!("{of} {index}").as_bytes()));
    }
    tiles
}

fn head(tiles: &MemoryTiles, size: u64, seed: u8) -> SignedCheckpoint {
    let root = prove::root(tiles, TreeSize(size)).expect("in memory");
    let checkpoint = Checkpoint::new(ORIGIN, TreeSize(size), root).expect("sound");
    SignedCheckpoint::sign(checkpoint, &[&signer(seed)]).expect("sound")
}

/// What shows that one history had `first` entries and the other `second`, parting at entry `parts`.
fn evidence(parts: u64, first: u64, second: u64) -> ForkEvidence {
    let (one, other) = (log(1, parts, first), log(2, parts, second));
    let beginning = (first < second).then(|| Beginning {
        root: prove::root(&other, TreeSize(first)).expect("in memory"),
        proof: prove::consistency(&other, TreeSize(first), TreeSize(second)).expect("in memory"),
    });
    ForkEvidence { first: head(&one, first, 1), second: head(&other, second, 1), beginning }
}

fn fault(evidence: &ForkEvidence) -> &'static str {
    evidence.verify(&pin()).expect_err("proves nothing").code()
}

#[test]
fn two_histories_are_proven_at_one_size_and_at_two() {
    for (parts, first, second) in [(0, 1, 1), (3, 7, 7), (3, 4, 300), (255, 256, 300), (6, 7, 8)] {
        let evidence = evidence(parts, first, second);
        let verdict = evidence.verify(&pin()).expect("proven");
        assert_eq!((verdict.differ_at, verdict.origin.as_str()), (TreeSize(first), ORIGIN));
        assert_eq!(
            (&verdict.first, &verdict.second),
            (evidence.first.checkpoint(), evidence.second.checkpoint())
        );
        assert_eq!(verdict.first_signed_by, pin().verifier_keys);
        assert_eq!(verdict.second_signed_by, pin().verifier_keys);
        assert_ne!(verdict.other_root, verdict.first.root());
    }
}

#[test]
fn one_history_at_any_two_sizes_proves_nothing() {
    for (first, second) in [(1, 1), (7, 7), (3, 7), (256, 300)] {
        assert_eq!(fault(&evidence(1000, first, second)), "fork_same_history", "{first} {second}");
    }
    // Every log begins with the empty tree, so a checkpoint of size 0 contradicts none.
    let mut empty = evidence(0, 0, 5);
    assert_eq!(fault(&empty), "fork_same_history");
    empty.beginning.as_mut().expect("two sizes").root = Hash::ZERO;
    assert_eq!(fault(&empty), "fork_not_proven");
}

#[test]
fn what_is_not_as_section_13_has_it_proves_nothing() {
    let good = evidence(3, 5, 9);
    let same_size = evidence(3, 5, 5);
    let swapped = ForkEvidence { first: good.second.clone(), second: good.first.clone(), ..good.clone() };
    assert_eq!(fault(&swapped), "fork_order");
    assert_eq!(fault(&ForkEvidence { beginning: None, ..good.clone() }), "fork_beginning");
    assert_eq!(fault(&ForkEvidence { beginning: good.beginning.clone(), ..same_size }), "fork_beginning");
    let stranger = ForkEvidence { second: head(&log(2, 3, 9), 9, 2), ..good.clone() };
    assert_eq!(fault(&stranger), "checkpoint_not_signed");
    let elsewhere = Pin { origin: "ledger.example/second".into(), ..pin() };
    assert_eq!(good.verify(&elsewhere).expect_err("another ledger's").code(), "other_origin");
    let grown_from = |proof: ConsistencyProof| {
        let root = good.beginning.as_ref().expect("two sizes").root;
        ForkEvidence { beginning: Some(Beginning { root, proof }), ..good.clone() }
    };
    let proof = good.beginning.as_ref().expect("two sizes").proof.clone();
    assert_eq!(
        fault(&grown_from(ConsistencyProof { from: TreeSize(4), ..proof.clone() })),
        "fork_not_proven"
    );
    assert_eq!(fault(&grown_from(ConsistencyProof { path: Vec::new(), ..proof })), "fork_not_proven");
    // Any other root could be claimed for the second history, so the proof must lead from it.
    let mut claimed = good.clone();
    claimed.beginning.as_mut().expect("two sizes").root = Hash::ZERO;
    assert_eq!(fault(&claimed), "fork_not_proven");
}

#[test]
fn what_is_too_long_is_not_read() {
    let mut text = evidence(3, 5, 9).to_json();
    text.push_str(&" ".repeat(MAX_FORK_LEN - text.len()));
    assert!(ForkEvidence::parse(text.as_bytes()).is_ok());
    text.push(' ');
    assert_eq!(ForkEvidence::parse(text.as_bytes()).map_err(|error| error.code()), Err("fork_too_long"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn evidence_round_trips(parts in 0_u64..40, first in 1_u64..40, more in 0_u64..40) {
        let evidence = evidence(parts, first, first + more);
        let text = evidence.to_json();
        prop_assert!(text.len() <= MAX_FORK_LEN);
        prop_assert_eq!(ForkEvidence::parse(text.as_bytes()), Ok(evidence.clone()));
        prop_assert_eq!(evidence.verify(&pin()).is_ok(), parts < first);
    }

    #[test]
    fn any_changed_byte_proves_nothing_else(at: prop::sample::Index, mask in 1_u8..=255) {
        let evidence = evidence(3, 5, 9);
        let mut bytes = evidence.to_json().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let proven = ForkEvidence::parse(&bytes).ok().filter(|changed| changed.verify(&pin()).is_ok());
        // A space for a comma is refused, but another escape of the same character would be the same evidence.
        prop_assert!(proven.is_none_or(|same| same == evidence));
    }
}
