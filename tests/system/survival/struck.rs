//! What a tracer has told of the calls that failed: which they were, on which files, and whether a sealer has to stop for them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// How a tracer marks a call that it has answered in the kernel's place.
const INJECTED: &str = "(INJECTED)";
/// What a receipt rests on: the log, the vault, the keyring and the checkpoint, and where the last one that was handed out is kept.
const RESTED_ON: [&str; 7] =
    ["open", "tile", "vault", "keyring", "checkpoint", "checkpoint.new", "state/handed-out"];

/// A call that failed, as the tracer writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call(String);

/// Whether a tracer has told of a call that failed.
pub(crate) fn has_struck(told: &Path) -> bool {
    std::fs::read_to_string(told).is_ok_and(|text| text.contains(INJECTED))
}

/// Those that failed, the first one first.
pub(crate) fn struck(told: &Path) -> Vec<Call> {
    calls(&std::fs::read_to_string(told).unwrap_or_default())
}

fn calls(text: &str) -> Vec<Call> {
    let (mut begun, mut calls) = (HashMap::new(), Vec::new());
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
        let call = call.trim_start();
        // Where another thread's call comes in between, the beginning alone says the file, and the end alone what came of it.
        if let Some(beginning) = call.strip_suffix("<unfinished ...>") {
            begun.insert(thread, beginning);
            continue;
        }
        let end = call.strip_prefix("<... ");
        let beginning = end.map_or(Some(call), |_| begun.remove(thread));
        if call.contains(INJECTED) {
            calls.push(Call(beginning.or(end).unwrap_or(call).to_owned()));
        }
    }
    calls
}

impl Call {
    /// In words, with a file of this folder by its place in it.
    pub(crate) fn to_text(&self, data: &Path) -> String {
        let files: Vec<_> = self.places(data).iter().map(|file| file.display().to_string()).collect();
        match files.first().map(String::as_str) {
            None => self.name().to_owned(),
            Some("") => format!("{} of the folder", self.name()),
            Some(file) => format!("{} of {file}", self.name()),
        }
    }

    /// Whether a sealer whose call this was does not know any more what is durable.
    ///
    /// Others read the log's files as well, and need not stop it if they cannot be opened. What only a sealer opens to read is what
    /// it is about to sync: folders, and the next checkpoint. (A thread that writes a snapshot syncs the data folder, too, and may fail: but no
    /// ledger here lives until one is due.)
    pub(crate) fn must_stop(&self, data: &Path) -> bool {
        let opens_to_read =
            self.name() == "openat" && !["O_WRONLY", "O_RDWR"].iter().any(|flag| self.0.contains(flag));
        let is_synced = |place: &Path| {
            place == Path::new("checkpoint.new")
                || (data.join(place).is_dir() && !self.0.contains("O_DIRECTORY"))
        };
        self.places(data).iter().any(|place| {
            let is_rested_on =
                place.as_os_str().is_empty() || RESTED_ON.iter().any(|of| place.starts_with(of));
            is_rested_on && (!opens_to_read || is_synced(place))
        })
    }

    /// Whether it was about the views' files alone, on which no receipt rests.
    pub(crate) fn is_of_views(&self, data: &Path) -> bool {
        let places = self.places(data);
        !places.is_empty() && places.iter().all(|place| place.starts_with("views"))
    }

    fn name(&self) -> &str {
        self.0.split(['(', ' ']).next().unwrap_or_default()
    }

    /// Where in a data folder the call's files are; those that are elsewhere are left out.
    fn places(&self, data: &Path) -> Vec<PathBuf> {
        // A tracer tells a descriptor's file by the path that the system knows.
        let known = data.canonicalize().unwrap_or_else(|_| data.to_owned());
        let place = |file: &&str| {
            let file = Path::new(file);
            let place = file.strip_prefix(data).or_else(|_| file.strip_prefix(&known));
            place.ok().map(Path::to_owned)
        };
        self.files().iter().filter_map(place).collect()
    }

    /// The names that it was given, or the file of its descriptor.
    fn files(&self) -> Vec<&str> {
        if self.name().starts_with("open") || self.name().starts_with("rename") {
            return self.0.split('"').skip(1).step_by(2).collect();
        }
        let of_descriptor = self.0.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        of_descriptor.map(|(file, _)| file).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"41 fdatasync(9</d/vault/000>) = 0
42 fdatasync(12</d/open/entries/000> <unfinished ...>
43 writev(9</d/views/rows.sled/db>, [{iov_base=""..., iov_len=9}], 1) = -1 ENOSPC (No space left on device) (INJECTED)
42 <... fdatasync resumed>) = -1 EIO (Input/output error) (INJECTED)
44 openat(AT_FDCWD</>, "/d/vault/000", O_RDONLY|O_CLOEXEC) = -1 EIO (Input/output error) (INJECTED)
44 openat(AT_FDCWD</>, "/d/vault/001", O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC, 0600) = -1 EIO (Input/output error) (INJECTED)
44 renameat2(AT_FDCWD</>, "/d/checkpoint.new", AT_FDCWD</>, "/d/checkpoint", RENAME_EXCHANGE) = -1 EIO (Input/output error) (INJECTED)
44 fsync(7</d>) = -1 EIO (Input/output error) (INJECTED)
44 rename("/d/state/snapshot.new", "/d/state/snapshot") = -1 EIO (Input/output error) (INJECTED)
"#;

    #[test]
    fn a_tracer_tells_which_file_and_whether_a_sealer_must_stop() {
        let data = Path::new("/d");
        let told =
            calls(TOLD).iter().map(|call| (call.to_text(data), call.must_stop(data))).collect::<Vec<_>>();
        let expected = [
            ("writev of views/rows.sled/db", false),
            ("fdatasync of open/entries/000", true),
            ("openat of vault/000", false),
            ("openat of vault/001", true),
            ("renameat2 of checkpoint.new", true),
            ("fsync of the folder", true),
            ("rename of state/snapshot.new", false),
        ];
        assert_eq!(told, expected.map(|(text, must)| (text.to_owned(), must)));
        let of_views = calls(TOLD).iter().filter(|call| call.is_of_views(data)).count();
        assert_eq!(of_views, 1);
    }
}
