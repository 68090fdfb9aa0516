use super::*;
use crate::key::PrivateKey;
use curve25519_dalek::constants::EIGHT_TORSION;
use proptest::prelude::*;

/// ℓ, the order of the base point.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn prepared(key: &PublicKey) -> KeyMultiples {
    let multiples = PreparedKeys::new(4).expect(std::iter::repeat_n(key, WORTH_IT as usize));
    assert!(multiples.0.contains_key(key.as_bytes()), "or the test compares a function with itself");
    multiples
}

/// Both checks say the same, also in company; returns what they say.
fn agreed(keys: &KeyMultiples, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let strict = key.verify(message, signature);
    let (one, altered) = (Signed { key, message, signature }, [message, b"!"].concat());
    let other = Signed { message: &altered, ..one };
    let of_other = key.verify(&altered, signature);
    let verdicts = keys.verify(&[one, other, one]);
    assert_eq!(verdicts, [strict, of_other, strict], "message {message:?}, signature {signature:?}");
    assert_eq!(keys.verify(&[one]), [strict]);
    strict.is_ok()
}

fn joined(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(r);
    signature[32..].copy_from_slice(s);
    signature
}

fn challenge(r: &[u8; 32], key: &PublicKey, message: &[u8]) -> Scalar {
    Scalar::from_hash(Sha512::new().chain_update(r).chain_update(key.as_bytes()).chain_update(message))
}

