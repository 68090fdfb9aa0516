use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir};

/// Where a measurement makes its temporary folders.
#[derive(Debug, Clone)]
pub struct Within {
    /// The folder in which they are made. It decides which disk is measured.
    pub folder: PathBuf,
    /// Whether they stay after the measurement. Some file systems look for a while past each file that was removed whenever they make a
    /// new one (ext4 without a journal does for minutes), so that what is measured next would pay for what was removed before.
    pub keep: bool,
}

impl Within {
    /// Makes a folder whose name begins with this; it is removed when dropped, if it is not to be kept.
    pub(super) fn make(&self, prefix: &str) -> io::Result<TempDir> {
        Builder::new().prefix(prefix).disable_cleanup(self.keep).tempdir_in(&self.folder)
    }
}

/// In this folder, for as long as the measurement takes.
impl From<&Path> for Within {
    fn from(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), keep: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_measurement_unless_it_is_kept() {
        let place = tempfile::tempdir().unwrap();
        for keep in [false, true] {
            let made = Within { keep, ..place.path().into() }.make("kept.").unwrap();
            let path = made.path().to_owned();
            assert!(path.starts_with(place.path()) && path.is_dir());
            drop(made);
            assert_eq!(path.exists(), keep);
        }
    }
}
