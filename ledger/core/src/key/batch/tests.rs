use super::*;
use crate::key::PrivateKey;
use crate::key::prepared::tests::forbidden_spellings;
use curve25519_dalek::constants::EIGHT_TORSION;
use proptest::prelude::*;
use sha2::{Digest, Sha512};

/// More than are worth checking together.
const MANY: usize = WORTH_IT + 50;

/// A signature with all that it is over, and by which key.
#[derive(Clone)]
struct Case {
    key: PublicKey,
    message: Vec<u8>,
    signature: [u8; 64],
}

impl Case {
    fn signed(&self) -> Signed<'_> {
        Signed { key: &self.key, message: &self.message, signature: &self.signature }
    }

    /// Signed by the holder of the secret scalar, who knows R = r·B + `of_r`: the equation lacks exactly `of_r`.
    fn crafted(a: &Scalar, r: &Scalar, of_r: EdwardsPoint, message: &[u8]) -> Self {
        let key = PublicKey::from_bytes(EdwardsPoint::mul_base(a).compress().as_bytes()).expect("a key");
        let encoded = (EdwardsPoint::mul_base(r) + of_r).compress().to_bytes();
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&encoded);
        let mut case = Self { key, message: message.to_vec(), signature };
        let s = r + challenge(&encoded, &case.signed()) * a;
        case.signature[32..].copy_from_slice(s.as_bytes());
        case
    }
}

fn valid(count: usize) -> Vec<Case> {
    let privates: Vec<PrivateKey> = (1..6).map(|seed| PrivateKey::from_seed(&[seed; 32])).collect();
    let case = |at: usize| {
        let (private, message) = (&privates[at % 5], at.to_be_bytes().to_vec());
        Case { key: private.public(), signature: private.sign(&message), message }
    };
    (0..count).map(case).collect()
}

/// Bytes that follow from a seed: so a run can be repeated.
fn drawn(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut turn = 0_u64;
    move |bytes| {
        for chunk in bytes.chunks_mut(64) {
            let block =
                Sha512::new().chain_update(seed.to_le_bytes()).chain_update(turn.to_le_bytes()).finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
            turn += 1;
        }
    }
}

/// Whether a batch of these holds. What is told at once must be what `verify` says.
fn batch_holds(cases: &[Case], seed: u64) -> bool {
    let mut batch = SignatureBatch::new();
    let mut holds = true;
    for case in cases {
        if let Some(verdict) = batch.add(&case.signed()) {
            assert_eq!(verdict, case.key.verify(&case.message, &case.signature));
            holds &= verdict.is_ok();
        }
    }
    batch.close(&mut drawn(seed)) && holds
}

/// A batch holds just if each signature does by itself.
fn agreed(cases: &[Case], seed: u64) -> bool {
    let each = cases.iter().all(|case| case.key.verify(&case.message, &case.signature).is_ok());
    assert_eq!(batch_holds(cases, seed), each);
    each
}

#[test]
fn valid_signatures_hold_together_and_a_batch_begins_anew() {
    let cases = valid(MANY);
    assert!(agreed(&cases, 1));
    let mut batch = SignatureBatch::new();
    assert!(batch.close(&mut |_| unreachable!("there is nothing to draw for")));
    let mut altered = cases.clone();
    altered[7].message.push(0);
    for (cases, holds) in [(&altered, false), (&cases, true), (&altered, false)] {
        for case in cases {
            assert_eq!(batch.add(&case.signed()), None);
        }
        assert_eq!(batch.close(&mut drawn(2)), holds);
    }
}

#[test]
fn so_few_that_each_is_checked_sooner_by_itself_are_left_to_the_caller() {
    assert!(!batch_holds(&valid(WORTH_IT - 1), 1));
    assert!(batch_holds(&valid(WORTH_IT), 1));
}

/// R of mixed order, whose parts of small order cancel each other in the sum of all: in pairs, and in eights.
#[test]
fn parts_of_small_order_that_cancel_each_other_do_not_pass() {
    for torsion in EIGHT_TORSION {
        for (parts, together) in [(vec![torsion, -torsion], 2), (vec![torsion; 8], 8)] {
            let mut cases = valid(MANY);
            for (at, part) in parts.iter().enumerate() {
                let (a, r) = (Scalar::from(5 + at as u64), Scalar::from(1_000 + at as u64));
                cases.push(Case::crafted(&a, &r, *part, b"one of several"));
            }
            assert_eq!(cases.len(), MANY + together);
            for seed in 0..4 {
                assert_eq!(agreed(&cases, seed), torsion == EdwardsPoint::identity());
            }
        }
    }
}

