//! What a ledger keeps outside its data folder: its keys, and the pin by which others know it.

mod pin;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gt_core::Hash;
use gt_core::checkpoint::LogSigner;
use gt_core::key::{KeyError, PrivateKey};
use gt_core::ml_dsa::MlDsaPrivateKey;
use gt_core::note::{KeyNameError, SignatureType, VerifierKey};
use gt_core::verify::Pin;

use crate::disk::{private, private_folder};
use crate::keyring::{KekError, KekSource, Keks, KeyEncryptionKey};
use crate::private_keys::{KeyAccess, UnlockError};
use crate::random;

pub use pin::{PinFile, PinFileError};

/// The keys that a running ledger needs, and its pin.
pub struct Secrets {
    keks: Keks,
    kek_source: Option<KekSource>,
    service: Option<Arc<PrivateKey>>,
    checkpoint_keys: Option<CheckpointKeys>,
    origin: String,
    verifier_keys: Vec<VerifierKey>,
    genesis: Option<Hash>,
}

/// The keys that sign checkpoints (FORMATS section 10).
pub struct CheckpointKeys {
    /// Every verifier can check its signatures.
    pub ed25519: PrivateKey,
    /// A quantum computer does not forge its signatures. Ledgers that were made without one have none.
    pub ml_dsa: Option<MlDsaPrivateKey>,
}

/// Where the secrets are: a folder, and the key-encryption key in it or elsewhere.
#[derive(Clone)]
pub struct SecretsAt {
    /// The folder.
    pub folder: PathBuf,
    /// Where the key-encryption key is, if not in the folder.
    pub kek: Option<KekSource>,
    /// How private keys are had.
    pub keys: KeyAccess,
}

/// The names of the files in the secrets folder.
pub mod file {
    /// The key-encryption key.
    pub const KEK: &str = "kek";
    /// The key that signs checkpoints.
    pub const CHECKPOINT: &str = "checkpoint.jwk";
    /// The ML-DSA-44 key that signs checkpoints.
    pub const CHECKPOINT_ML_DSA: &str = "checkpoint-ml-dsa-44.jwk";
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
    /// The pin names a key that signs checkpoints and is not there, or another one is.
    #[error(
        "{} pins a {kind} key that signs checkpoints, and {} is missing or another key: what would be sealed now, nobody would believe", .pin.display(), .file.display()
    )]
    NotPinned {
        /// The pin.
        pin: PathBuf,
        /// Where the key should be.
        file: PathBuf,
        /// The key's type.
        kind: SignatureType,
    },
    /// A key does not read.
    #[error("{} is no key: {source}", .file.display())]
    Key {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// The key-encryption key is not to be had.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// A file does not read.
    #[error(
        "{} does not read as what it should be: it is empty, cut off, or another kind of file. If it is of a secrets folder, put it back from a copy of that", .file.display()
    )]
    Malformed {
        /// Which file.
        file: PathBuf,
    },
    /// The pin pins no ledger.
    #[error("{} is no pin of a ledger: {source}", .file.display())]
    Pin {
        /// The pin.
        file: PathBuf,
        /// Why.
        source: PinFileError,
    },
    /// A private key is encrypted or elsewhere, and not to be had.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
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
        checkpoint_keys: CheckpointKeys,
        origin: &str,
    ) -> Result<Self, SecretsError> {
        let verifier_keys = checkpoint_keys.signer(origin)?.verifier_keys();
        let (origin, checkpoint_keys) = (origin.to_owned(), Some(checkpoint_keys));
        let (keks, kek_source, service) = (Keks::of(kek), None, None);
        Ok(Self { keks, kek_source, service, checkpoint_keys, origin, verifier_keys, genesis: None })
    }

    /// Reads the secrets folder, the key-encryption key in it included.
    pub fn load(folder: &Path) -> Result<Self, SecretsError> {
        Self::load_at(&SecretsAt::from(folder))
    }

    /// Reads the secrets. The registrar's and the recovery key are not needed to run a ledger and are not read; the key that
    /// signs checkpoints may be missing, and then nothing can be sealed.
    pub fn load_at(at: &SecretsAt) -> Result<Self, SecretsError> {
        let (folder, source) = (at.folder.as_path(), at.kek_source());
        let (keks, pin_file) = (source.load()?, folder.join(file::PIN));
        let Pin { origin, verifier_keys, genesis } = PinFile::load(&pin_file)?
            .pinned()
            .map_err(|source| SecretsError::Pin { file: pin_file.clone(), source })?;
        let checkpoint_keys = CheckpointKeys::load(folder, &at.keys)?;
        if let Some(keys) = &checkpoint_keys {
            let held = keys.signer(&origin)?.verifier_keys();
            for (kind, name) in CheckpointKeys::FILES {
                let mut pinned = verifier_keys.iter().filter(|key| key.signature_type() == kind).peekable();
                if pinned.peek().is_some() && !pinned.any(|key| held.contains(key)) {
                    return Err(SecretsError::NotPinned { pin: pin_file, file: folder.join(name), kind });
                }
            }
        }
        let service = at.keys.read_ed25519_if_there(&folder.join(file::SERVICE))?.map(Arc::new);
        let kek_source = Some(source);
        Ok(Self { keks, kek_source, service, checkpoint_keys, origin, verifier_keys, genesis })
    }

    /// The leaf hash of entry 0, if a pin was read.
    pub const fn genesis(&self) -> Option<Hash> {
        self.genesis
    }

    /// The key-encryption key.
    pub fn kek(&self) -> &KeyEncryptionKey {
        self.keks.key()
    }

    /// The key-encryption key in force, and during a renewal the next one.
    pub const fn keks(&self) -> &Keks {
        &self.keks
    }

    /// Where the key-encryption key is kept; `None` if it was given in memory.
    pub const fn kek_source(&self) -> Option<&KekSource> {
        self.kek_source.as_ref()
    }

    /// The key of the ledger's own service publisher, if it is there.
    pub fn service(&self) -> Option<Arc<PrivateKey>> {
        self.service.clone()
    }

    /// The origin and the keys by which checkpoints are known.
    pub fn pin(&self) -> (&str, &[VerifierKey]) {
        (&self.origin, &self.verifier_keys)
    }

    /// What signs checkpoints.
    pub fn log_signer(&self) -> Result<LogSigner, SecretsError> {
        let keys = self.checkpoint_keys.as_ref().ok_or(SecretsError::NoCheckpointKey)?;
        Ok(keys.signer(&self.origin)?)
    }
}

