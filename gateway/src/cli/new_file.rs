//! Files and folders that a command is going to write. They are taken before the ledger is asked for anything: a reading is sealed for
//! ever, and nobody may be said to have read what could then not be handed over.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use gt_ledger::disk::{private, private_folder};

use super::Failure;
use super::registrar::about;

/// A new file that only its owner can read. It is gone again unless it is kept.
pub(super) struct NewFile {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl NewFile {
    /// Makes the file, empty. Fails if something is there, of which `never` says why it stays as it is, or if nothing can be made there.
    pub(super) fn take(path: &Path, never: &str) -> Result<Self, Failure> {
        let opened = private().write(true).create_new(true).open(path);
        let file = opened.map_err(|error| refused(path, &error, never))?;
        Ok(Self { path: path.to_owned(), file, kept: false })
    }

    /// Writes all that it is to hold, durably.
    pub(super) fn write(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| about(&self.path, &error))
    }

    /// Leaves it where it is. Of files that belong together, each is written before the first is kept.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // Half of it is of no use, and would be in the way of the next attempt.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A new folder that only its owner can enter. It is gone again unless it is kept, if the files that were taken in it are gone.
pub(super) struct NewFolder {
    path: PathBuf,
    kept: bool,
}

impl NewFolder {
    /// Makes the folder, empty. Fails as [`NewFile::take`] does.
    pub(super) fn take(path: &Path, never: &str) -> Result<Self, Failure> {
        private_folder(path).map_err(|error| refused(path, &error, never))?;
        Ok(Self { path: path.to_owned(), kept: false })
    }

    /// Leaves it where it is.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

fn refused(path: &Path, error: &io::Error, never: &str) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::new(format!("{} exists already, and {never}; name another one", path.display()))
        }
        io::ErrorKind::NotFound => {
            Failure::new(format!("{}: the folder that it is to stand in is not there", path.display()))
        }
        _ => about(path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: &str = "is not overwritten";

    fn complaint<T>(result: Result<T, Failure>) -> String {
        result.err().expect("refused").message
    }

    #[test]
    fn what_is_not_kept_is_gone_and_what_was_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::write(&two, "mine").expect("written");
        let first = NewFile::take(&one, NEVER).ok().expect("free");
        assert!(complaint(NewFile::take(&one, NEVER)).contains("exists already"), "one file is not two");
        let refused = complaint(NewFile::take(&two, NEVER));
        assert!(
            refused.contains("two exists already, and is not overwritten") && !refused.contains("os error")
        );
        drop(first);
        assert!(!one.exists());
        assert_eq!(fs::read(&two).expect("there"), b"mine");
        let nowhere = complaint(NewFile::take(&folder.path().join("no/where"), NEVER));
        assert!(nowhere.contains("no/where: the folder that it is to stand in is not there"), "{nowhere}");
    }

    #[test]
    fn what_is_kept_stays_with_what_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        for kept in [false, true] {
            let made = NewFolder::take(&inner, NEVER).ok().expect("free");
            let mut file = NewFile::take(&inner.join("file"), NEVER).ok().expect("free");
            file.write("text").ok().expect("written");
            assert!(complaint(NewFolder::take(&inner, NEVER)).contains("exists already"));
            if kept {
                file.keep();
                made.keep();
            }
        }
        assert_eq!(fs::read(inner.join("file")).expect("kept"), b"text");
        drop(NewFolder::take(&folder.path().join("other"), NEVER).ok().expect("free"));
        assert!(!folder.path().join("other").exists());
    }
}
