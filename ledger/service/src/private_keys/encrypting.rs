//! Encrypting private keys that are there, decrypting them, and giving them another passphrase.
//!
//! Each file is replaced by a rename, so a crash leaves the old or the new one. All are read and opened before the first is touched, and
//! running the same again finishes what was interrupted. The old bytes are written over once they have no name any more; a disk that
//! writes elsewhere (flash, snapshots, copy-on-write) may keep them all the same.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gt_core::base64url;
use gt_core::json::{Object, Value};
use gt_core::key::PrivateKey;
use gt_core::ml_dsa::MlDsaPrivateKey;
use zeroize::Zeroizing;

use super::jwe::{self, JweError};
use super::{ITERATIONS, Passphrase, is_encrypted, read_private_file};
use crate::disk::{private, sync_name};
use crate::keyring::{kek_from_jwk, kek_to_jwk};
use crate::secrets::{SecretsError, file};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It was written anew.
    Anew,
    /// It was already as it should be.
    AsItWas,
}

/// Why private keys are not written anew. If it is about a file's content, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// A file cannot be read.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// A file cannot be written.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is encrypted does not open.
    #[error("{} is encrypted and does not open: {source}", .file.display())]
    Sealed {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: JweError,
    },
    /// What is there is no private key.
    #[error("{} holds no private key that this program makes", .file.display())]
    NoKey {
        /// Which file.
        file: PathBuf,
    },
    /// The file is there under another name too.
    #[error("{} is there under another name too (a hard link), whose content would be lost: remove one of them first", .file.display())]
    Linked {
        /// Which file.
        file: PathBuf,
    },
    /// There is no key in the folder.
    #[error("{} holds no private key", .folder.display())]
    Nothing {
        /// The folder.
        folder: PathBuf,
    },
    /// The new file does not open.
    #[error("{} was written and read back as something else: the disk is not to be trusted; nothing was changed", .file.display())]
    ReadBack {
        /// Which file.
        file: PathBuf,
    },
}

/// The private keys' files of a ledger's secrets folder, a witness's folder or any other, by their names; a file stands for itself.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, ReplaceError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |source| ReplaceError::Io { file: path.to_owned(), source };
    let mut files = Vec::new();
    for item in fs::read_dir(path).map_err(io)? {
        let item = item.map_err(io)?.path();
        if item.is_file() && is_private_keys(&item) {
            files.push(item);
        }
    }
    files.sort();
    if files.is_empty() { Err(ReplaceError::Nothing { folder: path.to_owned() }) } else { Ok(files) }
}

/// By its name: the key-encryption key, the next one, and `*.jwk` but `*.public.jwk`.
fn is_private_keys(path: &Path) -> bool {
    let extension = |path: &Path, wanted: &str| path.extension().is_some_and(|found| found == wanted);
    let kek = path.ends_with(file::KEK)
        || (extension(path, "next") && path.with_extension("").ends_with(file::KEK));
    kek || (extension(path, "jwk") && !extension(&path.with_extension(""), "public"))
}

/// Encrypts each file; one that is encrypted with this passphrase already stays as it is.
pub fn encrypt(files: &[PathBuf], passphrase: &Passphrase) -> Result<Vec<Replaced>, ReplaceError> {
    replace(files, |file, text| {
        if is_encrypted(text) {
            return open(file, text, passphrase).map(|_| None);
        }
        Ok(Some(seal(&to_jwk(file, text)?, passphrase)))
    })
}

/// Writes each file as it was before it was encrypted; one that is not stays as it is.
pub fn decrypt(files: &[PathBuf], passphrase: &Passphrase) -> Result<Vec<Replaced>, ReplaceError> {
    replace(files, |file, text| {
        if !is_encrypted(text) {
            return to_jwk(file, text).map(|_| None);
        }
        let jwk = open(file, text, passphrase)?;
        Ok(Some(match kek_from_jwk(&jwk) {
            Some(kek) => Zeroizing::new(base64url::encode(kek.as_bytes())),
            None => to_text(file, &jwk)?,
        }))
    })
}

/// Encrypts each file with another passphrase, and with as many iterations as new files have; one that is plain is encrypted. One that the new
/// passphrase opens was done before an interruption and stays as it is.
pub fn change_passphrase(
    files: &[PathBuf],
    old: &Passphrase,
    new: &Passphrase,
) -> Result<Vec<Replaced>, ReplaceError> {
    replace(files, |file, text| {
        if !is_encrypted(text) {
            return Ok(Some(seal(&to_jwk(file, text)?, new)));
        }
        let jwk = match open(file, text, old) {
            Ok(jwk) => jwk,
            Err(error) => {
                return if jwe::decrypt(text, new).is_ok() { Ok(None) } else { Err(error) };
            }
        };
        Ok(Some(seal(&jwk, new)))
    })
}

