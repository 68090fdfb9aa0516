use std::error::Error;

use gt_core::TreeSize;
use gt_core::note::MAX_NOTE_LEN;
use gt_core::tile::{FULL_WIDTH, HASH_LEN, MAX_ENTRY_LEN, TilePath, whole_entries};

use super::report::Fault;

/// The longest checkpoint that is read, in bytes: with the cosignatures of many witnesses it is as long as a note can be.
pub(super) const MAX_CHECKPOINT: usize = MAX_NOTE_LEN;
/// The longest entry bundle that C2SP allows, in bytes.
pub(super) const MAX_BUNDLE: usize = FULL_WIDTH as usize * (2 + MAX_ENTRY_LEN);
/// The length of a full hash tile, in bytes.
pub(super) const MAX_TILE: usize = FULL_WIDTH as usize * HASH_LEN;

/// A log in its public form (C2SP tlog-tiles), wherever it is.
///
/// A bundle or tile that is not full is given as the prefix of that width, whatever else its file holds.
pub trait LogSource {
    /// The signed tree head. Asked for first: what a growing log holds beyond it is not looked at. Asked for again only where a part of
    /// the log is missing.
    fn checkpoint(&self) -> Result<Part, SourceError>;

    /// Entry bundle `n`, as it is when it holds `width` entries, 1 to 256.
    fn bundle(&self, n: u64, width: u16) -> Result<Part, SourceError>;

    /// Hash tile `n` of a level, as it is when it holds `width` hashes, 1 to 256.
    fn tile(&self, level: u8, n: u64, width: u16) -> Result<Part, SourceError>;

    /// What stands beside the parts of a log of this size, where that can be known.
    fn surplus(&self, size: TreeSize) -> Surplus {
        let _ = size;
        Surplus::default()
    }
}

/// A piece of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it came from, as faults name it.
    pub place: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What does not belong where it stands, and what somebody should know about the rest.
#[derive(Debug, Clone, Default)]
pub struct Surplus {
    /// What does not belong.
    pub faults: Vec<Fault>,
    /// What is no fault.
    pub notes: Vec<String>,
}

