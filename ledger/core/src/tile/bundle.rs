//! Entry bundles: up to 256 entries, each behind its length as a big-endian `u16`.

use super::FULL_WIDTH;

/// The longest entry that a bundle can hold, in bytes.
pub const MAX_ENTRY_LEN: usize = u16::MAX as usize;

/// How many bytes stand before an entry.
const PREFIX_LEN: usize = 2;

/// An entry does not fit behind a two-byte length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {len} bytes; a bundle holds entries of at most 65535")]
pub struct EntryTooLong {
    /// The entry's length in bytes.
    pub len: usize,
}

/// Why bytes are not an entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The last entry, or its length, is cut short.
    #[error("the entry at byte {offset} is cut short")]
    TornEntry {
        /// Where the torn entry's length begins.
        offset: usize,
    },
    /// Bytes follow the 256th entry.
    #[error("bytes follow the 256th entry, from byte {offset} on")]
    TooManyEntries {
        /// Where the surplus begins.
        offset: usize,
    },
}

/// The entries that a bundle holds whole, and where its torn tail begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeEntries<'a> {
    /// The whole entries, in order.
    pub entries: Vec<&'a [u8]>,
    /// How many bytes they take, lengths included; what lies behind is torn. Equal to the bundle's length if nothing is.
    pub end: usize,
}

/// Appends an entry to a bundle. The caller sees to it that the bundle has room.
pub fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let len = u16::try_from(entry.len()).map_err(|_| EntryTooLong { len: entry.len() })?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Splits a bundle into its entries, 0 to 256 of them, with nothing left over.
pub fn split_bundle(bundle: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let whole = whole_entries(bundle)?;
    if whole.end < bundle.len() {
        Err(BundleError::TornEntry { offset: whole.end })
    } else {
        Ok(whole.entries)
    }
}

/// Splits off the whole entries of a growing bundle, whose last write a crash may have cut short.
pub fn whole_entries(bundle: &[u8]) -> Result<WholeEntries<'_>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while let Some((prefix, behind)) = rest.split_first_chunk::<PREFIX_LEN>() {
        let Some((entry, behind)) = behind.split_at_checked(usize::from(u16::from_be_bytes(*prefix))) else {
            break;
        };
        if entries.len() == usize::from(FULL_WIDTH) {
            break;
        }
        entries.push(entry);
        rest = behind;
    }
    let end = bundle.len() - rest.len();
    if entries.len() == usize::from(FULL_WIDTH) && !rest.is_empty() {
        return Err(BundleError::TooManyEntries { offset: end });
    }
    Ok(WholeEntries { entries, end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bundle_of(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut bundle = Vec::new();
        for entry in entries {
            encode_entry(&mut bundle, entry).expect("short entries");
        }
        bundle
    }

    #[test]
    fn the_bounds_hold() {
        let mut bundle = Vec::new();
        assert_eq!(encode_entry(&mut bundle, &vec![0; 65_536]), Err(EntryTooLong { len: 65_536 }));
        assert!(bundle.is_empty());
        encode_entry(&mut bundle, &vec![7; 65_535]).expect("the longest entry");
        assert_eq!(split_bundle(&bundle), Ok(vec![&[7; 65_535][..]]));

        let mut full = bundle_of(&vec![vec![1]; 256]);
        assert_eq!(split_bundle(&full).map(|entries| entries.len()), Ok(256));
        full.push(0);
        assert_eq!(split_bundle(&full), Err(BundleError::TooManyEntries { offset: 768 }));
        assert_eq!(whole_entries(&full), Err(BundleError::TooManyEntries { offset: 768 }));
    }

    proptest! {
        #[test]
        fn bundles_round_trip_and_a_torn_tail_is_found(
            entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40),
            cut: prop::sample::Index,
        ) {
            let bundle = bundle_of(&entries);
            let expected: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(split_bundle(&bundle), Ok(expected.clone()));

            let cut = cut.index(bundle.len() + 1);
            let whole = whole_entries(&bundle[..cut]).expect("few entries");
            prop_assert_eq!(&whole.entries[..], &expected[..whole.entries.len()]);
            prop_assert_eq!(whole.end, bundle_of(&entries[..whole.entries.len()]).len());
            let torn = whole.end < cut;
            prop_assert_eq!(split_bundle(&bundle[..cut]).is_err(), torn);
            // One entry more would not have fitted.
            if let Some(next) = entries.get(whole.entries.len()) {
                prop_assert!(whole.end + 2 + next.len() > cut);
            }
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(0_u8..4, 0..2000)) {
            if let Ok(entries) = split_bundle(&bytes) {
                let owned: Vec<Vec<u8>> = entries.iter().map(|entry| entry.to_vec()).collect();
                prop_assert_eq!(bundle_of(&owned), bytes);
            }
        }
    }
}