fn seal(jwk: &[u8], passphrase: &Passphrase) -> Zeroizing<String> {
    Zeroizing::new(jwe::encrypt(jwk, passphrase, ITERATIONS))
}

fn open(file: &Path, text: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, ReplaceError> {
    let opened = jwe::decrypt(text, passphrase);
    let (jwk, _) = opened.map_err(|source| ReplaceError::Sealed { file: file.to_owned(), source })?;
    require_key(file, &jwk)?;
    Ok(jwk)
}

/// The JWK of what stands in a plain file: itself, or for a key-encryption key one of kind `oct`.
fn to_jwk(file: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReplaceError> {
    if let Some(kek) = kek_to_jwk(text) {
        return Ok(kek);
    }
    require_key(file, text)?;
    Ok(Zeroizing::new(text.trim_ascii().to_vec()))
}

fn to_text(file: &Path, jwk: &[u8]) -> Result<Zeroizing<String>, ReplaceError> {
    let text = str::from_utf8(jwk).map_err(|_| ReplaceError::NoKey { file: file.to_owned() })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// A file that holds something else is not touched: whoever encrypts the wrong one could lose what is in it.
fn require_key(file: &Path, jwk: &[u8]) -> Result<(), ReplaceError> {
    let json = Value::parse(jwk.trim_ascii()).ok().map(Zeroizing::new);
    let is_key = |jwk: &Object| PrivateKey::from_jwk(jwk).is_ok() || MlDsaPrivateKey::from_jwk(jwk).is_ok();
    let sound = json.is_some_and(|json| json.as_object().is_some_and(is_key)) || kek_from_jwk(jwk).is_some();
    if sound { Ok(()) } else { Err(ReplaceError::NoKey { file: file.to_owned() }) }
}

/// Works out what is to stand in every file before any is touched.
fn replace(
    files: &[PathBuf],
    change: impl Fn(&Path, &[u8]) -> Result<Option<Zeroizing<String>>, ReplaceError>,
) -> Result<Vec<Replaced>, ReplaceError> {
    let mut plan = Vec::with_capacity(files.len());
    for file in files {
        // What others call it may be a link; the link stays.
        let io = |source| ReplaceError::Io { file: file.clone(), source };
        let path = fs::canonicalize(file).map_err(io)?;
        let text = read_private_file(&path)?;
        plan.push((change(file, &text)?, path));
    }
    for (_, path) in plan.iter().filter(|(text, _)| text.is_some()) {
        require_one_name(path)?;
    }
    let done = plan.iter().map(|(text, path)| match text {
        None => Ok(Replaced::AsItWas),
        Some(text) => replace_one(path, text).map(|()| Replaced::Anew),
    });
    done.collect()
}

#[cfg(unix)]
fn require_one_name(path: &Path) -> Result<(), ReplaceError> {
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(path).map_err(|source| ReplaceError::Io { file: path.to_owned(), source })?;
    if about.nlink() > 1 { Err(ReplaceError::Linked { file: path.to_owned() }) } else { Ok(()) }
}

#[cfg(not(unix))]
fn require_one_name(_: &Path) -> Result<(), ReplaceError> {
    Ok(())
}

/// Up to the rename a crash leaves the old file, and perhaps one beside it that the next run writes over; from then on the new one.
fn replace_one(path: &Path, text: &str) -> Result<(), ReplaceError> {
    let io = |source| ReplaceError::Io { file: path.to_owned(), source };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // The name may be there from an interrupted run, and then with rights of its own.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let mut old = OpenOptions::new().write(true).open(path).map_err(io)?;
    let length = old.metadata().map_err(io)?.len();
    let mut new = private().write(true).create_new(true).open(&beside).map_err(io)?;
    new.write_all(text.as_bytes())
        .and_then(|()| new.write_all(b"\n"))
        .and_then(|()| new.sync_all())
        .map_err(io)?;
    if read_private_file(&beside)?.trim_ascii() != text.as_bytes() {
        return Err(ReplaceError::ReadBack { file: path.to_owned() });
    }
    fs::rename(&beside, path).and_then(|()| sync_name(path)).map_err(io)?;
    let zeros = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(super::MAX_LENGTH)];
    old.write_all(&zeros).and_then(|()| old.sync_all()).map_err(io)
}