/// The same with every signature of a batch, so that each z meets a part of small order.
#[test]
fn parts_of_small_order_everywhere_do_not_pass() {
    let part = EIGHT_TORSION[4];
    let craft = |at: u64| Case::crafted(&Scalar::from(7_u8), &Scalar::from(50 + at), part, &at.to_le_bytes());
    let cases: Vec<Case> = (0..MANY as u64).map(craft).collect();
    for seed in 0..16 {
        assert!(!agreed(&cases, seed));
    }
}

/// Keys of mixed order go their own way, and hold just where they do by themselves.
#[test]
fn keys_of_mixed_order_are_told_at_once() {
    let (a, mut held) = (Scalar::from(77_u8), 0);
    for (at, torsion) in EIGHT_TORSION.iter().enumerate() {
        let point = EdwardsPoint::mul_base(&a) + torsion;
        let key = PublicKey::from_bytes(point.compress().as_bytes()).expect("its order is large");
        for round in 0..16_u64 {
            let mut case = Case::crafted(&a, &Scalar::from(9 + round), EIGHT_TORSION[at], b"mixed");
            case.key = key.clone();
            let r: [u8; 32] = case.signature[..32].try_into().expect("32 bytes");
            let s = Scalar::from(9 + round) + challenge(&r, &case.signed()) * a;
            case.signature[32..].copy_from_slice(s.as_bytes());
            let mut batch = SignatureBatch::new();
            let verdict = batch.add(&case.signed());
            assert_eq!(verdict.is_none(), *torsion == EdwardsPoint::identity());
            held += u32::from(verdict == Some(Ok(())));
            agreed(&[valid(MANY), vec![case]].concat(), round);
        }
    }
    assert!(held > 0, "the torsion of some k·A is that of R");
}

/// R of small order and in spellings that RFC 8032 forbids, with an s that makes the equation hold where one can.
#[test]
fn r_of_small_order_or_not_canonical_is_refused_at_once() {
    let a = Scalar::from(5_u8);
    let mut batch = SignatureBatch::new();
    for spelling in forbidden_spellings() {
        let mut case = Case::crafted(&a, &Scalar::ZERO, EdwardsPoint::identity(), b"message");
        case.signature[..32].copy_from_slice(&spelling);
        let s = challenge(&spelling, &case.signed()) * a;
        case.signature[32..].copy_from_slice(s.as_bytes());
        assert_eq!(batch.add(&case.signed()), Some(Err(BadSignature)), "{spelling:?}");
        assert!(case.key.verify(&case.message, &case.signature).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_altered_bit_anywhere_is_noticed(at in 0..MANY, bit in 0_usize..512, seed: u64) {
        let mut cases = valid(MANY);
        cases[at].signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!agreed(&cases, seed));
    }

    #[test]
    fn exchanged_signatures_are_noticed(one in 0..MANY, other in 0..MANY, seed: u64) {
        let mut cases = valid(MANY);
        (cases[one].signature, cases[other].signature) = (cases[other].signature, cases[one].signature);
        prop_assert_eq!(agreed(&cases, seed), one == other);
    }

    #[test]
    fn r_is_read_just_if_it_is_in_its_one_spelling_and_of_large_order(mut bytes: [u8; 32], edge in 0_u8..4) {
        if edge == 0 {
            bytes[1..31].fill(0xFF);
            bytes[31] |= 0x7F;
        }
        let point = CompressedEdwardsY(bytes).decompress();
        let read = point.is_some() && is_reduced(&bytes) && !is_of_small_order(&bytes);
        let may_hold = point.is_some_and(|point| point.compress().to_bytes() == bytes && !point.is_small_order());
        prop_assert_eq!(read, may_hold);
    }

    #[test]
    fn sums_by_bits_are_the_sum_of_all(zs: Vec<[u8; 16]>) {
        let mut batch = SignatureBatch::new();
        let cases = valid(zs.len());
        for case in &cases {
            assert_eq!(batch.add(&case.signed()), None);
        }
        let expected: EdwardsPoint = batch.claims.iter().zip(&zs).map(|(claim, z)| {
            let mut bytes = [0; 32];
            bytes[..Z].copy_from_slice(z);
            claim.r * Scalar::from_bytes_mod_order(bytes)
        }).sum();
        prop_assert_eq!(batch.sum_of_rs(&zs), Some(expected));
    }
}
