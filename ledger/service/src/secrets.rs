//! What a ledger keeps outside its data folder: its keys, and the pin by which others know it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gt_core::Hash;
use gt_core::base64url;
use gt_core::json::Value;
use gt_core::key::{KeyError, PrivateKey};
use gt_core::note::{KeyNameError, NoteSigner, VerifierKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::disk::{private, private_folder};
use crate::keyring::KeyEncryptionKey;

/// The keys that a running ledger needs, and its pin.
pub struct Secrets {
    kek: KeyEncryptionKey,
    checkpoint_key: Option<PrivateKey>,
    origin: String,
    verifier_keys: Vec<VerifierKey>,
    genesis: Option<Hash>,
}

/// What pins a ledger from outside: without it a verifier can say "consistent", but not "this ledger's". Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinFile {
    /// The ledger's origin.
    pub origin: String,
    /// The leaf hash of entry 0, base64url.
    pub genesis: String,
    /// The keys that sign checkpoints, as C2SP vkeys.
    pub verifier_keys: Vec<String>,
}

/// The names of the files in the secrets folder.
pub mod file {
    /// The key-encryption key.
    pub const KEK: &str = "kek";
    /// The key that signs checkpoints.
    pub const CHECKPOINT: &str = "checkpoint.jwk";
    /// The ledger's own service publisher.
    pub const SERVICE: &str = "service.jwk";
    /// The registrar.
    pub const REGISTRAR: &str = "registrar.jwk";
    /// The offline recovery key.
    pub const RECOVERY: &str = "recovery.jwk";
    /// The pin.
    pub const PIN: &str = "ledger.json";
}

/// Why the secrets are not in order.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read a secret.
    #[error("{} can be read by others: make it 0600 (chmod 600), and think about whether somebody did", .file.display())]
    Exposed {
        /// Which file.
        file: PathBuf,
    },
    /// The key that signs checkpoints is not there.
    #[error(
        "there is no checkpoint.jwk among the secrets, so nothing can be sealed; a node without it can only follow (--follow)"
    )]
    NoCheckpointKey,
    /// A key does not read.
    #[error("{} is no key: {source}", .file.display())]
    Key {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// A file does not read.
    #[error("{} is not what it should be", .file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
    },
    /// The origin cannot be a key's name.
    #[error(transparent)]
    Name(#[from] KeyNameError),
}

/// Where a data folder's secrets are, unless somebody says otherwise: beside it, `<folder>.secrets`.
pub fn folder_of(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or(data.as_os_str()).to_owned();
    name.push(".secrets");
    data.with_file_name(name)
}

impl Secrets {
    /// Takes keys that are in memory.
    pub fn new(
        kek: KeyEncryptionKey,
        checkpoint_key: PrivateKey,
        origin: &str,
    ) -> Result<Self, SecretsError> {
        let verifier = NoteSigner::new(origin, &checkpoint_key.to_seed())?.verifier_key().clone();
        let (origin, checkpoint_key) = (origin.to_owned(), Some(checkpoint_key));
        Ok(Self { kek, checkpoint_key, origin, verifier_keys: vec![verifier], genesis: None })
    }

    /// Reads the secrets folder. The registrar's and the recovery key are not needed to run a ledger and are not read; the key that
    /// signs checkpoints may be missing, and then nothing can be sealed.
    pub fn load(folder: &Path) -> Result<Self, SecretsError> {
        let kek_file = folder.join(file::KEK);
        let text = read_secret(&kek_file)?;
        let bytes = Zeroizing::new(
            base64url::decode_array::<32>(text.trim())
                .map_err(|_| SecretsError::Malformed { file: kek_file })?,
        );
        let (kek, pin_file) = (KeyEncryptionKey::from_bytes(&bytes), folder.join(file::PIN));
        let pin = PinFile::load(&pin_file)?;
        let (verifier_keys, genesis) = pin.parse().ok_or(SecretsError::Malformed { file: pin_file })?;
        let signing = folder.join(file::CHECKPOINT);
        if !signing.exists() {
            let origin = pin.origin;
            return Ok(Self { kek, checkpoint_key: None, origin, verifier_keys, genesis: Some(genesis) });
        }
        let secrets = Self::new(kek, read_key(&signing)?, &pin.origin)?;
        Ok(Self { genesis: Some(genesis), ..secrets })
    }

    /// The leaf hash of entry 0, if a pin was read.
    pub const fn genesis(&self) -> Option<Hash> {
        self.genesis
    }

    /// The key-encryption key.
    pub const fn kek(&self) -> &KeyEncryptionKey {
        &self.kek
    }

    /// The origin and the keys by which checkpoints are known.
    pub fn pin(&self) -> (&str, &[VerifierKey]) {
        (&self.origin, &self.verifier_keys)
    }

    /// What signs checkpoints.
    pub fn note_signer(&self) -> Result<NoteSigner, SecretsError> {
        let key = self.checkpoint_key.as_ref().ok_or(SecretsError::NoCheckpointKey)?;
        Ok(NoteSigner::new(&self.origin, &key.to_seed())?)
    }
}

impl PinFile {
    /// Reads a pin.
    pub fn load(path: &Path) -> Result<Self, SecretsError> {
        let text =
            fs::read_to_string(path).map_err(|source| SecretsError::Io { file: path.to_owned(), source })?;
        serde_json::from_str(&text).map_err(|_| SecretsError::Malformed { file: path.to_owned() })
    }

    /// The keys and the genesis hash, parsed.
    pub fn parse(&self) -> Option<(Vec<VerifierKey>, Hash)> {
        let keys: Result<Vec<_>, _> =
            self.verifier_keys.iter().map(|text| VerifierKey::parse(text)).collect();
        Some((keys.ok()?, Hash::parse(&self.genesis).ok()?))
    }
}

/// Reads a private JWK from a file that only its owner can read.
pub fn read_key(path: &Path) -> Result<PrivateKey, SecretsError> {
    let text = read_secret(path)?;
    let malformed = || SecretsError::Malformed { file: path.to_owned() };
    let json = Value::parse(text.trim().as_bytes()).map_err(|_| malformed())?;
    PrivateKey::from_jwk(json.as_object().ok_or_else(malformed)?)
        .map_err(|source| SecretsError::Key { file: path.to_owned(), source })
}

/// Writes a secret to a new file that only its owner can read. Never overwrites.
pub fn write_secret(path: &Path, text: &str) -> Result<(), SecretsError> {
    let io = |source| SecretsError::Io { file: path.to_owned(), source };
    let mut file = private().write(true).create_new(true).open(path).map_err(io)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .map_err(io)
}

/// Makes the secrets folder.
pub(crate) fn make_folder(folder: &Path) -> Result<(), SecretsError> {
    private_folder(folder).map_err(|source| SecretsError::Io { file: folder.to_owned(), source })
}

fn read_secret(path: &Path) -> Result<Zeroizing<String>, SecretsError> {
    let io = |source| SecretsError::Io { file: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(SecretsError::Exposed { file: path.to_owned() });
        }
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(io)
}
