//! Escrow of the key-encryption key: split among people none of whom can read anything alone.
//!
//! All shares but the last are random; the last is the key combined with them (exclusive or). All are needed, and fewer say nothing
//! about the key, whatever is done with them: that is a one-time pad. One share alone is the key itself.

use gt_core::base64url;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::KeyEncryptionKey;
use crate::random;

/// The most shares.
pub const MAX_SHARES: u8 = 16;
const FORMAT: &str = "gt/kek-share/1";

/// One share, as it stands in a file: a JSON object.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KekShare {
    format: String,
    /// The ledger's origin.
    pub ledger: String,
    /// The fingerprint of the key.
    pub kek: String,
    /// Which share it is, from 1.
    pub share: u8,
    /// How many there are.
    pub of: u8,
    secret: String,
}

/// Why shares give no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EscrowError {
    /// One does not read.
    #[error("share {0} is no share of a key-encryption key, or damaged")]
    Malformed(usize),
    /// They are of several keys or ledgers.
    #[error("share {0} belongs to another key or ledger than the first one")]
    OtherKey(usize),
    /// Some are missing.
    #[error("share number {missing} of {of} is missing, and all are needed")]
    Incomplete {
        /// The first that is missing.
        missing: u8,
        /// How many there are.
        of: u8,
    },
    /// Together they give another key than they say.
    #[error("the shares together give another key than the one that they name: one of them is damaged")]
    OtherFingerprint,
}

impl Drop for KekShare {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl KekShare {
    /// Splits a key into shares, 1–[`MAX_SHARES`].
    pub fn split(kek: &KeyEncryptionKey, ledger: &str, of: u8) -> Vec<Self> {
        let of = of.clamp(1, MAX_SHARES);
        let mut rest = Zeroizing::new(*kek.as_bytes());
        let share = |share, secret: &[u8; 32]| Self {
            format: FORMAT.to_owned(),
            ledger: ledger.to_owned(),
            kek: kek.epoch(),
            share,
            of,
            secret: base64url::encode(secret),
        };
        let mut shares: Vec<Self> = (1..of)
            .map(|number| {
                let pad = random::key();
                combine(&mut rest, &pad);
                share(number, &pad)
            })
            .collect();
        shares.push(share(of, &rest));
        shares
    }

    /// Puts a key together again, from all its shares in any order, and checks that it is the one that they name.
    pub fn join(shares: &[Self]) -> Result<KeyEncryptionKey, EscrowError> {
        let first = shares.first().ok_or(EscrowError::Incomplete { missing: 1, of: 1 })?;
        let mut key = Zeroizing::new([0; 32]);
        for (at, share) in shares.iter().enumerate() {
            if share.format != FORMAT {
                return Err(EscrowError::Malformed(at + 1));
            }
            if (&share.ledger, &share.kek, share.of) != (&first.ledger, &first.kek, first.of) {
                return Err(EscrowError::OtherKey(at + 1));
            }
        }
        for number in 1..=first.of {
            let missing = EscrowError::Incomplete { missing: number, of: first.of };
            let (at, share) =
                shares.iter().enumerate().find(|(_, one)| one.share == number).ok_or(missing)?;
            let secret = base64url::decode_array::<32>(&share.secret);
            combine(&mut key, &Zeroizing::new(secret.map_err(|_| EscrowError::Malformed(at + 1))?));
        }
        let key = KeyEncryptionKey::from_bytes(&key);
        if key.epoch() == first.kek { Ok(key) } else { Err(EscrowError::OtherFingerprint) }
    }
}

fn combine(into: &mut [u8; 32], with: &[u8; 32]) {
    into.iter_mut().zip(with).for_each(|(into, with)| *into ^= with);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(shares: &[KekShare]) -> Vec<KekShare> {
        let text = |share: &KekShare| serde_json::to_string(share).expect("serialises");
        shares.iter().map(|share| serde_json::from_str(&text(share)).expect("reads")).collect()
    }

    #[test]
    fn all_shares_give_the_key_and_fewer_give_nothing() {
        let kek = KeyEncryptionKey::generate();
        for of in 1..=5 {
            let mut shares = parsed(&KekShare::split(&kek, "ledger.example", of));
            shares.reverse();
            assert_eq!(KekShare::join(&shares).expect("the key").as_bytes(), kek.as_bytes());
            shares.pop();
            assert_eq!(
                KekShare::join(&shares).err(),
                Some(EscrowError::Incomplete { missing: 1, of: of.max(1) })
            );
        }
    }

    #[test]
    fn a_damaged_share_or_one_of_another_key_is_noticed() {
        let (kek, other) = (KeyEncryptionKey::generate(), KeyEncryptionKey::generate());
        let split = |kek| KekShare::split(kek, "ledger.example", 2);
        let mut mixed = split(&kek);
        mixed[1] = split(&other).remove(1);
        assert_eq!(KekShare::join(&mixed).err(), Some(EscrowError::OtherKey(2)));
        let mut altered = split(&kek);
        altered[0].secret = base64url::encode(&[1; 32]);
        assert_eq!(KekShare::join(&altered).err(), Some(EscrowError::OtherFingerprint));
        altered[0].secret = "x".into();
        assert_eq!(KekShare::join(&altered).err(), Some(EscrowError::Malformed(1)));
    }
}
