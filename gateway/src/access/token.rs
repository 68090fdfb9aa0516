//! Tokens that the ledger issues itself: compact JWS (RFC 7515) with `EdDSA`, signed by a key among the secrets.
//!
//! What is signed and read is fixed: one header, byte for byte, so that neither an algorithm nor a key can be chosen by whoever sends a
//! token; and exactly the members below. Nothing secret is compared: a signature is checked with a public key, and the id of a token is looked up
//! only once its signature holds.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::json::{Object, Value};
use gt_core::key::PrivateKey;
use gt_ledger::disk::private;
use gt_ledger::private_keys::KeyAccess;
use gt_ledger::record::OwnerId;
use gt_ledger::secrets::{PinFile, SecretsError, file};
use gt_schemas::{AccessPurpose, AccessRole};
use zeroize::Zeroizing;

use super::reader::{MAX_CHILDREN, Reader, ReaderError};

/// The key that signs tokens, in the secrets folder.
pub const KEY_FILE: &str = "token.jwk";
/// What was issued, a line of JSON each, without the tokens themselves.
const ISSUED_FILE: &str = "tokens.issued";
/// The ids of the tokens that hold no longer, one a line.
const REVOKED_FILE: &str = "tokens.revoked";
/// The longest token, in bytes: 64 children and the longest names fit.
pub const MAX_TOKEN_BYTES: usize = 6 * 1024;
/// For how long a new ledger's first token holds, in seconds: 30 days.
const FIRST_SECONDS: i64 = 30 * 24 * 3600;
/// How far ahead the clock of another machine may be, in seconds.
const LEEWAY: i64 = 60;

/// Issues tokens of one ledger, and checks them.
pub struct TokenAuthority {
    key: PrivateKey,
    folder: PathBuf,
    header: String,
    issuer: String,
    audience: String,
    revoked: Mutex<Revoked>,
}

/// The list of revoked tokens as it was last read.
#[derive(Default)]
struct Revoked {
    read: Option<(SystemTime, u64)>,
    ids: BTreeSet<String>,
}

/// The key, or a list beside it, is not in order.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The secrets are not in order.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The parts of the token do not fit each other.
    #[error(transparent)]
    Reader(#[from] ReaderError),
    /// Nobody was given a token of this id.
    #[error("no token of this id was issued here; `goldenthread token list` has the ids")]
    Unknown,
}

/// Why a token is refused. Nothing of the token is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// It is not one of this ledger's, or not whole.
    #[error("the token is not one of this ledger's")]
    NotOurs,
    /// It was issued, or begins to hold, later than it is now by the clock here.
    #[error("the token does not hold yet: it is from the future by the clock here, and a clock may be wrong")]
    NotYet,
    /// It held once.
    #[error("the token has expired; ask for a new one")]
    Expired,
    /// It was taken back.
    #[error("the token was revoked")]
    Revoked,
    /// A provider's token says nothing that stands for one role here, with what that role needs.
    #[error(
        "the token stands for no role here, or for more than one, or for one that lacks its agency or its children"
    )]
    NoRole,
    /// The list of revoked tokens cannot be read, so no token holds.
    #[error("whether the token was revoked cannot be told: the list of revoked tokens cannot be read")]
    CannotTell,
}

impl TokenRefused {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOurs => "token_refused",
            Self::NotYet => "token_not_yet",
            Self::Expired => "token_expired",
            Self::Revoked => "token_revoked",
            Self::NoRole => "token_without_role",
            Self::CannotTell => "token_undecided",
        }
    }
}

impl TokenAuthority {
    /// Makes the key and the lists in the secrets folder of a ledger.
    pub fn create(secrets: &Path) -> Result<Self, TokenError> {
        Self::create_with(secrets, &KeyAccess::default())
    }

