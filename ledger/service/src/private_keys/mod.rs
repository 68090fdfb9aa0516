//! How private keys are kept: in a file as a JWK, in a file that a passphrase encrypts, or in a key store that a command asks.
//!
//! Whoever reads a key need not know which: [`KeyAccess`] does. Plain files stay good, so a node with full-disk encryption and a
//! strict account has nothing to do.

mod encrypting;
mod jwe;
mod passphrase;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gt_core::json::{Object, Value};
use gt_core::key::{KeyError, PrivateKey};
use gt_core::ml_dsa::MlDsaPrivateKey;
use zeroize::Zeroizing;

pub use encrypting::{ReplaceError, Replaced, change_passphrase, decrypt, encrypt, files_of};
pub use jwe::{FEWEST_ITERATIONS, ITERATIONS, JweError, MAX_LENGTH, MOST_ITERATIONS, is_encrypted};
pub use passphrase::{Ask, MIN_NEW_PASSPHRASE, Passphrase, PassphraseError, PassphraseSource};

use crate::key_command::{CommandError, KeyCommand};
use crate::secrets::{SecretsError, write_secret};

/// Where private keys are, besides plain files, which always read.
#[derive(Clone, Default)]
pub struct KeyAccess {
    command: Option<KeyCommand>,
    passphrase: PassphraseSource,
    encrypts: bool,
}

/// Why a private key is not to be had. Nothing of a key, a passphrase or what a command says is in it.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// It is encrypted, and there is no passphrase.
    #[error("{at} is encrypted: {source}")]
    NoPassphrase {
        /// The file, or the command and what it was asked.
        at: String,
        /// Why there is none.
        source: PassphraseError,
    },
    /// It does not open.
    #[error("{at} is encrypted and does not open: {source}")]
    Sealed {
        /// The file, or the command and what it was asked.
        at: String,
        /// Why.
        source: JweError,
    },
    /// The command did not do as it should.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The command has no such key, and it is needed.
    #[error("the key command {program} gives no {name}, which is needed here")]
    NotGiven {
        /// The program.
        program: String,
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
        self.command = Some(KeyCommand::parse("--key-command", line, MAX_LENGTH as u64)?);
        Ok(self)
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

    /// What a command gives in a file's place, opened; `None` without a command.
    pub fn from_command(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, UnlockError> {
        let Some(command) = &self.command else { return Ok(None) };
        self.ask(command, path)?
            .map(Some)
            .ok_or_else(|| UnlockError::NotGiven { program: command.program().to_owned(), name: name(path) })
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

    fn ask(&self, command: &KeyCommand, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, UnlockError> {
        let name = name(path);
        let text = command.run(&name)?;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        self.open_from(|| format!("what the key command {} gives for {name}", command.program()), text)
            .map(Some)
    }

    fn read(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
        match self.from_command(path)? {
            Some(jwk) => Ok(jwk),
            None => Ok(self.open(path, read_private_file(path)?)?),
        }
    }

    fn read_if_there(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, SecretsError> {
        match &self.command {
            Some(command) => Ok(self.ask(command, path)?),
            None if path.exists() => self.read(path).map(Some),
            None => Ok(None),
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
