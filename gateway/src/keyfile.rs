//! Key files: a publisher's private key as a JWK, and the public half that a registrar enrols.
//!
//! A private file has mode 0600 and is never overwritten: the key in it may be the only copy. A public file is a public
//! JWK, to which the holder of the key may add `agency`, `genesis` and `proof`, and a colleague an `endorsement`
//! (FORMATS section 6). A partnership's key file is as private, and holds the key of pseudonyms (FORMATS section 9).

mod partnership;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::hash::Hash;
use gt_core::json::{Object, Value};
use gt_core::key::{KeyError, PrivateKey, PublicKey, Signer, SignerError, Thumbprint};
use gt_core::registry::{endorsement_message, proof_message};
use gt_core::statement::PublisherId;
use gt_ledger::private_keys::{KeyAccess, UnlockError};
pub use partnership::{generate_partnership_key, read_partnership_key};
use zeroize::Zeroizing;

/// The longest key file that is read, in bytes.
pub const MAX_KEY_FILE_BYTES: usize = 4096;

/// What a public key file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyFile {
    /// The key.
    pub key: PublicKey,
    /// The key's own signature for one ledger and agency, which a registration needs.
    pub proof: Option<Proof>,
    /// The signature of another valid key of the agency, which the agency's further keys need.
    pub endorsement: Option<Endorsement>,
}

/// A new key's proof of possession.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The agency that the key is to speak for.
    pub agency: AgencyCode,
    /// The ledger, by the leaf hash of its entry 0.
    pub genesis: Hash,
    /// The signature over [`proof_message`].
    pub signature: [u8; 64],
}

/// A valid key's signature for a new key of the same agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsement {
    /// The thumbprint of the key that endorses.
    pub kid: Thumbprint,
    /// The signature over [`endorsement_message`].
    pub signature: [u8; 64],
}

/// Why a key file cannot be written or read. No variant carries anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is a file already.
    #[error("the file is there already; a key file is never overwritten")]
    Exists,
    /// The file system refused.
    #[error("the key file cannot be read or written")]
    Io(#[from] io::Error),
    /// The operating system has no random bytes.
    #[error("the operating system gives no random bytes")]
    Random(#[from] getrandom::Error),
    /// Others than the owner may read the file, or the group may write it.
    #[error("others can get at it: its mode is {mode:03o}; run: chmod 600 {}", .file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// The file is too long to be a key file.
    #[error("the key file has more than 4096 bytes")]
    TooLong,
    /// The file holds no JSON object.
    #[error("the key file holds no JSON object")]
    NotJson,
    /// There is a private key where a public one is read.
    #[error(
        "it is a private key, which stays where it was made; what is given to others is the public file that was made with it"
    )]
    Private,
    /// There is a public key where a private one is read.
    #[error("it is a public key; what is needed here is the private key with which it was made")]
    Public,
    /// The key in it is refused.
    #[error("the key file holds no usable key")]
    Key(#[from] KeyError),
    /// It is encrypted or elsewhere, and not to be had.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// There is JSON, and no partnership's key.
    #[error("the file holds no partnership's key, an object with exactly epoch and key")]
    NoPartnershipKey,
    /// A member besides the key itself is wrong.
    #[error("the key file's member {member:?} must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

/// Makes a new key and writes it as a private JWK with mode 0600. Returns the public half.
pub fn generate(path: &Path) -> Result<PublicKey, KeyFileError> {
    generate_with(path, &KeyAccess::default())
}

/// The same; the file may be encrypted.
pub fn generate_with(path: &Path, keys: &KeyAccess) -> Result<PublicKey, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())?;
    let key = PrivateKey::from_seed(&seed);
    write_new(path, keys.to_be_written(&key.to_jwk_text())?.as_bytes(), 0o600)?;
    Ok(key.public())
}

/// Reads a private JWK from a plain file. Refuses a file that others may read or write, or that the group may write: a group that may
/// read it is how some container platforms mount secrets.
pub fn read_private(path: &Path) -> Result<PrivateKey, KeyFileError> {
    read_private_with(path, &KeyAccess::default())
}

/// The same; the file may be encrypted, or a command gives the key in its place.
pub fn read_private_with(path: &Path, keys: &KeyAccess) -> Result<PrivateKey, KeyFileError> {
    let jwk = if let Some(jwk) = keys.from_store(path)? {
        jwk
    } else {
        let mut file = File::open(path)?;
        let text = Zeroizing::new(read_bounded(&mut file)?);
        // Before its mode is looked at: everybody may read a public key, and making it private would help nobody.
        if is_public(&text) {
            return Err(KeyFileError::Public);
        }
        check_mode(path, &file)?;
        keys.open(path, text)?
    };
    let Ok(json) = Value::parse(jwk.trim_ascii()).map(Zeroizing::new) else {
        return Err(KeyFileError::NotJson);
    };
    Ok(PrivateKey::from_jwk(json.as_object().ok_or(KeyFileError::NotJson)?)?)
}