    /// The same; the key may be encrypted.
    pub fn create_with(secrets: &Path, keys: &KeyAccess) -> Result<Self, TokenError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).expect("the operating system gives random bytes");
        let key = PrivateKey::from_seed(&seed);
        keys.write(&secrets.join(KEY_FILE), &key.to_jwk_text())?;
        for name in [ISSUED_FILE, REVOKED_FILE] {
            append(&secrets.join(name), "")?;
        }
        Self::new(secrets, key)
    }

    /// Reads the key, and the pin of the ledger whose tokens they are.
    pub fn load(secrets: &Path) -> Result<Self, TokenError> {
        Self::load_with(secrets, &KeyAccess::default())
    }

    /// The same; the key may be encrypted or elsewhere.
    pub fn load_with(secrets: &Path, keys: &KeyAccess) -> Result<Self, TokenError> {
        Self::new(secrets, keys.read_ed25519(&secrets.join(KEY_FILE))?)
    }

    /// The same; `None` if there is no key for tokens.
    pub fn load_if_there(secrets: &Path, keys: &KeyAccess) -> Result<Option<Self>, TokenError> {
        let key = keys.read_ed25519_if_there(&secrets.join(KEY_FILE))?;
        key.map(|key| Self::new(secrets, key)).transpose()
    }

    fn new(secrets: &Path, key: PrivateKey) -> Result<Self, TokenError> {
        let pin = PinFile::load(&secrets.join(file::PIN))?;
        let kid = key.public().thumbprint();
        let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"JWT"}}"#);
        Ok(Self {
            key,
            folder: secrets.to_owned(),
            header: base64url::encode(header.as_bytes()),
            issuer: format!("{}#{}", pin.origin, pin.genesis),
            audience: pin.origin,
            revoked: Mutex::default(),
        })
    }

    /// Whether this looks like a token of this ledger's: it says nothing about whether it holds.
    pub fn claims(&self, token: &str) -> bool {
        token.split_once('.').is_some_and(|(header, _)| header == self.header)
    }

    /// Signs a token, and notes that it was issued. `reader.token` is replaced by a new id.
    pub fn issue(&self, mut reader: Reader) -> Result<(Reader, Zeroizing<String>), TokenError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).expect("the operating system gives random bytes");
        reader.token = base64url::encode(&id);
        reader.check()?;
        let payload = base64url::encode(self.payload(&reader).to_text().as_bytes());
        let signed = format!("{}.{payload}", self.header);
        let signature = base64url::encode(&self.key.sign(signed.as_bytes()));
        append(&self.folder.join(ISSUED_FILE), &format!("{}\n", self.payload(&reader).to_text()))?;
        Ok((reader, Zeroizing::new(format!("{signed}.{signature}"))))
    }

    /// Checks a token. `now` is in seconds since the Unix epoch.
    pub fn verify(&self, token: &str, now: i64) -> Result<Reader, TokenRefused> {
        let refused = TokenRefused::NotOurs;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refused);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refused);
        };
        if header != self.header {
            return Err(refused);
        }
        let signature = base64url::decode_array::<64>(signature).map_err(|_| refused)?;
        let signed = &token[..header.len() + 1 + payload.len()];
        self.key.public().verify(signed.as_bytes(), &signature).map_err(|_| refused)?;
        let payload = base64url::decode(payload).map_err(|_| refused)?;
        let members = Value::parse(&payload).map_err(|_| refused)?;
        let reader = members.as_object().and_then(|members| self.reader(members)).ok_or(refused)?;
        if reader.check().is_err() {
            return Err(refused);
        }
        if reader.issued_at > now + LEEWAY {
            return Err(TokenRefused::NotYet);
        }
        if reader.expires_at <= now {
            return Err(TokenRefused::Expired);
        }
        self.still_good(&reader.token)?;
        Ok(reader)
    }

    /// Whether a token that was checked before has not been revoked since.
    pub fn still_good(&self, id: &str) -> Result<(), TokenRefused> {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.folder.join(REVOKED_FILE);
        let cannot = |error: io::Error| {
            tracing::error!(%error, file = %file.display(), "no token holds: the list of revoked tokens cannot be read");
            TokenRefused::CannotTell
        };
        let found =
            fs::metadata(&file).and_then(|found| Ok((found.modified()?, found.len()))).map_err(cannot)?;
        if revoked.read != Some(found) {
            let text = fs::read_to_string(&file).map_err(cannot)?;
            revoked.ids = text.lines().map(|line| line.trim().to_owned()).collect();
            // A file that is being written to right now may grow again within its time's resolution; its length tells.
            revoked.read = Some(found);
        }
        if revoked.ids.contains(id) { Err(TokenRefused::Revoked) } else { Ok(()) }
    }

    /// Takes a token back, by its id. Once more does no harm.
    pub fn revoke(&self, id: &str) -> Result<(), TokenError> {
        if !self.issued()?.iter().any(|issued| issued.token == id) {
            return Err(TokenError::Unknown);
        }
        append(&self.folder.join(REVOKED_FILE), &format!("{id}\n"))
    }

    /// The tokens that were issued, in their order. Lines that do not read are left out.
    pub fn issued(&self) -> Result<Vec<Reader>, TokenError> {
        let file = self.folder.join(ISSUED_FILE);
        let text = fs::read_to_string(&file).map_err(|source| TokenError::Io { file, source })?;
        let read = |line: &str| {
            let members = Value::parse(line.as_bytes()).ok()?;
            self.reader(members.as_object()?)
        };
        Ok(text.lines().filter_map(read).collect())
    }

    fn payload(&self, reader: &Reader) -> Value {
        let mut members = Object::default();
        let texts = |texts: Vec<String>| Value::Array(texts.into_iter().map(Value::String).collect());
        members.insert("iss", Value::from(self.issuer.as_str()));
        members.insert("aud", Value::from(self.audience.as_str()));
        members.insert("sub", Value::from(reader.subject.as_str()));
        members.insert("role", Value::from(reader.role.as_str()));
        if let Some(agency) = &reader.agency {
            members.insert("agency", Value::from(agency.as_str()));
        }
        if !reader.children.is_empty() {
            members.insert("children", texts(reader.children.iter().map(ToString::to_string).collect()));
        }
        if !reader.purposes.is_empty() {
            let purposes = reader.purposes.iter().map(|purpose| purpose.as_str().to_owned());
            members.insert("purposes", texts(purposes.collect()));
        }
        members.insert("iat", Value::Integer(reader.issued_at));
        members.insert("exp", Value::Integer(reader.expires_at));
        members.insert("jti", Value::from(reader.token.as_str()));
        Value::Object(members)
    }

    fn reader(&self, members: &Object) -> Option<Reader> {
        const KNOWN: [&str; 10] =
            ["iss", "aud", "sub", "role", "agency", "children", "purposes", "iat", "exp", "jti"];
        let text = |name: &str| members.get(name)?.as_str();
        let texts = |name: &str| match members.get(name) {
            None => Some(Vec::new()),
            Some(list) => list.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<&str>>>(),
        };
        if members.iter().any(|(name, _)| !KNOWN.contains(&name))
            || text("iss") != Some(&self.issuer)
            || text("aud") != Some(&self.audience)
        {
            return None;
        }
        let children = texts("children")?;
        if children.len() > MAX_CHILDREN {
            return None;
        }
        Some(Reader {
            subject: text("sub")?.to_owned(),
            role: AccessRole::parse(text("role")?)?,
            agency: match members.get("agency") {
                None => None,
                Some(agency) => Some(AgencyCode::parse(agency.as_str()?).ok()?),
            },
            children: children.into_iter().map(OwnerId::parse).collect::<Option<_>>()?,
            purposes: texts("purposes")?.into_iter().map(AccessPurpose::parse).collect::<Option<_>>()?,
            issued_at: members.get("iat")?.as_integer()?,
            expires_at: members.get("exp")?.as_integer()?,
            token: text("jti")?.to_owned(),
        })
    }
}

/// Makes a new ledger's key for tokens, and its first token: an analyst's, for analysis, for 30 days.
pub fn issue_first(secrets: &Path, subject: &str) -> Result<Zeroizing<String>, TokenError> {
    issue_first_with(secrets, subject, &KeyAccess::default())
}

/// The same; the key may be encrypted.
pub fn issue_first_with(
    secrets: &Path,
    subject: &str,
    keys: &KeyAccess,
) -> Result<Zeroizing<String>, TokenError> {
    let now = super::now_seconds();
    let reader = Reader {
        subject: subject.to_owned(),
        role: AccessRole::Analyst,
        agency: None,
        children: BTreeSet::new(),
        purposes: vec![AccessPurpose::Analysis],
        issued_at: now,
        expires_at: now + FIRST_SECONDS,
        token: String::new(),
    };
    TokenAuthority::create_with(secrets, keys)?.issue(reader).map(|(_, token)| token)
}

fn append(path: &Path, line: &str) -> Result<(), TokenError> {
    let io = |source| TokenError::Io { file: path.to_owned(), source };
    let mut file = private().append(true).create(true).open(path).map_err(io)?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(io)
}

#[cfg(test)]
#[path = "token/tests.rs"]
mod tests;
