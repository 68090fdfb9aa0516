//! Where the passphrase comes from: a file that only its owner can read, or whoever sits at the terminal. Never an argument or a value in
//! the environment, which other processes can see.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

/// The longest passphrase, in bytes.
pub(super) const MAX_PASSPHRASE: usize = 1024;
/// The shortest passphrase that new files are encrypted with, in characters: NIST SP 800-63B-4 section 3.1.1.2.
pub const MIN_NEW_PASSPHRASE: usize = 15;

/// A passphrase. It never shows itself, and is wiped when dropped.
pub struct Passphrase(Zeroizing<String>);

/// Asks a person, and is told what to ask.
pub type Ask = dyn Fn(&str) -> io::Result<Zeroizing<String>> + Send + Sync;

/// Where the passphrase is to be had. It is looked for when a key is met that needs it, and once.
#[derive(Clone, Default)]
pub struct PassphraseSource {
    place: Place,
    known: Arc<Mutex<Option<Arc<Passphrase>>>>,
}

#[derive(Clone, Default)]
enum Place {
    #[default]
    Nowhere,
    File(PathBuf),
    Person(Arc<Ask>),
}

/// Why there is no usable passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The file cannot be read.
    #[error("the passphrase file {}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the file.
    #[error(
        "the passphrase file {} can be read by others: make it 0600 (chmod 600), and think about whether somebody did", .file.display()
    )]
    Exposed {
        /// Which file.
        file: PathBuf,
    },
    /// Nothing there is a passphrase.
    #[error("{at} holds no passphrase: a line of text of at most {MAX_PASSPHRASE} bytes")]
    NoLine {
        /// The file, or the terminal.
        at: String,
    },
    /// Too short for a new file.
    #[error(
        "a passphrase for private keys has at least {MIN_NEW_PASSPHRASE} characters: several words that nobody else would put together"
    )]
    TooShort,
    /// The terminal is of no use.
    #[error("the passphrase cannot be asked for on the terminal: {0}")]
    Terminal(io::Error),
    /// The person typed two different ones.
    #[error("the two passphrases are not the same; nothing was changed")]
    Mismatch,
    /// There is nowhere to have one from.
    #[error(
        "a passphrase is needed and there is none: say which file holds it with --passphrase-file FILE (GT_PASSPHRASE_FILE), or run this at a terminal, which asks for it"
    )]
    Nowhere,
}

impl Passphrase {
    /// A line of text, not empty; `None` if it is anything else.
    pub fn new(text: Zeroizing<String>) -> Option<Self> {
        let length = text.len();
        let sound = (1..=MAX_PASSPHRASE).contains(&length) && !text.contains(['\n', '\r', '\0']);
        sound.then_some(Self(text))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn require_long(&self) -> Result<(), PassphraseError> {
        if self.0.chars().count() < MIN_NEW_PASSPHRASE {
            return Err(PassphraseError::TooShort);
        }
        Ok(())
    }
}

impl PassphraseSource {
    /// The first line of a file; there must be no other.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::File(path.into()), known: Arc::default() }
    }

    /// A person.
    pub fn person(ask: Arc<Ask>) -> Self {
        Self { place: Place::Person(ask), known: Arc::default() }
    }

    /// Whether a file was named.
    pub const fn is_file(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    /// The passphrase of what is encrypted already.
    pub fn present(&self) -> Result<Arc<Passphrase>, PassphraseError> {
        self.once(|ask| typed(ask, "Passphrase of the private keys: "))
    }

    /// The PIN of a token.
    pub fn pin(&self) -> Result<Arc<Passphrase>, PassphraseError> {
        self.once(|ask| typed(ask, "PIN of the token: "))
    }

    /// The passphrase for what is to be encrypted; a person types it twice.
    pub fn new_one(&self) -> Result<Arc<Passphrase>, PassphraseError> {
        let passphrase = self.once(|ask| {
            let first = typed(ask, "New passphrase for the private keys: ")?;
            first.require_long()?;
            if typed(ask, "The same once more: ")?.0 != first.0 {
                return Err(PassphraseError::Mismatch);
            }
            Ok(first)
        })?;
        passphrase.require_long()?;
        Ok(passphrase)
    }

    fn once(
        &self,
        from_person: impl FnOnce(&Ask) -> Result<Passphrase, PassphraseError>,
    ) -> Result<Arc<Passphrase>, PassphraseError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(passphrase) = known.as_ref() {
            return Ok(Arc::clone(passphrase));
        }
        let passphrase = Arc::new(match &self.place {
            Place::Nowhere => return Err(PassphraseError::Nowhere),
            Place::File(file) => read(file)?,
            Place::Person(ask) => from_person(ask.as_ref())?,
        });
        Ok(Arc::clone(known.insert(passphrase)))
    }
}

