//! The signatures of a batch by one equation: for whoever checks a whole log.
//!
//! Of each signature (R, s) by a key A over a message, with k as RFC 8032 says, let D = s·B − k·A − R. It holds if and only if D is the
//! neutral point, R is in its one spelling, and R's order is not small; what is not spelt so is refused at once. A batch draws a
//! number z of 128 bits for each signature, which nobody who made the signatures can foresee, and holds if
//!
//! 1. of each bit of the z's, the sum of those R whose z has that bit has no part of small order, and
//! 2. Σ z·D is the neutral point.
//!
//! If all signatures hold, a batch holds: B and the keys in it have no part of small order, so neither have the R. **If one does not, the
//! batch holds with a probability of at most 2^−128**, whatever was signed, by whichever keys. Either some R has a part T of small
//! order: then of the two values that a bit of its z can have, given all else, at most one makes that sum's part vanish, since they
//! differ by T; and there are 128 bits, drawn independently. Or none has: then all D are in the group of prime order ℓ, some D is not
//! neutral, and given all else at most one z below ℓ makes the sum vanish. This is what the usual batch equation lacks, where parts of
//! small order cancel each other with a probability of 1/8 or more, or are multiplied away.
//!
//! Both take the same additions: the sums of (1), times powers of two, are Σ z·R.

use core::fmt;
use std::collections::HashMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity, VartimeMultiscalarMul};

use super::prepared::{SMALL_ORDER, challenge};
use super::{BadSignature, PublicKey, Signed};

/// Bytes of a z.
const Z: usize = 16;
/// Fewer signatures are sooner checked one by one.
const WORTH_IT: usize = 128;
/// So many keys are remembered from batch to batch, 200 bytes each.
const MOST_KEYS: usize = 1 << 14;

/// Signatures that are checked together, some thousands at a time, in about a quarter of the time that they would take one by one.
///
/// It tells what [`PublicKey::verify`] would of each, except that a batch holds although it should not with a probability of 2^−128.
/// It is not done in constant time, and needs not be: nothing in a signature check is secret.
#[derive(Default)]
pub struct SignatureBatch {
    /// Which of `points` a key is; none if it has a part of small order.
    keys: HashMap<[u8; 32], Option<usize>>,
    points: Vec<EdwardsPoint>,
    claims: Vec<Claim>,
}

/// What is said of a signature: that s·B − k·A is R.
struct Claim {
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
    /// Which of the batch's keys A is.
    key: usize,
}

