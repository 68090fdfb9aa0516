//! The tiled form of the log (C2SP tlog-tiles): paths, hash tiles and entry bundles.

use core::fmt::Write as _;

use crate::position::TreeSize;

mod bundle;
mod hash_tile;

pub use bundle::{
    BundleError, EntryTooLong, MAX_ENTRY_LEN, WholeEntries, encode_entry, split_bundle, whole_entries,
};
pub use hash_tile::{HASH_LEN, HashTile, HashTileError, TileFull};

/// How many hashes or entries a full tile holds.
pub const FULL_WIDTH: u16 = 256;

/// The highest tile level that a path may name.
pub const MAX_LEVEL: u8 = 63;

/// A level of 256 children each: 8 bits of the position.
pub(crate) const TILE_HEIGHT: u8 = 8;

/// The longest `<N>` that a `u64` needs (seven elements), a prefix, a level and `.p/255` together stay below this.
const MAX_PATH_LEN: usize = 64;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TileKind {
    /// The entries themselves, each with its length before it.
    Entries,
    /// Merkle tree hashes; at level l each spans 256^l leaves.
    Hashes {
        /// 0 for leaf hashes, at most [`MAX_LEVEL`].
        level: u8,
    },
}

/// Names one tile or entry bundle: what it holds, which one it is in its row, and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Why a text is not a tile's path, or a width or level is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TilePathError {
    /// Longer than any path can be.
    #[error("the path has {len} bytes; no tile's path is that long")]
    TooLong {
        /// The path's length in bytes.
        len: usize,
    },
    /// The path does not start with `tile/`.
    #[error("the path does not start with tile/")]
    NotATile,
    /// Neither `entries` nor a number from 0 to 63 without leading zeroes.
    #[error("the level is neither \"entries\" nor a number from 0 to 63 without leading zeroes")]
    Level,
    /// Not three-digit elements, all but the last prefixed with `x` and the first of several not zero.
    #[error("the index is not written as three-digit elements, all but the last prefixed with x")]
    Index,
    /// A partial tile is 1 to 255 wide, a full one 256.
    #[error("the width is not within 1 to 255 for a partial tile, or 256 without a suffix for a full one")]
    Width,
}

/// How a tree's row of tiles at one level is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowExtent {
    /// How many tiles are full.
    pub full: u64,
    /// The width of the partial tile that follows them; 0 if there is none.
    pub partial: u16,
}

impl RowExtent {
    /// How wide the tile with this index is in the row; 0 if the row does not reach it.
    pub const fn width_of(self, index: u64) -> u16 {
        if index < self.full {
            FULL_WIDTH
        } else if index == self.full {
            self.partial
        } else {
            0
        }
    }
}

/// The tiles that a tree of this size has at this level: ⌊s / 256^l⌋ hashes, 256 to a tile.
pub fn row_extent(size: TreeSize, level: u8) -> RowExtent {
    let hashes = size.0.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
    let partial = u16::try_from(hashes % u64::from(FULL_WIDTH)).expect("a remainder below 256");
    RowExtent { full: hashes / u64::from(FULL_WIDTH), partial }
}

impl TilePath {
    /// Names an entry bundle of `width` entries, 1 to 256.
    pub fn entries(index: u64, width: u16) -> Result<Self, TilePathError> {
        Self::new(TileKind::Entries, index, width)
    }

    /// Names a tile of `width` hashes, 1 to 256, at a level of 0 to 63.
    pub fn hashes(level: u8, index: u64, width: u16) -> Result<Self, TilePathError> {
        Self::new(TileKind::Hashes { level }, index, width)
    }

    fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, TilePathError> {
        if matches!(kind, TileKind::Hashes { level } if level > MAX_LEVEL) {
            return Err(TilePathError::Level);
        }
        if width == 0 || width > FULL_WIDTH {
            return Err(TilePathError::Width);
        }
        Ok(Self { kind, index, width })
    }

    /// Reads a path, `tile/<L>/<N>[.p/<W>]`, in the only spelling that [`Self::to_path`] writes.
    pub fn parse(path: &str) -> Result<Self, TilePathError> {
        if path.len() > MAX_PATH_LEN {
            return Err(TilePathError::TooLong { len: path.len() });
        }
        let rest = path.strip_prefix("tile/").ok_or(TilePathError::NotATile)?;
        let (level, rest) = rest.split_once('/').ok_or(TilePathError::Index)?;
        let kind = match level {
            "entries" => TileKind::Entries,
            digits => TileKind::Hashes { level: canonical_number(digits).ok_or(TilePathError::Level)? },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, FULL_WIDTH),
            Some((index, width)) => {
                let width = canonical_number::<u8>(width).ok_or(TilePathError::Width)?;
                (index, u16::from(width))
            }
        };
        Self::new(kind, parse_index_path(index)?, width)
    }

    /// The path below the log's prefix: `tile/<L>/<N>`, and `.p/<W>` if the tile is partial.
    pub fn to_path(&self) -> String {
        let mut path = String::from("tile/");
        match self.kind {
            TileKind::Entries => path.push_str("entries/"),
            TileKind::Hashes { level } => write!(path, "{level}/").expect("writing to a String cannot fail"),
        }
        path.push_str(&index_path(self.index));
        if self.width < FULL_WIDTH {
            write!(path, ".p/{}", self.width).expect("writing to a String cannot fail");
        }
        path
    }

    /// What the tile holds.
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// The tile's place in its row.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries the tile holds, 1 to 256.
    pub const fn width(&self) -> u16 {
        self.width
    }
}