/// Adds ℓ, which makes S another spelling of the same scalar.
fn plus_order(s: &[u8; 32]) -> [u8; 32] {
    let (mut sum, mut carry) = ([0; 32], 0);
    for (at, (a, b)) in s.iter().zip(ORDER).enumerate() {
        carry += u16::from(*a) + u16::from(b);
        sum[at] = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    sum
}

/// A signature by the secret scalar `a` of a key A = a·B + `torsion`, with the nonce `r` and R = r·B + `of_r`; a plain verifier
/// accepts it where the torsion cancels.
fn crafted(a: &Scalar, key: &PublicKey, r: &Scalar, of_r: EdwardsPoint, message: &[u8]) -> [u8; 64] {
    let encoded = (EdwardsPoint::mul_base(r) + of_r).compress().to_bytes();
    let s = r + challenge(&encoded, key, message) * a;
    joined(&encoded, s.as_bytes())
}

/// A key with a part of small order, which is not of small order itself and so is none that is refused.
fn mixed_key(a: &Scalar, torsion: EdwardsPoint) -> PublicKey {
    let point = EdwardsPoint::mul_base(a) + torsion;
    PublicKey::from_bytes(point.compress().as_bytes()).expect("canonical, and its order is large")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn valid_and_altered_signatures(seed: [u8; 32], message: Vec<u8>, others: Vec<u8>, bit in 0_usize..512) {
        let private = PrivateKey::from_seed(&seed);
        let (key, signature) = (private.public(), private.sign(&message));
        let keys = prepared(&key);
        prop_assert!(agreed(&keys, &key, &message, &signature));
        prop_assert_eq!(agreed(&keys, &key, &others, &signature), others == message);
        let mut altered = signature;
        altered[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!agreed(&keys, &key, &message, &altered));
        let (r, s) = (signature[..32].try_into().unwrap(), signature[32..].try_into().unwrap());
        prop_assert!(!agreed(&keys, &key, &message, &joined(&r, &plus_order(&s))));
    }

    #[test]
    fn whatever_64_bytes_say(seed: [u8; 32], message: Vec<u8>, r: [u8; 32], s: [u8; 32], reduce: bool) {
        let key = PrivateKey::from_seed(&seed).public();
        let s = if reduce { Scalar::from_bytes_mod_order(s).to_bytes() } else { s };
        prop_assert!(!agreed(&prepared(&key), &key, &message, &joined(&r, &s)));
    }

    /// Of keys and R of mixed order, those that hold without the cofactor hold, and no others.
    #[test]
    fn mixed_orders(a: [u8; 32], r: [u8; 32], of_key in 0_usize..8, of_r in 0_usize..8, message: Vec<u8>) {
        let (a, r) = (Scalar::from_bytes_mod_order(a), Scalar::from_bytes_mod_order(r));
        let key = mixed_key(&a, EIGHT_TORSION[of_key]);
        let signature = crafted(&a, &key, &r, EIGHT_TORSION[of_r], &message);
        let encoded = signature[..32].try_into().unwrap();
        let k = challenge(&encoded, &key, &message);
        // s·B − k·A = r·B − k·torsion, and R = r·B + of_r.
        let cancels = EIGHT_TORSION[of_r] + EIGHT_TORSION[of_key] * k == EdwardsPoint::identity();
        prop_assert_eq!(agreed(&prepared(&key), &key, &message, &signature), cancels);
    }

    /// R of small order, in its canonical encoding, with an s that makes the equation hold.
    #[test]
    fn small_r(a: [u8; 32], of_key in 0_usize..8, of_r in 0_usize..8, message: Vec<u8>) {
        let a = Scalar::from_bytes_mod_order(a);
        let key = mixed_key(&a, EIGHT_TORSION[of_key]);
        let signature = crafted(&a, &key, &Scalar::ZERO, EIGHT_TORSION[of_r], &message);
        prop_assert!(!agreed(&prepared(&key), &key, &message, &signature));
    }

    #[test]
    fn multiples_add_up(scalar: [u8; 32], width in 2_u32..9) {
        let scalar = Scalar::from_bytes_mod_order(scalar);
        let widths = [(width, 1), (3, KEY_SPREAD), (KEY_WIDTH, KEY_SPREAD), (KEY_WIDTH, 2)];
        for scalar in [scalar, -Scalar::ONE, Scalar::ZERO, Scalar::ONE, Scalar::from(1_u64 << 6), Scalar::from(1_u64 << 13)] {
            for (width, spread) in widths {
                let multiples = Multiples::of(ED25519_BASEPOINT_POINT, width, spread);
                let sum = Terms::<127>::of(&multiples, &scalar).sum(width);
                prop_assert_eq!(sum, EdwardsPoint::mul_base(&scalar));
            }
        }
    }
}

/// The points of small order, and encodings of y from p to 2^255 − 1, which RFC 8032 forbids; all with either sign.
pub(in crate::key) fn forbidden_spellings() -> Vec<[u8; 32]> {
    let mut spellings: Vec<[u8; 32]> =
        EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
    for low in 0xED_u8..=0xFF {
        let mut y = [0xFF; 32];
        (y[0], y[31]) = (low, 0x7F);
        spellings.push(y);
    }
    let signs = |mut y: [u8; 32]| {
        let one = y;
        y[31] ^= 0x80;
        [one, y]
    };
    spellings.into_iter().flat_map(signs).collect()
}

/// R spelt as RFC 8032 forbids, and the points of small order.
#[test]
fn r_that_is_not_canonical() {
    let private = PrivateKey::from_seed(&[9; 32]);
    let (key, a) = (private.public(), Scalar::from_bytes_mod_order([5; 32]));
    let other = mixed_key(&a, EdwardsPoint::identity());
    for r in forbidden_spellings() {
        for key in [&key, &other] {
            let keys = prepared(key);
            for message in [b"".as_slice(), b"one", b"two", b"three", b"four"] {
                let s = challenge(&r, key, message) * a;
                for s in [s.to_bytes(), [0; 32], ORDER, plus_order(s.as_bytes()), [0xFF; 32]] {
                    assert!(!agreed(&keys, key, message, &joined(&r, &s)));
                }
            }
        }
    }
}

#[test]
fn the_keys_that_are_used_are_the_ones_prepared() {
    let keys: Vec<PublicKey> = (0..3).map(|seed| PrivateKey::from_seed(&[seed; 32]).public()).collect();
    let mut prepared = PreparedKeys::new(2);
    let often = |key: usize| std::iter::repeat_n(&keys[key], WORTH_IT as usize);
    let held = |prepared: &PreparedKeys| -> Vec<bool> {
        keys.iter().map(|key| prepared.multiples.0.contains_key(key.as_bytes())).collect()
    };
    prepared.expect(often(0).skip(1));
    assert_eq!(held(&prepared), [false, false, false], "not worth it yet");
    prepared.expect(often(0).take(1).chain(often(1)));
    assert_eq!(held(&prepared), [true, true, false]);
    prepared.expect(often(0).chain(often(1)).chain(often(2)));
    assert_eq!(held(&prepared), [true, true, false], "none makes room that is in use");
    prepared.expect(often(1));
    prepared.expect(often(2));
    assert_eq!(held(&prepared), [false, true, true], "the one used least lately made room");
}

#[test]
fn each_signature_has_a_verdict_of_its_own() {
    let privates: Vec<PrivateKey> = (1..4).map(|seed| PrivateKey::from_seed(&[seed; 32])).collect();
    let publics: Vec<PublicKey> = privates.iter().map(PrivateKey::public).collect();
    // The last key is not prepared.
    let announced = publics[..2].iter().flat_map(|key| std::iter::repeat_n(key, WORTH_IT as usize));
    let keys = PreparedKeys::new(2).expect(announced);
    let messages: Vec<Vec<u8>> = (0..40_u8).map(|at| vec![at; usize::from(at)]).collect();
    let signatures: Vec<[u8; 64]> =
        messages.iter().enumerate().map(|(at, message)| privates[at % 3].sign(message)).collect();
    let broken = |at: usize| at.is_multiple_of(5);
    let signed: Vec<Signed<'_>> = (0..40)
        .map(|at| Signed {
            key: &publics[at % 3],
            message: &messages[at],
            signature: &signatures[if broken(at) { (at + 3) % 40 } else { at }],
        })
        .collect();
    let expected: Vec<_> = (0..40).map(|at| if broken(at) { Err(BadSignature) } else { Ok(()) }).collect();
    assert_eq!(keys.verify(&signed), expected);
    assert_eq!(keys.verify(&[]), []);
}