impl From<&Path> for SecretsAt {
    fn from(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), kek: None, keys: KeyAccess::default() }
    }
}

impl From<&PathBuf> for SecretsAt {
    fn from(folder: &PathBuf) -> Self {
        folder.as_path().into()
    }
}

impl SecretsAt {
    /// Where the key-encryption key is.
    pub fn kek_source(&self) -> KekSource {
        let source = self.kek.clone().unwrap_or_else(|| KekSource::file(self.folder.join(file::KEK)));
        source.opened_by(&self.keys)
    }
}

impl CheckpointKeys {
    const FILES: [(SignatureType, &str); 2] = [
        (SignatureType::Ed25519, file::CHECKPOINT),
        (SignatureType::MlDsa44Cosignature, file::CHECKPOINT_ML_DSA),
    ];

    /// `None` if the Ed25519 key is not there, without which no checkpoint is one.
    fn load(folder: &Path, keys: &KeyAccess) -> Result<Option<Self>, SecretsError> {
        let Some(ed25519) = keys.read_ed25519_if_there(&folder.join(file::CHECKPOINT))? else {
            return Ok(None);
        };
        let ml_dsa = keys.read_ml_dsa_if_there(&folder.join(file::CHECKPOINT_ML_DSA))?;
        Ok(Some(Self { ed25519, ml_dsa }))
    }

    /// Makes new ones.
    pub(crate) fn generate(folder: &Path, keys: &KeyAccess) -> Result<Self, SecretsError> {
        let ml_dsa = MlDsaPrivateKey::from_seed(&random::key());
        keys.write(&folder.join(file::CHECKPOINT_ML_DSA), &ml_dsa.to_jwk_text())?;
        Ok(Self { ed25519: make_key(&folder.join(file::CHECKPOINT), keys)?, ml_dsa: Some(ml_dsa) })
    }

    fn signer(&self, origin: &str) -> Result<LogSigner, KeyNameError> {
        let ml_dsa = self.ml_dsa.as_ref().map(MlDsaPrivateKey::to_seed);
        LogSigner::new(origin, &self.ed25519.to_seed(), ml_dsa.as_deref())
    }
}

/// Makes a new Ed25519 key, in a file that only its owner can read.
pub(crate) fn make_key(path: &Path, keys: &KeyAccess) -> Result<PrivateKey, SecretsError> {
    let key = PrivateKey::from_seed(&random::key());
    keys.write(path, &key.to_jwk_text()).map(|()| key)
}

/// Reads a private Ed25519 JWK from a plain file that only its owner can read.
pub fn read_key(path: &Path) -> Result<PrivateKey, SecretsError> {
    KeyAccess::default().read_ed25519(path)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn made() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().expect("a folder");
        let secrets = root.path().join("data.secrets");
        crate::create::create(&root.path().join("data"), &secrets, "ledger.example/secrets").expect("made");
        (root, secrets)
    }

    #[test]
    fn a_new_ledger_signs_with_two_algorithms_and_pins_both() {
        let (_root, folder) = made();
        let secrets = Secrets::load(&folder).expect("sound");
        let kinds: Vec<_> = secrets.pin().1.iter().map(VerifierKey::signature_type).collect();
        assert_eq!(kinds, [SignatureType::Ed25519, SignatureType::MlDsa44Cosignature]);
        assert_eq!(secrets.log_signer().expect("keys").verifier_keys(), secrets.pin().1);
    }

    #[test]
    fn a_key_that_is_pinned_must_be_there_and_be_the_one() {
        for name in [file::CHECKPOINT_ML_DSA, file::CHECKPOINT] {
            let (_root, folder) = made();
            let (_other_root, other) = made();
            fs::copy(other.join(name), folder.join(name)).expect("copied");
            let refused = Secrets::load(&folder).err().expect("another key");
            assert!(matches!(&refused, SecretsError::NotPinned { file, .. } if file.ends_with(name)));
        }
        let (_root, folder) = made();
        fs::remove_file(folder.join(file::CHECKPOINT_ML_DSA)).expect("removed");
        assert!(matches!(Secrets::load(&folder), Err(SecretsError::NotPinned { .. })));
        // Whoever has neither can follow.
        fs::remove_file(folder.join(file::CHECKPOINT)).expect("removed");
        assert!(matches!(
            Secrets::load(&folder).expect("a follower's").log_signer(),
            Err(SecretsError::NoCheckpointKey)
        ));
    }
}
