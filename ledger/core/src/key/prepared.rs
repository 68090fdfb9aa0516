//! The signatures of few keys, fast: for whoever checks a whole log.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use sha2::{Digest, Sha512};

use super::{BadSignature, PublicKey};

/// Bits of a scalar that one multiple of the base point stands for: 2 MiB, once.
const BASE_WIDTH: u32 = 10;
/// Bits of a scalar that one multiple of a key stands for.
const KEY_WIDTH: u32 = 6;
/// Of a key the multiples of every third window are kept, 75 KiB: a log has more keys than a processor's cache has room for. The
/// sums of the other windows are doubled until they are in their place.
const KEY_SPREAD: u32 = 3;
/// A key is prepared once it has this many signatures to check: from then on that has paid for itself.
const WORTH_IT: u32 = 8;
/// At most so many multiples of the base point, and of a key, are added for one signature.
const BASE_TERMS: usize = SCALAR_BITS.div_ceil(BASE_WIDTH) as usize;
const KEY_TERMS: usize = SCALAR_BITS.div_ceil(KEY_WIDTH) as usize;
/// How long a scalar is: below 2^253, and a carry.
const SCALAR_BITS: u32 = 254;

/// Says of which keys multiples are worth working out beforehand, and keeps those of the keys that sign most: with them a
/// signature is checked in about half the time.
pub struct PreparedKeys {
    multiples: KeyMultiples,
    /// Of each prepared key the last turn in which it was announced.
    used: HashMap<[u8; 32], u64>,
    /// Keys that are not prepared, with how many of their signatures were announced.
    waiting: HashMap<[u8; 32], u32>,
    most: usize,
    turn: u64,
}

/// Multiples of keys, as they were worked out at one time; a clone shares them.
///
/// What is accepted is exactly what [`PublicKey::verify`] accepts, and each signature is checked on its own: this is no
/// batch verification. Keys that are not prepared are checked by [`PublicKey::verify`]. It is not done in constant time,
/// and needs not be: nothing in a signature check is secret.
#[derive(Clone, Default)]
pub struct KeyMultiples(Arc<HashMap<[u8; 32], Arc<Multiples>>>);

/// A signature, with what it is over and who is said to have made it.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The key.
    pub key: &'a PublicKey,
    /// The bytes that were signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a [u8; 64],
}

/// Those of the base point, once there is a key to use them with.
static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(ED25519_BASEPOINT_POINT, BASE_WIDTH, 1));

/// The points of small order, encoded.
pub(super) static SMALL_ORDER: LazyLock<[CompressedEdwardsY; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress()));

/// k, as RFC 8032 section 5.1.7 says.
pub(super) fn challenge(r: &[u8; 32], signed: &Signed<'_>) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(signed.key.as_bytes());
    Scalar::from_hash(hash.chain_update(signed.message))
}

impl PreparedKeys {
    /// Prepares at most so many keys at a time, those that were used last.
    pub fn new(most: usize) -> Self {
        // Now, and not when the first signature waits.
        LazyLock::force(&BASE);
        let multiples = KeyMultiples::default();
        Self { multiples, used: HashMap::new(), waiting: HashMap::new(), most, turn: 0 }
    }

    /// Says whose signatures are checked next, each key as often as there are signatures of it. Returns what to check them with.
    pub fn expect<'k>(&mut self, keys: impl IntoIterator<Item = &'k PublicKey>) -> KeyMultiples {
        self.turn += 1;
        let (mut prepared, mut seen) = (0, 0);
        for key in keys {
            seen += 1;
            if let Some(used) = self.used.get_mut(key.as_bytes()) {
                *used = self.turn;
                continue;
            }
            let announced = self.waiting.entry(*key.as_bytes()).or_default();
            *announced += 1;
            // Few of them a turn: publishers that began together are worth it together, and nobody must wait for all.
            if *announced >= WORTH_IT && prepared * WORTH_IT <= seen {
                prepared += 1;
                self.prepare(key);
            }
        }
        self.multiples.clone()
    }

    fn prepare(&mut self, key: &PublicKey) {
        // Whoever still checks with the map as it was keeps it.
        let held = Arc::make_mut(&mut self.multiples.0);
        if held.len() >= self.most {
            let oldest = self.used.iter().min_by_key(|(_, used)| **used);
            let Some((oldest, used)) = oldest.map(|(key, used)| (*key, *used)) else { return };
            if used == self.turn {
                return;
            }
            held.remove(&oldest);
            self.used.remove(&oldest);
        }
        self.waiting.remove(key.as_bytes());
        held.insert(*key.as_bytes(), Arc::new(Multiples::of(key.key.to_edwards(), KEY_WIDTH, KEY_SPREAD)));
        self.used.insert(*key.as_bytes(), self.turn);
    }
}

