//! Links: what makes a child's record provably complete, and says nothing to anybody without the key (DESIGN section 3).

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::base64url;
use crate::hash::Hash;
use crate::position::LeafIndex;

/// The key from which an owner's links are made.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LinkKey([u8; 32]);

/// l(n): how entry n of an owner is named.
pub type LinkName = [u8; 16];

/// A link as it stands in an entry: l(n) ‖ c(n).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// l(n)
    pub name: LinkName,
    /// c(n), which commits to l(n) and l(n+1)
    pub commitment: [u8; 16],
}

/// What a bundle shows of one of an owner's links, instead of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkOpening {
    /// The count n.
    pub n: u64,
    /// l(n)
    pub name: LinkName,
    /// r(n)
    pub blinding: [u8; 32],
    /// Where the entry stands.
    pub index: LeafIndex,
}

/// Why openings do not show a complete record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompletenessError {
    /// The counts are not 0, 1, 2 … k.
    #[error("the record's entry number {n} is missing or repeated")]
    Count {
        /// The number expected.
        n: u64,
    },
    /// Indexes do not rise.
    #[error("the record's entry number {n} stands before the one that precedes it")]
    Order {
        /// The number of the later one.
        n: u64,
    },
    /// The entry at that index does not hold the link that the opening gives.
    #[error("entry {index} does not hold link number {n}")]
    NotOpened {
        /// The count.
        n: u64,
        /// The entry.
        index: LeafIndex,
    },
    /// A link stands in another entry too.
    #[error("link number {n} stands in entry {index} too")]
    Repeated {
        /// The count.
        n: u64,
        /// The other entry.
        index: LeafIndex,
    },
    /// The link after the last one exists, so at least one entry was left out.
    #[error("the record goes on in entry {index}, which was left out")]
    GoesOn {
        /// The entry left out.
        index: LeafIndex,
    },
}

impl CompletenessError {
    /// The stable code of this error, as verdicts and test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Count { .. } => "record_count",
            Self::Order { .. } => "record_order",
            Self::NotOpened { .. } => "link_not_opened",
            Self::Repeated { .. } => "link_repeated",
            Self::GoesOn { .. } => "record_goes_on",
        }
    }
}

impl LinkKey {
    /// Takes 32 random bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, to be wrapped by the keyring.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// l(n)
    pub fn name(&self, n: u64) -> LinkName {
        first_16(mac(self.keyed(), 1, n))
    }

    /// r(n)
    pub fn blinding(&self, n: u64) -> [u8; 32] {
        mac(self.keyed(), 2, n)
    }

    /// The link of the owner's entry number n.
    pub fn link(&self, n: u64) -> Link {
        let keyed = self.keyed();
        let name = first_16(mac(keyed.clone(), 1, n));
        let next = first_16(mac(keyed.clone(), 1, n + 1));
        Link { name, commitment: commitment(&mac(keyed, 2, n), n, &name, &next) }
    }

    fn keyed(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }
}

fn mac(mut keyed: Hmac<Sha256>, tag: u8, n: u64) -> [u8; 32] {
    keyed.update(&[tag]);
    keyed.update(&n.to_be_bytes());
    keyed.finalize().into_bytes().into()
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

impl LinkOpening {
    /// c(n), which the entry's link must have; `next` is l(n+1).
    pub fn commitment(&self, next: &LinkName) -> [u8; 16] {
        commitment(&self.blinding, self.n, &self.name, next)
    }
}

impl Link {
    /// Parses 43 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = base64url::decode_public(text).ok()?;
        let (name, commitment) = bytes.split_at(16);
        Some(Self { name: name.try_into().ok()?, commitment: commitment.try_into().ok()? })
    }

    /// l(n) ‖ c(n).
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.name);
        bytes[16..].copy_from_slice(&self.commitment);
        bytes
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        base64url::write_32(&self.to_bytes(), f)
    }
}