impl SignatureBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a signature. `None` if it holds just if its batch does; what can be told at once is told, and is no part of the batch.
    pub fn add(&mut self, signed: &Signed<'_>) -> Option<Result<(), BadSignature>> {
        let Some(key) = self.key(signed.key) else {
            return Some(signed.key.verify(signed.message, signed.signature));
        };
        match Claim::read(signed, key) {
            Some(claim) => self.claims.push(claim),
            None => return Some(Err(BadSignature)),
        }
        None
    }

    /// Whether all signatures of the batch hold; the next one begins a new batch. After false nothing is known: some do not, or there are
    /// too few for this way to be worth it, and each must be checked by itself.
    ///
    /// `random` fills with bytes that whoever made the signatures could not foresee.
    pub fn close(&mut self, random: &mut dyn FnMut(&mut [u8])) -> bool {
        let few = self.claims.len() < WORTH_IT;
        let holds = self.claims.is_empty() || (!few && self.holds(random));
        self.claims.clear();
        if self.points.len() > MOST_KEYS {
            self.points.clear();
            self.keys.clear();
        }
        holds
    }

    fn key(&mut self, key: &PublicKey) -> Option<usize> {
        *self.keys.entry(*key.as_bytes()).or_insert_with(|| {
            let point = key.key.to_edwards();
            is_torsion_free(&point).then(|| {
                self.points.push(point);
                self.points.len() - 1
            })
        })
    }

    fn holds(&self, random: &mut dyn FnMut(&mut [u8])) -> bool {
        let mut zs = vec![[0; Z]; self.claims.len()];
        random(zs.as_flattened_mut());
        let Some(of_rs) = self.sum_of_rs(&zs) else { return false };
        let (mut of_base, mut of_keys) = (Scalar::ZERO, vec![Scalar::ZERO; self.points.len()]);
        for (claim, z) in self.claims.iter().zip(&zs) {
            let mut bytes = [0; 32];
            bytes[..Z].copy_from_slice(z);
            let z = Scalar::from_bytes_mod_order(bytes);
            of_base += z * claim.s;
            of_keys[claim.key] -= z * claim.k;
        }
        let keys = of_keys.iter().zip(&self.points).filter(|(sum, _)| **sum != Scalar::ZERO);
        let (mut scalars, mut points) = (vec![of_base], vec![ED25519_BASEPOINT_POINT]);
        keys.for_each(|(scalar, point)| {
            scalars.push(*scalar);
            points.push(*point);
        });
        EdwardsPoint::vartime_multiscalar_mul(&scalars, &points) == of_rs
    }

    /// Σ z·R. `None` if, of a bit of the z's, the R whose z has it have a sum with a part of small order.
    fn sum_of_rs(&self, zs: &[[u8; Z]]) -> Option<EdwardsPoint> {
        let (mut whole, mut sums) = (EdwardsPoint::identity(), vec![EdwardsPoint::identity(); 256]);
        // From the highest on. First the R are added up by the byte that their z has there.
        for byte in (0..Z).rev() {
            sums.fill(EdwardsPoint::identity());
            for (claim, z) in self.claims.iter().zip(zs) {
                sums[usize::from(z[byte])] += &claim.r;
            }
            for bit in (0..8).rev() {
                // From here on higher bits no longer matter, so what has this bit is in the upper half.
                let (without, with) = sums[..2 << bit].split_at_mut(1 << bit);
                let mut of_bit = EdwardsPoint::identity();
                for (without, with) in without.iter_mut().zip(with) {
                    of_bit += &*with;
                    *without += &*with;
                }
                if !is_torsion_free(&of_bit) {
                    return None;
                }
                whole = whole + whole + of_bit;
            }
        }
        Some(whole)
    }
}

impl fmt::Debug for SignatureBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureBatch").field("signatures", &self.claims.len()).finish_non_exhaustive()
    }
}

impl Claim {
    /// `None` if s is not below ℓ, or if R is no point, not in its one spelling, or of small order: the signature does not hold then.
    fn read(signed: &Signed<'_>, key: usize) -> Option<Self> {
        let (r, s) = signed.signature.split_first_chunk::<32>()?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
        if !is_reduced(r) || is_of_small_order(r) {
            return None;
        }
        Some(Self { r: CompressedEdwardsY(*r).decompress()?, s, k: challenge(r, signed), key })
    }
}

/// Whether the y that is encoded is below p = 2^255 − 19.
fn is_reduced(encoded: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = encoded;
    *low < 0xED || middle.iter().any(|byte| *byte != 0xFF) || high & 0x7F != 0x7F
}

/// Whether a reduced y is that of a point of small order, whatever its sign says.
fn is_of_small_order(encoded: &[u8; 32]) -> bool {
    let differ_in_sign = |point: &CompressedEdwardsY| {
        let [same @ .., high] = point.as_bytes();
        *same == encoded[..31] && (high & 0x7F) == (encoded[31] & 0x7F)
    };
    SMALL_ORDER.iter().any(differ_in_sign)
}

/// Whether the point has no part of small order: ℓ times it is the neutral point.
fn is_torsion_free(point: &EdwardsPoint) -> bool {
    // −1 is ℓ − 1, the largest scalar that there is.
    let but_one = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &Scalar::ZERO);
    (but_one + point).is_identity()
}

#[cfg(test)]
mod tests;
