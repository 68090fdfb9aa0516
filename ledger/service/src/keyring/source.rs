//! Where the key-encryption key is kept: outside the data folder, in a file that only its owner can read, or behind a command that asks
//! a key store.
//!
//! A renewal goes through three states, and the process may end in each: the key in force alone; beside it the next one, durable; the
//! next one alone. Between the second and the third the keyring is wrapped anew, which is one atomic write, so whoever opens it tries
//! both keys and one of them is right.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gt_core::base64url;
use zeroize::Zeroizing;

use super::{KeyEncryptionKey, Keyring, KeyringError, kek_from_jwk, kek_to_jwk, shards_file};
use crate::disk::{Disk, Recorder};
use crate::key_command::{CommandError, KeyCommand};
use crate::private_keys::{JweError, KeyAccess, UnlockError, is_encrypted};

/// How much a command may say, in bytes: a key has 43 characters.
const MOST_OUTPUT: u64 = 256;

/// Where the key-encryption key is kept.
#[derive(Clone)]
pub struct KekSource {
    kind: Kind,
    recorder: Option<Arc<dyn Recorder>>,
}

#[derive(Clone)]
enum Kind {
    File(PathBuf, Box<KeyAccess>),
    Command(KeyCommand),
}

/// The keys that a source has: the one in force, and during a renewal the next one. One of them is there.
pub struct Keks {
    current: Option<KeyEncryptionKey>,
    next: Option<KeyEncryptionKey>,
}

/// Why the key-encryption key is not to be had, or not to be renewed.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    /// There is no such file.
    #[error(
        "there is no key-encryption key at {}: nothing in the vault can be read without it. Put it back from escrow (goldenthread kek restore), or say where it is with --kek FILE (GT_KEK_FILE) or --kek-command", .file.display()
    )]
    Missing {
        /// Where it should be.
        file: PathBuf,
    },
    /// There is not even its folder.
    #[error("there is no folder {}, so no key-encryption key: say where the ledger's keys are with --secrets DIR, or --kek FILE (GT_KEK_FILE)", .folder.display())]
    NoFolder {
        /// Where it should be.
        folder: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("the key-encryption key in {}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the file.
    #[error("{} can be read by others: make it 0600 (chmod 600), and think about whether somebody did", .file.display())]
    Exposed {
        /// Which file.
        file: PathBuf,
    },
    /// What is there is no key.
    #[error("{at} gives no key: a key-encryption key is 32 bytes in base64url, 43 characters")]
    Malformed {
        /// The file or the command.
        at: String,
    },
    /// The command did not do as it should.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The file is encrypted, and does not open.
    #[error(transparent)]
    Unlock(#[from] Box<UnlockError>),
    /// There is no next key to put in force.
    #[error("{at} has no next key-encryption key to put in force")]
    NoNext {
        /// The file or the command.
        at: String,
    },
    /// A store that cannot make keys.
    #[error(
        "{at} gives the key in force when it is asked for the next one: make a new version in your key store, and have the command answer `next` with it (docs/ERASURE.md)"
    )]
    NotRenewed {
        /// The command.
        at: String,
    },
}

