//! How private keys are kept: in a file as a JWK, in a file that a passphrase encrypts, in a key store that a command asks, or on a token.
//!
//! Whoever reads a key need not know which: [`KeyAccess`] does. Plain files stay good, so a node with full-disk encryption and a
//! strict account has nothing to do.

mod encrypting;
mod jwe;
mod passphrase;
mod token;
mod token_uri;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gt_core::json::{Object, Value};
use gt_core::key::{KeyError, PrivateKey, Signer};
use gt_core::ml_dsa::MlDsaPrivateKey;
use zeroize::Zeroizing;

pub use encrypting::{ReplaceError, Replaced, change_passphrase, decrypt, encrypt, files_of};
pub use jwe::{FEWEST_ITERATIONS, ITERATIONS, JweError, MAX_LENGTH, MOST_ITERATIONS, is_encrypted};
pub use passphrase::{Ask, MIN_NEW_PASSPHRASE, Passphrase, PassphraseError, PassphraseSource};
pub use token::TokenError;
pub use token_uri::{TokenUriError, is_token_uri};

use token::Token;
use token_uri::{Kind, TokenUri};

use crate::key_command::{CommandError, KeyCommand};
use crate::secrets::{SecretsError, write_secret};

/// Where private keys are, besides plain files, which always read.
#[derive(Clone, Default)]
pub struct KeyAccess {
    store: Option<Store>,
    passphrase: PassphraseSource,
    encrypts: bool,
}

/// A key store that stands in for all files.
#[derive(Clone)]
enum Store {
    Command(KeyCommand),
    Token(Token),
}

/// Why a private key is not to be had. Nothing of a key, a passphrase or what a command says is in it.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// It is encrypted, and there is no passphrase.
    #[error("{at} is encrypted: {source}")]
    NoPassphrase {
        /// The file, or the store and what it was asked.
        at: String,
        /// Why there is none.
        source: PassphraseError,
    },
    /// It does not open.
    #[error("{at} is encrypted and does not open: {source}")]
    Sealed {
        /// The file, or the store and what it was asked.
        at: String,
        /// Why.
        source: JweError,
    },
    /// The command did not do as it should.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A token has no such key, or gives none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store has no such key, and it is needed.
    #[error("{store} gives no {name}, which is needed here")]
    NotGiven {
        /// The command or the token.
        store: String,
        /// The key's name.
        name: String,
    },
    /// There is no passphrase for a new file.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
}

impl KeyAccess {
    /// What is encrypted opens by a passphrase from here.
    #[must_use]
    pub fn with_passphrase(mut self, passphrase: PassphraseSource) -> Self {
        self.passphrase = passphrase;
        self
    }

    /// New private keys are encrypted too.
    #[must_use]
    pub fn encrypting(mut self, encrypts: bool) -> Self {
        self.encrypts = encrypts;
        self
    }

    /// Whether new private keys are encrypted.
    pub const fn encrypts(&self) -> bool {
        self.encrypts
    }

    /// Every private key comes from a command, run without a shell and told the name of the file in whose place it stands, like
    /// `checkpoint.jwk`. It prints the JWK or the JWE, or nothing if there is no such key.
    pub fn with_command(mut self, line: &str) -> Result<Self, CommandError> {
        self.store = Some(Store::Command(KeyCommand::parse("--key-command", line, MAX_LENGTH as u64)?));
        Ok(self)
    }

    /// Every private key comes from a token, from the data object whose label is the name of the file in whose place it stands. Its content is
    /// the JWK or the JWE. The PIN comes from the URI's `pin-source`, or from where passphrases come from.
    pub fn with_token(mut self, uri: &str) -> Result<Self, TokenUriError> {
        self.store = Some(Store::Token(Token::new(TokenUri::parse(uri)?, &self.passphrase)));
        Ok(self)
    }

    /// Whoever signs with the private key that a PKCS #11 URI names; `None` if `key` is no such URI, or names data, which is read.
    pub fn token_signer(&self, key: &Path) -> Result<Option<Box<dyn Signer>>, UnlockError> {
        let Some(token) = self.token(key)? else { return Ok(None) };
        Ok(match token.kind() {
            Kind::Data => None,
            Kind::Private => Some(Box::new(token.signer()?)),
        })
    }

    fn token(&self, key: &Path) -> Result<Option<Token>, UnlockError> {
        if !is_token_uri(key) {
            return Ok(None);
        }
        let uri = TokenUri::parse(key.to_str().ok_or(TokenUriError::Attribute).map_err(TokenError::from)?);
        Ok(Some(Token::new(uri.map_err(TokenError::from)?, &self.passphrase)))
    }

    /// Reads a private Ed25519 JWK.
    pub fn read_ed25519(&self, path: &Path) -> Result<PrivateKey, SecretsError> {
        parse(path, &self.read(path)?, PrivateKey::from_jwk)
    }

    /// The same; `None` if there is none.
    pub fn read_ed25519_if_there(&self, path: &Path) -> Result<Option<PrivateKey>, SecretsError> {
        self.read_if_there(path)?.map(|jwk| parse(path, &jwk, PrivateKey::from_jwk)).transpose()
    }

