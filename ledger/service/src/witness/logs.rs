use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use gt_core::note::{VerifierKey, VerifierKeyError};
use gt_core::witness::origin_hash;

use crate::disk::{Disk, read_if_there};

/// The longest list of logs that is read, in bytes.
const MAX_LEN: usize = 1 << 20;

/// The logs that a witness knows, by their origins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logs(BTreeMap<String, Vec<VerifierKey>>);

/// Why a list of logs is not taken.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// It cannot be read or written.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is longer than it can be, or no text.
    #[error("{} is no list of logs", .file.display())]
    NoList {
        /// Which file.
        file: PathBuf,
    },
    /// A line is none of a log.
    #[error("{}, line {line}: not `log` and a verifier key", .file.display())]
    Line {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// A key does not read.
    #[error("{}, line {line}: {source}", .file.display())]
    Key {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        source: VerifierKeyError,
    },
    /// A key of another use.
    #[error("the key of {name} is of a witness: a log signs with keys of the types 0x01 and 0x06")]
    NotOfALog {
        /// The key's name.
        name: String,
    },
}

impl Logs {
    /// Reads a list: lines as a C2SP tlog-policy has them, `log <vkey> [<url>]`, comments and empty lines.
    pub fn parse(text: &str, file: &Path) -> Result<Self, LogsError> {
        let mut logs = Self::default();
        for (at, line) in text.lines().enumerate() {
            let (file, line_number) = (file.to_owned(), at + 1);
            let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            match (words.next(), words.next(), words.count()) {
                (None, ..) => {}
                (Some(word), ..) if word.starts_with('#') => {}
                (Some("log"), Some(key), 0 | 1) => {
                    let key = VerifierKey::parse(key).map_err(|source| LogsError::Key {
                        file,
                        line: line_number,
                        source,
                    })?;
                    logs.add(key)?;
                }
                _ => return Err(LogsError::Line { file, line: line_number }),
            }
        }
        Ok(logs)
    }

    /// Adds a log's key; its name is the log's origin. False if it was there.
    pub fn add(&mut self, key: VerifierKey) -> Result<bool, LogsError> {
        if !key.signature_type().is_of_logs() {
            return Err(LogsError::NotOfALog { name: key.name().to_owned() });
        }
        let keys = self.0.entry(key.name().to_owned()).or_default();
        let new = !keys.contains(&key);
        if new {
            keys.push(key);
        }
        Ok(new)
    }

    /// The keys that are trusted for an origin; none if it is not known.
    pub fn keys(&self, origin: &str) -> &[VerifierKey] {
        self.0.get(origin).map(Vec::as_slice).unwrap_or_default()
    }

    /// The origins.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The origin with this hash.
    pub fn origin_of(&self, hash: &str) -> Option<&str> {
        self.origins().find(|origin| origin_hash(origin) == hash)
    }

    /// The list as text.
    pub fn to_text(&self) -> String {
        let mut text = String::from("# The logs whose checkpoints this witness signs.\n");
        for key in self.0.values().flatten() {
            // Writing to a text does not fail.
            let _ = writeln!(text, "log {key}");
        }
        text
    }
}

/// The list in its file, which may change while a witness runs.
pub(super) struct LogsFile {
    root: PathBuf,
    file: PathBuf,
    read: Mutex<ReadList>,
}

/// The list as it was read, and when the file had been changed then and how long it was; `None` if it was not there.
#[derive(Default)]
struct ReadList {
    about: Option<(SystemTime, u64)>,
    logs: Arc<Logs>,
}

impl LogsFile {
    pub(super) fn open(root: &Path, file: &Path) -> Result<Self, LogsError> {
        let logs = Self { root: root.to_owned(), file: file.to_owned(), read: Mutex::default() };
        logs.current()?;
        Ok(logs)
    }

    /// What the file says now. It is read again if it has changed.
    pub(super) fn current(&self) -> Result<Arc<Logs>, LogsError> {
        let path = self.root.join(&self.file);
        let io = |source| LogsError::Io { file: path.clone(), source };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let about = match path.metadata() {
            Ok(about) => Some((about.modified().map_err(io)?, about.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        if about != read.about {
            read.logs = Arc::new(read_logs(&path)?);
            read.about = about;
        }
        Ok(Arc::clone(&read.logs))
    }
}

/// Reads the list; one that is not there is empty.
pub(super) fn read_logs(path: &Path) -> Result<Logs, LogsError> {
    let bytes = read_if_there(path).map_err(|source| LogsError::Io { file: path.to_owned(), source })?;
    let bytes = bytes.unwrap_or_default();
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_LEN);
    Logs::parse(&text.ok_or_else(|| LogsError::NoList { file: path.to_owned() })?, path)
}

/// Replaces the list, durably.
pub(super) fn write_logs(root: &Path, file: &Path, logs: &Logs) -> Result<(), LogsError> {
    Disk::new(root, None)
        .replace(file, logs.to_text().as_bytes())
        .map_err(|source| LogsError::Io { file: root.join(file), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::note::NoteSigner;

    fn key(name: &str, seed: u8) -> VerifierKey {
        NoteSigner::new(name, &[seed; 32]).expect("a good name").verifier_key().clone()
    }

    #[test]
    fn lists_are_lines_of_a_policy() {
        let (first, second, third) = (key("a.example", 1), key("a.example", 2), key("b.example", 3));
        let text = format!("# logs\n\nlog {first}\n\tlog  {second} https://a.example/log\n log {third}\t\n");
        let logs = Logs::parse(&text, Path::new("logs")).expect("a list");
        assert_eq!(logs.keys("a.example"), [first.clone(), second]);
        assert_eq!((logs.keys("b.example").len(), logs.keys("c.example").len()), (1, 0));
        assert_eq!(logs.origin_of(&origin_hash("b.example")), Some("b.example"));
        assert_eq!(Logs::parse(&logs.to_text(), Path::new("logs")).expect("its own text"), logs);
        for bad in
            ["witness x y", "log", "log x", &format!("log {first} a b"), &format!("quorum none\nlog {first}")]
        {
            assert!(Logs::parse(bad, Path::new("logs")).is_err(), "{bad}");
        }
        let witness = NoteSigner::cosigner("w.example", &[4; 32]).expect("a good name");
        let refused = Logs::parse(&format!("log {}", witness.verifier_key()), Path::new("logs"));
        assert!(matches!(refused, Err(LogsError::NotOfALog { .. })));
    }

    #[test]
    fn a_list_that_changes_is_read_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = LogsFile::open(folder.path(), Path::new("logs")).expect("none is an empty one");
        assert!(file.current().expect("readable").keys("a.example").is_empty());
        let mut logs = Logs::default();
        assert!(
            logs.add(key("a.example", 1)).expect("a log's")
                && !logs.add(key("a.example", 1)).expect("a log's")
        );
        write_logs(folder.path(), Path::new("logs"), &logs).expect("written");
        assert_eq!(*file.current().expect("readable"), logs);
        std::fs::write(folder.path().join("logs"), "nonsense").expect("written");
        assert!(file.current().is_err());
    }
}