impl KekSource {
    /// A file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { kind: Kind::File(path.into(), Box::default()), recorder: None }
    }

    /// The same, and a file that is encrypted opens by this. A next key is encrypted if the one in force is.
    #[must_use]
    pub fn opened_by(mut self, keys: &KeyAccess) -> Self {
        if let Kind::File(_, access) = &mut self.kind {
            **access = keys.clone();
        }
        self
    }

    /// A command, run without a shell.
    pub fn command(line: &str) -> Result<Self, KekError> {
        Ok(Self {
            kind: Kind::Command(KeyCommand::parse("--kek-command", line, MOST_OUTPUT)?),
            recorder: None,
        })
    }

    /// The same source, and a recorder is told of each change to its folder. For tests that cut the power.
    #[must_use]
    pub fn recorded(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Reads the keys that it has. A key in force that is missing or spoilt is passed over if the next one is there: a renewal was
    /// interrupted while the old key was being destroyed.
    pub fn load(&self) -> Result<Keks, KekError> {
        match &self.kind {
            Kind::File(path, access) => {
                let next = read_key(&next_file(path), access)?;
                match (read_key(path, access), next) {
                    (Ok(current @ Some(_)), next) => Ok(Keks { current, next }),
                    (Ok(None) | Err(KekError::Malformed { .. }), next @ Some(_)) => {
                        Ok(Keks { current: None, next })
                    }
                    (Ok(None), None) => Err(missing(path)),
                    (Err(error), _) => Err(error),
                }
            }
            Kind::Command(command) => {
                let current = parse(&command.run("current")?).ok_or_else(|| self.malformed())?;
                let answer = command.run("next")?;
                let next = match answer.trim_ascii() {
                    [] => None,
                    _ => Some(parse(&answer).ok_or_else(|| self.malformed())?),
                };
                let next = next.filter(|next| next.as_bytes() != current.as_bytes());
                Ok(Keks { current: Some(current), next })
            }
        }
    }

    /// Has a next key made, unless there is one, and returns it; it is durable then. The one in force stays.
    pub fn prepare_next(&self) -> Result<KeyEncryptionKey, KekError> {
        if let Some(next) = self.load()?.next {
            if let Kind::File(path, _) = &self.kind {
                let (disk, name) = self.folder(path)?;
                sync_next(&disk, path, &name)?;
            }
            return Ok(next);
        }
        match &self.kind {
            Kind::File(path, access) => {
                let key = KeyEncryptionKey::generate();
                let text = next_text(path, access, &key)?;
                let (mut disk, name) = self.folder(path)?;
                let next = next_file(&name);
                disk.replace(&next, text.as_bytes()).map_err(|source| io_error(&next_file(path), source))?;
                Ok(key)
            }
            Kind::Command(command) => {
                command.run("make-next")?;
                self.load()?.next.ok_or_else(|| KekError::NotRenewed { at: self.to_string() })
            }
        }
    }

    /// Puts the next key in force and destroys the one before. Only after everything is wrapped under the next one, durably.
    pub(crate) fn promote(&self) -> Result<(), KekError> {
        match &self.kind {
            Kind::File(path, _) => {
                let next = next_file(path);
                if !next.exists() {
                    return Err(KekError::NoNext { at: self.to_string() });
                }
                let (mut disk, name) = self.folder(path)?;
                sync_next(&disk, path, &name)?;
                overwrite(&mut disk, path, &name)?;
                disk.rename(&next_file(&name), &name)
                    .and_then(|()| disk.sync_folder(Path::new("")))
                    .map_err(|source| io_error(path, source))
            }
            Kind::Command(command) => Ok(command.run("promote").map(drop)?),
        }
    }

    fn folder(&self, path: &Path) -> Result<(Disk, PathBuf), KekError> {
        let missing = || io_error(path, io::Error::from(io::ErrorKind::InvalidInput));
        let name = PathBuf::from(path.file_name().ok_or_else(missing)?);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Ok((Disk::new(folder.unwrap_or(Path::new(".")), self.recorder.clone()), name))
    }

    fn malformed(&self) -> KekError {
        KekError::Malformed { at: self.to_string() }
    }
}

/// Says where it is, for people.
impl fmt::Display for KekSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::File(path, _) => path.display().fmt(f),
            Kind::Command(command) => write!(f, "the key command ({})", command.program()),
        }
    }
}

impl Keks {
    /// A key that is in force, in memory.
    pub const fn of(key: KeyEncryptionKey) -> Self {
        Self { current: Some(key), next: None }
    }

    /// The key in force; the next one where a renewal has got as far as destroying the old one.
    pub fn key(&self) -> &KeyEncryptionKey {
        self.current.as_ref().or(self.next.as_ref()).expect("a source has one of them")
    }

    /// The one in force, unless it is being destroyed.
    pub(crate) const fn current(&self) -> Option<&KeyEncryptionKey> {
        self.current.as_ref()
    }

