//! A process whose wall clock jumps while the machine's goes on: libfaketime between the program and the C library, told by a file. Its
//! monotonic clock goes on as well, as it does when somebody sets a machine's clock.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A wall clock that can be moved.
pub(crate) struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// A clock that is right until it is moved. Where libfaketime is not installed it says so.
    pub(crate) fn new(file: PathBuf) -> Result<Self, String> {
        let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let mut found = libraries.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
        let library = found
            .find(|library| library.exists())
            .ok_or("clocks that jump need libfaketime: install Debian's `faketime`")?;
        let clock = Self { library, file };
        clock.set(0);
        Ok(clock)
    }

    /// So many seconds before or after the machine's.
    pub(crate) fn set(&self, seconds: i64) {
        let beside = self.file.with_extension("new");
        std::fs::write(&beside, format!("{seconds:+}\n")).expect("written");
        // A clock that is read half-way would be none.
        std::fs::rename(beside, &self.file).expect("renamed");
    }

    /// Has a program go by this clock.
    pub(crate) fn give_to(&self, command: &mut Command) {
        let file: &Path = &self.file;
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", file);
        for setting in
            ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"]
        {
            command.env(setting, "1");
        }
    }
}
