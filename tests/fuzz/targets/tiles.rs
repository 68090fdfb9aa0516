//! Paths, entry bundles, hash tiles and entries (C2SP tlog-tiles).
#![no_main]

use gt_core::entry::Entry;
use gt_core::tile::{HashTile, TilePath, encode_entry, split_bundle, whole_entries};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(path) = TilePath::parse(text)
    {
        assert_eq!(path.to_path(), text);
    }
    if let Ok(entries) = split_bundle(bytes) {
        let mut again = Vec::new();
        for entry in &entries {
            encode_entry(&mut again, entry).expect("as long as it was");
        }
        assert_eq!(again, bytes);
    }
    if let Ok(whole) = whole_entries(bytes) {
        for entry in whole.entries {
            if let Ok(read) = Entry::parse(entry) {
                assert_eq!(read.to_bytes(), entry);
            }
        }
    }
    if let Ok(entry) = Entry::parse(bytes) {
        assert_eq!(entry.to_bytes(), bytes);
    }
    if let Ok(tile) = HashTile::from_bytes(bytes) {
        assert_eq!(tile.to_bytes(), bytes);
        let _ = tile.root();
    }
});