    /// The next one, during a renewal.
    pub const fn next(&self) -> Option<&KeyEncryptionKey> {
        self.next.as_ref()
    }

    /// The one that opens a folder's keyring, if one does. Needs no lock and opens nobody's keys, so a running ledger may have the folder.
    pub fn opening(&self, root: &Path) -> Result<Option<&KeyEncryptionKey>, KeyringError> {
        let file = shards_file();
        let wrapped = fs::read(root.join(&file)).map_err(super::io_error(&file))?;
        Ok(self.all().find(|kek| Keyring::of_shards(kek, &wrapped).is_ok()))
    }

    /// The keys to be tried, the one in force first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &KeyEncryptionKey> {
        self.current.iter().chain(&self.next)
    }
}

fn missing(file: &Path) -> KekError {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => KekError::NoFolder { folder: folder.to_owned() },
        None => KekError::Missing { file: file.to_owned() },
    }
}

/// Makes a next key durable that is there: a process that was killed, or a person, may have put it there, and a power cut could take it back.
fn sync_next(disk: &Disk, path: &Path, name: &Path) -> Result<(), KekError> {
    disk.sync(&next_file(name))
        .and_then(|()| disk.sync_folder(Path::new("")))
        .map_err(|source| io_error(&next_file(path), source))
}

/// Zeros over the old key. A crash from here on leaves one that does not read, and the next one.
fn overwrite(disk: &mut Disk, path: &Path, name: &Path) -> Result<(), KekError> {
    match fs::metadata(path) {
        Ok(about) => {
            let length = usize::try_from(about.len().min(4096)).expect("at most 4096");
            disk.overwrite(name, &vec![0; length]).map_err(|source| io_error(path, source))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io_error(path, source)),
    }
}

/// Where the next key lies, beside the one in force.
fn next_file(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".next");
    path.with_file_name(name)
}

/// What is to stand in the file of the next key: encrypted if that of the key in force is.
fn next_text(path: &Path, access: &KeyAccess, key: &KeyEncryptionKey) -> Result<Zeroizing<String>, KekError> {
    let text = Zeroizing::new(base64url::encode(key.as_bytes()));
    let in_force = fs::read(path).map(Zeroizing::new).map_err(|source| io_error(path, source))?;
    let text = if is_encrypted(&in_force) {
        let jwk = kek_to_jwk(text.as_bytes()).expect("it was made just now");
        access.seal(path, &jwk).map_err(Box::new)?
    } else {
        text
    };
    Ok(Zeroizing::new(format!("{}\n", text.as_str())))
}

/// `None` if there is no such file.
fn read_key(path: &Path, access: &KeyAccess) -> Result<Option<KeyEncryptionKey>, KekError> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error(path, source)),
    };
    let malformed = || KekError::Malformed { at: path.display().to_string() };
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        return Err(KekError::Exposed { file: path.to_owned() });
    }
    if !about.is_file() || about.len() > 4096 {
        return Err(malformed());
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(|source| io_error(path, source))?);
    if !is_encrypted(&bytes) {
        return parse(&bytes).map(Some).ok_or_else(malformed);
    }
    match access.open(path, bytes) {
        Ok(jwk) => kek_from_jwk(&jwk).map(Some).ok_or_else(malformed),
        // An old key that was being written over.
        Err(UnlockError::Sealed { source: JweError::Form | JweError::Header, .. }) => Err(malformed()),
        Err(error) => Err(Box::new(error).into()),
    }
}

fn parse(bytes: &[u8]) -> Option<KeyEncryptionKey> {
    let text = core::str::from_utf8(bytes.trim_ascii()).ok()?;
    let key = Zeroizing::new(base64url::decode_array::<32>(text).ok()?);
    Some(KeyEncryptionKey::from_bytes(&key))
}

fn io_error(file: &Path, source: io::Error) -> KekError {
    KekError::Io { file: file.to_owned(), source }
}

#[cfg(test)]
mod tests;