/// Whoever signs: the key of a file as [`read_private_with`] reads it, or one on a token (`pkcs11:`), which never leaves that.
pub fn open_signer(key: &Path, keys: &KeyAccess) -> Result<Box<dyn Signer>, KeyFileError> {
    match keys.token_signer(key)? {
        Some(signer) => Ok(signer),
        None => Ok(Box::new(read_private_with(key, keys)?)),
    }
}

/// Writes a public key file. Like the private one it never overwrites.
pub fn write_public(path: &Path, public: &PublicKeyFile) -> Result<(), KeyFileError> {
    write_new(path, public.to_value().to_text().as_bytes(), 0o644)
}

/// Reads a public key file: a bare public JWK, or one with proof and endorsement.
pub fn read_public(path: &Path) -> Result<PublicKeyFile, KeyFileError> {
    PublicKeyFile::from_value(&object(&read_bounded(&mut File::open(path)?)?)?)
}

/// Signs a new key's proof of possession. A first key's publisher id is its own thumbprint.
pub fn prove(key: &PrivateKey, genesis: Hash, publisher: &PublisherId, agency: &AgencyCode) -> Proof {
    prove_with(key, genesis, publisher, agency).expect("a key in memory signs")
}

/// The same with a key that may be elsewhere.
pub fn prove_with(
    key: &dyn Signer,
    genesis: Hash,
    publisher: &PublisherId,
    agency: &AgencyCode,
) -> Result<Proof, SignerError> {
    let signature = key.try_sign(&proof_message(&genesis, publisher, agency))?;
    Ok(Proof { agency: agency.clone(), genesis, signature })
}

/// Signs, with a valid key of the agency, for a new key of the same agency.
pub fn endorse(
    key: &dyn Signer,
    genesis: &Hash,
    publisher: &PublisherId,
    new_key: &Thumbprint,
    agency: &AgencyCode,
) -> Result<Endorsement, SignerError> {
    let signature = key.try_sign(&endorsement_message(genesis, publisher, new_key, agency))?;
    Ok(Endorsement { kid: key.public_key().thumbprint(), signature })
}

impl PublicKeyFile {
    fn to_value(&self) -> Value {
        let Value::Object(mut members) = self.key.to_jwk() else { unreachable!("a JWK is an object") };
        if let Some(proof) = &self.proof {
            members.insert("agency", Value::from(proof.agency.as_str()));
            members.insert("genesis", Value::String(proof.genesis.to_string()));
            members.insert("proof", Value::String(base64url::encode(&proof.signature)));
        }
        if let Some(endorsement) = &self.endorsement {
            let mut inner = Object::default();
            inner.insert("kid", Value::String(endorsement.kid.to_string()));
            inner.insert("signature", Value::String(base64url::encode(&endorsement.signature)));
            members.insert("endorsement", Value::Object(inner));
        }
        Value::Object(members)
    }

    fn from_value(members: &Object) -> Result<Self, KeyFileError> {
        const KNOWN: [&str; 7] = ["kty", "crv", "x", "agency", "genesis", "proof", "endorsement"];
        if members.get("d").is_some() {
            return Err(KeyFileError::Private);
        }
        if members.iter().any(|(name, _)| !KNOWN.contains(&name)) {
            return Err(KeyError::NotAJwk.into());
        }
        let jwk = members.iter().filter(|(name, _)| KNOWN[..3].contains(name));
        let jwk: Object = jwk.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let proof = members.get("proof").map(|_| read_proof(members)).transpose()?;
        let endorsement = match members.get("endorsement").map(Value::as_object) {
            None => None,
            Some(None) => return Err(member("endorsement", "an object with kid and signature")),
            Some(Some(inner)) => {
                Some(Endorsement { kid: hash(inner, "kid")?, signature: signature(inner, "signature")? })
            }
        };
        Ok(Self { key: PublicKey::from_jwk(&jwk)?, proof, endorsement })
    }
}

fn read_proof(members: &Object) -> Result<Proof, KeyFileError> {
    let agency = members.get("agency").and_then(Value::as_str).and_then(|text| AgencyCode::parse(text).ok());
    Ok(Proof {
        agency: agency.ok_or_else(|| member("agency", "an agency code, scheme:code"))?,
        genesis: hash(members, "genesis")?,
        signature: signature(members, "proof")?,
    })
}

fn member(member: &'static str, expected: &'static str) -> KeyFileError {
    KeyFileError::Member { member, expected }
}

