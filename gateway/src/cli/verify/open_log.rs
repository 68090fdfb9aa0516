//! The open log that a bundle is checked against, entry by entry, from a folder or a URL.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gt_core::TreeSize;
use gt_core::bundle::{OpenLog, OpenLogError};
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::tile::{FULL_WIDTH, row_extent, whole_entries};
use gt_ledger::audit::{DataFolder, LogSource, Mirror};

use super::super::Failure;
use super::super::fetch::fetcher;

/// A log that is read one bundle of entries at a time.
pub(super) struct Entries {
    source: Box<dyn LogSource>,
    size: TreeSize,
    next_bundle: u64,
    waiting: VecDeque<Vec<u8>>,
    why: Option<String>,
}

impl Entries {
    /// Opens the log at a folder or URL. Its checkpoint only says how far it goes: whether the log is the right one shows when its
    /// entries lead to the bundle's checkpoint.
    pub(super) fn open(place: &str) -> Result<Self, Failure> {
        let source = source(place)?;
        let unreadable = |why: String| Failure::could_not_tell(format!("--log {place}: {why}"));
        let part = source.checkpoint().map_err(|error| unreadable(error.to_string()))?;
        let signed = SignedCheckpoint::parse(&part.bytes)
            .map_err(|error| unreadable(format!("{} is no checkpoint: {error}", part.place)))?;
        let size = signed.checkpoint().size();
        Ok(Self { source, size, next_bundle: 0, waiting: VecDeque::new(), why: None })
    }

    /// How many entries the log says it has.
    pub(super) const fn size(&self) -> TreeSize {
        self.size
    }

    /// Why it could not be read to its end, if it could not.
    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    fn fill(&mut self) -> Result<(), String> {
        let number = self.next_bundle;
        let width = row_extent(self.size, 0).width_of(number);
        if width == 0 {
            return Ok(());
        }
        let part = self.source.bundle(number, width).map_err(|error| error.to_string())?;
        let whole = whole_entries(&part.bytes).map_err(|error| format!("{}: {error}", part.place))?;
        let cut_off = whole.end < part.bytes.len() || whole.entries.len() < usize::from(width);
        if cut_off || width > FULL_WIDTH {
            return Err(format!("{} is cut off or damaged", part.place));
        }
        self.waiting.extend(whole.entries.iter().map(|entry| entry.to_vec()));
        self.next_bundle += 1;
        Ok(())
    }
}

impl OpenLog for Entries {
    fn next_entry(&mut self) -> Result<Option<Vec<u8>>, OpenLogError> {
        if self.waiting.is_empty() {
            self.fill().map_err(|why| {
                self.why = Some(why);
                OpenLogError
            })?;
        }
        Ok(self.waiting.pop_front())
    }
}

fn source(place: &str) -> Result<Box<dyn LogSource>, Failure> {
    if place.starts_with("http://") || place.starts_with("https://") {
        return Ok(Box::new(Mirror::new(fetcher(place))));
    }
    let folder = Path::new(place);
    if !folder.is_dir() {
        return Err(Failure::could_not_tell(format!("--log {place}: no such folder, and no URL")));
    }
    // A ledger's own folder has its growing files apart; a mirror's has C2SP's paths only.
    if folder.join("open").is_dir() {
        return Ok(Box::new(DataFolder::new(folder)));
    }
    Ok(Box::new(Mirror::new(file_fetcher(folder.to_owned()))))
}

fn file_fetcher(
    folder: PathBuf,
) -> impl Fn(&str, usize) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
    move |path, limit| {
        let mut bytes = Vec::new();
        match File::open(folder.join(path)) {
            Ok(file) => file.take(limit as u64 + 1).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use gt_core::Hash;
    use gt_core::checkpoint::Checkpoint;
    use gt_core::note::NoteSigner;
    use gt_core::tile::encode_entry;

    use super::*;

    /// A mirror's folder of this many entries, each the four bytes of its index.
    fn mirror(entries: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let checkpoint =
            Checkpoint::new("log.example", TreeSize(entries.into()), Hash::of(b"any")).expect("sound");
        let key = NoteSigner::new("log.example", &[1; 32]).expect("a good name");
        let signed = SignedCheckpoint::sign(checkpoint, &[&key]).expect("sound");
        std::fs::write(folder.path().join("checkpoint"), signed.to_string()).expect("written");
        let tiles = folder.path().join("tile/entries");
        std::fs::create_dir_all(tiles.join("001.p")).expect("made");
        for (first, last, name) in [(0, 256.min(entries), "000"), (256, entries, "001.p/44")] {
            let mut bytes = Vec::new();
            (first..last).for_each(|n| encode_entry(&mut bytes, &n.to_be_bytes()).expect("short"));
            std::fs::write(tiles.join(name), bytes).expect("written");
        }
        folder
    }

    fn read(entries: &mut Entries) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| entries.next_entry().expect("it can be read")).collect()
    }

    #[test]
    fn a_mirrors_folder_is_read_to_its_end() {
        let folder = mirror(300);
        let place = folder.path().display().to_string();
        let mut entries = Entries::open(&place).ok().expect("a mirror");
        let expected: Vec<Vec<u8>> = (0..300_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        assert_eq!((entries.size(), read(&mut entries)), (TreeSize(300), expected));
        assert_eq!(entries.why(), None);
    }

    #[test]
    fn a_part_that_is_missing_is_named() {
        let folder = mirror(300);
        std::fs::remove_file(folder.path().join("tile/entries/001.p/44")).expect("it was there");
        let place = folder.path().display().to_string();
        let mut entries = Entries::open(&place).ok().expect("a mirror");
        for _ in 0..256 {
            assert!(entries.next_entry().expect("the full bundle is there").is_some());
        }
        assert_eq!(entries.next_entry(), Err(OpenLogError));
        assert!(entries.why().is_some_and(|why| why.contains("001.p/44")), "{:?}", entries.why());
        assert!(Entries::open("/nowhere").is_err());
    }
}