impl KeyMultiples {
    /// Checks signatures, each on its own; tells of each what [`PublicKey::verify`] would.
    ///
    /// What they share is one inversion: the points that must equal their R are encoded together.
    pub fn verify(&self, signatures: &[Signed<'_>]) -> Vec<Result<(), BadSignature>> {
        let mut verdicts = vec![Err(BadSignature); signatures.len()];
        let (mut places, mut points) = (Vec::new(), Vec::new());
        // Those of one key in a row, so that its multiples stay in the processor's cache.
        let mut order: Vec<usize> = (0..signatures.len()).collect();
        order.sort_unstable_by_key(|place| signatures[*place].key.as_bytes());
        for place in order {
            let signed = &signatures[place];
            match self.0.get(signed.key.as_bytes()) {
                None => verdicts[place] = signed.key.verify(signed.message, signed.signature),
                Some(multiples) => {
                    if let Some(point) = BASE.point(multiples, signed) {
                        places.push(place);
                        points.push(point);
                    }
                }
            }
        }
        // RFC 8032 section 5.1.7 without the cofactor: the encoding must be R. It is canonical, so where it equals R, R decodes,
        // to this very point; and where it does not, `verify_strict` refuses whatever R is. So R need not be decoded to know
        // that its order is not small. The key's never is: that is what makes it a `PublicKey`.
        let encodings = EdwardsPoint::compress_batch_alloc(&points);
        for (place, encoding) in places.into_iter().zip(encodings) {
            let is_r = encoding.as_bytes() == &signatures[place].signature[..32];
            verdicts[place] =
                if is_r && !SMALL_ORDER.contains(&encoding) { Ok(()) } else { Err(BadSignature) };
        }
        verdicts
    }
}

/// 2^(wi)·j·P for every `spread`-th window i of w bits of a scalar, and j from 1 to 2^(w−1).
struct Multiples {
    width: u32,
    spread: u32,
    points: Vec<EdwardsPoint>,
}

/// Multiples, each with its sign (true: negative), that are to be added up.
struct Terms<const MOST: usize> {
    multiples: [(bool, EdwardsPoint); MOST],
    used: usize,
    /// Where the terms of each but the last remainder of windows end. The sum up to there is doubled w times before the next are added.
    turns: [usize; KEY_SPREAD as usize - 1],
}

impl Multiples {
    fn of(point: EdwardsPoint, width: u32, spread: u32) -> Self {
        let (windows, half) = (SCALAR_BITS.div_ceil(width * spread), 1_usize << (width - 1));
        let mut points = Vec::with_capacity(windows as usize * half);
        let mut unit = point;
        for _ in 0..windows {
            let mut multiple = unit;
            for _ in 0..half {
                points.push(multiple);
                multiple += unit;
            }
            // The last one pushed is half of the next window's unit.
            let last = points[points.len() - 1];
            unit = last + last;
            for _ in 0..width * (spread - 1) {
                unit += unit;
            }
        }
        Self { width, spread, points }
    }

    /// s·B − k·A, which must be R, these being the multiples of B. `None` if s is not below ℓ.
    fn point(&self, key: &Self, signed: &Signed<'_>) -> Option<EdwardsPoint> {
        let (r, s) = signed.signature.split_first_chunk::<32>()?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
        let k = challenge(r, signed);
        // They lie scattered over memory. Fetched all at once they are waited for once, and not one by one between additions.
        let of_key = Terms::<KEY_TERMS>::of(key, &k);
        let of_base = Terms::<BASE_TERMS>::of(self, &s);
        // Not the multiples of −k, which is ℓ − k: ℓ·A is not the neutral point if A has a part of small order.
        Some(of_base.sum(self.width) - of_key.sum(key.width))
    }

    /// The digits of a scalar, an integer below 2^253, from −2^(w−1)+1 to 2^(w−1): whether it is negative, and how much.
    fn digits<const MOST: usize>(&self, scalar: &Scalar) -> [(bool, u32); MOST] {
        let mut bytes = [0; 40];
        bytes[..32].copy_from_slice(scalar.as_bytes());
        let (whole, half) = (1_u32 << self.width, 1_u32 << (self.width - 1));
        let (mut digits, mut carry) = ([(false, 0); MOST], 0);
        for (window, place) in (0..SCALAR_BITS.div_ceil(self.width)).zip(&mut digits) {
            let bit = window * self.width;
            let at = (bit / 8) as usize;
            let word = u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            let digit = (word >> (bit % 8)) % whole + carry;
            let negative = digit > half;
            carry = u32::from(negative);
            *place = (negative, if negative { whole - digit } else { digit });
        }
        debug_assert_eq!(carry, 0, "the last window has room for the carry");
        digits
    }
}

impl<const MOST: usize> Terms<MOST> {
    /// The terms whose sum is `scalar`·P, these being the multiples of P. `MOST` is the number of windows, or more.
    fn of(multiples: &Multiples, scalar: &Scalar) -> Self {
        let digits = multiples.digits::<MOST>(scalar);
        let (half, spread) = (1_usize << (multiples.width - 1), multiples.spread as usize);
        let mut these = Self { multiples: [(false, EdwardsPoint::default()); MOST], used: 0, turns: [0; 2] };
        for remainder in (0..spread).rev() {
            let windows = digits.iter().skip(remainder).step_by(spread);
            for ((negative, magnitude), points) in windows.zip(multiples.points.chunks_exact(half)) {
                if let Some(place) = magnitude.checked_sub(1) {
                    these.multiples[these.used] = (*negative, points[place as usize]);
                    these.used += 1;
                }
            }
            if let Some(turn) = remainder.checked_sub(1) {
                these.turns[turn] = these.used;
            }
        }
        these
    }

    fn sum(&self, width: u32) -> EdwardsPoint {
        let (mut point, mut at) = (EdwardsPoint::identity(), 0);
        for end in self.turns.iter().rev().copied().chain([self.used]) {
            // Without terms it is the neutral point still.
            if at > 0 {
                for _ in 0..width / 3 {
                    point = point.mul_by_cofactor();
                }
            }
            for (negative, multiple) in &self.multiples[at..end] {
                if *negative { point -= multiple } else { point += multiple }
            }
            at = end;
        }
        point
    }
}

#[cfg(test)]
pub(super) mod tests;