/// Checks that `openings`, in order, are all that the log up to a checkpoint holds of one owner.
///
/// `next` is l(k+1). `links` gives every link of the log up to that checkpoint with its entry's index.
pub fn check_complete<'a>(
    openings: &[LinkOpening],
    next: &LinkName,
    links: impl IntoIterator<Item = (LeafIndex, &'a Link)>,
) -> Result<(), CompletenessError> {
    check_order(openings)?;
    let mut found = vec![false; openings.len()];
    for (index, link) in links {
        if link.name == *next {
            return Err(CompletenessError::GoesOn { index });
        }
        let Some(position) = openings.iter().position(|opening| opening.name == link.name) else {
            continue;
        };
        let opening = &openings[position];
        let following = openings.get(position + 1).map_or(next, |later| &later.name);
        if index != opening.index || found[position] {
            return Err(CompletenessError::Repeated { n: opening.n, index });
        }
        if opening.commitment(following) != link.commitment {
            return Err(CompletenessError::NotOpened { n: opening.n, index });
        }
        found[position] = true;
    }
    match found.iter().position(|found| !found) {
        None => Ok(()),
        Some(missing) => {
            Err(CompletenessError::NotOpened { n: openings[missing].n, index: openings[missing].index })
        }
    }
}

fn check_order(openings: &[LinkOpening]) -> Result<(), CompletenessError> {
    for (position, opening) in openings.iter().enumerate() {
        if opening.n != position as u64 {
            return Err(CompletenessError::Count { n: position as u64 });
        }
        if position > 0 && openings[position - 1].index >= opening.index {
            return Err(CompletenessError::Order { n: opening.n });
        }
    }
    Ok(())
}

fn commitment(blinding: &[u8; 32], n: u64, name: &LinkName, next: &LinkName) -> [u8; 16] {
    first_16(*Hash::of_parts(&[blinding, &n.to_be_bytes(), name, next]).as_bytes())
}

fn first_16(bytes: [u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&bytes[..16]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(key: &LinkKey, indexes: &[u64]) -> (Vec<LinkOpening>, LinkName, Vec<(LeafIndex, Link)>) {
        let openings = (0..).zip(indexes).map(|(n, index)| LinkOpening {
            n,
            name: key.name(n),
            blinding: key.blinding(n),
            index: LeafIndex(*index),
        });
        let links = (0..).zip(indexes).map(|(n, index)| (LeafIndex(*index), key.link(n)));
        (openings.collect(), key.name(indexes.len() as u64), links.collect())
    }

    fn check(r: &(Vec<LinkOpening>, LinkName, Vec<(LeafIndex, Link)>)) -> Result<(), CompletenessError> {
        check_complete(&r.0, &r.1, r.2.iter().map(|(i, l)| (*i, l)))
    }

    #[test]
    fn a_whole_record_is_complete_and_a_shortened_one_is_not() {
        let key = LinkKey::from_bytes([9; 32]);
        let whole = record(&key, &[3, 8, 21]);
        assert_eq!(check(&whole), Ok(()));

        let mut last_dropped = whole.clone();
        last_dropped.1 = last_dropped.0.pop().expect("three").name;
        assert_eq!(check(&last_dropped), Err(CompletenessError::GoesOn { index: LeafIndex(21) }));

        let mut middle_dropped = whole.clone();
        middle_dropped.0.remove(1);
        assert_eq!(check(&middle_dropped), Err(CompletenessError::Count { n: 1 }));

        let mut renumbered = middle_dropped.clone();
        renumbered.0[1].n = 1;
        assert!(matches!(check(&renumbered), Err(CompletenessError::NotOpened { .. })));

        let mut moved = whole.clone();
        moved.0[2].index = LeafIndex(5);
        assert_eq!(check(&moved), Err(CompletenessError::Order { n: 2 }));

        let mut doubled = whole.clone();
        doubled.2.push((LeafIndex(30), key.link(1)));
        assert_eq!(check(&doubled), Err(CompletenessError::Repeated { n: 1, index: LeafIndex(30) }));

        let mut unsealed = whole;
        unsealed.2.pop();
        assert!(matches!(check(&unsealed), Err(CompletenessError::NotOpened { n: 2, .. })));
    }

    proptest! {
        #[test]
        fn text_round_trips(key: [u8; 32], n: u64) {
            let link = LinkKey::from_bytes(key).link(n.min(u64::MAX - 1));
            prop_assert_eq!(Link::parse(&link.to_string()), Some(link));
        }

        #[test]
        fn any_flipped_bit_of_an_opening_is_found(bit in 0_usize..8 * 48, which in 0_usize..3) {
            let mut r = record(&LinkKey::from_bytes([1; 32]), &[0, 5, 6]);
            let opening = &mut r.0[which];
            if bit < 128 { opening.name[bit / 8] ^= 1 << (bit % 8) } else { opening.blinding[bit / 8 - 16] ^= 1 << (bit % 8) }
            prop_assert!(check(&r).is_err());
        }
    }
}