/// Why a piece of the log cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No checkpoint is there, and nothing else that a ledger or a mirror has: it is another place, and nothing was taken from it.
    #[error("nothing of a ledger is {place}")]
    NoLedger {
        /// Where: "at this address" or "in this folder".
        place: &'static str,
    },
    /// It is not there.
    #[error("{place} is missing")]
    Missing {
        /// Where it should be.
        place: String,
    },
    /// It is longer than any such piece can be.
    #[error("{place} is longer than it can be")]
    TooLong {
        /// Where it is.
        place: String,
    },
    /// Something else than a file stands in its place.
    #[error("{place} is no file")]
    NoFile {
        /// Where.
        place: String,
    },
    /// It may be there, but it cannot be read.
    #[error("{place} cannot be read: {source}")]
    Unreachable {
        /// Where it is.
        place: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Fetches what a mirror serves. Closures of this form are fetchers.
pub trait Fetch {
    /// What stands under this path below the log's prefix (`checkpoint`, `tile/…`); `None` if there is nothing (404).
    ///
    /// The fetcher MUST stop reading after `limit` + 1 bytes.
    fn fetch(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>>;
}

impl<F> Fetch for F
where
    F: Fn(&str, usize) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>>,
{
    fn fetch(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
        self(path, limit)
    }
}

/// A log behind a URL: the ledger itself, or anybody's mirror.
pub struct Mirror<F> {
    fetcher: F,
}

impl<F: Fetch> Mirror<F> {
    /// A log that this fetcher reaches.
    pub const fn new(fetcher: F) -> Self {
        Self { fetcher }
    }

    fn get(&self, path: &str, limit: usize) -> Result<Part, SourceError> {
        let place = path.to_owned();
        match self.fetcher.fetch(path, limit) {
            Ok(Some(bytes)) if bytes.len() > limit => Err(SourceError::TooLong { place }),
            Ok(Some(bytes)) => Ok(Part { place, bytes }),
            Ok(None) => Err(SourceError::Missing { place }),
            Err(source) => Err(SourceError::Unreachable { place, source }),
        }
    }

    /// Whether no part of a log is there that it has at its beginning. A part that cannot be reached may be there.
    fn has_no_part(&self) -> bool {
        let is_absent = |path: &str| matches!(self.fetcher.fetch(path, 0), Ok(None));
        // Of what width a partial one is nobody says who has no checkpoint.
        let partial = (1..FULL_WIDTH).rev().filter_map(|width| TilePath::entries(0, width).ok());
        ["checkpoint/cosigned", "tile/entries/000", "tile/0/000"].into_iter().all(is_absent)
            && partial.into_iter().all(|path| is_absent(&path.to_path()))
    }

    /// A log may drop partial tiles once the full one is there (C2SP tlog-tiles), so that one serves as well.
    fn get_tile(
        &self,
        path: impl Fn(u16) -> Option<TilePath>,
        width: u16,
        limit: usize,
    ) -> Result<(Part, bool), SourceError> {
        let at = |width| path(width).map_or_else(|| "tile/".to_owned(), |path| path.to_path());
        match self.get(&at(width), limit) {
            Err(missing @ SourceError::Missing { .. }) if width < FULL_WIDTH => {
                self.get(&at(FULL_WIDTH), limit).map(|part| (part, true)).map_err(|_| missing)
            }
            other => other.map(|part| (part, false)),
        }
    }
}

impl<F: Fetch> LogSource for Mirror<F> {
    fn checkpoint(&self) -> Result<Part, SourceError> {
        match self.get("checkpoint", MAX_CHECKPOINT) {
            Err(SourceError::Missing { .. }) if self.has_no_part() => {
                Err(SourceError::NoLedger { place: "at this address" })
            }
            other => other,
        }
    }

    fn bundle(&self, n: u64, width: u16) -> Result<Part, SourceError> {
        let (mut part, longer) =
            self.get_tile(|width| TilePath::entries(n, width).ok(), width, MAX_BUNDLE)?;
        if longer {
            part.bytes.truncate(leading_entries(&part.bytes, width));
        }
        Ok(part)
    }

    fn tile(&self, level: u8, n: u64, width: u16) -> Result<Part, SourceError> {
        let (mut part, longer) =
            self.get_tile(|width| TilePath::hashes(level, n, width).ok(), width, MAX_TILE)?;
        if longer {
            part.bytes.truncate(usize::from(width) * HASH_LEN);
        }
        Ok(part)
    }
}

/// How many bytes the first `width` entries of a bundle take; all of them if there are fewer.
pub(super) fn leading_entries(bundle: &[u8], width: u16) -> usize {
    // Past the 256th entry nothing is looked at here; that there is more is for the caller to say.
    let whole = match whole_entries(bundle) {
        Err(gt_core::tile::BundleError::TooManyEntries { offset }) => whole_entries(&bundle[..offset]),
        other => other,
    };
    match whole {
        Ok(whole) if whole.entries.len() >= usize::from(width) => {
            whole.entries[..usize::from(width)].iter().map(|entry| entry.len() + 2).sum()
        }
        _ => bundle.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::tile::encode_entry;

    fn bundle(entries: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        (0..entries).for_each(|n| encode_entry(&mut bytes, &n.to_be_bytes()).expect("short"));
        bytes
    }

    #[test]
    fn a_mirror_that_dropped_a_partial_tile_is_asked_for_the_full_one() {
        let mirror = Mirror::new(|path: &str, _limit: usize| {
            Ok(match path {
                "tile/entries/000" => Some(bundle(256)),
                "tile/0/000" => Some(vec![7; MAX_TILE]),
                _ => None,
            })
        });
        assert_eq!(mirror.bundle(0, 3).expect("there").bytes, bundle(3));
        assert_eq!(mirror.tile(0, 0, 2).expect("there").bytes, vec![7; 64]);
        assert!(
            matches!(mirror.tile(0, 1, 2), Err(SourceError::Missing { place }) if place == "tile/0/001.p/2")
        );
        assert!(matches!(mirror.checkpoint(), Err(SourceError::Missing { .. })));
    }

    #[test]
    fn a_checkpoint_is_missing_where_anything_of_a_log_is_and_nowhere_else() {
        let nothing = Mirror::new(|_: &str, _: usize| Ok(None));
        assert!(matches!(nothing.checkpoint(), Err(SourceError::NoLedger { place: "at this address" })));
        for part in
            ["tile/entries/000", "tile/entries/000.p/1", "tile/entries/000.p/255", "checkpoint/cosigned"]
        {
            let log = Mirror::new(|path: &str, _: usize| Ok((path == part).then(Vec::new)));
            assert!(matches!(log.checkpoint(), Err(SourceError::Missing { .. })), "{part}");
        }
        // What does not answer may be a part.
        let partly = Mirror::new(|path: &str, _: usize| match path {
            "tile/0/000" => Err("status 503".into()),
            _ => Ok(None),
        });
        assert!(matches!(partly.checkpoint(), Err(SourceError::Missing { .. })));
    }

    #[test]
    fn a_checkpoint_may_be_as_long_as_a_note() {
        let longest = Mirror::new(|_: &str, _: usize| Ok(Some(vec![0; MAX_NOTE_LEN])));
        assert_eq!(longest.checkpoint().expect("taken").bytes.len(), MAX_NOTE_LEN);
    }

    #[test]
    fn what_a_mirror_sends_too_much_of_is_refused() {
        let mirror = Mirror::new(|_: &str, limit: usize| Ok(Some(vec![0; limit + 1])));
        assert!(matches!(mirror.checkpoint(), Err(SourceError::TooLong { .. })));
        let down = Mirror::new(|_: &str, _: usize| Err("connection refused".into()));
        assert!(matches!(down.checkpoint(), Err(SourceError::Unreachable { .. })));
    }

    #[test]
    fn leading_entries_are_cut_off_exactly() {
        let mut more = bundle(256);
        more.push(1);
        assert_eq!(leading_entries(&more, 200), bundle(200).len());
        assert_eq!(leading_entries(&bundle(5), 6), bundle(5).len());
        assert_eq!(leading_entries(&[0, 9, 1], 1), 3);
    }
}
