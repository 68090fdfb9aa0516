//! Where a demonstration keeps its ledger: in a folder that is kept, or in a temporary one that is removed with the value.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gt_core::base64url;
use gt_ledger::audit::DataFolder;
use gt_ledger::disk::private_folder;
use gt_ledger::secrets::{PinFile, SecretsError, file, folder_of, write_secret};

use super::partnership::{Agency, ORIGIN};

/// The file by which a demonstration is known again. It lies with the secrets.
const MARK: &str = "demonstration";

/// A demonstration's folders.
#[derive(Debug)]
pub struct Folders {
    data: PathBuf,
    secrets: PathBuf,
    temporary: Option<PathBuf>,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is something in it, and it is no earlier demonstration.
    #[error("{} is not empty and holds no earlier demonstration; give a new folder", .0.display())]
    NotADemonstration(PathBuf),
    /// An earlier demonstration is running in it.
    #[error("a demonstration is running in {}; end it first", .0.display())]
    Running(PathBuf),
    /// The file system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file beside the keys cannot be written.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl Folders {
    /// A temporary folder, which goes when the value does.
    pub fn temporary() -> Result<Self, FolderError> {
        let mut name = [0; 9];
        getrandom::fill(&mut name).expect("the operating system gives random bytes");
        let root = std::env::temp_dir().join(format!("goldenthread-{}", base64url::encode(&name)));
        private_folder(&root).map_err(|source| FolderError::Io { path: root.clone(), source })?;
        let data = root.join("ledger");
        Ok(Self { secrets: folder_of(&data), data, temporary: Some(root) })
    }

    /// A folder that is kept: a new or empty one, or one with an earlier demonstration, which is removed.
    pub fn kept(data: &Path) -> Result<Self, FolderError> {
        let folders = Self { secrets: folder_of(data), data: data.to_owned(), temporary: None };
        let empty = |folder: &Path| match fs::read_dir(folder) {
            Ok(mut items) => Ok(items.next().is_none()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(source) => Err(FolderError::Io { path: folder.to_owned(), source }),
        };
        if !(empty(&folders.data)? && empty(&folders.secrets)?) {
            folders.clear()?;
        }
        Ok(folders)
    }

    /// Removes an earlier demonstration, and nothing else: both its mark and its ledger's name must be there.
    fn clear(&self) -> Result<(), FolderError> {
        let pin = PinFile::load(&self.secrets.join(file::PIN));
        let is_demonstration = pin.is_ok_and(|pin| pin.origin == ORIGIN) && self.secrets.join(MARK).is_file();
        if !is_demonstration {
            return Err(FolderError::NotADemonstration(self.data.clone()));
        }
        if DataFolder::new(&self.data).is_running() {
            return Err(FolderError::Running(self.data.clone()));
        }
        for path in [&self.data, &self.secrets] {
            match fs::remove_dir_all(path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(FolderError::Io { path: path.clone(), source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the mark, the agencies' folder, and the token in two forms: by itself, and as a header for `curl -H @FILE`. So no token
    /// need stand on a command line, where everybody on the machine could see it.
    pub(super) fn furnish(&self, token: &str) -> Result<(), FolderError> {
        write_secret(
            &self.secrets.join(MARK),
            "Made by `goldenthread demo`, which may remove it. All of it is fictional.",
        )?;
        write_secret(&self.token(), token)?;
        write_secret(&self.header(), &format!("Authorization: Bearer {token}"))?;
        let agencies = self.secrets.join("agencies");
        private_folder(&agencies).map_err(|source| FolderError::Io { path: agencies, source })
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The ledger's keys.
    pub fn secrets(&self) -> &Path {
        &self.secrets
    }

    /// The file with the token for reading.
    pub fn token(&self) -> PathBuf {
        self.secrets.join("token")
    }

    /// The file with the same token as an HTTP header.
    pub fn header(&self) -> PathBuf {
        self.secrets.join("header")
    }

    /// An agency's private key. An agency would keep it on its own machine.
    pub fn key(&self, agency: &Agency) -> PathBuf {
        self.secrets.join("agencies").join(agency.key).with_extension("jwk")
    }

    /// Whether it all goes at the end.
    pub const fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        if let Some(root) = &self.temporary
            && let Err(error) = fs::remove_dir_all(root)
        {
            tracing::warn!(folder = %root.display(), %error, "the temporary folder could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_demonstration_is_left_alone() {
        let above = tempfile::tempdir().unwrap();
        let data = above.path().join("ledger");
        assert!(Folders::kept(&data).is_ok(), "nothing there");
        fs::create_dir(&data).unwrap();
        assert!(Folders::kept(&data).is_ok(), "empty");
        fs::write(data.join("thesis.txt"), "years of work").unwrap();
        assert!(matches!(Folders::kept(&data), Err(FolderError::NotADemonstration(_))));
        let secrets = folder_of(&data);
        fs::create_dir(&secrets).unwrap();
        fs::write(secrets.join(MARK), "").unwrap();
        let pin = |origin: &str| format!(r#"{{"origin":"{origin}","genesis":"","verifier_keys":[]}}"#);
        fs::write(secrets.join(file::PIN), pin("ledger.example/real")).unwrap();
        assert!(
            matches!(Folders::kept(&data), Err(FolderError::NotADemonstration(_))),
            "another ledger's name"
        );
        assert!(data.join("thesis.txt").exists());
        fs::write(secrets.join(file::PIN), pin(ORIGIN)).unwrap();
        assert!(Folders::kept(&data).is_ok());
        assert!(!data.exists() && !secrets.exists());
    }

    #[test]
    fn a_temporary_folder_goes_with_the_value() {
        let folders = Folders::temporary().unwrap();
        fs::create_dir(folders.data()).unwrap();
        let root = folders.data().parent().unwrap().to_owned();
        assert!(root.exists());
        drop(folders);
        assert!(!root.exists());
    }
}
