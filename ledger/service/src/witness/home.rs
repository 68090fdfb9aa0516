use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use gt_core::key::PrivateKey;
use gt_core::ml_dsa::MlDsaPrivateKey;
use gt_core::note::{KeyNameError, NoteSigner, VerifierKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::logs::{Logs, LogsError, read_logs, write_logs};
use crate::disk::{private, private_folder, sync_name};
use crate::private_keys::KeyAccess;
use crate::random;
use crate::secrets::{SecretsError, write_secret};

const LOCK: &str = "lock";
const PUBLIC: &str = "witness.json";
pub(super) const LOGS: &str = "logs";
/// Its keys, as private JWKs.
const ED25519: &str = "cosigner.jwk";
const ML_DSA: &str = "cosigner-ml-dsa-44.jwk";

/// What tells others of a witness. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessFile {
    /// The name under which it signs.
    pub name: String,
    /// Its keys, as C2SP vkeys: Ed25519 (0x04), ML-DSA-44 (0x06).
    pub verifier_keys: Vec<String>,
}

/// Why a witness's folder cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// There is something in it.
    #[error("{folder} is not empty; a new witness takes a new folder")]
    NotEmpty {
        /// The folder.
        folder: String,
    },
    /// There is no witness in it.
    #[error("{folder} holds no witness; `goldenthread witness init --data {folder} --name NAME` makes one")]
    NoWitness {
        /// The folder.
        folder: String,
    },
    /// Another process has it open.
    #[error("another process runs the witness in {folder}; two would sign what contradicts each other")]
    Locked {
        /// The folder.
        folder: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key is not in order.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The name cannot be a key's.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// The list of logs is not in order.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// What it signed last does not read, or does not bear its own signature. It signs nothing for this log until somebody has looked.
    #[error(
        "what this witness signed last of {origin} does not read, or is not signed by it ({}): put the file back as it was", .file.display()
    )]
    Seen {
        /// The log.
        origin: String,
        /// Which file.
        file: PathBuf,
    },
}

/// A witness's folder.
pub struct WitnessFolder {
    root: PathBuf,
    keys: KeyAccess,
}

/// A folder that is open, with the keys.
pub(super) struct Opened {
    pub(super) signers: [NoteSigner; 2],
    pub(super) lock: File,
}

impl WitnessFolder {
    /// The folder at a path.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), keys: KeyAccess::default() }
    }

    /// The same, with keys that are had in another way than from plain files.
    #[must_use]
    pub fn with_keys(mut self, keys: KeyAccess) -> Self {
        self.keys = keys;
        self
    }

    /// Makes a new witness, with two keys, in a folder that is not there or empty.
    pub fn init(&self, name: &str) -> Result<WitnessFile, WitnessError> {
        let seeds = [random::key(), random::key()];
        let signers = signers(name, &seeds)?;
        match fs::read_dir(&self.root) {
            Ok(items) => {
                if items.count() > 0 {
                    return Err(WitnessError::NotEmpty { folder: self.root.display().to_string() });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                private_folder(&self.root).map_err(|source| self.io("", source))?;
            }
            Err(source) => return Err(self.io("", source)),
        }
        self.keys.write(&self.root.join(ED25519), &PrivateKey::from_seed(&seeds[0]).to_jwk_text())?;
        self.keys.write(&self.root.join(ML_DSA), &MlDsaPrivateKey::from_seed(&seeds[1]).to_jwk_text())?;
        let keys = signers.iter().map(|signer| signer.verifier_key().to_string());
        let public = WitnessFile { name: name.to_owned(), verifier_keys: keys.collect() };
        let text = serde_json::to_string_pretty(&public).expect("texts serialise");
        // Last: a folder without it holds no witness.
        write_secret(&self.root.join(PUBLIC), &text)?;
        write_logs(&self.root, Path::new(LOGS), &Logs::default())?;
        sync_name(&self.root).map_err(|source| self.io("", source))?;
        Ok(public)
    }

    /// Adds logs' keys, and returns how many are new. A witness that runs takes notice.
    pub fn add(&self, keys: Vec<VerifierKey>) -> Result<usize, WitnessError> {
        self.public()?;
        let mut logs = read_logs(&self.root.join(LOGS))?;
        let mut new = 0;
        for key in keys {
            new += usize::from(logs.add(key)?);
        }
        if new > 0 {
            write_logs(&self.root, Path::new(LOGS), &logs)?;
        }
        Ok(new)
    }

    /// What tells others of it.
    pub fn public(&self) -> Result<WitnessFile, WitnessError> {
        let file = self.root.join(PUBLIC);
        match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).map_err(|_| SecretsError::Malformed { file }.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(WitnessError::NoWitness { folder: self.root.display().to_string() })
            }
            Err(source) => Err(self.io(PUBLIC, source)),
        }
    }

    /// Takes the lock, which the operating system gives back when the process ends, and reads the keys.
    pub(super) fn open(&self) -> Result<Opened, WitnessError> {
        let public = self.public()?;
        let file = private().write(true).create(true).truncate(false).open(self.root.join(LOCK));
        let lock = file.map_err(|source| self.io(LOCK, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(WitnessError::Locked { folder: self.root.display().to_string() });
            }
            Err(fs::TryLockError::Error(source)) => return Err(self.io(LOCK, source)),
        }
        let (ed25519, ml_dsa) = (
            self.keys.read_ed25519(&self.root.join(ED25519))?,
            self.keys.read_ml_dsa(&self.root.join(ML_DSA))?,
        );
        let signers = signers(&public.name, &[ed25519.to_seed(), ml_dsa.to_seed()])?;
        let stated = signers.iter().map(|signer| signer.verifier_key().to_string());
        if !stated.eq(public.verifier_keys) {
            return Err(SecretsError::Malformed { file: self.root.join(PUBLIC) }.into());
        }
        Ok(Opened { signers, lock })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn io(&self, file: &str, source: io::Error) -> WitnessError {
        WitnessError::Io { file: self.root.join(file), source }
    }
}

fn signers(name: &str, seeds: &[Zeroizing<[u8; 32]>; 2]) -> Result<[NoteSigner; 2], KeyNameError> {
    Ok([NoteSigner::cosigner(name, &seeds[0])?, NoteSigner::ml_dsa(name, &seeds[1])?])
}