/// The `<N>` of a path: three digits to an element, all but the last prefixed with `x`.
pub fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path.insert_str(0, &format!("x{:03}/", rest % 1000));
        rest /= 1000;
    }
    path
}

/// Reads the `<N>` of a path, in the only spelling that [`index_path`] writes.
pub fn parse_index_path(path: &str) -> Result<u64, TilePathError> {
    let mut elements = path.split('/').peekable();
    let mut index: u64 = 0;
    let mut first = true;
    while let Some(element) = elements.next() {
        let last = elements.peek().is_none();
        let digits = if last { Some(element) } else { element.strip_prefix('x') };
        let digits =
            digits.filter(|digits| digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()));
        let value: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or(TilePathError::Index)?;
        if first && !last && value == 0 {
            return Err(TilePathError::Index);
        }
        first = false;
        index =
            index.checked_mul(1000).and_then(|index| index.checked_add(value)).ok_or(TilePathError::Index)?;
    }
    Ok(index)
}

/// An ASCII decimal without sign and without leading zeroes.
pub(crate) fn canonical_number<T: core::str::FromStr>(digits: &str) -> Option<T> {
    let canonical = digits == "0" || !digits.starts_with('0');
    let decimal = canonical && digits.bytes().all(|byte| byte.is_ascii_digit());
    if decimal { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_that_are_nearly_paths_are_refused() {
        use TilePathError::{Index, Level, NotATile, TooLong, Width};
        let cases = [
            ("", NotATile),
            ("/tile/0/000", NotATile),
            ("tile/0", Index),
            ("tile/00/000", Level),
            ("tile/01/000", Level),
            ("tile/+1/000", Level),
            ("tile/-1/000", Level),
            ("tile//000", Level),
            ("tile/data/000", Level),
            ("tile/64/000", Level),
            ("tile/256/000", Level),
            ("tile/0/", Index),
            ("tile/0/0", Index),
            ("tile/0/0000", Index),
            ("tile/0/x067", Index),
            ("tile/0/001/067", Index),
            ("tile/0/x000/067", Index),
            ("tile/0/x001//067", Index),
            ("tile/0/X001/067", Index),
            ("tile/0/x+01/067", Index),
            ("tile/0/000/", Index),
            ("tile/0/x018/x446/x744/x073/x709/x551/616", Index),
            ("tile/0/000.p/0", Width),
            ("tile/0/000.p/256", Width),
            ("tile/0/000.p/012", Width),
            ("tile/0/000.p/", Width),
            ("tile/0/000.p/1/", Width),
            ("tile/0/000.p", Index),
            ("tile/entries/x001.p/1/000", Width),
        ];
        for (path, error) in cases {
            assert_eq!(TilePath::parse(path), Err(error), "{path:?}");
        }
        let long = format!("tile/0/{}000", "x001/".repeat(20));
        assert_eq!(TilePath::parse(&long), Err(TooLong { len: 110 }));
    }

    #[test]
    fn impossible_tiles_cannot_be_named() {
        assert_eq!(TilePath::hashes(64, 0, 1), Err(TilePathError::Level));
        assert_eq!(TilePath::hashes(0, 0, 0), Err(TilePathError::Width));
        assert_eq!(TilePath::entries(0, 257), Err(TilePathError::Width));
        assert_eq!(index_path(u64::MAX), "x018/x446/x744/x073/x709/x551/615");
    }

    proptest! {
        #[test]
        fn paths_round_trip(level in 0..=MAX_LEVEL, index: u64, width in 1..=FULL_WIDTH, entries: bool) {
            let made = if entries { TilePath::entries(index, width) } else { TilePath::hashes(level, index, width) };
            let path = made.expect("within the bounds");
            prop_assert_eq!(TilePath::parse(&path.to_path()), Ok(path));
            prop_assert_eq!(parse_index_path(&index_path(index)), Ok(index));
        }

        #[test]
        fn no_text_makes_the_parser_panic_and_there_is_one_spelling(
            tail in "(tile/)?([0-9]{1,3}|entries)(/x?[0-9]{2,4}){0,7}(\\.p/[0-9]{0,4})?", wild: String,
        ) {
            for text in [tail, wild] {
                if let Ok(path) = TilePath::parse(&text) {
                    prop_assert_eq!(path.to_path(), text);
                }
            }
        }

        #[test]
        fn rows_hold_every_complete_subtree(size: u64, level in 0..=MAX_LEVEL) {
            let row = row_extent(TreeSize(size), level);
            let hashes = u128::from(row.full) * 256 + u128::from(row.partial);
            prop_assert_eq!(hashes, u128::from(size).checked_shr(u32::from(level) * 8).unwrap_or(0));
            prop_assert_eq!(row.width_of(row.full), row.partial);
        }
    }
}
