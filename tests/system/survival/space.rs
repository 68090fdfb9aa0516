//! A file system with little room, for a ledger's folder alone.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::partnership::{copy_folder, path};

const ROOM: &str = "size=96m,mode=0700";
const BALLAST: &str = "ballast";

/// A folder on a file system of its own, which ends with this.
pub(crate) struct Space {
    folder: PathBuf,
}

impl Space {
    /// Moves a folder that nobody uses. Where mounting is not allowed it says so, and the folder is as it was.
    pub(crate) fn under(folder: &Path) -> Result<Self, String> {
        let before = folder.with_extension("before");
        fs::rename(folder, &before).expect("renamed");
        fs::create_dir(folder).expect("a new folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", ROOM, "tmpfs", path(folder)]).output();
        let refused = match &mount {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(refused) = refused {
            fs::remove_dir(folder).expect("an empty folder");
            fs::rename(&before, folder).expect("renamed");
            return Err(format!(
                "a full disk needs a file system to be mounted, and that is refused: {refused}"
            ));
        }
        let space = Self { folder: folder.to_owned() };
        copy_folder(&before, folder);
        fs::remove_dir_all(before).expect("removed");
        Ok(space)
    }

    /// Leaves no byte free.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.folder.join(BALLAST)).expect("a file");
        for block in [1 << 16, 1 << 12, 1] {
            let block = vec![0_u8; block];
            while ballast.write_all(&block).is_ok() {}
        }
    }

    /// Gives the room back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.folder.join(BALLAST)).expect("it was filled");
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // What still uses it keeps it until it ends.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