fn typed(ask: &Ask, question: &str) -> Result<Passphrase, PassphraseError> {
    let text = ask(question).map_err(|source| match source.kind() {
        // There is no terminal.
        io::ErrorKind::NotFound | io::ErrorKind::Unsupported => PassphraseError::Nowhere,
        _ if source.raw_os_error() == Some(NO_SUCH_DEVICE) => PassphraseError::Nowhere,
        _ => PassphraseError::Terminal(source),
    })?;
    Passphrase::new(text).ok_or_else(|| PassphraseError::NoLine { at: "the terminal".to_owned() })
}

/// ENXIO: what opening the terminal of a process without one gives.
const NO_SUCH_DEVICE: i32 = 6;

fn read(path: &Path) -> Result<Passphrase, PassphraseError> {
    let io = |source| PassphraseError::Io { file: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata().map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(PassphraseError::Exposed { file: path.to_owned() });
        }
    }
    // Set aside at once, so that no copy stays behind where the buffer grew. Two more bytes for the line's end, one to see that there is more.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE + 64));
    file.take(MAX_PASSPHRASE as u64 + 3).read_to_end(&mut bytes).map_err(io)?;
    let line =
        bytes.strip_suffix(b"\n").map_or(bytes.as_slice(), |line| line.strip_suffix(b"\r").unwrap_or(line));
    let text = str::from_utf8(line).ok().map(|line| Zeroizing::new(line.to_owned()));
    text.and_then(Passphrase::new).ok_or_else(|| PassphraseError::NoLine { at: path.display().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("passphrase");
        let mut file = crate::disk::private().write(true).create_new(true).open(&path).expect("made");
        io::Write::write_all(&mut file, bytes).expect("written");
        (folder, path)
    }

    #[test]
    fn a_file_holds_one_line() {
        for text in ["several words", "several words\n", "several words\r\n"] {
            let (_folder, path) = file(text.as_bytes());
            assert_eq!(read(&path).expect("reads").as_bytes(), b"several words");
        }
        let long = vec![b'x'; MAX_PASSPHRASE + 1];
        for wrong in [&b""[..], b"\n", b"two\nlines\n", b"\xff\xfe", b"a\0b", &long] {
            let (_folder, path) = file(wrong);
            assert!(matches!(read(&path), Err(PassphraseError::NoLine { .. })));
        }
        let (_folder, path) = file(&long[1..]);
        assert_eq!(read(&path).expect("the longest").as_bytes().len(), MAX_PASSPHRASE);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = file(b"several words\n");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
        assert!(matches!(PassphraseSource::file(&path).present(), Err(PassphraseError::Exposed { .. })));
    }

    #[test]
    fn a_person_is_asked_once_and_twice_for_a_new_one() {
        let answers = |answers: &'static [&'static str]| {
            let asked = AtomicUsize::new(0);
            PassphraseSource::person(Arc::new(move |_: &str| {
                let at = asked.fetch_add(1, Ordering::SeqCst);
                answers
                    .get(at)
                    .map(|text| Zeroizing::new((*text).to_owned()))
                    .ok_or_else(|| io::Error::other("asked too often"))
            }))
        };
        let source = answers(&["several words here"]);
        for _ in 0..2 {
            assert_eq!(source.present().expect("asked").as_bytes(), b"several words here");
        }
        let source = answers(&["several words here", "several words here"]);
        assert_eq!(source.new_one().expect("asked").as_bytes(), b"several words here");
        let differ = answers(&["several words here", "several words there"]).new_one();
        assert!(matches!(differ, Err(PassphraseError::Mismatch)));
        assert!(matches!(answers(&["short"]).new_one(), Err(PassphraseError::TooShort)));
        assert!(matches!(PassphraseSource::default().present(), Err(PassphraseError::Nowhere)));
    }
}