fn hash(members: &Object, name: &'static str) -> Result<Hash, KeyFileError> {
    let text = members.get(name).and_then(Value::as_str);
    text.and_then(|text| Hash::parse(text).ok()).ok_or_else(|| member(name, "base64url of 32 bytes"))
}

fn signature(members: &Object, name: &'static str) -> Result<[u8; 64], KeyFileError> {
    let text = members.get(name).and_then(Value::as_str);
    text.and_then(|text| base64url::decode_array(text).ok())
        .ok_or_else(|| member(name, "base64url of 64 bytes"))
}

fn object(bytes: &[u8]) -> Result<Object, KeyFileError> {
    match Value::parse(bytes.trim_ascii()) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(KeyFileError::NotJson),
    }
}

fn read_bounded(file: &mut File) -> Result<Vec<u8>, KeyFileError> {
    let mut bytes = Vec::with_capacity(MAX_KEY_FILE_BYTES + 64);
    file.take(MAX_KEY_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_KEY_FILE_BYTES { Err(KeyFileError::TooLong) } else { Ok(bytes) }
}

fn write_new(path: &Path, text: &[u8], mode: u32) -> Result<(), KeyFileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    set_mode(&mut options, mode);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists,
        _ => KeyFileError::Io(error),
    })?;
    let written = file.write_all(text).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // The file was made just now, so nothing of anybody's is lost. That it could not be written matters more.
        let _ = fs::remove_file(path);
        return Err(error.into());
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(options: &mut OpenOptions, mode: u32) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(mode);
}

#[cfg(not(unix))]
fn set_mode(_: &mut OpenOptions, _: u32) {}

fn is_public(text: &[u8]) -> bool {
    object(text).is_ok_and(|members| members.get("x").is_some() && members.get("d").is_none())
}

fn check_mode(path: &Path, file: &File) -> Result<(), KeyFileError> {
    exposed(file)?.map_or(Ok(()), |mode| Err(KeyFileError::Exposed { file: path.to_owned(), mode }))
}

/// The mode of a file that holds a secret, if others than its owner can get at it: if others may read or write it, or the group may write
/// it. A group that may read it is how some container platforms mount secrets.
#[cfg(unix)]
pub(crate) fn exposed(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok(Some(mode).filter(|mode| mode & 0o027 != 0))
}

#[cfg(not(unix))]
pub(crate) fn exposed(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.jwk");
        let public = generate(&path).unwrap();
        assert_eq!(read_private(&path).unwrap().public(), public);
        let before = fs::read(&path).unwrap();
        assert!(matches!(generate(&path), Err(KeyFileError::Exists)));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(matches!(read_public(&path), Err(KeyFileError::Private)), "a private file is no public one");
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.jwk");
        generate(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        let refused = read_private(&path).unwrap_err();
        assert!(matches!(refused, KeyFileError::Exposed { mode: 0o604, .. }));
        assert!(refused.to_string().ends_with(&format!("chmod 600 {}", path.display())), "{refused}");
        // Whatever the mode of a public key: it is not at fault.
        let public = path.with_extension("public.jwk");
        write_public(
            &public,
            &PublicKeyFile { key: PrivateKey::from_seed(&[7; 32]).public(), proof: None, endorsement: None },
        )
        .unwrap();
        for mode in [0o644, 0o600] {
            fs::set_permissions(&public, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read_private(&public), Err(KeyFileError::Public)), "{mode:o}");
        }
    }

    #[test]
    fn a_public_file_carries_proof_and_endorsement() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pub.jwk");
        let (key, elder) = (PrivateKey::from_seed(&[7; 32]), PrivateKey::from_seed(&[8; 32]));
        let (genesis, agency) = (Hash::of(b"genesis"), AgencyCode::parse("ods:RX1").unwrap());
        let id = key.public().thumbprint();
        let proof = prove(&key, genesis, &id, &agency);
        let endorsement = endorse(&elder, &genesis, &id, &id, &agency).unwrap();
        let message = endorsement_message(&genesis, &id, &id, &agency);
        assert_eq!(elder.public().verify(&message, &endorsement.signature), Ok(()));
        assert_eq!(key.public().verify(&proof_message(&genesis, &id, &agency), &proof.signature), Ok(()));
        let file = PublicKeyFile { key: key.public(), proof: Some(proof), endorsement: Some(endorsement) };
        write_public(&path, &file).unwrap();
        assert_eq!(read_public(&path).unwrap(), file);
        let bare = PublicKeyFile { key: key.public(), proof: None, endorsement: None };
        assert_eq!(PublicKeyFile::from_value(bare.to_value().as_object().unwrap()).unwrap(), bare);
    }
}
