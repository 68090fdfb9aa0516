//! How a person's or a place's identifier becomes a pseudonym (DESIGN section 6, FORMATS section 9).
//!
//! A plain hash of an NHS number is found by trying them all. The key that a partnership's agencies share, and the ledger
//! does not have, is what stands against that; a pseudonym is personal data all the same.

use std::fmt;
use std::num::NonZeroU16;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::identifiers::Identifier;
use crate::words::Pseudonym;

/// The key of a partnership in one epoch. Its bytes are wiped when it is dropped, and shown nowhere.
#[derive(Clone)]
pub struct PartnershipKey {
    epoch: NonZeroU16,
    key: Zeroizing<[u8; 32]>,
}

impl PartnershipKey {
    /// The key of this epoch. A partnership's first is 1; a later key has a later epoch.
    pub const fn new(epoch: NonZeroU16, key: Zeroizing<[u8; 32]>) -> Self {
        Self { epoch, key }
    }

    /// Its epoch.
    pub const fn epoch(&self) -> NonZeroU16 {
        self.epoch
    }

    /// `<scheme>.<epoch>:` and base64url of HMAC-SHA-256(key, scheme ‖ 0x00 ‖ value in its normal form).
    pub fn pseudonym(&self, identifier: &Identifier) -> Pseudonym {
        let scheme = identifier.scheme().as_str();
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes keys of any length");
        for part in [scheme.as_bytes(), b"\0", identifier.value().as_bytes()] {
            mac.update(part);
        }
        let digest = Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes());
        Pseudonym::parse(&format!("{scheme}.{}:{digest}", self.epoch))
            .expect("schemes are lower-case letters, an epoch has five digits at most, and a MAC 32 bytes")
    }
}

impl fmt::Debug for PartnershipKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartnershipKey").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(epoch: u16, byte: u8) -> PartnershipKey {
        PartnershipKey::new(NonZeroU16::new(epoch).unwrap(), Zeroizing::new([byte; 32]))
    }

    fn pseudonym(key: &PartnershipKey, text: &str) -> String {
        key.pseudonym(&Identifier::parse(text).unwrap()).as_str().to_owned()
    }

    #[test]
    fn the_same_person_has_one_pseudonym_however_it_is_written() {
        let key = key(1, 7);
        assert_eq!(pseudonym(&key, "nhs:9990000018"), pseudonym(&key, "nhs:999 000 0018"));
        assert_ne!(pseudonym(&key, "nhs:9990000018"), pseudonym(&key, "nhs:9990000026"));
    }

    #[test]
    fn scheme_key_and_epoch_separate_pseudonyms() {
        let digest = |key: &PartnershipKey, text| pseudonym(key, text).split_once(':').unwrap().1.to_owned();
        let first = key(1, 7);
        assert_ne!(digest(&first, "staff:9990000018"), digest(&first, "nhs:9990000018"));
        assert_ne!(digest(&key(1, 8), "nhs:9990000018"), digest(&first, "nhs:9990000018"));
        assert!(pseudonym(&key(65_535, 7), "nhs:9990000018").starts_with("nhs.65535:"));
        assert_eq!(digest(&key(65_535, 7), "nhs:9990000018"), digest(&first, "nhs:9990000018"));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", key(3, 0x77)), "PartnershipKey { epoch: 3, .. }");
    }
}