    /// Reads a private ML-DSA-44 JWK.
    pub fn read_ml_dsa(&self, path: &Path) -> Result<MlDsaPrivateKey, SecretsError> {
        parse(path, &self.read(path)?, MlDsaPrivateKey::from_jwk)
    }

    /// The same; `None` if there is none.
    pub fn read_ml_dsa_if_there(&self, path: &Path) -> Result<Option<MlDsaPrivateKey>, SecretsError> {
        self.read_if_there(path)?.map(|jwk| parse(path, &jwk, MlDsaPrivateKey::from_jwk)).transpose()
    }

    /// Writes a private JWK to a new file that only its owner can read, encrypted if new keys are. Never overwrites.
    pub fn write(&self, path: &Path, jwk: &str) -> Result<(), SecretsError> {
        write_secret(path, &self.to_be_written(jwk)?)
    }

    /// What is to stand in the file of a new private key.
    pub fn to_be_written(&self, jwk: &str) -> Result<Zeroizing<String>, UnlockError> {
        if !self.encrypts {
            return Ok(Zeroizing::new(jwk.to_owned()));
        }
        let passphrase = self.passphrase.new_one()?;
        Ok(Zeroizing::new(jwe::encrypt(jwk.as_bytes(), &passphrase, ITERATIONS)))
    }

    /// What a key store gives in a file's place, opened; `None` if the key is in the file.
    pub fn from_store(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, UnlockError> {
        if let Some(token) = self.token(path)? {
            let text = token.read(None)?.ok_or(TokenError::NoObject { what: "data object" })?;
            return self.open_from(|| "the key on the token".to_owned(), text).map(Some);
        }
        let Some(store) = &self.store else { return Ok(None) };
        let not_given = || UnlockError::NotGiven { store: store.to_string(), name: name(path) };
        self.ask(store, path)?.map(Some).ok_or_else(not_given)
    }

    /// Opens what stands in a file, if it is encrypted.
    pub fn open(&self, path: &Path, text: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        self.open_from(|| path.display().to_string(), text)
    }

    /// The same text as it stands, encrypted again with the passphrase that opened it.
    pub(crate) fn seal(&self, path: &Path, jwk: &[u8]) -> Result<Zeroizing<String>, UnlockError> {
        let at = || path.display().to_string();
        let passphrase = self.passphrase.present();
        let passphrase = passphrase.map_err(|source| UnlockError::NoPassphrase { at: at(), source })?;
        Ok(Zeroizing::new(jwe::encrypt(jwk, &passphrase, ITERATIONS)))
    }

    fn open_from(
        &self,
        at: impl Fn() -> String,
        text: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        if !is_encrypted(&text) {
            return Ok(text);
        }
        let passphrase = self.passphrase.present();
        let passphrase = passphrase.map_err(|source| UnlockError::NoPassphrase { at: at(), source })?;
        let (jwk, iterations) =
            jwe::decrypt(&text, &passphrase).map_err(|source| UnlockError::Sealed { at: at(), source })?;
        if iterations < ITERATIONS {
            tracing::warn!(
                key = at(),
                iterations,
                "this key's passphrase is hashed fewer times than is thought enough today ({ITERATIONS}); `goldenthread key passphrase` writes it anew"
            );
        }
        Ok(jwk)
    }

    fn ask(&self, store: &Store, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, UnlockError> {
        let name = name(path);
        let text = match store {
            Store::Command(command) => Some(command.run(&name)?),
            Store::Token(token) => token.read(Some(&name))?,
        };
        let Some(text) = text.filter(|text| !text.trim_ascii().is_empty()) else { return Ok(None) };
        self.open_from(|| format!("what {store} gives for {name}"), text).map(Some)
    }

    fn read(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
        match self.from_store(path)? {
            Some(jwk) => Ok(jwk),
            None => Ok(self.open(path, read_private_file(path)?)?),
        }
    }

    fn read_if_there(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, SecretsError> {
        match &self.store {
            Some(store) => Ok(self.ask(store, path)?),
            None if path.exists() => self.read(path).map(Some),
            None => Ok(None),
        }
    }
}

/// Says where keys are, for people.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "the key command {}", command.program()),
            Self::Token(_) => f.write_str("the token"),
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Reads a JWK, and wipes what it read it into.
fn parse<K>(path: &Path, jwk: &[u8], read: fn(&Object) -> Result<K, KeyError>) -> Result<K, SecretsError> {
    let malformed = || SecretsError::Malformed { file: path.to_owned() };
    let json = Zeroizing::new(Value::parse(jwk.trim_ascii()).map_err(|_| malformed())?);
    read(json.as_object().ok_or_else(malformed)?)
        .map_err(|source| SecretsError::Key { file: path.to_owned(), source })
}

/// Reads a file that only its owner can read, at most [`MAX_LENGTH`] bytes.
fn read_private_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    let io = |source: io::Error| SecretsError::Io { file: PathBuf::from(path), source };
    let file = File::open(path).map_err(io)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata().map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(SecretsError::Exposed { file: path.to_owned() });
        }
    }
    // Set aside at once, so that no copy of a key stays behind where the buffer grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LENGTH + 64));
    file.take(MAX_LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > MAX_LENGTH {
        return Err(SecretsError::Malformed { file: path.to_owned() });
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests;
